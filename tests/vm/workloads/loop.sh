# SPDX-License-Identifier: GPL-2.0-or-later
# File systems on top of one another: ext4 on a loop device on tmpfs, an overlay
# on it, directories, links and names that come and go, huge pages, swap.
for type in ext4 overlay; do
	grep -qw $type /proc/filesystems || { echo "the kernel has no $type"; exit 77; }
done
mkdir -p /tmp/i /tmp/l /tmp/u /tmp/wk /tmp/o
mount -t ext4 /dev/vda /tmp/l
dd if=/dev/zero of=/tmp/l/swap bs=64k count=300 2>/dev/null
mkswap /tmp/l/swap >/dev/null 2>&1
swapon /tmp/l/swap
dd if=/dev/vda of=/tmp/image bs=64k count=512 2>/dev/null
mkdir /tmp/l/lower && cp /bin/busybox /tmp/l/lower/
mount -t overlay over -o lowerdir=/tmp/l/lower,upperdir=/tmp/u,workdir=/tmp/wk /tmp/o
echo >>/tmp/o/busybox
cd /tmp/o
n=0
while [ $n -lt 200 ]; do
	mkdir d$n && echo $n >d$n/file && ln d$n/file d$n/other && mv d$n/file d$n/name
	n=$((n + 1))
done
rm -r d1?
cd /tmp/l
stress-ng --quiet --dir 1 --dir-ops 200 --link 1 --link-ops 100 --rename 1 --rename-ops 500 \
	--xattr 1 --xattr-ops 50 --timeout 6s
rm -rf tmp-*
load hold memfd 20
swapoff /tmp/l/swap
n=0
while [ $n -lt 8 ]; do
	losetup /dev/loop$n /tmp/image 2>/dev/null
	n=$((n + 1))
done
losetup -d /dev/loop1
losetup -d /dev/loop2
echo 3 >/proc/sys/vm/nr_hugepages
sync
sleep 3
