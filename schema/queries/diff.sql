-- SPDX-License-Identifier: GPL-2.0-or-later
-- What allocprof diff compares: a figure of each call site of one recording.
-- :metric='bytes' bytes, calls, alloc_bytes, allocs, frees, peak, waste, failures
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Of snapshots, bytes and calls are what changed, with what was freed of older memory.
-- Bounds are those of bytes and calls; of the rest nothing is in doubt.
SELECT
	recording, kind, file, line, func, module, sym_off, sym_size, cache,
	CASE :metric
	WHEN 'bytes' THEN net_bytes - iif(kind = 'any', preexisting_freed_bytes, 0)
	WHEN 'calls' THEN net_calls - iif(kind = 'any', preexisting_frees, 0)
	WHEN 'alloc_bytes' THEN alloc_bytes
	WHEN 'allocs' THEN allocs
	WHEN 'frees' THEN frees
	WHEN 'peak' THEN peak_bytes
	WHEN 'waste' THEN waste_bytes
	WHEN 'failures' THEN failures
	END AS value,
	CASE :metric
	WHEN 'bytes' THEN net_bytes - net_lower_bytes
	WHEN 'calls' THEN net_calls - net_lower_calls
	ELSE 0
	END AS too_much,
	CASE :metric
	WHEN 'bytes' THEN net_upper_bytes - net_bytes
	WHEN 'calls' THEN net_upper_calls - net_calls
	ELSE 0
	END AS too_little,
	net_calls - iif(kind = 'any', preexisting_frees, 0) AS calls,
	alloc_bytes AS alloc_bytes,
	iif(allocs > 0, alloc_bytes * 1.0 / allocs, 0) AS object_bytes,
	id AS site
FROM call_sites
WHERE recording IS NOT NULL AND _of_kind(:kinds, kind, :self, self)
