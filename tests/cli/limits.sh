#!/bin/sh
# What ends a recording by itself, and what is said when a reader comes late.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}

"$ap" record --realtime=often true 2>err
t realtime_is_auto_or_off [ $? = 2 -a -n "$(grep 'neither auto nor off' err)" ]
[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] || {
	echo "skip a_recording_ends_at_its_size: needs root and tracefs"
	exit 0
}
load() { while :; do cat /proc/self/status /proc/self/maps; done >/dev/null; }

load & load=$!
timeout 60 "$ap" record -o x.dat -m 1M --size-limit 2M 2>err; status=$?
t a_recording_ends_at_its_size [ $status = 0 -a -s x.dat ]
"$ap" analyze -i x.dat 2>err
t it_holds_about_as_much [ "$("$ap" sql -i x.db --format csv \
	"SELECT value * 4096 BETWEEN 2 << 20 AND 32 << 20 FROM quality WHERE name = 'pages'" |
	tail -1)" = 1 ]

# A reader that is stopped while events go on.
"$ap" record -o y.dat -m 1M --realtime=off -d 60 2>err &
pid=$!
until grep -qs 1 $tracing/instances/allocprof.$pid.*/tracing_on && [ -e y.dat.part/meta ]; do
	sleep 0.05
done
sleep 0.5; kill -STOP $pid; sleep 2; kill -CONT $pid; sleep 1.5
grep -q 'is nearly full' err; warned=$?
kill -INT $pid; wait $pid
kill $load; wait $load 2>/dev/null
t a_buffer_that_nears_full_is_told_at_once [ $warned = 0 ]
t each_cpu_is_named_once [ "$(grep 'is nearly full' err | sort | uniq -d | wc -l)" = 0 ]
t loss_is_named_by_cpu grep -q 'lost for want of buffer: [0-9]* on cpu' err
"$ap" analyze -i y.dat 2>err
t the_loss_is_placed [ "$("$ap" sql -i y.db --format csv \
	"SELECT value > 0 FROM quality WHERE name = 'lost_gaps'" | tail -1)" = 1 ]
