// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that vmalloc takes without an event (rule 16). */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

/* Return addresses by class, as class_of() tells. */
enum {
	TRACE = 0x1001,	  /* tracing, reservation of areas */
	PAGES = 0x2001,	  /* the page allocator */
	VMALLOC = 0x3001, /* vmalloc itself, at three places */
	VMALLOC_PAGE = 0x3002,
	VMALLOC_ARRAY = 0x3003,
	CALLER = 0x4001,
	OTHER = 0x4002,
	FREE = 0x4003,
};

#define AREA(n) (UINT64_C(0xffffc90000004000) + 0x10000 * (n))
#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init_classify(&f, class_of)

static enum code_class class_of(void *arg, uint64_t addr)
{
	static const enum code_class of[] = { CODE_OTHER, CODE_INNER, CODE_ALLOCATOR,
					      CODE_VMALLOC, CODE_OTHER };

	(void)arg;
	return addr >> 12 < 5 ? of[addr >> 12] : CODE_OTHER;
}

static void event(struct feed *f, struct event ev)
{
	ev.ts_ns = f->now_ns;
	f->now_ns += 1000;
	ev.pid = f->pid;
	ev.cpu = f->cpu;
	match_event(f->match, &ev);
}

/* An area of vmalloc, or with @how something else, called by @caller. */
static void make_area(struct feed *f, uint64_t start, uint64_t pages, uint64_t how,
		      uint64_t caller)
{
	const uint64_t stack[] = { TRACE, how, caller };

	event(f, (struct event){ .kind = EVENT_VMAP_ALLOC,
				 .addr = start,
				 .stack = stack,
				 .nr_stack = 3,
				 .bytes_req = pages * 4096,
				 .bytes_alloc = pages * 4096 });
}

/* A block that vmalloc, or with @how something in it, took for @caller. */
static void take_block(struct feed *f, uint64_t pfn, unsigned int order, uint64_t how,
		       uint64_t caller)
{
	const uint64_t stack[] = { PAGES, how, VMALLOC_PAGE, caller };

	event(f, (struct event){ .kind = EVENT_PAGE_ALLOC,
				 .addr = pfn,
				 .order = (uint8_t)order,
				 .stack = stack,
				 .nr_stack = 4,
				 .bytes_req = UINT64_C(4096) << order,
				 .bytes_alloc = UINT64_C(4096) << order });
}

/* The site of the silent pages of areas that @caller made. */
static struct site pages_of(struct feed *f, uint64_t caller)
{
	size_t nr, nr_frames;
	const struct site *s = match_sites(f->match, &nr);

	for (size_t i = 0; i < nr; i++) {
		const uint64_t *frame =
			stacks_frames(match_stacks(f->match), s[i].stack, &nr_frames);

		if (s[i].kind == SITE_PAGE && nr_frames == 3 && frame[2] == caller)
			return s[i];
	}
	return (struct site){ 0 };
}

TEST(rule_16_an_area_of_vmalloc_owns_its_pages)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	make_area(&f, AREA(1), 2, VMALLOC, CALLER);
	feed_finish(&f);

	struct site s = pages_of(&f, CALLER);

	CHECK_EQ(s.allocs, 6);
	CHECK_EQ(s.live_bytes, 6 * 4096);
	CHECK_EQ(s.peak_bytes, 6 * 4096);
	CHECK_EQ(s.max_bytes, 4096);
}

TEST(rule_16_other_areas_own_none)
{
	FEED(f);
	make_area(&f, AREA(0), 4, TRACE, CALLER);
	make_area(&f, AREA(1), 4, OTHER, CALLER);
	feed_vmap_alloc(&f, 0, AREA(2), 4096);
	feed_finish(&f);
	CHECK_EQ(pages_of(&f, CALLER).allocs, 0);
}

TEST(rule_16_single_pages_freed_after_the_area_are_its_own)
{
	FEED(f);
	make_area(&f, AREA(0), 3, VMALLOC, CALLER);
	feed_vmap_free(&f, AREA(0));
	feed_page_free(&f, 100, 0);
	f.pid = 7;
	feed_page_free(&f, 200, 0); /* of another task */
	f.pid = 100;
	feed_page_free(&f, 104, 1); /* not a page of an area */
	feed_page_free(&f, 101, 0);
	feed_finish(&f);

	struct site s = pages_of(&f, CALLER);

	CHECK_EQ(s.frees, 2);
	CHECK_EQ(s.inferred_frees[END_AREA], 1);
	CHECK_EQ(s.inferred_bytes[END_AREA], 4096);
	CHECK_EQ(s.live, 0);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 2);
	CHECK_EQ(match_totals(f.match)->unknown_free_bytes[SITE_PAGE], 3 * 4096);
}

TEST(rule_16_no_more_pages_than_the_area_had)
{
	FEED(f);
	make_area(&f, AREA(0), 1, VMALLOC, CALLER);
	feed_vmap_free(&f, AREA(0));
	feed_page_free(&f, 100, 0);
	feed_page_free(&f, 101, 0);
	feed_finish(&f);
	CHECK_EQ(pages_of(&f, CALLER).frees, 1);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 1);
}

TEST(rule_16_a_page_that_an_event_tells_is_counted_once)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	take_block(&f, 100, 1, PAGES, CALLER);
	take_block(&f, 200, 0, OTHER, CALLER); /* a page table of the area */
	take_block(&f, 300, 0, PAGES, OTHER);  /* another call of vmalloc */
	take_block(&f, 400, 2, PAGES, CALLER); /* more than is left */
	feed_vmap_free(&f, AREA(0));
	feed_page_free(&f, 100, 0);
	feed_finish(&f);

	struct site s = pages_of(&f, CALLER);

	CHECK_EQ(s.allocs, 4);
	CHECK_EQ(s.frees, 1);
	CHECK_EQ(s.inferred_frees[END_AREA], 2);
	CHECK_EQ(s.live, 1);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 0);
}

TEST(rule_16_the_page_array_of_an_area_may_be_an_area)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	make_area(&f, AREA(1), 1, VMALLOC, OTHER);
	take_block(&f, 100, 0, PAGES, CALLER);
	take_block(&f, 101, 0, PAGES, OTHER);
	feed_finish(&f);
	CHECK_EQ(pages_of(&f, CALLER).allocs, 4);
	CHECK_EQ(pages_of(&f, OTHER).allocs, 1);
}

TEST(rule_16_an_area_in_the_place_of_another_ends_its_pages)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	make_area(&f, AREA(0), 2, VMALLOC, OTHER);
	feed_finish(&f);
	CHECK_EQ(pages_of(&f, CALLER).inferred_frees[END_AREA], 4);
	CHECK_EQ(pages_of(&f, OTHER).live, 2);
}

TEST(rule_16_what_vmalloc_allocates_for_itself_is_its_callers)
{
	FEED(f);
	feed_kmalloc(&f, VMALLOC_ARRAY, 0x5000, 32); /* of no area that is known */
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	feed_kmalloc(&f, VMALLOC_ARRAY, 0x6000, 64);
	feed_kmalloc(&f, OTHER, 0x7000, 96);
	feed_kfree(&f, FREE, 0x6000);
	feed_finish(&f);

	size_t nr, nr_frames, own = 0;
	const struct site *s = match_sites(f.match, &nr);

	for (size_t i = 0; i < nr; i++) {
		const uint64_t *frame =
			stacks_frames(match_stacks(f.match), s[i].stack, &nr_frames);

		if (s[i].kind != SITE_SLAB || !nr_frames)
			continue;
		own++;
		CHECK_EQ(s[i].call_site, VMALLOC_ARRAY);
		CHECK_EQ(nr_frames, 2);
		CHECK_EQ(frame[0], VMALLOC_ARRAY);
		CHECK_EQ(frame[1], CALLER);
		CHECK_EQ(s[i].alloc_bytes, 64);
		CHECK_EQ(s[i].frees, 1);
	}
	CHECK_EQ(own, 1);
	CHECK_EQ(feed_slab_site(&f, VMALLOC_ARRAY)->live_bytes, 32);
	CHECK_EQ(feed_slab_site(&f, OTHER)->live_bytes, 96);
}

TEST(rule_16_silent_pages_live_as_long_as_their_area_for_rule_14)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	feed_lost(&f, f.now_ns - 100, 1);
	make_area(&f, AREA(1), 1, VMALLOC, CALLER);
	feed_finish(&f);
	CHECK_EQ(pages_of(&f, CALLER).live, 5);
	CHECK_EQ(pages_of(&f, CALLER).uncertain, 4);
	CHECK_EQ(pages_of(&f, CALLER).uncertain_bytes, 4 * 4096);
}

TEST(rule_16_a_gap_ends_what_tasks_were_about)
{
	FEED(f);
	make_area(&f, AREA(0), 2, VMALLOC, CALLER);
	feed_vmap_free(&f, AREA(0));
	feed_lost(&f, f.now_ns - 100, 1);
	feed_page_free(&f, 100, 0);
	feed_finish(&f);
	CHECK_EQ(pages_of(&f, CALLER).inferred_frees[END_AREA], 2);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 1);
}

TEST(rule_15_pages_of_an_older_area_go_with_it)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	make_area(&f, AREA(1), 4, VMALLOC, CALLER);
	feed_vmap_free(&f, AREA(2));
	for (uint64_t pfn = 100; pfn < 104; pfn++)
		feed_page_free(&f, pfn, 0);
	feed_finish(&f);

	const uint32_t group[8] = { 0 };

	match_judge(f.match, group, 0);
	CHECK_EQ(pages_of(&f, CALLER).preexisting_frees, 4);
	CHECK_EQ(pages_of(&f, CALLER).preexisting_bytes, 4 * 4096);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_PAGE], 4);
}

/* Each raw site is a call site. */
static void judge_apart(struct feed *f)
{
	uint32_t group[16];

	for (uint32_t i = 0; i < 16; i++)
		group[i] = i;
	feed_finish(f);
	match_judge(f->match, group, 0);
}

TEST(rule_15_an_older_area_is_charged_by_how_many_pages_it_had)
{
	FEED(f);
	for (uint64_t i = 0; i < 2; i++) {
		make_area(&f, AREA(i), 4, VMALLOC, CALLER);
		make_area(&f, AREA(2 + i), 2, VMALLOC, OTHER);
	}
	feed_vmap_free(&f, AREA(8));
	for (uint64_t pfn = 100; pfn < 104; pfn++)
		feed_page_free(&f, pfn, 0);
	/* What the task frees after the array of its pages is none of them. */
	feed_kfree(&f, 0x777, 0xffff888000777000);
	feed_page_free(&f, 104, 0);
	feed_vmap_free(&f, AREA(9));
	for (uint64_t pfn = 200; pfn < 203; pfn++)
		feed_page_free(&f, pfn, 0); /* nobody makes areas of three pages */
	judge_apart(&f);
	CHECK_EQ(pages_of(&f, CALLER).preexisting_frees, 4);
	CHECK_EQ(pages_of(&f, CALLER).preexisting_bytes, 4 * 4096);
	CHECK_EQ(pages_of(&f, OTHER).preexisting_frees, 0);
}

TEST(rule_15_an_area_whose_pages_a_gap_cut_off_is_not_charged)
{
	FEED(f);
	make_area(&f, AREA(0), 4, VMALLOC, CALLER);
	make_area(&f, AREA(1), 4, VMALLOC, CALLER);
	feed_lost(&f, f.now_ns - 100, 1);
	feed_vmap_free(&f, AREA(8));
	for (uint64_t pfn = 100; pfn < 104; pfn++)
		feed_page_free(&f, pfn, 0);
	judge_apart(&f);
	CHECK_EQ(pages_of(&f, CALLER).preexisting_frees, 0);
}
