// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/lib/test.h"
#include "view/table.h"
#include "view/text.h"

#define INT(n)                                         \
	{                                              \
		.type = CELL_INT, .i = (n), .text = "" \
	}
#define REAL(v)                                            \
	{                                                  \
		.type = CELL_REAL, .real = (v), .text = "" \
	}
#define TEXT(s)                                                      \
	{                                                            \
		.type = CELL_TEXT, .text = (s), .len = sizeof(s) - 1 \
	}
#define BLOB(s)                                                      \
	{                                                            \
		.type = CELL_BLOB, .text = (s), .len = sizeof(s) - 1 \
	}
#define NONE                                  \
	{                                     \
		.type = CELL_NULL, .text = "" \
	}

/* What a view of these rows prints; @cells is nr_rows x nr. */
static const char *shown(enum view_format format, const struct view_layout *layout,
			 const struct view_column *column, size_t nr, const struct cell *cells,
			 size_t nr_rows)
{
	static char *text;
	size_t len;

	free(text);
	FILE *out = open_memstream(&text, &len);
	struct view *view = view_new(format, out, layout, column, nr);

	for (size_t r = 0; r < nr_rows; r++)
		view_row(view, cells + r * nr);
	view_finish(view);
	view_free(view);
	fclose(out);
	return text;
}

static const struct view_layout plain = {};
static const struct view_column three[3] = { { "BYTES", VIEW_BYTES },
					     { "name", VIEW_PLAIN },
					     { "SITE", VIEW_SITE } };

#define SHOWN(format, layout, ...)                                                             \
	({                                                                                     \
		const struct cell cells_[] = { __VA_ARGS__ };                                  \
		shown(format, layout, three, 3, cells_, sizeof(cells_) / sizeof(*cells_) / 3); \
	})

static const char *iec(int64_t bytes)
{
	static char text[TEXT_MAX];

	text_iec(text, bytes);
	return text;
}

TEST(sizes_are_in_powers_of_1024)
{
	CHECK_STR(iec(0), "0B");
	CHECK_STR(iec(1023), "1023B");
	CHECK_STR(iec(1024), "1.0Ki");
	CHECK_STR(iec(1536), "1.5Ki");
	CHECK_STR(iec(1048575), "1.0Mi");
	CHECK_STR(iec(27033600), "25.8Mi");
	CHECK_STR(iec(-2048), "-2.0Ki");
	CHECK_STR(iec(INT64_MAX), "8.0Ei");
	CHECK_STR(iec(INT64_MIN), "-8.0Ei");
}

TEST(measured_numbers_have_six_digits_and_no_exponent)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 0.00031129599999999997, "0.000311296" },
		{ 1.28e-05, "0.0000128" },
		{ 7933700.749864476, "7933701" },
		{ 3650.858109086616, "3650.86" },
		{ -0.0416666666666, "-0.0416667" },
		{ 999999.5, "1000000" },
		{ 1, "1" },
		{ 4e-324, "0" },
		{ 1e300, "1e+300" },
		{ INFINITY, "inf" },
	};
	char text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text_decimal(text, cases[i].v);
		CHECK_STR(text, cases[i].text);
	}
}

/* What text_real() promises, the slow way. */
static void shortest(char ret[TEXT_MAX], double v)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(ret, TEXT_MAX, "%.*g", digits, v);
		if (strtod(ret, NULL) == v)
			return;
	}
}

static double random_real(uint64_t *seed)
{
	double v;

	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	uint64_t n = *seed >> 20;

	switch (*seed >> 61) {
	case 0:
		return (double)(n % 10000000);
	case 1:
		return (double)n;
	case 2:
		return (double)(n % 100000) / 1000;
	case 3:
		return (double)(n % 1000) * pow(10, (double)(n >> 10 & 31) - 10);
	case 4:
		return -(double)n / 3;
	case 5:
		return ldexp(1, (int)(n % 2000) - 1000);
	default:
		memcpy(&v, seed, sizeof(v));
		return v;
	}
}

/* The same by printf, which rounds right, and is slow. */
static void decimal_by_printf(char ret[TEXT_MAX], double v)
{
	int decimals = 5;

	for (double rest = fabs(v); rest >= 10 && decimals; rest /= 10)
		decimals--;
	for (double rest = fabs(v); rest < 1 && v != 0 && decimals < 15; rest *= 10)
		decimals++;
	snprintf(ret, TEXT_MAX, "%.*f", decimals, v);
	if (!strchr(ret, '.'))
		return;
	for (size_t len = strlen(ret); ret[len - 1] == '0' || ret[len - 1] == '.';) {
		bool point = ret[--len] == '.';

		ret[len] = '\0';
		if (point)
			break;
	}
}

TEST(decimals_are_rounded_as_printf_does)
{
	uint64_t random = 1;

	for (int i = 0; i < 300000; i++) {
		char text[TEXT_MAX], expected[TEXT_MAX];
		double v;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* All magnitudes; halves of the last digit that is printed; few bits. */
		v = ldexp((double)(random >> 12), -(int)(random % 150));
		if (i % 3 == 1)
			v = (double)(random >> 44) / 8;
		if (i % 3 == 2)
			v = (double)(random >> 40) / 1e5 + 0.000005;
		if (i % 7 == 0)
			v = -v;
		if (fabs(v) >= 1e15)
			continue;
		size_t len = text_decimal(text, v);

		decimal_by_printf(expected, v);
		CHECK_STR(text, expected);
		CHECK_EQ(len, strlen(expected));
	}
}

TEST(a_real_is_the_shortest_text_that_reads_back_the_same)
{
	static const double cases[] = { 0,	     -0.0,     1,	  1e6,	     999999,
					1000000.5,   1e15,     1e16,	  1e17,	     1e21,
					123456789,   1.5e300,  5e-324,	  0.1,	     1e-5,
					1e-4,	     INFINITY, -INFINITY, 0.1 + 0.2, 2e9 / 3,
					1e22,	     9.5e15,   1e7,	  12345678,  100000,
					-1234567.25, 0x1p53 };
	char text[TEXT_MAX], wanted[TEXT_MAX];
	uint64_t seed = 1;
	size_t nr = sizeof(cases) / sizeof(*cases);

	for (size_t i = 0; i < nr + 200000; i++) {
		double v = i < nr ? cases[i] : random_real(&seed);

		size_t len = text_real(text, v);

		shortest(wanted, v);
		CHECK_STR(text, wanted);
		CHECK_EQ(len, strlen(wanted));
	}
}

TEST(a_time_of_a_recording_is_the_same_text)
{
	char text[TEXT_MAX], wanted[TEXT_MAX];
	uint64_t random = 1;

	for (int i = 0; i < 300000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* From 1 ns on, over where the short way ends; and the neighbours. */
		double v = (double)(random >> (14 + i % 50)) / 1e9;

		if (i % 3)
			v = nextafter(v, i % 3 == 1 ? 0 : INFINITY);
		if (i % 7 == 0)
			v = -v;
		size_t len = text_real(text, v);

		shortest(wanted, v);
		CHECK_STR(text, wanted);
		CHECK_EQ(len, strlen(wanted));
	}
}

TEST(whole_numbers_of_all_sizes_are_printed)
{
	static const int64_t cases[] = { 0, 9, 10, -1, -10, 1234567890, INT64_MAX, INT64_MIN };
	enum { NR = sizeof(cases) / sizeof(*cases) };
	char text[TEXT_MAX], wanted[TEXT_MAX];
	uint64_t random = 1;

	for (size_t i = 0; i < NR + 100000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		int64_t n = i < NR ? cases[i] : (int64_t)random >> i % 64;
		size_t len = text_int(text, n);

		snprintf(wanted, sizeof(wanted), "%" PRId64, n);
		CHECK_STR(text, wanted);
		CHECK_EQ(len, strlen(wanted));
	}
}

TEST(large_numbers_are_grouped)
{
	char text[TEXT_MAX];

	text_grouped(text, 2880123);
	CHECK_STR(text, "2,880,123");
	text_grouped(text, 100);
	CHECK_STR(text, "100");
	text_grouped(text, -123456);
	CHECK_STR(text, "-123,456");
	text_grouped(text, INT64_MIN);
	CHECK_STR(text, "-9,223,372,036,854,775,808");
}

TEST(a_share_is_0_or_100_only_when_it_is)
{
	char text[TEXT_MAX];

	text_share(text, 1, 3);
	CHECK_STR(text, "33.33 %");
	text_share(text, 0, 3);
	CHECK_STR(text, "0 %");
	text_share(text, 3, 3);
	CHECK_STR(text, "100 %");
	text_share(text, 1, 1e9);
	CHECK_STR(text, "<0.01 %");
	text_share(text, 1e9 - 1, 1e9);
	CHECK_STR(text, ">99.99 %");
	text_share(text, 0, 0);
	CHECK_STR(text, "-");
}

TEST(numbers_are_flush_right_and_texts_flush_left)
{
	CHECK_STR(SHOWN(VIEW_TABLE, &plain, INT(7), TEXT("a"), TEXT("x"), INT(123456),
			TEXT("long"), NONE),
		  " BYTES  name  SITE\n"
		  "     7  a     x\n"
		  "123456  long  -\n");
}

TEST(units_are_for_people_only)
{
	const struct view_layout human = { .human = true };

	CHECK(strstr(SHOWN(VIEW_TABLE, &human, INT(2048), INT(2048), NONE), "2.0Ki  2048"));
	CHECK(strstr(SHOWN(VIEW_TABLE, &plain, INT(2048), INT(2048), NONE), " 2048  2048"));
	CHECK(strstr(SHOWN(VIEW_CSV, &human, INT(2048), INT(2048), NONE), "2048,2048,\n"));
}

TEST(nothing_reaches_a_terminal_but_text)
{
	CHECK(strstr(SHOWN(VIEW_TABLE, &plain, NONE, TEXT("\033[2J\a"), TEXT("a\nb\tc")),
		     "\\x1b[2J\\x07  a\\nb\\tc\n"));
	CHECK(strstr(SHOWN(VIEW_TABLE, &plain, NONE, TEXT("\xff\xc3\xa9\xc3"),
			   TEXT("\xc2\x9b"
				"1m")),
		     "\\xff\xc3\xa9\\xc3  \\xc2\\x9b1m\n"));
	CHECK(strstr(SHOWN(VIEW_TABLE, &plain, NONE, TEXT("a\0b"), BLOB("\x00\xff")),
		     "a\\x00b  00ff\n"));
}

TEST(the_site_column_gives_way_on_a_narrow_terminal)
{
	const struct view_layout narrow = { .width = 60 };
	const char *text =
		SHOWN(VIEW_TABLE, &narrow, INT(1), TEXT("n"),
		      TEXT("drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c:1234 amdgpu_vm_init"));

	CHECK(strstr(text, "drivers/.../amdgpu_vm.c:1234 amdgpu_vm_init\n"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		CHECK(strcspn(line, "\n") <= 60);
	text = SHOWN(VIEW_TABLE, &plain, INT(1), TEXT("n"),
		     TEXT("drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c:1234 amdgpu_vm_init"));
	CHECK(strstr(text, "drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c:1234 amdgpu_vm_init\n"));
}

static const char *shortened(const char *site, size_t width)
{
	static char text[128];

	strcpy(text, site);
	text_shorten(text, width);
	CHECK(text_width(text) <= width);
	return text;
}

TEST(folders_go_before_names)
{
	CHECK_STR(shortened("net/ipv4/tcp.c:12 f", 19), "net/ipv4/tcp.c:12 f");
	CHECK_STR(shortened("net/ipv4/tcp.c:12 f", 18), "net/.../tcp.c:12 f");
	CHECK_STR(shortened("drivers/net/tcp.c:12 f", 16), ".../tcp.c:12 f");
	CHECK_STR(shortened("function_without_file+0x10/0x20", 16), "functi...10/0x20");
	CHECK_STR(
		shortened(
			"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
			8),
		"\xc3\xa9\xc3\xa9...\xc3\xa9\xc3\xa9\xc3\xa9");
}

TEST(a_table_longer_than_what_is_measured_is_whole)
{
	enum { ROWS = TABLE_MEASURED + 100 };
	struct cell *cells = xcalloc(3 * ROWS, sizeof(*cells));
	size_t lines = 0;

	for (int i = 0; i < ROWS; i++) {
		cells[3 * i] = (struct cell)INT(i);
		cells[3 * i + 1] = (struct cell)TEXT("n");
		cells[3 * i + 2] = (struct cell)TEXT("s");
	}
	for (const char *p = shown(VIEW_TABLE, &plain, three, 3, cells, ROWS); *p; p++)
		lines += *p == '\n';
	CHECK_EQ(lines, ROWS + 1);
	free(cells);
}

TEST(plain_text_is_what_a_terminal_shows_byte_by_byte)
{
	uint64_t random = 1;

	for (int i = 0; i < 200000; i++) {
		char text[24];
		bool shows = true;
		size_t len = (size_t)i % sizeof(text);

		for (size_t j = 0; j < len; j++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			/* Mostly such as are, and what is next to them. */
			text[j] = (char)(random >> 58 ? 0x20 + (random >> 33) % 0x5f
						      : random >> 33);
			shows &= (uint8_t)text[j] >= 0x20 && (uint8_t)text[j] < 0x7f;
		}
		CHECK_EQ(text_is_plain(text, len), shows);
	}
}

TEST(cells_of_all_lengths_are_whole_and_in_their_columns)
{
	enum { LONGEST = 150 };
	struct cell cells[3 * (LONGEST + 1)];
	char text[LONGEST + 1];
	int row = 0;

	for (size_t i = 0; i < LONGEST; i++)
		text[i] = (char)('a' + i % 26);
	text[LONGEST] = '\0';
	for (size_t len = 0; len <= LONGEST; len++) {
		cells[3 * len] = (struct cell)INT((int64_t)len);
		cells[3 * len + 1] = (struct cell){ .type = CELL_TEXT,
						    .text = text + LONGEST - len,
						    .len = len };
		cells[3 * len + 2] = (struct cell)INT(-(int64_t)len);
	}
	const char *line = shown(VIEW_TABLE, &plain, three, 3, cells, LONGEST + 1);

	for (; *line; line = strchr(line, '\n') + 1, row++) {
		char wanted[LONGEST + 32];

		if (!row)
			continue;
		int len = snprintf(wanted, sizeof(wanted), "%5d  %-*s  %4d\n", row - 1, LONGEST,
				   text + LONGEST - (row - 1), -(row - 1));

		CHECK(!strncmp(line, wanted, (size_t)len));
	}
	CHECK_EQ(row, LONGEST + 2);
}

TEST(csv_is_quoted_where_it_must_be)
{
	CHECK_STR(SHOWN(VIEW_CSV, &plain, INT(-1), TEXT("a,b"), TEXT("say \"x\""), REAL(0.1),
			TEXT(""), NONE, NONE, TEXT("two\nlines"), BLOB("\x01\xab")),
		  "BYTES,name,SITE\n"
		  "-1,\"a,b\",\"say \"\"x\"\"\"\n"
		  "0.1,\"\",\n"
		  ",\"two\nlines\",01ab\n");
}

TEST(json_is_valid_whatever_the_cells_hold)
{
	CHECK_STR(
		SHOWN(VIEW_JSON, &plain, INT(1), TEXT("q\"b\\n\n\x01\x7f"), NONE, REAL(NAN),
		      TEXT("\xff"
			   "ok\xc3\xa9"),
		      BLOB("\x01"), REAL(1e300), REAL(0.25), INT(INT64_MIN)),
		"[\n"
		"{\"BYTES\": 1, \"name\": \"q\\\"b\\\\n\\n\\u0001\\u007f\", \"SITE\": null},\n"
		"{\"BYTES\": null, \"name\": \"\\ufffdok\xc3\xa9\", \"SITE\": \"01\"},\n"
		"{\"BYTES\": 1e+300, \"name\": 0.25, \"SITE\": -9223372036854775808}\n"
		"]\n");
}

TEST(no_rows_are_still_an_answer)
{
	CHECK_STR(shown(VIEW_TABLE, &plain, three, 3, NULL, 0), "BYTES  name  SITE\n");
	CHECK_STR(shown(VIEW_CSV, &plain, three, 3, NULL, 0), "BYTES,name,SITE\n");
	CHECK_STR(shown(VIEW_JSON, &plain, three, 3, NULL, 0), "[]\n");
}

TEST(only_whole_utf8_counts)
{
	CHECK_EQ(text_utf8("a", 1), 1);
	CHECK_EQ(text_utf8("\xf0\x9f\x90\xa7", 4), 4);
	CHECK_EQ(text_utf8("\xf0\x9f\x90\xa7", 3), 0);
	CHECK_EQ(text_utf8("\xc0\x80", 2), 0);
	CHECK_EQ(text_utf8("\xe0\x80\x80", 3), 0);
	CHECK_EQ(text_utf8("\xed\xa0\x80", 3), 0);
	CHECK_EQ(text_utf8("\xf4\x90\x80\x80", 4), 0);
	CHECK_EQ(text_utf8("\x80", 1), 0);
	CHECK_EQ(text_utf8("", 0), 0);
}
