// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/cmdlines.h"
#include "tests/lib/test.h"

static struct cmdlines *parse(const char *text)
{
	return cmdlines_parse((struct span){ (const uint8_t *)text, strlen(text) });
}

TEST(names_are_found_by_pid)
{
	CLEANUP(cmdlines_cleanup) struct cmdlines *c = parse("20 sh\n3 kworker/0:1\n100 a b\n");

	CHECK_STR(cmdlines_name(c, 3), "kworker/0:1");
	CHECK_STR(cmdlines_name(c, 20), "sh");
	CHECK_STR(cmdlines_name(c, 100), "a b");
	CHECK_STR(cmdlines_name(c, 0), "swapper");
	CHECK(!cmdlines_name(c, 4));
	CHECK(!cmdlines_name(c, -1));
}

TEST(the_first_name_of_a_pid_counts)
{
	CLEANUP(cmdlines_cleanup) struct cmdlines *c = parse("7 first\n8 x\n7 second\n");

	CHECK_STR(cmdlines_name(c, 7), "first");
}

TEST(lines_that_are_none_are_left_out)
{
	CLEANUP(cmdlines_cleanup)
	struct cmdlines *c = parse("no\n-4 x\n99999999999 y\n5\n6 \n\n7 ok");

	CHECK(!cmdlines_name(c, 5));
	CHECK(!cmdlines_name(c, 6));
	CHECK(!cmdlines_name(c, -4));
	CHECK_STR(cmdlines_name(c, 7), "ok");
}

TEST(an_empty_text_knows_nobody)
{
	CLEANUP(cmdlines_cleanup) struct cmdlines *c = cmdlines_parse((struct span){});

	CHECK(!cmdlines_name(c, 1));
}
