# SPDX-License-Identifier: GPL-2.0-or-later
# Per-CPU areas: cgroups, network namespaces, mounts.
grep -q memory /sys/fs/cgroup/cgroup.controllers ||
	{ echo "the kernel has no memory cgroups"; exit 77; }
echo +memory +pids +cpu >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null ||
	echo +memory +pids >/sys/fs/cgroup/cgroup.subtree_control
n=0
while [ $n -lt 60 ]; do
	mkdir /sys/fs/cgroup/go$n
	n=$((n + 1))
done
rmdir /sys/fs/cgroup/go*
n=0
while [ $n -lt 25 ]; do
	mkdir /sys/fs/cgroup/stay$n
	mkdir -p /tmp/m$n && mount -t tmpfs m$n /tmp/m$n
	n=$((n + 1))
done
sh -c 'echo $$ >/sys/fs/cgroup/stay1/cgroup.procs; dd if=/dev/zero of=/tmp/m1/f bs=64k count=50' \
	2>/dev/null
load netns 5
load hold netns 5
sleep 7
