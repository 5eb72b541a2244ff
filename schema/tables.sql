-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- What an analysis stores. These tables are private (their names start with an
-- underscore) and may change with any version; schema/views.sql is what queries
-- should use.
--
-- Kernel addresses are 64-bit values in signed INTEGERs: those of the kernel's
-- half are negative. printf('%016x', address) shows them as people know them.
-- Times ending in _ns are nanoseconds of the recording's clock, unless the name
-- says unix. NULL is "not known", never zero.
--
-- A database may hold several recordings (allocprof merge). Each table has a
-- column that refers to the recording, or to a table that does, but for _callsite
-- and _frame, which are kept once by content. References tell merge what to
-- renumber. A column that comes in later and is NOT NULL has a DEFAULT, which is
-- what an older database is read with.

PRAGMA application_id = 0x61707266;
PRAGMA user_version = 3;

-- A recording, and how it was analysed.
CREATE TABLE _recording (
	id INTEGER PRIMARY KEY, -- its number, from 1
	release TEXT,           -- kernel release, as uname -r prints it
	machine TEXT,           -- architecture, as uname -m prints it
	hostname TEXT,          -- name of the recorded machine
	kernel_build_id TEXT,   -- build-id of the recorded kernel, hexadecimal
	cpus INTEGER,           -- CPUs with a ring buffer
	page_size INTEGER,      -- bytes of a page of memory
	clock TEXT,             -- trace clock of the events
	start_ns INTEGER,       -- when recording began, or the first event
	end_ns INTEGER,         -- when recording ended, or the last event
	start_unix_ns INTEGER,  -- start, nanoseconds since 1970-01-01 UTC
	end_unix_ns INTEGER,    -- end, nanoseconds since 1970-01-01 UTC
	recorder TEXT,          -- program that recorded, and its version
	input TEXT,             -- absolute path of the recording
	input_bytes INTEGER,    -- size of the recording
	input_mtime_ns INTEGER, -- when the recording was last written, Unix time in ns
	input_format TEXT,      -- container of the recording
	options TEXT,           -- options of the analysis that change its answer, one a line
	vmlinux TEXT,           -- file whose debug information was used
	vmlinux_build_id TEXT,  -- build-id of that file, hexadecimal
	analyzer TEXT,          -- version of the analyzer
	events INTEGER,         -- events read, of all types
	lost_events INTEGER,    -- events lost: as the kernel counted, or the least it must be
	bucket_start_ns INTEGER, -- where bucket 0 begins
	bucket_ns INTEGER,      -- width of a bucket
	buckets INTEGER,        -- how many there are
	sample INTEGER,         -- recorded was one in so many chunks of memory; NULL: all
	filters TEXT,           -- which allocations were recorded, a condition a line; NULL: all
	from_ns INTEGER,        -- where the window begins that the figures are of; NULL: at the start
	to_ns INTEGER           -- where it ends; NULL: at the end
) STRICT;

-- One CPU's ring buffer, as the kernel counted at the end of the recording.
CREATE TABLE _cpu (
	cpu INTEGER NOT NULL,        -- number of the CPU
	entries INTEGER NOT NULL,    -- events left in the buffer, not read
	overrun INTEGER NOT NULL,    -- events overwritten before they were read
	commit_overrun INTEGER NOT NULL, -- events that nested interrupts left no room for
	dropped INTEGER NOT NULL,    -- events that found the buffer full
	read_events INTEGER NOT NULL, -- events read
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, cpu)
) STRICT;

-- A text of /proc, taken at the start or the end of the recording.
CREATE TABLE _snapshot (
	name TEXT NOT NULL, -- file in /proc
	at TEXT NOT NULL CHECK (at IN ('start', 'end')), -- when
	text TEXT NOT NULL, -- its content
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, name, at)
) STRICT;

-- A number in such a text; a key that comes twice counts as the sum.
CREATE TABLE _snapshot_value (
	name TEXT NOT NULL, -- file in /proc: meminfo, slabinfo, allocinfo
	at TEXT NOT NULL CHECK (at IN ('start', 'end')), -- when
	key TEXT NOT NULL, -- what the number is of, as the file has it
	unit TEXT NOT NULL, -- bytes, calls, objects, object_bytes (of one object)
	value INTEGER NOT NULL, -- the number
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id) -- of which
) STRICT;

-- A task that lived at some time of the recording, or is named in it.
CREATE TABLE _task (
	pid INTEGER NOT NULL,   -- number of the task (thread), as events have it
	tgid INTEGER,           -- number of its process
	comm TEXT,              -- its last name
	cgroup TEXT,            -- path of its cgroup, in the hierarchy that accounts memory
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, pid)
) STRICT;

-- What the user should know about this analysis.
CREATE TABLE _note (
	id INTEGER PRIMARY KEY, -- order
	text TEXT NOT NULL,     -- one line
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id) -- on which
) STRICT;

-- Everything that counted doubt.
CREATE TABLE _quality (
	id INTEGER PRIMARY KEY, -- order
	name TEXT NOT NULL,     -- name of the counter
	value INTEGER NOT NULL, -- its value
	unit TEXT NOT NULL,     -- events, bytes, …
	meaning TEXT NOT NULL,  -- what it counts, and what that does to the figures
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	UNIQUE (recording, name) -- each once
) STRICT;

-- A place in the source that allocates memory of one kind.
CREATE TABLE _callsite (
	id INTEGER PRIMARY KEY, -- number of the call site
	kind TEXT NOT NULL CHECK (kind IN ('slab', 'page', 'percpu', 'vmalloc', 'any')), -- key space;
	                        -- any: from /proc/allocinfo, which does not tell
	file TEXT,              -- source file, relative to the kernel tree
	line INTEGER,           -- line in it
	func TEXT,              -- function
	module TEXT,            -- module; NULL: the kernel itself
	sym_off INTEGER,        -- where file is NULL: offset into the function, bytes …
	sym_size INTEGER        -- … and its size, bytes
) STRICT;

-- What the trace itself tells apart: a return address, or a stack.
CREATE TABLE _raw_site (
	id INTEGER PRIMARY KEY,         -- number of the raw site
	callsite INTEGER NOT NULL REFERENCES _callsite (id), -- where it leads
	self INTEGER NOT NULL,          -- 1: what the recorder's own tasks did there
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	address INTEGER,                -- return address; NULL where a stack is the key
	cache TEXT,                     -- slab cache, when all objects agree
	resolved_by TEXT NOT NULL,      -- dwarf, kallsyms, nothing, none, tag
	attributed_by TEXT NOT NULL,    -- chain, callee, opaque, nothing, tag
	allocs INTEGER NOT NULL,        -- objects allocated
	alloc_bytes INTEGER NOT NULL,   -- bytes they took
	bytes_req INTEGER NOT NULL,     -- bytes asked for
	failures INTEGER NOT NULL,      -- allocations that returned nothing
	missing_stacks INTEGER NOT NULL, -- allocations whose stack went missing
	frees INTEGER NOT NULL,         -- objects with a free event of their own
	free_bytes INTEGER NOT NULL,    -- bytes those gave back
	reuse_frees INTEGER NOT NULL,   -- objects inferred freed: address allocated again
	reuse_bytes INTEGER NOT NULL,   -- their bytes
	slab_page_frees INTEGER NOT NULL, -- objects inferred freed: their slab page was freed
	slab_page_bytes INTEGER NOT NULL, -- their bytes
	overlap_frees INTEGER NOT NULL, -- objects inferred freed: their pages allocated again
	overlap_bytes INTEGER NOT NULL, -- their bytes
	area_frees INTEGER NOT NULL,    -- pages inferred freed: their vmalloc area was freed
	area_bytes INTEGER NOT NULL,    -- their bytes
	rcu_frees INTEGER NOT NULL,     -- objects inferred freed: RCU had them for long enough
	rcu_bytes INTEGER NOT NULL,     -- their bytes
	rcu_pending_calls INTEGER NOT NULL, -- objects live at the end that RCU was to free
	rcu_pending_bytes INTEGER NOT NULL, -- their bytes
	unknown_frees INTEGER NOT NULL, -- frees made here of objects not known
	unknown_free_bytes INTEGER NOT NULL, -- their bytes; pages only
	preexisting_frees INTEGER NOT NULL, -- older objects of this site freed, an estimate
	preexisting_bytes INTEGER NOT NULL, -- their bytes
	net_calls INTEGER NOT NULL,     -- objects live at the end, a split block's pages each
	net_bytes INTEGER NOT NULL,     -- their bytes
	uncertain_calls INTEGER NOT NULL, -- of those, objects that lived across a gap
	uncertain_bytes INTEGER NOT NULL, -- their bytes
	lower_calls INTEGER NOT NULL,   -- least objects that live in truth
	lower_bytes INTEGER NOT NULL,   -- their bytes
	upper_calls INTEGER NOT NULL,   -- most objects that live in truth
	upper_bytes INTEGER NOT NULL,   -- their bytes
	peak_bytes INTEGER NOT NULL,    -- most bytes live at a time
	peak_ns INTEGER,                -- when that was first reached
	first_ns INTEGER,               -- first event
	last_ns INTEGER,                -- last event
	caller_depth INTEGER,           -- depth of the frame that called the one charged
	at_peak_bytes INTEGER,          -- bytes live when the kind held most
	at_peak_calls INTEGER,          -- objects live then
	max_bytes INTEGER,              -- bytes of the largest object
	lived INTEGER,                  -- objects whose life is known: freed, or given to RCU
	lived_sum_ns REAL,              -- their lives added up
	lived_max_ns INTEGER,           -- the longest
	lived_quick INTEGER,            -- of at most 1 us
	lived_same_task INTEGER,        -- ended by the task that made it, out of interrupts
	lived_near INTEGER,             -- slab: … before its next 4 allocations
	temporary INTEGER,              -- slab: all of these
	remote_cpu_frees INTEGER,       -- freed on another CPU than allocated
	remote_node_frees INTEGER,      -- … of another node
	aged INTEGER,                   -- objects live at the end whose age is known
	age_sum_ns REAL,                -- their ages added up
	age_max_ns INTEGER,             -- the oldest
	weight INTEGER NOT NULL DEFAULT 1, -- all but failures is what was counted times this
	net_calls_var REAL NOT NULL DEFAULT 0, -- variance by sampling of the call site's net_calls, …
	net_bytes_var REAL NOT NULL DEFAULT 0, -- … net_bytes …
	alloc_bytes_var REAL NOT NULL DEFAULT 0, -- … and alloc_bytes; one of its raw sites has it
	slack_bytes INTEGER NOT NULL DEFAULT 0 -- pages: bytes that large kmallocs did not ask for
) STRICT;

-- A function at an address, perhaps inlined into another one there.
CREATE TABLE _frame (
	id INTEGER PRIMARY KEY,  -- number of the frame
	address INTEGER,         -- return address
	func TEXT,               -- function
	file TEXT,               -- source file, relative to the kernel tree
	line INTEGER,            -- line in it
	module TEXT,             -- module; NULL: the kernel itself
	sym_off INTEGER,         -- offset into the symbol, bytes …
	sym_size INTEGER,        -- … and the symbol's size, bytes
	inlined INTEGER NOT NULL -- 1: inlined into the next frame out
) STRICT;

-- Which frames a raw site has.
CREATE TABLE _raw_frame (
	raw_site INTEGER NOT NULL REFERENCES _raw_site (id), -- the site
	depth INTEGER NOT NULL,  -- 0 is innermost
	frame INTEGER NOT NULL REFERENCES _frame (id), -- the frame
	PRIMARY KEY (raw_site, depth)
) STRICT, WITHOUT ROWID;

-- A slab cache that allocations name.
CREATE TABLE _cache (
	id INTEGER PRIMARY KEY, -- number of the name
	name TEXT NOT NULL,     -- name of the cache
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id) -- of which
) STRICT;

-- A combination of gfp flags that allocations have.
CREATE TABLE _gfp (
	id INTEGER PRIMARY KEY, -- number of the combination
	flags INTEGER NOT NULL, -- as the recorded kernel numbers them
	text TEXT NOT NULL,     -- as it prints them
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id) -- of which
) STRICT;

-- A name of the recorded kernel for a bit of gfp flags, or for several together.
CREATE TABLE _gfp_name (
	id INTEGER PRIMARY KEY, -- order: wider ones first
	mask INTEGER NOT NULL,  -- the bits
	name TEXT NOT NULL,     -- their name
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id) -- of which
) STRICT;

-- The recorded kernel's name for a migrate type.
CREATE TABLE _migratetype (
	migratetype INTEGER NOT NULL, -- its number
	name TEXT NOT NULL,     -- its name
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, migratetype)
) STRICT;

-- The NUMA node that a CPU is of.
CREATE TABLE _cpu_node (
	cpu INTEGER NOT NULL,   -- number of the CPU
	node INTEGER NOT NULL,  -- number of the node
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, cpu)
) STRICT;

-- A zone of physical memory, as /proc/zoneinfo tells it.
CREATE TABLE _zone (
	node INTEGER NOT NULL,  -- number of its NUMA node
	zone TEXT NOT NULL,     -- its name
	start_pfn INTEGER NOT NULL, -- number of its first page
	spanned INTEGER NOT NULL, -- pages from there to its end, holes among them
	present INTEGER NOT NULL, -- of those, pages that there are
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, node, zone)
) STRICT;

-- Who allocated at a raw site, and how: the counters of a raw site, taken apart.
CREATE TABLE _account (
	raw_site INTEGER NOT NULL REFERENCES _raw_site (id), -- where
	pid INTEGER,            -- task; NULL: several, beyond the limit of accounts
	cpu INTEGER,            -- CPU; NULL: several
	context INTEGER,        -- bits of common_flags: hardirq 8, softirq 16, nmi 64; NULL: several
	gfp INTEGER REFERENCES _gfp (id), -- flags; NULL: not told, or several
	page_order INTEGER,     -- pages: order; NULL: not pages, or several
	migratetype INTEGER,    -- pages: number of the migrate type
	cache INTEGER REFERENCES _cache (id), -- slab: cache that the allocation names
	allocs INTEGER NOT NULL, -- objects allocated
	alloc_bytes INTEGER NOT NULL, -- bytes they took
	bytes_req INTEGER NOT NULL, -- bytes asked for
	failures INTEGER NOT NULL, -- allocations that returned nothing
	frees INTEGER NOT NULL, -- objects with a free event of their own
	free_bytes INTEGER NOT NULL, -- bytes those gave back
	inferred_frees INTEGER NOT NULL, -- objects whose end is inferred
	inferred_bytes INTEGER NOT NULL, -- their bytes
	uncertain_calls INTEGER NOT NULL, -- live objects that lived across a gap
	uncertain_bytes INTEGER NOT NULL, -- their bytes
	pieces INTEGER NOT NULL -- pages of split blocks beyond their first
) STRICT;

-- What changed at a call site in a bucket of time, and what was live there when it ended.
CREATE TABLE _bucket (
	callsite INTEGER NOT NULL REFERENCES _callsite (id), -- where …
	self INTEGER NOT NULL,   -- … 1: what the recorder's own tasks did there
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	bucket INTEGER NOT NULL, -- number of the bucket, from 0
	net_bytes INTEGER NOT NULL, -- by how much the live bytes grew
	net_calls INTEGER NOT NULL, -- by how much the live objects grew
	alloc_bytes INTEGER NOT NULL, -- bytes allocated
	allocs INTEGER NOT NULL, -- objects allocated
	end_bytes INTEGER NOT NULL, -- bytes live at its end: the sum of net_bytes up to here
	end_calls INTEGER NOT NULL, -- objects live at its end, likewise
	PRIMARY KEY (callsite, self, recording, bucket)
) STRICT, WITHOUT ROWID;

-- How long objects of a call site lived. Bin b below 8 is b ns; else it begins at
-- (8 + b % 8) << (b / 8 - 1) ns. It ends where the next one begins.
CREATE TABLE _life (
	callsite INTEGER NOT NULL REFERENCES _callsite (id), -- where …
	self INTEGER NOT NULL,  -- … 1: what the recorder's own tasks did there
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	bin INTEGER NOT NULL,   -- number of the bin
	ended INTEGER NOT NULL, -- objects that lived for so long
	live INTEGER NOT NULL,  -- objects that are live at the end, and of that age
	PRIMARY KEY (callsite, self, recording, bin)
) STRICT, WITHOUT ROWID;

-- The most that all raw sites of a kind held together.
CREATE TABLE _peak (
	kind TEXT NOT NULL,     -- kind
	bytes INTEGER NOT NULL, -- bytes live
	calls INTEGER NOT NULL, -- objects live
	peak_ns INTEGER NOT NULL, -- when that was first reached
	recording INTEGER NOT NULL DEFAULT 1 REFERENCES _recording (id), -- of which
	PRIMARY KEY (recording, kind)
) STRICT;

-- Slab objects by where they were allocated and from where they were freed.
CREATE TABLE _free_pair (
	raw_site INTEGER NOT NULL REFERENCES _raw_site (id), -- where they were allocated
	address INTEGER NOT NULL, -- return address of the free
	frame INTEGER REFERENCES _frame (id), -- what is there
	frees INTEGER NOT NULL, -- objects
	free_bytes INTEGER NOT NULL -- their bytes
) STRICT;
