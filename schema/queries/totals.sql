-- SPDX-License-Identifier: GPL-2.0-or-later
-- The foot of allocprof report. :kinds is a list such as 'slab,page'.
SELECT * FROM totals
WHERE instr(',' || :kinds || ',', ',' || kind || ',')
ORDER BY net_bytes DESC
