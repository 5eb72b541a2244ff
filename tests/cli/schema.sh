#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The page of the schema has every view and column of a database, and no other;
# so does each stored table have a comment for each of its columns.
ap=${ALLOCPROF:?} mkrec=${BUILD:?}/tests/tools/mkrec
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
top=$(cd "$(dirname "$0")/../.." && pwd)

"$mkrec" "$tmp/r.dat" && "$ap" analyze -i "$tmp/r.dat" 2>/dev/null || exit 1
sql() { "$ap" sql -i "$tmp/r.db" --format csv "$1" | sed 1d; }

if cd "$top" && awk -f schema/to-adoc.awk schema/views.sql >"$tmp/page"; then
	echo "ok every_column_of_a_view_has_a_comment"
else
	echo "not ok every_column_of_a_view_has_a_comment"
fi
awk '/^== [A-Z_]*$/ { view = tolower($2) } /^\*.*\*::$/ { gsub(/[*:]/, ""); print view "." $0 }' \
	"$tmp/page" | sort >"$tmp/documented"
sql "SELECT v.name || '.' || c.name FROM sqlite_schema v, pragma_table_info(v.name) c
	WHERE v.type = 'view' AND v.name NOT LIKE '\_%' ESCAPE '\'" | sort >"$tmp/real"
if diff "$tmp/real" "$tmp/documented" >"$tmp/diff" && [ "$(wc -l <"$tmp/real")" -gt 100 ]; then
	echo "ok the_page_has_the_views_as_they_are"
else
	echo "not ok the_page_has_the_views_as_they_are"
	sed 's/^/# /' "$tmp/diff"
fi

bad=$(sed -n '/^CREATE TABLE/,/^)/p' schema/tables.sql |
	grep -Ev '^(CREATE TABLE|\))|PRIMARY KEY \(|-- .' )
if [ -z "$bad" ]; then
	echo "ok every_column_of_a_table_has_a_comment"
else
	echo "not ok every_column_of_a_table_has_a_comment"
	echo "$bad" | sed 's/^/# /'
fi

# By the user's sqlite3, which of some versions takes columns for others in a table
# WITHOUT ROWID whose key is not what comes first.
if ! command -v sqlite3 >/dev/null; then
	echo "skip sqlite3_finds_a_database_sound (no sqlite3)"
elif "$ap" analyze -i "$top/fixtures/debian-6.12.dat" -o "$tmp/f.db" 2>/dev/null
	found=$(sqlite3 "$tmp/f.db" 'PRAGMA integrity_check'); [ "$found" = ok ]; then
	echo "ok sqlite3_finds_a_database_sound"
else
	echo "not ok sqlite3_finds_a_database_sound"
	echo "$found" | head -3 | sed 's/^/# /'
fi
