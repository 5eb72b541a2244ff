// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/names.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "tests/lib/test.h"

static void free_names(struct names **names)
{
	names_free(*names);
}

#define NAMES(n) CLEANUP(free_names) struct names *n = names_new()

TEST(equal_names_have_equal_ids_counting_from_1)
{
	NAMES(n);
	char copy[] = "dentryX";

	CHECK_EQ(names_count(n), 0);
	CHECK_EQ(names_id(n, "dentry", 6), 1);
	CHECK_EQ(names_id(n, "filp", 4), 2);
	CHECK_EQ(names_id(n, copy, 6), 1);
	CHECK_EQ(names_id(n, copy, 7), 3);
	CHECK_EQ(names_count(n), 3);
	CHECK_STR(names_text(n, 1), "dentry");
	CHECK_STR(names_text(n, 2), "filp");
	CHECK_STR(names_text(n, 3), "dentryX");
}

TEST(no_name_is_id_0_and_unknown_ids_have_no_text)
{
	NAMES(n);

	CHECK_EQ(names_id(n, "x", 0), 0);
	CHECK_STR(names_text(n, 0), "");
	CHECK_STR(names_text(n, 17), "");
	CHECK_EQ(names_count(n), 0);
}

TEST(texts_stay_where_they_are_while_the_table_grows)
{
	NAMES(n);
	char name[16];
	uint16_t id = names_id(n, "first", 5);
	const char *text = names_text(n, id);

	for (int i = 0; i < 5000; i++)
		names_id(n, name, (size_t)snprintf(name, sizeof(name), "cache-%d", i));
	CHECK(names_text(n, id) == text);
	CHECK_STR(text, "first");
	CHECK_EQ(names_id(n, "cache-4999", 10), 5001);
}

TEST(name_after_65534_others_is_other_and_the_old_ones_stand)
{
	NAMES(n);
	char name[16];

	for (int i = 1; i <= 65534; i++)
		CHECK_EQ(names_id(n, name, (size_t)snprintf(name, sizeof(name), "%d", i)), i);
	CHECK_EQ(names_count(n), 65534);
	CHECK_EQ(names_id(n, "one more", 8), NAMES_OVERFLOW);
	CHECK_STR(names_text(n, NAMES_OVERFLOW), "(other)");
	CHECK_EQ(names_count(n), 65534);
	CHECK_EQ(names_id(n, "65534", 5), 65534);
	CHECK_STR(names_text(n, 65534), "65534");
}

TEST(bytes_that_are_no_text_are_names_too)
{
	NAMES(n);

	CHECK_EQ(names_id(n, "a\0b", 3), 1);
	CHECK_EQ(names_id(n, "a\0c", 3), 2);
	CHECK_EQ(names_id(n, "a", 1), 3);
	CHECK_EQ(names_id(n, "a\0b", 3), 1);
}
