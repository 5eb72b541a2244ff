# SPDX-License-Identifier: GPL-2.0-or-later
# As rcu, but the recording ends while freed objects still wait for RCU.
load timerfd 3000
load hold timerfd 200
load epoll 1500
