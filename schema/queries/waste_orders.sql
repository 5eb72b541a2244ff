-- SPDX-License-Identifier: GPL-2.0-or-later
-- Blocks of more than one page, by order and migrate type.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :cache='' only this slab cache; may be a GLOB pattern
-- :file='' only this file, or those below this directory; may be a GLOB pattern
-- :func='' only this function; may be a GLOB pattern
-- :module='' only this module; vmlinux is the kernel itself
-- :recording='' only this recording
-- :host='' only this machine
-- :rows=-1 so many rows; -1: all
WITH block AS (
	SELECT *, CAST(name AS INTEGER) AS page_order, substr(name, instr(name, ' ') + 1) AS type
	FROM _account_groups('blocks', 0, iif(_of_kind(:kinds, 'page', 0, 0), 'page', ''), :self,
		'', '', '', '', '', '', '', '', '', '', :cache, :file, :func, :module, :recording,
		:host)
)
SELECT
	net_bytes, allocs - frees - inferred_frees AS net_blocks, alloc_bytes, allocs, failures,
	page_order,
	-- One without a name is a number.
	CASE WHEN NOT instr(name, ' ') THEN NULL
		WHEN type = CAST(type AS INTEGER) THEN CAST(type AS INTEGER) ELSE type END
		AS migratetype
FROM block
WHERE page_order > 0
ORDER BY page_order DESC, alloc_bytes DESC, migratetype
LIMIT :rows
