// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/feed.h"

enum { PAGE_SIZE = 4096, PRIME_PFN = 0x70000 };

static void init(struct feed *feed, enum code_class (*classify)(void *arg, uint64_t addr),
		 const struct audit *audit, const struct audit *audit_start)
{
	static const int32_t self[] = { FEED_SELF + 64, FEED_SELF };
	struct match_opts opts = {
		.page_size = PAGE_SIZE,
		.classify = classify,
		.self = self,
		.nr_self = 2,
		.audit = audit,
		.audit_start = audit_start,
	};

	*feed = (struct feed){ .match = match_new(&opts), .now_ns = 1000000, .pid = 100 };
}

void feed_init_classify(struct feed *feed,
			enum code_class (*classify)(void *arg, uint64_t addr))
{
	init(feed, classify, NULL, NULL);
}

void feed_init_audit(struct feed *feed, const struct audit *audit)
{
	init(feed, NULL, audit, audit);
}

void feed_init(struct feed *feed)
{
	feed_init_classify(feed, NULL);
}

void feed_deinit(struct feed *feed)
{
	match_free(feed->match);
}

static void feed_event(struct feed *feed, struct event ev)
{
	ev.ts_ns = feed->now_ns;
	ev.pid = feed->pid;
	ev.cpu = feed->cpu;
	ev.context = feed->context;
	ev.cache = feed->cache;
	feed->cache = 0;
	match_event(feed->match, &ev);
	feed->now_ns += 1000;
}

static void feed_alloc(struct feed *feed, enum event_kind kind, uint64_t call_site,
		       uint64_t key, uint64_t bytes)
{
	feed_event(feed, (struct event){ .kind = kind,
					 .call_site = call_site,
					 .addr = key,
					 .bytes_req = bytes,
					 .bytes_alloc = bytes });
}

static void feed_free(struct feed *feed, enum event_kind kind, uint64_t call_site, uint64_t key)
{
	feed_event(feed, (struct event){ .kind = kind, .call_site = call_site, .addr = key });
}

void feed_kmalloc(struct feed *feed, uint64_t call_site, uint64_t ptr, uint64_t bytes)
{
	feed_alloc(feed, EVENT_KMALLOC, call_site, ptr, bytes);
}

void feed_cache_alloc(struct feed *feed, uint64_t call_site, uint64_t ptr, uint64_t bytes)
{
	feed_alloc(feed, EVENT_CACHE_ALLOC, call_site, ptr, bytes);
}

void feed_percpu_alloc(struct feed *feed, uint64_t call_site, uint64_t cookie, uint64_t bytes)
{
	feed_alloc(feed, EVENT_PERCPU_ALLOC, call_site, cookie, bytes);
}

void feed_kfree(struct feed *feed, uint64_t call_site, uint64_t ptr)
{
	feed_free(feed, EVENT_KFREE, call_site, ptr);
}

void feed_cache_free(struct feed *feed, uint64_t call_site, uint64_t ptr)
{
	feed_free(feed, EVENT_CACHE_FREE, call_site, ptr);
}

void feed_percpu_free(struct feed *feed, uint64_t cookie)
{
	feed_free(feed, EVENT_PERCPU_FREE, 0, cookie);
}

void feed_vmap_free(struct feed *feed, uint64_t start)
{
	feed_free(feed, EVENT_VMAP_FREE, 0, start);
}

void feed_page_alloc(struct feed *feed, uint64_t stack, uint64_t pfn, unsigned int order)
{
	uint64_t bytes = (uint64_t)PAGE_SIZE << (order & 31);

	feed_event(feed, (struct event){ .kind = EVENT_PAGE_ALLOC,
					 .addr = pfn,
					 .order = (uint8_t)order,
					 .bytes_req = bytes,
					 .bytes_alloc = bytes,
					 .stack = stack ? &stack : NULL,
					 .nr_stack = stack ? 1 : 0 });
}

void feed_page_free(struct feed *feed, uint64_t pfn, unsigned int order)
{
	feed_event(feed, (struct event){ .kind = EVENT_PAGE_FREE,
					 .addr = pfn,
					 .order = (uint8_t)order });
}

void feed_vmap_alloc(struct feed *feed, uint64_t stack, uint64_t start, uint64_t bytes)
{
	feed_event(feed, (struct event){ .kind = EVENT_VMAP_ALLOC,
					 .addr = start,
					 .bytes_req = bytes,
					 .bytes_alloc = bytes,
					 .stack = stack ? &stack : NULL,
					 .nr_stack = stack ? 1 : 0 });
}

void feed_lost(struct feed *feed, uint64_t from_ns, uint64_t count)
{
	feed_event(feed,
		   (struct event){ .kind = EVENT_LOST, .addr = from_ns, .bytes_req = count });
}

void feed_prime_base(struct feed *feed)
{
	for (uint64_t pfn = PRIME_PFN; pfn < PRIME_PFN + 2; pfn++) {
		feed_page_alloc(feed, FEED_PRIME_SITE, pfn, 0);
		feed_kmalloc(feed, FEED_PRIME_SITE, FEED_BASE + pfn * PAGE_SIZE, 64);
	}
}

void feed_finish(struct feed *feed)
{
	match_finish(feed->match);
}

static const struct site *feed_site(struct feed *feed, enum site_kind kind, uint64_t call_site,
				    uint64_t stack)
{
	static const struct site none;
	size_t nr, nr_frames;
	const struct site *site = match_sites(feed->match, &nr);

	for (size_t i = 0; i < nr; i++) {
		const uint64_t *frame =
			stacks_frames(match_stacks(feed->match), site[i].stack, &nr_frames);

		if (site[i].kind == kind && site[i].call_site == call_site &&
		    site[i].self == feed->self && (nr_frames ? frame[0] == stack : !stack))
			return &site[i];
	}
	return &none;
}

const struct site *feed_slab_site(struct feed *feed, uint64_t call_site)
{
	return feed_site(feed, SITE_SLAB, call_site, 0);
}

const struct site *feed_percpu_site(struct feed *feed, uint64_t call_site)
{
	return feed_site(feed, SITE_PERCPU, call_site, 0);
}

const struct site *feed_page_site(struct feed *feed, uint64_t stack)
{
	return feed_site(feed, SITE_PAGE, 0, stack);
}

const struct site *feed_vmap_site(struct feed *feed, uint64_t stack)
{
	return feed_site(feed, SITE_VMALLOC, 0, stack);
}
