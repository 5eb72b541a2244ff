# SPDX-License-Identifier: GPL-2.0-or-later
# A recording of each way in which the module leaky leaks, and one while it does not.
# Meanwhile a file grows in tmpfs, sockets come and go, and so do processes.
insmod /later/leaky.ko
(
	while :; do
		dd if=/dev/zero bs=64k count=1 2>/dev/null
		load tcp 2 200
	done
) >/tmp/growing &
other=$!
for way in none kmalloc object pages; do
	echo $way >/sys/module/leaky/parameters/leak
	allocprof record -a -o /out/leak-$way.dat -d 6
done
kill $other
