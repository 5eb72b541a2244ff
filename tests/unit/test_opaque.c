// SPDX-License-Identifier: GPL-2.0-or-later
/* Which call sites get a stack, and what probes are defined. */
#include <stdlib.h>

#include "capture/opaque.h"
#include "capture/probetab.h"
#include "decode/kmemcache.h"
#include "tests/lib/test.h"

static const char *filter_of(const char *kallsyms)
{
	static struct text text;

	text_deinit(&text);
	text = (struct text){};
	opaque_filter((struct span){ (const uint8_t *)kallsyms, strlen(kallsyms) }, &text);
	return text.len ? text.data : "";
}

TEST(functions_that_allocate_for_their_caller_are_a_filter)
{
	CHECK_STR(filter_of("ffffffff81000000 T _text\n"
			    "ffffffff81001000 T __kvmalloc_node_noprof\n"
			    "ffffffff81001100 t other\n"),
		  "call_site>=0xffffffff81001000&&call_site<0xffffffff81001100");
	CHECK_STR(filter_of("ffffffff81000000 T mempool_alloc\n"
			    "ffffffff81001000 t kzalloc_noprof.constprop.0\n"
			    "ffffffff81001100 t other\n"
			    "ffffffff81002000 T mempool_kmalloc\n"
			    "ffffffff81002100 t last\n"),
		  "(call_site<0xffffffff81002000&&("
		  "call_site>=0xffffffff81000000&&call_site<0xffffffff81001100))||"
		  "(call_site>=0xffffffff81002000&&("
		  "call_site>=0xffffffff81002000&&call_site<0xffffffff81002100))");
}

/* As the kernel does it: no term more than needed, which *terms counts. */
struct filter {
	const char *pos;
	uint64_t call_site;
	size_t terms;
};

static bool or_terms(struct filter *f, bool skip);

static bool term(struct filter *f, bool skip)
{
	bool value;

	if (*f->pos == '(') {
		f->pos++;
		value = or_terms(f, skip);
		CHECK_EQ(*f->pos, ')');
		f->pos++;
		return value;
	}
	CHECK(!strncmp(f->pos, "call_site", 9));
	f->pos += 9;
	bool least = f->pos[1] == '=';

	CHECK_EQ(*f->pos, least ? '>' : '<');
	char *end;
	uint64_t v = strtoull(f->pos + 1 + least, &end, 16);

	f->pos = end;
	f->terms += !skip;
	return least ? f->call_site >= v : f->call_site < v;
}

static bool and_terms(struct filter *f, bool skip)
{
	bool value = term(f, skip);

	while (*f->pos == '&') {
		f->pos += 2;
		value = term(f, skip || !value) && value;
	}
	return value;
}

static bool or_terms(struct filter *f, bool skip)
{
	bool value = and_terms(f, skip);

	while (*f->pos == '|') {
		f->pos += 2;
		value = and_terms(f, skip || value) || value;
	}
	return value;
}

static bool is_true(const char *text, uint64_t call_site, size_t *ret_terms)
{
	struct filter f = { .pos = text, .call_site = call_site };
	bool value = or_terms(&f, false);

	CHECK_EQ(*f.pos, '\0');
	*ret_terms = f.terms;
	return value;
}

TEST(the_filter_is_true_in_the_functions_and_soon_decided)
{
	for (int nr = 1; nr < 60; nr++) {
		struct text kallsyms = {};

		for (int i = 0; i <= 2 * nr; i++)
			text_printf(&kallsyms, "ffffffff8100%02x00 t f%d%s\n", i, i,
				    i % 2 ? "_noprof" : "");
		const char *filter = filter_of(kallsyms.data);

		for (int i = 0; i < 2 * nr + 1; i++) {
			uint64_t at = 0xffffffff81000000 + ((uint64_t)i << 8);
			size_t first, last;

			CHECK_EQ(is_true(filter, at, &first), i % 2);
			CHECK_EQ(is_true(filter, at + 255, &last), i % 2);
			/* A row of them takes some 60. */
			CHECK(nr > 40 || (first <= 20 && last <= 20));
		}
		text_deinit(&kallsyms);
	}
}

TEST(functions_that_record_their_caller_are_not)
{
	CHECK_STR(filter_of(""), "");
	CHECK_STR(filter_of("ffffffff81000000 T __kmalloc_noprof\n"
			    "ffffffff81000100 T kmem_cache_alloc_noprof\n"
			    "ffffffff81000200 T alloc_pages_noprof\n"
			    "ffffffff81000300 t __pfx_mempool_alloc_noprof\n"
			    "ffffffff81000400 t mempool_alloc_noprof.cold\n"
			    "ffffffff81000500 d mempool_alloc_noprof\n"
			    "ffffffff81000600 t mempool_alloc_noprof\t[m]\n"
			    "garbage\nffffffff81000700 t x\n"
			    "ffffffff81000800 T alloc_workqueue_attrs_noprof\n"
			    "ffffffff81000900 t y\n"),
		  "");
	CHECK_STR(filter_of("ffffffff81001000 t __alloc_workqueue\n"
			    "ffffffff81001100 t x\n"
			    "ffffffff81001200 T alloc_workqueue_attrs_noprof\n"
			    "ffffffff81001300 T alloc_workqueue\n"),
		  "call_site>=0xffffffff81001000&&call_site<0xffffffff81001100");
}

TEST(the_filter_fits_into_what_a_kernel_takes)
{
	struct text kallsyms = {};

	for (int i = 0; i < 2000; i++)
		text_printf(&kallsyms, "ffffffff81%05x0 t f%d%s\n", i, i,
			    i % 2 ? "_noprof" : "");
	size_t len = strlen(filter_of(kallsyms.data));

	CHECK(len > OPAQUE_MAX / 2);
	CHECK(len <= OPAQUE_MAX + 1);
	text_deinit(&kallsyms);
}

/* The definition that begins so, for a kernel of this version. */
static const char *definition(const char *start, unsigned int major, unsigned int minor)
{
	const char *line;

	for (size_t i = 0; (line = probetab_definition(i, major, minor)); i++)
		if (!strncmp(line, start, strlen(start)))
			return line;
	return "none";
}

TEST(probes_are_defined_by_version)
{
	CHECK_STR(definition("p:bulk_free ", 6, 12),
		  "p:bulk_free kmem_cache_free_bulk site=$stack0:x64 n=$arg2:u64 "
		  "a=+0($arg3):x64[16]");
	/* The list head among the arguments went with 6.14. */
	CHECK_STR(definition("r:page_bulk ", 6, 12),
		  "r:page_bulk alloc_pages_bulk_noprof site=%ip:x64 n=$retval:u64 "
		  "a=+0($arg6):x64[16] if n > 0 stack");
	CHECK_STR(definition("r:page_bulk ", 6, 18),
		  "r:page_bulk alloc_pages_bulk_noprof site=%ip:x64 n=$retval:u64 "
		  "a=+0($arg5):x64[16] if n > 0 stack");
	/* Before 5.14 pages came in a list only. */
	CHECK_STR(definition("r:page_bulk ", 5, 13), "none");
	/* Since 7.2 it returns whether, not how many. */
	CHECK_STR(definition("r:bulk_alloc ", 7, 1),
		  "r:bulk_alloc kmem_cache_alloc_bulk_noprof site=%ip:x64 n=$retval:s32 "
		  "cache=+8($arg1):x32[16] a=+0($arg4):x64[16] if n > 0");
	CHECK_STR(definition("r:bulk_alloc_16 ", 7, 2),
		  "r:bulk_alloc_16 kmem_cache_alloc_bulk_noprof site=%ip:x64 n=$arg3:u64 "
		  "ok=$retval:u8 cache=+8($arg1):x32[16] a=+128($arg4):x64[64] "
		  "if ok != 0 && n > 16");
}

TEST(no_event_of_a_version_is_defined_twice)
{
	for (unsigned int version = 500; version < 710; version++)
		for (size_t i = 0; probetab_get(i); i++)
			for (size_t j = 0; j < i; j++)
				CHECK(!probetab_is_for(probetab_get(i), version) ||
				      !probetab_is_for(probetab_get(j), version) ||
				      strcmp(probetab_get(i)->event, probetab_get(j)->event));
}

TEST(the_size_of_a_cache_is_known_by_its_reciprocal)
{
	/* min_partial, size 232, object_size 232, reciprocal of 232 */
	uint32_t words[] = { 5, 0, 232, 232, 0x1a7b9612, 0x00000701, 0 };
	struct kmemcache cache;

	CHECK(kmemcache_find(&cache, (const uint8_t *)words, sizeof(words), false));
	CHECK_EQ(cache.size, 232);
	CHECK_EQ(cache.object_size, 232);
	words[4]++;
	CHECK(!kmemcache_find(&cache, (const uint8_t *)words, sizeof(words), false));
	uint32_t power[] = { 256, 256, 1, 0x0701 };

	CHECK(kmemcache_find(&cache, (const uint8_t *)power, sizeof(power), false));
	CHECK_EQ(cache.size, 256);
	for (size_t len = 0; len < 14; len++)
		CHECK(!kmemcache_find(&cache, (const uint8_t *)power, len, false));
}
