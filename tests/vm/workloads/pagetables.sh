# SPDX-License-Identifier: GPL-2.0-or-later
# Process trees and their page tables; the tables are freed in batches by RCU.
load pagetables 3000
load forks 6
n=0
while [ $n -lt 100 ]; do
	/bin/true
	n=$((n + 1))
done
load hold forks 5
load hold pagetables 1500
load hold anon 300 65536
sleep 3
