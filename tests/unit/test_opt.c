// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/opt.h"

#include "tests/lib/test.h"

struct args {
	bool all, brief;
	const char *input;
	const char *level;
	struct opt_list dirs;
	uint64_t count, size, wait_ns;
};

static const struct opt opts[] = {
	{ 'a', "all", NULL, OPT_FLAG(struct args, all), "everything" },
	{ 'b', NULL, NULL, OPT_FLAG(struct args, brief), "less" },
	{ 'i', "input", "FILE", OPT_TEXT(struct args, input), "the input" },
	{ 'z', "compress", "[LEVEL]", OPT_TEXT(struct args, level), "compress" },
	{ 0, "debug-dir", "DIR", OPT_LIST(struct args, dirs), "look there" },
	{ 'n', "count", "N", OPT_NUMBER(struct args, count), "so many" },
	{ 'm', "size", "SIZE", OPT_SIZE(struct args, size), "so large" },
	{ 'd', "wait", "SECONDS", OPT_SECONDS(struct args, wait_ns), "so long" },
	{}
};

static struct args args;
static char *words[16];
static enum opt_wish wish;

#define PARSE(first, ...)                                    \
	({                                                   \
		const char *argv_[] = { __VA_ARGS__ };       \
		memset(words, 0, sizeof(words));             \
		memcpy(words, argv_, sizeof(argv_));         \
		opt_release(opts, &args);                    \
		args = (struct args){ .count = 7 };          \
		opt_parse(opts, first, words, &args, &wish); \
	})

#define PARSE_ERR(part, ...)                                    \
	do {                                                    \
		CHECK_ERR(PARSE(false, __VA_ARGS__), part);     \
		struct err *again_ = PARSE(false, __VA_ARGS__); \
		CHECK_EQ(err_kind(again_), ERR_USAGE);          \
		err_free(again_);                               \
		opt_release(opts, &args);                       \
	} while (0)

TEST(a_value_may_touch_its_option_or_follow_it)
{
	CHECK_OK(PARSE(false, "-ione"));
	CHECK_STR(args.input, "one");
	CHECK_OK(PARSE(false, "-i", "two"));
	CHECK_STR(args.input, "two");
	CHECK_OK(PARSE(false, "--input=three"));
	CHECK_STR(args.input, "three");
	CHECK_OK(PARSE(false, "--input", "four"));
	CHECK_STR(args.input, "four");
	CHECK_OK(PARSE(false, "--input="));
	CHECK_STR(args.input, "");
	CHECK(!words[0]);
}

TEST(a_value_that_looks_like_an_option_is_a_value)
{
	CHECK_OK(PARSE(false, "-i", "-a"));
	CHECK_STR(args.input, "-a");
	CHECK(!args.all);
}

TEST(flags_may_share_a_dash)
{
	CHECK_OK(PARSE(false, "-abi", "x"));
	CHECK(args.all && args.brief);
	CHECK_STR(args.input, "x");
}

TEST(an_optional_value_must_touch)
{
	CHECK_OK(PARSE(false, "-z", "3"));
	CHECK_STR(args.level, "");
	CHECK_STR(words[0], "3");
	CHECK_OK(PARSE(false, "-z3"));
	CHECK_STR(args.level, "3");
	CHECK_OK(PARSE(false, "--compress", "3"));
	CHECK_STR(args.level, "");
	CHECK_OK(PARSE(false, "--compress=9"));
	CHECK_STR(args.level, "9");
	CHECK_OK(PARSE(false, "-a"));
	CHECK(!args.level);
}

TEST(a_list_keeps_every_value_and_ends_in_null)
{
	CHECK_OK(PARSE(false, "--debug-dir", "a", "--debug-dir=b", "--debug-dir", "c"));
	CHECK_EQ(args.dirs.nr, 3);
	CHECK_STR(args.dirs.item[0], "a");
	CHECK_STR(args.dirs.item[2], "c");
	CHECK(!args.dirs.item[3]);
	opt_release(opts, &args);
}

TEST(the_last_value_wins)
{
	CHECK_OK(PARSE(false, "-i", "a", "-i", "b"));
	CHECK_STR(args.input, "b");
}

TEST(a_default_stays_when_the_option_is_not_given)
{
	CHECK_OK(PARSE(false, "-a"));
	CHECK_EQ(args.count, 7);
	CHECK_OK(PARSE(false, "-n0"));
	CHECK_EQ(args.count, 0);
}

TEST(words_and_options_mix_unless_told_otherwise)
{
	CHECK_OK(PARSE(false, "one", "-a", "two", "--", "-b", "three"));
	CHECK(args.all && !args.brief);
	CHECK_STR(words[0], "one");
	CHECK_STR(words[1], "two");
	CHECK_STR(words[2], "-b");
	CHECK_STR(words[3], "three");
	CHECK(!words[4]);
}

TEST(a_command_keeps_its_own_options)
{
	CHECK_OK(PARSE(true, "-a", "sleep", "-b", "--", "1"));
	CHECK(args.all && !args.brief);
	CHECK_STR(words[0], "sleep");
	CHECK_STR(words[1], "-b");
	CHECK_STR(words[2], "--");
	CHECK_STR(words[3], "1");
	CHECK_OK(PARSE(true, "--", "-x"));
	CHECK_STR(words[0], "-x");
}

TEST(a_lone_dash_is_a_word)
{
	CHECK_OK(PARSE(false, "-"));
	CHECK_STR(words[0], "-");
}

TEST(sizes_have_binary_units)
{
	CHECK_OK(PARSE(false, "-m", "4096"));
	CHECK_EQ(args.size, 4096);
	CHECK_OK(PARSE(false, "-m64M"));
	CHECK_EQ(args.size, 64 << 20);
	CHECK_OK(PARSE(false, "-m", "1.5k"));
	CHECK_EQ(args.size, 1536);
	PARSE_ERR("--size 64Q", "-m", "64Q");
	PARSE_ERR("--size 4MB", "--size=4MB");
	PARSE_ERR("not a size", "-m", "-1");
	PARSE_ERR("not a size", "-m", "0x10");
	PARSE_ERR("not a size", "-m", "1e3");
	PARSE_ERR("not a size", "-m", "");
	PARSE_ERR("not a size", "-m", "99999999999999999999");
}

TEST(times_are_seconds_with_a_fraction_or_a_unit)
{
	CHECK_OK(PARSE(false, "-d", "0.25"));
	CHECK_EQ(args.wait_ns, 250000000);
	CHECK_OK(PARSE(false, "-d", "2m"));
	CHECK_EQ(args.wait_ns, 120000000000);
	CHECK_OK(PARSE(false, "-d", ".3"));
	CHECK_EQ(args.wait_ns, 300000000);
	CHECK_OK(PARSE(false, "-d", ".5m"));
	CHECK_EQ(args.wait_ns, 30000000000);
	PARSE_ERR("not a time", "-d", ".");
	PARSE_ERR("not a time", "-d", ".s");
	PARSE_ERR("not a time", "-d", "..3");
	PARSE_ERR("not a time", "-d", "-.3");
	PARSE_ERR("not a time", "-d", "soon");
	PARSE_ERR("not a time", "-d", "nan");
	PARSE_ERR("not a time", "-d", "9000000000000000");
}

TEST(numbers_are_whole_and_decimal)
{
	CHECK_OK(PARSE(false, "-n", "12"));
	CHECK_EQ(args.count, 12);
	PARSE_ERR("not a number", "-n", "12x");
	PARSE_ERR("not a number", "-n", "-1");
	PARSE_ERR("not a number", "-n", " 1");
	PARSE_ERR("not a number", "-n", "99999999999999999999");
}

TEST(an_error_names_the_option)
{
	PARSE_ERR("--nope: no such option", "--nope=3");
	PARSE_ERR("-x: no such option", "-x");
	PARSE_ERR("--input needs FILE", "--input");
	PARSE_ERR("-i needs FILE", "-i");
	PARSE_ERR("--all takes no value", "--all=1");
	PARSE_ERR("--inp: no such option", "--inp", "x");
}

TEST(help_and_version_win_over_what_follows)
{
	CHECK_OK(PARSE(false, "-h", "--nope"));
	CHECK_EQ(wish, OPT_HELP);
	CHECK_OK(PARSE(false, "-ah"));
	CHECK_EQ(wish, OPT_HELP);
	CHECK_OK(PARSE(false, "--help"));
	CHECK_EQ(wish, OPT_HELP);
	CHECK_OK(PARSE(true, "--version", "x"));
	CHECK_EQ(wish, OPT_VERSION);
	CHECK_OK(PARSE(true, "sleep", "-h"));
	CHECK_EQ(wish, OPT_RUN);
}
