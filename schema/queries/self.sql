-- SPDX-License-Identifier: GPL-2.0-or-later
-- What allocprof report leaves out by default. :kinds is a list such as 'slab,page'.
SELECT kind, net_bytes, alloc_bytes
FROM totals
WHERE instr(',' || :kinds || ',', ',' || kind || ',') AND self AND allocs
ORDER BY alloc_bytes DESC
