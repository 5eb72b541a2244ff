-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each raw site with the frames outward of the one that is charged, innermost first.
-- :first=0 the first call site, by id
-- :last=9223372036854775807 the last one
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
--
-- For allocprof report --callers and --tree.
SELECT
	2 * r.callsite + r.self AS call_site, r.id AS raw_site,
	r.net_bytes, r.net_calls, r.alloc_bytes, r.allocs,
	s.depth, f.id AS frame, f.func, f.file, f.line, f.module, f.sym_off, f.sym_size
-- Views raw_sites and frames, joined so, would be computed as a whole.
FROM _raw_site r
JOIN _callsite c ON c.id = r.callsite
LEFT JOIN _raw_frame s ON s.raw_site = r.id AND s.depth >= r.caller_depth
LEFT JOIN _frame f ON f.id = s.frame
WHERE r.callsite BETWEEN :first / 2 AND :last / 2
	AND 2 * r.callsite + r.self BETWEEN :first AND :last
	AND _of_kind(:kinds, c.kind, 1, r.self)
ORDER BY r.callsite, r.self, r.id, s.depth
