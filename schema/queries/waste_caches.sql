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
	alloc_bytes - bytes_req AS waste_bytes,
	1.0 * (alloc_bytes - bytes_req) / max(alloc_bytes, 1) AS waste_share,
	alloc_bytes, net_bytes, call_sites, failures, coalesce(name, '(kmalloc)') AS cache
FROM _account_groups('cache', 0, iif(_of_kind(:kinds, 'slab', 0, 0), 'slab', ''), :self, '', '',
	'', '', '', '', '', '', '', '', :cache, :file, :func, :module, :recording, :host)
ORDER BY waste_bytes DESC, cache
LIMIT :rows
