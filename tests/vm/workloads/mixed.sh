# SPDX-License-Identifier: GPL-2.0-or-later
# A bit of everything a small server does, with children left alive.
mkdir -p /tmp/w && cd /tmp/w
i=0
while [ $i -lt 200 ]; do
	echo hello >f$i
	mkdir d$i
	ln -s x l$i
	i=$((i + 1))
done
dd if=/dev/zero of=big bs=64k count=200 2>/dev/null
stress-ng --quiet --pipe 1 --pipe-ops 2000 --sock 1 --sock-ops 30 --fork 1 --fork-ops 200 \
	--dentry 1 --dentry-ops 1000 --mmap 1 --mmap-ops 3 --mmap-bytes 4M --vm 1 --vm-bytes 16M --vm-ops 4 \
	--timeout 10s
i=0
while [ $i -lt 70 ]; do
	rm f$i
	i=$((i + 1))
done
load hold pipes 10
load hold tcp 5 20000
sleep 60 >/dev/null 2>&1 &
sleep 60 >/dev/null 2>&1 &
sleep 6
