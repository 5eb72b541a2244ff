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
)
SELECT
	kind, net_bytes, net_calls, at_s, end_bytes, confidence, file, line, func, module, recording,
	call_site, sym_off, sym_size, self
FROM (
	SELECT c.kind, p.bytes AS net_bytes, p.calls AS net_calls, p.peak_s AS at_s,
		c.net_bytes AS end_bytes, c.confidence, c.file, c.line, c.func, c.module,
		p.recording, p.call_site, c.sym_off, c.sym_size, c.self, c.cache
	FROM site_peaks p
	JOIN call_sites c ON c.id = p.call_site
	WHERE :at = 'peak'
	UNION ALL
	SELECT c.kind, b.end_bytes, b.end_calls, w.at_s,
		c.net_bytes, c.confidence, c.file, c.line, c.func, c.module,
		w.recording, c.id, c.sym_off, c.sym_size, c.self, c.cache
	FROM call_sites c
	CROSS JOIN wanted w
	CROSS JOIN _bucket b ON b.callsite = c.id / 2 AND b.self = c.self AND
		b.recording = w.recording AND b.bucket = (
			SELECT max(l.bucket) FROM _bucket l
			WHERE l.callsite = c.id / 2 AND l.self = c.self
				AND l.recording = w.recording AND l.bucket <= w.last)
	WHERE b.end_calls > 0 OR b.end_bytes > 0
)
WHERE _of_kind(:kinds, kind, :self, self)
	AND _fits(:cache, cache, :file, file, :func, func, :module, module)
	AND _of_recording(:recording, :host, recording)
ORDER BY net_bytes DESC, call_site, recording
LIMIT :rows
