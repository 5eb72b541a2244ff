-- SPDX-License-Identifier: GPL-2.0-or-later
-- Blocks of more than one page, by order and migrate type.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :rows=-1 so many rows; -1: all
SELECT
	sum(net_bytes) AS net_bytes, sum(net_blocks) AS net_blocks, sum(alloc_bytes) AS alloc_bytes,
	sum(allocs) AS allocs, sum(failures) AS failures, page_order, migratetype
FROM page_orders
WHERE instr(',' || :kinds || ',', ',page,') AND self <= :self AND page_order > 0
GROUP BY page_order, migratetype
ORDER BY page_order DESC, sum(alloc_bytes) DESC, migratetype
LIMIT :rows
