-- SPDX-License-Identifier: GPL-2.0-or-later
-- Allocations that returned nothing, by call site, gfp flags and order.
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
	sum(failures) AS failures, kind, page_order, gfp,
	coalesce(file || ':' || line || ' ', '') || func || coalesce(' [' || module || ']', '') AS site,
	call_site, recording
FROM accounts
-- Mostly there is none, which the sums know.
WHERE EXISTS (SELECT 1 FROM totals t WHERE t.failures > 0) AND failures > 0 AND _of_kind(:kinds, kind, :self, self)
	AND _fits(:cache, cache, :file, file, :func, func, :module, module)
	AND _of_recording(:recording, :host, recording)
GROUP BY call_site, recording, kind, page_order, gfp
ORDER BY failures DESC, call_site, page_order, gfp, recording
LIMIT :rows
