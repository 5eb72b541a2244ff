# SPDX-License-Identifier: GPL-2.0-or-later
# Objects freed through RCU: no tracepoint fires when they go.
load timerfd 4000
load epoll 2000
load netns 8
load hold timerfd 300
load hold epoll 200
load hold netns 4
# The drain timer of kfree_rcu is 5 s.
sleep 8
