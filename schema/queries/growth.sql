-- SPDX-License-Identifier: GPL-2.0-or-later
-- Call sites that grow, steepest and steadiest first: the rows of allocprof report --growth.
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
-- The order is that of the slope times the monotonicity: of two that grow as fast the
-- one that never falls comes first.
SELECT
	g.kind, g.net_bytes AS net_bytes, g.net_calls, g.bytes_per_s, g.late_bytes_per_s, g.monotonicity,
	g.rises, g.falls, c.confidence, g.file, g.line, g.func, g.module, g.recording AS recording,
	g.call_site AS call_site, g.sym_off, g.sym_size, g.self
FROM growth g
JOIN call_sites c ON c.id = g.call_site
WHERE _of_kind(:kinds, g.kind, :self, g.self)
	AND g.bytes_per_s > 0 AND g.net_bytes > 0
	AND _fits(:cache, c.cache, :file, g.file, :func, g.func, :module, g.module)
	AND _of_recording(:recording, :host, g.recording)
ORDER BY bytes_per_s * max(monotonicity, 0) DESC, net_bytes DESC, call_site, recording
LIMIT :rows
