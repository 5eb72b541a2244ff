-- SPDX-License-Identifier: GPL-2.0-or-later
-- Suspects for a leak, with the evidence: the rows of allocprof leaks.
-- :min=4096 call sites that hold so many bytes at the end, or more
-- :kinds='slab,page,percpu,vmalloc,any' these kinds only
-- :all=0 1: also what memory is explained, or the evidence is weak
--
-- Evidence is the sum of three shares: half for growing to the end, bucket by bucket,
-- without giving back; three tenths for the objects that were never freed, or, on a path
-- that frees most at once and forgets some, for growth that consists of such; two tenths
-- for survivors that are older than 99.9 % of those that were freed. A verdict of "certain"
-- asks for all of it, many times over, and a second half that grows as the first did.
-- What the kernel takes back by itself, and what is freed with a process or a file
-- system, is never called a leak; nor is what is freed without a trace.
WITH shares AS (
	SELECT c.id, c.kind, c.file, c.line, c.func, c.module, c.sym_off, c.sym_size, c.cache,
		c.net_bytes, c.net_calls, c.allocs, c.confidence, v.bytes_per_s, v.late_per_s, v.monotonicity,
		v.rises, v.falls, v.ended, v.p999_s, v.old, v.aged, v.age_max_s,
		iif(v.late_per_s > 0, max(v.monotonicity, 0) * min(1, v.rises / 16.0), 0) AS steady,
		min(1, max(0, 1.0 * c.net_calls / max(c.allocs, 1))) AS kept,
		CASE
		WHEN v.aged > 0 AND v.ended > 0 THEN 1.0 * v.old / v.aged
		WHEN v.aged > 0 AND coalesce(v.ended, 0) = 0 THEN 1.0
		ELSE 0
		END AS survivors
	FROM call_sites c
	CROSS JOIN _evidence(c.id) v
	WHERE c.net_bytes >= :min AND c.net_calls > 0
		AND _of_kind(:kinds, c.kind, 0, c.self)
), weighed AS (
	SELECT *, 0.5 * steady + 0.3 * max(kept, iif(ended >= 20, min(survivors, steady), 0)) +
		0.2 * survivors AS evidence
	FROM shares
), suspect AS MATERIALIZED (
	-- Of the others no verdict is shown.
	SELECT * FROM weighed WHERE :all OR evidence >= 0.5
), known AS (
	SELECT s.*, e.class, e.words AS class_words,
		(SELECT max(duration_s) FROM recording) AS duration_s
	FROM suspect s
	LEFT JOIN leak_sites e ON e.call_site = s.id
), judged AS (
	SELECT *, CASE
		WHEN confidence = 'invisible' THEN 'cannot tell'
		WHEN class IS NOT NULL THEN class
		WHEN evidence >= 0.95 AND rises >= 32 AND falls * 20 <= rises AND net_calls >= 64
			AND age_max_s >= duration_s / 2 AND confidence IN ('paired', 'inferred')
			AND late_per_s * 2 >= bytes_per_s
			THEN 'certain'
		WHEN evidence >= 0.75 AND rises >= 8 AND net_calls >= 16 THEN 'likely'
		WHEN evidence >= 0.5 THEN 'possible'
		ELSE 'unlikely'
		END AS verdict
	FROM known
)
SELECT
	verdict,
	round(evidence, 2) AS evidence,
	net_bytes, net_calls,
	cast(round(coalesce(late_per_s, 0)) AS INTEGER) AS growth_per_s,
	kind, file, line, func, module, sym_off, sym_size,
	CASE
	WHEN late_per_s > 0 AND monotonicity >= 0.9
		THEN printf('grows by %s a second to the end and hardly gave back', size(cast(late_per_s AS INTEGER)))
	WHEN late_per_s > 0
		THEN printf('grows by %s a second at the end, with falls between', size(cast(late_per_s AS INTEGER)))
	WHEN rises > 0 THEN printf('rose %s, and not at the end', iif(rises = 1, 'once', rises || ' times'))
	ELSE 'no growth is known'
	END ||
	printf('; %d of %d objects not freed', net_calls, allocs) ||
	CASE
	WHEN aged > 0 AND ended >= 20 THEN printf('; %d of them older than 99.9 %% of the freed ones ever got (%.3g s)', old, p999_s)
	WHEN aged > 0 AND coalesce(ended, 0) = 0 THEN '; none was ever freed'
	ELSE ''
	END ||
	CASE
	WHEN confidence = 'invisible' THEN '; but the kernel frees these without an event, so that they may be gone'
	WHEN class IS NOT NULL THEN '; but this is ' || class_words
	WHEN confidence = 'uncertain' THEN '; events are missing, so that some may have been freed'
	ELSE ''
	END AS why,
	cache, confidence, allocs, id AS call_site
FROM judged
WHERE :all OR verdict IN ('certain', 'likely', 'possible')
ORDER BY CASE verdict WHEN 'certain' THEN 0 WHEN 'likely' THEN 1 WHEN 'possible' THEN 2
		WHEN 'cannot tell' THEN 3 WHEN 'unlikely' THEN 5 ELSE 4 END,
	growth_per_s * evidence DESC, net_bytes DESC, id
