-- SPDX-License-Identifier: GPL-2.0-or-later
-- How long objects live, by call site: the rows of allocprof report --lifetimes.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :rows=-1 so many rows; -1: all
SELECT
	kind, ended, allocs_per_s, mean_s, p50_s, p90_s, p99_s, p999_s, max_s, quick, same_task, near,
	temporary, live, age_mean_s, age_max_s, live_over_p50, live_over_p99, live_over_p999,
	file, line, func, module, recording, call_site, sym_off, sym_size, self
FROM lifetimes
WHERE instr(',' || :kinds || ',', ',' || kind || ',') AND self <= :self
ORDER BY ended DESC, live DESC, call_site, recording
LIMIT :rows
