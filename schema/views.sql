-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The interface for queries. A later version adds views, and columns at the end
-- of a view; it does not change or remove what is here. The comments are the
-- manual: allocprof-schema(5) is made of them. Views whose names start with an
-- underscore are parts of others and private.

-- Memory per place in the source, and the first view to ask. One row per kind,
-- file, line, function and module (and, where no debug information tells the
-- line, per offset into the function); where the recorder itself allocated, what
-- it did is a row of its own, with self = 1. Kinds overlap: slab objects and percpu
-- areas lie in pages that kind page counts again, and vmalloc is address space,
-- whose memory is pages. Do not add kinds up. In a database of several recordings
-- (allocprof merge) a row sums them all; raw_sites tells them apart.
CREATE VIEW call_sites AS
SELECT
	2 * c.id + r.self AS id,   -- number of the call site, for joins
	c.kind AS kind,            -- slab, page, percpu or vmalloc; any: /proc/allocinfo does not tell
	c.file AS file,            -- source file, relative to the kernel tree; NULL: not known
	c.line AS line,            -- line in it; NULL: not known
	c.func AS func,            -- function, or an address in hexadecimal
	c.module AS module,        -- kernel module; NULL: the kernel itself
	iif(count(r.cache) = count(*) AND min(r.cache) = max(r.cache), min(r.cache), NULL)
		AS cache,              -- slab cache, when all objects are of one
	sum(r.net_bytes) AS net_bytes, -- bytes allocated in the recording and live at its end
	sum(r.net_calls) AS net_calls, -- objects live at the end; pages: blocks, and the pages of split ones
	sum(r.alloc_bytes) AS alloc_bytes, -- bytes allocated in the recording
	sum(r.allocs) AS allocs,   -- objects allocated in the recording
	sum(r.frees) AS frees,     -- of those, objects with a free event of their own
	sum(r.bytes_req) AS bytes_req, -- bytes asked for; percpu: for one CPU
	iif(c.kind = 'slab', sum(r.alloc_bytes) - sum(r.bytes_req), 0)
		AS waste_bytes,        -- slab: bytes allocated beyond those asked for, else 0
	sum(r.peak_bytes) AS peak_bytes, -- most bytes live at a time; with raw_sites > 1 the sum of
	                           -- their peaks, which is an upper bound
	sum(r.failures) AS failures, -- allocations that returned nothing
	sum(r.reuse_frees + r.slab_page_frees + r.overlap_frees + r.area_frees +
		r.rcu_frees)
		AS inferred_frees,     -- objects whose free left no event: their memory was used anew
	sum(r.reuse_bytes + r.slab_page_bytes + r.overlap_bytes + r.area_bytes +
		r.rcu_bytes)
		AS inferred_bytes,     -- bytes of those
	sum(r.unknown_frees) AS unknown_frees, -- slab: frees made from here of objects that were
	                           -- allocated before the recording, or unseen
	sum(r.uncertain_calls) AS uncertain_calls, -- live objects that lived across lost events, so
	                           -- that their free may have been lost
	sum(r.uncertain_bytes) AS uncertain_bytes, -- bytes of those
	sum(r.missing_stacks) AS missing_stacks, -- allocations whose stack went missing
	min(r.first_ns - m.start_ns) / 1e9 AS first_s, -- first event, seconds since the start
	max(r.last_ns - m.start_ns) / 1e9 AS last_s, -- last event, seconds since the start
	iif(min(r.recording) = max(r.recording), min(r.first_ns), NULL)
		AS first_ns,           -- first event, ns of the recording's clock; NULL: of several
	iif(min(r.recording) = max(r.recording), max(r.last_ns), NULL)
		AS last_ns,            -- last event, ns of the recording's clock; NULL: of several
	iif(min(r.resolved_by) = max(r.resolved_by), min(r.resolved_by), 'mixed')
		AS resolved_by,        -- what names the place: dwarf (file and line), kallsyms
	                           -- (function and offset), nothing (no symbol there), none (no
	                           -- address was recorded), tag (/proc/allocinfo), mixed
	iif(min(r.attributed_by) = max(r.attributed_by), min(r.attributed_by), 'mixed')
		AS attributed_by,      -- why this frame: chain (first outside the allocator), callee
	                           -- (a wrapper that was called here), opaque (allocator only),
	                           -- nothing, tag (/proc/allocinfo), mixed
	count(*) AS raw_sites,     -- addresses or stacks folded into this row
	c.sym_off AS sym_off,      -- without file: offset into the function, bytes
	c.sym_size AS sym_size,    -- without file: size of the function, bytes
	sum(r.preexisting_frees) AS preexisting_frees, -- objects made here before the recording and
	                           -- freed in it: an estimate, by who freed them; not in any net figure
	sum(r.preexisting_bytes) AS preexisting_freed_bytes, -- bytes of those
	nullif(rtrim(rtrim(c.file, replace(c.file, '/', '')), '/'), '')
		AS subsystem,          -- directory of the file in the kernel tree, such as fs/ext4
	sum(r.lower_bytes) AS net_lower_bytes, -- least that net_bytes can be in truth
	sum(r.upper_bytes) AS net_upper_bytes, -- most that net_bytes can be in truth
	sum(r.lower_calls) AS net_lower_calls, -- least that net_calls can be
	sum(r.upper_calls) AS net_upper_calls, -- most that net_calls can be
	CASE
	WHEN sum(r.reuse_frees + r.slab_page_frees + r.overlap_frees) >= 2 AND
		16 * sum(r.frees + r.rcu_frees) <= sum(r.reuse_frees + r.slab_page_frees + r.overlap_frees)
		THEN 'invisible'
	WHEN max(r.weight) > 1 THEN 'sampled'
	WHEN sum(r.upper_calls - r.net_calls + r.uncertain_calls) > 0 THEN 'uncertain'
	WHEN sum(r.reuse_frees + r.slab_page_frees + r.overlap_frees + r.area_frees +
		r.rcu_frees) > 0 THEN 'inferred'
	ELSE 'paired'
	END AS confidence,         -- how sure net_bytes is: paired (a free event ended what ended),
	                           -- inferred (of some the end is inferred), uncertain (events are
	                           -- missing), sampled (an estimate: net_se_bytes), invisible (the kernel frees these objects without an
	                           -- event: what seems to live need not)
	r.self AS self,            -- 1: by tasks of the recorder, not in interrupts; 0: by all others
	iif(min(r.recording) = max(r.recording), min(r.recording), NULL)
		AS recording,          -- the recording; NULL: a sum of several
	iif(count(m.hostname) = count(*) AND min(m.hostname) = max(m.hostname), min(m.hostname), NULL)
		AS host,               -- name of the recorded machine; NULL: several, or not known
	max(r.weight) AS weight,   -- of a sampled recording: the most that something counted stands for
	sum(r.net_bytes / r.weight) AS sampled_net_bytes, -- net_bytes as counted: estimates are this times weight
	CAST(sqrt(sum(r.net_bytes_var)) AS INTEGER) AS net_se_bytes, -- standard error of net_bytes by sampling
	CAST(sqrt(sum(r.net_calls_var)) AS INTEGER) AS net_se_calls, -- the same of net_calls
	CAST(sqrt(sum(r.alloc_bytes_var)) AS INTEGER) AS alloc_se_bytes, -- the same of alloc_bytes
	sum(r.rcu_pending_calls) AS rcu_pending_calls, -- of net_calls, objects that RCU was about to free
	sum(r.rcu_pending_bytes) AS rcu_pending_bytes -- bytes of those
FROM _callsite c
JOIN _raw_site r ON r.callsite = c.id
JOIN _recording m ON m.id = r.recording
GROUP BY c.id, r.self;

-- The recordings: one row, or several in a database that allocprof merge made.
CREATE VIEW recording AS
SELECT
	release,                   -- kernel release, as uname -r prints it
	machine,                   -- architecture, as uname -m prints it
	hostname,                  -- name of the recorded machine
	kernel_build_id,           -- build-id of the recorded kernel, hexadecimal
	cpus,                      -- CPUs recorded
	page_size,                 -- bytes of a page of memory
	clock,                     -- trace clock of the events
	start_ns,                  -- start, ns of that clock: begin of the recording or first event
	end_ns,                    -- end, ns of that clock: end of the recording or last event
	(end_ns - start_ns) / 1e9 AS duration_s, -- length, seconds
	start_unix_ns,             -- start, ns since 1970-01-01 UTC; NULL: not recorded
	end_unix_ns,               -- end, ns since 1970-01-01 UTC; NULL: not recorded
	events,                    -- events read, of all types
	lost_events,               -- events lost, as the kernel counted them; where it did not, the
	                           -- least it can be
	(SELECT q.value FROM _quality q WHERE q.name = 'lost_gaps' AND q.recording = _recording.id)
		AS lost_gaps,          -- places where events are missing
	recorder,                  -- program that recorded, and its version
	input,                     -- absolute path of the recording
	input_bytes,               -- its size, bytes
	input_mtime_ns,            -- when it was last written, ns since 1970-01-01 UTC
	input_format,              -- its container
	options,                   -- options of the analysis that change its answer, one a line
	vmlinux,                   -- file whose debug information was used; NULL: none
	vmlinux_build_id,          -- build-id of that file, hexadecimal
	analyzer,                  -- version of the analyzer
	id AS recording,           -- its number, as in the other views
	hostname AS host,          -- as hostname
	sample,                    -- recorded was one in so many chunks of memory; NULL: all
	filters,                   -- which allocations were recorded, a condition a line; NULL: all
	(from_ns - start_ns) / 1e9 AS from_s, -- all figures are of a window that begins here, seconds since
	                           -- the start; NULL: of the start
	(to_ns - start_ns) / 1e9 AS to_s, -- … and ends here; NULL: at the end
	recorder LIKE '/proc/%' AS snapshots -- 1: made of snapshots of /proc/allocinfo, not of events
FROM _recording;

-- Sums per kind, the recorder's own (self = 1) apart, and how sure they are. Of the bytes allocated, exact_bytes +
-- inferred_bytes + uncertain_bytes is all.
CREATE VIEW totals AS
SELECT
	kind,                      -- slab, page, percpu or vmalloc
	count(*) AS call_sites,    -- call sites
	sum(net_bytes) AS net_bytes, -- bytes allocated in the recording and live at its end
	sum(net_calls) AS net_calls, -- objects live at the end
	sum(alloc_bytes) AS alloc_bytes, -- bytes allocated
	sum(allocs) AS allocs,     -- objects allocated
	sum(frees) AS frees,       -- objects with a free event of their own
	sum(failures) AS failures, -- allocations that returned nothing
	sum(alloc_bytes - inferred_bytes - uncertain_bytes)
		AS exact_bytes,        -- bytes of objects that a free event ended, or that plainly live
	sum(inferred_bytes) AS inferred_bytes, -- bytes of objects whose end is inferred
	sum(uncertain_bytes) AS uncertain_bytes, -- bytes of objects that lived across lost events
	sum(inferred_frees) AS inferred_frees, -- objects whose end is inferred
	sum(unknown_frees) AS unknown_frees, -- slab: frees of objects not known
	sum(preexisting_frees) AS preexisting_frees, -- objects older than the recording, freed in it and
	                           -- charged to a call site: an estimate
	sum(preexisting_freed_bytes) AS preexisting_freed_bytes, -- bytes of those
	self,                      -- 1: what the recorder did itself
	iif(count(recording) = count(*) AND min(recording) = max(recording), min(recording), NULL)
		AS recording,          -- the recording; NULL: a sum of several
	iif(count(host) = count(*) AND min(host) = max(host), min(host), NULL)
		AS host                -- name of the recorded machine; NULL: several, or not known
FROM call_sites
GROUP BY kind, self;

-- Every doubt that was counted.
CREATE VIEW quality AS
SELECT
	name,                      -- name of the counter
	value,                     -- its value
	unit,                      -- what is counted: events, bytes, …
	meaning,                   -- what it counts, and what that does to the figures
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM _quality
ORDER BY id;

-- What the trace itself tells apart, before it is folded into call_sites: a
-- return address for slab and percpu, a stack for page and vmalloc.
CREATE VIEW raw_sites AS
SELECT
	r.id AS id,                -- number of the raw site, for joins with frames
	2 * r.callsite + r.self AS call_site, -- id in call_sites
	c.kind AS kind,            -- as in call_sites
	r.address AS address,      -- return address, signed; NULL where the key is a stack
	iif(r.address IS NULL, NULL, printf('0x%016x', r.address)) AS address_hex, -- the same, to read
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	r.cache AS cache,          -- slab cache, when all objects are of one
	r.net_bytes AS net_bytes,  -- bytes live at the end
	r.net_calls AS net_calls,  -- objects live at the end
	r.alloc_bytes AS alloc_bytes, -- bytes allocated
	r.allocs AS allocs,        -- objects allocated
	r.frees AS frees,          -- objects with a free event of their own
	r.free_bytes AS free_bytes, -- bytes that free events gave back
	r.bytes_req AS bytes_req,  -- bytes asked for; percpu: for one CPU
	r.peak_bytes AS peak_bytes, -- most bytes live at a time
	r.peak_ns AS peak_ns,      -- when that was first reached, ns of the recording's clock
	r.failures AS failures,    -- allocations that returned nothing
	r.missing_stacks AS missing_stacks, -- allocations whose stack went missing
	r.reuse_frees AS reuse_frees, -- objects inferred freed: their address was allocated again
	r.reuse_bytes AS reuse_bytes, -- bytes of those
	r.slab_page_frees AS slab_page_frees, -- objects inferred freed: their slab page went back
	r.slab_page_bytes AS slab_page_bytes, -- bytes of those
	r.overlap_frees AS overlap_frees, -- blocks inferred freed: their pages were allocated again
	r.overlap_bytes AS overlap_bytes, -- bytes of those
	r.unknown_frees AS unknown_frees, -- frees made from here of objects not known
	r.unknown_free_bytes AS unknown_free_bytes, -- bytes of those; 0 where the kernel does not tell
	r.uncertain_calls AS uncertain_calls, -- live objects that lived across lost events
	r.uncertain_bytes AS uncertain_bytes, -- bytes of those
	r.first_ns AS first_ns,    -- first event, ns of the recording's clock
	r.last_ns AS last_ns,      -- last event, ns of the recording's clock
	r.resolved_by AS resolved_by, -- as in call_sites
	r.attributed_by AS attributed_by, -- as in call_sites
	r.preexisting_frees AS preexisting_frees, -- older objects freed: a share of the call site's
	r.preexisting_bytes AS preexisting_freed_bytes, -- bytes of those
	r.area_frees AS area_frees, -- pages inferred freed: their vmalloc area was freed
	r.area_bytes AS area_bytes, -- bytes of those
	r.rcu_frees AS rcu_frees,  -- objects inferred freed: RCU had them for longer than it takes
	r.rcu_bytes AS rcu_bytes,  -- bytes of those
	r.rcu_pending_calls AS rcu_pending_calls, -- live objects that RCU was about to free
	r.rcu_pending_bytes AS rcu_pending_bytes, -- bytes of those
	r.caller_depth AS caller_depth, -- depth in frames of what called the frame that is charged,
	                           -- perhaps one past the last; NULL: no frames
	nullif(rtrim(rtrim(c.file, replace(c.file, '/', '')), '/'), '')
		AS subsystem,          -- as in call_sites
	r.lower_bytes AS net_lower_bytes, -- least that net_bytes can be in truth
	r.upper_bytes AS net_upper_bytes, -- most; one of a call site's has the share of all
	r.lower_calls AS net_lower_calls, -- least that net_calls can be
	r.upper_calls AS net_upper_calls, -- most, likewise
	r.self AS self,            -- as in call_sites
	r.recording AS recording,  -- of which recording
	(SELECT m.hostname FROM _recording m WHERE m.id = r.recording) AS host, -- name of the recorded machine
	r.weight AS weight,        -- all but failures is what was counted times this
	CAST(sqrt(r.net_bytes_var) AS INTEGER) AS net_se_bytes -- of its call site; one raw site has it, others 0
FROM _raw_site r
JOIN _callsite c ON c.id = r.callsite;

-- The stacks, inlined functions expanded.
CREATE VIEW frames AS
SELECT
	s.raw_site AS raw_site,    -- id in raw_sites
	s.depth AS depth,          -- 0 is innermost
	f.func AS func,            -- function, or an address in hexadecimal
	f.file AS file,            -- source file, relative to the kernel tree; NULL: not known
	f.line AS line,            -- line in it; NULL: not known
	f.module AS module,        -- kernel module; NULL: the kernel itself
	f.inlined AS inlined,      -- 1: inlined into the frame of the next depth
	f.address AS address,      -- return address, signed
	printf('0x%016x', f.address) AS address_hex, -- the same, to read
	f.sym_off AS sym_off,      -- offset into the symbol there, bytes
	f.sym_size AS sym_size     -- size of that symbol, bytes
FROM _raw_frame s
JOIN _frame f ON f.id = s.frame;

-- The ring buffer of each CPU, as the kernel counted at the end.
CREATE VIEW cpus AS
SELECT
	cpu,                       -- number of the CPU
	read_events,               -- events read
	overrun + commit_overrun + dropped AS lost_events, -- events lost: the three below
	overrun,                   -- events overwritten before they were read
	commit_overrun,            -- events that nested interrupts left no room for
	dropped,                   -- events that found the buffer full
	entries,                   -- events left in the buffer, not read
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM _cpu;

-- Texts of /proc from the start and the end of the recording.
CREATE VIEW snapshots AS
SELECT
	name,                      -- file in /proc
	at,                        -- start or end
	text,                      -- its content
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM _snapshot;

-- What the user should know about this analysis.
CREATE VIEW notes AS
SELECT
	text,                      -- one line
	recording,                 -- on which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM _note
ORDER BY id;

-- The numbers in those texts. A key that a file has twice is summed.
CREATE VIEW snapshot_values AS
SELECT
	name,                      -- file in /proc: meminfo, vmstat, zoneinfo, buddyinfo, vmallocinfo,
	                           -- slabinfo, allocinfo
	key,                       -- as the file has it: a field, a cache, a call site; zoneinfo: "Node N, zone
	                           -- NAME" and the field; buddyinfo: "Node N, zone NAME order N"; vmallocinfo:
	                           -- the function that asked for areas
	unit,                      -- bytes; allocinfo: bytes and calls, and inaccurate_bytes for those of
	                           -- the bytes that the kernel marks so; slabinfo: objects (active ones)
	                           -- and object_bytes (of one object); vmallocinfo: bytes (without guard
	                           -- pages) and areas; vmstat and zoneinfo: count; buddyinfo: blocks (free)
	sum(iif(at = 'start', value, 0)) AS at_start, -- value at the start; 0: none
	sum(iif(at = 'end', value, 0)) AS at_end, -- value at the end; 0: none
	sum(iif(at = 'end', value, -value)) AS change, -- by how much it grew
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM _snapshot_value
WHERE (recording, name) IN
	(SELECT recording, name FROM _snapshot GROUP BY recording, name HAVING count(*) = 2)
GROUP BY recording, name, key, unit;

-- Files of /proc of which a recording has the numbers of its start and its end.
CREATE VIEW _compared AS
SELECT
	s.recording AS recording,  -- number of the recording
	s.name AS name             -- file in /proc
FROM _snapshot s
GROUP BY s.recording, s.name
HAVING count(*) = 2 AND EXISTS
	(SELECT 1 FROM _snapshot_value v WHERE v.name = s.name AND v.recording = s.recording);

-- Which memory of a recording a field of /proc/meminfo counts: that of raw sites
-- with one of these functions in their frames. The only list of them. Functions
-- that the compiler inlined are found by debug information only, so that what
-- they are inlined into is listed too.
CREATE VIEW reconcile_functions AS
SELECT
	column1 AS item,           -- field of /proc/meminfo
	column2 AS kind,           -- kind of the raw sites
	column3 AS func            -- function in their frames
FROM (VALUES
	('Slab', 'page', 'alloc_slab_page'), ('Slab', 'page', 'allocate_slab'),
	('Slab', 'page', 'new_slab'), ('Slab', 'page', '___kmalloc_large_node'),
	('Slab', 'page', '__kmalloc_large_node'), ('Slab', 'page', '__kmalloc_large_node_noprof'),
	('Slab', 'page', '__kmalloc_large_noprof'), ('Slab', 'page', 'kmalloc_large'),
	('Slab', 'page', 'kmalloc_large_node'),
	('PageTables', 'page', 'pte_alloc_one'), ('PageTables', 'page', '__pte_alloc'),
	('PageTables', 'page', '__pmd_alloc'), ('PageTables', 'page', '__pud_alloc'),
	('PageTables', 'page', '__p4d_alloc'), ('PageTables', 'page', 'pgd_alloc'),
	('PageTables', 'page', '_pgd_alloc'), ('PageTables', 'page', 'pmd_alloc_one'),
	('PageTables', 'page', 'pud_alloc_one'),
	('KernelStack', 'vmalloc', 'alloc_thread_stack_node'),
	('KernelStack', 'vmalloc', 'dup_task_struct'), ('KernelStack', 'vmalloc', 'copy_process'),
	('Percpu', 'page', 'pcpu_alloc_pages'), ('Percpu', 'page', 'pcpu_alloc_pages.constprop.0'),
	('Percpu', 'page', 'pcpu_populate_chunk'), ('Percpu', 'page', 'pcpu_create_chunk'),
	('VmallocUsed', 'vmalloc', '__vmalloc_area_node'),
	('VmallocUsed', 'vmalloc', '__vmalloc_node_range'),
	('VmallocUsed', 'vmalloc', '__vmalloc_node_range_noprof'),
	('AnonPages', 'page', 'do_anonymous_page'), ('AnonPages', 'page', 'alloc_anon_folio'),
	('AnonPages', 'page', 'wp_page_copy'), ('AnonPages', 'page', 'do_cow_fault'),
	('AnonPages', 'page', 'do_huge_pmd_anonymous_page'),
	('AnonPages', 'page', 'vma_alloc_anon_folio_pmd'),
	('Cached', 'page', '__filemap_get_folio'), ('Cached', 'page', '__filemap_get_folio_mpol'),
	('Cached', 'page', 'page_cache_ra_unbounded'), ('Cached', 'page', 'page_cache_ra_order'),
	('Cached', 'page', 'ra_alloc_folio'), ('Cached', 'page', 'do_read_cache_folio'),
	('Cached', 'page', 'filemap_create_folio'), ('Cached', 'page', 'shmem_alloc_folio'),
	('Cached', 'page', 'shmem_alloc_and_add_folio')
);

-- How much of the change in the fields of /proc/meminfo the recording explains.
-- What it counts was allocated in the recording: what was freed of older memory
-- is in the kernel's figure only, except for MemFree and where its call site is known. The kernel keeps some of its
-- figures per CPU and adds them up late, so that a few hundred KiB mean nothing.
CREATE VIEW reconcile_meminfo AS
WITH named AS MATERIALIZED (
	-- Few frames are of these functions.
	SELECT f.id AS frame, x.item AS item, x.kind AS kind
	FROM _frame f
	CROSS JOIN reconcile_functions x ON x.func = f.func
	WHERE f.func IN (SELECT func FROM reconcile_functions)
		AND EXISTS (SELECT 1 FROM _compared WHERE name = 'meminfo')
), site AS MATERIALIZED (
	SELECT DISTINCT n.item AS item, s.raw_site AS raw_site
	FROM (SELECT 1 FROM named LIMIT 1)
	CROSS JOIN _raw_frame s
	CROSS JOIN named n ON n.frame = s.frame
	CROSS JOIN _raw_site t ON t.id = s.raw_site
	CROSS JOIN _callsite c ON c.id = t.callsite AND c.kind = n.kind
	WHERE s.frame IN (SELECT frame FROM named)
), recorded AS (
	SELECT m.item AS item, r.recording AS recording,
		sum(r.net_bytes - r.preexisting_bytes) AS bytes
	FROM site m
	CROSS JOIN _raw_site r ON r.id = m.raw_site
	GROUP BY m.item, r.recording
	UNION ALL
	-- Slabs of caches that can be reclaimed are asked for as such.
	SELECT iif(a.migratetype = 2, 'SReclaimable', 'SUnreclaim'), r.recording,
		sum(a.alloc_bytes - a.free_bytes - a.inferred_bytes)
	FROM (SELECT 1 FROM site WHERE item = 'Slab' LIMIT 1)
	CROSS JOIN _account a
	CROSS JOIN _raw_site r ON r.id = a.raw_site
	WHERE a.raw_site IN (SELECT raw_site FROM site WHERE item = 'Slab')
	GROUP BY 1, r.recording
	UNION ALL
	SELECT 'MemFree', m.id,
		(SELECT coalesce(sum(value), 0) FROM _quality
			WHERE name = 'unknown_free_bytes_page' AND recording = m.id) -
		(SELECT coalesce(sum(r.net_bytes), 0) FROM _callsite c
			JOIN _raw_site r ON r.callsite = c.id
			WHERE c.kind = 'page' AND r.recording = m.id)
	FROM _recording m
)
SELECT
	i.column1 AS item,         -- field of /proc/meminfo
	v.change AS kernel_bytes,  -- by how much it changed
	coalesce(r.bytes, 0) AS recorded_bytes, -- by how much the recording says
	coalesce(r.bytes, 0) - v.change AS difference_bytes, -- recorded less kernel
	i.column2 AS covers,       -- what is compared, and what is not in it
	v.recording AS recording,  -- of which recording
	v.host AS host             -- name of the recorded machine
FROM (VALUES
	('Slab', 'pages of slabs and of large kmallocs (SReclaimable + SUnreclaim)'),
	('SReclaimable', 'pages of slabs of caches that can be reclaimed'),
	('SUnreclaim', 'pages of other slabs, and of large kmallocs'),
	('PageTables', 'page tables of processes; those of the kernel itself are not in the field'),
	('KernelStack', 'stacks from vmalloc; freed ones that a CPU keeps are in the recording only'),
	('Percpu', 'pages behind percpu chunks'),
	('VmallocUsed', 'areas with pages of their own, with the size of the area'),
	('AnonPages', 'pages of page faults; not those that were swapped in or migrated'),
	('Cached', 'pages read, written or in tmpfs, also those that only a buffer head holds'),
	('MemFree', 'all pages, those freed of older memory too; pages on lists per CPU are not free')
) i
JOIN snapshot_values v ON v.name = 'meminfo' AND v.key = i.column1
LEFT JOIN recorded r ON r.item = i.column1 AND r.recording = v.recording;

-- What /proc/vmstat counts that happens to pages, whoever they are for.
CREATE VIEW reconcile_vmstat AS
SELECT
	item,                      -- line of /proc/vmstat; pgalloc: the sum of those for each zone
	kernel,                    -- by how much it grew: pages
	recorded,                  -- what was recorded, pages
	recorded - kernel AS difference, -- recorded less kernel
	covers,                    -- what is compared
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM (
	SELECT 'pgalloc' AS item, sum(v.change) AS kernel,
		(SELECT coalesce(sum(r.alloc_bytes), 0) FROM _callsite c
			JOIN _raw_site r ON r.callsite = c.id
			WHERE c.kind = 'page' AND r.recording = m.id) / m.page_size AS recorded,
		'pages allocated, also in bulk' AS covers, m.id AS recording
	FROM _recording m
	JOIN snapshot_values v ON v.recording = m.id AND v.name = 'vmstat' AND v.key LIKE 'pgalloc\_%' ESCAPE '\'
	GROUP BY m.id
	UNION ALL
	SELECT 'pgfree', v.change,
		((SELECT coalesce(sum(r.alloc_bytes - r.net_bytes), 0) FROM _callsite c
			JOIN _raw_site r ON r.callsite = c.id
			WHERE c.kind = 'page' AND r.recording = m.id) +
		(SELECT coalesce(sum(value), 0) FROM _quality
			WHERE name = 'unknown_free_bytes_page' AND recording = m.id)) / m.page_size,
		'pages freed, those of older memory too', m.id
	FROM _recording m
	JOIN snapshot_values v ON v.recording = m.id AND v.name = 'vmstat' AND v.key = 'pgfree'
	UNION ALL
	SELECT 'pgmigrate_success', v.change,
		(SELECT coalesce(sum(value), 0) FROM _quality
			WHERE name = 'moved_pages' AND recording = m.id),
		'pages whose content moved; without probes nothing tells', m.id
	FROM _recording m
	JOIN snapshot_values v ON v.recording = m.id AND v.name = 'vmstat' AND
		v.key = 'pgmigrate_success'
);

-- Areas of /proc/vmallocinfo by the function that it names. That is the nearest in
-- the stack of a recorded area that the file knows; which one the kernel takes
-- depends on what its compiler inlined.
CREATE VIEW reconcile_vmalloc AS
WITH known AS MATERIALIZED (
	SELECT f.id AS frame
	FROM _frame f
	WHERE f.func IN (SELECT v.key FROM _snapshot_value v WHERE v.name = 'vmallocinfo')
),
caller AS (
	SELECT s.raw_site AS raw_site, s.frame AS frame, min(s.depth)
	-- Few raw sites are of the kind; their frames lie together.
	FROM (SELECT 1 FROM known LIMIT 1)
	CROSS JOIN _raw_site r
	CROSS JOIN _callsite c ON c.id = r.callsite AND c.kind = 'vmalloc'
	CROSS JOIN _raw_frame s ON s.raw_site = r.id
	WHERE s.frame IN (SELECT frame FROM known)
	GROUP BY s.raw_site
)
SELECT
	caller,                    -- function that asked for the areas
	sum(kernel_bytes) AS kernel_bytes, -- by how much they grew, without guard pages
	sum(kernel_areas) AS kernel_areas, -- by how many
	sum(recorded_bytes) AS recorded_bytes, -- the same by the recording
	sum(recorded_areas) AS recorded_areas, -- the same by the recording
	sum(recorded_bytes) - sum(kernel_bytes) AS difference_bytes, -- recorded less kernel
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM (
	SELECT key AS caller, iif(unit = 'bytes', change, 0) AS kernel_bytes,
		iif(unit = 'areas', change, 0) AS kernel_areas, 0 AS recorded_bytes, 0 AS recorded_areas,
		recording
	FROM snapshot_values WHERE name = 'vmallocinfo'
	UNION ALL
	SELECT coalesce((SELECT f.func FROM _frame f WHERE f.id = k.frame), r.func, '[unknown]'), 0, 0,
		r.net_bytes - r.preexisting_freed_bytes, r.net_calls - r.preexisting_frees, r.recording
	FROM raw_sites r
	LEFT JOIN caller k ON k.raw_site = r.id
	WHERE r.kind = 'vmalloc' AND
		r.recording IN (SELECT recording FROM _compared WHERE name = 'vmallocinfo')
)
GROUP BY recording, caller
HAVING sum(kernel_bytes) <> 0 OR sum(kernel_areas) <> 0 OR sum(recorded_bytes) <> 0 OR
	sum(recorded_areas) <> 0;

-- The same per slab cache, of those that changed or that the recording names. The
-- kernel's count of active objects has those too that CPUs keep for the next
-- allocation, some dozens of each cache. The recording names the cache of a call
-- site only where an event told it, which none does for kmalloc.
CREATE VIEW reconcile_caches AS
SELECT
	cache,                     -- slab cache
	sum(kernel) AS kernel_objects, -- change in active objects
	sum(recorded) AS recorded_objects, -- objects live at the end, less older ones freed
	sum(recorded) - sum(kernel) AS difference_objects, -- recorded less kernel
	max(object_bytes) AS object_bytes, -- size of an object, bytes; NULL: no such cache at the end
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM (
	SELECT key AS cache, iif(unit = 'objects', change, 0) AS kernel, 0 AS recorded,
		iif(unit = 'object_bytes', at_end, NULL) AS object_bytes, recording
	FROM snapshot_values WHERE name = 'slabinfo'
	UNION ALL
	SELECT cache, 0, net_calls - preexisting_frees, NULL, recording
	FROM _raw_site
	WHERE cache IS NOT NULL AND
		recording IN (SELECT recording FROM _compared WHERE name = 'slabinfo')
)
GROUP BY recording, cache
HAVING sum(kernel) <> 0 OR sum(recorded) <> 0;

-- The same per call site, where the kernel keeps /proc/allocinfo.
CREATE VIEW reconcile_sites AS
SELECT
	site,                      -- FILE:LINE [MODULE] func:NAME, as allocinfo has it
	sum(kernel_bytes) AS kernel_bytes, -- by how much its bytes changed
	sum(kernel_calls) AS kernel_calls, -- and its calls
	sum(recorded_bytes) AS recorded_bytes, -- the same by the recording
	sum(recorded_calls) AS recorded_calls, -- the same by the recording
	sum(recorded_bytes) - sum(kernel_bytes) AS difference_bytes, -- recorded less kernel
	recording,                 -- of which recording
	(SELECT hostname FROM _recording WHERE _recording.id = recording) AS host -- name of the recorded machine
FROM (
	SELECT key AS site, iif(unit = 'bytes', change, 0) AS kernel_bytes,
		iif(unit = 'calls', change, 0) AS kernel_calls, 0 AS recorded_bytes, 0 AS recorded_calls,
		recording
	FROM snapshot_values WHERE name = 'allocinfo' AND change <> 0
	UNION ALL
	SELECT coalesce(file, '[unknown]') || ':' || coalesce(line, 0) || ' ' ||
		coalesce('[' || module || '] ', '') || 'func:' || coalesce(func, '[unknown]'), 0, 0,
		net_bytes - preexisting_freed_bytes, net_calls - preexisting_frees, recording
	FROM raw_sites
	WHERE kind <> 'vmalloc' AND
		recording IN (SELECT recording FROM _compared WHERE name = 'allocinfo')
)
GROUP BY recording, site
HAVING sum(kernel_bytes) <> 0 OR sum(kernel_calls) <> 0 OR sum(recorded_bytes) <> 0 OR
	sum(recorded_calls) <> 0;

-- How well they agree: one row for each recording, figures are NULL without
-- /proc/allocinfo.
CREATE VIEW reconcile_score AS
SELECT
	sum(kernel_bytes <> 0 OR kernel_calls <> 0) AS sites, -- call sites that the kernel says changed
	sum(abs(kernel_bytes)) AS kernel_bytes, -- bytes by which they did
	sum(abs(difference_bytes)) * 1.0 / sum(abs(kernel_bytes)) AS byte_error, -- differences in bytes, as a
	                           -- share of kernel_bytes; 0 is perfect
	sum((kernel_bytes <> 0 OR kernel_calls <> 0) AND difference_bytes = 0 AND
		recorded_calls = kernel_calls) * 1.0 / sum(kernel_bytes <> 0 OR kernel_calls <> 0)
		AS site_exact,         -- share of them where bytes and calls agree
	avg(abs(difference_bytes) * 100 <= abs(kernel_bytes) OR abs(recorded_calls - kernel_calls) <= 1)
		AS site_near,          -- share of all sites where bytes agree within 1 %, or calls within one
	sum(iif(difference_bytes = 0 AND recorded_calls = kernel_calls, abs(kernel_bytes), 0)) * 1.0 /
		sum(abs(kernel_bytes)) AS byte_exact, -- share of kernel_bytes that is on sites which agree
	m.id AS recording,         -- of which recording
	m.hostname AS host         -- name of the recorded machine
FROM _recording m
LEFT JOIN reconcile_sites s ON s.recording = m.id
GROUP BY m.id;

-- Who the tasks are: those that lived at the start or the end of the recording,
-- and those that began in it. Of several with one number the last.
CREATE VIEW tasks AS
SELECT
	pid,                       -- number of the task (thread), as events have it
	tgid,                      -- number of its process; NULL: not known
	comm,                      -- its last name; NULL: not known
	cgroup,                    -- path of its cgroup, where memory is accounted; NULL: not known
	recording                  -- of which recording
FROM _task;

-- Who allocated, and how: each raw site taken apart by task, CPU, context, gfp flags,
-- order and cache. All sums of raw_sites are sums over its accounts. Where a
-- recording has too many of them, the rest has no pid (past 262,144), then nothing
-- but the call site.
CREATE VIEW accounts AS
SELECT
	a.raw_site AS raw_site,    -- id in raw_sites
	2 * r.callsite + r.self AS call_site, -- id in call_sites
	c.kind AS kind,            -- slab, page, percpu or vmalloc
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	nullif(rtrim(rtrim(c.file, replace(c.file, '/', '')), '/'), '')
		AS subsystem,          -- as in call_sites
	a.pid AS pid,              -- task that allocated; NULL: several
	t.tgid AS tgid,            -- its process; NULL: not known
	t.comm AS comm,            -- its last name; NULL: not known
	t.cgroup AS cgroup,        -- path of its cgroup; NULL: not known
	a.cpu AS cpu,              -- CPU; NULL: several
	n.node AS node,            -- NUMA node of that CPU; NULL: not recorded
	CASE WHEN a.context & 64 THEN 'nmi' WHEN a.context & 8 THEN 'hardirq'
		WHEN a.context & 16 THEN 'softirq' WHEN a.context IS NOT NULL THEN 'task' END
		AS context,            -- task, softirq, hardirq or nmi: whose task it interrupted is not
	                           -- who allocated; NULL: several
	g.text AS gfp,             -- gfp flags in words of the recorded kernel; NULL: not told
	g.flags AS gfp_flags,      -- the same as a number
	a.page_order AS page_order, -- pages: the block has 2 to the power of this; else NULL
	coalesce(m.name, a.migratetype) AS migratetype, -- pages: name of the migrate type, or its number
	coalesce(k.name, r.cache) AS cache, -- slab cache; NULL: no event tells it, as of kmalloc
	a.alloc_bytes - a.free_bytes - a.inferred_bytes AS net_bytes, -- bytes live at the end
	a.allocs - a.frees - a.inferred_frees + a.pieces AS net_calls, -- objects live at the end
	a.alloc_bytes AS alloc_bytes, -- bytes allocated
	a.allocs AS allocs,        -- objects allocated
	a.frees AS frees,          -- objects with a free event of their own
	a.bytes_req AS bytes_req,  -- bytes asked for
	a.failures AS failures,    -- allocations that returned nothing
	a.inferred_frees AS inferred_frees, -- objects whose end is inferred
	a.inferred_bytes AS inferred_bytes, -- bytes of those
	a.uncertain_calls AS uncertain_calls, -- live objects that lived across lost events
	a.uncertain_bytes AS uncertain_bytes, -- bytes of those
	r.self AS self,            -- as in call_sites
	r.recording AS recording,  -- number of the recording
	o.hostname AS host         -- name of its machine
-- What a query does not ask for is not joined where it cannot matter.
FROM _account a
JOIN _raw_site r ON r.id = a.raw_site
LEFT JOIN _callsite c ON c.id = r.callsite
LEFT JOIN _recording o ON o.id = r.recording
LEFT JOIN _task t ON t.recording = r.recording AND t.pid = a.pid
LEFT JOIN _cpu_node n ON n.recording = r.recording AND n.cpu = a.cpu
LEFT JOIN _gfp g ON g.id = a.gfp
LEFT JOIN _migratetype m ON m.recording = r.recording AND m.migratetype = a.migratetype
LEFT JOIN _cache k ON k.id = a.cache;

-- What a call site held over time. A recording has at most 256 buckets of equal
-- width; a call site has a row for each in which something changed there. Objects
-- count in the bucket of the event that tells of them; pages of blocks that were split
-- (net_calls) count in the last one.
CREATE VIEW site_buckets AS
SELECT
	2 * b.callsite + b.self AS call_site, -- id in call_sites
	b.recording AS recording,  -- number of the recording
	b.bucket AS bucket,        -- number of the bucket, from 0
	(o.bucket_start_ns - o.start_ns + b.bucket * o.bucket_ns) / 1e9
		AS start_s,            -- where it begins, seconds since the start
	(o.bucket_start_ns - o.start_ns + (b.bucket + 1) * o.bucket_ns) / 1e9
		AS end_s,              -- where it ends, seconds since the start
	b.end_bytes AS net_bytes,  -- bytes live at its end
	b.end_calls AS net_calls,  -- objects live at its end
	b.net_bytes AS change_bytes, -- by how much the live bytes grew in it
	b.net_calls AS change_calls, -- by how much the live objects grew in it
	b.alloc_bytes AS alloc_bytes, -- bytes allocated in it
	b.allocs AS allocs         -- objects allocated in it
FROM _bucket b
CROSS JOIN _recording o ON o.id = b.recording;

-- What changed at all call sites of a kind in a bucket of time.
CREATE VIEW _kind_buckets AS
SELECT
	c.kind AS kind,            -- slab, page, percpu or vmalloc
	b.self AS self,            -- 1: what the recorder did itself
	b.recording AS recording,  -- number of the recording
	b.bucket AS bucket,        -- number of the bucket, from 0
	sum(b.net_bytes) AS change_bytes, -- by how much the live bytes grew in it
	sum(b.net_calls) AS change_calls, -- by how much the live objects grew in it
	sum(b.alloc_bytes) AS alloc_bytes, -- bytes allocated in it
	sum(b.allocs) AS allocs    -- objects allocated in it
FROM _bucket b
CROSS JOIN _callsite c ON c.id = b.callsite
GROUP BY c.kind, b.self, b.recording, b.bucket;

-- The same for all call sites of a kind together, as site_buckets has it for each.
CREATE VIEW buckets AS
SELECT
	kind,                      -- slab, page, percpu or vmalloc
	recording,                 -- number of the recording
	bucket,                    -- number of the bucket, from 0
	start_s,                   -- where it begins, seconds since the start
	end_s,                     -- where it ends, seconds since the start
	sum(change_bytes) OVER w AS net_bytes, -- bytes live at its end
	sum(change_calls) OVER w AS net_calls, -- objects live at its end
	change_bytes,              -- by how much the live bytes grew in it
	change_calls,              -- by how much the live objects grew in it
	alloc_bytes,               -- bytes allocated in it
	allocs,                    -- objects allocated in it
	self                       -- 1: what the recorder did itself
FROM (
	SELECT k.*, (o.bucket_start_ns - o.start_ns + k.bucket * o.bucket_ns) / 1e9 AS start_s,
		(o.bucket_start_ns - o.start_ns + (k.bucket + 1) * o.bucket_ns) / 1e9 AS end_s
	FROM _kind_buckets k
	CROSS JOIN _recording o ON o.id = k.recording
)
WINDOW w AS (PARTITION BY kind, self, recording ORDER BY bucket);

-- The most that all call sites of a kind held together, the recorder's own among them.
CREATE VIEW peaks AS
SELECT
	p.kind AS kind,            -- slab, page, percpu or vmalloc
	p.bytes AS bytes,          -- bytes live
	p.calls AS calls,          -- objects live
	(p.peak_ns - o.start_ns) / 1e9 AS peak_s, -- when that was first reached, seconds since the start
	p.recording AS recording   -- number of the recording
FROM _peak p
JOIN _recording o ON o.id = p.recording;

-- What the slopes of growth are made of, call site by call site.
CREATE VIEW _growth_sums AS
-- The sum of y is that of each change times the ends of buckets it is in; that of
-- x and y likewise.
SELECT
	2 * b.callsite + b.self AS call_site, -- id in call_sites
	b.recording AS recording,  -- number of the recording
	o.buckets AS n,            -- buckets
	o.buckets - o.buckets / 2 AS late_n, -- those of the second half
	o.bucket_ns / 1e9 AS width, -- width of a bucket, seconds
	sum(1.0 * b.net_bytes * (o.buckets - b.bucket))
		AS y,                  -- bytes live at the ends of all buckets, added up
	sum(b.net_bytes * (o.buckets * (o.buckets - 1.0) - b.bucket * (b.bucket - 1.0)) / 2)
		AS xy,                 -- the same, each times the number of its bucket
	sum(1.0 * b.net_bytes * (o.buckets - max(b.bucket, o.buckets / 2)))
		AS late_y,             -- y of the second half
	sum(b.net_bytes * (o.buckets * (o.buckets - 1.0) - max(b.bucket, o.buckets / 2) *
		(max(b.bucket, o.buckets / 2) - 1.0)) / 2)
		AS late_xy,            -- xy of the second half
	sum(b.net_bytes) AS net,   -- bytes live at the end
	sum(b.net_calls) AS calls, -- objects live at the end
	sum(abs(b.net_bytes)) AS moved, -- bytes by which it went up and down from bucket to bucket
	sum(b.net_bytes > 0) AS rises, -- buckets that it grew in
	sum(b.net_bytes < 0) AS falls -- buckets that it shrank in
FROM _bucket b
CROSS JOIN _recording o ON o.id = b.recording
GROUP BY b.callsite, b.self, b.recording;

-- How what a call site holds grew: the straight line that fits the ends of all buckets
-- best (least squares), and how steadily it rose.
CREATE VIEW growth AS
SELECT
	s.call_site AS call_site,  -- id in call_sites
	s.recording AS recording,  -- number of the recording
	c.kind AS kind,            -- slab, page, percpu or vmalloc
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	s.net AS net_bytes,        -- bytes live at the end
	s.calls AS net_calls,      -- objects live at the end
	iif(s.n > 1, (s.xy - (s.n - 1) / 2.0 * s.y) / (s.n * (s.n * s.n - 1.0) / 12) / s.width, NULL)
		AS bytes_per_s,        -- slope of the line over all of the recording; NULL: one bucket only
	iif(s.late_n > 1, (s.late_xy - (s.n / 2 + s.n - 1) / 2.0 * s.late_y) /
		(s.late_n * (s.late_n * s.late_n - 1.0) / 12) / s.width, NULL)
		AS late_bytes_per_s,   -- the same over the second half of the recording only
	iif(s.moved > 0, 1.0 * s.net / s.moved, 0.0)
		AS monotonicity,       -- by how much it grew, as a share of all it moved up and down from bucket
	                           -- to bucket: 1 never fell, 0 came back to where it was, -1 only fell
	s.rises AS rises,          -- buckets at whose end it held more than before
	s.falls AS falls,          -- buckets at whose end it held less
	c.sym_off AS sym_off,      -- as in call_sites
	c.sym_size AS sym_size,    -- as in call_sites
	s.call_site % 2 AS self    -- as in call_sites
FROM _growth_sums s
JOIN _callsite c ON c.id = s.call_site / 2;

-- How long objects of a call site lived, in bins of an eighth of an octave.
CREATE VIEW life_bins AS
SELECT
	2 * l.callsite + l.self AS call_site, -- id in call_sites
	l.recording AS recording,  -- number of the recording
	l.bin AS bin,              -- number of the bin
	iif(l.bin < 8, l.bin, (8 + l.bin % 8) << max(l.bin / 8 - 1, 0)) / 1e9 AS from_s, -- shortest time in it, seconds
	iif(l.bin < 7, l.bin + 1, (8 + (l.bin + 1) % 8) << max((l.bin + 1) / 8 - 1, 0)) / 1e9
		AS to_s,               -- where the next one begins, seconds
	l.ended AS ended,          -- objects that lived for so long and are gone
	l.live AS live             -- objects that are live at the end, and of that age
FROM _life l;

-- Quantiles of the lives of a call site, and the live objects beyond them. Both sums
-- rise with the bin, so that the least is that of the first that fits.
CREATE VIEW _life_quantiles AS
WITH upto AS (
	SELECT call_site, recording, (from_s + to_s) / 2 AS middle_s, ended, live,
		sum(ended) OVER w AS so_far, sum(live) OVER w AS live_so_far,
		sum(ended) OVER (PARTITION BY call_site, recording) AS total
	FROM life_bins
	WINDOW w AS (PARTITION BY call_site, recording ORDER BY bin)
)
SELECT
	call_site,                 -- id in call_sites
	recording,                 -- number of the recording
	min(iif(ended AND so_far * 100 >= total * 50, middle_s, NULL)) AS p50, -- half lived no longer, seconds
	min(iif(ended AND so_far * 100 >= total * 90, middle_s, NULL)) AS p90, -- 90 % did not
	min(iif(ended AND so_far * 100 >= total * 99, middle_s, NULL)) AS p99, -- 99 % did not
	min(iif(ended AND so_far * 1000 >= total * 999, middle_s, NULL)) AS p999, -- 99.9 % did not
	iif(sum(ended), sum(live) -
		min(iif(ended AND so_far * 100 >= total * 50, live_so_far, NULL)), 0)
		AS over_p50,           -- live objects in bins beyond that of p50
	iif(sum(ended), sum(live) -
		min(iif(ended AND so_far * 100 >= total * 99, live_so_far, NULL)), 0)
		AS over_p99,           -- live objects in bins beyond that of p99
	iif(sum(ended), sum(live) -
		min(iif(ended AND so_far * 1000 >= total * 999, live_so_far, NULL)), 0)
		AS over_p999           -- live objects in bins beyond that of p999
FROM upto
GROUP BY call_site, recording;

-- Lives per call site. Known are the lives that a free event ended, and those of
-- objects given to RCU, up to the call; unknown are those whose end is inferred.
-- Quantiles are the middles of bins that are an eighth of their value wide, and so
-- right within 6.25 %.
CREATE VIEW lifetimes AS
WITH sites AS (
	SELECT 2 * r.callsite + r.self AS call_site, r.recording AS recording,
		sum(r.allocs) AS allocs, sum(r.lived) AS lived, sum(r.lived_sum_ns) AS lived_sum,
		max(r.lived_max_ns) AS lived_max, sum(r.lived_quick) AS quick,
		sum(r.lived_same_task) AS same_task, sum(r.lived_near) AS near,
		sum(r.temporary) AS temporary, sum(r.aged) AS aged, sum(r.age_sum_ns) AS age_sum,
		max(r.age_max_ns) AS age_max,
		(coalesce(o.to_ns, o.end_ns) - coalesce(o.from_ns, o.start_ns)) / 1e9 AS duration
	FROM _raw_site r
	JOIN _recording o ON o.id = r.recording
	WHERE r.lived OR r.aged
	GROUP BY r.callsite, r.self, r.recording
)
SELECT
	s.call_site AS call_site,  -- id in call_sites
	s.recording AS recording,  -- number of the recording
	c.kind AS kind,            -- slab, page, percpu or vmalloc
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	s.lived AS ended,          -- objects whose life is known
	s.allocs / s.duration AS allocs_per_s, -- allocations per second of the recording
	s.lived_sum / s.lived / 1e9 AS mean_s, -- mean life, seconds; NULL: none ended
	min(q.p50, s.lived_max / 1e9) AS p50_s, -- half lived at most so long, seconds
	min(q.p90, s.lived_max / 1e9) AS p90_s, -- 90 % lived at most so long, seconds
	min(q.p99, s.lived_max / 1e9) AS p99_s, -- 99 % lived at most so long, seconds
	min(q.p999, s.lived_max / 1e9) AS p999_s, -- 99.9 % lived at most so long, seconds
	iif(s.lived, s.lived_max / 1e9, NULL) AS max_s, -- longest life, seconds
	s.quick AS quick,          -- objects that lived for at most 1 us
	s.same_task AS same_task,  -- objects ended by the task that made them, both out of interrupts
	s.near AS near,            -- slab: of those, ended before the task's next 4 allocations
	s.temporary AS temporary,  -- slab: all three, objects that need not have been allocated
	s.aged AS live,            -- objects live at the end whose age is known
	s.age_sum / s.aged / 1e9 AS age_mean_s, -- their mean age, seconds; NULL: none
	iif(s.aged, s.age_max / 1e9, NULL) AS age_max_s, -- age of the oldest, seconds
	q.over_p50 AS live_over_p50, -- live objects older than half of those that ended
	q.over_p99 AS live_over_p99, -- live objects older than 99 % of those; NULL: none ended
	q.over_p999 AS live_over_p999, -- live objects older than 99.9 % of those
	c.sym_off AS sym_off,      -- as in call_sites
	c.sym_size AS sym_size,    -- as in call_sites
	s.call_site % 2 AS self    -- as in call_sites
FROM sites s
JOIN _callsite c ON c.id = s.call_site / 2
LEFT JOIN _life_quantiles q ON q.call_site = s.call_site AND q.recording = s.recording;

-- Slab objects by where they were allocated and from where they were freed.
CREATE VIEW free_sites AS
SELECT
	2 * r.callsite + r.self AS call_site, -- id in call_sites of the allocation
	r.recording AS recording,  -- number of the recording
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	f.file AS free_file,       -- file of the free; NULL: not known
	f.line AS free_line,       -- line of the free; NULL: not known
	f.func AS free_func,       -- function of the free
	f.module AS free_module,   -- module of the free; NULL: the kernel itself
	p.address AS free_address, -- return address of the free, signed
	p.frees AS frees,          -- objects that went this way
	p.free_bytes AS free_bytes, -- bytes of those
	c.sym_off AS sym_off,      -- as in call_sites
	c.sym_size AS sym_size,    -- as in call_sites
	f.sym_off AS free_sym_off, -- offset of the free into its symbol, bytes
	r.self AS self             -- as in call_sites
FROM _free_pair p
JOIN _raw_site r ON r.id = p.raw_site
JOIN _callsite c ON c.id = r.callsite
LEFT JOIN _frame f ON f.id = p.frame;

-- Memory that a call site has and does not use, what came back from elsewhere, and
-- what it did not get. Waste is of all that was allocated, whether it lives or not.
CREATE VIEW waste AS
SELECT
	2 * c.id + r.self AS call_site, -- id in call_sites
	r.recording AS recording,  -- number of the recording
	c.kind AS kind,            -- slab, page or percpu
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	iif(count(r.cache) = count(*) AND min(r.cache) = max(r.cache), min(r.cache), NULL)
		AS cache,              -- as in call_sites
	sum(r.allocs) AS allocs,   -- objects allocated
	sum(r.alloc_bytes) AS alloc_bytes, -- bytes allocated
	sum(r.bytes_req) AS bytes_req, -- bytes asked for
	iif(c.kind = 'slab', sum(r.alloc_bytes) - sum(r.bytes_req), sum(r.slack_bytes))
		AS waste_bytes,        -- bytes allocated beyond those asked for: of slab objects, and of the
	                           -- pages that a kmalloc of more than two pages takes
	1.0 * iif(c.kind = 'slab', sum(r.alloc_bytes) - sum(r.bytes_req), sum(r.slack_bytes)) /
		max(sum(r.alloc_bytes), 1) AS waste_share, -- the same as a share of the bytes allocated
	CAST(1.0 * sum(r.net_bytes) * iif(c.kind = 'slab', sum(r.alloc_bytes) - sum(r.bytes_req),
		sum(r.slack_bytes)) / max(sum(r.alloc_bytes), 1) AS INTEGER)
		AS net_waste_bytes,    -- that share of the bytes live at the end: an estimate
	iif(c.kind = 'slab' AND sum(r.allocs) AND count(r.cache) = 0, max(0, sum(r.at_peak_bytes) -
		sum(r.at_peak_calls) * ((sum(r.bytes_req) / sum(r.allocs) + 7) / 8 * 8)), 0)
		AS dedicated_saves_bytes, -- what a cache for objects of the mean size asked for, in steps of 8,
	                           -- would have saved at the peak: an estimate; 0 where there is one
	sum(r.frees) AS frees,     -- objects with a free event of their own
	sum(r.remote_cpu_frees) AS remote_cpu_frees, -- freed on another CPU than allocated (ping-pong)
	sum(r.remote_node_frees) AS remote_node_frees, -- freed on a CPU of another NUMA node
	sum(r.failures) AS failures, -- allocations that returned nothing
	c.sym_off AS sym_off,      -- as in call_sites
	c.sym_size AS sym_size,    -- as in call_sites
	r.self AS self             -- as in call_sites
FROM _callsite c
JOIN _raw_site r ON r.callsite = c.id
WHERE c.kind <> 'vmalloc'
GROUP BY c.id, r.self, r.recording;

-- The same per slab cache; what has no name is one row.
CREATE VIEW caches AS
SELECT
	coalesce(k.name, r.cache) AS cache, -- slab cache; NULL: no event tells it, as of kmalloc
	count(DISTINCT 2 * r.callsite + r.self) AS call_sites, -- call sites
	sum(a.alloc_bytes - a.free_bytes - a.inferred_bytes) AS net_bytes, -- bytes live at the end
	sum(a.allocs - a.frees - a.inferred_frees + a.pieces) AS net_calls, -- objects live at the end
	sum(a.alloc_bytes) AS alloc_bytes, -- bytes allocated
	sum(a.allocs) AS allocs,   -- objects allocated
	sum(a.bytes_req) AS bytes_req, -- bytes asked for
	sum(a.alloc_bytes) - sum(a.bytes_req) AS waste_bytes, -- bytes allocated beyond those
	sum(a.failures) AS failures, -- allocations that returned nothing
	r.self AS self,            -- 1: what the recorder did itself
	r.recording AS recording   -- number of the recording
FROM _account a
JOIN _raw_site r ON r.id = a.raw_site
JOIN _callsite c ON c.id = r.callsite AND c.kind = 'slab'
LEFT JOIN _cache k ON k.id = a.cache
GROUP BY coalesce(k.name, r.cache), r.self, r.recording;

-- Page blocks by order and migrate type: how much of the memory needs neighbours.
CREATE VIEW page_orders AS
SELECT
	a.page_order AS page_order, -- blocks of 2 to the power of this pages
	coalesce(m.name, a.migratetype) AS migratetype, -- name of the migrate type, or its number
	sum(a.alloc_bytes - a.free_bytes - a.inferred_bytes) AS net_bytes, -- bytes live at the end
	sum(a.allocs - a.frees - a.inferred_frees) AS net_blocks, -- blocks live at the end, or what is left of them
	sum(a.alloc_bytes) AS alloc_bytes, -- bytes allocated
	sum(a.allocs) AS allocs,   -- blocks allocated
	sum(a.failures) AS failures, -- allocations that returned nothing
	r.self AS self,            -- 1: what the recorder did itself
	r.recording AS recording   -- number of the recording
FROM _account a
JOIN _raw_site r ON r.id = a.raw_site
JOIN _callsite c ON c.id = r.callsite AND c.kind = 'page'
LEFT JOIN _migratetype m ON m.recording = r.recording AND m.migratetype = a.migratetype
GROUP BY a.page_order, coalesce(m.name, a.migratetype), r.self, r.recording;

-- Allocations that returned nothing, by what they asked for.
CREATE VIEW failures AS
SELECT
	call_site,                 -- id in call_sites
	recording,                 -- number of the recording
	kind,                      -- slab, page, percpu or vmalloc
	file,                      -- as in call_sites
	line,                      -- as in call_sites
	func,                      -- as in call_sites
	module,                    -- as in call_sites
	gfp,                       -- gfp flags in words of the recorded kernel
	page_order,                -- pages: order; else NULL
	sum(failures) AS failures, -- how many
	self                       -- as in call_sites
FROM accounts
WHERE failures > 0
GROUP BY call_site, recording, gfp, page_order;

-- What each call site held when all of its kind together held most (view peaks).
CREATE VIEW site_peaks AS
SELECT
	2 * c.id + r.self AS call_site, -- id in call_sites
	r.recording AS recording,  -- number of the recording
	c.kind AS kind,            -- slab, page, percpu or vmalloc
	c.file AS file,            -- as in call_sites
	c.line AS line,            -- as in call_sites
	c.func AS func,            -- as in call_sites
	c.module AS module,        -- as in call_sites
	sum(r.at_peak_bytes) AS bytes, -- bytes live then
	sum(r.at_peak_calls) AS calls, -- objects live then; pages: blocks
	1.0 * sum(r.at_peak_bytes) / p.bytes AS share, -- bytes as a share of the peak
	(p.peak_ns - o.start_ns) / 1e9 AS peak_s, -- when that was, seconds since the start
	c.sym_off AS sym_off,      -- as in call_sites
	c.sym_size AS sym_size,    -- as in call_sites
	r.self AS self             -- as in call_sites
FROM _raw_site r
JOIN _callsite c ON c.id = r.callsite
JOIN _recording o ON o.id = r.recording
JOIN _peak p ON p.recording = r.recording AND p.kind = c.kind
GROUP BY c.id, r.self, r.recording
HAVING sum(r.at_peak_calls) > 0;

-- Memory that grows without being a leak: by a function of the call site's frames down
-- to the one that is charged, or by the slab cache. The only list of them.
CREATE VIEW leak_kinds AS
SELECT
	column1 AS rank,           -- the least one counts when several fit
	column2 AS class,          -- reclaimable, process, or pages: counted by their own kind as well
	column3 AS by,             -- func or cache
	column4 AS pattern,        -- a GLOB on its name
	column5 AS words           -- what such memory is
FROM (VALUES
	(1, 'pages', 'func', 'alloc_slab_page', 'a slab, whose objects are call sites of their own'),
	(1, 'pages', 'func', 'allocate_slab', 'a slab, whose objects are call sites of their own'),
	(1, 'pages', 'func', 'new_slab', 'a slab, whose objects are call sites of their own'),
	(1, 'pages', 'func', 'pcpu_*', 'a percpu chunk, whose areas are call sites of their own'),
	(2, 'process', 'func', 'do_anonymous_page', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'alloc_anon_folio', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'vma_alloc_*folio*', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'wp_page_copy', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'do_wp_page', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'do_cow_fault', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'do_fault', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', 'do_huge_pmd_anonymous_page', 'memory of processes; grouped by comm, a report tells whose'),
	(2, 'process', 'func', '*p[tmug4]*_alloc_one*', 'page tables, which go with their process'),
	(2, 'process', 'func', '__p[tmug4]*_alloc', 'page tables, which go with their process'),
	(2, 'process', 'func', '*pgd_alloc', 'page tables, which go with their process'),
	(2, 'process', 'func', 'copy_process', 'what a process or thread needs, and gives back at its end'),
	(2, 'process', 'func', 'dup_task_struct', 'what a process or thread needs, and gives back at its end'),
	(2, 'process', 'func', 'alloc_thread_stack_node', 'what a process or thread needs, and gives back at its end'),
	(2, 'process', 'func', 'dup_mm*', 'what a process or thread needs, and gives back at its end'),
	(2, 'process', 'func', 'vm_area_*', 'mappings of processes'),
	(2, 'process', 'func', 'anon_vma_*', 'mappings of processes'),
	(2, 'process', 'func', 'mas_*', 'mappings of processes'),
	(2, 'process', 'func', 'mt_alloc_*', 'mappings of processes'),
	(3, 'reclaimable', 'func', '*filemap_*folio*', 'page cache, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'page_cache_ra_*', 'page cache, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'ra_alloc_folio', 'page cache, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'do_read_cache_folio', 'page cache, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'shmem_alloc*folio*', 'files in tmpfs or shared memory, which stay until they are removed'),
	(3, 'reclaimable', 'func', 'alloc_buffer_head', 'page cache, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'xas_alloc', 'the index of the page cache, which goes with it'),
	(3, 'reclaimable', 'func', 'xas_nomem', 'the index of the page cache, which goes with it'),
	(3, 'reclaimable', 'func', '__d_alloc', 'dentries, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'alloc_inode', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'shmem_alloc_inode', 'files in tmpfs or shared memory, which stay until they are removed'),
	(3, 'reclaimable', 'func', '[^s]*_alloc_inode', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 's[^ho]*_alloc_inode', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'func', 'alloc_vmap_area', 'areas of vmalloc, which it frees late and many at a time'),
	(3, 'reclaimable', 'func', 'preload_this_cpu_lock', 'areas of vmalloc, which it frees late and many at a time'),
	(3, 'reclaimable', 'cache', 'vmap_area', 'areas of vmalloc, which it frees late and many at a time'),
	(3, 'reclaimable', 'func', '__es_insert_extent', 'what a file system caches of its files'),
	(3, 'reclaimable', 'cache', 'dentry', 'dentries, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 'inode_cache', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 'shmem_inode_cache', 'files in tmpfs or shared memory, which stay until they are removed'),
	(3, 'reclaimable', 'cache', '[^s]*_inode_cache', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 's[^ho]*_inode_cache', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 'xfs_inode', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 'btrfs_inode', 'inodes, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 'buffer_head', 'page cache, which the kernel takes back when it needs memory'),
	(3, 'reclaimable', 'cache', 'radix_tree_node', 'the index of the page cache, which goes with it'),
	(2, 'process', 'cache', 'vm_area_struct', 'mappings of processes'),
	(2, 'process', 'cache', 'maple_node', 'mappings of processes'),
	(2, 'process', 'cache', 'anon_vma*', 'mappings of processes')
);

-- Call sites whose memory leak_kinds explains, by the first that fits.
CREATE VIEW leak_sites AS
WITH charged AS MATERIALIZED (
	SELECT DISTINCT 2 * t.callsite + t.self AS call_site, f.func AS func
	FROM _raw_site t
	CROSS JOIN _raw_frame s ON s.raw_site = t.id AND s.depth < t.caller_depth
	CROSS JOIN _frame f ON f.id = s.frame
), named AS MATERIALIZED (
	-- Of each function once, since there are many patterns.
	SELECT f.func AS func, k.rank AS rank, k.class AS class, k.words AS words
	FROM (SELECT DISTINCT func FROM charged) f
	JOIN leak_kinds k ON k.by = 'func' AND f.func GLOB k.pattern
)
SELECT
	call_site,                 -- id in call_sites
	substr(min(rank || class), 2) AS class, -- as in leak_kinds
	words                      -- what such memory is
FROM (
	SELECT s.call_site AS call_site, n.rank AS rank, n.class AS class, n.words AS words
	FROM charged s
	CROSS JOIN named n ON n.func = s.func
	UNION ALL
	SELECT 2 * t.callsite + t.self, k.rank, k.class, k.words
	FROM leak_kinds k
	JOIN _raw_site t ON k.by = 'cache' AND t.cache GLOB k.pattern
)
GROUP BY call_site;

-- What the last lines of a report are made of, kind by kind. A place is put into words
-- only where it wins.
CREATE VIEW _summary AS
WITH site AS MATERIALIZED (
	SELECT id, kind, self, confidence, net_bytes, net_upper_bytes - net_lower_bytes AS width,
		file, line, func, module, sym_off
	FROM call_sites
), doubt AS MATERIALIZED (
	SELECT kind, self,
		sum(iif(confidence = 'uncertain', net_bytes, 0)) AS uncertain,
		sum(iif(confidence = 'invisible', net_bytes, 0)) AS invisible,
		sum(confidence = 'invisible') AS invisible_sites,
		sum(width) AS width,
		max(net_bytes) AS most
	FROM site
	GROUP BY kind, self
), steady AS MATERIALIZED (
	SELECT call_site, kind, self, sum(late_bytes_per_s) AS per_s
	FROM growth
	WHERE late_bytes_per_s > 0 AND monotonicity >= 0.5 AND rises >= 3
	-- Few are left, which are sorted sooner than all rows are read by way of the index.
	GROUP BY +call_site
), steepest AS MATERIALIZED (
	SELECT kind, self, max(per_s) AS per_s
	FROM steady
	GROUP BY kind, self
), winner AS (
	SELECT 1 AS top, c.id AS id
	FROM site c
	CROSS JOIN doubt d ON d.kind = c.kind AND d.self = c.self AND d.most = c.net_bytes
	UNION ALL
	SELECT 0, s.call_site
	FROM steady s
	CROSS JOIN steepest t ON t.kind = s.kind AND t.self = s.self AND t.per_s = s.per_s
), place AS MATERIALIZED (
	SELECT w.top, c.kind, c.self, min(coalesce(
		coalesce(c.file || ':' || c.line || ' ', '') || c.func ||
		iif(c.file IS NULL, coalesce(printf('+%#x', c.sym_off), ''), '') ||
		coalesce(' [' || c.module || ']', ''), '')) AS words
	FROM winner w
	CROSS JOIN site c ON c.id = w.id
	GROUP BY w.top, c.kind, c.self
)
SELECT
	d.kind AS kind,            -- as in call_sites
	d.self AS self,            -- as in call_sites
	d.uncertain AS uncertain,  -- bytes live of call sites whose confidence is uncertain
	d.invisible AS invisible,  -- the same of invisible ones
	d.invisible_sites AS invisible_sites, -- how many these are
	d.width AS width,          -- by how much the bounds of all differ, bytes
	d.most AS most,            -- what the call site that holds most does, bytes
	p.words AS top,            -- its place in words; the first by them of several
	t.per_s AS per_s,          -- slope of the one that grows steadily and most, bytes per second
	g.words AS grown           -- its place in words, likewise; NULL: none
FROM doubt d
LEFT JOIN place p ON p.top = 1 AND p.kind = d.kind AND p.self = d.self
LEFT JOIN steepest t ON t.kind = d.kind AND t.self = d.self
LEFT JOIN place g ON g.top = 0 AND g.kind = d.kind AND g.self = d.self;

-- Which pages belong to which NUMA node: a page is of the zone in whose span its
-- number (pfn) lies.
CREATE VIEW zones AS
SELECT
	node,                      -- number of the NUMA node
	zone,                      -- DMA, DMA32, Normal, Movable, …
	start_pfn,                 -- number of its first page
	start_pfn + spanned AS end_pfn, -- one past that of its last
	spanned,                   -- pages between them, holes among them
	present,                   -- of those, pages that there are
	recording                  -- of which recording
FROM _zone;
