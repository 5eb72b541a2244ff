#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# allocprof merge: nothing of a recording is lost, changed or counted twice.
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
ap=${ALLOCPROF:?} mkrec=${BUILD:?}/tests/tools/mkrec
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
failed() # STATUS TEXT: the last command's, in one line
{
	[ "$status" = "$1" ] && [ "$(wc -l <err)" = 1 ] && grep -qF "$2" err
}
run()
{
	"$ap" "$@" >out 2>err
	status=$?
}

"$mkrec" small.dat && cp "$top/fixtures/debian-6.12.dat" big.dat
zstd -dqf "$top/fixtures/databases/version-1.db.zst" -o old.db
"$ap" analyze -i small.dat 2>/dev/null
"$ap" analyze -i big.dat 2>/dev/null
sha256sum small.db big.db old.db >before

run merge small.db big.dat -o both.db
t a_database_and_a_recording_are_merged [ "$status" = 0 ]
t inputs_stay_as_they_are sha256sum --quiet -c before
t recordings_are_numbered_in_their_order \
	[ "$(q both.db "SELECT recording, events, host FROM recording" | tr '\n' ' ')" = "1,13,box 2,53437, " ]

# What is asked of one machine is that of its recording, whatever the question.
for question in --lifetimes --waste "--at peak" "--by free"; do
	for key in host=box recording=1; do
		# shellcheck disable=SC2086
		"$ap" report -i both.db $question --for $key --format json >"$key.json" 2>err
	done
	t "a_host_is_its_recording_$(echo "$question" | tr -d ' -')" sh -c \
		"grep -q recording host=box.json && cmp -s host=box.json recording=1.json"
done

# Each recording's rows are those of its own database, but for the numbers.
raw="kind, func, line, module, cache, address, net_bytes, net_calls, allocs, alloc_bytes, peak_bytes,
	sym_off, first_ns, caller_depth, self"
raw="r.kind, r.func, r.module, r.cache, r.address, r.net_bytes, r.net_calls, r.allocs, r.alloc_bytes,
	r.peak_bytes, r.first_ns, r.caller_depth, r.self, r.unknown_frees,
	(SELECT group_concat(func || coalesce(sym_off, '')) FROM
		(SELECT * FROM frames f WHERE f.raw_site = r.id ORDER BY depth))"
for n in 1:small 2:big; do
	q "${n#*:}.db" "SELECT $raw FROM raw_sites r ORDER BY 1, 2, 5, 11, 6, 8, 15" >one
	q both.db "SELECT $raw FROM raw_sites r WHERE recording = ${n%:*} ORDER BY 1, 2, 5, 11, 6, 8, 15" >merged
	t "raw_sites_and_stacks_of_${n#*:}_are_its_own" cmp -s one merged
	for view in quality notes cpus snapshots snapshot_values reconcile_caches reconcile_meminfo; do
		columns=$(q both.db "SELECT group_concat(name) FROM pragma_table_info('$view')
			WHERE name NOT IN ('recording')" | tr -d '"')
		q "${n#*:}.db" "SELECT $columns FROM $view ORDER BY 1, 2" >one 2>/dev/null ||
			q "${n#*:}.db" "SELECT $columns FROM $view" >one
		q both.db "SELECT $columns FROM $view WHERE recording = ${n%:*} ORDER BY 1, 2" >merged 2>/dev/null ||
			q both.db "SELECT $columns FROM $view WHERE recording = ${n%:*}" >merged
		t "${view}_of_${n#*:}_is_its_own" cmp -s one merged
	done
done
t a_call_site_is_the_sum_of_its_recordings [ "$(q both.db "SELECT count(*) FROM call_sites c
	WHERE net_bytes <> (SELECT sum(net_bytes) FROM raw_sites r WHERE r.call_site = c.id)")" = 0 ]
t totals_are_the_sum_of_both [ "$(q both.db "SELECT sum(alloc_bytes) FROM totals")" = \
	$(($(q small.db "SELECT sum(alloc_bytes) FROM totals") + \
	$(q big.db "SELECT sum(alloc_bytes) FROM totals"))) ]

run merge both.db big.db -o again.db
t a_recording_that_comes_twice_is_left_out [ "$(q again.db "SELECT count(*) FROM recording")" = 2 ]
t and_that_is_said grep -q "big.db: 1 recording left out: merged already" err
q both.db "SELECT * FROM call_sites" >one
q again.db "SELECT * FROM call_sites" >merged
t a_merge_of_merges_is_the_same cmp -s one merged
t frames_are_kept_once [ "$(q again.db "SELECT count(*) FROM (SELECT 1 FROM _frame
	GROUP BY address, func, file, line, module, sym_off, inlined HAVING count(*) > 1)")" = 0 ]
run merge old.db small.db -o upgraded.db
q upgraded.db "SELECT kind, sum(net_bytes), sum(allocs) FROM raw_sites GROUP BY 1" >one
q both.db "SELECT kind, sum(net_bytes), sum(allocs) FROM raw_sites GROUP BY 1" >merged
t a_database_of_version_1_is_merged cmp -s one merged

run merge small.db both.db -o both.db
t the_output_may_be_an_input [ "$(q both.db "SELECT count(*) FROM recording")" = 2 ]
for args in "" "--by host" "--by recording" "--by file" "--tree" "--reconcile" "--format json" \
	"--format allocinfo" "--callers do_other"; do
	# shellcheck disable=SC2086
	run report -i both.db $args
	t "report${args:+_}$(echo "$args" | tr ' -' '__')_of_two_recordings_works" [ "$status" = 0 -a -s out ]
done
"$ap" sql --list >list
sed -n 's/^\([a-z_-]*\) .*/\1/p' list | while read -r query; do
	run sql -i both.db "$query"
	t "query_${query}_of_two_recordings_works" [ "$status" = 0 ]
done

run merge small.db; t merge_wants_an_output failed 2 "with -o"
run merge -o x.db; t merge_wants_inputs failed 2 "name the databases"
run merge small.db nothing.db -o x.db; t a_missing_input_is_named failed 1 "nothing.db: No such file"
t nothing_is_written_then [ ! -e x.db ]
cp small.db bad.db
sqlite3 bad.db "DELETE FROM _callsite"
run merge big.db bad.db -o x.db
t a_damaged_database_is_refused failed 1 "bad.db: damaged: a row of _raw_site refers to one of _callsite"
t nothing_is_written_then_either [ ! -e x.db ] && [ -z "$(ls x.db* 2>/dev/null)" ]

# Merging needs every table to say which recording a row is of.
sed -n 's/^CREATE TABLE \(_[a-z_]*\).*/\1/p' "$top/schema/tables.sql" | grep -vE '^_(recording|callsite|frame)$' |
	while read -r table; do
		t "table_${table}_leads_to_a_recording" [ "$(sqlite3 both.db "WITH RECURSIVE r(t) AS (
			SELECT '$table' UNION SELECT f.\"table\" FROM r, pragma_foreign_key_list(r.t) f)
			SELECT count(*) FROM r WHERE t = '_recording'")" = 1 ]
	done
