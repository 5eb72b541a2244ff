#!/bin/sh
# KernelShark's own library opens recordings, and finds every event.
ap=${ALLOCPROF:?}
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
tracing=/sys/kernel/tracing

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}

skip() { echo "skip kernelshark_finds_every_event: $1"; exit 0; }
pkg-config --exists libkshark 2>/dev/null || skip "no libkshark"
[ "$(id -u)" = 0 ] && [ -d $tracing/instances ] && [ -d $tracing/events/kmem/kmalloc ] ||
	skip "needs root and tracefs"
cat >rows.c <<'C'
#include <stdio.h>
#include "libkshark.h"

int main(int argc, char **argv)
{
	struct kshark_context *ctx = NULL;
	struct kshark_entry **rows = NULL;

	if (argc < 2 || !kshark_instance(&ctx))
		return 1;
	int stream = kshark_open(ctx, argv[1]);

	if (stream < 0)
		return 1;
	printf("%zd\n", kshark_load_entries(ctx, stream, &rows));
	return 0;
}
C
cc -o rows rows.c $(pkg-config --cflags --libs libkshark) 2>err || skip "cannot build against libkshark"

for how in -z1 -z0; do
	"$ap" record -o x.dat $how -d 0.5 sh -c 'while :; do cat /proc/self/stat; done' \
		>/dev/null 2>err
	events=$(sed -n 's/.*, \([0-9]*\) events (.*/\1/p' err)
	rows=$(./rows x.dat 2>>err)
	echo "# $events events, $rows rows" >>err
	t "kernelshark_finds_every_event_$how" [ "$events" -gt 1000 -a "$rows" = "$events" ]
done
