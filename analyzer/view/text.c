// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void text_iec(char ret[TEXT_MAX], int64_t bytes)
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	int unit = -1;

	/* 1023.95 would round to 1024.0. */
	while ((v >= 1023.95 || v <= -1023.95) && units[unit + 1]) {
		v /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(ret, TEXT_MAX, "%" PRId64 "B", bytes);
	else
		snprintf(ret, TEXT_MAX, "%.1f%ci", v, units[unit]);
}

void text_grouped(char ret[TEXT_MAX], int64_t n)
{
	char digits[TEXT_MAX];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, n);
	char *p = ret;

	for (int i = 0; i < len; i++) {
		*p++ = digits[i];
		if (i + 1 < len && (len - i - 1) % 3 == 0 && digits[i] != '-')
			*p++ = ',';
	}
	*p = '\0';
}

/* Two digits a step, from the last on. */
static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233"
	"34353637383940414243444546474849505152535455565758596061626364656667"
	"6869707172737475767778798081828384858687888990919293949596979899";

static size_t count_digits(uint64_t n)
{
	size_t nr = 1;

	for (; n >= 10000; n /= 10000)
		nr += 4;
	return nr + (n >= 10) + (n >= 100) + (n >= 1000);
}

size_t text_int(char ret[TEXT_MAX], int64_t n)
{
	uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
	bool sign = n < 0;

	*ret = '-';
	/* Most figures of a report are 0. */
	if (rest < 10) {
		ret[sign] = (char)('0' + rest);
		ret[sign + 1] = '\0';
		return sign + 1U;
	}
	size_t len = sign + count_digits(rest);
	char *p = ret + len;

	*p = '\0';
	for (; rest >= 10; rest /= 100)
		memcpy(p -= 2, pairs + rest % 100 * 2, 2);
	if (rest)
		*--p = (char)('0' + rest);
	return len;
}

void text_time(char ret[TEXT_MAX], double seconds)
{
	static const char *const units[] = { "s", "ms", "us", "ns" };
	size_t unit = 0;

	while (unit < 3 && seconds < 1 && seconds > -1 && seconds != 0) {
		seconds *= 1000;
		unit++;
	}
	snprintf(ret, TEXT_MAX, "%.3g %s", seconds, units[unit]);
	/* From 1000 on, three digits would hide some. */
	if (seconds >= 1000 || seconds <= -1000)
		snprintf(ret, TEXT_MAX, "%.0f %s", seconds, units[unit]);
}

/* Digits that count in what %.15g printed: zeros at its end are not among them. */
static int significant(const char *text)
{
	int nr = 0, zeros = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text < '0' || *text > '9' || (*text == '0' && !nr))
			continue;
		zeros = *text == '0' ? zeros + 1 : 0;
		nr++;
	}
	return nr - zeros;
}

/*
 * Times in seconds, and whatever else has no more than nine decimals: a decimal of up to 15
 * digits that reads back as @v is the one that %.15g prints. 0 when it is not so.
 */
static size_t put_short(char *ret, double v)
{
	double size = fabs(v);

	/* Below, there would be an exponent; from 1e6 on, more than 15 digits. */
	if (!(size >= 1e-4 && size < 1e6))
		return 0;
	int64_t n = (int64_t)(size * 1e9 + 0.5);

	/* Both are exact, so that their quotient is rounded once, as the decimal is. */
	if ((double)n / 1e9 != size)
		return 0;
	size_t len = v < 0;

	*ret = '-';
	len += text_int(ret + len, n / 1000000000);
	uint32_t after = (uint32_t)(n % 1000000000);

	if (!after)
		return len;
	ret[len] = '.';
	for (size_t i = 9; i; after /= 10)
		ret[len + i--] = (char)('0' + after % 10);
	for (len += 9; ret[len] == '0';)
		len--;
	ret[++len] = '\0';
	return len;
}

size_t text_real(char ret[TEXT_MAX], double v)
{
	size_t len = put_short(ret, v);

	if (len)
		return len;
	/*
	 * A decimal of up to 15 digits survives: if these are enough, they are the fewest and
	 * zeros. Numbers next to 0 have less room.
	 */
	for (int digits = isnormal(v) ? 15 : 6; digits <= 17; digits++) {
		snprintf(ret, TEXT_MAX, "%.*g", digits, v);
		if (strtod(ret, NULL) == v)
			break;
	}
	int nr = significant(ret);

	/* Where fewer digits than the number has before its point do, it gets an exponent. */
	if (nr < 15 && fabs(v) >= 1e6)
		snprintf(ret, TEXT_MAX, "%.*g", nr < 6 ? 6 : nr, v);
	return strlen(ret);
}

/* What "%.*f" prints of @v, 0 <= v < 1e15, with at most 15 decimals: exact, ties to even. */
static size_t put_fixed(char *ret, double v, int decimals)
{
	static const uint64_t power[] = { 1ULL,
					  10ULL,
					  100ULL,
					  1000ULL,
					  10000ULL,
					  100000ULL,
					  1000000ULL,
					  10000000ULL,
					  100000000ULL,
					  1000000000ULL,
					  10000000000ULL,
					  100000000000ULL,
					  1000000000000ULL,
					  10000000000000ULL,
					  100000000000000ULL,
					  1000000000000000ULL };
	const uint64_t mantissa = (UINT64_C(1) << 52) - 1;
	uint64_t bits, n = 0;

	memcpy(&bits, &v, sizeof(bits));
	/* v is m / 2^shift, of which m has 53 bits: with 50 of the power they fit. */
	uint64_t m = (bits & mantissa) | (bits > mantissa ? mantissa + 1 : 0);
	int shift = 1075 - (int)(bits >> 52);
	unsigned __int128 all = (unsigned __int128)m * power[decimals];

	if (shift < 128) {
		unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
		unsigned __int128 rest = all & (half * 2 - 1);

		n = (uint64_t)(all >> shift);
		n += rest > half || (rest == half && n & 1);
	}
	size_t len = text_int(ret, (int64_t)(n / power[decimals]));
	uint64_t after = n % power[decimals];

	if (!decimals)
		return len;
	ret[len++] = '.';
	for (int i = decimals; i--; after /= 10)
		ret[len + (size_t)i] = (char)('0' + after % 10);
	len += (size_t)decimals;
	ret[len] = '\0';
	return len;
}

size_t text_decimal(char ret[TEXT_MAX], double v)
{
	if (!(fabs(v) < 1e15))
		return text_real(ret, v);
	int decimals = 5;

	for (double rest = fabs(v); rest >= 10 && decimals; rest /= 10)
		decimals--;
	for (double rest = fabs(v); rest < 1 && v != 0 && decimals < 15; rest *= 10)
		decimals++;
	size_t len = signbit(v) != 0;

	*ret = '-';
	len += put_fixed(ret + len, fabs(v), decimals);
	if (!decimals)
		return len;
	while (ret[len - 1] == '0')
		len--;
	len -= ret[len - 1] == '.';
	ret[len] = '\0';
	return len;
}

void text_share(char ret[TEXT_MAX], double part, double whole)
{
	double share = whole > 0 ? 100 * part / whole : 0;

	if (whole <= 0)
		snprintf(ret, TEXT_MAX, "-");
	else if (part <= 0)
		snprintf(ret, TEXT_MAX, "0 %%");
	else if (share < 0.01)
		snprintf(ret, TEXT_MAX, "<0.01 %%");
	else if (part >= whole)
		snprintf(ret, TEXT_MAX, "100 %%");
	else if (share > 99.99)
		snprintf(ret, TEXT_MAX, ">99.99 %%");
	else
		snprintf(ret, TEXT_MAX, "%.2f %%", share);
}

char *text_hex(const void *data, size_t len)
{
	const uint8_t *p = data;
	char *hex = xmalloc(2 * len + 1);

	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", p[i]);
	hex[2 * len] = '\0';
	return hex;
}

size_t text_utf8(const char *p, size_t len)
{
	uint8_t c = len ? (uint8_t)*p : 0xff;
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((uint8_t)p[i] & 0xc0) != 0x80)
			return 0;
	uint8_t next = n > 1 ? (uint8_t)p[1] : 0;

	/* Overlong forms, surrogates, and what lies past U+10FFFF. */
	if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next >= 0xa0) ||
	    (c == 0xf0 && next < 0x90) || (c == 0xf4 && next >= 0x90))
		return 0;
	return n;
}

/* One of eight bytes is below 0x20, or above 0x7e. */
static bool any_odd(uint64_t eight)
{
	const uint64_t each = UINT64_C(0x0101010101010101), high = each * 0x80;

	/* What borrows or carries from a byte to the next one is an odd byte itself. */
	return ((eight - each * 0x20) | (eight + each) | eight) & high;
}

bool text_is_plain(const char *text, size_t len)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8) {
		uint64_t eight;

		memcpy(&eight, text + i, sizeof(eight));
		if (any_odd(eight))
			return false;
	}
	for (; i < len; i++)
		if ((uint8_t)text[i] < 0x20 || (uint8_t)text[i] >= 0x7f)
			return false;
	return true;
}

char *text_printable(const char *text, size_t len)
{
	size_t plain = 0;

	while (plain < len && (uint8_t)text[plain] >= 0x20 && (uint8_t)text[plain] < 0x7f)
		plain++;
	char *ret = xmalloc(plain + 4 * (len - plain) + 1), *out = ret + plain;

	/* The text of nothing may be NULL. */
	if (plain)
		memcpy(ret, text, plain);
	for (size_t i = plain; i < len;) {
		uint8_t c = (uint8_t)text[i];
		size_t n = text_utf8(text + i, len - i);
		/* U+0080 to U+009F are control characters too. */
		bool control = c < 0x20 || c == 0x7f ||
			       (c == 0xc2 && n && (uint8_t)text[i + 1] < 0xa0);

		if (c == '\n' || c == '\t') {
			*out++ = '\\';
			*out++ = c == '\n' ? 'n' : 't';
			i++;
		} else if (control || !n) {
			out += sprintf(out, "\\x%02x", c);
			i++;
		} else {
			memcpy(out, text + i, n);
			out += n;
			i += n;
		}
	}
	*out = '\0';
	return ret;
}

static bool starts_char(char c)
{
	return ((uint8_t)c & 0xc0) != 0x80;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += starts_char(*text);
	return width;
}

/* Where the @n-th character of @text begins. */
static char *at(char *text, size_t n)
{
	for (; *text; text++)
		if (starts_char(*text) && !n--)
			break;
	return text;
}

/* Puts "..." in the place of what lies between @from and @to. */
static void cut(char *from, char *to)
{
	memmove(from + 3, to, strlen(to) + 1);
	memcpy(from, "...", 3);
}

/*
 * Takes whole folders out of the path, the outermost one last: "net/.../ip.c"
 * tells more than ".../ipv4/ip.c". False where that does not make it fit.
 */
static bool cut_folders(char *site, size_t excess)
{
	char *end = site + strcspn(site, " "), *first = memchr(site, '/', (size_t)(end - site));

	/* "func+0x10/0x20" is no path. */
	if (!memchr(site, ':', (size_t)(end - site)))
		return false;
	for (char *from = first ? first + 1 : site; first; from = site) {
		for (char *p = from; p < end; p++) {
			size_t gain = (size_t)(p - from);

			if (*p == '/' && gain >= excess + 3) {
				cut(from, p);
				return true;
			}
		}
		if (from == site)
			break;
	}
	return false;
}

void text_shorten(char *site, size_t width)
{
	size_t have = text_width(site);

	if (have <= width || width < 8 || cut_folders(site, have - width))
		return;
	size_t keep = (width - 3) / 2;

	cut(at(site, keep), at(site, have - (width - 3 - keep)));
}
