-- SPDX-License-Identifier: GPL-2.0-or-later
-- Free memory by zone and order at both ends, and how much of it is in smaller blocks.
-- :order=0 of this order of pages and larger ones
-- :recording='' only this recording
-- :host='' only this machine
-- :rows=-1 so many rows; -1: all
--
-- Unusable is the share of a zone's free memory that no block of this order can be taken
-- from, as the kernel's unusable free space index has it: 0, any is; 1, none is. From
-- /proc/buddyinfo as it was at the start and at the end.
WITH named AS (
	SELECT recording, host, at_start, at_end,
		CAST(substr(key, 6, instr(key, ',') - 6) AS INTEGER) AS node,
		substr(key, instr(key, ' zone ') + 6, instr(key, ' order ') - instr(key, ' zone ') - 6) AS zone,
		CAST(substr(key, instr(key, ' order ') + 7) AS INTEGER) AS page_order
	FROM snapshot_values
	WHERE name = 'buddyinfo'
		AND _of_recording(:recording, :host, recording)
), pages AS (
	SELECT *,
		1.0 * sum(at_start << page_order) OVER whole AS free_start,
		1.0 * sum(at_end << page_order) OVER whole AS free_end,
		sum(at_start << page_order) OVER larger AS large_start,
		sum(at_end << page_order) OVER larger AS large_end
	FROM named
	WINDOW whole AS (PARTITION BY recording, node, zone),
		larger AS (PARTITION BY recording, node, zone ORDER BY page_order DESC)
)
SELECT
	node, zone, page_order,
	at_start AS free_blocks_start, at_end AS free_blocks_end,
	round(1 - large_start / free_start, 3) AS unusable_start,
	round(1 - large_end / free_end, 3) AS unusable_end,
	recording, host
FROM pages
WHERE page_order >= :order
ORDER BY recording, node, zone, page_order
LIMIT :rows
