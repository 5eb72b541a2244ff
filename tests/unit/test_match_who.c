// SPDX-License-Identifier: GPL-2.0-or-later
/* Who, when and for how long: accounts, buckets, lives (Documentation/design/matching.md). */
#include "match/account.h"

#include "tests/lib/feed.h"
#include "tests/lib/test.h"

#define FEED(f)                             \
	CLEANUP(feed_deinit) struct feed f; \
	feed_init(&f)

enum { A = 0x2000a, B = 0x2000b };
static const uint64_t P = FEED_BASE + 0x123000;

static const struct account *account_of(const struct match *match, int32_t pid, uint16_t cpu)
{
	size_t nr;
	const struct account *a = match_accounts(match, &nr);

	for (; nr; a++, nr--)
		if (account_pid(a) == pid && account_cpu(a) == cpu)
			return a;
	return NULL;
}

TEST(an_account_is_of_the_task_and_cpu_that_allocated)
{
	FEED(f);
	f.pid = 10;
	feed_kmalloc(&f, A, P, 64);
	f.pid = 20;
	f.cpu = 1;
	feed_kmalloc(&f, A, P + 64, 32);
	feed_kfree(&f, B, P);
	feed_finish(&f);

	const struct account *one = account_of(f.match, 10, 0),
			     *two = account_of(f.match, 20, 1);

	CHECK(one && two);
	CHECK_EQ(one->alloc_bytes, 64);
	CHECK_EQ(one->ends, 1);
	CHECK_EQ(two->alloc_bytes, 32);
	CHECK_EQ(two->ends, 0);
}

TEST(a_free_on_another_cpu_is_remote)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 64);
	feed_kmalloc(&f, A, P + 64, 64);
	feed_kfree(&f, B, P);
	f.cpu = 3;
	feed_kfree(&f, B, P + 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->remote_cpu, 1);
	CHECK_EQ(feed_slab_site(&f, A)->remote_node, 0);
}

TEST(nodes_tell_which_cpus_are_near)
{
	static const uint8_t node[] = { 0, 0, 1, 1 };
	const struct match_opts opts = { .page_size = 4096,
					 .cpu_node = node,
					 .nr_cpu_node = 4 };
	CLEANUP(match_cleanup) struct match *match = match_new(&opts);
	size_t nr;

	for (uint16_t cpu = 0; cpu < 5; cpu++) {
		struct event ev = { .kind = EVENT_KMALLOC,
				    .addr = P + cpu * 64u,
				    .call_site = A,
				    .bytes_alloc = 64,
				    .ts_ns = 1000 + cpu };

		match_event(match, &ev);
		ev.kind = EVENT_KFREE;
		ev.cpu = cpu;
		match_event(match, &ev);
	}
	match_finish(match);
	CHECK_EQ(match_sites(match, &nr)->remote_cpu, 4);
	/* Of CPU 4 nobody knows. */
	CHECK_EQ(match_sites(match, &nr)->remote_node, 2);
}

TEST(a_life_is_from_the_allocation_to_the_free)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 64); /* an event takes a microsecond */
	f.now_ns += 5000000;
	feed_kfree(&f, B, P);
	feed_finish(&f);

	const struct site *s = feed_slab_site(&f, A);
	size_t nr, at = (size_t)(s - match_sites(f.match, &nr));

	CHECK_EQ(s->lived, 1);
	CHECK_EQ(s->lived_max_ns, 5001000);
	CHECK_EQ((uint64_t)s->lived_sum_ns, 5001000);
	CHECK_EQ(match_lived(f.match, at, life_bin(5001000)), 1);
	CHECK_EQ(s->lived_quick, 0);
	CHECK_EQ(s->aged, 0);
}

TEST(what_lives_has_an_age_and_no_life)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 64);
	f.now_ns += 7000000;
	feed_kmalloc(&f, B, P + 64, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->lived, 0);
	CHECK_EQ(feed_slab_site(&f, A)->aged, 1);
	CHECK_EQ(feed_slab_site(&f, A)->age_max_ns, 7001000);
	CHECK_EQ(feed_slab_site(&f, B)->age_max_ns, 0);
}

TEST(an_end_that_nobody_saw_is_no_life)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 64);
	feed_kmalloc(&f, A, P, 64);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->inferred_frees[END_REUSE], 1);
	CHECK_EQ(feed_slab_site(&f, A)->lived, 0);
}

TEST(a_life_that_rcu_ends_is_over_with_the_call)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 64);
	struct event ev = { .kind = EVENT_RCU_FREE, .addr = P, .ts_ns = f.now_ns += 9000 };

	match_event(f.match, &ev);
	f.now_ns += 50000000;
	feed_kfree(&f, B, P);
	feed_finish(&f);
	CHECK_EQ(feed_slab_site(&f, A)->frees, 1);
	CHECK_EQ(feed_slab_site(&f, A)->lived, 1);
	CHECK_EQ(feed_slab_site(&f, A)->lived_max_ns, 10000);
}

TEST(temporary_is_soon_by_the_same_task_with_little_between)
{
	FEED(f);
	f.pid = 5;
	feed_kmalloc(&f, A, P, 64);
	feed_kfree(&f, B, P); /* all three */
	feed_kmalloc(&f, A, P, 64);
	f.now_ns += 5000;
	feed_kfree(&f, B, P); /* near, not quick */
	feed_kmalloc(&f, A, P, 64);
	for (unsigned int i = 1; i <= SITE_NEAR; i++)
		feed_kmalloc(&f, B, P + 64 * i, 64);
	feed_kfree(&f, B, P); /* not near */
	feed_kmalloc(&f, A, P, 64);
	f.pid = 6;
	feed_kfree(&f, B, P); /* another task */
	f.pid = 5;
	f.context = EVENT_SOFTIRQ;
	feed_kmalloc(&f, A, P, 64);
	feed_kfree(&f, B, P); /* nobody's */
	feed_finish(&f);

	const struct site *s = feed_slab_site(&f, A);

	CHECK_EQ(s->lived, 5);
	CHECK_EQ(s->lived_same_task, 3);
	CHECK_EQ(s->lived_near, 2);
	CHECK_EQ(s->lived_quick, 3);
	CHECK_EQ(s->temporary, 1);
}

TEST(bins_tell_a_time_within_an_eighth)
{
	for (uint64_t ns = 0; ns < UINT64_C(1) << 47; ns = ns < 100 ? ns + 1 : ns + ns / 7) {
		unsigned int bin = life_bin(ns);

		CHECK(bin < LIFE_BINS);
		CHECK(life_from_ns(bin) <= ns && ns < life_from_ns(bin + 1));
		CHECK((life_from_ns(bin + 1) - life_from_ns(bin)) * 8 <= ns + 8);
	}
	CHECK_EQ(life_bin(UINT64_MAX), LIFE_BINS - 1);
}

TEST(a_histogram_counts_past_32_bits)
{
	struct life_table tab;
	struct life life = {};

	life_init(&tab);
	life_add(&tab, &life, 1000);
	tab.row[life.row[life_bin(1000) / LIFE_ROW]][life_bin(1000) % LIFE_ROW] = UINT32_MAX;
	life_add(&tab, &life, 1000);
	life_add(&tab, &life, 1000);
	CHECK_EQ(life_count(&tab, &life, life_bin(1000)), (INT64_C(1) << 32) + 1);
	CHECK_EQ(life_count(&tab, &life, life_bin(5)), 0);
	life_deinit(&tab);
}

TEST(too_many_tasks_lose_their_numbers_and_nothing_else)
{
	FEED(f);
	const uint64_t tasks = ACCOUNT_MAX + 1000;
	struct event ev = { .kind = EVENT_KMALLOC, .call_site = A, .bytes_alloc = 64 };
	size_t nr;
	uint64_t sum = 0, merged = 0;

	for (uint64_t i = 0; i < tasks; i++) {
		ev.ts_ns = ++f.now_ns;
		ev.pid = (int32_t)i + 10000; /* beyond the recorder's */
		ev.addr = P + i * 64;
		match_event(f.match, &ev);
	}
	feed_finish(&f);

	const struct account *a = match_accounts(f.match, &nr);

	CHECK_EQ(nr, ACCOUNT_MAX + 1);
	for (; nr; a++, nr--) {
		sum += a->allocs;
		merged += account_merged(a) != ACCOUNT_WHOLE ? a->allocs : 0;
	}
	CHECK_EQ(sum, tasks);
	CHECK_EQ(merged, 1000);
	CHECK_EQ(match_totals(f.match)->merged_allocs, 1000);
	CHECK_EQ(feed_slab_site(&f, A)->allocs, tasks);
}

TEST(times_that_jump_and_go_back_end_in_a_bucket)
{
	static const uint64_t times[] = { 1000,	      0,	 UINT64_C(1) << 62, 5,
					  UINT64_MAX, 1,	 UINT64_MAX - 1,    3000000,
					  0,	      UINT64_MAX };
	FEED(f);
	uint32_t last = 0;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		struct event ev = { .kind = i % 3 == 2 ? EVENT_KFREE : EVENT_KMALLOC,
				    .call_site = A,
				    .addr = P + i / 3 * 64,
				    .bytes_alloc = 64,
				    .ts_ns = times[i] };

		match_event(f.match, &ev);
	}
	feed_finish(&f);

	const struct series *series = match_series(f.match);

	CHECK(series->nr > 0 && series->nr <= SERIES_BUCKETS);
	for (size_t i = 0; i < series->nr; i++) {
		CHECK(series->entry[i].bucket < SERIES_BUCKETS);
		CHECK(!i || series->entry[i].bucket > last);
		last = series->entry[i].bucket;
	}
	CHECK_EQ(series->entry[series->nr - 1].live, feed_slab_site(&f, A)->live);
}

TEST(buckets_double_and_keep_their_ends)
{
	FEED(f);
	const uint64_t ms = 1000000;

	for (uint64_t i = 0; i < 1000; i++) {
		struct event ev = { .kind = EVENT_KMALLOC,
				    .call_site = A,
				    .addr = P + i * 64,
				    .bytes_alloc = 64,
				    .ts_ns = ms + i * ms };

		match_event(f.match, &ev);
	}
	feed_finish(&f);

	const struct series *series = match_series(f.match);

	CHECK_EQ(series->width_ns, 4 * ms);
	CHECK_EQ(series->nr, 250);
	for (size_t i = 0; i < series->nr; i++) {
		CHECK_EQ(series->entry[i].bucket, i);
		CHECK_EQ(series->entry[i].live, 4 * (i + 1));
		CHECK_EQ(series->entry[i].allocs, 4 * (i + 1));
	}
}

TEST(the_live_set_at_the_peak_is_that_of_the_moment)
{
	FEED(f);
	feed_kmalloc(&f, A, P, 1024);
	feed_kmalloc(&f, B, P + 0x1000, 512);
	feed_kfree(&f, A, P);
	feed_kmalloc(&f, A, P, 128);
	feed_kfree(&f, B, P + 0x1000);
	feed_finish(&f);
	CHECK_EQ(match_peak(f.match, SITE_SLAB)->bytes, 1536);
	CHECK_EQ(match_peak(f.match, SITE_SLAB)->objects, 2);
	CHECK_EQ(feed_slab_site(&f, A)->at_peak_bytes, 1024);
	CHECK_EQ(feed_slab_site(&f, B)->at_peak_bytes, 512);
	CHECK_EQ(feed_slab_site(&f, A)->live_bytes, 128);
}

TEST(in_a_window_what_is_older_is_told_apart)
{
	const struct match_opts opts = { .page_size = 4096, .from_ns = 5000, .until_ns = 9000 };
	CLEANUP(match_cleanup) struct match *match = match_new(&opts);
	const struct {
		uint64_t ts_ns, addr;
		enum event_kind kind;
	} steps[] = {
		{ 1000, P, EVENT_KMALLOC },	  { 2000, P + 64, EVENT_KMALLOC },
		{ 3000, P + 64, EVENT_KFREE },	  { 5000, P + 128, EVENT_KMALLOC },
		{ 6000, P, EVENT_KFREE },	  { 7000, P + 192, EVENT_KMALLOC },
		{ 8000, P + 192, EVENT_KFREE },	  { 9000, P + 128, EVENT_KFREE },
		{ 9500, P + 256, EVENT_KMALLOC },
	};
	size_t nr;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct event ev = { .kind = (uint8_t)steps[i].kind,
				    .call_site = steps[i].kind == EVENT_KFREE ? B : A,
				    .addr = steps[i].addr,
				    .bytes_alloc = 64,
				    .ts_ns = steps[i].ts_ns };

		match_event(match, &ev);
	}
	match_finish(match);

	const struct site *s = match_sites(match, &nr);

	CHECK_EQ(nr, 1);
	CHECK_EQ(s->allocs, 2);
	CHECK_EQ(s->frees, 1);
	CHECK_EQ(s->live, 1);
	CHECK_EQ(s->preexisting_frees, 1);
	CHECK_EQ(s->preexisting_bytes, 64);
	CHECK_EQ(match_totals(match)->unknown_frees[SITE_SLAB], 0);
	CHECK_EQ(match_totals(match)->last_ns, 9500);
}

TEST(a_large_kmalloc_leaves_the_rest_of_its_block_unused)
{
	FEED(f);
	feed_prime_base(&f);
	feed_page_alloc(&f, A, 0x4000, 4);

	struct event ev = { .kind = EVENT_KMALLOC,
			    .call_site = B,
			    .addr = FEED_BASE + UINT64_C(0x4000) * 4096,
			    .bytes_req = 40000,
			    .bytes_alloc = 65536,
			    .ts_ns = f.now_ns };

	match_event(f.match, &ev);
	feed_finish(&f);
	CHECK_EQ(match_totals(f.match)->large_kmalloc_blocks, 1);
	CHECK_EQ(feed_page_site(&f, A)->slack_bytes, 25536);
	CHECK_EQ(feed_page_site(&f, A)->alloc_bytes, 65536);
}

/* 2^53 ns is where a sum of doubles begins to depend on its order, as that of a hash table. */
TEST(the_sum_of_ages_does_not_depend_on_where_objects_lie_in_a_table)
{
	enum { NR = 300 };
	double sum[4];

	for (int round = 0; round < 4; round++) {
		FEED(f);

		for (uint64_t i = 0; i < NR; i++) {
			feed_kmalloc(&f, A, FEED_BASE + 64 * (i + 1), 64);
			f.now_ns += (UINT64_C(1) << 38) + 2 * i + 1;
		}
		feed_finish(&f);
		CHECK_EQ(feed_slab_site(&f, A)->aged, NR);
		sum[round] = feed_slab_site(&f, A)->age_sum_ns;
		CHECK(sum[round] > 9007199254740992.0);
		CHECK(sum[round] == sum[0]);
	}
}
