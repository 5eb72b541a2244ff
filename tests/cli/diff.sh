#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# allocprof diff and import: the laws of a difference, what counts as the same call
# site, exit status, and golden output. UPDATE=1 rewrites diff.expected.
expected=$(dirname "$0")/diff.expected
case $expected in /*) ;; *) expected=$PWD/$expected ;; esac
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
run()
{
	"$ap" "$@" >out 2>err
	status=$?
}
failed() # STATUS TEXT: the last command's, in one line
{
	[ "$status" = "$1" ] && [ "$(wc -l <err)" = 1 ] && grep -qF "$2" err
}
column() # NAME of a CSV without quotes, on stdin
{
	awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
		{ print $c }'
}
snapshot() # FILE SECONDS, lines on stdin
{
	{ printf 'allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n'; cat; } >"$1"
	touch -d "@$2" "$1"
}

# Two builds: new.txt has fs/a.c ten lines down, one more allocation in it, a function that
# the compiler renamed, one that moved to another file, one that became a module.
snapshot old.txt 1000 <<'END'
        1024       16 fs/a.c:10 func:open_it 
        8192        2 fs/a.c:30 func:open_it 
           0        0 fs/a.c:50 func:never 
         640       10 mm/b.c:7 func:work.isra.0 
        4096        1 lib/old.c:3 func:mover 
         512        4 drivers/x.c:9 [xdrv] func:probe 
         300        3 drivers/x.c:20 [xdrv] func:gone_later 
          64        1 net/same.c:1 func:same 
END
snapshot new.txt 1010 <<'END'
        2048       32 fs/a.c:20 func:open_it 
         999        9 fs/a.c:35 func:open_it 
       16384        4 fs/a.c:40 func:open_it 
           0        0 fs/a.c:60 func:never 
         704       11 mm/b.c:7 func:work 
        8192        2 lib/new.c:300 func:mover 
        1024        8 drivers/x.c:9 func:probe 
          64        1 net/same.c:1 func:same 
        5000        5 net/fresh.c:8 [fresh] func:start 
END
snapshot mid.txt 1005 <<'END'
         512        8 fs/a.c:10 func:open_it 
       40960       10 fs/a.c:30 func:open_it 
           0        0 fs/a.c:50 func:never 
         640       10 mm/b.c:7 func:work.isra.0 
         512        4 drivers/x.c:9 [xdrv] func:probe 
          64        1 net/same.c:1 func:same 
END
"$mkrec" small.dat
cp "$top/fixtures/debian-6.12.dat" big.dat

# --- laws
for x in old.txt small.dat big.dat; do
	run diff "$x" "$x" -f csv
	t "a_diff_of_equal_${x%.*}_is_empty" [ "$status" = 0 -a "$(wc -l <out)" = 1 ]
done
antisymmetric() # A B
{
	"$ap" diff "$1" "$2" -f csv -a 2>/dev/null | column change | sort -n >one
	"$ap" diff "$2" "$1" -f csv -a 2>/dev/null | column change |
		awk '{ print $1 == 0 ? 0 : -$1 }' | sort -n >two
	[ -s one ] && cmp -s one two
}
t exchanged_snapshots_negate_the_changes antisymmetric old.txt new.txt
t exchanged_recordings_negate_the_changes antisymmetric small.dat big.dat
sum_up() # FILE...
{
	awk '{ sum[$1] += $2 } END { for (k in sum) if (sum[k]) print k, sum[k] }' "$@" | sort
}
additive() # A B C
{
	for pair in "$1 $2" "$2 $3" "$1 $3"; do
		# shellcheck disable=SC2086
		"$ap" diff $pair -f json -a 2>/dev/null | sed -n \
			's/.*"kind": "\([a-z]*\)".*"change": \([-0-9.e+]*\),.*/\1 \2/p' \
			>"$(echo "$pair" | tr ' ' '-')"
	done
	sum_up "$1-$2" "$2-$3" >both
	sum_up "$1-$3" >whole
	[ -s whole ] && cmp -s both whole
}
t changes_add_up_over_three_snapshots additive old.txt mid.txt new.txt
"$mkrec" lossy.dat lossy
cp small.db third.db
sqlite3 third.db "UPDATE _raw_site SET net_bytes = 3 * net_bytes + 5, lower_bytes = 0;
	DROP TABLE IF EXISTS _folded_call_sites; DROP TABLE IF EXISTS _folded_totals"
t changes_add_up_over_three_recordings additive small.dat big.dat third.db
for site in "same" "open_it" "probe"; do
	change() { "$ap" diff "$1" "$2" -f csv -a | grep -E "(^|,)$site," | column_sum; }
	column_sum() { awk -F, '{ sum += $15 } END { print sum + 0 }'; }
	t "changes_of_${site}_add_up" [ $(($(change old.txt mid.txt) + $(change mid.txt new.txt))) = \
		"$(change old.txt new.txt)" ]
done

# --- the same call site
cell() # FUNC COLUMN of out, which is one row a function
{
	{ sed -n 1p out; grep -E "(^|,)$1," out; } | column "$2"
}
run diff old.txt new.txt -f csv -a
t lines_that_moved_keep_their_order [ "$(cell open_it old_line | tr '\n' ' ')" = "30 10  " ]
t and_the_new_one_is_new [ "$(cell open_it status | tr '\n' ' ')" = "moved moved new " ]
t what_the_compiler_adds_to_a_name_is_nothing [ "$(cell work change)" = 64 ]
t a_function_in_another_file_is_found [ "$(cell mover old_file)" = lib/old.c ]
t a_module_that_was_built_in_is_found [ "$(cell probe old_module)" = xdrv ]
t what_went_is_gone [ "$(cell gone_later status | tr -d '\n')" = gone -a "$(cell gone_later change)" = -300 ]
t what_came_is_new [ "$(cell start status)" = new -a "$(cell start percent)" = "" ]

# --- normalised
"$ap" import old.txt new.txt -o series.db 2>/dev/null
"$ap" import old.txt mid.txt -o short.db 2>/dev/null
run diff short.db series.db --per second -f csv -a
t per_second_divides_by_the_length [ "$(cell start new_value)" = 500 ]
run diff short.db series.db --per "SELECT 100" -f csv -a
t per_query_divides_by_its_number [ "$(cell start new_value)" = 50 ]
run diff big.dat small.dat --per GB -f json --kind vmalloc
t per_gb_divides_by_what_was_allocated grep -q '"new_value": 1000000000' out
run diff old.txt new.txt --per second; t a_moment_has_no_length failed 2 "nothing to divide by"
run diff old.txt new.txt --per "SELECT nope"; t a_wrong_query_is_trouble failed 2 "no such column"
run diff old.txt new.txt --per minute; t an_unknown_unit_is_trouble failed 2 "neither second, GB nor a query"

# --- noise of several runs
for i in 1 2 3; do
	printf '%d %d a.c:1 func:noisy\n5000 5 a.c:2 func:steady\n' $((100000 + i * 20000)) $i |
		snapshot "o$i" 1000
	printf '%d %d a.c:1 func:noisy\n6000 6 a.c:2 func:steady\n' $((110000 + i * 20000)) $i |
		snapshot "n$i" 1000
done
run diff o1 o2 o3 : n1 n2 n3 -f csv
t what_varies_from_run_to_run_is_no_change [ "$(column func <out)" = steady ]
run diff o1 o2 o3 : n1 n2 n3
t and_is_folded_into_one_line grep -q "within the noise: 1 call site, +.* in sum; --all shows it" out
run diff o1 o2 o3 : n1 n2 n3 -a -f csv
t all_shows_it [ "$(column func <out | sort | tr '\n' ' ')" = "noisy steady " ]
run diff o1 n1 -f csv
t one_run_knows_no_such_noise [ "$(wc -l <out)" = 3 ]
"$ap" import o1 -o o1.db 2>/dev/null && "$ap" import o2 -o o2.db 2>/dev/null &&
	"$ap" import o3 -o o3.db 2>/dev/null && "$ap" merge o1.db o2.db o3.db -o o.db 2>/dev/null
run diff o.db : n1 n2 n3 -a -f csv
cp out merged && run diff o1 o2 o3 : n1 n2 n3 -a -f csv
t recordings_of_one_database_are_runs cmp -s out merged
run diff o1 : n1 : n2; t one_colon_is_enough [ "$status" = 2 ]
"$ap" sql -i small.db "SELECT 1" >/dev/null 2>&1
run diff small.dat lossy.dat -f csv
t what_lost_events_leave_open_is_no_change [ "$(wc -l <out)" = 1 -a "$status" = 0 ]

# --- noise within a run: against the levels of site_buckets, by hand
"$ap" sql -i big.db --format csv "SELECT c.func || '+' || c.sym_off, bucket, b.net_bytes, (SELECT buckets FROM _recording) AS n
	FROM site_buckets b JOIN call_sites c ON c.id = b.call_site
	WHERE c.kind = 'slab' AND NOT c.self ORDER BY 1, 2" | sed 1d >levels
run diff big.dat small.dat --kind slab -f csv -a
cp out noise
awk -F, '
function finish(i, m, sx, sy, syy, sxy, x, mean) {
	for (i = last + 1; i < n; i++) level[i] = level[last]
	m = n - int(n / 2)
	for (i = int(n / 2); i < n; i++) sy += level[i]
	mean = sy / m
	for (i = int(n / 2); i < n; i++) {
		x = i - int(n / 2) - (m - 1) / 2
		sxy += x * (level[i] - mean); syy += (level[i] - mean) ^ 2; sx += x * x
	}
	v = (syy - sxy * sxy / sx) / (m - 2)
	printf "%s %.9g\n", site, 2.576 * (v > 0 ? sqrt(v) : 0)
}
$1 != site { if (site != "") finish(); last = -1; site = $1; n = $4 }
{ for (i = last + 1; i < $2; i++) level[i] = last < 0 ? 0 : level[last]
	level[$2] = $3; last = $2 }
END { finish() }' levels | sort >by_hand
# The noise of gone sites is theirs alone.
awk -F, 'NR > 1 && $2 == "gone" { print $10 "+" $12, $19 }' noise | sort >ours
t noise_within_a_run_is_that_of_its_buckets awk 'NR == FNR { v[$1] = $2; next }
	!($1 in v) { next }
	# Never less; more only where bounds leave more open.
	{ d = $2 - v[$1]; nr += d < 1 + 1e-3 * $2 }
	d < -1 - 1e-3 * v[$1] { print "# site", $0, v[$1]; bad = 1 }
	END { exit bad || nr < 50 }' by_hand ours
# What is kept of the buckets is what they say, and it is what is read.
noise_of() # SQL DIFF-OPTION…: of big.db after that
{
	cp big.db kept.db && sqlite3 kept.db "$1" 2>err && shift && "$ap" diff kept.db small.db -a -f csv "$@" 2>err
	[ $? -le 1 ]
}
noise_of "" >kept && noise_of "DROP TABLE _folded_noise" >scanned
t noise_that_is_kept_is_that_of_the_buckets sh -c "[ -s kept ] && cmp -s kept scanned"
noise_of "" -m calls >kept.calls && noise_of "DROP TABLE _folded_noise" -m calls >scanned
t noise_of_calls_that_is_kept_is_that_of_the_buckets sh -c "[ -s kept.calls ] && cmp -s kept.calls scanned"
noise_of "UPDATE _folded_noise SET calls_variance = 1e20" -m calls >other
t noise_of_calls_that_is_kept_is_read sh -c "[ -s other ] && ! cmp -s kept.calls other"
noise_of "ALTER TABLE _folded_noise DROP COLUMN calls_variance" -m calls >other
t noise_of_calls_that_is_not_kept_is_of_the_buckets cmp -s kept.calls other
noise_of "UPDATE _folded_noise SET bytes_variance = 1e20" >other
t noise_that_is_kept_is_read sh -c "[ -s other ] && ! cmp -s kept other"
noise_of "UPDATE _folded_noise SET bytes_variance = 1e20" --self >other
noise_of "DROP TABLE _folded_noise" --self >scanned
t noise_of_call_sites_that_become_one_is_of_the_buckets sh -c "[ -s other ] && cmp -s other scanned"
noise_of "ALTER TABLE _folded_noise RENAME bytes_variance TO x" >other
t noise_of_another_form_is_not_read cmp -s kept other

# --- status
run diff old.txt new.txt; t different_is_1 [ "$status" = 1 ]
run diff old.txt; t a_side_is_missing failed 2 "name OLD and NEW"
run diff : old.txt; t a_colon_has_two_sides failed 2 "name OLD and NEW"
run diff old.txt : old.txt : old.txt; t but_not_three failed 2 "name OLD and NEW"
run diff old.txt nothing.txt; t trouble_is_2 failed 2 "nothing.txt: No such file"
run diff old.txt new.txt -f yaml; t formats_are_listed failed 2 "table, csv, json, markdown"
run diff old.txt new.txt --metric x; t figures_are_listed failed 2 "bytes calls alloc_bytes"
run diff old.txt new.txt --fail-over 8K; t grown_by_more_fails [ "$status" = 1 ]
t and_says_so grep -q "grew by more than 8K: 1 call site, 1 kind in total\|0 call sites, 1 kind in total" err
run diff old.txt new.txt --fail-over 1M; t grown_by_less_does_not [ "$status" = 0 ]
run diff old.txt new.txt --fail-over 10%; t a_share_is_one_of_all [ "$status" = 1 ]
run diff old.txt new.txt --fail-over 900%; t a_large_share_is_not_passed [ "$status" = 0 ]
run diff new.txt old.txt --fail-over 0; t a_new_site_of_the_other_way_fails_too [ "$status" = 1 ]
run diff old.txt new.txt --fail-over lots; t a_limit_is_a_number failed 2 "neither a size such as 64K"
t no_file_stays_behind [ "$(ls "${TMPDIR:-/tmp}" | grep -c '^allocprof-......$')" = 0 ]

# --- import
run import old.txt new.txt -o s.db
t a_series_is_imported [ "$status" = 0 ]
q() { "$ap" sql -i "$1" --format csv "$2" | tail -n +2; }
# What the kernel would print of the change is what the report prints.
"$ap" report -i s.db --format allocinfo | grep -v '^#\|version' | awk '{ $1 = $1; print }' | sort >one
awk 'FNR < 3 { next } { n = split($0, w); key = w[3]; for (i = 4; i <= n; i++) key = key " " w[i]; s = FILENAME == "old.txt" ? -1 : 1; b[key] += s * $1; c[key] += s * $2 }
	END { for (k in b) if (b[k] || c[k]) print b[k], c[k], k }' old.txt new.txt | sort >two
t the_report_of_a_series_is_the_change cmp -s one two
t a_single_snapshot_is_all_that_lives [ "$("$ap" import old.txt -o o.db 2>/dev/null; \
	q o.db "SELECT sum(net_bytes), sum(net_calls) FROM call_sites")" = 14828,37 ]
run import mid.txt new.txt old.txt -o s.db
t snapshots_go_by_time [ "$(q s.db "SELECT duration_s FROM recording")" = 10 -a \
	"$(q s.db "SELECT peak_bytes FROM call_sites WHERE line = 30")" = 32768 ]
t a_series_has_a_bucket_for_each_step [ "$(q s.db "SELECT buckets, bucket_ns FROM _recording")" = 2,5000000000 ]
t buckets_add_up_to_what_lives [ "$(q s.db "SELECT count(*) FROM call_sites c WHERE net_bytes <> coalesce((SELECT
	sum(change_bytes) FROM site_buckets b WHERE b.call_site = c.id), 0) OR alloc_bytes <> coalesce((SELECT
	sum(alloc_bytes) FROM site_buckets b WHERE b.call_site = c.id), 0)" | tail -n 1)" = 0 ]
run report -i s.db --growth
t a_series_shows_growth grep -q "net/fresh.c:8" out
run import --host box --time 1700000000.5 --time "2023-11-14 22:13:30" old.txt new.txt -o s.db
t times_can_be_given [ "$(q s.db "SELECT start_unix_ns, duration_s, host FROM recording")" = \
	1700000000500000000,9.5,box ]
sed 's/1\.0/2.0/; s/func:open_it $/& accurate:no/' old.txt >two.txt
run import two.txt -o two.db
t version_2_is_imported [ "$(q two.db "SELECT sum(net_bytes), sum(uncertain_bytes) FROM call_sites")" = 14828,9216 ]
run import two.txt --time yesterday; t a_time_is_a_time failed 2 "neither seconds"
run import two.txt --time 1 --time 2; t a_time_for_each failed 2 "2 times for 1 files"
run import small.dat -o x.db; t other_files_are_refused failed 1 "not a"
sed 's/version: 1.0/version: 7.0/' old.txt >seven.txt
run import seven.txt -o x.db; t a_later_version_is_refused failed 1 "version 7.0"
sed '5s/func:.*/fun/' old.txt >bad.txt
run import bad.txt -o x.db; t a_line_that_is_none_is_named failed 1 "bad.txt: line 5 is not one"
t nothing_is_written_then [ ! -e x.db ]

# --- golden
for args in "old.txt new.txt" "old.txt new.txt -a -f csv" "old.txt new.txt -f json" \
	"old.txt new.txt -f markdown" "o1 o2 o3 : n1 n2 n3" "small.dat big.dat -n 4" \
	"old.txt small.dat" "short.db series.db --per second -m calls"; do
	echo "== diff $args"
	# shellcheck disable=SC2086
	"$ap" diff $args 2>&1
done >golden
[ -n "$UPDATE" ] && cp golden "$expected"
t diffs_are_as_expected diff -u "$expected" golden
