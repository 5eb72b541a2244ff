// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/ahead.h"

#include "decode/merge.h"
#include "tests/lib/test.h"

#define FIXTURE "fixtures/debian-6.12.dat"

DEFINE_CLEANUP(struct names *, names, names_free)

static uint64_t mix(uint64_t hash, uint64_t v)
{
	return (hash ^ v) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

static uint64_t mix_event(uint64_t hash, const struct event *ev, const struct names *names)
{
	hash = mix(hash, ev->ts_ns);
	hash = mix(hash, ev->addr);
	hash = mix(hash, ev->call_site);
	hash = mix(hash, ev->bytes_req);
	hash = mix(hash, ev->bytes_alloc);
	hash = mix(hash, (uint64_t)ev->pid << 32 | ev->gfp_flags);
	hash = mix(hash, (uint64_t)ev->cpu << 32 | (uint64_t)ev->order << 16 |
				 (uint64_t)ev->kind << 8 | ev->context);
	/* Ids too: what is stored of them must not depend on threads either. */
	hash = mix(hash, ev->cache);
	for (const char *c = names_text(names, ev->cache); *c; c++)
		hash = mix(hash, (uint8_t)*c);
	for (unsigned int i = 0; i < ev->nr_stack; i++)
		hash = mix(hash, ev->stack[i]);
	return hash;
}

/* All of the fixture, decoded by @threads more threads, as one number. */
static uint64_t hash_with(size_t threads, struct merge_stats *ret_stats)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	CLEANUP(names_cleanup) struct names *names = names_new();
	CLEANUP(merge_cleanup) struct merge *merge = NULL;
	const struct event *ev;
	uint64_t hash = 0;

	CHECK_OK(tracefile_open(FIXTURE, &file));
	CHECK_OK(merge_open(file, names, &merge));
	if (threads)
		merge_threads(merge, threads);
	for (;;) {
		CHECK_OK(merge_next(merge, &ev));
		if (!ev)
			break;
		hash = mix_event(hash, ev, names);
	}
	*ret_stats = *merge_stats(merge);
	return hash;
}

TEST(any_number_of_threads_gives_the_same_events)
{
	struct merge_stats alone, stats;
	uint64_t hash = hash_with(0, &alone);

	CHECK(alone.events > 50000);
	for (size_t threads = 1; threads < 6; threads++) {
		CHECK_EQ(hash_with(threads, &stats), hash);
		CHECK(!memcmp(&stats, &alone, sizeof(stats)));
	}
}

TEST(a_merge_that_is_given_up_ends_its_threads)
{
	for (size_t events = 0; events < 4000; events += 400) {
		CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
		CLEANUP(names_cleanup) struct names *names = names_new();
		CLEANUP(merge_cleanup) struct merge *merge = NULL;
		const struct event *ev;

		CHECK_OK(tracefile_open(FIXTURE, &file));
		CHECK_OK(merge_open(file, names, &merge));
		merge_threads(merge, 2);
		for (size_t i = 0; i < events; i++)
			CHECK_OK(merge_next(merge, &ev));
	}
}
