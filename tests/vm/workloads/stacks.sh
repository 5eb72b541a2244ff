# SPDX-License-Identifier: GPL-2.0-or-later
# Thread stacks: vmalloc areas filled with pages by a silent bulk allocation,
# and stacks that the kernel keeps for the next thread.
load threads 300
load hold threads 60
load hold threads 40
load threads 100
sleep 2
