#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# report --by who, --for, --growth, --lifetimes, --waste and --at: golden on a small
# recording whose every event is known (UPDATE=1 rewrites answers.expected), and each
# figure of a real one derived again from the stored rows.
ap=${ALLOCPROF:?} mkrec=${BUILD:?}/tests/tools/mkrec
top=$(cd "$(dirname "$0")/../.." && pwd)
expected=$top/tests/cli/answers.expected
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

"$mkrec" allocprof.dat || exit 1
run analyze

{
	for args in "--by pid" "--by comm" "--by cpu" "--by context" "--by gfp" "--by order" \
		"--for pid=100" "--for func=nobody" "--growth" "--lifetimes" "--waste" "--at peak" \
		"--at 0" "--at -0.001" "--by free"; do
		for format in table csv; do
			echo "=== $args, $format"
			# shellcheck disable=SC2086
			"$ap" report $args --format $format | sed 's/^Recorded .*/Recorded …/'
		done
	done
} >answers.out 2>err
[ -n "$UPDATE" ] && cp answers.out "$expected"
t golden_answers cmp -s answers.out "$expected"
diff answers.out "$expected" | sed 's/^/# /' | head -20

run report --for nobody=1; t for_names_its_keys usage_error "pid, tgid, comm"
run report --for pid=x; t for_wants_a_number usage_error "pid wants a number"
run report --for pid=; t for_wants_a_value usage_error "pid wants a number"
run report --for pid=1,pid=2; t for_takes_a_key_once usage_error "pid is given twice"
run report --for comm=sh --tree; t for_does_not_go_with_tree usage_error "--for does not go with"
run report --growth --waste; t one_answer_at_a_time usage_error "one at a time"
run report --growth --by file; t an_answer_has_no_groups usage_error "one at a time"
run report --at soon; t at_wants_a_time usage_error "give peak, or seconds"
run report --at 8; t at_is_within_the_recording usage_error "the recording lasts from 0 to "
run report --at -8; t also_from_its_end usage_error "the recording lasts from 0 to "
run report --at 1e9; t at_takes_no_exponent usage_error "give peak, or seconds"
run report --by comm --sort file,module; t groups_of_accounts_can_be_sorted_by_place [ $status = 0 ]
run report --by nobody; t by_names_its_groups usage_error "migratetype, free, caller"
run report --for "comm=a,b" -f csv; t a_value_may_have_a_comma [ $status = 0 ]

# A real recording: every number once more.
cp "$top/fixtures/debian-6.12.dat" real.dat && run analyze -i real.dat || exit 1
db=real.db
none() { # NAME SQL: the query has no row
	name=$1
	sqlite3 "$db" "$2" >rows 2>err
	cat rows >>err
	t "$name" [ ! -s rows ]
}
some() { # NAME SQL: it has one
	name=$1
	sqlite3 "$db" "$2" >rows 2>err
	t "$name" [ -s rows ]
}

none accounts_sum_up_to_raw_sites "
	SELECT r.id, r.allocs, sum(a.allocs) FROM raw_sites r JOIN accounts a ON a.raw_site = r.id
	GROUP BY r.id HAVING r.allocs <> sum(a.allocs) OR r.alloc_bytes <> sum(a.alloc_bytes)
		OR r.frees <> sum(a.frees) OR r.bytes_req <> sum(a.bytes_req)
		OR r.net_bytes <> sum(a.net_bytes) OR r.net_calls <> sum(a.net_calls)
		OR r.failures <> sum(a.failures) OR r.uncertain_bytes <> sum(a.uncertain_bytes)"
none a_site_without_accounts_allocated_nothing "
	SELECT id FROM raw_sites WHERE allocs + failures > 0
	EXCEPT SELECT raw_site FROM accounts"
none the_last_bucket_is_the_net "
	SELECT call_site, net_bytes FROM site_buckets b WHERE bucket = (SELECT max(bucket)
		FROM site_buckets c WHERE c.call_site = b.call_site)
	EXCEPT SELECT id, net_bytes FROM call_sites"
none buckets_sum_up_to_what_was_allocated "
	SELECT call_site, sum(alloc_bytes), sum(allocs), sum(change_calls) FROM site_buckets GROUP BY call_site
	EXCEPT SELECT id, alloc_bytes, allocs, net_calls FROM call_sites"
none buckets_of_a_kind_are_those_of_its_sites "
	SELECT kind, self, bucket, change_bytes, allocs FROM buckets
	EXCEPT SELECT c.kind, c.self, b.bucket, sum(b.change_bytes), sum(b.allocs)
	FROM site_buckets b JOIN call_sites c ON c.id = b.call_site GROUP BY 1, 2, 3"
none levels_are_what_changed_so_far "
	SELECT * FROM (SELECT net_bytes, net_calls, sum(change_bytes) OVER w AS b, sum(change_calls) OVER w AS c
		FROM site_buckets WINDOW w AS (PARTITION BY call_site, recording ORDER BY bucket))
	WHERE net_bytes <> b OR net_calls <> c"
none a_kind_without_buckets_allocated_nothing "
	SELECT kind FROM totals WHERE allocs EXCEPT SELECT kind FROM buckets"
none what_sites_held_at_the_peak_is_the_peak "
	SELECT kind, bytes, calls FROM peaks
	EXCEPT SELECT kind, sum(bytes), sum(calls) FROM site_peaks GROUP BY kind"
none no_bucket_ends_above_the_peak "
	SELECT b.bucket FROM (SELECT kind, bucket, sum(net_bytes) AS net_bytes FROM (
		SELECT k.kind, k.bucket, (SELECT net_bytes FROM buckets c WHERE c.kind = k.kind
			AND c.self = s.self AND c.bucket <= k.bucket ORDER BY c.bucket DESC LIMIT 1) AS net_bytes
		FROM buckets k, (SELECT 0 AS self UNION ALL SELECT 1) s GROUP BY k.kind, k.bucket, s.self)
		GROUP BY kind, bucket) b
	JOIN peaks p ON p.kind = b.kind WHERE b.net_bytes > p.bytes"
none a_histogram_has_every_life "
	SELECT call_site, sum(ended), sum(live) FROM life_bins GROUP BY call_site
	EXCEPT SELECT call_site, ended, live FROM lifetimes"
none quantiles_are_bins_of_that_many "
	SELECT l.call_site FROM lifetimes l WHERE l.ended > 0 AND (
		(SELECT sum(ended) FROM life_bins b WHERE b.call_site = l.call_site AND b.from_s <= l.p90_s) < l.ended * 0.9
		OR (SELECT coalesce(sum(ended), 0) FROM life_bins b WHERE b.call_site = l.call_site
			AND b.to_s <= l.p90_s) >= l.ended * 0.9
		OR l.p50_s > l.p90_s OR l.p90_s > l.p99_s OR l.p99_s > l.max_s OR l.mean_s > l.max_s)"
none survivors_are_counted_by_bin "
	SELECT l.call_site, l.live_over_p99 FROM lifetimes l WHERE l.ended > 0 AND l.live_over_p99 <>
		(SELECT coalesce(sum(b.live), 0) FROM life_bins b WHERE b.call_site = l.call_site
		AND b.from_s > (SELECT min(c.from_s) FROM life_bins c WHERE c.call_site = l.call_site
			AND 100 * (SELECT sum(d.ended) FROM life_bins d WHERE d.call_site = l.call_site
				AND d.bin <= c.bin) >= 99 * l.ended AND c.ended))"
none means_lie_within_their_bins "
	SELECT l.call_site FROM lifetimes l JOIN life_bins b ON b.call_site = l.call_site
	GROUP BY l.call_site HAVING sum(b.ended) > 0 AND (l.mean_s < sum(b.ended * b.from_s) / sum(b.ended)
		OR l.mean_s > sum(b.ended * b.to_s) / sum(b.ended))"
none bins_are_an_eighth_wide "
	SELECT bin FROM life_bins WHERE bin >= 8 AND abs((to_s - from_s) * 8 - from_s) > from_s + 1e-12"
none frees_lead_back_to_their_sites "
	SELECT r.id, r.frees FROM raw_sites r JOIN _free_pair p ON p.raw_site = r.id
	GROUP BY r.id HAVING r.frees <> sum(p.frees)"
none slopes_are_those_of_the_levels "
	WITH RECURSIVE x(b) AS (SELECT 0 UNION ALL SELECT b + 1 FROM x, _recording WHERE b + 1 < buckets),
	y AS (SELECT g.call_site, x.b, (SELECT coalesce(sum(s.change_bytes), 0) FROM site_buckets s
			WHERE s.call_site = g.call_site AND s.bucket <= x.b) AS y
		FROM (SELECT call_site FROM growth ORDER BY abs(net_bytes) DESC LIMIT 10) g, x),
	fit AS (SELECT call_site, (count(*) * sum(1.0 * b * y) - sum(1.0 * b) * sum(y)) /
			(count(*) * sum(1.0 * b * b) - sum(1.0 * b) * sum(b)) AS slope
		FROM y GROUP BY call_site),
	late AS (SELECT call_site, (count(*) * sum(1.0 * b * y) - sum(1.0 * b) * sum(y)) /
			(count(*) * sum(1.0 * b * b) - sum(1.0 * b) * sum(b)) AS slope
		FROM y, _recording WHERE b >= buckets / 2 GROUP BY call_site)
	SELECT g.call_site, g.bytes_per_s, f.slope FROM growth g JOIN fit f USING (call_site)
	JOIN late l USING (call_site), _recording o
	WHERE abs(g.bytes_per_s - f.slope * 1e9 / o.bucket_ns) > 1 + abs(g.bytes_per_s) * 1e-6
		OR abs(g.late_bytes_per_s - l.slope * 1e9 / o.bucket_ns) > 1 + abs(g.late_bytes_per_s) * 1e-6"
none monotonicity_is_of_ups_and_downs "
	SELECT g.call_site FROM growth g JOIN site_buckets s ON s.call_site = g.call_site
	GROUP BY g.call_site HAVING abs(g.monotonicity * max(sum(abs(s.change_bytes)), 1) - g.net_bytes) > 1e-3"
none caches_and_orders_are_sums_of_accounts "
	SELECT 1 WHERE (SELECT sum(alloc_bytes) FROM caches) <> (SELECT sum(alloc_bytes) FROM totals WHERE kind = 'slab')
		OR (SELECT sum(alloc_bytes) FROM page_orders) <> (SELECT sum(alloc_bytes) FROM totals WHERE kind = 'page')"
none an_order_is_that_many_pages "
	SELECT page_order FROM page_orders, recording WHERE alloc_bytes <> allocs * page_size << page_order
		AND NOT EXISTS (SELECT 1 FROM quality WHERE name = 'silent_pages' AND value > 0)"
none waste_is_what_was_not_asked_for "
	SELECT call_site, waste_bytes FROM waste WHERE kind = 'slab'
	EXCEPT SELECT id, waste_bytes FROM call_sites"
some frees_on_other_cpus_are_seen "SELECT 1 FROM waste WHERE remote_cpu_frees > 0"
some names_of_tasks_are_known "SELECT 1 FROM accounts WHERE comm = 'load'"
some flags_are_named "SELECT 1 FROM accounts WHERE gfp LIKE '%GFP_KERNEL%'"

# Whatever a report is taken apart by, it adds up to the totals.
for by in pid tgid comm cgroup cpu node context gfp order migratetype kind cache function; do
	"$ap" report -i "$db" --by $by -f csv --self >by.csv 2>err
	sqlite3 :memory: ".mode csv" ".import by.csv t" \
		"SELECT kind, sum(net_bytes), sum(alloc_bytes), sum(allocs), sum(frees) FROM t GROUP BY kind" >sums
	sqlite3 -csv "$db" "SELECT kind, sum(net_bytes), sum(alloc_bytes), sum(allocs), sum(frees)
		FROM totals WHERE allocs + frees > 0 GROUP BY kind" >totals
	grep -v ',0,0,0,0$' sums | sort >a; sort totals >b
	cat a b >err
	t "report_by_${by}_adds_up" cmp -s a b
done
"$ap" report -i "$db" --for comm=load --by function -f csv >for.csv 2>err
sqlite3 :memory: ".mode csv" ".import for.csv t" "SELECT sum(alloc_bytes) FROM t" >a
sqlite3 "$db" "SELECT sum(alloc_bytes) FROM accounts WHERE comm = 'load' AND NOT self" >b
t report_for_is_a_part cmp -s a b
# --for with another question: the rows of the whole that have this function.
for question in --growth --lifetimes --waste "--at 3" "--at peak" "--by free"; do
	name=$(echo "$question" | tr -d ' -')
	# shellcheck disable=SC2086
	"$ap" report -i "$db" $question -f json >all.json 2>err
	func=$(sqlite3 :memory: "SELECT value ->> 'func' FROM json_each(readfile('all.json')) LIMIT 1")
	# shellcheck disable=SC2086
	"$ap" report -i "$db" $question --for "func=$func" -f json >for.json 2>>err
	sqlite3 :memory: "SELECT value FROM json_each(readfile('all.json')) WHERE value ->> 'func' = '$func'" >a 2>>err
	sqlite3 :memory: "SELECT value FROM json_each(readfile('for.json'))" >b 2>>err
	t "for_picks_rows_of_$name" sh -c "[ -s a ] && cmp -s a b"
done
cp "$db" files.db
sqlite3 files.db "UPDATE _callsite SET file = iif(id % 3, 'mm/a.c', 'mmap/a.c'); DROP TABLE _folded_call_sites;
	DROP TABLE _folded_lifetimes" 2>err
run report -i files.db --lifetimes --for file=mm -f csv
t for_takes_directories_of_what_lived [ "$(grep -c ',mm/' out)" -gt 3 -a "$(grep -vc ',mm/' out)" = 1 ]
run report -i "$db" --waste --for func=nobody
t waste_of_nothing_has_no_sections [ $status = 0 -a -z "$(grep -E '^(Slab caches|Page blocks|Failed)' out)" ]
run report -i "$db" --growth --for comm=load
t what_grows_is_not_kept_for_tasks usage_error "kept for each call site"
"$ap" report -i "$db" --at 1e0 -f csv >/dev/null 2>err
"$ap" report -i "$db" --at 3 --self -f csv >at.csv 2>err
sqlite3 :memory: ".mode csv" ".import at.csv t" "SELECT sum(net_bytes) FROM t" >a
sqlite3 "$db" "SELECT sum(net_bytes) FROM (SELECT b.kind, b.self, b.net_bytes, max(b.bucket) FROM buckets b
	WHERE b.start_s <= 3 GROUP BY b.kind, b.self)" >b
cat a b >>err
t report_at_is_the_sum_of_buckets cmp -s a b

# A window: what is before it and in it make up the whole.
for w in "--to 3" "--from 3"; do
	"$ap" sql -i real.dat $w -f csv "SELECT kind, sum(allocs), sum(alloc_bytes) FROM totals
		WHERE kind <> 'any' GROUP BY kind" 2>>err | sed 1d
done >parts
sqlite3 :memory: ".mode csv" "CREATE TABLE t (kind, allocs INTEGER, bytes INTEGER)" ".import parts t" \
	"SELECT kind, sum(allocs), sum(bytes) FROM t GROUP BY kind" | tr -d '\r' >a
sqlite3 -csv "$db" "SELECT kind, sum(allocs), sum(alloc_bytes) FROM totals GROUP BY kind" | tr -d '\r' >b
cat a b >err
t windows_make_up_the_whole cmp -s a b
"$ap" sql -i real.dat --to 3 -f csv "SELECT kind, sum(net_bytes), sum(net_calls) FROM totals GROUP BY kind" >a 2>err
"$ap" sql -i real.dat --from 0 --to 3 -f csv "SELECT kind, sum(net_bytes), sum(net_calls) FROM totals GROUP BY kind" >b 2>>err
t a_window_from_the_start_has_no_start cmp -s a b
run report -i real.dat --from 3 --to 5 -n 3
t a_window_is_in_the_head grep -qx 'Window    from 3.000 s to 5.000 s' out
t a_window_leaves_nothing [ -z "$(ls "${TMPDIR:-/tmp}"/allocprof-?????? 2>/dev/null)" ]
run report -i "$db" --from -2; t a_window_of_a_database_finds_its_recording [ $status = 0 ]
run report -i real.dat --from 5 --to 4; t a_window_has_an_end usage_error "ends before it begins"
run report -i real.dat --from 1000; t a_window_behind_the_end_is_empty usage_error "nothing is in the window: the recording lasts from 0 to 7.079 s"
run report -i real.dat --to 0; t one_before_the_start_too usage_error "nothing is in the window"
run report -i real.dat --from soon; t a_window_wants_a_time usage_error "not a time"
"$ap" analyze -i real.dat -o real.db --from 3 2>err
run report -i real.dat
t a_database_of_a_window_is_not_taken_for_the_recording [ -z "$(grep Window out)" ]
mkdir gone && cp real.db gone/ && cp real.dat gone/x.dat && "$ap" analyze -i gone/x.dat 2>err && rm gone/x.dat
run report -i gone/x.db --from 3; t a_window_wants_the_recording usage_error "want the recording"

# Two recordings in one database: their accounts, buckets and lives stay theirs.
"$ap" analyze -i real.dat -o real.db 2>err && "$ap" merge -o both.db real.db allocprof.db >/dev/null 2>>err
db=both.db
none merged_accounts_sum_up_to_raw_sites "
	SELECT r.id FROM raw_sites r JOIN accounts a ON a.raw_site = r.id
	GROUP BY r.id HAVING r.allocs <> sum(a.allocs) OR r.net_bytes <> sum(a.net_bytes)
		OR min(a.recording) <> r.recording OR max(a.recording) <> r.recording"
none merged_peaks_are_those_of_their_sites "
	SELECT recording, kind, bytes FROM peaks
	EXCEPT SELECT recording, kind, sum(bytes) FROM site_peaks GROUP BY recording, kind"
some merged_flags_keep_their_names "SELECT 1 FROM accounts WHERE recording = 1 AND gfp LIKE '%GFP_KERNEL%'"
none merged_lives_are_those_of_their_sites "
	SELECT recording, sum(ended) FROM life_bins GROUP BY recording
	EXCEPT SELECT recording, sum(ended) FROM lifetimes GROUP BY recording"

# Snapshots: only what is known of them.
printf 'allocinfo - version: 1.0\n# <size> <calls> <tag info>\n 4096 4 mm/a.c:3 func:foo\n' >a1
sed 's/4096 4/8192 8/' a1 >a2
run import a1 a2 -o snapshots.db; run report -i snapshots.db
t a_report_of_snapshots_says_what_they_are grep -qx 'Imported  /proc/allocinfo 1.0, 2 snapshots' out
t and_nothing_that_they_do_not_know [ -z "$(grep -E '^(Kernel|Events|Exact|Symbols)|CPU|overlap|No event' out)" ]
run report -i snapshots.db --lifetimes
t an_answer_without_rows_says_so grep -qx 'No life is known.' out

# Groups come in the order that is asked for. With a sign in front of its terms, which tells
# it nothing of the columns, SQLite sorts them itself.
for from in "_site_groups('function', 1, 'slab,page,percpu,vmalloc,any', 1)" \
	"_account_groups('comm', 0, 'slab,page,percpu,vmalloc,any', 1)"; do
	for order in "net_bytes DESC, name" "module, line DESC, name DESC" \
		"first_ns DESC, cache, kind, allocs, name" "peak_bytes, self DESC, call_site, name, kind"; do
		signed=$(echo "+$order" | sed 's/, /, +/g')
		for terms in "$order" "$signed"; do
			"$ap" sql -i "$db" --format csv \
				"SELECT kind, name, line, module, net_bytes FROM $from ORDER BY $terms"
		done >out 2>err
		lines=$(wc -l <out)
		head -n $((lines / 2)) out >first
		tail -n $((lines / 2)) out >second
		t "${from%%(*}_are_ordered_as_sqlite_does_by_$(echo "$order" | tr -cs 'a-zA-Z_' _)" \
			test "$lines" -gt 20 -a "$(cksum <first)" = "$(cksum <second)"
	done
done
