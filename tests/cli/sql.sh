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
run nosuch; t an_unknown_name_is_a_usage_error usage_error "nosuch: no such query"
run --format csv 'SELECT :a + 1, typeof(:b)' a=41 b=x
t parameters_bind_as_numbers_and_texts [ "$(tail -1 "$tmp/out")" = 42,text ]
run 'SELECT :a'; t a_parameter_without_a_value_is_a_usage_error usage_error ":a has no value"

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
