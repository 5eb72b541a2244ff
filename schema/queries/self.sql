-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the recorder allocated itself, which allocprof report leaves out.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
SELECT kind, net_bytes, alloc_bytes
FROM totals
WHERE _of_kind(:kinds, kind, 1, self) AND self AND allocs
ORDER BY alloc_bytes DESC
