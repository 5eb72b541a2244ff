// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/trigger.h"

#include "tests/lib/test.h"

static struct span meminfo(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

TEST(a_condition_is_a_field_and_a_size)
{
	struct trigger t;

	CHECK_OK(trigger_parse("SUnreclaim>2G", &t));
	CHECK(t.above);
	CHECK_EQ(t.limit, UINT64_C(2) << 30);
	CHECK_OK(trigger_parse("MemAvailable<512M", &t));
	CHECK(!t.above);
	CHECK_EQ(t.limit, 512 << 20);
	CHECK_OK(trigger_parse("HugePages_Free<3", &t));
	CHECK_EQ(t.limit, 3);
	CHECK_OK(trigger_parse("Active(anon)>1K", &t));
	CHECK_EQ(t.field_len, 12);
}

TEST(anything_else_is_refused)
{
	static const char *const wrong[] = { "",
					     "SUnreclaim",
					     ">2G",
					     "SUnreclaim>",
					     "SUnreclaim>-1",
					     "SUnreclaim>2GB",
					     "SUnreclaim>2 G",
					     "SUnreclaim=2G",
					     "SUnreclaim>>2G",
					     "SUnreclaim>99999999999T" };
	struct trigger t;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CHECK_ERR(trigger_parse(wrong[i], &t), "like SUnreclaim>2G");
}

TEST(kilobytes_count_as_such_and_numbers_as_they_are)
{
	struct span text =
		meminfo("MemTotal:       24 kB\nSlab:   7 kB\nHugePages_Free:    5\n");
	struct trigger t;
	uint64_t v;

	CHECK_OK(trigger_parse("Slab>1", &t));
	CHECK(trigger_value(&t, text, &v));
	CHECK_EQ(v, 7 * 1024);
	CHECK_OK(trigger_parse("HugePages_Free>1", &t));
	CHECK(trigger_value(&t, text, &v));
	CHECK_EQ(v, 5);
	/* No prefix of a name, nor a name with more in front. */
	CHECK_OK(trigger_parse("Mem>1", &t));
	CHECK(!trigger_value(&t, text, &v));
	CHECK_OK(trigger_parse("Total>1", &t));
	CHECK(!trigger_value(&t, text, &v));
}

TEST(a_number_that_is_none_is_no_value)
{
	struct trigger t;
	uint64_t v;

	CHECK_OK(trigger_parse("Slab>1", &t));
	CHECK(!trigger_value(&t, meminfo("Slab: kB\n"), &v));
	CHECK(!trigger_value(&t, meminfo("Slab:"), &v));
	CHECK(!trigger_value(&t, meminfo("Slab: 99999999999999999999999 kB\n"), &v));
	CHECK(!trigger_value(&t, meminfo("Slab: 18446744073709551615 kB\n"), &v));
}

TEST(it_fires_once_each_time_it_becomes_true)
{
	struct trigger t;

	CHECK_OK(trigger_parse("Slab>1M", &t));
	CHECK(!trigger_fires(&t, meminfo("Slab: 1024 kB\n")));
	CHECK(trigger_fires(&t, meminfo("Slab: 1025 kB\n")));
	CHECK(!trigger_fires(&t, meminfo("Slab: 2000 kB\n")));
	CHECK(!trigger_fires(&t, meminfo("Slab: 1000 kB\n")));
	CHECK(trigger_fires(&t, meminfo("Slab: 2000 kB\n")));
}
