#!/bin/sh
# What is the same for every command: help, version, one line for a mistake.
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
ap=${ALLOCPROF:?}
top=$(cd "$(dirname "$0")/../.." && pwd)

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}
run() { "$ap" "$@" >"$tmp/out" 2>"$tmp/err"; status=$?; }
usage_error() { # TEXT: exit 2, one line on stderr that holds it, nothing on stdout
	[ $status = 2 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && [ ! -s "$tmp/out" ] &&
		grep -qF -- "$1" "$tmp/err"
}

run; t without_a_command_the_usage_is_on_stderr [ $status = 2 -a -s "$tmp/err" -a ! -s "$tmp/out" ]
run -h; t help_lists_commands grep -q '^  help  *Open' "$tmp/out"
cp "$tmp/out" "$tmp/help"
run --version; t version_is_one_line [ "$(sed -n '/^allocprof [0-9.]*$/=' "$tmp/out")" = 1 ]
run nope; t an_unknown_command_is_a_usage_error usage_error "nope: no such command; there are record, top, "
run help nope; t help_for_an_unknown_command_is_a_usage_error usage_error "nope: no such command"

run record -z 3 true; t a_level_that_stands_apart_is_no_command usage_error "-z3"
run record --vmlinux vmlinux true; t record_has_no_use_for_debug_information usage_error "--vmlinux is for --analyze, --call-site"
run record --stacks all --debug-dir . true; t nor_for_where_to_look usage_error "--debug-dir is for --analyze"
slip() { # TEXT: exit 1, one line on stderr that holds it
	[ $status = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$1" "$tmp/err"
}
for words in "analyze -i $top/fixtures/debian-6.12.dat -o $tmp/x.db" "record --analyze" "top -b" doctor; do
	run $words --debug-dir nowhere
	t "${words%% *}_looks_in_a_folder_that_there_is" slip "--debug-dir nowhere: No such file or directory"
done
run record -o "" true; t a_recording_has_a_name slip "the name of the recording is empty"
run record --no-cache true; t nor_for_what_only_an_analysis_needs usage_error "--no-cache is for --analyze"

for cmd in $(sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' "$tmp/help"); do
	run $cmd -h
	t ${cmd}_prints_its_help [ $status = 0 -a ! -s "$tmp/err" \
		-a -n "$(grep "^Usage: allocprof $cmd" "$tmp/out")" ]
	run $cmd --version; t ${cmd}_prints_the_version grep -q '^allocprof [0-9]' "$tmp/out"
	run $cmd --no-such-option
	t ${cmd}_refuses_an_unknown_option usage_error "$cmd: --no-such-option: no such option"
	PATH=/nonexistent run help $cmd
	t help_without_man_prints_the_options_of_$cmd grep -q "^Usage: allocprof $cmd" "$tmp/out"
done

if [ -w /dev/full ]; then
	"$ap" --version >/dev/full 2>"$tmp/err"; status=$?
	t a_full_disk_under_stdout_is_a_failure [ $status = 1 -a -s "$tmp/err" ]
else
	echo "skip a_full_disk_under_stdout_is_a_failure: no /dev/full"
fi
