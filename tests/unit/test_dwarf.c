// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of DWARF that no compiler at hand writes, and those that one would not. */
#include <dwarf.h>

#include "base/xalloc.h"
#include "resolve/cuindex.h"
#include "resolve/dwline.h"
#include "tests/lib/test.h"

#define LITTLE (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) /* to be swapped or not */

static const struct dwparams params = { .version = 5, .addr_size = 8, .off_size = 4 };

TEST(numbers_are_read_in_either_byte_order)
{
	static const uint8_t data[] = { 1, 2, 3, 0x80, 0x01, 0x7f, 0xff, 0x7e };
	struct bytes b = bytes_of(data, sizeof(data), LITTLE);
	uint64_t v;
	int64_t s;

	CHECK(dw_uint(&b, 3, &v));
	CHECK_EQ(v, 0x030201);
	b = bytes_of(data, sizeof(data), !LITTLE);
	CHECK(dw_uint(&b, 3, &v));
	CHECK_EQ(v, 0x010203);
	CHECK(dw_uleb(&b, &v));
	CHECK_EQ(v, 128);
	CHECK(dw_sleb(&b, &s));
	CHECK_EQ(s, -1);
	CHECK(dw_sleb(&b, &s));
	CHECK_EQ(s, -129);
	CHECK(!dw_uleb(&b, &v));
	CHECK(!dw_uint(&b, 3, &v));
}

TEST(a_number_that_does_not_end_is_none)
{
	uint8_t data[64];
	uint64_t v;
	int64_t s;

	memset(data, 0x80, sizeof(data));
	struct bytes b = bytes_of(data, sizeof(data), false);

	CHECK(!dw_uleb(&b, &v));
	b = bytes_of(data, sizeof(data), false);
	CHECK(!dw_sleb(&b, &s));
}

TEST(abbreviations_are_found_by_any_code)
{
	/* Codes 1 and 5,000,000; children, a name in the section of strings. */
	static const uint8_t table[] = {
		1,
		DW_TAG_subprogram,
		1,
		DW_AT_name,
		DW_FORM_strp,
		DW_AT_sibling,
		DW_FORM_ref4,
		0,
		0,
		0xc0,
		0x96,
		0xb1,
		0x02,
		DW_TAG_variable,
		0,
		DW_AT_location,
		DW_FORM_exprloc,
		0,
		0,
		0,
	};
	struct dwabbrevs abbrevs;
	size_t len;

	dwabbrevs_init(&abbrevs, (struct span){ table, sizeof(table) }, 0, params, &len);
	CHECK_EQ(len, sizeof(table));
	const struct dwabbrev *a = dwabbrevs_get(&abbrevs, 1),
			      *b = dwabbrevs_get(&abbrevs, 5000000);

	CHECK(a && b);
	CHECK_EQ(a->tag, DW_TAG_subprogram);
	CHECK_EQ(a->kind, DWKIND_FUNCTION);
	CHECK_EQ(a->fixed, 8);
	CHECK_EQ(a->sibling, 4);
	CHECK_EQ(a->sibling_size, 4);
	CHECK(a->children && !a->rest);
	CHECK_EQ(b->tag, DW_TAG_variable);
	CHECK_EQ(b->fixed, 0);
	CHECK(b->rest);
	CHECK(!dwabbrevs_get(&abbrevs, 0));
	CHECK(!dwabbrevs_get(&abbrevs, 2));
	CHECK(!dwabbrevs_get(&abbrevs, UINT64_MAX));
	/* A few entries do not make room for millions of codes. */
	CHECK(abbrevs.nr_codes < 100);
	dwabbrevs_deinit(&abbrevs);
}

TEST(a_table_ends_where_it_makes_no_sense)
{
	static const uint8_t table[] = {
		1, DW_TAG_variable, 0, DW_AT_name, DW_FORM_string, 0, 0,
		2, DW_TAG_variable, 0, DW_AT_name, 0x7f,	   0, 0
	};
	struct dwabbrevs abbrevs;
	size_t len;

	dwabbrevs_init(&abbrevs, (struct span){ table, sizeof(table) }, 0, params, &len);
	CHECK(dwabbrevs_get(&abbrevs, 1));
	CHECK(!dwabbrevs_get(&abbrevs, 2));
	dwabbrevs_deinit(&abbrevs);
	/* Cut short, and past its end. */
	dwabbrevs_init(&abbrevs, (struct span){ table, 5 }, 0, params, &len);
	CHECK(!dwabbrevs_get(&abbrevs, 1));
	dwabbrevs_deinit(&abbrevs);
	dwabbrevs_init(&abbrevs, (struct span){ table, 5 }, 99, params, &len);
	CHECK(!dwabbrevs_get(&abbrevs, 1));
	dwabbrevs_deinit(&abbrevs);
}

/* Units of DWARF 4 with one entry each, all with the one table. */
static uint8_t *many_units(size_t nr, size_t *ret_len)
{
	static const uint8_t unit[] = { 8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1 };
	uint8_t *info = xmalloc(nr * sizeof(unit));

	for (size_t i = 0; i < nr; i++)
		memcpy(info + i * sizeof(unit), unit, sizeof(unit));
	*ret_len = nr * sizeof(unit);
	return info;
}

TEST(units_are_found_by_offset)
{
	static const uint8_t abbrev[] = { 1, DW_TAG_compile_unit, 0, 0, 0, 0 };
	size_t len;
	auto_free uint8_t *info = many_units(100, &len);
	struct dwfile file = {
		.section = { [DWSECTION_INFO] = { info, len },
			     [DWSECTION_ABBREV] = { abbrev, sizeof(abbrev) } },
		.swap = LITTLE,
	};

	dwfile_init(&file);
	CHECK_EQ(file.nr_units, 100);
	CHECK_EQ(file.tables.nr, 1);
	CHECK(dwfile_unit(&file, 11) == file.unit[0]);
	CHECK(!dwfile_unit(&file, 10));
	CHECK(dwfile_unit(&file, 12 * 99 + 11) == file.unit[99]);
	CHECK(!dwfile_unit(&file, 1200));
	dwunit_read(file.unit[7]);
	CHECK_EQ(file.unit[7]->tag, DW_TAG_compile_unit);
	CHECK_STR(file.unit[7]->name, "");
	dwfile_deinit(&file);
}

TEST(tables_that_overlap_are_not_read_without_end)
{
	/* Each unit's table begins a byte later in the same long one. */
	enum { NR = 4000, ENTRY = 7 };
	size_t len, read = 0;
	auto_free uint8_t *info = many_units(NR, &len);
	auto_free uint8_t *abbrev = xcalloc(NR, ENTRY);

	for (size_t i = 0; i < NR; i++) {
		static const uint8_t entry[ENTRY] = { 1,	  DW_TAG_variable, 0,
						      DW_AT_name, DW_FORM_strp,	   0,
						      0 };
		uint32_t off = (uint32_t)(i * ENTRY);

		memcpy(abbrev + i * ENTRY, entry, ENTRY);
		for (int n = 0; n < 4; n++)
			info[i * 12 + 6 + (size_t)n] = (uint8_t)(off >> 8 * n);
	}
	struct dwfile file = {
		.section = { [DWSECTION_INFO] = { info, len },
			     [DWSECTION_ABBREV] = { abbrev, NR * ENTRY } },
		.swap = LITTLE,
	};

	dwfile_init(&file);
	CHECK_EQ(file.tables.nr, NR);
	for (size_t i = 0; i < NR; i++) {
		dwunit_read(file.unit[i]);
		read += file.unit[i]->tag != 0;
	}
	/* Eight whole tables, and no more. */
	CHECK(read >= DWTABLES_WORK && read <= 2 * DWTABLES_WORK);
	dwfile_deinit(&file);
}

/* A line program of DWARF 4 with two sequences, the second at lower addresses. */
static const uint8_t lines[] = {
	58,
	0,
	0,
	0, /* length */
	4,
	0, /* version */
	20,
	0,
	0,
	0, /* length of the header behind it */
	1,
	1,
	1,
	0xfb,
	14,
	4, /* min_length, max_ops, is_stmt, line_base, line_range, opcode_base */
	0,
	1,
	1, /* arguments of opcodes 1 to 3 */
	0, /* no directories */
	'a',
	'.',
	'c',
	0,
	0,
	0,
	0,
	0,
	0,
	0, /* a.c, end */
	/* from here: set address 0x2000, a row, +4 and another line, end */
	0,
	9,
	DW_LNE_set_address,
	0,
	0x20,
	0,
	0,
	0,
	0,
	0,
	0,
	1,
	2,
	4,
	3,
	9,
	1,
	2,
	4,
	0,
	1,
	DW_LNE_end_sequence,
};

TEST(a_line_is_that_of_the_last_row_at_or_before_an_address)
{
	static const uint8_t abbrev[] = { 1, DW_TAG_compile_unit, 0, 0, 0, 0 };
	size_t len;
	auto_free uint8_t *info = many_units(1, &len);
	auto_free uint8_t *section = xmalloc(sizeof(lines));
	struct dwfile file = {
		.section = { [DWSECTION_INFO] = { info, len },
			     [DWSECTION_ABBREV] = { abbrev, sizeof(abbrev) },
			     [DWSECTION_LINE] = { section, sizeof(lines) } },
		.swap = LITTLE,
	};
	struct dwline table;
	uint32_t number, line;
	const char *dir, *name;

	memcpy(section, lines, sizeof(lines));
	section[0] = sizeof(lines) - 4;
	dwfile_init(&file);
	dwunit_read(file.unit[0]);
	file.unit[0]->line = 0;
	dwline_init(&table, file.unit[0]);
	CHECK(!dwline_at(&table, 0x1fff, &number, &line));
	CHECK(dwline_at(&table, 0x2000, &number, &line));
	CHECK_EQ(line, 1);
	CHECK(dwline_at(&table, 0x2003, &number, &line));
	CHECK_EQ(line, 1);
	CHECK(dwline_at(&table, 0x2004, &number, &line));
	CHECK_EQ(line, 10);
	CHECK(dwline_at(&table, 0x2007, &number, &line));
	CHECK(!dwline_at(&table, 0x2008, &number, &line));
	CHECK(dwline_name(&table, 1, &dir, &name));
	CHECK_STR(name, "a.c");
	CHECK(!dwline_name(&table, 0, &dir, &name));
	CHECK(!dwline_name(&table, 2, &dir, &name));
	dwline_deinit(&table);
	/* Cut anywhere it is a shorter table, or none. */
	for (size_t cut = 0; cut < sizeof(lines); cut++) {
		file.section[DWSECTION_LINE].len = cut;
		dwline_init(&table, file.unit[0]);
		dwline_at(&table, 0x2004, &number, &line);
		dwline_deinit(&table);
	}
	dwfile_deinit(&file);
}
