// SPDX-License-Identifier: GPL-2.0-or-later
/* Frees of objects older than the recording, charged to a site (rule 15). */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { A = 0x3000a, B = 0x3000b, FREE = 0x4000a, OTHER_FREE = 0x4000b, CACHE = 5 };

#define PAGE(n) (UINT64_C(0xffff888012345000) + 4096 * (n))
#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

/* Ends the feed; sites that are the same in @same are one call site. */
static void judge(struct feed *f, uint64_t same_a, uint64_t same_b)
{
	uint32_t group[64] = { 0 };
	size_t nr;

	feed_finish(f);
	const struct site *site = match_sites(f->match, &nr);

	for (size_t i = 0; i < nr; i++)
		group[i] =
			same_a && (site[i].call_site == same_a || site[i].call_site == same_b)
				? 100
				: (uint32_t)i;
	match_judge(f->match, group, 0);
}

/* Objects of @bytes, each made at @site and freed at @free_site. */
static void pass(struct feed *f, uint64_t site, uint64_t free_site, uint64_t bytes, int nr)
{
	for (int i = 0; i < nr; i++) {
		feed_kmalloc(f, site, PAGE(9), bytes);
		feed_kfree(f, free_site, PAGE(9));
	}
}

static void cache_free(struct feed *f, uint64_t free_site, uint64_t ptr)
{
	f->cache = CACHE;
	feed_cache_free(f, free_site, ptr);
}

TEST(rule_15_an_older_object_is_charged_to_who_made_all_that_is_freed_there)
{
	FEED(f);
	feed_kfree(&f, FREE, PAGE(0));
	pass(&f, A, FREE, 96, 2);
	pass(&f, B, OTHER_FREE, 96, 2);
	feed_kfree(&f, FREE, PAGE(1));
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 2);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_bytes, 192);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(feed_slab_site(&f, B)->preexisting_frees, 0);
	CHECK_EQ(feed_slab_site(&f, FREE)->unknown_frees, 2);
	CHECK_EQ(match_totals(f.match)->silent_allocs, 0);
}

TEST(rule_15_one_known_object_is_not_enough)
{
	FEED(f);
	feed_kfree(&f, FREE, PAGE(0));
	pass(&f, A, FREE, 96, 1);
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 0);
}

TEST(rule_15_of_two_makers_each_gets_its_share)
{
	static const int made_by_a[] = { 2, 3, 5, 9 }, a[] = { 1, 1, 2, 2 };

	for (size_t i = 0; i < 4; i++) {
		FEED(f);
		for (uint64_t n = 0; n < 3; n++)
			feed_kfree(&f, FREE, PAGE(n));
		pass(&f, A, FREE, 96, made_by_a[i]);
		pass(&f, B, FREE, 96, 4);
		judge(&f, 0, 0);
		CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, a[i]);
		CHECK_EQ(feed_slab_site(&f, B)->preexisting_frees, 3 - a[i]);
	}
}

TEST(rule_15_a_share_of_a_half_is_charged_to_nobody)
{
	FEED(f);
	feed_kfree(&f, FREE, PAGE(0));
	pass(&f, A, FREE, 96, 2);
	pass(&f, B, FREE, 96, 2);
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 0);
	CHECK_EQ(feed_slab_site(&f, B)->preexisting_frees, 0);
}

TEST(rule_15_makers_that_are_one_call_site_have_one_share)
{
	FEED(f);
	feed_kfree(&f, FREE, PAGE(0));
	pass(&f, A, FREE, 96, 3);
	pass(&f, B, FREE, 96, 2);
	judge(&f, A, B);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 1);
	CHECK_EQ(feed_slab_site(&f, B)->preexisting_frees, 0);
}

/* Pages of a slab, made by stack @stack, seen to hold an object or not. */
static void slab_page(struct feed *f, uint64_t stack, uint64_t pfn, bool seen)
{
	feed_page_alloc(f, stack, pfn, 0);
	if (!seen)
		return;
	feed_kmalloc(f, B, FEED_BASE + pfn * 4096 + 64, 64);
	feed_kfree(f, OTHER_FREE, FEED_BASE + pfn * 4096 + 64);
}

TEST(rule_15_an_older_page_that_held_objects_was_a_slab)
{
	enum { SLABS = 0x501, ELSE = 0x502 };
	FEED(f);
	feed_prime_base(&f);
	for (uint64_t pfn = 0x8000; pfn < 0x8004; pfn++) {
		slab_page(&f, SLABS, pfn, true);
		slab_page(&f, ELSE, pfn + 16, false);
	}
	feed_page_free(&f, 0x8000, 0);
	/* Older pages: one that an object is freed in, one with a new object, one of which
	 * nothing is known. */
	cache_free(&f, OTHER_FREE, FEED_BASE + 0x9000 * UINT64_C(4096));
	feed_page_free(&f, 0x9000, 0);
	feed_kmalloc(&f, B, FEED_BASE + 0x9001 * UINT64_C(4096), 64);
	feed_kfree(&f, OTHER_FREE, FEED_BASE + 0x9001 * UINT64_C(4096));
	feed_page_free(&f, 0x9001, 0);
	feed_page_free(&f, 0x9002, 0);
	/* What starts a page and is freed by kfree may have had the page for itself. */
	feed_kfree(&f, OTHER_FREE, FEED_BASE + 0x9003 * UINT64_C(4096));
	feed_page_free(&f, 0x9003, 0);
	judge(&f, 0, 0);
	CHECK_EQ(feed_page_site(&f, SLABS)->preexisting_frees, 2);
	CHECK_EQ(feed_page_site(&f, SLABS)->preexisting_bytes, 8192);
	CHECK_EQ(feed_page_site(&f, ELSE)->preexisting_frees, 0);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 4);
}

TEST(rule_15_a_page_is_no_slab_any_more_once_it_was_freed)
{
	enum { SLABS = 0x501 };
	FEED(f);
	feed_prime_base(&f);
	for (uint64_t pfn = 0x8000; pfn < 0x8002; pfn++)
		slab_page(&f, SLABS, pfn, true);
	slab_page(&f, SLABS, 0x8002, true);
	feed_page_free(&f, 0x8002, 0);
	feed_page_free(&f, 0x8002, 0); /* taken silently for something else */
	judge(&f, 0, 0);
	CHECK_EQ(feed_page_site(&f, SLABS)->preexisting_frees, 0);
}

/* Four slabs of a call site, and what the kernel said of older pages. */
static void begin_with_slabs(struct feed *f, struct audit *audit, const char *text,
			     uint64_t call_site)
{
	audit_parse(audit, (struct span){ (const uint8_t *)text, strlen(text) });
	feed_init_audit(f, audit);
	feed_prime_base(f);
	for (uint64_t pfn = 0x8000; pfn < 0x8004; pfn++)
		slab_page(f, call_site, pfn, true);
}

TEST(rule_15_an_older_page_without_a_known_object_is_what_the_kernel_said_it_was)
{
	enum { SLABS = 0x501, OTHER = 0x502 };
	static const char text[] = "9000 8 s\n9010 3 s\n";
	CLEANUP(audit_deinit) struct audit audit;
	CLEANUP(feed_deinit) struct feed f;

	begin_with_slabs(&f, &audit, text, SLABS);
	feed_page_free(&f, 0x9000, 0);
	feed_page_free(&f, 0x9010, 0);
	/* No slab, as it began. */
	feed_page_free(&f, 0x9008, 0);
	/* A slab of another size than any that was made. */
	feed_page_free(&f, 0x9004, 1);
	/* What was freed once, or allocated, was taken silently for something else. */
	feed_page_free(&f, 0x9000, 0);
	feed_page_alloc(&f, OTHER, 0x9011, 0);
	feed_page_free(&f, 0x9011, 0);
	feed_page_free(&f, 0x9011, 0);
	/* An event told of a part of it. */
	feed_page_alloc(&f, OTHER, 0x9002, 0);
	feed_page_free(&f, 0x9002, 0);
	feed_page_free(&f, 0x9002, 0);
	judge(&f, 0, 0);
	CHECK_EQ(feed_page_site(&f, SLABS)->preexisting_frees, 2);
	CHECK_EQ(feed_page_site(&f, SLABS)->preexisting_bytes, 8192);
	CHECK_EQ(feed_page_site(&f, OTHER)->preexisting_frees, 0);
}

TEST(rule_15_after_a_gap_an_older_page_need_not_be_what_it_was)
{
	enum { SLABS = 0x501 };
	static const char text[] = "9000 8 s\n";
	CLEANUP(audit_deinit) struct audit audit;
	CLEANUP(feed_deinit) struct feed f;

	begin_with_slabs(&f, &audit, text, SLABS);
	feed_page_free(&f, 0x9000, 0);
	feed_lost(&f, f.now_ns - 500, 12);
	feed_page_free(&f, 0x9001, 0);
	judge(&f, 0, 0);
	CHECK_EQ(feed_page_site(&f, SLABS)->preexisting_frees, 1);
}

static void rcu_free(struct feed *f, uint64_t site, uint64_t ptr)
{
	const struct event ev = {
		.kind = EVENT_RCU_FREE, .ts_ns = f->now_ns, .call_site = site, .addr = ptr
	};

	match_event(f->match, &ev);
}

TEST(rule_15_who_gave_an_object_to_rcu_is_who_freed_it)
{
	enum { RCU = 0x50000 };
	FEED(f);
	for (int i = 0; i < 2; i++) {
		feed_kmalloc(&f, A, PAGE(9), 96);
		rcu_free(&f, FREE, PAGE(9));
		feed_kfree(&f, RCU, PAGE(9));
		feed_kmalloc(&f, B, PAGE(9), 96);
		rcu_free(&f, OTHER_FREE, PAGE(9));
		feed_kfree(&f, RCU, PAGE(9));
	}
	rcu_free(&f, FREE, PAGE(0));
	rcu_free(&f, FREE, PAGE(2)); /* is still pending at the end */
	feed_kfree(&f, RCU, PAGE(0));
	/* Given to RCU before the recording: whose, nothing tells. */
	for (int i = 0; i < 4; i++)
		feed_kfree(&f, RCU, PAGE(20 + i));
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 1);
	CHECK_EQ(feed_slab_site(&f, B)->preexisting_frees, 0);
}

TEST(rule_15_the_page_tells_the_size_of_an_older_object)
{
	FEED(f);
	pass(&f, A, FREE, 96, 2);
	pass(&f, A, FREE, 64, 2);
	pass(&f, B, FREE, 32, 2);
	feed_kfree(&f, FREE, PAGE(0));	  /* of no known size */
	feed_kmalloc(&f, B, PAGE(1), 64); /* lives */
	feed_kfree(&f, FREE, PAGE(1) + 128);
	feed_kfree(&f, FREE, PAGE(1) + 64);
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 2);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_bytes, 128);
}

TEST(rule_15_where_the_call_site_frees_for_many_a_cache_of_one_maker_will_do)
{
	FEED(f);
	pass(&f, A, FREE, 96, 2);
	pass(&f, B, FREE, 96, 2);
	for (int i = 0; i < 2; i++) {
		feed_cache_alloc(&f, A, PAGE(9), 192);
		cache_free(&f, FREE, PAGE(9));
	}
	cache_free(&f, OTHER_FREE, PAGE(0));
	feed_kfree(&f, OTHER_FREE, PAGE(1));
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_bytes, 192);
}

TEST(rule_15_a_large_kmalloc_freed_there_is_another_maker)
{
	FEED(f);
	feed_prime_base(&f);
	pass(&f, A, FREE, 96, 2);
	feed_page_alloc(&f, B, 0x8000, 2);
	feed_kmalloc(&f, B, FEED_BASE + 0x8000 * UINT64_C(4096), 16384);
	feed_kfree(&f, FREE, FEED_BASE + 0x8000 * UINT64_C(4096));
	feed_kfree(&f, FREE, PAGE(0));
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 0);
}

TEST(rule_15_what_was_made_silently_is_not_old_and_makes_its_kind_doubtful)
{
	FEED(f);
	feed_prime_base(&f);
	pass(&f, A, FREE, 96, 2);
	feed_kfree(&f, FREE, PAGE(0));
	feed_page_alloc(&f, B, 0x8000, 1);
	feed_kfree(&f, FREE, FEED_BASE + 0x8001 * UINT64_C(4096));
	judge(&f, 0, 0);
	CHECK_EQ(match_totals(f.match)->silent_allocs, 1);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 0);
}

TEST(rule_15_a_second_unknown_free_of_an_address_shows_a_silent_allocation)
{
	FEED(f);
	pass(&f, A, FREE, 96, 2);
	feed_kfree(&f, FREE, PAGE(0));
	feed_kfree(&f, FREE, PAGE(0));
	judge(&f, 0, 0);
	CHECK_EQ(match_totals(f.match)->silent_allocs, 1);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 0);
}

TEST(rule_15_after_a_gap_what_is_not_known_need_not_be_old)
{
	FEED(f);
	pass(&f, A, FREE, 96, 2);
	feed_kfree(&f, FREE, PAGE(0));
	feed_lost(&f, f.now_ns - 500, 3);
	feed_kfree(&f, FREE, PAGE(1));
	judge(&f, 0, 0);
	CHECK_EQ(feed_slab_site(&f, A)->preexisting_frees, 1);
}

TEST(rule_15_areas_are_charged_when_all_are_of_one_site_and_size)
{
	for (int sizes = 1; sizes < 3; sizes++) {
		FEED(f);
		feed_percpu_free(&f, 0x1000);
		feed_percpu_alloc(&f, A, 0x2000, 64);
		feed_percpu_alloc(&f, A, 0x3000, 64 * (uint64_t)sizes);
		feed_vmap_alloc(&f, A, 0x20000, 16384);
		feed_vmap_alloc(&f, B, 0x30000, 16384);
		feed_vmap_free(&f, 0x40000);
		judge(&f, 0, 0);
		CHECK_EQ(feed_percpu_site(&f, A)->preexisting_bytes, sizes == 1 ? 64 : 0);
		CHECK_EQ(feed_vmap_site(&f, A)->preexisting_frees, 0);
		CHECK_EQ(feed_vmap_site(&f, B)->preexisting_frees, 0);
	}
}
