-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory that is allocated and not asked for, by slab cache.
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
	sum(alloc_bytes - bytes_req) AS waste_bytes,
	1.0 * sum(alloc_bytes - bytes_req) / max(sum(alloc_bytes), 1) AS waste_share,
	sum(alloc_bytes) AS alloc_bytes, sum(net_bytes) AS net_bytes,
	count(DISTINCT call_site) AS call_sites,
	sum(failures) AS failures, coalesce(cache, '(kmalloc)') AS cache
FROM accounts
WHERE kind = 'slab' AND _of_kind(:kinds, kind, :self, self)
	AND _fits(:cache, cache, :file, file, :func, func, :module, module)
	AND (:recording = '' OR recording = CAST(:recording AS INTEGER))
	AND (:host = '' OR host = :host)
GROUP BY cache
ORDER BY sum(alloc_bytes - bytes_req) DESC, cache
LIMIT :rows
