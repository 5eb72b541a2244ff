// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/filter.h"

#include "tests/lib/test.h"

#define PARSE(text)                                       \
	CLEANUP(filter_deinit) struct filter filter = {}; \
	CHECK_OK(filter_parse(text, &filter))

TEST(a_filter_has_a_value_for_each_key)
{
	PARSE("pid=12,comm=sh");
	CHECK_STR(filter.value[0], "12");
	CHECK_STR(filter.value[2], "sh");
	CHECK(!filter.value[1]);
	CHECK(!filter_is_empty(&filter));
}

TEST(a_comma_belongs_to_the_value_unless_a_key_follows)
{
	PARSE("comm=a,b=c,d,cpu=3");
	CHECK_STR(filter.value[2], "a,b=c,d");
	CHECK_STR(filter.value[4], "3");
}

TEST(an_empty_filter_lets_all_through)
{
	struct filter filter = {};

	CHECK(filter_is_empty(&filter));
	CHECK(filter_is_empty(NULL));
}

TEST(a_wrong_filter_is_refused)
{
	static const char *const wrong[] = { "",	"pid",	  "pid=",	"pid=x",
					     "pid=1x",	"=1",	  "nokey=1",	"comm=",
					     "cpu=1,2", "pid=-1", "pid=1,pid=2" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CLEANUP(filter_deinit) struct filter filter = {};

		CHECK_ERR(filter_parse(wrong[i], &filter), "--for");
	}
}
