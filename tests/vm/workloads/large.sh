# SPDX-License-Identifier: GPL-2.0-or-later
# kmalloc beyond the largest slab (traced twice), kvmalloc on both sides.
load writev 500
load fdtable 2000
load fdtable 30000
load sems 40
load msgs 100
load keys 20 30000
load uring 20
load hold fdtable 3000
load hold fdtable 60000
load hold sems 8 30000
load hold sems 20 700
load hold msgs 60 8000
load hold keys 10 15000
load hold uring 6 256
sleep 7
