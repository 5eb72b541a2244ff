-- SPDX-License-Identifier: GPL-2.0-or-later
-- The foot of allocprof report. :kinds is a list such as 'slab,page'; the
-- recorder's own are kept apart, and left out unless :self is 1.
SELECT * FROM totals
WHERE instr(',' || :kinds || ',', ',' || kind || ',') AND self <= :self
ORDER BY net_bytes DESC
