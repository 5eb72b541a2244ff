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
--
-- View accounts would look up its names of each account.
SELECT
	sum(a.alloc_bytes - a.free_bytes - a.inferred_bytes) AS net_bytes,
	sum(a.allocs - a.frees - a.inferred_frees) AS net_blocks, sum(a.alloc_bytes) AS alloc_bytes,
	sum(a.allocs) AS allocs, sum(a.failures) AS failures, a.page_order AS page_order,
	coalesce(m.name, a.migratetype) AS migratetype
FROM _account a
JOIN _raw_site r ON r.id = a.raw_site
JOIN _callsite c ON c.id = r.callsite
LEFT JOIN _migratetype m ON m.recording = r.recording AND m.migratetype = a.migratetype
LEFT JOIN _cache k ON k.id = a.cache
WHERE a.page_order > 0 AND c.kind = 'page' AND _of_kind(:kinds, c.kind, :self, r.self)
	AND _fits(:cache, coalesce(k.name, r.cache), :file, c.file, :func, c.func, :module, c.module)
	AND _of_recording(:recording, :host, r.recording)
GROUP BY a.page_order, coalesce(m.name, a.migratetype)
ORDER BY a.page_order DESC, sum(a.alloc_bytes) DESC, coalesce(m.name, a.migratetype)
LIMIT :rows
