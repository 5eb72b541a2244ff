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
-- per account is NULL. The program adds an order and a limit behind, and makes the sums.
SELECT
	kind, name, file, line, func, module, cache, subsystem, call_sites, raw_sites,
	net_bytes, net_calls, alloc_bytes, allocs, frees, bytes_req,
	iif(kind = 'slab', alloc_bytes - bytes_req, 0) AS waste_bytes,
	net_se_bytes, peak_bytes, failures, inferred_frees, inferred_bytes, unknown_frees,
	uncertain_calls, uncertain_bytes, preexisting_frees, preexisting_freed_bytes,
	first_ns, last_ns, recording, host, call_site, self
FROM _account_groups(:by, 0, :kinds, :self, :pid, :tgid, :comm, :cgroup, :cpu, :node, :context,
	:gfp, :order, :migratetype, :cache, :file, :func, :module, :recording, :host)
