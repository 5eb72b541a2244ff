// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/cursor.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "decode/record.h"

enum {
	NR_CONTEXTS = 8,
	/* Past it the frames of another stack may find no room. */
	POOL_FULL = CURSOR_POOL - CURSOR_MAX_FRAMES,
	/* Of most stacks: of a block of those, no more than they take. */
	USUAL_FRAMES = 16,
	/* Events ahead of the one that is written. */
	FETCH = 12,
	/* The least record that the loop takes: a header and what is common. */
	LEAST_WORDS = 2,
	LEAST_RECORD = 4 + 4 * LEAST_WORDS,
};

/* The latest event of a context: what a stack would belong to. */
struct parent {
	int32_t index; /* in the block; NOT_OURS for an event that was skipped */
	int32_t nr;    /* events that the record became */
	int32_t pid;
};

enum { NOT_OURS = -1 };

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
	bool usual; /* format_is_usual() */
	struct record_source source;
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
	c->usual = !opts->layout.swap && format_is_usual(opts->format);
	c->source = (struct record_source){ .vmemmap = opts->vmemmap,
					    .page_size = opts->page_size,
					    .nr_cpus = opts->nr_cpus,
					    .cpu = opts->cpu,
					    .swap = opts->layout.swap,
					    .malformed = &c->stats.malformed,
					    .memo.names = opts->names };
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
	return c->source.memo.most;
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

static void take_stack(struct cursor *c, const struct record *record)
{
	unsigned int context = context_index(record->context);
	uint64_t *frames = c->pool + c->pool_nr;
	size_t nr;

	c->stats.stacks++;
	if (!record_frames(&c->source, record, frames, CURSOR_MAX_FRAMES, &nr)) {
		c->stats.malformed++;
		return;
	}

	/* Whatever ran above this context is over. */
	c->open &= (uint8_t)(interrupted_by(context) | 1u << context);
	struct parent *parent = &c->parent[context];

	if (!(c->open >> context & 1) || parent->pid != record->pid) {
		c->stats.orphan_stacks++;
		return;
	}
	c->open &= (uint8_t) ~(1u << context);
	if (parent->index == NOT_OURS || !nr)
		return;

	struct event *ev = &c->event[parent->index];

	for (int32_t i = 0; i < parent->nr; i++) {
		ev[i].stack = frames;
		ev[i].nr_stack = nr & 0x7ff;
	}
	c->pool_nr += nr;
}

/* An event has come that a stack may follow. */
static inline void set_parent(struct cursor *c, uint8_t context, struct parent parent)
{
	unsigned int i = context_index(context);

	c->open = (uint8_t)((c->open & interrupted_by(i)) | 1u << i);
	c->parent[i] = parent;
}

static void take_event(struct cursor *c, const struct record *record)
{
	struct event *ev = &c->event[c->nr];

	set_parent(c, record->context, (struct parent){ NOT_OURS, 0, record->pid });
	if (record->format->use == FORMAT_UNUSED) {
		c->stats.skipped++;
		return;
	}
	if (!record_event(&c->source, record, ev)) {
		c->stats.malformed++;
		return;
	}
	size_t nr = record->format->list_len ? record_list(&c->source, record, ev) : 1;

	if (nr)
		set_parent(c, record->context,
			   (struct parent){ (int32_t)c->nr, (int32_t)nr, record->pid });
	c->nr += nr;
}

/* The next record of the page, whatever it is; false at the end of it. */
static __attribute__((noinline)) bool decode_one(struct cursor *c)
{
	const struct format *format = c->opts.format;
	const bool swap = c->opts.layout.swap;
	struct record record = { .page_end = c->walk.page_end };
	const struct subbuf_event *item = &record.item;
	uint16_t type;

	if (!subbuf_next(&c->walk, &record.item, swap))
		return false;
	c->stats.events++;
	c->stats.backward_steps += item->ts < c->last_ns;
	c->last_ns = item->ts;
	if (item->len < format->common_len) {
		c->stats.malformed++;
		return true;
	}
	memcpy(&type, item->data + format->type_off, sizeof(type));
	type = swap ? bswap_16(type) : type;
	record.format = &format->record[format->of_id[type]];
	if (item->len < record.format->min_len) {
		c->stats.malformed++;
		return true;
	}
	record.pid = (int32_t)subbuf_u32(item->data + format->pid_off, swap);
	record.context = item->data[format->flags_off] & EVENT_CONTEXT_MASK;
	if (record.format->use == FORMAT_STACK)
		take_stack(c, &record);
	else
		take_event(c, &record);
	return true;
}

static inline uint64_t load8(const struct format_record *rec, enum format_slot slot,
			     const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p + rec->off[slot], sizeof(v));
	return v;
}

static inline uint32_t load4(const struct format_record *rec, enum format_slot slot,
			     const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p + rec->off[slot], sizeof(v));
	return v;
}

/*
 * record_event() for the shapes that nearly all events have, but for their times. Each
 * field is written once and in place: a struct made aside and copied takes twice the work.
 */
static inline __attribute__((always_inline)) bool put_shaped(struct record_source *from,
							     const struct format_record *rec,
							     const uint8_t *p, size_t len,
							     uint64_t head, struct event *ev)
{
	uint64_t last = from->cpu | (uint64_t)rec->kind << 48 |
			(head & (uint64_t)EVENT_CONTEXT_MASK << 16) << 40;

	if (rec->shape <= FORMAT_SLAB_FREE) {
		bool alloc = rec->shape == FORMAT_SLAB_ALLOC;

		ev->call_site = load8(rec, FORMAT_CALL_SITE, p);
		ev->bytes_req = alloc ? load8(rec, FORMAT_BYTES_REQ, p) : 0;
		ev->bytes_alloc = alloc ? load8(rec, FORMAT_BYTES_ALLOC, p) : 0;
		ev->gfp_flags = alloc ? load4(rec, FORMAT_GFP, p) : 0;
		if (rec->name_off)
			last |= (uint64_t)record_name(from, rec, p, len, false) << 16;
	} else {
		bool alloc = rec->shape == FORMAT_PAGE_ALLOC;
		uint32_t order = load4(rec, FORMAT_ORDER, p);
		uint64_t type = alloc ? load4(rec, FORMAT_MIGRATETYPE, p) : 0;

		if (order > RECORD_MAX_ORDER)
			return false;
		ev->call_site = 0;
		ev->bytes_req = (uint64_t)from->page_size << order;
		ev->bytes_alloc = ev->bytes_req;
		ev->gfp_flags = alloc ? load4(rec, FORMAT_GFP, p) : 0;
		last |= (uint64_t)order << 43 | (type < 7 ? type : 7) << 53;
	}
	ev->addr = load8(rec, FORMAT_ADDR, p);
	ev->stack = NULL;
	ev->pid = (int32_t)(head >> 32);
	memcpy(&ev->cpu, &last, sizeof(last));
	return true;
}

/*
 * The same as decode_one() for as long as records are of shapes; where one is not, it is
 * left to that. What the loop is in lies in locals: behind a pointer, each event that is
 * stored would have it loaded anew. Whom a stack would belong to is in the event itself,
 * until one comes that is of another context or is not stored.
 */
static void decode_shaped(struct cursor *c, size_t stop)
{
	const struct format *const format = c->opts.format;
	struct record_source *const from = &c->source;
	struct event *const first = &c->event[c->nr], *const end = &c->event[stop];
	struct event *ev = first;
	const uint8_t *pos = c->walk.pos, *const commit = c->walk.end;
	uint64_t ts = c->walk.ts, last_ns = c->last_ns, context = 0;

	while (ev < end && commit - pos >= LEAST_RECORD) {
		uint32_t word = subbuf_u32(pos, false), type_len = word & 31;
		const uint8_t *data = pos + 4;
		size_t len = (size_t)type_len * 4;
		uint64_t now = ts + (word >> 5), head;

		/* Whoever matches had it last: his cache hands it over while this goes on. */
		__builtin_prefetch(ev + FETCH, 1);
		if (type_len - LEAST_WORDS > SUBBUF_DATA_MAX - LEAST_WORDS ||
		    len > (size_t)(commit - data) || now < last_ns)
			break;
		memcpy(&head, data, sizeof(head));

		const struct format_record *rec = &format->record[format->of_id[head & 0xffff]];

		if (rec->shape == FORMAT_ANY || len < rec->min_len ||
		    !put_shaped(from, rec, data, len, head, ev))
			break;
		ev->ts_ns = now;
		if (__builtin_expect((head & (uint64_t)EVENT_CONTEXT_MASK << 16) != context,
				     0)) {
			if (ev != first)
				set_parent(c, ev[-1].context,
					   (struct parent){ (int32_t)(ev - 1 - c->event), 1,
							    ev[-1].pid });
			context = head & (uint64_t)EVENT_CONTEXT_MASK << 16;
		}
		pos = data + len;
		ts = last_ns = now;
		ev++;
	}
	if (ev == first)
		return;
	set_parent(c, ev[-1].context,
		   (struct parent){ (int32_t)(ev - 1 - c->event), 1, ev[-1].pid });
	c->walk.pos = pos;
	c->walk.ts = ts;
	c->last_ns = last_ns;
	c->nr = (size_t)(ev - c->event);
	c->stats.events += (uint64_t)(ev - first);
}

/* Decodes until the page ends, or a block that is large enough. */
static void decode(struct cursor *c)
{
	/* Within a page, too: a block stays in the cache until it is used. */
	const size_t stop = least(c->nr + c->fill, CURSOR_BLOCK);
	const size_t pool_stop = least(c->pool_nr + c->fill * USUAL_FRAMES, POOL_FULL);

	while (c->nr < stop && c->pool_nr <= pool_stop) {
		if (c->usual)
			decode_shaped(c, stop);
		if (c->nr < stop && !decode_one(c)) {
			c->in_page = false;
			if (c->walk.fault != SUBBUF_OK)
				add_damage(c, subbuf_refused_bytes(&c->walk), 1);
			return;
		}
	}
}

struct err *cursor_fill(struct cursor *c, struct cursor_block *to, size_t *ret_nr)
{
	begin(c, to);
	while (!c->ended && !c->dry && !is_full(c) && !is_enough(c)) {
		if (!c->in_page)
			TRY(next_page(c));
		if (c->in_page)
			decode(c);
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
