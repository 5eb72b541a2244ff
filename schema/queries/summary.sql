-- SPDX-License-Identifier: GPL-2.0-or-later
-- What dominates, what grows and what is doubtful, a line each: the end of allocprof report.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Sentences, not figures to compute with: those are in the views that it asks.
WITH site AS (
	SELECT c.*, coalesce(c.file || ':' || c.line || ' ', '') || c.func ||
		iif(c.file IS NULL, coalesce(printf('+%#x', c.sym_off), ''), '') ||
		coalesce(' [' || c.module || ']', '') AS place
	FROM call_sites c
	WHERE instr(',' || :kinds || ',', ',' || c.kind || ',') AND c.self <= :self
), kind_net AS (
	SELECT kind, sum(net_bytes) AS net FROM site GROUP BY kind
), top AS (
	SELECT s.place, s.kind, s.net_bytes, k.net
	FROM site s JOIN kind_net k ON k.kind = s.kind
	WHERE s.net_bytes > 0
	-- Its memory is pages.
	ORDER BY s.kind = 'vmalloc', s.net_bytes DESC, s.place LIMIT 1
), grown AS (
	SELECT s.place, s.kind, sum(g.late_bytes_per_s) AS per_s
	FROM growth g JOIN site s ON s.id = g.call_site
	WHERE g.late_bytes_per_s > 0 AND g.monotonicity >= 0.5 AND g.rises >= 3
	GROUP BY s.id
	ORDER BY per_s DESC, s.place LIMIT 1
), doubt AS (
	SELECT (SELECT coalesce(sum(lost_events), 0) FROM recording) AS lost,
		(SELECT coalesce(sum(value), 0) FROM quality WHERE name = 'lost_gaps') AS gaps,
		coalesce(sum(iif(confidence = 'uncertain', net_bytes, 0)), 0) AS uncertain,
		coalesce(sum(iif(confidence = 'invisible', net_bytes, 0)), 0) AS invisible,
		coalesce(sum(confidence = 'invisible'), 0) AS invisible_sites,
		coalesce(sum(net_upper_bytes - net_lower_bytes), 0) AS width
	FROM site
)
SELECT text
FROM (
	SELECT 1 AS nr, coalesce((SELECT printf('%s holds most: %s, %d %% of %s.',
		place, size(net_bytes), round(100.0 * net_bytes / net),
		iif(kind = 'any', 'all', 'what kind ' || kind || ' holds')) FROM top),
		'Nothing that was allocated is left.') AS text
	UNION ALL
	SELECT 2, coalesce((SELECT printf('%s grows most steadily to the end: by %s a second.', place,
		size(cast(per_s AS INTEGER))) FROM grown), 'Nothing grows steadily to the end.')
	UNION ALL
	SELECT 3, CASE
	WHEN NOT EXISTS (SELECT 1 FROM recording WHERE recorder IS NULL OR recorder NOT LIKE '/proc/%') THEN
		printf('These are the kernel''s own figures; %s of them it calls inaccurate itself.',
			iif(uncertain, size(uncertain), 'none'))
	WHEN lost OR gaps THEN printf('Events are missing: what lives is known within %s; %s of it lived through a gap.',
		size(width), size(uncertain))
	WHEN invisible_sites THEN printf('No event is missing. Of %d call sites the frees cannot be seen: %s that seem to live may be gone.',
		invisible_sites, size(invisible))
	ELSE printf('No event is missing; what lives is known within %s.', size(width))
	END FROM doubt
)
ORDER BY nr
