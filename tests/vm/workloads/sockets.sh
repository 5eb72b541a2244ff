# SPDX-License-Identifier: GPL-2.0-or-later
# Socket buffers of all sizes in both directions, read and unread.
load stream 300 200
load stream 100 60000
load dgram 300 3000
load tcp 200 400
load tcp 60 100000
load udp 300 900
stress-ng --quiet --sock 1 --sock-ops 60 --udp 1 --udp-ops 2000 --timeout 10s
load hold stream 40 300
load hold stream 20 50000
load hold dgram 20 2000
load hold tcp 20 700
load hold tcp 10 200000
load hold udp 20 1400
sleep 7
