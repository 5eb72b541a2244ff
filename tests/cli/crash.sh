#!/bin/sh
# A recorder that is killed at any moment leaves a recording that analyze reads.
# KILLS: how often one is killed (50); flight.sh and rotate.sh do so to their kinds.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
value() { "$ap" sql -i x.db --format csv "$1" 2>/dev/null | tail -1; }

[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] || {
	echo "skip a_killed_recorder_leaves_a_recording: needs root and tracefs"
	exit 0
}

# All that a recorder could change: switches, filters, triggers, buffers, instances.
settings() {
	(cd $tracing && for f in tracing_on trace_clock buffer_size_kb buffer_percent \
		tracing_cpumask set_event set_event_pid events/kmem/enable \
		events/kmem/kfree/filter events/kmem/*/trigger events/vmalloc/*/trigger; do
		echo "$f: $(cat "$f" 2>/dev/null)"
	done)
	# Ours only: others may be recording.
	for pid in $killed; do ls -d $tracing/instances/allocprof."$pid".* 2>/dev/null; done
}
killed=
settings >before

# Starts one, of $2 seconds, and kills it $1 hundredths after it began to record.
kill_after() { # HUNDREDTHS SECONDS
	rm -rf x.dat* x.db
	"$ap" record -o x.dat -m 1M -d "$2" timeout 0.8 sh -c 'while :; do cat /proc/self/stat; done' \
		>/dev/null 2>&1 &
	pid=$!
	until [ -e x.dat.part/meta ] || [ -e x.dat ]; do sleep 0.01; done
	sleep "$(printf '%d.%02d' $(($1 / 100)) $(($1 % 100)))"
	killed="$killed $pid"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
}

# All over a recording of 0.3 s and what is done after it; 37 is prime to 90.
kills=${KILLS:-50} readable=0 parts=0 with_events=0 : >err
for i in $(seq "$kills"); do
	kill_after $((i * 37 % 90)) 0.3
	"$ap" analyze -i x.dat -o x.db 2>>err || { echo "kill $i" >>err; continue; }
	readable=$((readable + 1))
	[ -e x.dat ] && continue
	parts=$((parts + 1))
	[ "$(value "SELECT value FROM quality WHERE name = 'unfinished'")" = 1 ] ||
		echo "kill $i: quality does not say unfinished" >>err
	[ "$(value 'SELECT events FROM recording')" -gt 0 ] && with_events=$((with_events + 1))
done 2>>err
echo "# of $kills kills: $readable readable, $parts of them unfinished, $with_events with events" >&2
t a_killed_recorder_leaves_a_recording [ "$readable" = "$kills" ]
t some_of_them_had_not_finished [ "$parts" -gt 0 -a "$with_events" -gt 0 ]
t the_database_says_so [ -z "$(grep unfinished err)" ]

kill_after 30 5
mv x.dat.part moved 2>/dev/null || mkdir moved
"$ap" analyze -i moved -o x.db 2>err
t the_directory_can_be_named_and_moved [ $? = 0 ]
"$ap" report -i moved >out 2>err
t report_notes_that_it_is_not_finished grep -q 'its recorder was killed\|not to writing its file' out
t and_does_not_say_that_all_is_there [ -z "$(grep 'its recorder was killed' out)" -o -z "$(grep '^No event is missing' out)" ]
mkdir empty; "$ap" analyze -i empty -o y.db 2>err
t a_directory_that_is_no_recording_is_refused \
	[ $? = 1 -a "$(wc -l <err)" = 1 -a -n "$(grep 'is a directory, not a trace.dat' err)" ]

"$ap" record -o x.dat -m 1M -d 0.1 2>err
settings >after
t the_next_recorder_leaves_tracefs_as_it_was cmp -s before after
