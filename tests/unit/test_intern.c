// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/intern.h"

#include <stdio.h>

#include "store/pairs.h"
#include "tests/lib/test.h"

/* What a database may hold is anyone's to choose, so that no choice may want one slot only. */
enum { NR = 20000, LONG = 300 };

static const uint64_t mul = UINT64_C(0x9e3779b97f4a7c15);

TEST(pairs_are_numbered_as_they_come)
{
	struct pairs table = {};
	bool is_new;

	CHECK_EQ(pairs_find(&table, 1, 2), 0);
	for (int again = 0; again < 2; again++)
		for (int64_t i = 0; i < NR; i++) {
			CHECK_EQ(pairs_id(&table, i % 7 - 3, -i, &is_new), i + 1);
			CHECK_EQ(is_new, !again);
		}
	CHECK_EQ(pairs_find(&table, -3, 0), 1);
	CHECK_EQ(pairs_find(&table, -3, 1), 0);
	pairs_deinit(&table);
}

TEST(no_pairs_can_be_chosen_that_want_one_slot)
{
	struct pairs table = {};
	size_t longest = 0, length = 0;
	bool is_new;

	/* Of a sum with a known factor all of these are one. */
	for (uint64_t a = 0; a < NR; a++)
		pairs_id(&table, (int64_t)a, (int64_t)(a * mul), &is_new);
	for (size_t i = 0; i < table.cap; i++) {
		length = table.slot[i].id ? length + 1 : 0;
		longest = length > longest ? length : longest;
	}
	CHECK(longest < LONG);
	pairs_deinit(&table);
}

TEST(strings_are_numbered_as_they_come_and_stay)
{
	struct intern table = {};
	const char *first = NULL;
	char text[32];
	bool is_new;

	for (int again = 0; again < 2; again++)
		for (uint32_t i = 0; i < NR; i++) {
			size_t len =
				(size_t)snprintf(text, sizeof(text), "%0*u", (int)(i % 24), i);

			CHECK_EQ(intern_id(&table, text, len, &is_new), i + 1);
			CHECK_EQ(is_new, !again);
			CHECK_STR(intern_bytes(&table, i + 1), text);
			first = first ? first : intern_bytes(&table, 1);
		}
	CHECK(first == intern_bytes(&table, 1));
	intern_deinit(&table);
}

TEST(no_strings_can_be_chosen_that_want_one_slot)
{
	struct intern table = {};
	size_t longest = 0, length = 0;
	bool is_new;

	/* The second word takes back what the first one did. */
	for (uint64_t i = 0; i < NR; i++) {
		uint64_t h = ((2 * sizeof(h)) * mul ^ i) * mul, word[2] = { i, h ^ h >> 32 };

		intern_id(&table, word, sizeof(word), &is_new);
	}
	for (size_t i = 0; i < table.cap; i++) {
		length = table.slot[i].id ? length + 1 : 0;
		longest = length > longest ? length : longest;
	}
	CHECK(longest < LONG);
	intern_deinit(&table);
}
