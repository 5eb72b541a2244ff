-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each raw site with the frames outward of the one that is charged, innermost first.
-- :first=0 the first call site, by id
-- :last=9223372036854775807 the last one
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
--
-- For allocprof report --callers and --tree.
SELECT
	r.call_site, r.id AS raw_site,
	r.net_bytes, r.net_calls, r.alloc_bytes, r.allocs,
	s.depth, f.func, f.file, f.line, f.module, f.sym_off, f.sym_size
FROM raw_sites r
-- View frames, joined so, would be computed as a whole.
LEFT JOIN _raw_frame s ON s.raw_site = r.id AND s.depth >= r.caller_depth
LEFT JOIN _frame f ON f.id = s.frame
WHERE instr(',' || :kinds || ',', ',' || r.kind || ',')
	AND r.call_site BETWEEN :first AND :last
ORDER BY r.call_site, r.id, s.depth
