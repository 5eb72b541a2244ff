# SPDX-License-Identifier: GPL-2.0-or-later
# Pages that move: the target of a migration has no allocation event.
load hold holes 60000
load hold anon 200 65536
n=0
while [ $n -lt 3 ]; do
	echo 1 >/proc/sys/vm/compact_memory
	n=$((n + 1))
done
echo 8 >/proc/sys/vm/nr_hugepages
sleep 1
echo 4 >/proc/sys/vm/nr_hugepages
sleep 1
