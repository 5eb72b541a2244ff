#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# record with less than everything: samples, filters, stacks, tasks. Needs root and tracefs
# for what records; what is refused is refused before.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
refuses() { # NAME TEXT OPTION...
	name=$1 text=$2; shift 2
	"$ap" record "$@" -o no.dat -- true >out 2>err; status=$?
	t "$name" [ "$status $(grep -cF -- "$text" err) $(ls no.dat* 2>/dev/null)" = "2 1 " ]
}
refuses a_sample_is_a_power_of_two 'no power of two; 4 and 8 are' --sample 6
refuses a_task_is_a_number 'no number of a task' -t 1,x
refuses a_task_has_to_live 'there is no such task' -p 4194304
refuses a_cgroup_has_to_be_there 'there is no such group' --cgroup /no/such/group
refuses caches_are_named_or_excluded 'exclude each other' --cache a --exclude-cache b
refuses an_expression_has_to_say_something 'is empty' --filter ''

if [ "$(id -u)" != 0 ] || [ ! -d /sys/kernel/tracing/events/kmem/kmalloc ]; then
	echo "skip what_is_recorded: not root, or no kmem events in tracefs"
	exit 0
fi
refuses a_cache_has_to_be_there "there is no slab cache 'nosuch'" --cache nosuch
refuses an_expression_has_to_fit_some_event 'no allocation event can be filtered so' \
	--filter 'nosuch == 1'

record() { # OPTION... of a command that opens many files
	rm -f r.dat r.db
	"$ap" record "$@" -m 16M -o r.dat -- sh -c 'for i in 1 2 3; do ls -lR /usr/include; done' \
		>out 2>err || echo "# $(cat err)"
	"$ap" analyze -i r.dat -o r.db >/dev/null 2>err
}
query() { "$ap" sql -i r.db --format csv "$1" 2>err | tail -n +2 | tr -d '\r'; }

# Of itself, since what else the machine does is not the same for two recordings.
fewer='SELECT 2 * events < (SELECT sum(allocs) FROM call_sites) FROM recording'
record
all=$(query "$fewer")
record --sample 8
t a_sample_has_fewer_events_than_allocations [ "$all $(query "$fewer")" = "0 1" ]
t a_sample_says_what_it_is [ "$(query 'SELECT sample FROM recording')" = 8 ]
t weights_are_powers_of_two \
	[ "$(query 'SELECT count(*) FROM raw_sites WHERE weight NOT IN (1, 2, 4, 8)')" = 0 ]
t slab_objects_count_eight_times \
	[ "$(query "SELECT DISTINCT weight FROM raw_sites WHERE kind = 'slab'")" = 8 ]
t nothing_outside_of_the_sample_was_recorded [ "$(query "SELECT count(DISTINCT (addr >> 15) & 7)
	FROM events WHERE kind = 'slab' AND addr NOT IN (0, 16)")" = 1 ]
t the_report_tells_the_error grep -q '±' <<END
$("$ap" report -i r.db)
END

t and_from_which_size_it_is_good grep -q 'less than 1536 KB' <<END
$("$ap" report -i r.db)
END

record --min-size 16K
t only_large_objects_are_reported \
	[ "$(query "SELECT count(*) FROM call_sites WHERE kind = 'slab' AND
		alloc_bytes < 16384 * allocs")" = 0 ]
t the_report_says_of_what_it_is grep -q '^Only  *of at least 16384 bytes' <<END
$("$ap" report -i r.db)
END
t frees_of_others_are_no_doubt [ "$(query "SELECT count(*) FROM notes WHERE text LIKE '%no event allocated%'")" = 0 ]

record --stacks none
t without_stacks_there_are_none [ "$(query "SELECT value FROM quality WHERE name = 'stacks'")" = 0 ]
record --stacks all -e slab
t all_allocations_have_a_stack [ "$(query "SELECT count(*) FROM events
	WHERE event IN ('kmalloc', 'kmem_cache_alloc') AND stack_depth = 0 AND context = 'task'")" -lt 20 ]

function=$(query "SELECT func FROM call_sites WHERE kind = 'slab' AND attributed_by = 'chain'
	AND self = 0 AND cache IS NOT NULL ORDER BY allocs DESC LIMIT 1")
record --call-site "$function"
t only_one_function_allocates \
	[ "$(query 'SELECT group_concat(DISTINCT func) FROM call_sites WHERE allocs')" = "$function" ]
record --stacks "$function" -e slab
t that_function_has_callers [ "$(query "SELECT count(*) > 0 FROM raw_sites r JOIN frames f
	ON f.raw_site = r.id WHERE r.func = '$function' AND f.depth > 2")" = 1 ]
# But for allocator functions, whose callers are asked for in any recording.
t other_functions_have_none [ "$(query "SELECT 20 * sum(stack_depth > 0) < count(*) FROM events
	WHERE event = 'kmalloc'")" = 1 ]

sleep 60 & other=$!
sh -c 'sleep 1; for i in 1 2; do ls -lR /usr/include; done; true' >out &
rm -f r.db
"$ap" record -p $! -d 3 -m 16M -o r.dat 2>err
"$ap" analyze -i r.dat -o r.db >/dev/null 2>err
t a_process_is_reported_with_what_it_starts \
	[ "$(query "SELECT count(*) > 3 FROM call_sites WHERE kind = 'slab' AND allocs")" = 1 ]
record -p $other
t a_process_that_sleeps_allocates_nothing [ "$(query 'SELECT count(*) FROM call_sites')" = 0 ]
t all_of_it_was_recorded [ "$(query "SELECT value FROM quality WHERE name = 'events_cache_alloc'")" -gt 10000 ]
record -t $other
t a_task_that_sleeps_allocates_nothing [ "$(query 'SELECT sum(allocs) FROM call_sites')" = "" ]
t and_nothing_else_is_recorded \
	[ "$(query "SELECT value FROM quality WHERE name = 'events_cache_alloc'")" = 0 ]
kill $other
t tasks_have_names [ "$(query "SELECT count(*) > 0 FROM tasks WHERE comm = 'ls' AND tgid = pid")" = 1 ]
t the_recorder_leaves_nothing \
	[ -z "$(ls /sys/kernel/tracing/instances | grep -F "allocprof.$$.")" ]
