#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Databases of earlier versions: kept in fixtures/databases as they were written.
top=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
ap=${ALLOCPROF:?}

t() # NAME CONDITION…
{
	name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}

# As they were written, and without the rows that they keep of slow views.
for zst in "$top"/fixtures/databases/version-*.db.zst; do
	nr=$(basename "$zst" .db.zst | tr -dc 0-9)
	zstd -dqf "$zst" -o "$tmp/version_$nr.db" || exit 1
	kept=$(sqlite3 "$tmp/version_$nr.db" "SELECT 'DROP TABLE ' || name || ';' FROM sqlite_schema
		WHERE type = 'table' AND name LIKE '\_folded%' ESCAPE '\'")
	[ -n "$kept" ] || continue
	cp "$tmp/version_$nr.db" "$tmp/bare_$nr.db"
	sqlite3 "$tmp/bare_$nr.db" "$kept" || exit 1
done
for db in "$tmp"/*.db; do
	version=$(basename "$db" .db)
	chmod 444 "$db"
	before=$(sha256sum "$db")

	"$ap" sql -i "$db" --format csv "SELECT name FROM temp.sqlite_schema WHERE type = 'view'
		AND name NOT LIKE '\_%' ESCAPE '\'" | sed 1d >"$tmp/views"
	: >"$tmp/errors"
	while read -r view; do
		"$ap" sql -i "$db" "SELECT * FROM $view" >/dev/null 2>>"$tmp/errors" ||
			echo "$view" >>"$tmp/errors"
	done <"$tmp/views"
	t "${version}_opens_and_has_every_view" \
		[ ! -s "$tmp/errors" -a "$(wc -l <"$tmp/views")" -ge 10 ]
	sed 's/^/# /' "$tmp/errors"
	for args in "" "--by file" "--tree" "--reconcile" "--format allocinfo" "--format json"; do
		# shellcheck disable=SC2086
		"$ap" report -i "$db" $args >/dev/null 2>>"$tmp/errors" || echo "$args" >>"$tmp/errors"
	done
	t "${version}_has_every_report" [ ! -s "$tmp/errors" ]
	sed 's/^/# /' "$tmp/errors"
	# The views in the file are of its time.
	for view in site_buckets buckets growth life_bins lifetimes; do
		"$ap" sql -i "$db" "SELECT name FROM main.sqlite_schema WHERE name = '$view'" |
			grep -q "$view" || continue
		for pair in "main temp" "temp main"; do
			# shellcheck disable=SC2086
			set -- $pair
			"$ap" sql -i "$db" --format csv "SELECT * FROM $1.$view EXCEPT
				SELECT * FROM $2.$view" 2>&1 | sed 1d >>"$tmp/errors"
		done
		"$ap" sql -i "$db" --format csv "SELECT count(*) > 9 FROM $view" | sed 1d |
			grep -vx 1 >>"$tmp/errors"
	done
	t "${version}_says_what_its_own_views_say" [ ! -s "$tmp/errors" ]
	sed 's/^/# /' "$tmp/errors"
	t "${version}_is_not_written_to" [ "$before" = "$(sha256sum "$db")" ]
	t "${version}_leaves_no_file_beside_it" [ "$(ls "$tmp" | grep -c "$version")" = 1 ]
done

plan() # DB: whether call_sites is read from the rows that it keeps
{
	"$ap" sql -i "$1" "EXPLAIN QUERY PLAN SELECT * FROM call_sites" | grep -c _folded_call_sites
}
held() # DB
{
	"$ap" sql -i "$1" --format csv "SELECT sum(net_bytes) FROM call_sites" | sed 1d
}
t kept_rows_of_an_older_database_are_used [ "$(plan "$tmp/version_2.db")" = 1 ]
cp "$tmp/version_2.db" "$tmp/other.db"
chmod 644 "$tmp/other.db"
sqlite3 "$tmp/other.db" "SELECT sql FROM sqlite_schema WHERE name = 'call_sites'" |
	sed 's/sum(r.net_bytes) AS net_bytes/0 AS net_bytes/' >"$tmp/view.sql"
sqlite3 "$tmp/other.db" "UPDATE _folded_call_sites SET net_bytes = 0; DROP VIEW call_sites;
	$(cat "$tmp/view.sql")"
t those_of_a_view_that_was_another_are_not [ "$(plan "$tmp/other.db") $(held "$tmp/other.db")" = \
	"0 $(held "$tmp/version_2.db")" ]

# What was analyzed from the recording that version 1 was made of.
"$ap" analyze -i "$top/fixtures/debian-6.12.dat" -o "$tmp/now.db" 2>/dev/null
for db in now version_1; do
	"$ap" sql -i "$tmp/$db.db" --format csv "SELECT kind, func, sum(net_calls), sum(allocs)
		FROM call_sites WHERE kind = 'percpu' GROUP BY 1, 2 ORDER BY 2" >"$tmp/$db.csv"
done
t an_old_database_says_what_its_recording_does cmp -s "$tmp/now.csv" "$tmp/version_1.csv"
