-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the kernel counted beside what was recorded: allocprof report --reconcile.
--
-- Memory, pages, areas, caches and call sites, those that differ most first. Those of
-- several recordings are summed.
SELECT section, name, unit, sum(kernel_change) AS kernel_change,
	sum(recorded_change) AS recorded_change, sum(difference) AS difference, covers
FROM (
	SELECT 1 AS nr, 'meminfo' AS section, item AS name, 'bytes' AS unit,
		kernel_bytes AS kernel_change, recorded_bytes AS recorded_change,
		difference_bytes AS difference, covers, row_number() OVER () AS place
	FROM reconcile_meminfo
	UNION ALL
	SELECT 2, 'vmstat', item, 'pages', kernel, recorded, difference, covers, NULL
	FROM reconcile_vmstat
	UNION ALL
	SELECT 3, 'vmallocinfo', caller, 'bytes', kernel_bytes, recorded_bytes, difference_bytes,
		NULL, NULL
	FROM reconcile_vmalloc
	UNION ALL
	SELECT 4, 'slabinfo', cache, 'objects', kernel_objects, recorded_objects,
		difference_objects, NULL, NULL
	FROM reconcile_caches
	UNION ALL
	SELECT 5, 'allocinfo', site, 'bytes', kernel_bytes, recorded_bytes, difference_bytes, NULL,
		NULL
	FROM reconcile_sites
)
GROUP BY nr, name, unit
ORDER BY nr, iif(nr = 1, min(place), -abs(sum(difference))),
	iif(nr = 1, 0, -abs(sum(kernel_change))), name
