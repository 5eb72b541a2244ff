-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory that is allocated and not asked for, frees from elsewhere, failures: by call site.
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
	kind, waste_bytes, waste_share, net_waste_bytes, dedicated_saves_bytes, alloc_bytes, bytes_req,
	allocs, frees, remote_cpu_frees, remote_node_frees, failures, cache,
	file, line, func, module, recording, call_site, sym_off, sym_size, self
FROM waste w
WHERE _of_kind(:kinds, kind, :self, self)
	AND (waste_bytes OR remote_cpu_frees OR failures)
	AND _fits(:cache, cache, :file, file, :func, func, :module, module)
	AND _of_recording(:recording, :host, recording)
ORDER BY waste_bytes DESC, remote_cpu_frees DESC, failures DESC, call_site, recording
LIMIT :rows
