// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/property/oracle.h"

#include <string.h>

static size_t site_of(struct oracle *o, enum site_kind kind, uint64_t key)
{
	for (size_t i = 0; i < o->nr_site; i++)
		if (o->site[i].kind == kind && o->site[i].call_site == key)
			return i;
	o->site[o->nr_site] = (struct site){ .kind = kind, .call_site = key };
	return o->nr_site++;
}

static void see_cache(struct oracle *o, size_t site, uint16_t cache)
{
	struct site *s = &o->site[site];

	if (cache && s->cache && s->cache != cache)
		o->mixed[site] = true;
	if (cache)
		s->cache = cache;
}

static void note(struct oracle *o, size_t site, uint64_t ts, int64_t bytes)
{
	o->ledger[o->nr_ledger++] = (__typeof__(o->ledger[0])){ site, ts, bytes };
}

/* Books @bytes of an object, and its end when @last; @rule NR_END_RULES is a free. */
static void end(struct oracle *o, struct oracle_object *b, enum end_rule rule, uint64_t bytes,
		uint64_t ts)
{
	struct site *s = &o->site[b->site];

	b->bytes -= bytes;
	b->live = b->bytes != 0;
	if (b->twin)
		return;
	note(o, b->site, ts, -(int64_t)bytes);
	*(rule == NR_END_RULES ? &s->free_bytes : &s->inferred_bytes[rule]) += bytes;
	*(rule == NR_END_RULES ? &s->frees : &s->inferred_frees[rule]) += !b->live;
}

static struct oracle_object *find(struct oracle *o, enum site_kind kind, uint64_t key)
{
	for (size_t i = 0; i < o->nr_obj; i++)
		if (o->obj[i].live && o->obj[i].kind == kind && o->obj[i].key == key)
			return &o->obj[i];
	return NULL;
}

/* Rules 8 and 9: the pages of [pfn, pfn + nr) go; how many did. */
static uint64_t take(struct oracle *o, uint64_t pfn, uint64_t nr, enum end_rule rule,
		     uint64_t ts, bool *partial)
{
	uint64_t taken = 0;

	for (size_t i = 0; i < o->nr_page; i++) {
		if (!o->page[i].live || o->page[i].pfn - pfn >= nr)
			continue;
		struct oracle_object *b = &o->obj[o->page[i].obj];

		*partial |= b->in_pieces || b->key < pfn || b->key + b->pages > pfn + nr;
		b->single |= rule == NR_END_RULES && nr == 1;
		b->larger |= rule == NR_END_RULES && nr > 1;
		o->page[i].live = false;
		end(o, b, rule, 4096, ts);
		taken++;
	}
	for (size_t i = 0; i < o->nr_page; i++) {
		struct oracle_object *b = &o->obj[o->page[i].obj];

		b->in_pieces |= b->bytes != b->pages * 4096;
	}
	return taken;
}

static struct oracle_slab_page *slab_page(struct oracle *o, uint64_t addr)
{
	size_t i = 0;

	while (i < o->nr_slab_page && o->slab_page[i].addr != addr / 4096)
		i++;
	if (i == o->nr_slab_page)
		o->slab_page[o->nr_slab_page++].addr = addr / 4096;
	return &o->slab_page[i];
}

/* No object lives in the pages of @ev any more; whether these were slabs. */
static bool end_slab_in(struct oracle *o, const struct event *ev)
{
	bool slab = false;

	for (size_t i = 0; i < o->nr_slab_page; i++) {
		struct oracle_slab_page *p = &o->slab_page[i];

		if (p->addr - o->base / 4096 - ev->addr >= UINT64_C(1) << ev->order)
			continue;
		slab |= p->here && p->slab;
		*p = (struct oracle_slab_page){ .addr = p->addr };
	}
	for (size_t i = 0; i < o->nr_obj; i++) {
		struct oracle_object *b = &o->obj[i];

		if (b->live && b->kind == SITE_SLAB &&
		    (b->key - o->base) / 4096 - ev->addr < UINT64_C(1) << ev->order)
			end(o, b, END_SLAB_PAGE, b->bytes, ev->ts_ns);
	}
	return slab;
}

/* Rule 15: what made or freed something that names itself, by size. */
enum { SELF_AREA = 1, SELF_SLAB = 2 };

static void note_self(struct oracle *o, uint64_t what, size_t site, uint64_t bytes)
{
	o->free[o->nr_free++] =
		(struct oracle_free){ .of = site == SIZE_MAX ? FREE_OLDER : FREE_KNOWN,
				      .call_site = what,
				      .bytes = bytes,
				      .site = site };
}

/* The whole block that starts at @pfn, or NULL. */
static const struct oracle_object *block_at(const struct oracle *o, uint64_t pfn)
{
	for (size_t i = 0; i < o->nr_page; i++) {
		const struct oracle_object *b = &o->obj[o->page[i].obj];

		if (o->page[i].live && o->page[i].pfn == pfn && b->key == pfn && !b->in_pieces)
			return b;
	}
	return NULL;
}

static bool page_lives(const struct oracle *o, uint64_t pfn)
{
	for (size_t i = 0; i < o->nr_page; i++)
		if (o->page[i].live && o->page[i].pfn == pfn)
			return true;
	return false;
}

static bool same_task(const struct oracle *o, size_t i, const struct event *ev)
{
	return o->large[i].pid == ev->pid && o->large[i].context == ev->context &&
	       (ev->pid || o->large[i].cpu == ev->cpu);
}

static void forget_large(struct oracle *o, const struct event *ev)
{
	for (size_t i = 0; i < o->nr_large; i++)
		if (same_task(o, i, ev))
			o->large[i].obj = SIZE_MAX;
}

enum code_class oracle_classify(void *arg, uint64_t addr)
{
	(void)arg;
	return addr >> 4 == 0x80 || addr >> 4 == 0x81	? CODE_VMALLOC
	       : addr >> 4 == 0x82 || addr >> 4 == 0x30 ? CODE_ALLOCATOR
							: CODE_OTHER;
}

/* The frame behind vmalloc, or 0. */
static uint64_t outer(const struct event *ev)
{
	size_t i = 0;

	while (i < ev->nr_stack && oracle_classify(NULL, ev->stack[i]) == CODE_ALLOCATOR)
		i++;
	return i + 1 < ev->nr_stack && oracle_classify(NULL, ev->stack[i]) == CODE_VMALLOC
		       ? ev->stack[i + 1]
		       : 0;
}

static struct oracle_task *task(struct oracle *o, const struct event *ev)
{
	size_t i = 0;

	while (i < o->nr_task &&
	       (o->task[i].pid != ev->pid || o->task[i].context != ev->context ||
		(!ev->pid && o->task[i].cpu != ev->cpu)))
		i++;
	if (i == o->nr_task)
		o->task[o->nr_task++] = (struct oracle_task){ .pid = ev->pid,
							      .cpu = ev->cpu,
							      .context = ev->context,
							      .last = { SIZE_MAX, SIZE_MAX } };
	return &o->task[i];
}

/* An older area has no more pages. */
static void close_older(struct oracle *o, struct oracle_task *t)
{
	if (t->older_pages && !o->totals.lost_gaps) {
		note_self(o, SELF_AREA, SIZE_MAX, t->older_pages * 4096);
		o->older_areas++;
	}
	t->older_pages = 0;
	t->freed_unknown = false;
}

static void end_area(struct oracle *o, struct oracle_area *a, uint64_t ts)
{
	struct site *s = &o->site[a->site];

	a->live = false;
	note(o, a->site, ts, -(int64_t)(a->pages * 4096));
	s->inferred_frees[END_AREA] += a->pages;
	s->inferred_bytes[END_AREA] += a->pages * 4096;
}

static struct oracle_area *find_area(struct oracle *o, uint64_t start)
{
	for (size_t i = 0; i < o->nr_area; i++)
		if (o->area[i].live && o->area[i].start == start)
			return &o->area[i];
	return NULL;
}

static void make_area(struct oracle *o, const struct event *ev)
{
	struct oracle_area *old = find_area(o, ev->addr);
	uint64_t pages = ev->bytes_alloc / 4096;

	if (old)
		end_area(o, old, ev->ts_ns);
	if (!outer(ev) || !pages)
		return;
	struct oracle_task *t = task(o, ev);
	size_t site = site_of(o, SITE_PAGE, ev->stack[0]);
	struct site *s = &o->site[site];

	t->last[1] = t->last[0];
	t->last[0] = o->nr_area;
	o->area[o->nr_area++] =
		(struct oracle_area){ true, ev->addr, pages, outer(ev), ev->ts_ns, site };
	if (!o->allocated[site])
		s->first_ns = ev->ts_ns;
	s->last_ns = ev->ts_ns;
	o->allocated[site] = true;
	note_self(o, SELF_AREA, site_of(o, SITE_VMALLOC, ev->stack[0]), ev->bytes_alloc);
	o->totals.silent_pages += pages;
	s->allocs += pages;
	s->alloc_bytes += pages * 4096;
	s->bytes_req += pages * 4096;
	note(o, site, ev->ts_ns, (int64_t)(pages * 4096));
}

static void free_area(struct oracle *o, const struct event *ev, bool known)
{
	struct oracle_area *a = known ? find_area(o, ev->addr) : NULL;
	struct oracle_task *t = task(o, ev);

	close_older(o, t);
	t->freed_unknown = !known;
	t->freed_pages = a ? a->pages : 0;
	t->freed_site = a ? a->site : 0;
	if (a)
		end_area(o, a, ev->ts_ns);
}

/* The area that the block of @ev is of, or NULL. */
static struct oracle_area *area_of(struct oracle *o, const struct event *ev)
{
	const struct oracle_task *t = task(o, ev);

	for (int i = 0; i < 2; i++) {
		struct oracle_area *a = t->last[i] == SIZE_MAX ? NULL : &o->area[t->last[i]];
		uint64_t start = a ? a->start : 0;

		/* Another one may be in its place. */
		if (a && outer(ev) == a->outer && (a = find_area(o, start)) &&
		    a->pages >= UINT64_C(1) << ev->order)
			return a;
	}
	return NULL;
}

static void put_into_page(struct oracle *o, uint64_t addr, uint64_t bytes)
{
	struct oracle_slab_page *p = slab_page(o, addr);

	p->here = true;
	/* The second of the events that tell the base; before, pages end unseen. */
	p->slab |= bytes <= 8192 && o->totals.events[EVENT_KMALLOC] > 1;
	p->bytes = bytes <= UINT16_MAX ? bytes : 0;
}

static void allocate(struct oracle *o, const struct event *ev, enum site_kind kind,
		     uint64_t key, bool failed)
{
	size_t site = site_of(o, kind, ev->stack ? ev->stack[0] : ev->call_site),
	       dup = SIZE_MAX;
	struct site *s = &o->site[site];
	bool large = ev->kind == EVENT_KMALLOC && ev->bytes_alloc > 8192, twin = false;
	bool impossible =
		kind == SITE_PAGE
			? ev->order > 13 || key + (UINT64_C(1) << ev->order) > UINT64_C(1) << 40
			: ev->bytes_alloc > UINT64_C(1) << 43 || ev->bytes_req > UINT64_C(1)
											 << 43;

	if (!failed && impossible) {
		o->totals.implausible++;
		return;
	}
	struct oracle_area *area = kind == SITE_PAGE && !failed ? area_of(o, ev) : NULL;
	uint64_t first_obj = o->nr_obj;
	if (failed) {
		s->failures++;
	} else if (kind == SITE_PAGE) {
		bool partial = false;

		end_slab_in(o, ev);
		forget_large(o, ev);
		take(o, key, UINT64_C(1) << ev->order, END_OVERLAP, ev->ts_ns, &partial);
		for (uint64_t i = 0; i < UINT64_C(1) << ev->order; i++)
			o->page[o->nr_page++] = (__typeof__(o->page[0])){
				key + i, area ? first_obj + i : first_obj, true
			};
		for (uint64_t i = 0; area && i < UINT64_C(1) << ev->order;
		     i++, area->pages--, o->totals.silent_pages--)
			o->obj[o->nr_obj++] = (struct oracle_object){ .live = true,
								      .kind = kind,
								      .key = key + i,
								      .bytes = 4096,
								      .pages = 1,
								      .ts = ev->ts_ns,
								      .site = area->site };
		if (area)
			return;
	} else {
		struct oracle_object *old = find(o, kind, key);

		for (size_t i = 0; large && i < o->nr_obj; i++)
			twin |= o->obj[i].live && o->obj[i].kind == SITE_PAGE &&
				o->obj[i].key == (key - o->base) / 4096 &&
				o->obj[i].bytes == ev->bytes_alloc && !o->obj[i].in_pieces;
		for (size_t i = 0; large && old && i < o->nr_large; i++)
			if (o->large[i].obj == (size_t)(old - o->obj) && same_task(o, i, ev) &&
			    old->bytes == ev->bytes_alloc &&
			    o->large[i].bytes_req == ev->bytes_req)
				dup = i;
		o->totals.unsized +=
			kind == SITE_SLAB && dup == SIZE_MAX && !failed && !ev->bytes_alloc;
		if (dup != SIZE_MAX) {
			struct site *first = &o->site[old->site];

			o->totals.duplicate_kmallocs++;
			forget_large(o, ev);
			if (old->twin)
				return;
			old->live = false;
			o->ledger[o->large[dup].ledger].bytes = 0;
			first->allocs--;
			first->alloc_bytes -= old->bytes;
			first->bytes_req -= ev->bytes_req;
			twin = false;
		} else if (old) {
			for (size_t i = 0; i < o->nr_reuse; i++)
				if (o->obj[o->reuse[i].obj].key == key && !old->twin)
					o->reuse[i].ts = 0;
			if (kind == SITE_SLAB && !old->twin)
				o->reuse[o->nr_reuse++] =
					(__typeof__(o->reuse[0])){ (size_t)(old - o->obj),
								   ev->ts_ns, ev->cpu };
			uint64_t bytes = old->bytes;

			end(o, old, END_REUSE, bytes, ev->ts_ns);
			old->bytes = bytes; /* for the repair */
		}
		o->totals.large_kmalloc_blocks += twin && dup == SIZE_MAX;
		if (kind == SITE_SLAB && !old)
			put_into_page(o, key, ev->bytes_alloc);
	}
	if (!twin) {
		if (!o->allocated[site])
			s->first_ns = ev->ts_ns;
		s->last_ns = ev->ts_ns;
		o->allocated[site] = true;
	}
	if (failed)
		return;
	if (large && dup == SIZE_MAX) {
		forget_large(o, ev);
		o->large[o->nr_large++] =
			(__typeof__(o->large[0])){ o->nr_obj, o->nr_ledger, ev->pid,
						   ev->cpu,   ev->context,  ev->bytes_req };
	}
	uint64_t pages = kind == SITE_PAGE ? UINT64_C(1) << ev->order : 0;

	o->obj[o->nr_obj++] =
		(struct oracle_object){ .live = true,
					.twin = twin,
					.cache = ev->kind != EVENT_KMALLOC,
					.kind = kind,
					.in_pieces = pages && key % pages,
					.key = key,
					.bytes = pages ? pages * 4096 : ev->bytes_alloc,
					.made = ev->bytes_alloc,
					.pages = pages,
					.ts = ev->ts_ns,
					.site = site };
	if (twin)
		return;
	s->allocs++;
	s->alloc_bytes += ev->bytes_alloc;
	s->bytes_req += ev->bytes_req;
	if (dup == SIZE_MAX)
		see_cache(o, site, ev->cache);
	note(o, site, ev->ts_ns, (int64_t)ev->bytes_alloc);
}

/* Rules 5 and 15: what is remembered of a free of what is not known. */
static void note_unknown(struct oracle *o, const struct event *ev)
{
	bool silent = page_lives(o, (ev->addr - o->base) / 4096);
	struct oracle_slab_page *page = slab_page(o, ev->addr);
	uint64_t call_site = ev->call_site;

	for (size_t i = 0; i < o->nr_rcu; i++)
		if (o->rcu[i].addr == ev->addr && o->rcu[i].call_site) {
			call_site = o->rcu[i].call_site;
			o->rcu[i].call_site = 0;
		}
	for (size_t i = 0; i < o->nr_free; i++)
		silent |= o->free[i].of >= FREE_SILENT && o->free[i].addr == ev->addr;
	o->totals.silent_allocs += silent;
	o->free[o->nr_free++] = (struct oracle_free){ .of = silent ? FREE_SILENT : FREE_OLDER,
						      .call_site = call_site,
						      .addr = ev->addr,
						      .cache = ev->cache,
						      .bytes = page->here ? page->bytes : 0 };
	if (ev->addr % 4096 || ev->kind == EVENT_CACHE_FREE)
		page->here = page->slab = true;
}

static void release(struct oracle *o, const struct event *ev, enum site_kind kind)
{
	struct oracle_object *b = find(o, kind, ev->addr);

	if (kind == SITE_VMALLOC)
		free_area(o, ev, b != NULL);

	if (kind == SITE_SLAB && ev->addr <= 16) {
		o->totals.null_frees++;
		return;
	}
	if (!b) {
		o->totals.unknown_frees[kind]++;
		if (kind != SITE_SLAB)
			return;
		size_t site = site_of(o, kind, ev->call_site);
		struct site *s = &o->site[site];

		if (!o->allocated[site]) {
			s->first_ns = s->unknown_frees ? s->first_ns : ev->ts_ns;
			s->last_ns = ev->ts_ns;
		}
		s->unknown_frees++;
		if (!o->totals.lost_gaps)
			note_unknown(o, ev);
		return;
	}
	for (size_t i = 0; kind == SITE_SLAB && i < o->nr_reuse; i++) {
		struct oracle_object *first = &o->obj[o->reuse[i].obj];

		if (first->key != ev->addr || ev->ts_ns - o->reuse[i].ts > 400)
			continue;
		o->reuse[i].ts = 0;
		if (o->reuse[i].cpu == ev->cpu)
			continue;
		o->site[first->site].inferred_frees[END_REUSE]--;
		o->site[first->site].inferred_bytes[END_REUSE] -= first->bytes;
		o->site[first->site].frees++;
		o->site[first->site].free_bytes += first->bytes;
		o->totals.skewed_frees++;
		return;
	}
	if (kind == SITE_SLAB && ev->kind != EVENT_BULK_FREE &&
	    b->cache != (ev->kind == EVENT_CACHE_FREE))
		o->totals.cross_type_frees++;
	if (!b->twin)
		see_cache(o, b->site, ev->cache);
	if (kind == SITE_SLAB && !b->rcu)
		o->free[o->nr_free++] =
			(struct oracle_free){ .of = b->twin ? FREE_LARGE : FREE_KNOWN,
					      .call_site = ev->call_site,
					      .cache = ev->cache,
					      .bytes = b->bytes,
					      .site = b->site };
	end(o, b, NR_END_RULES, b->bytes, ev->ts_ns);
}

/*
 * Rule 12: what lived at the old place lives at the new one; what lived there ends.
 * Histories move single pages, that are blocks of their own or not known.
 */
static bool ends_move(struct oracle *o, const struct event *ev)
{
	size_t m = o->nr_move;
	bool partial = false;

	while (m && o->move[m - 1].from != ev->addr)
		m--;
	if (!m)
		return false;
	uint64_t to = o->move[m - 1].to, ts = o->move[m - 1].ts;

	for (size_t i = 0; i < o->nr_move; i++)
		if (o->move[i].from == ev->addr)
			o->move[i].from = UINT64_MAX;
	for (size_t i = 0; i < o->nr_page; i++)
		if (o->page[i].live && o->page[i].pfn == to && o->obj[o->page[i].obj].ts > ts)
			return false;
	take(o, to, 1, NR_END_RULES, ev->ts_ns, &partial);
	for (size_t i = 0; i < o->nr_page; i++) {
		if (!o->page[i].live || o->page[i].pfn != ev->addr)
			continue;
		o->page[i].pfn = to;
		o->obj[o->page[i].obj].key = to;
	}
	o->totals.moved_pages++;
	return true;
}

static void free_pages(struct oracle *o, const struct event *ev)
{
	uint64_t nr = UINT64_C(1) << (ev->order & 63);
	bool partial = false;

	if (ev->order > 13 || ev->addr > (UINT64_C(1) << 40) - nr) {
		o->totals.implausible++;
		return;
	}
	bool slab = end_slab_in(o, ev);

	if (ends_move(o, ev))
		return;
	const struct oracle_object *block = block_at(o, ev->addr);

	if (slab && block)
		note_self(o, SELF_SLAB, block->site, block->pages * 4096);
	else if (slab && !page_lives(o, ev->addr) && !o->totals.lost_gaps)
		note_self(o, SELF_SLAB, SIZE_MAX, nr * 4096);

	uint64_t unknown = nr - take(o, ev->addr, nr, NR_END_RULES, ev->ts_ns, &partial);

	struct oracle_task *t = task(o, ev);

	o->totals.partial_page_frees += partial;
	if (unknown && !ev->order) {
		t->older_pages += t->freed_unknown;
		if (t->freed_pages) {
			t->freed_pages--;
			o->site[t->freed_site].inferred_frees[END_AREA]--;
			o->site[t->freed_site].inferred_bytes[END_AREA] -= 4096;
			o->site[t->freed_site].frees++;
			o->site[t->freed_site].free_bytes += 4096;
			return;
		}
	}
	o->totals.unknown_frees[SITE_PAGE] += unknown != 0;
	o->totals.unknown_free_bytes[SITE_PAGE] += unknown * 4096;
}

static void give_to_rcu(struct oracle *o, const struct event *ev)
{
	struct oracle_object *b = find(o, SITE_SLAB, ev->addr);

	if (!b && ev->call_site) {
		for (size_t i = 0; i < o->nr_rcu; i++)
			o->rcu[i].call_site *= o->rcu[i].addr != ev->addr;
		o->rcu[o->nr_rcu++] = (__typeof__(o->rcu[0])){ ev->addr, ev->call_site };
	}
	if (!b || b->twin)
		return;
	if (!b->rcu)
		o->free[o->nr_free++] = (struct oracle_free){ .of = FREE_KNOWN,
							      .call_site = ev->call_site,
							      .bytes = b->bytes,
							      .site = b->site };
	b->rcu = true;
	b->ts = ev->ts_ns;
}

static bool is_whole_page(const struct oracle *o, uint64_t pfn)
{
	for (size_t i = 0; i < o->nr_obj; i++)
		if (o->obj[i].live && o->obj[i].kind == SITE_PAGE && o->obj[i].key == pfn &&
		    o->obj[i].pages == 1)
			return true;
	return false;
}

void oracle_event(struct oracle *o, const struct event *ev)
{
	if (!o->totals.first_ns)
		o->totals.first_ns = ev->ts_ns;
	o->totals.last_ns = ev->ts_ns;
	o->totals.events[ev->kind]++;

	switch ((enum event_kind)ev->kind) {
	case EVENT_LOST:
		for (size_t i = 0; i < o->nr_task; i++)
			close_older(o, &o->task[i]);
		o->totals.lost_gaps++;
		o->totals.lost_uncounted_gaps += ev->bytes_req == EVENT_LOST_UNKNOWN;
		o->totals.lost_counted +=
			ev->bytes_req == EVENT_LOST_UNKNOWN ? 0 : ev->bytes_req;
		o->totals.damaged_bytes += ev->bytes_alloc;
		o->gap_end = ev->ts_ns;
		o->nr_large = o->nr_reuse = o->nr_task = 0;
		break;
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
	case EVENT_BULK_ALLOC:
		allocate(o, ev, SITE_SLAB, ev->addr, ev->addr <= 16);
		break;
	case EVENT_KFREE:
		close_older(o, task(o, ev));
		release(o, ev, SITE_SLAB);
		break;
	case EVENT_CACHE_FREE:
	case EVENT_BULK_FREE:
		release(o, ev, SITE_SLAB);
		break;
	case EVENT_PAGE_ALLOC:
		allocate(o, ev, SITE_PAGE, ev->addr, ev->addr == EVENT_PFN_NONE);
		break;
	case EVENT_PAGE_FREE:
		free_pages(o, ev);
		break;
	case EVENT_PERCPU_ALLOC:
		allocate(o, ev, SITE_PERCPU, ev->addr, !ev->addr);
		break;
	case EVENT_PERCPU_FREE:
		release(o, ev, SITE_PERCPU);
		break;
	case EVENT_VMAP_ALLOC:
		allocate(o, ev, SITE_VMALLOC, ev->addr, !ev->addr);
		if (ev->addr && ev->bytes_alloc <= UINT64_C(1) << 44)
			make_area(o, ev);
		break;
	case EVENT_VMAP_FREE:
		release(o, ev, SITE_VMALLOC);
		break;
	case EVENT_RCU_FREE:
		give_to_rcu(o, ev);
		break;
	case EVENT_PAGE_BULK:
		if (is_whole_page(o, ev->addr))
			o->totals.bulk_pages_known++;
		else
			allocate(o, ev, SITE_PAGE, ev->addr, false);
		break;
	case EVENT_PAGE_MOVE:
		if ((ev->addr | ev->bytes_req) >= UINT64_C(1) << 40)
			o->totals.implausible++;
		else
			o->move[o->nr_move++] =
				(__typeof__(o->move[0])){ ev->addr, ev->bytes_req, ev->ts_ns };
		break;
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_NAME:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	}
}

static bool in_class(const struct oracle_free *k, const struct oracle_free *f,
		     bool by_call_site)
{
	return by_call_site ? k->cache == f->cache && k->call_site == f->call_site
			    : k->cache == f->cache && k->call_site > SELF_SLAB;
}

/*
 * Rule 15 for all older objects like @f, those that @charged does not tell of: by
 * the known ones of its cache, or of its return address as well, of its size if it
 * has one. Each call site gets the nearest whole number to its share.
 */
static void charge(struct oracle *o, const struct oracle_free *f, bool by_call_site,
		   bool *charged)
{
	uint64_t known = 0, older = 0, left, bytes = f->bytes;
	size_t site = 0;
	bool any = false;

	for (size_t i = 0; i < o->nr_free; i++) {
		const struct oracle_free *k = &o->free[i];

		if (!in_class(k, f, by_call_site))
			continue;
		/* What the first way charged is out of the second. */
		if (k->of == FREE_OLDER && k->bytes == f->bytes && !charged[i])
			older++;
		if (k->of == FREE_SILENT)
			return;
		if (k->of == FREE_OLDER || (f->bytes && k->bytes != f->bytes))
			continue;
		if (!f->bytes && known && k->bytes != bytes)
			return;
		if (!by_call_site && (k->of == FREE_LARGE || (known && k->site != site)))
			return;
		site = k->site;
		bytes = k->bytes;
		known++;
	}
	if (known < 2 || !bytes)
		return;
	left = older;
	for (site = 0; site < o->nr_site; site++) {
		uint64_t n = 0;

		for (size_t i = 0; i < o->nr_free; i++)
			n += in_class(&o->free[i], f, by_call_site) &&
			     o->free[i].of == FREE_KNOWN && o->free[i].bytes == bytes &&
			     o->free[i].site == site;
		n = (2 * n * older + known - 1) / (2 * known);
		n = n < left ? n : left;
		left -= n;
		any |= n;
		o->site[site].preexisting_frees += n;
		o->site[site].preexisting_bytes += n * bytes;
		for (size_t p = 0; f->call_site == SELF_AREA && p < o->nr_site; p++)
			if (o->site[p].kind == SITE_PAGE && o->site[p].call_site &&
			    o->site[p].call_site == o->site[site].call_site) {
				o->site[p].preexisting_frees += n * bytes / 4096;
				o->site[p].preexisting_bytes += n * bytes;
			}
	}
	for (size_t i = 0; any && i < o->nr_free; i++)
		charged[i] |= in_class(&o->free[i], f, by_call_site) &&
			      o->free[i].of == FREE_OLDER && o->free[i].bytes == f->bytes;
}

static void charge_areas(struct oracle *o, enum site_kind kind)
{
	const struct oracle_object *maker = NULL;
	uint64_t nr = 0;

	for (size_t i = 0; i < o->nr_obj; i++) {
		const struct oracle_object *b = &o->obj[i];

		if (b->kind != kind)
			continue;
		if (maker && (b->site != maker->site || b->made != maker->made))
			return;
		maker = b;
		nr++;
	}
	if (nr < 2 || o->totals.lost_gaps)
		return;
	nr = o->totals.unknown_frees[kind] - (kind == SITE_VMALLOC ? o->older_areas : 0);
	o->site[maker->site].preexisting_frees += nr;
	o->site[maker->site].preexisting_bytes += nr * maker->made;
}

static void charge_older(struct oracle *o)
{
	static bool charged[ORACLE_MAX * 4];

	memset(charged, 0, sizeof(charged));
	for (size_t i = 0; i < o->nr_task; i++)
		close_older(o, &o->task[i]);
	for (size_t i = 0; i < o->nr_slab_page; i++) {
		const struct oracle_slab_page *p = &o->slab_page[i];
		const struct oracle_object *b = block_at(o, p->addr - o->base / 4096);

		if (p->here && p->slab && b)
			note_self(o, SELF_SLAB, b->site, b->pages * 4096);
	}
	for (int way = 1; way >= 0; way--) {
		static bool asked[ORACLE_MAX * 4];

		memset(asked, 0, sizeof(asked));
		for (size_t i = 0; i < o->nr_free; i++) {
			const struct oracle_free *f = &o->free[i];

			if (f->of != FREE_OLDER || charged[i] || asked[i] ||
			    (!way && (!f->cache || f->call_site <= SELF_SLAB)))
				continue;
			for (size_t k = 0; k < o->nr_free; k++)
				asked[k] |= in_class(&o->free[k], f, way) &&
					    o->free[k].bytes == f->bytes;
			charge(o, f, way, charged);
		}
	}
}

void oracle_finish(struct oracle *o)
{
	charge_older(o);
	charge_areas(o, SITE_PERCPU);
	charge_areas(o, SITE_VMALLOC);
	for (size_t i = 0; i < o->nr_site; i++) {
		struct site *s = &o->site[i];

		s->cache = o->mixed[i] ? 0 : s->cache;
		for (size_t k = 0; k < o->nr_ledger; k++) {
			if (o->ledger[k].site != i)
				continue;
			s->live_bytes += (uint64_t)o->ledger[k].bytes;
			if (s->live_bytes > s->peak_bytes) {
				s->peak_bytes = s->live_bytes;
				s->peak_ns = o->ledger[k].ts;
			}
		}
		if ((s->kind == SITE_PAGE || s->kind == SITE_VMALLOC) && !s->call_site)
			s->missing_stacks = s->allocs + s->failures;
	}
	for (size_t i = 0; i < o->nr_area; i++) {
		const struct oracle_area *a = &o->area[i];

		o->site[a->site].live += a->live ? a->pages : 0;
		if (a->live && a->ts < o->gap_end) {
			o->site[a->site].uncertain += a->pages;
			o->site[a->site].uncertain_bytes += a->pages * 4096;
		}
	}
	for (size_t i = 0; i < o->nr_obj; i++) {
		const struct oracle_object *b = &o->obj[i];

		if (!b->live || b->twin)
			continue;
		if (b->single && !b->larger && b->pages >= 4)
			o->site[b->site].pieces += b->bytes / 4096 - 1;
		o->site[b->site].live++;
		o->site[b->site].rcu_pending += b->rcu;
		o->totals.rcu_pending += b->rcu;
		o->totals.rcu_pending_bytes += b->rcu ? b->bytes : 0;
		o->site[b->site].rcu_pending_bytes += b->rcu ? b->bytes : 0;
		o->site[b->site].uncertain += b->ts < o->gap_end;
		o->site[b->site].uncertain_bytes += b->ts < o->gap_end ? b->bytes : 0;
	}
}
