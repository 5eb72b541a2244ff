-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory by who allocated: the rows of allocprof report --by pid and so on, and --for.
-- :by='comm' what a row is: site, kind, function, file, directory, module, cache, recording, host, pid, tgid, comm, cgroup, cpu, node, context, gfp, order, migratetype
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :pid='' only this task
-- :tgid='' only this process
-- :comm='' only tasks of this name; may be a GLOB pattern
-- :cgroup='' only this cgroup and those below it; may be a GLOB pattern
-- :cpu='' only this CPU
-- :node='' only CPUs of this NUMA node
-- :context='' only this context: task, softirq, hardirq, nmi
-- :gfp='' only with these gfp flags, or this one among others
-- :order='' only blocks of this order
-- :migratetype='' only this migrate type
-- :cache='' only this slab cache; may be a GLOB pattern
-- :file='' only this file, or those below this directory; may be a GLOB pattern
-- :func='' only this function; may be a GLOB pattern
-- :module='' only this module; vmlinux is the kernel itself
-- :recording='' only this recording
-- :host='' only this machine
--
-- Accounts summed by kind and name; the columns are those of groups. What is not known
-- per account is NULL. The program adds an order and a limit behind.
SELECT
	kind, name,
	iif(count(file) = count(*) AND min(file) = max(file), min(file), NULL) AS file,
	iif(count(line) = count(*) AND min(line) = max(line), min(line), NULL) AS line,
	iif(count(func) = count(*) AND min(func) = max(func), min(func), NULL) AS func,
	iif(count(module) = count(*) AND min(module) = max(module), min(module), NULL) AS module,
	iif(count(cache) = count(*) AND min(cache) = max(cache), min(cache), NULL) AS cache,
	iif(count(subsystem) = count(*) AND min(subsystem) = max(subsystem), min(subsystem), NULL) AS subsystem,
	count(DISTINCT call_site) AS call_sites, count(DISTINCT raw_site) AS raw_sites,
	sum(net_bytes) AS net_bytes, sum(net_calls) AS net_calls,
	sum(alloc_bytes) AS alloc_bytes, sum(allocs) AS allocs, sum(frees) AS frees,
	sum(bytes_req) AS bytes_req,
	iif(kind = 'slab', sum(alloc_bytes) - sum(bytes_req), 0) AS waste_bytes,
	NULL AS net_se_bytes, NULL AS peak_bytes, sum(failures) AS failures,
	sum(inferred_frees) AS inferred_frees, sum(inferred_bytes) AS inferred_bytes,
	NULL AS unknown_frees,
	sum(uncertain_calls) AS uncertain_calls, sum(uncertain_bytes) AS uncertain_bytes,
	NULL AS preexisting_frees, NULL AS preexisting_freed_bytes,
	NULL AS first_ns, NULL AS last_ns,
	iif(min(recording) = max(recording), min(recording), NULL) AS recording,
	iif(count(host) = count(*) AND min(host) = max(host), min(host), NULL) AS host,
	iif(min(call_site) = max(call_site), min(call_site), NULL) AS call_site, max(self) AS self
FROM (
	SELECT
		a.*,
		CASE :by
		WHEN 'site' THEN CAST(a.call_site AS TEXT)
		WHEN 'kind' THEN a.kind
		WHEN 'function' THEN a.func || coalesce(' [' || a.module || ']', '')
		WHEN 'file' THEN a.file
		WHEN 'directory' THEN a.subsystem
		WHEN 'module' THEN coalesce(a.module, 'vmlinux')
		WHEN 'cache' THEN a.cache
		WHEN 'recording' THEN CAST(a.recording AS TEXT)
		WHEN 'host' THEN a.host
		WHEN 'pid' THEN a.pid || coalesce(' ' || a.comm, '')
		WHEN 'tgid' THEN CAST(a.tgid AS TEXT) || coalesce(' ' || (SELECT p.comm FROM tasks p
			WHERE p.recording = a.recording AND p.pid = a.tgid), '')
		WHEN 'comm' THEN a.comm
		WHEN 'cgroup' THEN a.cgroup
		WHEN 'cpu' THEN CAST(a.cpu AS TEXT)
		WHEN 'node' THEN CAST(a.node AS TEXT)
		WHEN 'context' THEN a.context
		WHEN 'gfp' THEN a.gfp
		WHEN 'order' THEN CAST(a.page_order AS TEXT)
		WHEN 'migratetype' THEN a.migratetype
		END AS name
	FROM accounts a
	WHERE instr(',' || :kinds || ',', ',' || a.kind || ',') AND a.self <= :self
		AND (:pid = '' OR a.pid = CAST(:pid AS INTEGER))
		AND (:tgid = '' OR a.tgid = CAST(:tgid AS INTEGER))
		AND (:comm = '' OR a.comm = :comm OR a.comm GLOB :comm)
		AND (:cgroup = '' OR a.cgroup = :cgroup OR a.cgroup GLOB :cgroup
			OR substr(a.cgroup, 1, length(:cgroup) + 1) = :cgroup || '/')
		AND (:cpu = '' OR a.cpu = CAST(:cpu AS INTEGER))
		AND (:node = '' OR a.node = CAST(:node AS INTEGER))
		AND (:context = '' OR a.context = :context)
		AND (:gfp = '' OR a.gfp = :gfp OR instr('|' || a.gfp || '|', '|' || :gfp || '|'))
		AND (:order = '' OR a.page_order = CAST(:order AS INTEGER))
		AND (:migratetype = '' OR a.migratetype = :migratetype)
		AND (:cache = '' OR a.cache = :cache OR a.cache GLOB :cache)
		AND (:file = '' OR a.file = :file OR a.file GLOB :file
			OR substr(a.file, 1, length(:file) + 1) = :file || '/')
		AND (:func = '' OR a.func = :func OR a.func GLOB :func)
		AND (:module = '' OR coalesce(a.module, 'vmlinux') = :module)
		AND (:recording = '' OR a.recording = CAST(:recording AS INTEGER))
		AND (:host = '' OR a.host = :host)
)
GROUP BY kind, name
