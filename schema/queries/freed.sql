-- SPDX-License-Identifier: GPL-2.0-or-later
-- Slab objects by where they were allocated and from where they were freed.
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
	'slab' AS kind, sum(f.free_bytes) AS free_bytes, sum(f.frees) AS frees,
	free_func || coalesce(' ' || free_file || ':' || free_line, printf('+%#x', free_sym_off), '') ||
		coalesce(' [' || free_module || ']', '') AS freed_from,
	f.file, f.line, f.func, f.module, f.recording, call_site, f.sym_off, f.sym_size, f.self
FROM free_sites f
WHERE _of_kind(:kinds, 'slab', :self, f.self)
	AND _fits('', NULL, :file, f.file, :func, f.func, :module, f.module)
	-- Nobody else has to find the call sites.
	AND (:cache = '' OR call_site IN (SELECT c.id FROM call_sites c
		WHERE _fits(:cache, c.cache, '', NULL, '', NULL, '', NULL)))
	AND _of_recording(:recording, :host, f.recording)
GROUP BY call_site, f.recording, free_func, free_file, free_line, free_sym_off, free_module
ORDER BY frees DESC, call_site, freed_from, recording
LIMIT :rows
