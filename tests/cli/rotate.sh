#!/bin/sh
# A chain of files is one recording, each of them alone is one, and so is what a
# recorder that was killed left of it.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
value() { "$ap" sql -i "$1" --format csv "$2" 2>>err | tail -1; }
recorded() { sed -n 's/.*, \([0-9]*\) events (.*/\1/p' err; }

"$ap" record --rotate 5x true 2>err
t rotate_takes_a_size_or_a_time [ $? = 2 -a -n "$(grep 'neither a size such as' err)" ]
"$ap" record --rotate 5 --flight 5 true 2>err
t a_chain_is_no_flight_recorder [ $? = 2 -a -n "$(grep 'do not go together' err)" ]
"$ap" record --rotate 5 --analyze true 2>err
t a_chain_is_not_analyzed_while_it_is_made [ $? = 2 -a "$(wc -l <err)" = 1 ]
[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] || {
	echo "skip a_chain_reads_as_one_recording: needs root and tracefs"
	exit 0
}
load='while :; do cat /proc/self/status /proc/self/maps; done >/dev/null'

for level in 0 1; do
	rm -f x.dat* x*.db
	"$ap" record -o x.dat -m 1M -z$level --rotate 0.5 -d 1.8 sh -c "$load" 2>err
	events=$(recorded)
	t "a_chain_has_several_files_z$level" [ -e x.dat -a -e x.dat.1 -a -e x.dat.2 -a ! -e x.dat.part ]
	"$ap" analyze -i x.dat -o x.db 2>>err
	t "a_chain_reads_as_one_recording_z$level" [ "$(value x.db 'SELECT events FROM recording')" = "$events" ]
	t "it_has_both_snapshots_z$level" [ "$(value x.db \
		"SELECT count(DISTINCT at) FROM snapshots")" = 2 ]
	sum=0
	for f in x.dat x.dat.[0-9]*; do
		cp "$f" alone.dat
		"$ap" analyze -i alone.dat -o alone.db 2>>err
		sum=$((sum + $(value alone.db 'SELECT events FROM recording')))
	done
	t "nothing_is_in_two_of_them_or_in_none_z$level" [ "$sum" = "$events" ]
	command -v trace-cmd >/dev/null || continue
	sum=0
	for f in x.dat x.dat.[0-9]*; do
		# One line an event, but for those of a stack.
		n=$(trace-cmd report -R "$f" 2>/dev/null | grep -c -- '-[0-9]* *\[[0-9]*\] *[0-9.]*: ')
		stacks=$(trace-cmd report -R "$f" 2>/dev/null | grep -c ': kernel_stack:')
		[ "$n" -gt 0 ] && sum=$((sum + n))
	done
	t "trace_cmd_reads_as_many_z$level" [ "$sum" = "$events" ]
done

rm -f x.dat* x*.db
# Not compressed: what waits for that counts as well, and is more where the CPUs are busy. So are
# files longer, as one is cut once the one before is written: room for many more than three.
"$ap" record -z0 -o x.dat -m 1M --rotate 2M --size-limit 60M timeout 20 sh -c "$load" 2>err
t a_chain_is_cut_by_size [ -e x.dat.1 -a -e x.dat.2 ]
cp x.dat.1 old.dat.1; rm x.dat.1
"$ap" report -i x.dat >out 2>err
t a_missing_file_is_noted grep -q 'goes on in another file, .1, which is not there' out
"$ap" report -i old.dat.1 >out 2>err
t a_file_alone_says_what_it_is grep -q 'number 2 of several files' out

kills=${KILLS:-8} readable=0 goes_on=0
for i in $(seq "$kills"); do
	rm -rf x.dat* x*.db
	"$ap" record -o x.dat -m 1M --rotate 0.2 -d 3 timeout 3 sh -c "$load" >/dev/null 2>&1 &
	pid=$!
	until [ -e x.dat.part/meta ]; do sleep 0.01; done
	# Each second one is late enough to have written a file, however slow the machine.
	until [ $((i % 2)) = 1 -o -e x.dat ] || ! kill -0 $pid; do sleep 0.01; done
	sleep "0.$((i * 37 % 90 + 10))"
	kill -9 $pid; wait $pid 2>/dev/null
	"$ap" analyze -i x.dat -o x.db 2>>err || continue
	readable=$((readable + 1))
	[ -e x.dat ] && [ "$(value x.db "SELECT value FROM quality WHERE name = 'unfinished'")" = 1 ] &&
		goes_on=$((goes_on + 1))
done
echo "# of $kills kills: $readable readable, $goes_on with files before the part" >&2
t a_killed_recorder_leaves_a_chain [ "$readable" = "$kills" ]
t the_part_goes_on_where_the_files_end [ "$goes_on" -gt 0 ]
"$ap" record -o x.dat -m 1M -d 0.1 2>err
