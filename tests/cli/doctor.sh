#!/bin/sh
# allocprof doctor: every subject has a row, and nothing is left behind.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
instances=/sys/kernel/tracing/instances

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}

"$ap" doctor -f csv >csv 2>err &
pid=$!
wait $pid; status=$?
lacking=$(tail -n +2 csv | grep -cv '^[^,]*,ok,')
t the_exit_status_tells_whether_all_is_there \
	[ "$status" = "$([ "$lacking" = 0 ] && echo 0 || echo 1)" ]
t nothing_is_said_on_stderr [ ! -s err ]
t no_instance_is_left [ -z "$(ls -d $instances/allocprof.$pid.* 2>/dev/null)" ]
t each_subject_has_a_row [ "$(cut -d, -f1 csv | sort -u | grep -cxE \
	'tracefs|symbols|page flags|allocinfo|kernel lines|module lines|buffers|realtime')" = 8 ]
t what_is_not_ok_says_what_is_lost [ -z "$(grep -E '^[^,]*,(less|blind),.*,,[^,]*$' csv)" ]
"$ap" doctor >table 2>err
t the_table_has_a_line_for_each_row \
	[ "$(grep -c '^[^ ]' table)" = "$(tail -n +2 csv | grep -c .)" ]
"$ap" doctor -f json >json 2>err
t json_has_as_many_objects [ "$(grep -c '^{' json)" = "$(tail -n +2 csv | grep -c .)" ]
"$ap" doctor -f csv --vmlinux /etc/passwd >csv 2>err
t a_vmlinux_that_is_none_is_said grep -q '^kernel lines,less,.*/etc/passwd' csv
"$ap" doctor -f nope >out 2>err; t an_unknown_format_is_a_usage_error [ $? = 2 ]

if [ "$(id -u)" = 0 ] && [ -d $instances ] && [ -d /sys/kernel/tracing/events/kmem/kmalloc ]; then
	t the_events_of_this_kernel_are_there grep -q '^slab events,ok,' csv
	t probes_have_a_row grep -qE '^probes,(ok|less),' csv
	t no_probe_is_left [ -z "$(cat /sys/kernel/tracing/dynamic_events 2>/dev/null | grep allocprof)" ]
	if command -v setpriv >/dev/null && chmod 711 "$tmp"; then
		setpriv --reuid 65534 --clear-groups "$ap" doctor -f csv >user 2>err
		mkdir -m 777 any
		setpriv --reuid 65534 --clear-groups "$ap" record -o any/x -- true >out 2>err
		status=$?
		t a_recorder_without_root_says_so_in_a_line \
			[ "$status $(wc -l <err) $(grep -c 'needs root' err)" = "1 1 1" ]
		t without_root_it_says_so grep -qE '^(tracefs|events),blind,.*needs root' user
	else
		echo "skip without_root_it_says_so: no setpriv"
	fi
else
	echo "skip the_events_of_this_kernel_are_there: needs root and tracefs"
fi
