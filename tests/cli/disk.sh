#!/bin/sh
# A disk that fills and one that fails, a small file system on a loop device: the
# recording ends there, what there was can be read, and nothing is left behind.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'umount "$tmp/mnt" 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
value() { "$ap" sql -i x.db --format csv "$1" 2>>err | tail -1; }
skip() { echo "skip a_full_disk_ends_the_recording: $1"; exit 0; }

[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] ||
	skip "needs root and tracefs"
mkdir mnt
disk() { # SIZE: a new one
	umount mnt 2>/dev/null
	rm -f img; truncate -s "$1" img
	mkfs.ext4 -q -F img 2>err && mount -o loop,errors=remount-ro img mnt 2>err
}
disk 16M || skip "no loop-mounted file systems"
load() { while :; do cat /proc/self/status /proc/self/maps; done >/dev/null; }
load & load=$!
trap 'kill $load; umount "$tmp/mnt" 2>/dev/null; rm -rf "$tmp"' EXIT
ours() { ls -d $tracing/instances/allocprof."$pid".* 2>/dev/null; }
run() { # OPTION...: a recording to the disk; sets status
	"$ap" record -o mnt/x.dat -m 1M "$@" 2>err & pid=$!
	wait $pid; status=$?
}

for how in -z0 "-z0 --flight 60" "-z0 --rotate 3M"; do
	mode=$(echo "$how" | tr -d ' -' | tr . _)
	disk 16M
	run $how -d 20
	t "a_full_disk_ends_the_recording_$mode" [ $status = 1 -a -n "$(grep 'the disk is full' err)" ]
	t "it_is_said_in_one_line_$mode" [ "$(grep -c 'disk is full' err)" -le 2 ]
	t "no_instance_is_left_$mode" [ -z "$(ours)" ]
	rm -f x.db
	"$ap" analyze -i mnt/x.dat -o x.db 2>>err
	t "what_was_recorded_is_read_$mode" [ $? = 0 -a "$(value 'SELECT events FROM recording')" -gt 10000 ]
done

# Compressed it is full when the file is put together, or when a chunk is written.
disk 6M
run -z1 -d 20
t a_full_disk_ends_a_compressed_recording [ $status = 1 -a -n "$(grep 'the disk is full' err)" ]
rm -f x.db; "$ap" analyze -i mnt/x.dat -o x.db 2>>err
t and_its_chunks_are_read [ $? = 0 -a "$(value 'SELECT events FROM recording')" -gt 10000 ]

# A disk that is full from the start.
disk 16M
dd if=/dev/zero of=mnt/fill bs=4096 2>/dev/null
run -d 1
t no_room_at_all_is_an_error [ $status = 1 ]
t nothing_is_left_there [ ! -e mnt/x.dat -a ! -e mnt/x.dat.part -a -z "$(ours)" ]

# A file system that is shut down fails all that follows, and has on disk what was there
# when the power went.
cat >shutdown.c <<'C'
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	uint32_t without_log = 2;

	return argc < 2 || ioctl(open(argv[1], O_RDONLY), _IOR('X', 125, uint32_t), &without_log);
}
C
cc -o shutdown shutdown.c 2>err || skip "no compiler"
for how in -z0 -z1 "-z0 --flight 60" "-z1 --rotate 0.4"; do
	mode=$(echo "$how" | tr -d ' -' | tr . _)
	disk 300M
	"$ap" record -o mnt/x.dat -m 1M $how -d 20 2>err & pid=$!
	until [ -e mnt/x.dat.part/meta ]; do sleep 0.05; done
	sleep 1.5; sync mnt/* mnt/x.dat.part/* 2>/dev/null; sleep 0.3
	./shutdown mnt || { echo "skip a_disk_that_fails_is_an_error_$mode: it cannot be shut down"; kill $pid; wait $pid; continue; }
	wait $pid; status=$?
	t "a_disk_that_fails_is_an_error_$mode" [ $status = 1 -a -n "$(grep 'Input/output error' err)" ]
	t "no_instance_is_left_on_it_$mode" [ -z "$(ours)" ]
	# Of a copy: whoever still uses the file system makes mount give it back as it is.
	umount mnt && cp --sparse=always img again && mount -o loop again mnt
	rm -f x.db
	"$ap" analyze -i mnt/x.dat -o x.db 2>>err
	t "what_was_on_it_is_read_$mode" [ $? = 0 -a "$(value 'SELECT events FROM recording')" -gt 10000 ]
done
