#!/bin/sh
# analyze, report and sql on a small recording whose every event is known
# (tests/lib/smallrec.h). UPDATE=1 rewrites report.expected.
ap=${ALLOCPROF:?} mkrec=${BUILD:?}/tests/tools/mkrec
expected=$(dirname "$0")/report.expected
case $expected in /*) ;; *) expected=$PWD/$expected ;; esac
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset COLUMNS
export XDG_CACHE_HOME=$tmp/cache

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
run() { "$ap" "$@" >out 2>err; status=$?; }
usage_error() { [ $status = 2 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] && grep -qF -- "$1" err; }
failed() { [ $status = 1 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] && grep -qF -- "$1" err; }
out_is() { [ $status = 0 ] && [ "$(cat out)" = "$1" ]; }

"$mkrec" allocprof.dat || exit 1

run analyze
t analyze_has_its_defaults [ $status = 0 -a -s allocprof.db -a ! -s out ]
t analyze_sums_up_in_a_line grep -qx 'allocprof.db: 13 events, 7 call sites, [0-9.]* s' err
run analyze -i "$tmp/allocprof.dat" -o other.db
t analyze_takes_names [ $status = 0 -a -s other.db ]
cp allocprof.dat my.trace; run analyze -i my.trace
t a_database_lies_beside_its_recording [ -s my.trace.db ]
run analyze allocprof.dat; t analyze_refuses_a_word usage_error "name the recording with -i"
run analyze -i /nonexistent; t a_missing_recording_is_one_line failed "/nonexistent: No such file"
run analyze -o /nonexistent/x.db; t a_missing_folder_is_one_line failed "/nonexistent/: cannot write"
echo precious >note.txt; run analyze -o note.txt
t a_file_that_is_no_database_stays [ $status = 1 -a "$(cat note.txt)" = precious ]
(ulimit -f 20; "$ap" analyze -o limited.db >out 2>err); status=$?
t a_limit_on_files_leaves_nothing [ $status = 1 -a "$(wc -l <err)" = 1 -a -z "$(ls | grep limited)" ]

# Golden: all formats. The time zone and the terminal do not matter to them.
{
	for format in table csv json allocinfo; do
		echo "== report --format $format"
		"$ap" report --format $format
	done
	echo "== report --sort calls,func -n 2 --kind slab,percpu"
	"$ap" report --sort calls,func -n 2 --kind slab,percpu
	for by in function file directory module cache "caller 1" caller:2; do
		echo "== report --by $by --format csv"
		"$ap" report --by $by --format csv | cut -d, -f1-14
	done
	echo "== report --by module -n 2"
	"$ap" report --by module -n 2
	echo "== report --callers shmem_alloc_folio"
	"$ap" report --callers shmem_alloc_folio
	echo "== report --tree --kind page,slab --format csv"
	"$ap" report --tree --kind page,slab --format csv
	echo "== report --callers do_thing+0x10 --format json"
	"$ap" report --callers do_thing+0x10 --format json
	echo "== sql"
	"$ap" sql "SELECT kind, net_bytes FROM totals ORDER BY kind; SELECT at, text FROM snapshots"
	echo "== sql, notes"
	"$ap" sql --format csv "SELECT text FROM notes"
} >golden 2>err
[ -n "$UPDATE" ] && cp golden "$expected"
t reports_are_as_expected diff -u "$expected" golden

run report; t a_newer_database_is_reused [ $status = 0 -a ! -s err ]
touch allocprof.dat; run report
t a_changed_recording_is_analyzed_again grep -q '13 events' err
run report --kallsyms /proc/self/environ
t other_options_analyze_again failed "allocprof.dat: "
printf '# ours\npassthrough shmem_alloc_folio\n' >rules; run report --wrappers rules --kind page --format csv
t wrappers_pass_the_charge_on grep -q '^[0-9]*,page,,,do_thing,' out
run report --wrappers rules; t the_same_wrappers_reuse_the_database [ $status = 0 -a ! -s err ]
touch -d @1 rules; run report --wrappers rules
t changed_wrappers_analyze_again grep -q '13 events' err
echo 'passthru x' >rules; run report --wrappers rules
t a_mistake_in_wrappers_names_its_line failed 'rules: line 1: "passthru" is no class'
rm allocprof.db; run report -i allocprof.dat
t a_missing_database_is_made [ $status = 0 -a -s allocprof.db ]
echo junk >allocprof.db; run report
t what_lies_in_the_place_of_a_database_is_kept [ $status = 0 -a "$(cat allocprof.db)" = junk ]
t then_the_report_says_that_its_own_is_not grep -q 'not kept: allocprof.db: exists and is not a database' err
rm allocprof.db
run report -i other.db; t a_database_is_read_as_it_is [ $status = 0 -a ! -s err ]
run report -i note.txt; t report_names_what_is_no_recording failed "note.txt: "
run report --sort nope; t an_unknown_key_lists_the_keys usage_error "there are bytes, calls, alloc_bytes"
t a_mistake_costs_no_analysis [ ! -e allocprof.db ]
run report --kind slab,disk; t an_unknown_kind_lists_the_kinds usage_error "slab,page,percpu,vmalloc,any"
run report --format xml; t an_unknown_format_lists_the_formats usage_error "table, csv, json, markdown, allocinfo"
run report --by nope; t an_unknown_group_lists_the_groups usage_error "function, file, directory"
run report --by caller 0; t callers_are_counted_from_one usage_error "from 1 to"
run report --by file 2; t only_callers_have_a_number usage_error "name the input with -i"
run report --by file --format allocinfo; t allocinfo_has_no_groups usage_error "does not go with"
run report --tree --by file; t a_tree_has_no_groups usage_error "does not go with"
run report -n x; t a_count_is_a_number usage_error "not a number"
run report other.db; t report_refuses_a_word usage_error "name the input with -i"

run report -i other.db --callers nope; t callers_of_nothing_is_a_mistake usage_error "no such call site"
# However they are grouped, the sums stay.
for by in function file directory module cache caller; do
	"$ap" report -i other.db --by $by --format csv >out 2>err; status=$?
	t "groups_by_${by}_add_up" [ "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
		{ bytes += $col["net_bytes"]; calls += $col["net_calls"]; sites += $col["call_sites"] }
		END { print bytes, calls, sites }' out)" = "33280 6 7" ]
done

run report -i other.db --format allocinfo
t allocinfo_lines_are_those_of_the_kernel [ -z "$(grep -Ev \
	'^#|^ *[0-9]+ +[0-9]+ [^ ]+:[0-9]+ (\[[^]]+\] )?func:[^ ]+ $' out)" ]
t allocinfo_leaves_out_vmalloc_and_zero [ "$(grep -c func: out)" = 3 ]
t allocinfo_sorts_with_plain_tools [ "$(sort -g out | tail -1 | numfmt --to=iec |
	awk '{print $1, $2}')" = "16K 1" ]

# The stored rows, summed by hand, give what the report says.
run sql -i other.db --format csv "SELECT sum(net_bytes), sum(net_calls) FROM _raw_site"
t totals_agree_with_the_rows grep -qx 33280,6 out
[ "$(command -v python3)" ] && {
	"$ap" report -i other.db --format json >out 2>err; status=$?
	t json_is_read_by_others python3 -c \
		'import json; rows = json.load(open("out")); assert len(rows) == 7 and rows[0]["net_bytes"] == 16384'
}
[ "$(command -v python3)" ] || echo "skip json_is_read_by_others: no python3"

run sql -i other.db --format csv "SELECT 1 AS a, NULL AS b, 'x,y' AS c"
t sql_prints_what_was_asked out_is "$(printf 'a,b,c\n1,,"x,y"')"
echo "SELECT 1 AS a; SELECT 2 AS b" | "$ap" sql -i other.db --format csv >out 2>err; status=$?
t sql_reads_its_input out_is "$(printf 'a\n1\n\nb\n2')"
run sql -i other.db "SELECT file FORM call_sites"
t a_mistake_is_shown_where_it_is failed "at character 18: call_sites"
run sql -i other.db "SELECT * FROM sites"; t an_unknown_table_lists_the_views failed "the views are call_sites, recording, totals, "
t all_of_them grep -q "growth, .*leak_sites, zones" err
cp other.db before.db
for sql in "DELETE FROM _raw_site" "DROP VIEW call_sites" "PRAGMA user_version = 5" \
	"ATTACH 'x.db' AS x" "VACUUM" "CREATE TABLE x (y)"; do
	run sql -i other.db "$sql"; t "sql_refuses_${sql%% *}" failed "refused"
done
t the_database_is_untouched cmp -s before.db other.db
run sql -i other.db "SELECT 1" "SELECT 2"; t sql_takes_one_query usage_error "SELECT 2: not a parameter"
run sql -i allocprof.dat "SELECT count(*) AS n FROM call_sites"
t sql_analyzes_a_recording [ $status = 0 -a "$(tail -1 out)" = 7 ]

# Markdown: a head, a line below it, and a row of as many columns for each of CSV.
for args in "" "--by file" "--growth" "--tree"; do
	"$ap" report -i other.db $args --format csv >a 2>err
	"$ap" report -i other.db $args --format markdown >out 2>>err
	cells=$(head -1 a | tr ',' '\n' | wc -l)
	[ "$(wc -l <out)" = $(($(wc -l <a) + 1)) ] &&
		[ "$(tr -cd '|\n' <out | awk '{ print length($0) }' | sort -u)" = $((cells + 1)) ] ||
		echo "$args" >>unlike
done
t markdown_has_the_rows_of_csv [ ! -e unlike ]
"$ap" report -i other.db --format csv 2>err | head -1 >/dev/null
t a_reader_that_leaves_is_no_news [ ! -s err ]
