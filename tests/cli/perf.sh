#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# allocprof import of perf.data: every sample arrives, with its call chain, and the sums
# are those that perf itself prints. Damaged files are refused or read in part.
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
ap=${ALLOCPROF:?}
cd "$tmp" || exit 1

t() # NAME CONDITION…
{
	name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}
q() # DB QUERY
{
	"$ap" sql -i "$1" --format csv "$2" | tail -n +2
}
run()
{
	"$ap" "$@" >out 2>err
	status=$?
}

# --- the fixture: 195 samples of /bin/true, with -g and -z
xz -dc "$top/fixtures/perf-6.18.data.xz" >f.data
run import f.data -o f.db
t the_fixture_is_imported [ "$status" = 0 ]
t each_sample_is_an_event_and_each_chain_a_stack \
	[ "$(q f.db "SELECT events FROM recording")" = 390 -a \
	"$(q f.db "SELECT value FROM quality WHERE name = 'stacks'")" = 195 ]
t none_is_malformed_or_lost [ "$(q f.db "SELECT sum(value) FROM quality WHERE name IN
	('malformed_events', 'orphan_stacks', 'lost_gaps', 'damaged_bytes')")" = 0 ]
t its_sums_are_those_that_perf_printed [ "$(q f.db "SELECT kind, sum(bytes_req), sum(alloc_bytes),
	sum(allocs) FROM call_sites GROUP BY kind" | tr '\n' ' ')" = "page,135168,135168,33 slab,93472,93536,100 " ]
t it_says_who_recorded_what [ "$(q f.db "SELECT recorder, hostname, cpus > 0, clock FROM recording")" = \
	"perf 6.1.187,vm,1,perf" ]
t the_database_is_of_the_file_itself [ "$(q f.db "SELECT input FROM recording")" = "$tmp/f.data" ]
t and_nothing_stays_beside_it [ "$(ls -A | tr '\n' ' ')" = "err f.data f.db out " ]
mkdir alone
for blocks in 1 20 100 400; do
	(ulimit -f $blocks; "$ap" import f.data -o alone/x.db >out 2>err)
	[ $? = 1 ] && grep -q 'alone/: cannot write.*: File too large$' err || cat err
done >limited
t a_limit_on_the_size_of_files_is_an_error [ ! -s limited ]
rm limited
t and_nothing_stays_then [ -z "$(ls -A alone)" ]
rmdir alone
run report -i f.db --tree -n 5
t stacks_have_callers [ "$status" = 0 -a "$(wc -l <out)" -gt 15 ]
run import f.data f.data -o x.db; t one_perf_data_at_a_time [ "$status" = 2 ]
run import f.data --time 5 -o x.db; t perf_data_has_times_of_its_own [ "$status" = 2 ]

# --- the same by way of a pipe: the header comes as records (114 samples, -g and -z)
xz -dc "$top/fixtures/perf-6.18-pipe.data.xz" >p.data
run import p.data -o p.db
t a_file_written_to_a_pipe_is_imported [ "$status" = 0 ]
t every_sample_of_a_pipe_arrives [ "$(q p.db "SELECT events FROM recording")" = 228 -a \
	"$(q p.db "SELECT sum(value) FROM quality WHERE name IN
	('malformed_events', 'orphan_stacks', 'lost_gaps', 'damaged_bytes')")" = 0 ]
t a_pipe_says_who_recorded_what [ "$(q p.db "SELECT recorder, hostname, cpus > 0, clock FROM recording")" = \
	"perf 6.1.187,vm,1,perf" ]

# --- damage: no crash, no hang, one line
for cut in 50 104 300 5000 40000 90000; do
	head -c "$cut" f.data >cut.data
	run import cut.data -o cut.db
	[ "$status" = 1 ] && [ "$(wc -l <err)" = 1 ] || echo "$cut: $status" >>cuts
done
t a_file_that_is_cut_short_is_refused_in_a_line [ ! -e cuts ]
for cut in 17 150 400 2000 4200 5000 40000 86000; do
	head -c "$cut" p.data >cut.data
	run import cut.data -o cut.db
	[ "$status" -le 1 ] && [ "$(wc -l <err)" = 1 ] || echo "$cut: $status" >>cuts
done
t so_is_a_pipe_that_is_cut_short [ ! -e cuts ]
awk 'BEGIN { srand(7); for (i = 0; i < 60; i++) print int(rand() * 99000), int(rand() * 255) }' |
	while read -r off byte; do
		cp f.data bad.data
		[ $((byte % 2)) = 0 ] || cp p.data bad.data
		printf "\\$(printf %o "$byte")" | dd of=bad.data bs=1 seek="$off" conv=notrunc 2>/dev/null
		timeout 20 "$ap" import bad.data -o bad.db >/dev/null 2>&1
		[ $? -le 1 ] || echo "$off $byte" >>crashes
	done
t a_changed_byte_ends_no_import_badly [ ! -e crashes ]
head -c 200 /dev/zero >zero.data
run import zero.data -o x.db; t other_files_are_refused [ "$status" = 1 -a ! -e x.db ]

# --- beside perf itself
samples_of() # FILE: a line each; of a pipe perf tells no fields apart
{
	if [ "$1" = pipe.data ]; then
		perf script -i "$1" 2>/dev/null | grep ' kmem:[a-z_]*: '
	else
		perf script -i "$1" -F event,trace 2>/dev/null
	fi
}
sums() # FILE: of slab and of page, as perf prints the events
{
	samples_of "$1" | awk '
	/kmem_cache_alloc|kmalloc/ {
		match($0, /bytes_req=[0-9]+/); req = substr($0, RSTART + 10, RLENGTH - 10) + 0
		match($0, /bytes_alloc=[0-9]+/); alloc = substr($0, RSTART + 12, RLENGTH - 12) + 0
		# A kmalloc beyond the largest slab is pages, and counted as these.
		if (/kmem_cache_alloc/ || alloc <= 8192) { r += req; a += alloc; n++ }
	}
	/mm_page_alloc:/ {
		match($0, /order=[0-9]+/); p += 4096 * 2 ^ substr($0, RSTART + 6, RLENGTH - 6); m++
	}
	END { printf "page,%d,%d slab,%d,%d,%d \n", p, m, r, a, n }'
}
record() # FILE OPTION…
{
	file=$1
	shift
	if [ "$file" = pipe.data ]; then
		perf "$@" -o - sh -c 'ls -R /etc >/dev/null 2>&1' 2>/dev/null | cat >"$file"
		return
	fi
	perf "$@" -o "$file" sh -c 'i=0; while [ $i -lt 4 ]; do ls -R /etc >/dev/null 2>&1; i=$((i + 1)); done' \
		>/dev/null 2>&1
}
if ! record probe.data record -e kmem:kmalloc; then
	echo "skip sums_beside_perf: perf cannot record tracepoints here"
	exit 0
fi
events=kmem:kmalloc,kmem:kfree,kmem:kmem_cache_alloc,kmem:kmem_cache_free,kmem:mm_page_alloc,kmem:mm_page_free
for how in "plain record -m 4M -a -e $events" "g record -m 4M -a -g -e $events" \
	"pipe record -m 4M -a -g -e $events" "g_z record -m 4M -a -g -z -e $events" "task record -m 4M -e $events" \
	"thread record -m 4M --per-thread -e $events" "kmem kmem --slab --page record -m 4M"; do
	kind=${how%% *}
	# shellcheck disable=SC2086
	record "$kind.data" ${how#* } || { echo "skip $kind: perf fails"; continue; }
	run import "$kind.data" -o "$kind.db"
	t "perf_${kind}_is_imported" [ "$status" = 0 ]
	samples=$(perf report -i "$kind.data" --stats 2>/dev/null |
		sed -n 's/^ *SAMPLE events: *\([0-9]*\).*/\1/p' | head -n 1)
	[ "$kind" != pipe ] || samples=$(samples_of "$kind.data" | wc -l)
	t "perf_${kind}_has_every_sample" [ "$samples" = "$(q "$kind.db" "SELECT r.events - s.value - (SELECT sum(value) FROM quality WHERE name = 'orphan_stacks') AS nr
		FROM recording r, quality s WHERE s.name = 'stacks'")" ]
	# A page that vmalloc took silently is counted by us only.
	t "perf_${kind}_has_the_sums_of_perf" [ "$(sums "$kind.data")" = \
		"$(q "$kind.db" "SELECT 'page', sum(alloc_bytes) - 4096 * value, sum(allocs) - value
			FROM call_sites, quality WHERE kind = 'page' AND name = 'silent_pages'
			UNION ALL SELECT 'slab', sum(bytes_req), sum(alloc_bytes) || ',' || sum(allocs)
			FROM call_sites WHERE kind = 'slab'" | tr -d '"' | tr '\n' ' ')" ]
	t "perf_${kind}_runs_forward" [ "$(q "$kind.db" "SELECT value FROM quality
		WHERE name = 'backward_steps'")" = 0 ]
done
# perf kmem counts a large kmalloc as slab; its two events are one of ours, and pages.
if [ -e kmem.db ]; then
	total=$(perf kmem --slab -i kmem.data stat 2>/dev/null |
		sed -n 's/^Total bytes allocated: *//p' | tr -d ,)
	large=$(perf script -i kmem.data -F event,trace 2>/dev/null | awk '/kmalloc:/ {
		match($0, /bytes_alloc=[0-9]+/); a = substr($0, RSTART + 12, RLENGTH - 12) + 0
		if (a > 8192) sum += a } END { print sum + 0 }')
	t perf_kmem_stat_has_our_sum [ "$((total - large))" = \
		"$(q kmem.db "SELECT sum(alloc_bytes) FROM call_sites WHERE kind = 'slab'")" ]
fi
