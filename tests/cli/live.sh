#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# record --analyze and top: what is matched while it is recorded is what the
# recording gives afterwards, and nothing stays behind. Needs root and tracefs.
ap=${ALLOCPROF:?}
tracefs=$(sed -n 's/^[^ ]* \([^ ]*\) tracefs .*/\1/p' /proc/mounts | head -1)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME="$tmp/cache" TMPDIR="$tmp"
cd "$tmp" || exit 1

if [ "$(id -u)" != 0 ] || [ ! -d "$tracefs/events/kmem/kmalloc" ]; then
	echo "skip live: not root, or no kmem events in tracefs"
	exit 0
fi
t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
# Instances of recorders that are gone; others may be at work.
left() {
	ls -d "$tmp"/*.part "$tmp"/allocprof-top.* 2>/dev/null
	for i in "$tracefs"/instances/allocprof.*; do
		pid=${i##*/allocprof.}
		[ ! -d "$i" ] || [ -d "/proc/${pid%%.*}" ] || echo "$i"
	done
}
load='i=0; while [ $i -lt 400 ]; do : | cat; i=$((i + 1)); done'
# All that the views say, but for what names the analysis itself.
content() {
	sqlite3 "$1" .dump | grep -v -e '^INSERT INTO _recording ' -e '^PRAGMA'
}

"$ap" record --analyze -o both.dat -- sh -c "$load; sleep 1.5; $load" 2>err
t record_analyze_ends_with_success [ $? = 0 ]
t the_recording_is_kept_with_o [ -s both.dat -a -s both.db ]
"$ap" analyze -i both.dat -o again.db 2>>err
content both.db >one; content again.db >two
t the_database_is_that_of_the_recording cmp -s one two
t it_counts_the_same_events [ "$(sqlite3 both.db 'SELECT events FROM recording')" = \
	"$(sqlite3 again.db 'SELECT events FROM recording')" ]
cp both.db before.db
"$ap" report -i both.dat -n 1 >out 2>>err
t report_takes_the_database_that_is_there cmp -s both.db before.db

# What only the end of a recording tells must count here, too.
"$ap" record --analyze -o lossy.dat -m 16K -- sh -c "find /usr/share >/dev/null & $load; wait; sleep 1.2; $load" >/dev/null 2>err
"$ap" analyze -i lossy.dat -o again.db 2>>err
content lossy.db >one; content again.db >two
t so_it_is_where_events_were_lost cmp -s one two
[ "$(sqlite3 lossy.db 'SELECT lost_events > 0 FROM recording')" = 1 ] || echo "# nothing was lost"

"$ap" record --analyze -- sh -c "$load" 2>err
t without_o_only_the_database_stays [ -s allocprof.db -a ! -e allocprof.dat ]
"$ap" report -n 3 >out 2>>err
t the_database_alone_can_be_reported grep -q '^Events .*none lost' out
t it_says_nothing_of_an_unfinished_recording [ -z "$(grep -i 'not finished' out)" ]
cp both.dat allocprof.dat
"$ap" report -n 1 >out 2>err
t a_database_without_recording_is_not_overwritten [ $? = 1 -a -n "$(grep 'name one of them' err)" ]
rm allocprof.dat
t nothing_stays_behind_a_recording [ -z "$(left)" ]

"$ap" record --analyze -o alone.db -- sh -c "$load" 2>err; ls alone* >out
t o_may_name_the_database_alone [ "$(cat out)" = alone.db -a "$(sqlite3 alone.db 'SELECT events > 0 FROM recording')" = 1 ]

"$ap" record --analyze -d 30 2>err & pid=$!
sleep 3; kill -INT $pid; wait $pid
t an_interrupt_ends_it_with_a_database [ $? = 0 -a -s allocprof.db ]
t nothing_stays_behind_an_interrupt [ -z "$(left)" ]

"$ap" top --batch -n 3 -d 0.3 >out 2>err
t top_prints_as_many_tables_as_asked [ $? = 0 -a "$(grep -c '^allocprof top - ' out)" = 3 ]
t top_has_its_columns grep -q '^ *NET  *CALLS  *GROWTH/s  *ALLOCS/s  *BYTES/s  *KIND  *SITE' out
"$ap" top -b -n 1 -d 0.5 --kind page --sort rate -r 4 >out 2>err
t top_shows_the_kind_that_was_asked_for [ -z "$(sed 1,4d out | awk '$6 != "page"')" ]
t top_sorts_by_rate sh -c "sed 1,4d out | awk '{ print \$4 }' | sort -rnc"
t top_keeps_to_its_rows [ "$(sed 1,4d out | wc -l)" -le 4 ]
"$ap" top --sort nonsense >out 2>err; t a_wrong_key_is_a_usage_error [ $? = 2 ]
"$ap" top -b -d 20 >out 2>err & pid=$!
sleep 1; kill -TERM $pid; wait $pid
t a_signal_ends_top [ $? = 0 ]
if command -v script >/dev/null; then
	(sleep 1; printf r; sleep 1; printf q) |
		script -qec "$ap top -d 0.3" /dev/null >out 2>err
	t keys_sort_and_end_it [ $? = 0 -a -n "$(grep 'Sorted by rate' out)" ]
else
	echo "skip keys_sort_and_end_it: there is no script(1)"
fi
t nothing_stays_behind_top [ -z "$(left)" ]
