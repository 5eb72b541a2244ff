-- SPDX-License-Identifier: GPL-2.0-or-later
-- What dominates, what grows and what is doubtful, a line each: the end of allocprof report.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Sentences, not figures to compute with: those are in the views that it asks. A place
-- is put into words only where it wins.
WITH doubt AS MATERIALIZED (
	SELECT (SELECT coalesce(sum(lost_events), 0) FROM recording) AS lost,
		(SELECT coalesce(sum(value), 0) FROM quality WHERE name = 'lost_gaps') AS gaps,
		coalesce(sum(iif(confidence = 'uncertain', net_bytes, 0)), 0) AS uncertain,
		coalesce(sum(iif(confidence = 'invisible', net_bytes, 0)), 0) AS invisible,
		coalesce(sum(confidence = 'invisible'), 0) AS invisible_sites,
		coalesce(sum(net_upper_bytes - net_lower_bytes), 0) AS width,
		max(iif(kind <> 'vmalloc', net_bytes, 0)) AS most,
		max(net_bytes) AS most_of_any
	FROM call_sites
	WHERE _of_kind(:kinds, kind, :self, self)
), steady AS (
	SELECT call_site, sum(late_bytes_per_s) AS per_s
	FROM growth
	WHERE late_bytes_per_s > 0 AND monotonicity >= 0.5 AND rises >= 3
		AND _of_kind(:kinds, kind, :self, self)
	-- Few are left, which are sorted sooner than all rows are read by way of the index.
	GROUP BY +call_site
), winner AS (
	SELECT 'top' AS of, c.id AS id, c.net_bytes AS figure
	FROM call_sites c, doubt d
	-- The memory of vmalloc is pages.
	WHERE c.net_bytes = iif(d.most > 0, d.most, d.most_of_any) AND c.net_bytes > 0
		AND (c.kind <> 'vmalloc' OR d.most <= 0)
		AND _of_kind(:kinds, c.kind, :self, c.self)
	UNION ALL
	SELECT 'grown', call_site, per_s
	FROM steady
	WHERE per_s = (SELECT max(per_s) FROM steady)
), named AS (
	SELECT w.of, w.figure, c.kind, coalesce(c.file || ':' || c.line || ' ', '') || c.func ||
		iif(c.file IS NULL, coalesce(printf('+%#x', c.sym_off), ''), '') ||
		coalesce(' [' || c.module || ']', '') AS place
	FROM winner w
	CROSS JOIN call_sites c ON c.id = w.id
)
SELECT text
FROM (
	SELECT 1 AS nr, coalesce((SELECT printf('%s holds most: %s, %d %% of %s.',
		place, size(figure), round(100.0 * figure /
			(SELECT sum(t.net_bytes) FROM totals t WHERE t.kind = n.kind AND t.self <= :self)),
		iif(kind = 'any', 'all', 'what kind ' || kind || ' holds'))
		FROM named n WHERE of = 'top' ORDER BY place LIMIT 1),
		'Nothing that was allocated is left.') AS text
	UNION ALL
	SELECT 2, coalesce((SELECT printf('%s grows most steadily to the end: by %s a second.', place,
		size(cast(figure AS INTEGER))) FROM named WHERE of = 'grown' ORDER BY place LIMIT 1),
		'Nothing grows steadily to the end.')
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
