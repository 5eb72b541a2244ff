#!/bin/sh
# The last seconds are written when asked for, and are a recording of them.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
value() { "$ap" sql -i "$1" --format csv "$2" 2>>err | tail -1; }

"$ap" record --trigger 'SUnreclaim>2G' true 2>err
t a_trigger_needs_a_window [ $? = 2 -a -n "$(grep 'window of --flight' err)" ]
"$ap" record --flight 5 --trigger 'SUnreclaim=2G' true 2>err
t a_trigger_is_a_comparison [ $? = 2 -a -n "$(grep 'like SUnreclaim>2G' err)" ]
"$ap" record --flight 5 --trigger 'NoSuchField>2G' true 2>err
t a_trigger_is_on_a_field_that_is_there [ $? = 2 -a -n "$(grep 'has no such field' err)" ]
[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] || {
	echo "skip a_signal_writes_the_window: needs root and tracefs"
	exit 0
}
load() { while :; do cat /proc/self/status /proc/self/maps; done >/dev/null; }
load & load=$!
trap 'kill $load; rm -rf "$tmp"' EXIT

"$ap" record -o x.dat -m 16M --flight 0.5 -d 60 2>err &
pid=$!
until [ -e x.dat.part/meta ]; do sleep 0.02; done
sleep 1.5; kill -USR2 $pid
for i in $(seq 100); do [ -e x.dat ] && break; sleep 0.1; done
sleep 1; kill -USR2 $pid
for i in $(seq 100); do [ -e x.dat.1 ] && break; sleep 0.1; done
t a_signal_writes_the_window [ -e x.dat -a -e x.dat.1 -a ! -e x.dat.2 ]
ls x.dat.part >parts
kill -INT $pid; wait $pid
t so_does_the_end [ -e x.dat.2 -a ! -e x.dat.part ]
t older_segments_are_gone [ "$(sed -n 's/cpu0\.\([0-9]*\)\..*/\1/p' parts | sort -n | head -1)" -gt 2 ]

for f in x.dat x.dat.1 x.dat.2; do
	"$ap" analyze -i $f -o w.db 2>>err
	t "${f}_is_as_long_as_asked_for" [ "$(value w.db \
		'SELECT end_ns - start_ns BETWEEN 100000000 AND 500000100 FROM recording')" = 1 ]
	t "${f}_has_no_false_loss" [ "$(value w.db "SELECT (SELECT lost_events FROM recording) +
		(SELECT value FROM quality WHERE name = 'lost_gaps')")" = 0 ]
	t "${f}_has_no_time_of_one_cpu_alone" [ "$(value w.db \
		"SELECT events > 1000 FROM recording")" = 1 ]
done
end() { value "$1" 'SELECT end_ns FROM recording'; }
"$ap" analyze -i x.dat -o w.db 2>>err; first=$(end w.db)
"$ap" analyze -i x.dat.1 -o w.db 2>>err
t windows_follow_each_other [ "$(end w.db)" -gt "$((first + 900000000))" ]

rm -rf x.dat*
"$ap" record -o x.dat -m 1M --flight 0.5 --trigger 'MemFree>1K' --trigger 'MemFree<1K' -d 1.5 2>err
t a_condition_writes_the_window [ -e x.dat -a -e x.dat.1 -a ! -e x.dat.2 ]
t it_is_named grep -q 'MemFree>1K$' err

rm -rf x.dat*
"$ap" record -o x.dat -m 1M --flight 60 --size-limit 6M -z0 -d 4 2>err & pid=$!
until [ -e x.dat.part/meta ]; do sleep 0.02; done
# Again and again: on a busy machine one look may come after the end.
for i in 1 2 3 4 5 6 7; do sleep 0.4; cat x.dat.part/cpu* 2>/dev/null | wc -c; done >sizes
wait $pid; largest=$(sort -n sizes | tail -n 1)
echo "# ring of 6 MB: $largest bytes" >&2
t a_ring_may_be_bounded [ "$largest" -lt 20000000 -a "$largest" -gt 0 ]
"$ap" analyze -i x.dat -o w.db 2>>err
# A machine that is busy with other things may lose events of so small a buffer.
grep -q '(0 lost)' err && none=0 || none=lost_events
t its_window_is_what_it_holds [ "$(value w.db "SELECT end_ns - start_ns < 3000000000 AND
	lost_events = $none FROM recording")" = 1 ]

kills=${KILLS:-8} readable=0 whole=0
for i in $(seq "$kills"); do
	rm -rf x.dat* w.db
	"$ap" record -o x.dat -m 8M --flight 0.4 -d 5 >/dev/null 2>&1 &
	pid=$!
	until [ -e x.dat.part/meta ]; do sleep 0.01; done
	sleep "$((i % 2)).$((i * 37 % 90 + 10))"
	[ $((i % 3)) = 0 ] && kill -USR2 $pid && sleep 0.0$i
	kill -9 $pid; wait $pid 2>/dev/null
	"$ap" analyze -i x.dat.part -o w.db 2>>err || continue
	readable=$((readable + 1))
	# At most a chunk of each CPU that was being written.
	[ "$(value w.db "SELECT value FROM quality WHERE name = 'lost_gaps'")" -le "$(nproc)" ] &&
		whole=$((whole + 1))
done
echo "# of $kills kills: $readable readable" >&2
t a_killed_recorder_leaves_the_window [ "$readable" = "$kills" -a "$whole" = "$kills" ]
rm -rf x.dat*
"$ap" record -o x.dat -m 1M -d 0.1 2>err
