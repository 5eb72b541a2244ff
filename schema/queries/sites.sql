-- SPDX-License-Identifier: GPL-2.0-or-later
-- The rows of allocprof report. :kinds is a list such as 'slab,page'; :self is 1
-- for those of the recorder too; an order and a limit are added behind.
SELECT * FROM call_sites
WHERE instr(',' || :kinds || ',', ',' || kind || ',') AND self <= :self
