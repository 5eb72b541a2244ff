-- SPDX-License-Identifier: GPL-2.0-or-later
-- What was live at a time: the rows of allocprof report --at.
-- :at='peak' seconds since the start, below 0 since the end; or peak, of each kind
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :cache='' only this slab cache; may be a GLOB pattern
-- :file='' only this file, or those below this directory; may be a GLOB pattern
-- :func='' only this function; may be a GLOB pattern
-- :module='' only this module; vmlinux is the kernel itself
-- :recording='' only this recording
-- :host='' only this machine
-- :rows=-1 so many rows; -1: all
--
-- The live set at the peak is exact. At a time it is that at the end of the bucket
-- which the time lies in; at_s says when that was.
WITH moment AS (
	SELECT id AS recording,
		CAST(:at AS REAL) + iif(:at LIKE '-%', (end_ns - start_ns) / 1e9, 0) AS t,
		(bucket_start_ns - start_ns) / 1e9 AS first, bucket_ns / 1e9 AS width
	FROM _recording
	WHERE :at <> 'peak'
), bucket AS (
	SELECT *, CAST((t - first) / width AS INTEGER) AS near FROM moment
), wanted AS MATERIALIZED (
	-- The last bucket that begins by then, and when it ends.
	SELECT recording, first + width * (1 + max(near, 0)) AS at_s,
		near + iif(first + (near + 1) * width <= t, 1, iif(first + near * width <= t, 0, -1)) AS last
	FROM bucket
), held AS (
	SELECT call_site, recording, _level(bytes, calls) AS level, peak_s AS at_s
	FROM site_peaks
	WHERE :at = 'peak'
	UNION ALL
	SELECT s.id, w.recording, (SELECT _level(b.end_bytes, b.end_calls) FROM _bucket b
		WHERE b.callsite = s.id / 2 AND b.self = s.id % 2 AND b.recording = w.recording
			AND b.bucket <= w.last
		ORDER BY b.bucket DESC LIMIT 1), w.at_s
	FROM call_sites s
	CROSS JOIN wanted w
	-- Else the condition on a level would be pushed in here, where it is a second look.
	LIMIT -1
)
SELECT
	c.kind, _level_bytes(h.level) AS net_bytes, _level_calls(h.level) AS net_calls, h.at_s,
	c.net_bytes AS end_bytes, c.confidence, c.file, c.line, c.func, c.module,
	h.recording AS recording, h.call_site AS call_site, c.sym_off, c.sym_size, c.self
FROM held h
CROSS JOIN call_sites c ON c.id = h.call_site
WHERE h.level IS NOT NULL
	AND _of_kind(:kinds, c.kind, :self, c.self)
	AND (:cache || :file || :func || :module = '' OR
		_fits(:cache, c.cache, :file, c.file, :func, c.func, :module, c.module))
	AND (:recording || :host = '' OR _of_recording(:recording, :host, h.recording))
ORDER BY net_bytes DESC, call_site, recording
LIMIT :rows
