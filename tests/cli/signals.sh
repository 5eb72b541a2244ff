#!/bin/sh
# A signal at any stage leaves no instance, no probe, no trigger, no changed setting and
# no half of a file.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] || {
	echo "skip signals_leave_tracefs_as_it_was: needs root and tracefs"
	exit 0
}

# Of the top level all that can be written and says more than time does. Others may
# be recording into instances of their own; only ours are looked for.
settings() {
	(cd $tracing && for f in tracing_on trace_clock trace_options buffer_size_kb \
		buffer_percent buffer_subbuf_size_kb tracing_cpumask current_tracer set_event \
		set_event_pid set_event_notrace_pid saved_cmdlines_size error_log \
		events/enable events/header_page events/*/enable events/*/*/enable \
		events/*/*/filter events/*/*/trigger options/*; do
		echo "$f: $(cat "$f" 2>/dev/null)"
	done)
	for f in kernel/ftrace_enabled kernel/ftrace_dump_on_oops kernel/stack_tracer_enabled \
		kernel/kptr_restrict kernel/perf_event_paranoid vm/drop_caches fs/pipe-max-size; do
		echo "$f: $(cat /proc/sys/$f 2>/dev/null)"
	done
}
ours() {
	ls -d $tracing/instances/allocprof."$pid".* 2>/dev/null
	grep -s "allocprof_${pid}_" $tracing/kprobe_events $tracing/dynamic_events
}
settings >before

bad=0 ends=0 : >err
for sig in INT TERM HUP QUIT USR1 USR2 ALRM PIPE; do
	# Each signal at two of the stages.
	for delay in 0.$((ends * 7 % 30 + 10)) 0.$((ends * 13 % 90 + 10)); do
		rm -rf x.dat*
		"$ap" record -o x.dat -m 1M --rotate 0.2 -d 0.8 2>out & pid=$!
		sleep $delay; kill -$sig $pid 2>/dev/null
		# Again while it stops or writes.
		sleep 0.0$((ends % 7)); kill -$sig $pid 2>/dev/null
		wait $pid; status=$?
		ends=$((ends + 1))
		left=$(ours; ls -d x.dat.part 2>/dev/null)
		[ $status -le 1 ] || left="$left status $status"
		[ -z "$left" ] || { bad=$((bad + 1)); echo "$sig after $delay: $left" >>err; cat out >>err; }
		[ ! -e x.dat ] || "$ap" analyze -i x.dat -o x.db 2>>err ||
			{ bad=$((bad + 1)); echo "$sig after $delay: not readable" >>err; }
	done
done
echo "# $ends signals" >&2
t a_signal_at_any_stage_leaves_nothing [ $bad = 0 ]
settings >after
diff before after >err
t signals_leave_settings_as_they_were [ $? = 0 ]
