-- SPDX-License-Identifier: GPL-2.0-or-later
-- What /proc/allocinfo would have gained in the recording, a row per call site.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
--
-- A difference of two states, so that what was freed of older objects is taken
-- off. vmalloc is address space; its memory is pages. A site is marked as inaccurate
-- where the recorded kernel marks it, whose lines of one site can differ in that:
-- those count that changed more.
WITH marked AS MATERIALIZED (
	SELECT key
	FROM snapshot_values
	WHERE name = 'allocinfo'
	GROUP BY key
	HAVING sum(unit = 'inaccurate_bytes') > 0 AND
		2 * abs(sum(iif(unit = 'inaccurate_bytes', change, 0))) >=
		abs(sum(iif(unit = 'bytes', change, 0)))
)
SELECT
	file, line, func, module,
	coalesce(file, '[unknown]') || ':' || coalesce(line, 0) || ' ' ||
		coalesce('[' || module || '] ', '') || 'func:' || coalesce(func, '[unknown]')
		IN (SELECT key FROM marked) AS inaccurate,
	sum(net_bytes - preexisting_freed_bytes) AS net_bytes,
	sum(net_calls - preexisting_frees) AS net_calls,
	sum(alloc_bytes) AS alloc_bytes, sum(allocs) AS allocs, sum(frees) AS frees,
	sum(bytes_req) AS bytes_req, sum(waste_bytes) AS waste_bytes,
	sum(peak_bytes) AS peak_bytes, sum(failures) AS failures,
	sum(inferred_frees) AS inferred_frees, sum(unknown_frees) AS unknown_frees,
	sum(uncertain_bytes) AS uncertain_bytes,
	min(first_ns) AS first_ns, max(last_ns) AS last_ns, min(kind) AS kind
FROM call_sites
WHERE _of_kind(:kinds, kind, 1, self) AND kind <> 'vmalloc'
GROUP BY file, line, func, module
HAVING sum(net_bytes - preexisting_freed_bytes) <> 0 OR sum(net_calls - preexisting_frees) <> 0
