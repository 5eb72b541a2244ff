#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is no good as input, or no place for output: one line that says what to do,
# exit status 1, and nothing half made.
top=$(cd "$(dirname "$0")/../.." && pwd)
ap=${ALLOCPROF:?} mkrec=${BUILD:?}/tests/tools/mkrec
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" && cd "$tmp" || exit 1

t() { # NAME CONDITION...: one test
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' err; fi
}
run() { "$ap" "$@" >out 2>err; status=$?; }
# TEXT: status 1, one line that holds it, and no file named x.*
refused() {
	[ $status = 1 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] && grep -qF -- "$1" err &&
		[ -z "$(ls -d x.* 2>/dev/null)" ]
}

run report; t no_recording_says_how_to_make_one refused "make one with 'allocprof record'"
run analyze; t so_does_analyze refused "make one with 'allocprof record'"
echo hello >text; run analyze -i text -o x.db
t a_text_is_no_recording refused "not a trace.dat"
: >empty; run analyze -i empty -o x.db; t an_empty_file_is_no_recording refused "is empty"
run analyze -i . -o x.db; t a_directory_is_no_recording refused "is a directory"
run analyze -i /dev/null -o x.db; t a_device_is_no_recording refused "/dev/null"

"$mkrec" whole.dat || exit 1
size=$(stat -c %s whole.dat)
bad=
for n in 1 9 10 11 100 500 $((size / 2)) $((size - 1000)) $((size - 1)); do
	head -c $n whole.dat >cut.dat
	run analyze -i cut.dat -o x.db
	if [ $status = 0 ]; then
		# What is missing is told, where so much can be read.
		"$ap" sql -i x.db "SELECT text FROM notes" | grep -q "cut short" || bad="$bad $n"
		rm -f x.db
	else
		refused cut.dat || bad="$bad $n"
	fi
done
t a_recording_cut_short_is_told_or_refused [ -z "$bad" ]

# A page in the middle costs that page; the rest is analyzed.
cp "$top/fixtures/debian-6.12.dat" damaged.dat && chmod u+w damaged.dat
printf '\377\377\377\377\377\377\377\377' | dd of=damaged.dat bs=1 seek=200000 conv=notrunc 2>err
run analyze -i damaged.dat -o damaged.db
q() { "$ap" sql -i damaged.db --format csv "$1" | tail -n +2; }
t a_damaged_page_costs_that_page [ $status = 0 -a "$(q 'SELECT events FROM recording')" -gt 50000 ]
t a_damaged_page_counts_as_loss [ "$(q 'SELECT lost_gaps > 0 FROM recording')" = 1 \
	-a "$(q "SELECT count(*) FROM notes WHERE text LIKE '%would not decode%'")" = 1 ]

# The format of an uncompressed file, with a field of another name.
"$mkrec" plain.dat plain && sed 's/field:unsigned long pfn;/field:unsigned long nfp;/g' plain.dat >nofield.dat
run analyze -i nofield.dat -o x.db; t a_format_without_a_needed_field_is_named refused "pfn"

sed 's/^[0-9a-f]*/0000000000000000/' >zeros <<-EOF
	ffffffff81000000 T _text
	ffffffff81000010 T do_thing
EOF
run analyze -i whole.dat -o x.db --kallsyms zeros
t kallsyms_full_of_zeros_say_how_to_read_them refused "kptr_restrict"
printf 'ffffffff81000000 T _stext\nffffffff810001xx T broken\n' >symbols
run analyze -i whole.dat -o damaged.db --kallsyms symbols
t lines_of_kallsyms_that_are_none_are_told [ "$status" = 0 -a \
	"$(q "SELECT count(*) FROM notes WHERE text LIKE 'kallsyms: lines that are no symbols: 1;%'")" = 1 ]
# So does a recorder without CAP_SYSLOG, and it is a recording all the same.
LC_ALL=C sed 's/[0-9a-f]\{16\} \([A-Za-z]\) /0000000000000000 \1 /g' plain.dat >hidden.dat
run analyze -i hidden.dat -o damaged.db
t a_recording_without_addresses_is_analyzed [ "$status" = 0 -a "$(q 'SELECT events > 0 FROM recording')" = 1 \
	-a "$(q "SELECT count(*) FROM notes WHERE text LIKE '%without addresses%'")" = 1 ]
run analyze -i whole.dat -o x.db --vmlinux "$ap"
t the_vmlinux_of_another_kernel_is_refused refused "give the vmlinux of that build, or none"
run analyze -i whole.dat -o x.db --vmlinux text; t a_vmlinux_that_is_none_is_refused refused "not an ELF file"

if [ "$(id -u)" != 0 ]; then
	echo "skip full_disks_and_permissions: needs root"
	exit 0
fi
setpriv --reuid 65534 --clear-groups "$ap" record -o /tmp/x.$$.dat true >out 2>err; status=$?
t recording_without_permission_says_sudo refused "run it with sudo"
cp whole.dat readonly.dat; mkdir closed
setpriv --reuid 65534 --clear-groups "$ap" analyze -i readonly.dat -o closed/x.db >out 2>err; status=$?
t an_unwritable_place_is_told refused "closed/: cannot write"
cp whole.dat closed/
for command in report leaks "sql totals" "diff closed/whole.dat"; do
	# shellcheck disable=SC2086
	case $command in diff*) set -- $command closed/whole.dat ;; *) set -- $command -i closed/whole.dat ;; esac
	TMPDIR=/tmp setpriv --reuid 65534 --clear-groups "$ap" "$@" >out 2>err
	status=$?
	t "beside_it_${1}_keeps_no_database" [ $status = 0 -a -s out -a -n "$(grep 'not kept: closed/: cannot write' err)" \
		-a -z "$(ls closed/*.db /tmp/allocprof-?????? 2>/dev/null)" ]
done
rm closed/whole.dat
if unshare -m mount -t tmpfs -o size=64k none closed 2>/dev/null; then
	unshare -m sh -c "mount -t tmpfs -o size=64k none closed &&
		'$ap' analyze -i damaged.dat -o closed/x.db; status=\$?; ls closed; exit \$status" >out 2>err
	status=$?; t a_full_disk_leaves_no_database refused "no space left"
else
	echo "skip a_full_disk_leaves_no_database: cannot mount"
fi
