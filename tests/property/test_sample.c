// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stated error of a sample: of call sites of all sizes, whose objects lie in chunks
 * of memory in all ways, the truth is within three of it, and for those that hold much
 * it is not larger than it need be.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "match/match.h"
#include "tests/lib/test.h"

enum { ONE_IN = 8, CHUNKS = 1 << 18, ROOM = 512, OBJECT = 64, SEEDS = 6 };

#define BASE UINT64_C(0xffff888000000000)

static double uniform(void)
{
	return ((double)random() + 0.5) / 2147483648.0;
}

/* How many objects of a call site lie in one chunk. */
enum {
	EQUAL,
	ANY,
	GEOMETRIC,
	FULL_OR_ONE,
	RARELY_FULL,
	HEAVY,
	SKEWED,
	SINGLE,
	FREED,
	NR_SHAPES
};

static unsigned int draw(int shape)
{
	double u = uniform(), v;

	switch (shape) {
	case EQUAL:
		return 32;
	case ANY:
		return 1 + (unsigned int)(u * ROOM);
	case GEOMETRIC:
		v = 1 + floor(log(u) / log(0.8));
		break;
	case FULL_OR_ONE:
		v = u < 0.2 ? 64 : 1;
		break;
	case RARELY_FULL:
		v = u < 0.05 ? 64 : 1;
		break;
	case HEAVY:
		v = ceil(1 / u);
		break;
	case SKEWED:
		v = ceil(exp(1 + 1.5 * sqrt(-2 * log(u)) * cos(6.28318 * uniform())));
		break;
	default:
		return 1;
	}
	return v > ROOM ? ROOM : (unsigned int)v;
}

static const unsigned int sizes[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024 };

enum { NR_SIZES = sizeof(sizes) / sizeof(*sizes), NR_SITES = NR_SHAPES * NR_SIZES };

static uint64_t truth[NR_SITES];
static uint16_t used[CHUNKS];

static struct event *events;
static size_t nr_events, cap_events;

static void put(enum event_kind kind, uint64_t site, uint64_t addr)
{
	uint64_t bytes = kind == EVENT_KMALLOC ? OBJECT : 0;

	vec_room(events, nr_events, cap_events);
	events[nr_events] = (struct event){
		.kind = kind & 0x1f,
		.ts_ns = 1000 + nr_events,
		.call_site = site,
		.addr = addr,
		.bytes_req = bytes,
		.bytes_alloc = bytes,
	};
	nr_events++;
}

static void make_events(unsigned int seed)
{
	srandom(seed);
	nr_events = 0;
	memset(used, 0, sizeof(used));
	memset(truth, 0, sizeof(truth));
	for (unsigned int site = 0; site < NR_SITES; site++) {
		for (unsigned int i = 0; i < sizes[site % NR_SIZES]; i++) {
			unsigned int nr = draw((int)(site / NR_SIZES));
			bool freed = site / NR_SIZES == FREED && uniform() < 0.9;
			uint64_t chunk;

			do {
				chunk = (uint64_t)random() % CHUNKS;
			} while (used[chunk] + nr > ROOM);
			truth[site] += freed ? 0 : (uint64_t)nr * OBJECT;
			while (nr--) {
				uint64_t addr = BASE + chunk * ROOM * OBJECT +
						(uint64_t)used[chunk]++ * OBJECT;

				put(EVENT_KMALLOC, 0x1000 + site, addr);
				if (freed)
					put(EVENT_KFREE, 0x10, addr);
			}
		}
	}
}

struct tally {
	size_t nr, within, bounded;
	double stated, error; /* variances, of sites that hold much */
};

static void judge(uint32_t chunk, struct tally *t)
{
	CLEANUP(match_cleanup)
	struct match *match = match_new(
		&(struct match_opts){ .page_size = 4096, .sample = { ONE_IN, chunk } });
	size_t nr;

	for (size_t i = 0; i < nr_events; i++)
		match_event(match, &events[i]);
	match_finish(match);
	const struct site *s = match_sites(match, &nr);
	auto_free uint32_t *group = xcalloc(nr + 1, sizeof(*group));

	for (size_t i = 0; i < nr; i++)
		group[i] = (uint32_t)i;
	match_judge(match, group, 0);
	for (size_t i = 0; i < nr; i++) {
		uint64_t site = s[i].call_site - 0x1000;

		if (!s[i].allocs)
			continue;
		double error = (double)s[i].live_bytes - (double)truth[site];

		t->nr++;
		t->within += error * error <= 9 * s[i].live_bytes_var;
		t->bounded +=
			s[i].lower_bytes <= truth[site] && s[i].upper_bytes >= truth[site];
		if (site == EQUAL * NR_SIZES + NR_SIZES - 1) {
			t->stated += s[i].live_bytes_var;
			t->error += error * error;
		}
	}
}

TEST(the_truth_is_within_three_standard_errors_of_99_estimates_in_100)
{
	struct tally t = {};

	for (unsigned int seed = 1; seed <= SEEDS; seed++) {
		make_events(seed);
		for (uint32_t chunk = 0; chunk < ONE_IN; chunk++)
			judge(chunk, &t);
	}
	printf("# within %zu, bounded %zu of %zu; stated %.2f of the error\n", t.within,
	       t.bounded, t.nr, sqrt(t.stated / t.error));
	CHECK(t.nr > 1000);
	CHECK(t.within * 100 >= t.nr * 99);
	CHECK(t.bounded * 100 >= t.nr * 99);
	CHECK(t.stated < 2 * t.error);
	CHECK(t.stated > 0.5 * t.error);
	free(events);
}
