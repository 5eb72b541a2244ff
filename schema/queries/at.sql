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
WITH wanted AS (
	SELECT id AS recording,
		CAST(:at AS REAL) + iif(:at LIKE '-%', (end_ns - start_ns) / 1e9, 0) AS t,
		(bucket_start_ns - start_ns) / 1e9 AS first, bucket_ns / 1e9 AS width
	FROM _recording
	WHERE :at <> 'peak'
), live AS (
	SELECT call_site, recording, bytes AS net_bytes, calls AS net_calls, peak_s AS at_s
	FROM site_peaks
	WHERE :at = 'peak'
	UNION ALL
	-- Levels are those of the last bucket that begins by then.
	SELECT 2 * b.callsite + b.self, b.recording, b.end_bytes, b.end_calls,
		w.first + w.width * (1 + max(CAST((w.t - w.first) / w.width AS INTEGER), 0))
	FROM (
		SELECT s.callsite, s.self, s.recording, max(s.bucket) AS bucket
		FROM _bucket s
		CROSS JOIN wanted w ON w.recording = s.recording AND w.first + s.bucket * w.width <= w.t
		GROUP BY s.callsite, s.self, s.recording
	) l
	CROSS JOIN _bucket b ON b.callsite = l.callsite AND b.self = l.self AND
		b.recording = l.recording AND b.bucket = l.bucket
	CROSS JOIN wanted w ON w.recording = b.recording
	WHERE b.end_calls > 0 OR b.end_bytes > 0
)
SELECT
	c.kind, l.net_bytes, l.net_calls, l.at_s, c.net_bytes AS end_bytes, c.confidence,
	c.file, c.line, c.func, c.module, l.recording, l.call_site, c.sym_off, c.sym_size, c.self
FROM live l
JOIN call_sites c ON c.id = l.call_site
WHERE _of_kind(:kinds, c.kind, :self, c.self)
	AND _fits(:cache, c.cache, :file, c.file, :func, c.func, :module, c.module)
	AND (:recording = '' OR l.recording = CAST(:recording AS INTEGER))
	AND (:host = '' OR (SELECT m.host FROM recording m WHERE m.recording = l.recording) = :host)
ORDER BY l.net_bytes DESC, l.call_site, l.recording
LIMIT :rows
