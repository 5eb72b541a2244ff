// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/wobble.h"

#include <math.h>

#include "tests/lib/test.h"

enum { NR = 64 };

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * (1 + fabs(b));
}

TEST(what_does_not_move_has_no_noise)
{
	double change[NR] = {};

	CHECK(near(wobble_variance(change, NR, true), 0));
	change[0] = 1e9; /* there from the first bucket on */
	CHECK(near(wobble_variance(change, NR, true) / 1e18, 0));
}

TEST(steady_growth_is_no_noise)
{
	double change[NR];

	for (int i = 0; i < NR; i++)
		change[i] = 4096;
	CHECK(near(wobble_variance(change, NR, true) / 4096 / 4096, 0));
	CHECK(near(wobble_variance(change, NR, false), 0));
}

TEST(what_goes_up_and_down_varies_as_much)
{
	double change[NR];

	/* Levels 100, 0, 100, 0 …: 50 around their mean, and hardly a slope. */
	for (int i = 0; i < NR; i++)
		change[i] = i % 2 ? -100 : 100;
	double deviation = sqrt(wobble_variance(change, NR, true));

	CHECK(deviation > 50 && deviation < 52);
}

TEST(growth_with_noise_is_told_apart)
{
	double change[NR];

	for (int i = 0; i < NR; i++)
		change[i] = 1000 + (i % 2 ? -100 : 100);
	double deviation = sqrt(wobble_variance(change, NR, true));

	CHECK(deviation > 50 && deviation < 52);
}

TEST(a_sum_varies_as_its_buckets_do)
{
	double change[NR];

	/* Each is 90 or 110; a sum of 64 varies by 8 times 10. */
	for (int i = 0; i < NR; i++)
		change[i] = i % 2 ? 90 : 110;
	double deviation = sqrt(wobble_variance(change, NR, false));

	CHECK(deviation > 80 && deviation < 82);
}

TEST(few_buckets_tell_nothing)
{
	double change[WOBBLE_BUCKETS] = { 5, -5, 5, -5, 5, -5, 5, -5 };

	CHECK(wobble_variance(change, WOBBLE_BUCKETS, true) > 0);
	CHECK(near(wobble_variance(change, WOBBLE_BUCKETS - 1, true), 0));
	CHECK(near(wobble_variance(change, WOBBLE_BUCKETS - 1, false), 0));
}
