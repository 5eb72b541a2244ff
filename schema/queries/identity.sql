-- SPDX-License-Identifier: GPL-2.0-or-later
-- What tells one recording from another: allocprof merge and diff.
--
-- Not by its path, nor by what an analysis made of it. An import has no events, so
-- that its sums are taken as well.
SELECT
	recording,
	quote(hostname) || quote(release) || quote(machine) || quote(kernel_build_id) ||
		quote(cpus) || quote(clock) || quote(start_ns) || quote(end_ns) ||
		quote(start_unix_ns) || quote(end_unix_ns) || quote(events) ||
		CASE WHEN events > 0 THEN '' ELSE quote(input_format) || (
			SELECT quote(count(*)) || quote(sum(net_bytes)) || quote(sum(net_calls))
			FROM raw_sites s WHERE s.recording = recording.recording)
		END AS identity
FROM recording
ORDER BY recording
