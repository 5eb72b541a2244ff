-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the kernel counted beside what was recorded: allocprof report --reconcile.
--
-- Memory, caches and call sites, those that differ most first.
SELECT section, name, unit, kernel_change, recorded_change, difference, covers
FROM (
	SELECT 1 AS nr, 'meminfo' AS section, item AS name, 'bytes' AS unit,
		kernel_bytes AS kernel_change, recorded_bytes AS recorded_change,
		difference_bytes AS difference, covers
	FROM reconcile_meminfo
	UNION ALL
	SELECT 2, 'slabinfo', cache, 'objects', kernel_objects, recorded_objects,
		difference_objects, NULL
	FROM reconcile_caches
	UNION ALL
	SELECT 3, 'allocinfo', site, 'bytes', kernel_bytes, recorded_bytes, difference_bytes, NULL
	FROM reconcile_sites
)
ORDER BY nr, iif(nr = 1, 0, -abs(difference)), iif(nr = 1, 0, -abs(kernel_change)), iif(nr = 1, '', name)
