-- SPDX-License-Identifier: GPL-2.0-or-later
-- Slab objects by where they were allocated and from where they were freed.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
-- :rows=-1 so many rows; -1: all
SELECT
	'slab' AS kind, sum(free_bytes) AS free_bytes, sum(frees) AS frees,
	free_func || coalesce(' ' || free_file || ':' || free_line, printf('+%#x', free_sym_off), '') ||
		coalesce(' [' || free_module || ']', '') AS freed_from,
	file, line, func, module, recording, call_site, sym_off, sym_size, self
FROM free_sites
WHERE instr(',' || :kinds || ',', ',slab,') AND self <= :self
GROUP BY call_site, recording, free_func, free_file, free_line, free_sym_off, free_module
ORDER BY sum(frees) DESC, call_site, freed_from, recording
LIMIT :rows
