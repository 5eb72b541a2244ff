// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/words.h"

#include "tests/lib/test.h"

static struct span of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

TEST(words_are_separated_by_blanks_and_tabs)
{
	struct span line = of("  one\ttwo  "), word;

	CHECK(words_next(&line, &word) && words_equal(word, "one"));
	CHECK(words_next(&line, &word) && words_equal(word, "two"));
	CHECK(!words_next(&line, &word));
	CHECK(words_at(of("a b c"), 2, &word) && words_equal(word, "c"));
	CHECK(!words_at(of("a b c"), 3, &word));
	CHECK(!words_at(of(""), 0, &word));
}

TEST(a_nul_ends_a_line)
{
	struct span line = { (const uint8_t *)"one\0two", 7 }, word;

	CHECK(words_next(&line, &word) && words_equal(word, "one"));
	CHECK(!words_next(&line, &word));
	CHECK(!words_next(&line, &word));
}

TEST(a_word_equals_no_longer_and_no_shorter_one)
{
	CHECK(!words_equal(of("kBs"), "kB"));
	CHECK(!words_equal(of("k"), "kB"));
	CHECK(words_equal(of(""), ""));
}

TEST(a_number_is_all_of_a_text_but_blanks)
{
	uint64_t v = 7;

	CHECK(words_number(of(" 42 "), &v) && v == 42);
	CHECK(words_number(of("18446744073709551615"), &v) && v == UINT64_MAX);
	CHECK(!words_number(of("18446744073709551616"), &v));
	CHECK(!words_number(of("4 2"), &v));
	CHECK(!words_number(of("42x"), &v));
	CHECK(!words_number(of("-1"), &v));
	CHECK(!words_number(of(" "), &v));
	CHECK(v == UINT64_MAX);
}

TEST(a_word_may_be_a_number_below_zero)
{
	struct span line = of("-12 34 - 9223372036854775808");
	int64_t v;

	CHECK(words_next_number(&line, &v) && v == -12);
	CHECK(words_next_number(&line, &v) && v == 34);
	CHECK(!words_next_number(&line, &v));
	CHECK(!words_next_number(&line, &v));
}

TEST(a_field_is_a_name_and_a_number)
{
	struct span text = of("index2 5\nindex x\nindex 3\nindex 4\n");
	uint64_t v;

	CHECK(words_field(text, "index", &v) && v == 3);
	CHECK(!words_field(text, "last", &v));
}

TEST(a_hexadecimal_number_ends_where_its_digits_do)
{
	struct span line = of("1fF 10000000000000000 x");
	uint64_t v;

	CHECK(words_hex(&line, &v) && v == 0x1ff);
	CHECK(!words_hex(&line, &v));
	CHECK(line.len && *line.data == ' ');
	line = of("ffffffffffffffff");
	CHECK(words_hex(&line, &v) && v == UINT64_MAX && !line.len);
	line = of("10000000000000000");
	CHECK(!words_hex(&line, &v));
	CHECK_EQ(line.len, 17);
}
