-- SPDX-License-Identifier: GPL-2.0-or-later
-- What dominates, what grows and what is doubtful, a line each: the end of allocprof report.
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :self=0 1: what the recorder did, too
--
-- Sentences, not figures to compute with: those are in the views that it asks.
WITH part AS MATERIALIZED (
	SELECT * FROM _summary
	WHERE _of_kind(:kinds, kind, :self, self)
), doubt AS MATERIALIZED (
	SELECT (SELECT coalesce(sum(lost_events), 0) FROM recording) AS lost,
		(SELECT coalesce(sum(value), 0) FROM quality WHERE name = 'lost_gaps') AS gaps,
		coalesce(sum(uncertain), 0) AS uncertain,
		coalesce(sum(invisible), 0) AS invisible,
		coalesce(sum(invisible_sites), 0) AS invisible_sites,
		coalesce(sum(width), 0) AS width,
		max(iif(kind <> 'vmalloc', most, 0)) AS most,
		max(most) AS most_of_any
	FROM part
), named AS (
	SELECT 'top' AS of, p.most AS figure, p.kind AS kind, p.top AS place
	FROM part p, doubt d
	-- The memory of vmalloc is pages.
	WHERE p.most = iif(d.most > 0, d.most, d.most_of_any) AND p.most > 0
		AND (p.kind <> 'vmalloc' OR d.most <= 0)
	UNION ALL
	SELECT 'grown', per_s, kind, grown
	FROM part
	WHERE per_s = (SELECT max(per_s) FROM part)
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
	WHEN NOT EXISTS (SELECT 1 FROM recording WHERE coalesce(snapshots, 0) = 0) THEN
		printf('These are the kernel''s own figures; %s of them it calls inaccurate itself.',
			iif(uncertain, size(uncertain), 'none'))
	WHEN lost OR gaps THEN printf('Events are missing: what lives is known within %s; %s of it lived through a gap.',
		size(width), size(uncertain))
	WHEN EXISTS (SELECT 1 FROM notes WHERE text LIKE 'the recording is not finished%') THEN
		printf('The last events are missing, since the recording is not finished; until then what lives is known within %s.',
			size(width))
	WHEN invisible_sites THEN printf('No event is missing. Of %d call site%s the frees cannot be seen: %s that seem to live may be gone.',
		invisible_sites, iif(invisible_sites = 1, '', 's'), size(invisible))
	ELSE printf('No event is missing; what lives is known within %s.', size(width))
	END FROM doubt
)
ORDER BY nr
