# SPDX-License-Identifier: GPL-2.0-or-later
# The workload of tests/vm/debian: a module from before (veth), one that comes
# (nbd), one that comes and goes (xfs). Notes where the code of each was.
place()
{
	for section in .text .init.text; do
		[ ! -e /sys/module/$1/sections/$section ] ||
			echo "$1 $section $(cat /sys/module/$1/sections/$section)" >>/out/sections
	done
}
place veth
i=0
while [ $i -lt 20 ]; do
	ip link add type veth
	i=$((i + 1))
done
insmod /later/nbd.ko nbds_max=8
place nbd
insmod /later/xfs.ko
place xfs
sleep 1
rmmod xfs
load tcp 20 5000
load hold stream 20 3000
load threads 50
sleep 1
