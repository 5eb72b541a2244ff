#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# allocprof sql: named queries, parameters, the shell on a terminal.
ap=${ALLOCPROF:?} mkrec=${BUILD:?}/tests/tools/mkrec
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
top=$(cd "$(dirname "$0")/../.." && pwd)
export XDG_CACHE_HOME="$tmp/cache" XDG_STATE_HOME="$tmp/state"

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}
run() { "$ap" sql -i "$tmp/r.db" "$@" >"$tmp/out" 2>"$tmp/err"; status=$?; }
usage_error() { [ $status = 2 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$1" "$tmp/err"; }

"$mkrec" "$tmp/r.dat" && "$ap" analyze -i "$tmp/r.dat" 2>/dev/null || exit 1
"$ap" analyze -i "$top/fixtures/debian-6.12.dat" -o "$tmp/debian.db" 2>/dev/null || exit 1

"$ap" sql --list >"$tmp/list"
ls "$top/schema/queries" | sed 's/\.sql$//' >"$tmp/files"
sed -n 's/^\([a-z][^ ]*\) .*/\1/p' "$tmp/list" >"$tmp/names"
t each_file_of_the_library_is_listed diff "$tmp/files" "$tmp/names"
t each_named_query_has_a_summary [ -z "$(grep -E '^[a-z-]+ *$' "$tmp/list")" ]

# A default is stated for each parameter, or the query would find nothing there.
bad=
for q in $(cat "$tmp/names"); do
	for p in $(sed '/^--/d' "$top/schema/queries/$q.sql" | grep -o ':[a-z_]\+' | sort -u); do
		grep -q "^-- $p=" "$top/schema/queries/$q.sql" || bad="$bad $q$p"
	done
done
[ -z "$bad" ] || echo "# without a default:$bad"
t each_parameter_has_a_default [ -z "$bad" ]

for db in r debian; do
	bad=
	for q in $(cat "$tmp/names"); do
		"$ap" sql -i "$tmp/$db.db" "$q" >"$tmp/out" 2>"$tmp/err" && [ -s "$tmp/out" ] ||
			bad="$bad $q"
	done
	[ -z "$bad" ] || { echo "# failed:$bad"; sed 's/^/# /' "$tmp/err"; }
	t each_named_query_runs_on_$db [ -z "$bad" ]
done

run --format csv totals kinds=page
t a_parameter_of_a_named_query_counts [ "$(sed 1d "$tmp/out" | cut -d, -f1 | sort -u)" = page ]
run totals kind=page; t an_unknown_parameter_is_a_usage_error usage_error "kind: the query has no such parameter"
run totals page; t a_word_without_a_value_is_a_usage_error usage_error "page: not a parameter"
run "$tmp/r.dat"; t a_file_is_no_query usage_error "name the input with -i"
run nosuch; t an_unknown_name_is_a_usage_error usage_error "nosuch: no such query"
run --format csv 'SELECT :a + 1, typeof(:b)' a=41 b=x
t parameters_bind_as_numbers_and_texts [ "$(tail -1 "$tmp/out")" = 42,text ]
run 'SELECT :a'; t a_parameter_without_a_value_is_a_usage_error usage_error ":a has no value"

# The recording itself, as tables.
run --format csv 'SELECT count(*), count(DISTINCT seq), min(seq), max(seq) FROM events'
n=$(sed -n 2p "$tmp/out" | cut -d, -f1)
t each_event_is_a_row_of_events [ "$(sed -n 2p "$tmp/out")" = "$n,$n,1,$n" -a "$n" -gt 10 ]
run --format csv "SELECT sum(bytes_alloc) = (SELECT sum(alloc_bytes) FROM totals WHERE kind = 'percpu')
	FROM events WHERE event = 'percpu_alloc_percpu' AND addr <> 0"
cp "$tmp/out" "$tmp/one"
"$ap" sql -i "$tmp/debian.db" --format csv "SELECT e.kind, sum(e.bytes_alloc) = t.alloc_bytes
	FROM events e JOIN (SELECT kind, sum(alloc_bytes) AS alloc_bytes FROM totals GROUP BY kind) t USING (kind)
	WHERE event LIKE 'percpu_alloc%' GROUP BY 1" >"$tmp/out" 2>"$tmp/err"
t the_events_add_up_to_the_totals [ "$(sed 1d "$tmp/out")" = "percpu,1" ]
run --format csv 'SELECT count(*), min(seq), max(seq) FROM events WHERE seq BETWEEN 3 AND 7'
t bounds_are_kept [ "$(sed -n 2p "$tmp/out")" = 5,3,7 ]
"$ap" sql -i "$tmp/debian.db" --format csv "SELECT count(*) FROM stacks" >"$tmp/a" 2>&1
"$ap" sql -i "$tmp/debian.db" --format csv "SELECT sum(stack_depth) FROM events" >"$tmp/b" 2>&1
t each_frame_is_a_row_of_stacks [ "$(sed 1d "$tmp/a")" -gt 10 -a "$(sed 1d "$tmp/a")" = "$(sed 1d "$tmp/b")" ]
run "SELECT count(*) FROM events('$tmp/none')"
t a_recording_that_is_not_there_is_named [ $status = 1 -a -n "$(grep "$tmp/none" "$tmp/err")" ]
run --format csv "SELECT size(1536), size(NULL), sym(NULL), sym(1)"
t functions_know_nothing_of_null [ "$(sed -n 2p "$tmp/out")" = "1.5Ki,,," ]
"$ap" sql -i "$tmp/debian.db" --format csv \
	"SELECT count(*) FROM events WHERE call_site AND sym(call_site) IS NULL" >"$tmp/out" 2>"$tmp/err"
t each_address_of_a_kernel_has_a_name [ "$(sed 1d "$tmp/out")" = 0 ]
# A view of a hostile database must not choose a file to open.
cp "$tmp/r.db" "$tmp/evil.db"
sqlite3 "$tmp/evil.db" "CREATE VIEW evil AS SELECT count(*) AS text FROM events('/etc/passwd')"
"$ap" sql -i "$tmp/evil.db" 'SELECT * FROM evil' >"$tmp/out" 2>"$tmp/err"
t a_view_cannot_open_a_recording grep -q 'unsafe use of virtual table' "$tmp/err"

ext=$BUILD/allocprof
if [ -e "$ext.so" ]; then
	sqlite3 "$tmp/r.db" -cmd ".load $ext" 'SELECT count(*) FROM events' >"$tmp/out" 2>"$tmp/err"
	t sqlite3_loads_the_extension [ "$(cat "$tmp/out")" = "$n" ]
	sqlite3 :memory: -cmd ".load $ext" "SELECT count(*) FROM events('$tmp/r.dat')" >"$tmp/out" 2>"$tmp/err"
	t the_extension_needs_no_database [ "$(cat "$tmp/out")" = "$n" ]
	sqlite3 :memory: -cmd ".load $ext" 'SELECT count(*) FROM events' >"$tmp/out" 2>"$tmp/err"
	t without_a_recording_it_says_so grep -q 'no recording is known' "$tmp/err"
else
	echo "skip the_extension: not built in this variant"
fi

if ! command -v script >/dev/null; then
	echo "skip the_shell: there is no script(1)"
	exit 0
fi
printf '%s\n' "totals kinds=slab" "SELECT 6" " * 7 AS answer;" "SELECT nonsense;" ".mode csv" \
	"SELECT 1 AS a, 2 AS b;" ".bogus" ".quit" |
	script -qec "$ap sql -i $tmp/r.db" /dev/null >"$tmp/out" 2>&1
status=$?
t the_shell_ends_with_success [ $status = 0 ]
t the_shell_runs_named_queries grep -q '^slab ' "$tmp/out"
t the_shell_joins_lines grep -q '^    42' "$tmp/out"
t the_shell_survives_a_mistake grep -q 'no such column: nonsense' "$tmp/out"
t the_shell_changes_the_form grep -q '^1,2' "$tmp/out"
t the_shell_names_an_unknown_command grep -q '.bogus: no such command' "$tmp/out"
t the_shell_keeps_its_history grep -q 'answer' "$tmp/state/allocprof/history"
