#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The recording in fixtures/, against its own description and against another
# reader of the same file.
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
ap=${ALLOCPROF:?}
dat=$top/fixtures/debian-6.12.dat

t() # NAME CONDITION…
{
	name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}
q() # QUERY
{
	"$ap" sql -i "$tmp/db" --format csv "$1" | tail -n +2
}

t the_fixture_is_the_one_described \
	grep -q "$(sha256sum "$dat" | cut -d' ' -f1)" "$top/fixtures/README.md"
t the_fixture_is_analyzed "$ap" analyze -i "$dat" -o "$tmp/db" 2>/dev/null
t no_event_of_the_fixture_is_lost [ "$(q 'SELECT lost_events FROM recording')" = 0 ]
t call_sites_of_the_fixture_have_names \
	[ "$(q "SELECT count(*) FROM call_sites WHERE func LIKE '0x%' OR func IS NULL")" = 0 ]
# The workload makes 300 timers and closes them; nothing else makes any.
t every_timer_of_the_workload_is_counted [ "$(q "SELECT sum(allocs) FROM call_sites
	WHERE kind = 'slab' AND func LIKE '%timerfd_create%'")" = 300 ]
# 20 threads come and go and 5 stay; each has a stack of its own or a kept one.
t threads_that_stay_hold_their_task_struct [ "$(q "SELECT sum(net_calls) >= 5 FROM call_sites
	WHERE kind = 'slab' AND func LIKE 'copy_process%' AND bytes_req / allocs > 4000")" = 1 ]

if command -v trace-cmd >/dev/null; then
	trace-cmd report "$dat" 2>/dev/null >"$tmp/text"
	t events_are_as_many_as_trace_cmd_reports [ "$(q 'SELECT events FROM recording')" = \
		"$(grep -cE '^ +[^ ].*-[0-9]+ +\[[0-9]+\]' "$tmp/text")" ]
	# A kmalloc beyond the largest slab is pages, and counted as these.
	sed -nE 's/.*(kmalloc|kmem_cache_alloc): .*bytes_alloc=([0-9]+).*/\1 \2/p' "$tmp/text" | awk '
	$1 == "kmem_cache_alloc" || $2 <= 8192 { bytes += $2; calls++ }
	END { print bytes "," calls }' >"$tmp/slab"
	t slab_totals_are_those_of_trace_cmd [ "$(cat "$tmp/slab")" = \
		"$(q "SELECT sum(alloc_bytes), sum(allocs) FROM call_sites WHERE kind = 'slab'")" ]
	# Pages of vmalloc that no event told are counted as well.
	grep -E 'mm_page_alloc: .* pfn=0x' "$tmp/text" | sed -E 's/.* order=([0-9]+).*/\1/' |
		awk '{ bytes += 4096 * 2 ^ $1 } END { print bytes "," NR }' >"$tmp/page"
	t page_totals_are_those_of_trace_cmd [ "$(cat "$tmp/page")" = \
		"$(q "SELECT sum(alloc_bytes) - 4096 * value, sum(allocs) - value
		FROM call_sites, quality WHERE kind = 'page' AND name = 'silent_pages'")" ]
else
	echo "skip events_are_as_many_as_trace_cmd_reports: no trace-cmd"
fi
