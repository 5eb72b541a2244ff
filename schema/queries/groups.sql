-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory per group of call sites: the rows of allocprof report --by.
-- :by='function' what a group is: function, file, directory, module, cache, recording, host, caller
-- :depth=1 with caller: so many frames outward from the one that is charged
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Raw sites summed by kind and name; NULL is the group of those that have no such
-- name. A column that is not the same in the whole group is NULL. Peaks are sums,
-- and so upper bounds; so are standard errors. The program adds an order and a limit behind.
SELECT
	kind, name,
	iif(count(file) = count(*) AND min(file) = max(file), min(file), NULL) AS file,
	iif(count(line) = count(*) AND min(line) = max(line), min(line), NULL) AS line,
	iif(count(func) = count(*) AND min(func) = max(func), min(func), NULL) AS func,
	iif(count(module) = count(*) AND min(module) = max(module), min(module), NULL) AS module,
	iif(count(cache) = count(*) AND min(cache) = max(cache), min(cache), NULL) AS cache,
	iif(count(subsystem) = count(*) AND min(subsystem) = max(subsystem), min(subsystem), NULL) AS subsystem,
	count(DISTINCT call_site) AS call_sites, count(*) AS raw_sites,
	sum(net_bytes) AS net_bytes, sum(net_calls) AS net_calls,
	sum(alloc_bytes) AS alloc_bytes, sum(allocs) AS allocs, sum(frees) AS frees,
	sum(bytes_req) AS bytes_req,
	iif(kind = 'slab', sum(alloc_bytes) - sum(bytes_req), 0) AS waste_bytes,
	sum(net_se_bytes) AS net_se_bytes, sum(peak_bytes) AS peak_bytes, sum(failures) AS failures,
	sum(reuse_frees + slab_page_frees + overlap_frees + area_frees + rcu_frees) AS inferred_frees,
	sum(reuse_bytes + slab_page_bytes + overlap_bytes + area_bytes + rcu_bytes) AS inferred_bytes,
	sum(unknown_frees) AS unknown_frees,
	sum(uncertain_calls) AS uncertain_calls, sum(uncertain_bytes) AS uncertain_bytes,
	sum(preexisting_frees) AS preexisting_frees,
	sum(preexisting_freed_bytes) AS preexisting_freed_bytes,
	iif(min(recording) = max(recording), min(first_ns), NULL) AS first_ns,
	iif(min(recording) = max(recording), max(last_ns), NULL) AS last_ns,
	iif(min(recording) = max(recording), min(recording), NULL) AS recording,
	iif(count(host) = count(*) AND min(host) = max(host), min(host), NULL) AS host
FROM (
	SELECT
		r.*,
		CASE :by
		WHEN 'function' THEN r.func || coalesce(' [' || r.module || ']', '')
		WHEN 'file' THEN r.file
		WHEN 'directory' THEN r.subsystem
		WHEN 'module' THEN coalesce(r.module, 'vmlinux')
		WHEN 'cache' THEN r.cache
		WHEN 'recording' THEN CAST(r.recording AS TEXT)
		WHEN 'host' THEN r.host
		WHEN 'caller' THEN
			f.func || coalesce(' ' || f.file || ':' || f.line, printf('+%#x', f.sym_off), '')
		END AS name
	FROM raw_sites r
	-- View frames, joined so, would be computed as a whole.
	LEFT JOIN _raw_frame s ON :by = 'caller' AND s.raw_site = r.id
		AND s.depth = r.caller_depth + :depth - 1
	LEFT JOIN _frame f ON f.id = s.frame
	WHERE instr(',' || :kinds || ',', ',' || r.kind || ',') AND r.self <= :self
)
GROUP BY kind, name
