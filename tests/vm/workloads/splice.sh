# SPDX-License-Identifier: GPL-2.0-or-later
# Pipes, splice, tee: pages allocated in bulk and passed on by reference.
load splice 500
load splice 100 49152
load pipes 500
load pipes 50 1048576
load hold splice 40
load hold pipes 30 20000
load hold pipes 3 524288
sleep 1
