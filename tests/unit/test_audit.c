// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel says of pages at the end, from its file to who is ended by it. */
#include "capture/pageflags.h"
#include "match/audit.h"
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { S = 1 << 7, F = 1 << 10, LRU = 1 << 5 };

TEST(frames_become_runs_across_pieces)
{
	auto_text text = {};
	struct pageflags p = { .ret = &text };

	pageflags_add(&p, (uint64_t[]){ 0, S, S | LRU }, 3);
	pageflags_add(&p, (uint64_t[]){ S, LRU, F, F, S }, 5);
	pageflags_end(&p);
	CHECK_STR(text.data, "1 3 s\n5 2 f\n7 1 s\n");
}

TEST(runs_tell_what_a_frame_holds)
{
	static const char text[] = "10 2 s\n20 1 f\n30 ff s\n";
	struct audit audit;

	audit_parse(&audit, (struct span){ (const uint8_t *)text, sizeof(text) - 1 });
	CHECK(audit_known(&audit));
	CHECK(!audit_is_slab(&audit, 0xf));
	CHECK(audit_is_slab(&audit, 0x10));
	CHECK(audit_is_slab(&audit, 0x11));
	CHECK(!audit_is_slab(&audit, 0x12));
	CHECK(!audit_is_slab(&audit, 0x20));
	CHECK(audit_is_free(&audit, 0x20));
	CHECK(audit_is_slab(&audit, 0x12e));
	CHECK(!audit_is_slab(&audit, 0x12f));
	audit_deinit(&audit);
}

TEST(lines_that_no_kernel_led_to_are_left_out)
{
	static const char text[] = "10 2 s\n8 1 s\n11 1 s\n20 0 s\nffffffffffffffff 2 s\n"
				   "30 ffffffffffffffff s\nx 1 s\n40 1\n50 1 q\n\n"
				   "10000000000000060 1 s\n70 1 s";
	struct audit audit;

	audit_parse(&audit, (struct span){ (const uint8_t *)text, sizeof(text) - 1 });
	CHECK_EQ(audit.slab.nr, 2);
	CHECK(audit_is_slab(&audit, 0x70));
	CHECK_EQ(audit.free.nr, 0);
	audit_deinit(&audit);
	audit_parse(&audit, (struct span){});
	CHECK(!audit_known(&audit));
	audit_deinit(&audit);
}

enum { A = 0x1000a, B = 0x1000b };

/* 0x100 is a slab, 0x200 is none, 0x300 is free, 0x400 is not. */
#define AUDITED(f)                                                                         \
	static const char audit_text[] = "100 1 s\n300 1 f\n";                             \
	CLEANUP(audit_deinit) struct audit audit;                                          \
	CLEANUP(feed_deinit) struct feed f;                                                \
	audit_parse(&audit,                                                                \
		    (struct span){ (const uint8_t *)audit_text, sizeof(audit_text) - 1 }); \
	feed_init_audit(&f, &audit);                                                       \
	feed_prime_base(&f)

static uint64_t virt(uint64_t pfn)
{
	return FEED_BASE + pfn * 4096;
}

static void feed_some(struct feed *f)
{
	feed_kmalloc(f, A, virt(0x100), 64);
	feed_kmalloc(f, A, virt(0x200), 64);
	feed_kmalloc(f, A, virt(0x200) + 64, 64);
	feed_kmalloc(f, B, virt(0x201), 16384);
	feed_page_alloc(f, A, 0x300, 1);
	feed_page_alloc(f, A, 0x400, 0);
}

TEST(rule_18_after_a_gap_what_the_kernel_says_is_gone_is_gone)
{
	AUDITED(f);
	feed_some(&f);
	feed_lost(&f, f.now_ns - 500, 12);
	feed_kmalloc(&f, A, virt(0x203), 64);
	feed_finish(&f);

	const struct site *s = feed_slab_site(&f, A);

	CHECK_EQ(s->inferred_frees[END_SLAB_PAGE], 2);
	CHECK_EQ(s->inferred_bytes[END_SLAB_PAGE], 128);
	/* The one in a slab; and one made after the gap, of which nothing is in doubt. */
	CHECK_EQ(s->live, 2);
	CHECK_EQ(s->uncertain, 1);
	/* A large one has no slab. */
	CHECK_EQ(feed_slab_site(&f, B)->live, 1);
	s = feed_page_site(&f, A);
	CHECK_EQ(s->inferred_frees[END_OVERLAP], 1);
	CHECK_EQ(s->inferred_bytes[END_OVERLAP], 8192);
	CHECK_EQ(s->live, 1);
	CHECK_EQ(match_totals(f.match)->audited_objects, 2 + 2);
	CHECK_EQ(match_totals(f.match)->audited_pages, 2);
}

TEST(rule_18_without_a_gap_the_recording_knows_better)
{
	AUDITED(f);
	feed_some(&f);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live, 3);
	CHECK_EQ(feed_page_site(&f, A)->live, 2);
	CHECK_EQ(match_totals(f.match)->audited_objects, 0);
}
