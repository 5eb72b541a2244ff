#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# allocprof leaks: a program that leaks sockets is found out, one that does not is
# not, on the kernel that runs now.
ap=${ALLOCPROF:?} leak=${BUILD:?}/tests/tools/leak
top=$(cd "$(dirname "$0")/../.." && pwd)
tracefs=$(sed -n 's/^[^ ]* \([^ ]*\) tracefs .*/\1/p' /proc/mounts | head -1)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME="$tmp/cache"

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' "$tmp/out" "$tmp/err" | head -20; fi
}
db="$tmp/debian.db"
"$ap" analyze -i "$top/fixtures/debian-6.12.dat" -o "$db" 2>"$tmp/err" || exit 1
"$ap" leaks -i "$db" >"$tmp/out" 2>"$tmp/err"
t a_recording_without_a_leak_has_no_certain_suspect [ $? = 0 -a -z "$(grep '^certain' "$tmp/out")" ]
"$ap" leaks -i "$db" --all --format csv >"$tmp/out" 2>"$tmp/err"
t all_shows_every_call_site_that_holds_enough [ "$(sed 1d "$tmp/out" | grep -c ,)" -ge \
	"$(sqlite3 "$db" "SELECT count(*) FROM call_sites WHERE net_bytes >= 4096 AND NOT self AND net_calls > 0")" ]
"$ap" leaks -i "$db" --all --min 1M --format csv >"$tmp/out" 2>"$tmp/err"
t min_leaves_the_small_ones_out [ "$(sed 1d "$tmp/out" | grep -c ,)" = \
	"$(sqlite3 "$db" "SELECT count(*) FROM call_sites WHERE net_bytes >= 1048576 AND NOT self AND net_calls > 0")" ]
"$ap" leaks -i "$db" --all --format json >"$tmp/out" 2>"$tmp/err"
t json_is_json sh -c "sqlite3 :memory: \"SELECT json_valid(readfile('$tmp/out'))\" | grep -q 1"
t page_cache_is_told_apart sh -c "grep -q 'page cache' '$tmp/out' || grep -q 'tmpfs' '$tmp/out'"
# NAME CLASS: what leak_kinds takes an object of that function or cache for.
kind_of() { sqlite3 "$db" "SELECT class || ':' || substr(words, 1, 6) FROM leak_kinds WHERE '$1' GLOB pattern ORDER BY rank LIMIT 1"; }
t inodes_of_file_systems_are_told_apart [ "$(kind_of ext4_alloc_inode) $(kind_of squashfs_inode_cache)" = "reclaimable:inodes reclaimable:inodes" ]
t inodes_of_tmpfs_are_its_files [ "$(kind_of shmem_alloc_inode) $(kind_of shmem_inode_cache)" = "reclaimable:files  reclaimable:files " ]
t inodes_of_sockets_are_sockets [ -z "$(kind_of sock_alloc_inode)$(kind_of sock_inode_cache)" ]
"$ap" leaks --kind heap >"$tmp/out" 2>"$tmp/err"; t a_wrong_kind_is_a_usage_error [ $? = 2 ]

if [ "$(id -u)" != 0 ] || [ ! -d "$tracefs/events/kmem/kmalloc" ]; then
	echo "skip leaks_of_this_kernel: not root, or no kmem events in tracefs"
	exit 0
fi
# WHAT [OPTION]: records while leak does it; -p: of all programs only it, since what
# others of this machine do meanwhile may be as suspect.
look() {
	"$leak" "$1" 5 & pid=$!
	"$ap" record ${2:+$2 $pid} -o "$tmp/$1.dat" -d 5.2 2>"$tmp/err" && "$ap" leaks -i "$tmp/$1.dat" >"$tmp/out" 2>>"$tmp/err"
	kill $pid; wait $pid 2>/dev/null
}
sockets='(sk_prot_alloc|sk_alloc|sock_alloc_inode)'
# Others that close many sockets just then hide it.
for try in 1 2 3; do
	look sockets
	grep -qE "^(certain|likely) .*$sockets" "$tmp/out" && break
done
t the_leak_is_found_out_among_all_that_is_done grep -qE "^(certain|likely) .*$sockets" "$tmp/out"
t it_is_said_why sh -c "grep -A1 -E '$sockets' '$tmp/out' | grep -q 'objects not freed'"
look some -p
t one_of_what_is_mostly_freed_comes_first sh -c "sed -n 2p '$tmp/out' | grep -qE '^(certain|likely) .*$sockets'"
look nothing -p
made=$(sqlite3 "$tmp/nothing.db" "SELECT sum(allocs) > 1000 FROM call_sites WHERE func GLOB 'sk_*alloc*' OR func = 'sock_alloc_inode'")
t sockets_that_are_closed_are_no_suspects [ "$made" = 1 -a -z "$(grep -E "$sockets" "$tmp/out")" ]
# A slab that it opens and others fill keeps its vector of owners.
t nothing_is_certain_where_nothing_leaks [ "$made" = 1 -a -z "$(grep '^certain' "$tmp/out" | grep -v alloc_slab_obj_exts)" ]
