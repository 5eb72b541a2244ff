-- SPDX-License-Identifier: GPL-2.0-or-later
-- When and where it was recorded: the head of allocprof report, a row each.
SELECT
	release, machine, hostname, cpus, clock, duration_s, events, lost_events, lost_gaps,
	vmlinux, recording, sample, filters, from_s, to_s,
	strftime('%Y-%m-%d %H:%M:%S UTC', start_unix_ns / 1000000000, 'unixepoch') AS started,
	input_format, snapshots
FROM recording
ORDER BY recording
