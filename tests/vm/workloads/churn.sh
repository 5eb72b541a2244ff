# SPDX-License-Identifier: GPL-2.0-or-later
# Processes in all ways: exec, vfork, threads, namespaces, signals; some stay.
cd /tmp
n=0
while [ $n -lt 60 ]; do
	sh -c 'echo $$ | cat | sort | tail -1' >/dev/null
	n=$((n + 1))
done
stress-ng --quiet --vfork 1 --vfork-ops 300 --clone 1 --clone-ops 50 --exec 1 --exec-ops 40 \
	--sigq 1 --sigq-ops 2000 --poll 1 --poll-ops 500 --timeout 8s
unshare -m sh -c 'mount -t tmpfs t /mnt; echo x >/mnt/x; exit 0'
unshare -i -u -p -f true
unshare -m -i -u -n sleep 60 >/dev/null 2>&1 &
load threads 50
load hold threads 20
load hold epoll 50
(exec sleep 61 >/dev/null 2>&1) &
sh -c 'sleep 62 & sleep 63' >/dev/null 2>&1 &
sleep 6
