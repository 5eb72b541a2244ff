// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/slab.h"

#include <assert.h>
#include <string.h>

enum { ZERO_SIZE_PTR = 16, PREFETCH_PLACES = 32 };

static_assert(sizeof(struct live_obj) == 24, "an object is three words");

TABLE_INLINE uint64_t rcu_key(const void *entry)
{
	return ((const struct slab_rcu *)entry)->addr;
}

TABLE_INLINE bool rcu_used(const void *entry)
{
	return ((const struct slab_rcu *)entry)->addr != 0;
}

TABLE_INLINE bool rcu_live(const void *entry)
{
	return ((const struct slab_rcu *)entry)->call_site != 0;
}

TABLE_OPS(rcu, struct slab_rcu, rcu_live, TABLE_SMALL)

void slab_init(struct slab *slab, const struct match_opts *opts,
	       const struct page_map *page_map, struct vmalloc *vmalloc, struct sitetab *sites,
	       struct sample *sample, struct match_totals *totals)
{
	*slab = (struct slab){
		.page_size = opts->page_size,
		.opts = opts,
		.page_map = page_map,
		.vmalloc = vmalloc,
		.sites = sites,
		.sample = sample,
		.totals = totals,
	};
	table_init(&slab->live, &live_ops);
	table_init(&slab->rcu, &rcu_ops);
	slabpage_init(&slab->pages, opts->page_size);
	flow_init(&slab->flows);
	offset_init(&slab->offset, opts->page_size);
}

void slab_deinit(struct slab *slab)
{
	table_deinit(&slab->live);
	table_deinit(&slab->rcu);
	slabpage_deinit(&slab->pages);
	flow_deinit(&slab->flows);
}

void slab_forget(struct slab *slab)
{
	memset(slab->large, 0, sizeof(slab->large));
	memset(slab->offset.task, 0, sizeof(slab->offset.task));
	memset(slab->skew, 0, sizeof(slab->skew));
	slab->lossy = true;
}

void slab_window(struct slab *slab)
{
	flow_forget(&slab->flows);
}

/* ---- rule 10: the page block of a large kmalloc */

static bool has_block(const struct slab *slab, const struct event *ev, uint32_t *ret_account)
{
	uint64_t pages = ev->bytes_alloc / slab->page_size, pfn;
	unsigned int order;

	if (slab->offset.base)
		pfn = (ev->addr - slab->offset.base) / slab->page_size;
	else if (!offset_block_before(&slab->offset, ev, &pfn))
		return false;
	return pages * slab->page_size == ev->bytes_alloc && !(pages & (pages - 1)) &&
	       page_block(slab->page_map, pfn, &order, ret_account) &&
	       order == (unsigned int)__builtin_ctzll(pages);
}

/* ---- rule 3: an allocation at a live address */

/* In the slots of offset.h: a task that allocates pages has no duplicate to come. */
static struct slab_large *large_of(struct slab *slab, const struct event *ev)
{
	return &slab->large[offset_task_slot(ev)];
}

static bool is_duplicate(const struct slab *slab, const struct live_obj *o,
			 const struct slab_large *l, const struct event *ev)
{
	if (l->addr != ev->addr || l->time != live_time(o) || l->pid != ev->pid ||
	    l->context != ev->context || l->bytes != ev->bytes_alloc ||
	    l->bytes_req != ev->bytes_req)
		return false;
	return !slab->opts->classify ||
	       slab->opts->classify(slab->opts->classify_arg, l->call_site) == CODE_ALLOCATOR;
}

/* The second event of one allocation knows the caller: the object moves there. */
static void fold_duplicate(struct slab *slab, struct live_obj *o, struct slab_large *l,
			   const struct event *ev, uint32_t site)
{
	slab->totals->duplicate_kmallocs++;
	if (!(o->flags & LIVE_TWIN)) {
		if (slab->sites->weight > 1)
			sample_alloc(slab->sample, slab->sites, o->account, ev,
				     -(double)o->bytes);
		bool at_peak = sitetab_unalloc(slab->sites, o->account, o->bytes, l->bytes_req,
					       &l->before);

		o->account = sitetab_account(slab->sites, site, ev);
		sitetab_alloc(slab->sites, o->account, o->bytes, ev->bytes_req, ev->ts_ns);
		if (at_peak)
			sitetab_at_peak(slab->sites, o->account, o->bytes);
		if (slab->sites->weight > 1)
			sample_alloc(slab->sample, slab->sites, o->account, ev,
				     (double)o->bytes);
	}
	l->addr = 0;
}

static void end_by_reuse(struct slab *slab, const struct live_obj *o, const struct event *ev)
{
	if (o->flags & LIVE_TWIN)
		return;
	sitetab_infer(slab->sites, o->account, END_REUSE, 1, o->bytes);
	slab->skew[slab->nr_skew++ % SLAB_SKEWS] = (struct slab_skew){
		.addr = o->key,
		.ts_ns = ev->ts_ns,
		.bytes = o->bytes,
		.birth = live_time(o),
		.end = slab->sites->now,
		.account = o->account,
		.cpu = ev->cpu,
	};
	slab->skew_until_ns = ev->ts_ns + SLAB_SKEW_NS;
}

/*
 * True when @ev is the free that should have come before the reuse of its
 * address. No object can be handed to another CPU and freed there as soon
 * after its allocation as this free follows the reuse.
 */
static bool is_skewed_free(struct slab *slab, const struct event *ev)
{
	if (ev->ts_ns > slab->skew_until_ns)
		return false;
	struct slab_skew *s = NULL;

	for (uint64_t i = 1; i <= SLAB_SKEWS; i++) {
		struct slab_skew *old = &slab->skew[(slab->nr_skew - i) % SLAB_SKEWS];

		if (old->addr != ev->addr)
			continue;
		old->addr = 0;
		s = s ? s : old;
	}
	if (!s)
		return false;
	if (s->cpu == ev->cpu || ev->ts_ns - s->ts_ns > SLAB_SKEW_NS)
		return false;
	sitetab_undo_infer(slab->sites, s->account, END_REUSE, s->bytes);
	sitetab_lived(slab->sites, s->account, s->birth, s->end);
	sitetab_remote(slab->sites, s->account, ev->cpu);
	slab->totals->skewed_frees++;
	return true;
}

/* ---- slab events */

void slab_alloc(struct slab *slab, const struct event *ev, uint32_t site, uint64_t time)
{
	if (ev->addr <= ZERO_SIZE_PTR) {
		sitetab_failure(slab->sites, sitetab_account(slab->sites, site, ev), ev->ts_ns);
		return;
	}
	if (ev->bytes_alloc > LIVE_MAX_BYTES || ev->bytes_req > LIVE_MAX_BYTES) {
		slab->totals->implausible++;
		return;
	}
	bool large = ev->kind == EVENT_KMALLOC && ev->bytes_alloc > 2 * slab->page_size;
	struct slab_large *l = large ? large_of(slab, ev) : NULL;
	uint32_t block = 0;
	bool twin = large && has_block(slab, ev, &block);

	offset_slab_alloc(&slab->offset, ev);
	slab->pages.ends_told = slab->offset.base != 0;

	struct live_obj *o = live_put(&slab->live, ev->addr);

	bool paged = o->flags & LIVE_PAGED;

	if (!(o->flags & LIVE_YES)) {
		if (!paged || o->bytes != ev->bytes_alloc)
			paged = slabpage_add(&slab->pages, ev->addr, ev->bytes_alloc);
	} else if (large && is_duplicate(slab, o, l, ev)) {
		fold_duplicate(slab, o, l, ev, site);
		return;
	} else {
		end_by_reuse(slab, o, ev);
	}
	live_set(o, ev->bytes_alloc, time,
		 LIVE_YES | (ev->kind == EVENT_KMALLOC ? 0U : LIVE_CACHE) |
			 (twin ? LIVE_TWIN : 0U) | (paged ? LIVE_PAGED : 0U));
	if (twin) {
		slab->totals->large_kmalloc_blocks++;
		if (ev->bytes_req < ev->bytes_alloc)
			sitetab_slack(slab->sites, block, ev->bytes_alloc - ev->bytes_req);
	} else {
		site = ev->stack ? site : vmalloc_slab_site(slab->vmalloc, ev, site);
		o->account = sitetab_account(slab->sites, site, ev);
		if (slab->sites->hint && (ev->stack || vmalloc_is_plain(slab->vmalloc, site)))
			slab->sites->hint->plain = o->account;
	}
	if (large) {
		*l = (struct slab_large){
			.addr = ev->addr,
			.call_site = ev->call_site,
			.bytes = ev->bytes_alloc,
			.bytes_req = ev->bytes_req,
			.time = time,
			.before = sitetab_point(slab->sites, site),
			.pid = ev->pid,
			.context = ev->context,
		};
	}
	slab->totals->unsized += !ev->bytes_alloc;
	if (!twin) {
		sitetab_alloc(slab->sites, o->account, ev->bytes_alloc, ev->bytes_req,
			      ev->ts_ns);
		if (slab->sites->weight > 1)
			sample_alloc(slab->sample, slab->sites, o->account, ev,
				     (double)ev->bytes_alloc);
		sitetab_cache(slab->sites, site, ev->cache);
		sitetab_near_alloc(slab->sites, ev);
	}
}

/*
 * Is @addr in a page that was allocated in the recording, and lives? What holds unknown
 * objects is asked again and again: @page, of that address, or NULL, keeps the answer.
 */
static bool is_young(const struct slab *slab, struct slabpage *page, uint64_t addr)
{
	if (page && page->asked)
		return page->young;
	if (!slab->offset.base)
		return false;
	bool young = page_is_live(slab->page_map, (addr - slab->offset.base) / slab->page_size);

	/* Before the poll is closed the base may change, and with it whose frame it is. */
	if (page && slab->offset.closed) {
		page->asked = 1;
		page->young = young;
	}
	return young;
}

/*
 * A free of what is not known (rules 2, 5, 15). An object in a page that was
 * allocated in the recording, or at an address where another such object was
 * freed in it, was made in the recording without an event.
 */
static void unknown_free(struct slab *slab, const struct event *ev)
{
	struct slab_rcu *rcu = slab->rcu.nr ? table_find(&slab->rcu, &rcu_ops, ev->addr) : NULL;
	uint64_t call_site = rcu ? rcu->call_site : ev->call_site;

	if (rcu)
		rcu->call_site = 0;
	slab->totals->unknown_frees[SITE_SLAB]++;
	/* As a rule it is of what was not asked for, and no doubt. */
	if (slab->opts->filtered)
		return;
	sitetab_unknown_free(slab->sites, sitetab_freer(slab->sites, ev->call_site), 0,
			     ev->ts_ns);
	if (slab->lossy)
		return;
	struct slabpage *page = slabpage_find(&slab->pages, ev->addr);
	uint32_t bytes = page ? page->bytes : 0;

	/* What starts a page may be a large kmalloc, which has pages of its own. */
	if (ev->addr & (slab->page_size - 1) || ev->kind == EVENT_CACHE_FREE)
		page = slabpage_see(&slab->pages, page, ev->addr);
	bool young = is_young(slab, page, ev->addr);

	young |= flow_seen(&slab->flows, ev->addr);
	slab->totals->silent_allocs += young;
	flow_add(&slab->flows, call_site, ev->cache, young ? FLOW_SILENT : FLOW_OLDER, bytes);
}

/* An object with a site, whose index it returns. */
static uint32_t end_by_free(struct slab *slab, const struct live_obj *o, const struct event *ev)
{
	struct sitetab *tab = slab->sites;
	uint32_t site = account_site(&tab->accounts.account[o->account]);

	sitetab_cache(tab, site, ev->cache);
	if (!sitetab_is_older(tab, o->account))
		return sitetab_free_slab(tab, o->account, ev, tab->site[site].weight, o->bytes,
					 live_time(o), tab->now, o->flags & LIVE_RCU);
	sitetab_end(tab, o->account, 1, o->bytes);
	return site;
}

void slab_free(struct slab *slab, const struct event *ev)
{
	offset_other(&slab->offset, ev);
	if (ev->addr <= ZERO_SIZE_PTR) {
		slab->totals->null_frees++;
		return;
	}
	struct live_obj *o = live_find(&slab->live, ev->addr);

	if (!o) {
		unknown_free(slab, ev);
		return;
	}
	if (is_skewed_free(slab, ev))
		return;

	bool cache_free = ev->kind == EVENT_CACHE_FREE;

	if (ev->kind != EVENT_BULK_FREE && cache_free != !!(o->flags & LIVE_CACHE))
		slab->totals->cross_type_frees++;
	uint32_t site = FLOW_LARGE;

	if (!(o->flags & LIVE_TWIN)) {
		/* Its life was over when it was given to RCU. */
		site = end_by_free(slab, o, ev);
	}
	if (!(o->flags & LIVE_RCU))
		flow_add(&slab->flows, ev->call_site, ev->cache, site, o->bytes);
	live_end(o);
}

/* ---- rule 15: RCU and slabs */

struct live_obj *slab_rcu_free(struct slab *slab, const struct event *ev)
{
	if (ev->addr <= ZERO_SIZE_PTR)
		return NULL;
	struct live_obj *o = live_find(&slab->live, ev->addr);

	if (o && o->flags & LIVE_TWIN)
		return NULL;
	if (o && !(o->flags & LIVE_RCU))
		flow_add(&slab->flows, ev->call_site, 0,
			 account_site(&slab->sites->accounts.account[o->account]), o->bytes);
	if (!o && ev->call_site && slab->rcu.nr < FLOW_MAX_SEEN)
		*(struct slab_rcu *)table_put(&slab->rcu, &rcu_ops, ev->addr) =
			(struct slab_rcu){ ev->addr, ev->call_site };
	return o;
}

static bool add_block(struct slab *slab, uint64_t pfn)
{
	unsigned int order;
	uint32_t account;

	if (!page_block(slab->page_map, pfn, &order, &account))
		return false;
	flow_add(&slab->flows, FLOW_SLABS, 0,
		 account_site(&slab->sites->accounts.account[account]),
		 slab->page_size << order);
	return true;
}

void slab_block_free(struct slab *slab, const struct event *ev)
{
	if (!add_block(slab, ev->addr) && !slab->lossy &&
	    !page_is_live(slab->page_map, ev->addr))
		slab_old_block(slab, ev->order);
}

void slab_old_block(struct slab *slab, unsigned int order)
{
	flow_add(&slab->flows, FLOW_SLABS, 0, FLOW_OLDER, slab->page_size << order);
}

void slab_count_blocks(struct slab *slab)
{
	const struct slabpage *page;

	for (size_t i = 0; slab->offset.base && (page = slabpage_next(&slab->pages, &i));)
		if (page->slab)
			add_block(slab, (page->addr - slab->offset.base) / slab->page_size);
}

/* ---- rule 6: objects do not outlive their page */

static void end_in_page(struct slab *slab, struct slabpage *page)
{
	uint64_t step, addr = slabpage_first(page, &step);
	uint64_t places = (slabpage_end(page) - addr + step - 1) / step;

	/* Where there is more than one to look up, memory may answer for all at once. */
	for (uint64_t i = 0; page->nr > 1 && i < places && i < PREFETCH_PLACES; i++)
		table_prefetch(&slab->live, &live_ops, addr + i * step);
	for (; places && page->nr; places--, addr += step) {
		struct live_obj *o = live_trace(&slab->live, addr);

		/* The page was not told of what is left of its last life. */
		if (!o || !(o->flags & (LIVE_YES | LIVE_PAGED)))
			continue;
		if ((o->flags & (LIVE_YES | LIVE_TWIN)) == LIVE_YES)
			sitetab_infer(slab->sites, o->account, END_SLAB_PAGE, 1, o->bytes);
		o->flags = 0;
		page->nr -= page->nr < SLABPAGE_MANY;
	}
}

bool slab_end_in_block(struct slab *slab, const struct event *ev)
{
	bool was_slab = false;
	uint64_t addr = slab->offset.base + ev->addr * slab->page_size;
	uint64_t end = addr + (slab->page_size << ev->order);

	for (; addr != end; addr += slab->page_size) {
		struct slabpage *page = slabpage_may_be(&slab->pages, addr)
						? slabpage_find(&slab->pages, addr)
						: NULL;

		if (!page)
			continue;
		was_slab |= page->slab;
		end_in_page(slab, page);
		slabpage_forget(&slab->pages, page);
	}
	return was_slab;
}

void slab_page_moved(struct slab *slab, uint64_t pfn, unsigned int order)
{
	uint64_t addr = slab->offset.base + pfn * slab->page_size;

	for (uint64_t i = 0; i < UINT64_C(1) << order; i++, addr += slab->page_size) {
		struct slabpage *page = slabpage_find(&slab->pages, addr);

		if (page)
			page->asked = 0;
	}
}
