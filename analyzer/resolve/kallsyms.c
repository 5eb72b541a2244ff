// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/kallsyms.h"

#include <endian.h>
#include <errno.h>

#include "base/xalloc.h"

/*
 * The last function of a region (the kernel, a module) has no true neighbour;
 * what lies further off than this belongs to nobody.
 */
enum { MAX_FUNCTION = 1 << 20 };

struct kallsyms {
	char *names; /* of symbols and modules, NUL-terminated, in the order of the text */
	size_t names_len;
	struct ksym *sym;
	size_t nr, cap;
	uint32_t *by_name;  /* made at the first kallsyms_find(): by bucket, name, rank */
	uint32_t *bucket;   /* where each begins in by_name; one more than there are */
	unsigned int shift; /* of a hash, to its bucket */
	size_t bad_lines;
};

void kallsyms_free(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->names);
	free(k->sym);
	free(k->by_name);
	free(k->bucket);
	free(k);
}

static uint32_t hash_name(const char *s, size_t len)
{
	uint64_t h = len, word = 0;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&word, s, 8);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, s, len);
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Bytes before the first blank or control character. */
static size_t plain_len(const uint8_t *p, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t i = 0;
	uint64_t v;

	/* Eight at a time: a byte below 0x21 borrows into its highest bit. */
	for (; i + 8 <= len; i += 8) {
		memcpy(&v, p + i, 8);
		if ((v - ones * 0x21) & ~v & ones * 0x80)
			break;
	}
	while (i < len && p[i] > 0x20)
		i++;
	return i;
}

/* The next word of @line, empty at its end. */
static struct span next_word(struct span *line)
{
	const uint8_t *p = line->data, *end = p + line->len;

	while (p < end && is_blank(*p))
		p++;
	struct span word = { p, 0 };

	do
		p += plain_len(p, (size_t)(end - p));
	while (p < end && *p && !is_blank(*p) && p++);
	word.len = (size_t)(p - word.data);
	*line = (struct span){ p, (size_t)(end - p) };
	return word;
}

/* What a digit stands for, plus one. */
static const uint8_t hex_digits[256] = {
	['0'] = 1, 2,  3,  4,  5,  6,	       7,  8,  9,  10, ['a'] = 11,
	12,	   13, 14, 15, 16, ['A'] = 11, 12, 13, 14, 15, 16,
};

static bool parse_hex(struct span word, uint64_t *ret)
{
	uint64_t v = 0;

	if (!word.len || word.len > 16)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		uint8_t digit = hex_digits[word.data[i]];

		if (!digit)
			return false;
		v = v << 4 | (digit - 1);
	}
	*ret = v;
	return true;
}

/*
 * 16 digits at once, as the kernel prints an address. Letters differ from digits in one
 * bit; a byte is checked by the carry of what is added to it.
 */
static bool parse_hex16(const uint8_t *p, uint64_t *ret)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t half[2];

	for (size_t i = 0; i < 2; i++) {
		uint64_t v;

		memcpy(&v, p + 8 * i, 8);
		v = le64toh(v);
		uint64_t lower = v | ones * 0x20;
		uint64_t digit = (v + ones * (0x80 - '0')) & ~(v + ones * (0x80 - '9' - 1));
		uint64_t letter =
			(lower + ones * (0x80 - 'a')) & ~(lower + ones * (0x80 - 'f' - 1));

		if (v & ones * 0x80 || ((digit | letter) & ones * 0x80) != ones * 0x80)
			return false;
		v = (v & ones * 0x0f) + (letter >> 7 & ones) * 9;
		/* The first digit is the lowest byte: pairs, then fours, then all. */
		v = (v << 4 | v >> 8) & UINT64_C(0x00ff00ff00ff00ff);
		v = (v << 8 | v >> 16) & UINT64_C(0x0000ffff0000ffff);
		half[i] = (v << 16 | v >> 32) & UINT64_C(0xffffffff);
	}
	*ret = half[0] << 32 | half[1];
	return true;
}

static const char *keep(struct kallsyms *k, struct span word)
{
	char *ret = k->names + k->names_len;

	memcpy(ret, word.data, word.len);
	ret[word.len] = '\0';
	k->names_len += word.len + 1;
	return ret;
}

/* $x and .L are what an assembler leaves behind, not functions. */
static bool is_text(char type, struct span name)
{
	return (type == 't' || type == 'T' || type == 'w' || type == 'W') &&
	       name.data[0] != '$' && name.data[0] != '.';
}

/* The words of a line; false when it is none. */
static bool split(struct span line, uint64_t *addr, char *type, struct span *name,
		  struct span *in)
{
	const uint8_t *p = line.data;

	/* The kernel prints 16 digits; the rest can be told by the columns. */
	if (line.len > 19 && p[16] == ' ' && p[17] > ' ' && p[18] == ' ' && p[19] > ' ') {
		if (!parse_hex((struct span){ p, 16 }, addr))
			return false;
		*type = (char)p[17];
		*name = (struct span){ p + 19, plain_len(p + 19, line.len - 19) };
		line = (struct span){ p + 19 + name->len, line.len - 19 - name->len };
	} else {
		struct span word = next_word(&line), letter = next_word(&line);

		*name = next_word(&line);
		if (!name->len || letter.len != 1 || !parse_hex(word, addr))
			return false;
		*type = (char)*letter.data;
	}
	*in = line.len ? next_word(&line) : line;
	return !in->len || (in->len > 2 && in->data[0] == '[' && in->data[in->len - 1] == ']');
}

static void add(struct kallsyms *k, struct ksym sym)
{
	vec_room(k->sym, k->nr, k->cap);
	k->sym[k->nr++] = sym;
}

/* The module whose symbols are being read, which come one after the other. */
struct in_module {
	const char *name;
	size_t len;
};

/* False for a line that is none. What is no function is left out. */
static bool parse_line(struct kallsyms *k, struct span line, struct in_module *module)
{
	struct ksym sym = { .module = NULL };
	struct span name, in;

	if (!split(line, &sym.addr, &sym.type, &name, &in))
		return false;
	if (!is_text(sym.type, name))
		return true;
	sym.name = keep(k, name);
	sym.hash = hash_name(sym.name, name.len);
	if (in.len) {
		in = (struct span){ in.data + 1, in.len - 2 };
		if (in.len != module->len || memcmp(module->name, in.data, in.len))
			*module = (struct in_module){ keep(k, in), in.len };
		sym.module = module->name;
	}
	add(k, sym);
	return true;
}

/* keep() and hash_name() of a name with eight bytes behind it, here and in the copy. */
static uint32_t keep_hashed(struct kallsyms *k, const uint8_t *p, size_t len)
{
	uint64_t h = len, word;
	char *out = k->names + k->names_len;

	k->names_len += len + 1;
	for (; len >= 8; p += 8, out += 8, len -= 8) {
		memcpy(&word, p, 8);
		memcpy(out, &word, 8);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	memcpy(&word, p, 8);
	word = htole64(le64toh(word) & ((UINT64_C(1) << 8 * len) - 1));
	memcpy(out, &word, 8);
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

/*
 * parse_line() of a line as nearly all are: of the kernel, or of the module of the one
 * before. Any other is left to it, and *left where it is.
 */
static bool parse_usual(struct kallsyms *k, struct span *left, const struct in_module *module)
{
	const uint8_t *p = left->data;
	struct ksym sym = { .module = NULL };

	if (left->len < 28 || p[16] != ' ' || p[18] != ' ' || !parse_hex16(p, &sym.addr))
		return false;
	struct span name = { p + 19, plain_len(p + 19, left->len - 19) };
	size_t rest = left->len - 19 - name.len, used = 1;

	if (!name.len || rest < 8 || p[17] <= ' ')
		return false;
	p = name.data + name.len;
	if (*p != '\n') {
		used = module->len + 4;
		if (rest < used || !module->len || p[0] != '\t' || p[1] != '[' ||
		    memcmp(p + 2, module->name, module->len) || p[used - 2] != ']' ||
		    p[used - 1] != '\n')
			return false;
		sym.module = module->name;
	}
	*left = (struct span){ p + used, rest - used };
	sym.type = (char)name.data[-2];
	if (!is_text(sym.type, name))
		return true;
	sym.name = k->names + k->names_len;
	sym.hash = keep_hashed(k, name.data, name.len);
	add(k, sym);
	return true;
}

static int type_rank(const struct ksym *sym)
{
	return sym->type == 'T' ? 0 : sym->type == 'W' ? 1 : sym->type == 't' ? 2 : 3;
}

/* Names lie in one buffer in the order of the file, so they make the order total. */
static bool is_before(const struct ksym *a, const struct ksym *b)
{
	if (a->addr != b->addr)
		return a->addr < b->addr;
	if (type_rank(a) != type_rank(b))
		return type_rank(a) < type_rank(b);
	return a->name < b->name;
}

/* Copies two sorted runs to @out as one. */
static void merge(const struct ksym *a, size_t nr_a, const struct ksym *b, size_t nr_b,
		  struct ksym *out)
{
	while (nr_a && nr_b) {
		bool from_b = is_before(b, a);

		*out++ = from_b ? *b++ : *a++;
		nr_a -= !from_b;
		nr_b -= from_b;
	}
	memcpy(out, nr_a ? a : b, (nr_a + nr_b) * sizeof(*out));
}

/*
 * The kernel's symbols come sorted, and each module's, so runs that are sorted
 * are merged, pair by pair. Those of one address are put in order first.
 */
static void sort_symbols(struct kallsyms *k)
{
	auto_free size_t *run = NULL; /* where each begins */
	auto_free struct ksym *out = NULL;
	size_t nr = 0, cap = 0;

	for (size_t i = 1; i < k->nr; i++)
		for (size_t n = i; n && k->sym[n].addr == k->sym[n - 1].addr && i - n < 64 &&
				   is_before(&k->sym[n], &k->sym[n - 1]);
		     n--) {
			struct ksym sym = k->sym[n];

			k->sym[n] = k->sym[n - 1];
			k->sym[n - 1] = sym;
		}
	for (size_t i = 0; i < k->nr; i++) {
		if (i && !is_before(&k->sym[i], &k->sym[i - 1]))
			continue;
		vec_room(run, nr + 1, cap);
		run[nr++] = i;
	}
	if (nr > 1)
		out = xreallocarray(NULL, k->nr, sizeof(*out));
	for (; nr > 1; nr = (nr + 1) / 2) {
		run[nr] = k->nr;
		for (size_t i = 0; i < nr; i += 2) {
			size_t first = run[i], second = run[i + 1];
			size_t end = i + 2 <= nr ? run[i + 2] : second;

			merge(&k->sym[first], second - first, &k->sym[second], end - second,
			      &out[first]);
			run[i / 2] = first;
		}
		struct ksym *merged = out;

		out = k->sym;
		k->sym = merged;
		k->cap = k->nr;
	}
}

struct err *kallsyms_parse(struct span text, struct kallsyms **ret)
{
	CLEANUP(kallsyms_cleanup) struct kallsyms *k = xcalloc(1, sizeof(*k));
	struct in_module module = {};
	struct span line, left = text;
	bool all_zero = true;

	/*
	 * Each name is a part of a line, with a NUL in the place of what is behind it; a
	 * word more, since names are copied by words. Most lines have 44 bytes.
	 */
	k->cap = text.len / 40;
	k->names = malloc(text.len + 8);
	k->sym = malloc(k->cap * sizeof(*k->sym));
	if (!k->names || (k->cap && !k->sym))
		return err_os(ENOMEM, "kallsyms of %zu bytes", text.len);
	while (left.len)
		if (!parse_usual(k, &left, &module) && span_line(&left, &line))
			k->bad_lines += !parse_line(k, line, &module);
	for (size_t i = 0; all_zero && i < k->nr; i++)
		all_zero = !k->sym[i].addr;
	if (!k->nr && text.len)
		return err_new(ERR_FORMAT, "kallsyms holds no function in %zu bytes", text.len);
	if (k->nr && all_zero)
		return err_new(ERR_FORMAT,
			       "kallsyms holds only zero addresses: read it as root with "
			       "kernel.kptr_restrict at 0 or 1 (needs CAP_SYSLOG)");
	if (k->nr > UINT32_MAX)
		return err_new(ERR_FORMAT, "kallsyms holds %zu functions", k->nr);
	sort_symbols(k);
	*ret = take_ptr(k);
	return NULL;
}

size_t kallsyms_nr(const struct kallsyms *k)
{
	return k->nr;
}

size_t kallsyms_bad_lines(const struct kallsyms *k)
{
	return k->bad_lines;
}

const struct ksym *kallsyms_symbols(const struct kallsyms *k, size_t *ret_nr)
{
	*ret_nr = k->nr;
	return k->sym;
}

/* Number of symbols at or below @addr. */
static size_t count_upto(const struct kallsyms *k, uint64_t addr)
{
	size_t lo = 0, hi = k->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->sym[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct ksym *kallsyms_at(const struct kallsyms *k, uint64_t addr, uint64_t *ret_size)
{
	size_t next = count_upto(k, addr), first = next;

	if (!next)
		return NULL;
	do
		first--;
	while (first && k->sym[first - 1].addr == k->sym[next - 1].addr);

	const struct ksym *sym = &k->sym[first];
	uint64_t size = next < k->nr ? k->sym[next].addr - sym->addr : 0;

	if (!sym->addr || addr - sym->addr >= MAX_FUNCTION)
		return NULL;
	*ret_size = size < MAX_FUNCTION ? size : 0;
	return sym;
}

const struct ksym *kallsyms_of_module(const struct kallsyms *k, uint64_t addr,
				      const char *module, uint64_t *ret_size)
{
	const struct ksym *found = NULL;
	size_t next = count_upto(k, addr), i = next;

	/* Of several at one address the first, as in kallsyms_at(). */
	for (; i && addr - k->sym[i - 1].addr < MAX_FUNCTION; i--) {
		const struct ksym *sym = &k->sym[i - 1];

		if (found && sym->addr != found->addr)
			break;
		if (sym->module && !strcmp(sym->module, module))
			found = sym;
	}
	if (!found)
		return NULL;
	while (next < k->nr && (!k->sym[next].module || strcmp(k->sym[next].module, module)) &&
	       k->sym[next].addr - found->addr < MAX_FUNCTION)
		next++;
	uint64_t size = next < k->nr ? k->sym[next].addr - found->addr : 0;

	*ret_size = size < MAX_FUNCTION ? size : 0;
	return found;
}

static int compare_name(const void *va, const void *vb, void *arg)
{
	const struct ksym *sym = arg;
	const struct ksym *a = &sym[*(const uint32_t *)va], *b = &sym[*(const uint32_t *)vb];
	int cmp = strcmp(a->name, b->name);

	if (cmp)
		return cmp;
	if (type_rank(a) != type_rank(b))
		return type_rank(a) - type_rank(b);
	return a < b ? -1 : a > b;
}

/* Numbers of symbols by the hash of their names, then by name. */
static void index_names(struct kallsyms *k)
{
	unsigned int bits = 1;

	while (bits < 31 && (size_t)1 << bits < k->nr)
		bits++;
	size_t nr = (size_t)1 << bits;
	uint32_t *bucket = xcalloc(nr + 1, sizeof(*bucket));

	k->shift = 32 - bits;
	k->by_name = xreallocarray(NULL, k->nr, sizeof(*k->by_name));
	for (size_t i = 0; i < k->nr; i++)
		bucket[k->sym[i].hash >> k->shift]++;
	for (size_t i = 0, sum = 0; i <= nr; i++) {
		sum += bucket[i];
		bucket[i] = (uint32_t)sum; /* where it ends */
	}
	for (size_t i = k->nr; i--;)
		k->by_name[--bucket[k->sym[i].hash >> k->shift]] = (uint32_t)i;
	for (size_t i = 0; i < nr; i++)
		if (bucket[i + 1] - bucket[i] > 1)
			qsort_r(&k->by_name[bucket[i]], bucket[i + 1] - bucket[i],
				sizeof(*k->by_name), compare_name, k->sym);
	k->bucket = bucket;
}

const struct ksym *kallsyms_find(struct kallsyms *k, const char *name, size_t i)
{
	if (!k->nr)
		return NULL;
	if (!k->by_name)
		index_names(k);
	uint32_t *bucket = &k->bucket[hash_name(name, strlen(name)) >> k->shift];
	size_t lo = bucket[0], hi = bucket[1], end = hi;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(k->sym[k->by_name[mid]].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (i >= end - lo)
		return NULL;
	const struct ksym *sym = &k->sym[k->by_name[lo + i]];

	return strcmp(sym->name, name) ? NULL : sym;
}
