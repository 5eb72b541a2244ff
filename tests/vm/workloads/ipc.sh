# SPDX-License-Identifier: GPL-2.0-or-later
# What processes share: segments, files of memory, queues, watches, timers, rings.
cd /tmp
load memfd 200
load shm 60 30000
load inotify 300
load timers 1000
load packet 20
load aio 30
stress-ng --quiet --mq 1 --mq-ops 2000 --shm 1 --shm-ops 20 --shm-bytes 1M --eventfd 1 --eventfd-ops 2000 \
	--sigfd 1 --sigfd-ops 1000 --inotify 1 --inotify-ops 20 --key 1 --key-ops 100 \
	--seccomp 1 --seccomp-ops 50 --timeout 8s
load hold memfd 40
load hold shm 10 100000
load hold inotify 150
load hold timers 400
load hold packet 5
load hold packet 2 262144
load hold aio 12 512
sleep 7
