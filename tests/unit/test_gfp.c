// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/gfp.h"

#include "base/xalloc.h"
#include "tests/lib/test.h"

static struct gfp *parse(const char *text)
{
	return gfp_of_format((struct span){ (const uint8_t *)text, strlen(text) });
}

static bool has(const char *text, uint32_t flags, const char *want)
{
	CLEANUP(gfp_cleanup) struct gfp *gfp = parse(text);
	auto_free char *got = gfp_text(gfp, flags);

	if (strcmp(got, want))
		test_fail(__FILE__, __LINE__, "%#x is \"%s\", not \"%s\"", flags, got, want);
	return true;
}

#define FLAGS(list) \
	"print fmt: \"%s\", (REC->f) ? __print_flags(REC->f, \"|\", " list ") : \"none\"\n"

TEST(flags_have_the_names_of_the_format_the_first_that_fits)
{
	static const char text[] = FLAGS("{0xcc0, \"GFP_KERNEL\"}, {0x40, \"__GFP_IO\"}, "
					 "{0x100, \"__GFP_ZERO\"}");

	CHECK(has(text, 0xcc0, "GFP_KERNEL"));
	CHECK(has(text, 0xdc0, "GFP_KERNEL|__GFP_ZERO"));
	CHECK(has(text, 0x140, "__GFP_IO|__GFP_ZERO"));
}

TEST(a_bit_without_a_name_is_shown_as_a_number)
{
	static const char text[] = FLAGS("{0xcc0, \"GFP_KERNEL\"}");

	CHECK(has(text, 0x80000cc0, "GFP_KERNEL|0x80000000"));
	CHECK(has(text, 0, "0"));
	CHECK(has("", 0xcc0, "0xcc0"));
}

TEST(masks_are_expressions_of_c)
{
	CHECK(has(
		FLAGS("{( unsigned long)(((( gfp_t)(((((1UL))) << (10))|((((1UL))) << (11)))) | "
		      "(( gfp_t)((((1UL))) << (6))))), \"A\"}"),
		0xc40, "A"));
	CHECK(has(
		FLAGS("{(unsigned long)(((gfp_t)(0x400u|0x800u)) & ~((gfp_t)0x800u)), \"B\"}"),
		0x400, "B"));
	CHECK(has(FLAGS("{1 + 2 * 0, \"bad\"}, {3 - 1, \"two\"}"), 2, "two"));
}

TEST(an_entry_that_cannot_be_read_costs_only_itself)
{
	CHECK(has(
		FLAGS("{((gfp_t)((((1UL))) << (___GFP_DMA_BIT))), \"GFP_DMA\"}, {0x2, \"HIGH\"}"),
		3, "HIGH|0x1"));
	CHECK(has(FLAGS("{0x1, \"a|b\"}, {0x0, \"none\"}, {0x2, \"c\"}"), 3, "c|0x1"));
	CHECK(has(FLAGS("{0x1, \"a\"}, {0x2"), 3, "a|0x2"));
}

TEST(deep_parentheses_are_refused)
{
	char text[2000] = "__print_flags(x, \"|\", {";

	memset(text + strlen(text), '(', 1000);
	strcat(text, "1, \"A\"}");
	CHECK(has(text, 1, "0x1"));
}
