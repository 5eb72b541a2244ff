-- SPDX-License-Identifier: GPL-2.0-or-later
-- How a figure moved from bucket to bucket of time: the noise of allocprof diff.
-- :metric='bytes' bytes, calls, alloc_bytes or allocs
-- :first=0 leave out the buckets before this one
--
-- Only buckets where something changed have a row. Rows of a call site come together.
SELECT
	2 * callsite + self AS call_site,
	bucket,
	CASE :metric
	WHEN 'bytes' THEN net_bytes
	WHEN 'calls' THEN net_calls
	WHEN 'alloc_bytes' THEN alloc_bytes
	ELSE allocs
	END AS change
FROM _bucket
WHERE bucket >= :first
