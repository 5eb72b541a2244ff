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
SELECT
	sum(net_bytes) AS net_bytes, sum(allocs - frees - inferred_frees) AS net_blocks, sum(alloc_bytes) AS alloc_bytes,
	sum(allocs) AS allocs, sum(failures) AS failures, page_order, migratetype
FROM accounts
WHERE page_order > 0 AND kind = 'page' AND _of_kind(:kinds, kind, :self, self)
	AND _fits(:cache, cache, :file, file, :func, func, :module, module)
	AND (:recording = '' OR recording = CAST(:recording AS INTEGER))
	AND (:host = '' OR host = :host)
GROUP BY page_order, migratetype
ORDER BY page_order DESC, sum(alloc_bytes) DESC, migratetype
LIMIT :rows
