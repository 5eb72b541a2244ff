// SPDX-License-Identifier: GPL-2.0-or-later
/* What the recorder itself allocates. */
#include "tests/lib/feed.h"
#include "tests/lib/test.h"

enum { A = 0x3000a, B = 0x3000b };

#define COOKIE UINT64_C(0x60795baff178)
#define PTR    UINT64_C(0xffff888012345600)
#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

TEST(what_the_recorder_allocates_has_sites_of_its_own_in_every_kind)
{
	FEED(f);
	feed_kmalloc(&f, A, PTR, 64);
	feed_page_alloc(&f, A, 0x1000, 0);
	feed_percpu_alloc(&f, A, COOKIE, 64);
	feed_vmap_alloc(&f, A, PTR, 4096);
	f.pid = FEED_SELF;
	feed_kmalloc(&f, A, PTR + 64, 128);
	feed_page_alloc(&f, A, 0x1010, 1);
	feed_percpu_alloc(&f, A, COOKIE + 64, 128);
	feed_vmap_alloc(&f, A, PTR + 65536, 8192);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->live_bytes, 64);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 4096);
	CHECK_EQ(feed_percpu_site(&f, A)->live_bytes, 64);
	CHECK_EQ(feed_vmap_site(&f, A)->live_bytes, 4096);
	f.self = true;
	CHECK_EQ(feed_slab_site(&f, A)->live_bytes, 128);
	CHECK_EQ(feed_page_site(&f, A)->live_bytes, 8192);
	CHECK_EQ(feed_percpu_site(&f, A)->live_bytes, 128);
	CHECK_EQ(feed_vmap_site(&f, A)->live_bytes, 8192);
}

TEST(an_interrupt_of_the_recorder_is_not_the_recorder)
{
	static const uint8_t contexts[] = { EVENT_HARDIRQ, EVENT_SOFTIRQ, EVENT_NMI };
	FEED(f);

	f.pid = FEED_SELF;
	for (size_t i = 0; i < 3; i++) {
		f.context = contexts[i];
		feed_kmalloc(&f, A, PTR + 64 * i, 64);
	}
	f.context = 0;
	feed_kmalloc(&f, A, PTR + 64 * 3, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 3);
	f.self = true;
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 1);
}

TEST(a_pid_with_the_same_low_bits_is_not_the_recorder)
{
	FEED(f);
	f.pid = FEED_SELF + 128;
	feed_kmalloc(&f, A, PTR, 64);
	f.pid = -(1 << 30);
	feed_kmalloc(&f, B, PTR + 64, 64);
	f.pid = FEED_SELF + 64;
	feed_kmalloc(&f, B, PTR + 128, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 1);
	CHECK_EQ(feed_slab_site(&f, B)->allocs, 1);
	f.self = true;
	CHECK_EQ(feed_slab_site(&f, A)->allocs, 0);
	CHECK_EQ(feed_slab_site(&f, B)->allocs, 1);
}

TEST(what_the_recorder_allocates_is_freed_by_others_and_the_reverse)
{
	FEED(f);
	f.pid = FEED_SELF;
	feed_kmalloc(&f, A, PTR, 64);
	feed_page_alloc(&f, A, 0x1000, 2);
	f.pid = 100;
	feed_kfree(&f, B, PTR);
	feed_page_free(&f, 0x1000, 2);
	feed_kmalloc(&f, A, PTR, 64);
	f.pid = FEED_SELF;
	feed_kfree(&f, B, PTR);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	f.self = true;
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
	CHECK_EQ(feed_page_site(&f, A)->frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->live, 0);
	CHECK_EQ(match_totals(f.match)->unknown_frees[SITE_SLAB], 0);
}
