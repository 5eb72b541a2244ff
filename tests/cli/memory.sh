#!/bin/sh
# An analysis within a limit of memory gives the same database.
ap=${ALLOCPROF:?}
scale=${BUILD:?}/tests/bench/bench_scale
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' "$tmp/err"; fi
}
dump() { # NAME OPTION...: the database as text
	name=$1; shift
	"$ap" analyze -i "$tmp/x.dat" -o "$tmp/$name.db" --no-cache "$@" 2>"$tmp/err" &&
		sqlite3 "$tmp/$name.db" .dump >"$tmp/$name.sql"
}

"$scale" -c 3 -l 600000 "$tmp/x.dat" 700000
"$ap" analyze -i "$tmp/x.dat" -o "$tmp/x.db" --memory-limit 10M 2>"$tmp/err"
t a_limit_that_is_too_small_is_refused [ $? = 2 -a ! -e "$tmp/x.db" ]
command -v sqlite3 >/dev/null || {
	echo "skip a_limit_changes_no_number: no sqlite3"
	exit 0
}
dump free && dump limited --memory-limit 64M
t a_limit_changes_no_number cmp "$tmp/free.sql" "$tmp/limited.sql"
"$scale" -c 3 -p 16 -l 700000 "$tmp/x.dat" 800000
dump free && dump limited --memory-limit 64M
t a_limit_changes_no_number_of_pages cmp "$tmp/free.sql" "$tmp/limited.sql"

# Of a real process, by the system's own count.
peak() { # RECORDING LIMIT: MB at most
	"${BUILD:?}"/tests/bench/bench_run 1 "$ap" analyze -i "$1" -o "$tmp/peak.db" --no-cache \
		--threads 2 ${2:+--memory-limit "$2"} 2>"$tmp/err" | awk '{ print int($3 + 0.99) }'
}
kept() # NAME: of what is recorded in x.dat
{
	free=$(peak "$tmp/x.dat") limited=$(peak "$tmp/x.dat" 64M)
	echo "# $limited MB, and $free MB without a limit"
	case $("$ap" --version 2>&1)$(nm "$ap" 2>/dev/null | grep -m1 __asan_init) in
	*asan*) echo "skip $1: the sanitizer takes more" ;;
	*) t "$1" [ "${limited:-0}" -gt 0 -a "${limited:-99}" -le 64 -a "${free:-0}" -gt 64 ] ;;
	esac
}
"$scale" -c 2 -l 2000000 "$tmp/x.dat" 2100000
kept a_limit_is_kept
"$scale" -c 2 -p 16 -l 3000000 "$tmp/x.dat" 3000000
kept a_limit_is_kept_with_pages
# What a call site takes cannot be anywhere else.
"$scale" -c 3 -s 40000 -l 10000 -k "$tmp/x.dat" 500000
"$ap" analyze -i "$tmp/x.dat" -o "$tmp/x.db" --memory-limit 64M 2>"$tmp/err"
t a_limit_that_cannot_be_kept_is_an_error [ $? = 1 -a ! -e "$tmp/x.db" ]
t and_says_what_it_would_take grep -q 'too many call sites.*[0-9] MB must be' "$tmp/err"

# 64 KB sub-buffers, many CPUs and call sites, a stack on every event.
"$scale" -c 256 -b 65536 -s 20000 -l 20000 -k "$tmp/x.dat" 200000
dump many --threads 2
t a_large_machine_loses_nothing [ "$("$ap" sql -i "$tmp/many.db" --format csv \
	"SELECT events, lost_events FROM recording" | tail -1)" = 399872,0 ]
dump one --threads 1
t nor_does_it_depend_on_threads cmp "$tmp/many.sql" "$tmp/one.sql"
# What waits to be matched is not the more, the more CPUs there are.
"$scale" -c 256 -b 65536 -s 100 -l 20000 -k "$tmp/x.dat" 400000
large=$(peak "$tmp/x.dat")
case $("$ap" --version 2>&1)$(nm "$ap" 2>/dev/null | grep -m1 __asan_init) in
*asan*) echo "skip a_large_machine_takes_no_more_than_others: the sanitizer takes more" ;;
*) t a_large_machine_takes_no_more_than_others [ "${large:-99}" -le 72 ] ;;
esac
echo "# $large MB"
