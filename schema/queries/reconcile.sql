-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the kernel counted beside what was recorded: allocprof report --reconcile.
--
-- Memory, pages, areas, caches and call sites, a row for each recording: they are summed
-- and put in order as they come.
SELECT 'meminfo' AS section, item AS name, 'bytes' AS unit, kernel_bytes AS kernel_change,
	recorded_bytes AS recorded_change, difference_bytes AS difference, covers, 1 AS nr
FROM reconcile_meminfo
UNION ALL
SELECT 'vmstat', item, 'pages', kernel, recorded, difference, covers, 2
FROM reconcile_vmstat
UNION ALL
SELECT 'vmallocinfo', caller, 'bytes', kernel_bytes, recorded_bytes, difference_bytes, NULL, 3
FROM reconcile_vmalloc
UNION ALL
SELECT 'slabinfo', cache, 'objects', kernel_objects, recorded_objects, difference_objects, NULL, 4
FROM reconcile_caches
UNION ALL
SELECT 'allocinfo', site, 'bytes', kernel_bytes, recorded_bytes, difference_bytes, NULL, 5
FROM reconcile_sites
