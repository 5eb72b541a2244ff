-- SPDX-License-Identifier: GPL-2.0-or-later
-- How long objects live, by call site: the rows of allocprof report --lifetimes.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :cache='' only this slab cache; may be a GLOB pattern
-- :file='' only this file, or those below this directory; may be a GLOB pattern
-- :func='' only this function; may be a GLOB pattern
-- :module='' only this module; vmlinux is the kernel itself
-- :recording='' only this recording
-- :host='' only this machine
-- :rows=-1 so many rows; -1: all
SELECT
	l.kind, ended, allocs_per_s, mean_s, p50_s, p90_s, p99_s, p999_s, max_s, quick, same_task, near,
	temporary, live, age_mean_s, age_max_s, live_over_p50, live_over_p99, live_over_p999,
	l.file, l.line, l.func, l.module, l.recording, call_site, l.sym_off, l.sym_size, l.self
FROM lifetimes l
WHERE _of_kind(:kinds, l.kind, :self, l.self)
	AND _fits('', NULL, :file, l.file, :func, l.func, :module, l.module)
	-- Nobody else has to find the call sites.
	AND (:cache = '' OR call_site IN (SELECT c.id FROM call_sites c
		WHERE _fits(:cache, c.cache, '', NULL, '', NULL, '', NULL)))
	AND _of_recording(:recording, :host, l.recording)
ORDER BY ended DESC, live DESC, call_site, recording
LIMIT :rows
