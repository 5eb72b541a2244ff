-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory that is allocated and not asked for, by slab cache.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :rows=-1 so many rows; -1: all
SELECT
	sum(waste_bytes) AS waste_bytes,
	1.0 * sum(waste_bytes) / max(sum(alloc_bytes), 1) AS waste_share,
	sum(alloc_bytes) AS alloc_bytes, sum(net_bytes) AS net_bytes, sum(call_sites) AS call_sites,
	sum(failures) AS failures, coalesce(cache, '(kmalloc)') AS cache
FROM caches
WHERE instr(',' || :kinds || ',', ',slab,') AND self <= :self
GROUP BY cache
ORDER BY sum(waste_bytes) DESC, cache
LIMIT :rows
