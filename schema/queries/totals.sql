-- SPDX-License-Identifier: GPL-2.0-or-later
-- Sums per kind of memory: the foot of allocprof report.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
SELECT * FROM totals
WHERE _of_kind(:kinds, kind, :self, self)
ORDER BY net_bytes DESC
