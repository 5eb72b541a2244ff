// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/cursor.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "decode/kmemcache.h"

enum {
	MAX_ORDER = 31,
	NR_CONTEXTS = 8,
	MEMO_SIZE = 256,
	MEMO_LEN = 44,
	/* A recording with struct page * has no size of it; this is x86-64's. */
	STRUCT_PAGE_SHIFT = 6,
	/* Past it the frames of another stack may find no room. */
	POOL_FULL = CURSOR_POOL - CURSOR_MAX_FRAMES,
	/* Of most stacks: of a block of those, no more than they take. */
	USUAL_FRAMES = 16,
	/* Events ahead of the one that is written. */
	FETCH = 12,
	/* Above it kmalloc takes pages. */
	KMALLOC_CACHE_MAX = 8192,
};

/* The latest event of a context: what a stack would belong to. */
struct parent {
	int32_t index; /* in the block; NOT_OURS for an event that was skipped */
	int32_t nr;    /* events that the record became */
	int32_t pid;
};

enum { NOT_OURS = -1 };

struct memo {
	uint64_t head, tail; /* the bytes at both ends, see ends_of() */
	char text[MEMO_LEN];
	uint16_t len;
	uint16_t id;
};

/* What is missing in front of the next page. */
struct gap {
	bool damaged, missed;
	uint64_t bytes; /* damaged */
	uint64_t lost;	/* missed, or EVENT_LOST_UNKNOWN */
};

struct cursor {
	struct cursor_opts opts;
	struct subbuf walk;
	bool in_page, ended, dry;
	uint64_t last_ns; /* 0: none yet */
	struct gap gap;

	struct cursor_block *block; /* filled last; NULL: none yet */
	struct event *event;	    /* of it, and so on: taken over while it is filled */
	uint64_t *pool;
	size_t nr, pool_nr;
	size_t handed;		     /* of nr */
	size_t fill;		     /* events that are handed out at a time */
	struct cursor_block *own[2]; /* of cursor_next() */

	struct parent parent[NR_CONTEXTS];
	uint8_t open; /* bit per context: parent[] may still get a stack */

	struct merge_stats stats;
	uint16_t most_name;
	struct memo memo[MEMO_SIZE];
	uint8_t scratch[FORMAT_MAX_OFF + 8];
};

struct cursor_block *cursor_block_new(void)
{
	struct cursor_block *block = xcalloc(1, sizeof(*block));

	block->event = xlines(CURSOR_MOST, sizeof(*block->event));
	block->pool = xreallocarray(NULL, CURSOR_POOL, sizeof(*block->pool));
	return block;
}

void cursor_block_free(struct cursor_block *block)
{
	if (!block)
		return;
	free(block->event);
	free(block->pool);
	free(block);
}

struct cursor *cursor_new(const struct cursor_opts *opts)
{
	struct cursor *c = xcalloc(1, sizeof(*c));

	c->opts = *opts;
	c->fill = CURSOR_FILL;
	return c;
}

void cursor_portion(struct cursor *c, size_t nr)
{
	c->fill = nr < CURSOR_FILL ? nr : CURSOR_FILL;
}

void cursor_free(struct cursor *c)
{
	if (!c)
		return;
	cursor_block_free(c->own[0]);
	cursor_block_free(c->own[1]);
	free(c);
}

const struct merge_stats *cursor_stats(const struct cursor *c)
{
	return &c->stats;
}

/* Bits 0 hardirq, 1 softirq, 2 NMI. */
static inline unsigned int context_index(uint8_t context)
{
	return (context >> 3 & 3) | (context >> 4 & 4);
}

uint16_t cursor_most_name(const struct cursor *c)
{
	return c->most_name;
}

/*
 * The contexts that one with index @i may have interrupted: those with a strict
 * subset of its bits. An event of @i ends the wait of every other: its handler
 * has returned, or it is the one before in the same context.
 */
static inline uint8_t interrupted_by(unsigned int i)
{
	static const uint8_t below[NR_CONTEXTS] = { 0x00, 0x01, 0x01, 0x07,
						    0x01, 0x13, 0x15, 0x7f };

	return below[i];
}

/* Events at the start of the block that no stack can join any more. */
static size_t ready(const struct cursor *c)
{
	size_t nr = c->nr;

	for (unsigned int i = 0; i < NR_CONTEXTS; i++) {
		if (!(c->open >> i & 1) || c->parent[i].index == NOT_OURS)
			continue;
		if ((size_t)c->parent[i].index < nr)
			nr = (size_t)c->parent[i].index;
	}
	return nr;
}

/* Goes on in @to, which begins with what was not handed out. */
static void begin(struct cursor *c, struct cursor_block *to)
{
	const struct event *from = c->nr > c->handed ? c->block->event + c->handed : NULL;
	const uint64_t *last = NULL; /* events of one record share their stack */

	c->event = to->event;
	c->pool = to->pool;
	c->pool_nr = 0;
	c->nr -= c->handed;
	for (size_t i = 0; i < c->nr; i++) {
		struct event *ev = &c->event[i];

		*ev = from[i];
		if (!ev->stack)
			continue;
		if (ev->stack == last) {
			ev->stack = ev[-1].stack;
			continue;
		}
		last = ev->stack;
		memcpy(c->pool + c->pool_nr, ev->stack, ev->nr_stack * sizeof(*c->pool));
		ev->stack = c->pool + c->pool_nr;
		c->pool_nr += ev->nr_stack;
	}
	for (unsigned int i = 0; i < NR_CONTEXTS; i++) {
		if (c->open >> i & 1 && c->parent[i].index != NOT_OURS)
			c->parent[i].index -= (int32_t)c->handed;
	}
	c->block = to;
	c->handed = 0;
}

static bool is_full(const struct cursor *c)
{
	return c->nr >= CURSOR_BLOCK || c->pool_nr > POOL_FULL;
}

/* The events that were asked for, or fewer with stacks as deep as theirs usually are not. */
static bool is_enough(const struct cursor *c)
{
	size_t nr = ready(c);

	return nr >= c->fill || (nr && c->pool_nr >= c->fill * USUAL_FRAMES);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The oldest event that still waits goes without. */
static void give_up(struct cursor *c)
{
	size_t oldest = ready(c);

	for (unsigned int i = 0; i < NR_CONTEXTS; i++) {
		if (c->open >> i & 1 && c->parent[i].index == (int32_t)oldest)
			c->open &= (uint8_t) ~(1u << i);
	}
}

static void push_lost(struct cursor *c, uint64_t end_ns, uint64_t lost, uint64_t bytes)
{
	c->event[c->nr++] = (struct event){ .kind = EVENT_LOST,
					    .ts_ns = end_ns,
					    .addr = c->last_ns,
					    .bytes_req = lost,
					    .bytes_alloc = bytes,
					    .cpu = c->opts.cpu };
}

/* What is missing in front of @end_ns becomes one event a cause. */
static void push_gap(struct cursor *c, uint64_t end_ns)
{
	if (c->gap.damaged)
		push_lost(c, end_ns, EVENT_LOST_UNKNOWN, c->gap.bytes);
	if (c->gap.missed)
		push_lost(c, end_ns, c->gap.lost, 0);
	c->gap = (struct gap){ 0 };
}

static void add_damage(struct cursor *c, uint64_t bytes, uint64_t pages)
{
	c->stats.damaged_pages += pages;
	c->gap.damaged = true;
	c->gap.bytes += bytes;
	c->open = 0;
}

static void add_missed(struct cursor *c, uint64_t lost)
{
	if (lost == SUBBUF_LOST_UNKNOWN || c->gap.lost > UINT64_MAX - 1 - lost)
		c->gap.lost = EVENT_LOST_UNKNOWN;
	else
		c->gap.lost += lost;
	c->gap.missed = true;
	c->open = 0;
}

/* Starts on the next page that has data; at the end, ended is set. */
static struct err *next_page(struct cursor *c)
{
	struct span page;
	uint64_t damaged;

	for (;;) {
		damaged = 0;
		TRY(c->opts.source.next(c->opts.source.arg, &page, &damaged));
		if (damaged)
			add_damage(c, damaged, (damaged - 1) / c->opts.subbuf_size + 1);
		if (!page.data && c->opts.live) {
			c->dry = true;
			return NULL;
		}
		if (!page.data) {
			c->ended = true;
			c->open = 0;
			push_gap(c, c->last_ns);
			return NULL;
		}
		c->stats.pages++;
		if (!subbuf_init(&c->walk, &c->opts.layout, page)) {
			add_damage(c, subbuf_refused_bytes(&c->walk), 1);
			continue;
		}
		if (c->walk.lost)
			add_missed(c, c->walk.lost);
		/* The base time of an empty page is not one of its events. */
		if (c->walk.pos == c->walk.end)
			continue;
		push_gap(c, c->walk.base_ts);
		c->in_page = true;
		return NULL;
	}
}

/*
 * The first and the last 8 bytes; all of a text of at most 16. In front of a text there
 * are the header of its page and that of its event: lengths, which no branch can foretell,
 * take no branch.
 */
static inline void ends_of(const char *text, size_t len, uint64_t *head, uint64_t *tail)
{
	size_t first = len < 8 ? len : 8;
	unsigned int foreign = (unsigned int)(8 - first) * 8;

	memcpy(head, text + first - 8, 8);
	memcpy(tail, text + len - 8, 8);
	if (SUBBUF_HOST_BIG) {
		*head <<= foreign;
		*tail <<= foreign;
	} else {
		*head >>= foreign;
		*tail >>= foreign;
	}
}

/* The name of @len raw bytes of a page, its NUL among them. */
static inline uint16_t intern(struct cursor *c, const char *text, size_t len)
{
	if (!len)
		return EVENT_CACHE_NONE;

	struct memo *memo = NULL;
	uint64_t head = 0, tail = 0;

	if (len <= MEMO_LEN) {
		ends_of(text, len, &head, &tail);
		memo = &c->memo[((head ^ tail << 7 ^ len) * UINT64_C(0x9e3779b97f4a7c15)) >>
				56];
		if (memo->len == len && memo->head == head && memo->tail == tail &&
		    (len <= 16 || !memcmp(memo->text, text, len)))
			return memo->id;
	}

	size_t chars = strnlen(text, len < CURSOR_MAX_NAME ? len : CURSOR_MAX_NAME);
	uint16_t id = names_id(c->opts.names, text, chars);

	if (id > c->most_name)
		c->most_name = id;

	if (memo) {
		memo->head = head;
		memo->tail = tail;
		memcpy(memo->text, text, len);
		memo->len = (uint16_t)len;
		memo->id = id;
	}
	return id;
}

static inline uint16_t load_name(struct cursor *c, const struct format_record *rec,
				 const struct subbuf_event *item, bool swap)
{
	if (rec->name_len)
		return intern(c, (const char *)item->data + rec->name_off, rec->name_len);

	uint32_t where = subbuf_u32(item->data + rec->name_off, swap);
	size_t off = (where & 0xffff) + rec->name_base;
	size_t len = where >> 16;

	if (off > item->len || len > item->len - off) {
		c->stats.malformed++;
		return EVENT_CACHE_NONE;
	}
	return intern(c, (const char *)item->data + off, len);
}

/* All ones in the writer's word: the pfn of a page that was not got. */
static uint64_t pfn_of(const struct format_record *rec, uint64_t value)
{
	if (rec->page_pointer)
		return value ? value >> STRUCT_PAGE_SHIFT : EVENT_PFN_NONE;
	return value == rec->load[FORMAT_ADDR].mask ? EVENT_PFN_NONE : value;
}

/* The pfn of a struct page, of which the recording tells where they begin. */
static bool pfn_of_page(uint64_t vmemmap, uint64_t *addr)
{
	if (!vmemmap || *addr < vmemmap)
		return false;
	*addr = (*addr - vmemmap) >> STRUCT_PAGE_SHIFT;
	return true;
}

/* The size of the kmalloc cache that serves @bytes: powers of two, 96 and 192. */
static uint64_t kmalloc_size(uint64_t bytes)
{
	uint64_t size = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	while (size < bytes && size < KMALLOC_CACHE_MAX)
		size *= 2;
	return size < bytes ? bytes : size;
}

/* What differs by kind; false for a value that no kernel writes. */
static inline bool finish(const struct cursor *c, const struct format_record *rec,
			  struct event *ev, uint64_t order, uint64_t extra)
{
	uint64_t vmemmap;

	switch ((enum event_kind)rec->kind) {
	case EVENT_PAGE_ALLOC:
	case EVENT_PAGE_FREE:
		if (order > MAX_ORDER)
			return false;
		ev->addr = pfn_of(rec, ev->addr);
		ev->bytes_req = (uint64_t)c->opts.page_size << order;
		ev->bytes_alloc = ev->bytes_req;
		break;
	case EVENT_PERCPU_ALLOC:
		if (!rec->load[FORMAT_BYTES_ALLOC].size)
			ev->bytes_alloc = ev->bytes_req * c->opts.nr_cpus;
		break;
	case EVENT_RCU_FREE:
		/* Up to 6.3 the second argument is the offset of the head, if there is one. */
		if (extra && ev->addr < c->opts.page_size)
			ev->addr = extra - ev->addr;
		break;
	case EVENT_PAGE_MOVE:
		vmemmap = c->opts.vmemmap ? c->opts.vmemmap : ev->bytes_alloc;
		ev->bytes_alloc = 0;
		return pfn_of_page(vmemmap, &ev->addr) && pfn_of_page(vmemmap, &ev->bytes_req);
	case EVENT_PAGE_BULK:
		/* push_list() takes the base off. */
		break;
	case EVENT_VMAP_ALLOC:
		if (rec->is_end && ev->bytes_req <= ev->addr)
			ev->addr = 0; /* an error, to which no memory belongs */
		if (rec->is_end)
			ev->bytes_req = ev->addr ? ev->bytes_req - ev->addr : 0;
		/* The guard page behind the area has no memory. */
		ev->bytes_alloc = ev->bytes_req > c->opts.page_size
					  ? ev->bytes_req - c->opts.page_size
					  : ev->bytes_req;
		if (extra)
			ev->addr = 0;
		break;
	case EVENT_KMALLOC:
		if (!rec->load[FORMAT_BYTES_ALLOC].size)
			ev->bytes_alloc = kmalloc_size(ev->bytes_req);
		break;
	case EVENT_LOST:
	case EVENT_CACHE_ALLOC:
	case EVENT_KFREE:
	case EVENT_CACHE_FREE:
	case EVENT_PERCPU_FREE:
	case EVENT_VMAP_FREE:
	case EVENT_BULK_ALLOC:
	case EVENT_BULK_FREE:
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	case EVENT_TASK_NAME:
		if (!rec->load[FORMAT_ADDR].size)
			ev->addr = (uint32_t)ev->pid;
		break;
	}
	return true;
}

/* @p such that format_value() may touch rec->wide_len bytes of it. */
static inline const uint8_t *widen(struct cursor *c, const struct format_record *rec,
				   const struct subbuf_event *item, const uint8_t *page_end)
{
	if ((size_t)(page_end - item->data) >= rec->wide_len)
		return item->data;

	size_t len = item->len < rec->wide_len ? item->len : rec->wide_len;

	memcpy(c->scratch, item->data, len);
	return c->scratch;
}

static __attribute__((noinline)) bool push_event(struct cursor *c,
						 const struct format_record *rec,
						 const struct subbuf_event *item,
						 const uint8_t *page_end, int32_t pid,
						 uint8_t context, const bool swap)
{
	const uint8_t *p = widen(c, rec, item, page_end);
	struct event *ev = &c->event[c->nr];
	uint64_t order = format_value(&rec->load[FORMAT_ORDER], p, swap);
	uint64_t migratetype = format_value(&rec->load[FORMAT_MIGRATETYPE], p, swap);

	*ev = (struct event){
		.ts_ns = item->ts,
		.addr = format_value(&rec->load[FORMAT_ADDR], p, swap),
		.call_site = format_value(&rec->load[FORMAT_CALL_SITE], p, swap),
		.bytes_req = format_value(&rec->load[FORMAT_BYTES_REQ], p, swap),
		.bytes_alloc = format_value(&rec->load[FORMAT_BYTES_ALLOC], p, swap),
		.pid = pid,
		.gfp_flags = (uint32_t)format_value(&rec->load[FORMAT_GFP], p, swap),
		.cpu = c->opts.cpu,
		.kind = rec->kind,
		.context = context,
		.order = order & 0x1f, /* finish() refuses more */
		.migratetype = migratetype < 7 ? migratetype & 7 : 7,
	};
	if (!finish(c, rec, ev, order, format_value(&rec->load[FORMAT_EXTRA], p, swap)))
		return false;
	if (rec->name_off)
		ev->cache = load_name(c, rec, item, swap);
	c->nr++;
	return true;
}

/* One event becomes one for each pointer; those of page lists that cannot be told drop out. */
static size_t push_list(struct cursor *c, const struct format_record *rec,
			const struct subbuf_event *item, const uint8_t *page_end, bool swap)
{
	struct event ev = c->event[--c->nr];
	uint64_t n =
		format_value(&rec->load[FORMAT_EXTRA], widen(c, rec, item, page_end), swap);
	size_t first = c->nr, len = rec->list_len;
	struct kmemcache cache;
	uint64_t vmemmap = c->opts.vmemmap ? c->opts.vmemmap : ev.bytes_alloc;

	if (rec->page_address) {
		ev.bytes_req = c->opts.page_size;
		ev.bytes_alloc = c->opts.page_size;
	}
	n = n > rec->list_first ? n - rec->list_first : 0;
	if (n < len)
		len = (size_t)n;
	if (rec->cache_len &&
	    kmemcache_find(&cache, item->data + rec->cache_off, rec->cache_len, swap)) {
		ev.bytes_alloc = cache.size;
		ev.bytes_req = cache.object_size;
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(&ev.addr, item->data + rec->list_off + i * 8, 8);
		ev.addr = swap ? bswap_64(ev.addr) : ev.addr;
		if (ev.addr && (!rec->page_address || pfn_of_page(vmemmap, &ev.addr)))
			c->event[c->nr++] = ev;
	}
	return c->nr - first;
}

/* Frames in the writer's words, up to one that only ends the list. */
static size_t copy_frames(uint64_t *to, const uint8_t *from, size_t nr, size_t size,
			  bool zero_ends, bool swap)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		uint64_t frame, none = UINT64_MAX;

		if (size == 8) {
			memcpy(&frame, from + i * 8, 8);
			frame = swap ? bswap_64(frame) : frame;
		} else {
			frame = subbuf_u32(from + i * 4, swap);
			none = UINT32_MAX;
		}
		if (frame == none || (zero_ends && !frame))
			break;
		to[i] = frame;
	}
	return i;
}

static void take_stack(struct cursor *c, const struct format_record *rec,
		       const struct subbuf_event *item, const uint8_t *page_end, int32_t pid,
		       unsigned int context, bool swap)
{
	uint64_t count = rec->max_frames;

	c->stats.stacks++;
	if (rec->load[FORMAT_EXTRA].size)
		count = format_value(&rec->load[FORMAT_EXTRA], widen(c, rec, item, page_end),
				     swap);
	if (count > (item->len - rec->frames_off) / rec->frame_size) {
		c->stats.malformed++;
		return;
	}

	/* Whatever ran above this context is over. */
	c->open &= (uint8_t)(interrupted_by(context) | 1u << context);
	struct parent *parent = &c->parent[context];

	if (!(c->open >> context & 1) || parent->pid != pid) {
		c->stats.orphan_stacks++;
		return;
	}
	c->open &= (uint8_t) ~(1u << context);
	if (parent->index == NOT_OURS)
		return;

	struct event *ev = &c->event[parent->index];
	size_t nr = count < CURSOR_MAX_FRAMES ? (size_t)count : CURSOR_MAX_FRAMES;

	nr = copy_frames(c->pool + c->pool_nr, item->data + rec->frames_off, nr,
			 rec->frame_size, rec->max_frames != 0, swap);
	if (!nr)
		return;
	for (int32_t i = 0; i < parent->nr; i++) {
		ev[i].stack = c->pool + c->pool_nr;
		ev[i].nr_stack = nr & 0x7ff;
	}
	c->pool_nr += nr;
}

/* An event of no shape of its own, or of no interest. */
static __attribute__((noinline)) void decode_odd(struct cursor *c,
						 const struct format_record *rec,
						 const struct subbuf_event *item,
						 const uint8_t *page_end, int32_t pid,
						 uint8_t context, const bool swap)
{
	unsigned int i = context_index(context);

	c->open = (uint8_t)((c->open & interrupted_by(i)) | 1u << i);
	c->parent[i] = (struct parent){ NOT_OURS, 0, pid };
	if (rec->use == FORMAT_UNUSED) {
		c->stats.skipped++;
		return;
	}
	if (!push_event(c, rec, item, page_end, pid, context, swap)) {
		c->stats.malformed++;
		return;
	}
	size_t nr = rec->list_len ? push_list(c, rec, item, page_end, swap) : 1;

	if (nr)
		c->parent[i] = (struct parent){ (int32_t)(c->nr - nr), (int32_t)nr, pid };
}

static inline uint64_t load8(const struct format_record *rec, enum format_slot slot,
			     const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p + rec->load[slot].off, sizeof(v));
	return v;
}

static inline uint32_t load4(const struct format_record *rec, enum format_slot slot,
			     const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p + rec->load[slot].off, sizeof(v));
	return v;
}

/*
 * push_event() for the shapes that nearly all events have. Each field is written
 * once and in place: a struct made aside and copied takes twice the work.
 */
static inline __attribute__((always_inline)) bool push_shaped(
	struct cursor *c, struct event *ev, const struct format_record *rec,
	const struct subbuf_event *item, int32_t pid, uint8_t context, uint16_t cpu)
{
	const uint8_t *p = item->data;
	uint64_t last;

	ev->ts_ns = item->ts;
	ev->addr = load8(rec, FORMAT_ADDR, p);
	if (rec->shape <= FORMAT_SLAB_FREE) {
		bool alloc = rec->shape == FORMAT_SLAB_ALLOC;

		ev->call_site = load8(rec, FORMAT_CALL_SITE, p);
		ev->bytes_req = alloc ? load8(rec, FORMAT_BYTES_REQ, p) : 0;
		ev->bytes_alloc = alloc ? load8(rec, FORMAT_BYTES_ALLOC, p) : 0;
		ev->gfp_flags = alloc ? load4(rec, FORMAT_GFP, p) : 0;
		last = event_last_word(
			cpu, rec->name_off ? load_name(c, rec, item, false) : EVENT_CACHE_NONE,
			0, rec->kind, 0, context);
	} else {
		bool alloc = rec->shape == FORMAT_PAGE_ALLOC;
		uint32_t order = load4(rec, FORMAT_ORDER, p);
		uint32_t type = alloc ? load4(rec, FORMAT_MIGRATETYPE, p) : 0;

		if (order > MAX_ORDER)
			return false;
		ev->call_site = 0;
		ev->bytes_req = (uint64_t)c->opts.page_size << order;
		ev->bytes_alloc = ev->bytes_req;
		ev->gfp_flags = alloc ? load4(rec, FORMAT_GFP, p) : 0;
		last = event_last_word(cpu, EVENT_CACHE_NONE, order, rec->kind,
				       type < 7 ? type : 7, context);
	}
	ev->stack = NULL;
	ev->pid = pid;
	memcpy(&ev->cpu, &last, sizeof(last));
	return true;
}

/*
 * Decodes until the page or the block ends. What the loop is in lies in locals:
 * behind a pointer, each event that is stored would have it loaded anew.
 */
static inline __attribute__((always_inline)) void decode(struct cursor *c, const bool swap)
{
	const struct format *const format = c->opts.format;
	struct subbuf walk = c->walk;
	struct subbuf_event item;
	struct event *const event = c->event;
	uint64_t nr_events = 0, backward = 0, last_ns = c->last_ns;
	size_t nr = c->nr;
	const uint16_t cpu = c->opts.cpu;
	/* Within a page, too: a block stays in the cache until it is used. */
	const size_t stop = least(nr + c->fill, CURSOR_BLOCK);
	const size_t pool_stop = least(c->pool_nr + c->fill * USUAL_FRAMES, POOL_FULL);
	uint8_t open = c->open;
	bool more = true;

	while (nr < stop && (more = subbuf_next(&walk, &item, swap))) {
		/* Whoever matches had it last: his cache hands it over while this goes on. */
		__builtin_prefetch(&event[nr + FETCH], 1);
		nr_events++;
		backward += item.ts < last_ns;
		last_ns = item.ts;
		if (__builtin_expect(item.len < format->common_len, 0)) {
			c->stats.malformed++;
			continue;
		}

		uint16_t type;

		memcpy(&type, item.data + format->type_off, sizeof(type));
		type = swap ? bswap_16(type) : type;
		const struct format_record *rec = &format->record[format->of_id[type]];
		int32_t pid = (int32_t)subbuf_u32(item.data + format->pid_off, swap);
		uint8_t context = item.data[format->flags_off] & EVENT_CONTEXT_MASK;

		if (__builtin_expect(item.len < rec->min_len, 0)) {
			c->stats.malformed++;
			continue;
		}
		if (!swap && rec->shape != FORMAT_ANY) {
			unsigned int i = 0;

			if (__builtin_expect(context != 0, 0)) {
				i = context_index(context);
				open &= interrupted_by(i);
			} else {
				open = 0;
			}
			open = (uint8_t)(open | 1u << i);
			c->parent[i] = (struct parent){ (int32_t)nr, 1, pid };
			if (push_shaped(c, &event[nr], rec, &item, pid, context, cpu)) {
				nr++;
			} else {
				c->parent[i].index = NOT_OURS;
				c->stats.malformed++;
			}
			continue;
		}
		/* Of a copy, the address may be known. */
		const struct subbuf_event odd = item;

		c->nr = nr;
		c->open = open;
		if (rec->use == FORMAT_STACK)
			take_stack(c, rec, &odd, walk.page_end, pid, context_index(context),
				   swap);
		else
			decode_odd(c, rec, &odd, walk.page_end, pid, context, swap);
		nr = c->nr;
		open = c->open;
		if (c->pool_nr > pool_stop)
			break;
	}
	c->nr = nr;
	c->open = open;
	c->last_ns = last_ns;
	c->stats.events += nr_events;
	c->stats.backward_steps += backward;
	c->walk = walk;
	if (more)
		return;
	c->in_page = false;
	if (walk.fault != SUBBUF_OK)
		add_damage(c, subbuf_refused_bytes(&walk), 1);
}

struct err *cursor_fill(struct cursor *c, struct cursor_block *to, size_t *ret_nr)
{
	begin(c, to);
	while (!c->ended && !c->dry && !is_full(c) && !is_enough(c)) {
		if (!c->in_page)
			TRY(next_page(c));
		if (c->in_page && c->opts.layout.swap)
			decode(c, true);
		else if (c->in_page)
			decode(c, false);
	}
	while (is_full(c) && !ready(c))
		give_up(c);
	c->handed = ready(c);
	*ret_nr = c->handed;
	return NULL;
}

void cursor_resume(struct cursor *c, bool last)
{
	c->dry = false;
	c->opts.live = !last;
}

bool cursor_is_over(const struct cursor *c)
{
	return c->ended && c->nr == c->handed;
}

void cursor_forget_stacks(struct cursor *c)
{
	c->open = 0;
}

uint64_t cursor_pending_ns(const struct cursor *c)
{
	return c->nr > c->handed ? c->event[c->handed].ts_ns : UINT64_MAX;
}

struct err *cursor_next(struct cursor *c, const struct event **ret, size_t *ret_nr)
{
	struct cursor_block **to = &c->own[c->block && c->block == c->own[0]];

	if (!*to)
		*to = cursor_block_new();
	TRY(cursor_fill(c, *to, ret_nr));
	*ret = (*to)->event;
	return NULL;
}
