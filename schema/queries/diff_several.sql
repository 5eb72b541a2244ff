-- SPDX-License-Identifier: GPL-2.0-or-later
-- What allocprof diff compares of call sites that sum several recordings, taken apart.
--
-- Each recording has a row; the columns are those of call_sites.
SELECT
	c.id, r.recording, c.kind, c.self, c.file, c.line, c.func, c.module, c.sym_off, c.sym_size,
	c.cache, sum(r.net_bytes) AS net_bytes, sum(r.net_calls) AS net_calls,
	sum(r.alloc_bytes) AS alloc_bytes, sum(r.allocs) AS allocs, sum(r.frees) AS frees,
	sum(r.peak_bytes) AS peak_bytes,
	iif(c.kind = 'slab', sum(r.alloc_bytes - r.bytes_req), 0) AS waste_bytes,
	sum(r.failures) AS failures,
	sum(r.preexisting_freed_bytes) AS preexisting_freed_bytes,
	sum(r.preexisting_frees) AS preexisting_frees,
	sum(r.net_lower_bytes) AS net_lower_bytes, sum(r.net_upper_bytes) AS net_upper_bytes,
	sum(r.net_lower_calls) AS net_lower_calls, sum(r.net_upper_calls) AS net_upper_calls
FROM call_sites c
JOIN raw_sites r ON r.call_site = c.id
WHERE c.recording IS NULL
GROUP BY c.id, r.recording
