-- SPDX-License-Identifier: GPL-2.0-or-later
-- The same as diff, of the call sites that sum several recordings, taken apart.
-- :metric='bytes' bytes, calls, alloc_bytes, allocs, frees, peak, waste, failures
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Each recording has a row. See diff for the columns.
SELECT
	r.recording, c.kind, c.file, c.line, c.func, c.module, c.sym_off, c.sym_size, c.cache,
	CASE :metric
	WHEN 'bytes' THEN sum(r.net_bytes) - iif(c.kind = 'any', sum(r.preexisting_freed_bytes), 0)
	WHEN 'calls' THEN sum(r.net_calls) - iif(c.kind = 'any', sum(r.preexisting_frees), 0)
	WHEN 'alloc_bytes' THEN sum(r.alloc_bytes)
	WHEN 'allocs' THEN sum(r.allocs)
	WHEN 'frees' THEN sum(r.frees)
	WHEN 'peak' THEN sum(r.peak_bytes)
	WHEN 'waste' THEN iif(c.kind = 'slab', sum(r.alloc_bytes - r.bytes_req), 0)
	WHEN 'failures' THEN sum(r.failures)
	END AS value,
	CASE :metric
	WHEN 'bytes' THEN sum(r.net_bytes) - sum(r.net_lower_bytes)
	WHEN 'calls' THEN sum(r.net_calls) - sum(r.net_lower_calls)
	ELSE 0
	END AS too_much,
	CASE :metric
	WHEN 'bytes' THEN sum(r.net_upper_bytes) - sum(r.net_bytes)
	WHEN 'calls' THEN sum(r.net_upper_calls) - sum(r.net_calls)
	ELSE 0
	END AS too_little,
	sum(r.net_calls) - iif(c.kind = 'any', sum(r.preexisting_frees), 0) AS calls,
	sum(r.alloc_bytes) AS alloc_bytes,
	iif(sum(r.allocs) > 0, sum(r.alloc_bytes) * 1.0 / sum(r.allocs), 0) AS object_bytes,
	c.id AS site
FROM call_sites c
JOIN raw_sites r ON r.call_site = c.id
WHERE c.recording IS NULL AND _of_kind(:kinds, c.kind, :self, c.self)
GROUP BY c.id, r.recording
