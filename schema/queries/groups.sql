-- SPDX-License-Identifier: GPL-2.0-or-later
-- Memory per group of call sites: the rows of allocprof report --by.
-- :by='function' what a group is: function, file, directory, module, cache, recording, host, caller
-- :depth=1 with caller: so many frames outward from the one that is charged
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Raw sites summed by kind and name; NULL is the group of those that have no such
-- name. A column that is not the same in the whole group is NULL. Peaks are sums,
-- and so upper bounds; so are standard errors. The program adds an order and a limit
-- behind, and makes the sums: what it is asked for are arguments.
SELECT
	kind, name, file, line, func, module, cache, subsystem, call_sites, raw_sites,
	net_bytes, net_calls, alloc_bytes, allocs, frees, bytes_req,
	iif(kind = 'slab', alloc_bytes - bytes_req, 0) AS waste_bytes,
	net_se_bytes, peak_bytes, failures, inferred_frees, inferred_bytes, unknown_frees,
	uncertain_calls, uncertain_bytes, preexisting_frees, preexisting_freed_bytes,
	first_ns, last_ns, recording, host
FROM _site_groups(:by, :depth, :kinds, :self)
