# SPDX-License-Identifier: GPL-2.0-or-later
# File pages on tmpfs and on ext4: written, read, truncated, dropped, kept.
grep -qw ext4 /proc/filesystems || { echo "the kernel has no ext4"; exit 77; }
mkdir -p /tmp/w /mnt && cd /tmp/w
dd if=/dev/zero of=big bs=64k count=300 2>/dev/null
cp big copy
rm big
n=0
while [ $n -lt 300 ]; do
	dd if=/dev/zero of=s$n bs=3000 count=3 2>/dev/null
	n=$((n + 1))
done
mount -t ext4 /dev/vda /mnt || exit 1
tar cf /mnt/tree.tar /bin /lib 2>/dev/null
mkdir /mnt/x && tar xf /mnt/tree.tar -C /mnt/x
cat /mnt/x/bin/* >/dev/null
sync
echo 3 >/proc/sys/vm/drop_caches
cat /mnt/tree.tar >/dev/null
rm -r /mnt/x
cd /mnt && load xattrs 100 && load hold xattrs 100
sync
sleep 2
