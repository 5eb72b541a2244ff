-- SPDX-License-Identifier: GPL-2.0-or-later
-- Allocations that returned nothing, by call site, gfp flags and order.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :rows=-1 so many rows; -1: all
SELECT
	sum(failures) AS failures, kind, page_order, gfp,
	coalesce(file || ':' || line || ' ', '') || func || coalesce(' [' || module || ']', '') AS site,
	call_site, recording
FROM failures
WHERE instr(',' || :kinds || ',', ',' || kind || ',') AND self <= :self
GROUP BY call_site, recording, kind, page_order, gfp
ORDER BY sum(failures) DESC, call_site, page_order, gfp, recording
LIMIT :rows
