# SPDX-License-Identifier: GPL-2.0-or-later
# Storms of mmap and munmap: maple nodes come and go in bulk and by RCU.
n=0
while [ $n -lt 6 ]; do
	load mmap 3000
	n=$((n + 1))
done
stress-ng --quiet --mmap 1 --mmap-ops 3 --mmap-bytes 2M --mremap 1 --mremap-ops 40 \
	--mremap-bytes 1M --timeout 8s
load hold mmap 4000
load hold mmap 800 65536
sleep 7
