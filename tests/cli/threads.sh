#!/bin/sh
# A database does not depend on how many threads made it.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
fixture=$(dirname "$0")/../../fixtures/debian-6.12.dat

command -v sqlite3 >/dev/null || {
	echo "skip the_database_does_not_depend_on_threads: no sqlite3"
	exit 0
}
dump() # THREADS
{
	"$ap" analyze -i "$fixture" -o "$tmp/$1.db" --no-cache --threads "$1" 2>"$tmp/err" &&
		sqlite3 "$tmp/$1.db" .dump >"$tmp/$1.sql"
}
dump 1
for threads in 2 3 8; do
	if dump $threads && cmp "$tmp/1.sql" "$tmp/$threads.sql" >"$tmp/err" 2>&1; then
		echo "ok the_database_does_not_depend_on_threads_$threads"
	else
		echo "not ok the_database_does_not_depend_on_threads_$threads"
		sed 's/^/# /' "$tmp/err"
	fi
done
