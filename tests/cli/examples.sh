#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each example of a man page runs: what is indented by a tab in its section
# EXAMPLES. Files that they name are made from the fixture; what would take long is
# cut short by stand-ins for sleep and tar and a shorter time to record; the
# kernel's account is a file of its form.
ap=${ALLOCPROF:?}
top=$(cd "$(dirname "$0")/../.." && pwd)
tracefs=$(sed -n 's/^[^ ]* \([^ ]*\) tracefs .*/\1/p' /proc/mounts | head -1)
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME="$tmp/cache" TMPDIR="$tmp"

mkdir "$tmp/bin" "$tmp/work" "$tmp/debug"
for quick in sleep tar; do
	printf '#!/bin/sh\nexec /bin/sleep 0.1\n' >"$tmp/bin/$quick"
done
cat >"$tmp/bin/allocprof" <<-EOF
	#!/bin/sh
	for word do
		shift
		[ "\$last" = -d ] || [ "\$last" = --settle ] && word=0.3
		last=\$word
		set -- "\$@" "\$word"
		# One that would record until it is told to stop.
		[ "\$word" != record ] || set -- "\$@" -d 0.3
	done
	exec $ap "\$@"
EOF
chmod +x "$tmp"/bin/*
cd "$tmp/work" || exit 1
for name in allocprof web a1 a2 a3 b1 b2 b3; do
	cp "$top/fixtures/debian-6.12.dat" $name.dat
done
# Those of other machines, for merge, which refuses one recording twice.
for name in web1 web2 db1 base new; do
	"$ap" analyze -i "$top/fixtures/debian-6.12.dat" -o $name.db 2>/dev/null || exit 1
	sqlite3 $name.db "UPDATE _recording SET hostname = '$name', input = '/srv/$name.dat',
		start_unix_ns = start_unix_ns + random() % 1000000" || exit 1
done
cat >"$tmp/account" <<-'EOF'
	allocinfo - version: 1.0
	#     <size>  <calls> <tag info>
	    4096        1 mm/filemap.c:1950 func:__filemap_get_folio
	  106496       13 kernel/fork.c:312 func:alloc_thread_stack_node
EOF

examples() { # PAGE: its examples, one a line, lines of one joined by a bell
	awk '/^== EXAMPLES/ { on = 1; next } /^== / { on = 0 }
		on && /^\t/ { text = text (text == "" ? "" : "\007") substr($0, 2); next }
		text != "" { print text; text = "" }
		END { if (text != "") print text }' "$1"
}

nr=0
for page in "$top"/Documentation/man/*.adoc; do
	name=$(basename "$page" .adoc)
	examples "$page" >"$tmp/list"
	# Those that record write over it.
	cp "$top/fixtures/debian-6.12.dat" allocprof.dat
	while IFS= read -r line <&3; do
		nr=$((nr + 1))
		text=$(printf '%s\n' "$line" | tr '\007' '\n' | sed "s|/proc/allocinfo|$tmp/account|g; s|/srv/debug|$tmp/debug|g; s|/usr/local/lib/allocprof/allocprof|${BUILD:?}/allocprof|")
		test="example_${nr}_of_$(printf %s "$name" | tr -c 'a-z0-9\n' _)"
		case $text in
		*"allocprof record"* | *"allocprof top"*)
			if [ "$(id -u)" != 0 ] || [ ! -d "$tracefs/events/kmem/kmalloc" ]; then
				echo "skip $test: not root, or no kmem events in tracefs"
				continue
			fi ;;
		esac
		case $text in
		*"allocprof top --sort growth") text="$text --batch -n 1 -d 1" ;;
		esac
		# As a user would: on a terminal's line each, the status that of the last.
		PATH="$tmp/bin:$PATH" timeout 60 sh -c "$text" >"$tmp/out" 2>"$tmp/err" </dev/null
		status=$?
		# diff(1) has 1 for "they differ"; doctor and grep have theirs.
		if [ $status -le 1 ] && ! grep -q '^allocprof: ' "$tmp/err" && { [ -s "$tmp/out" ] || [ -s "$tmp/err" ]; }; then
			echo "ok $test"
		else
			echo "not ok $test"
			printf '%s\n' "$text" "status $status" | cat - "$tmp/err" | sed 's/^/# /'
		fi
	done 3<"$tmp/list"
done
if [ $nr -ge 20 ]; then echo "ok there_are_examples"; else echo "not ok there_are_examples"; fi
