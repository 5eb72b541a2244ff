// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/kallsyms.h"

#include "base/xalloc.h"
#include "tests/lib/test.h"

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static struct kallsyms *parse(const char *s)
{
	struct kallsyms *k = NULL;

	CHECK_OK(kallsyms_parse(text(s), &k));
	return k;
}

static const char kernel[] = "ffffffff81000000 T _stext\n"
			     "ffffffff81000000 T _text\n"
			     "ffffffff81000010 t static_one\n"
			     "ffffffff81000050 T kfree\n"
			     "ffffffff81000050 t __alias_of_kfree\n"
			     "ffffffff81000060 d not_code\n"
			     "ffffffff81000100 W weak_one\n"
			     "ffffffff81000200 T _etext\n"
			     "ffffffffc0001000 t nbd_dev_add\t[nbd]\n"
			     "ffffffffc0001080 t static_one\t[nbd]\n"
			     "ffffffffc0002000 t bpf_prog_6deef7357e7b4530\t[bpf]\n";

TEST(an_address_lies_in_the_function_before_it)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = parse(kernel);
	uint64_t size;
	const struct ksym *sym = kallsyms_at(k, 0xffffffff8100004f, &size);

	CHECK(sym);
	CHECK_STR(sym->name, "static_one");
	CHECK_EQ(size, 0x40);
	CHECK(!sym->module);
	sym = kallsyms_at(k, 0xffffffff81000050, &size);
	CHECK_STR(sym->name, "kfree");
	/* Data is no neighbour. */
	CHECK_EQ(size, 0xb0);
}

TEST(nothing_lies_before_the_first_or_far_behind_the_last)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = parse(kernel);
	uint64_t size;

	CHECK(!kallsyms_at(k, 0xffffffff80ffffff, &size));
	CHECK(!kallsyms_at(k, 0, &size));
	CHECK(!kallsyms_at(k, UINT64_MAX, &size));
	CHECK(kallsyms_at(k, 0xffffffffc0002010, &size));
	CHECK_EQ(size, 0);
}

TEST(modules_and_bpf_programs_are_named)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = parse(kernel);
	uint64_t size;

	CHECK_STR(kallsyms_at(k, 0xffffffffc0001001, &size)->module, "nbd");
	CHECK_STR(kallsyms_at(k, 0xffffffffc0002001, &size)->module, "bpf");
}

TEST(a_name_finds_its_symbols_global_ones_first)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = parse(kernel);

	CHECK_EQ(kallsyms_find(k, "kfree", 0)->addr, 0xffffffff81000050);
	CHECK(!kallsyms_find(k, "kfree", 1));
	CHECK_EQ(kallsyms_find(k, "static_one", 0)->addr, 0xffffffff81000010);
	CHECK_STR(kallsyms_find(k, "static_one", 1)->module, "nbd");
	CHECK(!kallsyms_find(k, "static_one", 2));
	CHECK(!kallsyms_find(k, "not_code", 0));
	CHECK(!kallsyms_find(k, "zzz", 0));
}

TEST(order_of_lines_does_not_matter)
{
	CLEANUP(kallsyms_cleanup)
	struct kallsyms *k = parse("ffff000000000300 T c\nffff000000000100 T a\n"
				   "ffff000000000200 T b");
	uint64_t size;

	CHECK_STR(kallsyms_at(k, 0xffff000000000180, &size)->name, "a");
	CHECK_EQ(size, 0x100);
	CHECK_STR(kallsyms_at(k, 0xffff000000000300, &size)->name, "c");
}

TEST(zero_addresses_are_refused_with_what_to_do)
{
	struct kallsyms *k = NULL;

	CHECK_ERR(kallsyms_parse(text("0000000000000000 T _stext\n0000000000000000 t foo\n"),
				 &k),
		  "kptr_restrict");
	CHECK(!k);
}

TEST(text_without_a_symbol_is_refused_but_no_text_is_empty)
{
	struct kallsyms *k = NULL;

	CHECK_ERR(kallsyms_parse(text("<html>\n"), &k), "no function");
	CHECK(!k);
	k = parse("");
	uint64_t size;

	CHECK_EQ(kallsyms_nr(k), 0);
	CHECK(!kallsyms_at(k, 1, &size));
	CHECK(!kallsyms_find(k, "a", 0));
	kallsyms_free(k);
}

TEST(broken_lines_are_left_out_and_counted)
{
	CLEANUP(kallsyms_cleanup)
	struct kallsyms *k = parse("ffff000000000100 T good\n"
				   "ffff0000000001000 T too_long\n"
				   "xfff000000000100 T no_hex\n"
				   "ffff000000000100 TT type\n"
				   "ffff000000000100 T\n"
				   "\n"
				   "ffff000000000200 T other mod\n"
				   "ffff000000000300 t $x\n"
				   "ffff000000000400 T last");

	CHECK_EQ(kallsyms_nr(k), 2);
	CHECK_EQ(kallsyms_bad_lines(k), 6);
}

TEST(a_nul_byte_in_the_text_ends_only_its_line)
{
	static const char bytes[] = "ffff000000000100 T a\0b\nffff000000000200 T c\n";
	struct kallsyms *k = NULL;

	CHECK_OK(
		kallsyms_parse((struct span){ (const uint8_t *)bytes, sizeof(bytes) - 1 }, &k));
	CHECK_EQ(kallsyms_nr(k), 2);
	CHECK(kallsyms_find(k, "c", 0));
	kallsyms_free(k);
}

/* Alone, without a line feed, no line is a usual one. */
TEST(a_line_means_the_same_wherever_it_is)
{
	static const char *const lines[] = {
		"ffffffff81000010 T f",
		"FFFFffff81000020 t exactly_8_bytes_and_8",
		"ffffffff81000030 T a_module\t[nbd]",
		"ffffffff81000030 T the_same_module\t[nbd]",
		"ffffffff81000030 T another_module\t[nb]",
		"ffffffff81000030 T and_another\t[nbdx]",
		"ffffffff81000030 T nothing_behind\t[nbdx",
		"ffffffff81000030 T no_brackets\tnbd",
		"ffffffff81000030 T with_a_return\r",
		"ffffffff81000030 T blanks_behind  ",
		"ffffffff81000030 T \xc3\xa9",
		"ffffffff81000030 d data",
		"ffffffff81000030 t $x",
		"ffffffff81000030 t .L1",
		"fffffff@81000030 T not_hex",
		"fffffffg81000030 T not_hex",
		"ffffffff8100003` T not_hex",
		"ffffffff8100003: T not_hex",
		"ffffffff8100003/ T not_hex",
		"\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0\xb0 T not_hex",
		"ffffffff81000030  T two_blanks",
		"81000030 T short_address",
		"",
	};
	enum { NR = sizeof(lines) / sizeof(*lines) };
	size_t nr = 0, bad = 0, at = 0;
	char all[4096] = "0000000000000001 T first\t[nbd]\n";
	struct ksym alone[NR];
	struct kallsyms *kept[NR];

	for (size_t i = 0; i < NR; i++) {
		/* The first keeps it from being refused as a whole. */
		auto_free char *one =
			xasprintf("0000000000000001 T first\t[nbd]\n%s", lines[i]);

		kept[i] = parse(one);
		bad += kallsyms_bad_lines(kept[i]);
		if (kallsyms_nr(kept[i]) > 1)
			alone[nr++] = kallsyms_symbols(kept[i], &at)[1];
		strcat(strcat(all, lines[i]), "\n");
	}
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = parse(all);

	/* The line without anything is one here. */
	CHECK_EQ(kallsyms_bad_lines(k), bad + 1);
	CHECK_EQ(kallsyms_nr(k), nr + 1);
	for (size_t i = 0; i < nr; i++) {
		const struct ksym *sym = kallsyms_find(k, alone[i].name, 0);

		CHECK(sym);
		CHECK_EQ(sym->addr, alone[i].addr);
		CHECK_EQ(sym->hash, alone[i].hash);
		CHECK_EQ(sym->type, alone[i].type);
		CHECK_STR(sym->module ? sym->module : "",
			  alone[i].module ? alone[i].module : "");
	}
	for (size_t i = 0; i < NR; i++)
		kallsyms_free(kept[i]);
}
