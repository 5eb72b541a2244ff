-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory per call site: the rows of allocprof report.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- The program adds an order and a limit behind.
SELECT * FROM call_sites
WHERE _of_kind(:kinds, kind, :self, self)
