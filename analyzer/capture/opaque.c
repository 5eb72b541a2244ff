// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/opaque.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * Names may begin or end with * (any text); a compiler's suffix (.constprop.0)
 * is no part of one. Since 6.10 the kernel itself names what leaves the charge
 * to its caller *_noprof; an inline wrapper is among them where the compiler
 * made it a function.
 */
static const char *const names[] = {
	"*_noprof",
	/* Between them, without a name that says so. */
	"__vmalloc_area_node",
	"__do_krealloc",
	"mempool_alloc_slab",
	"mempool_kmalloc",
	/* It jumps to kstrdup() or to kvasprintf(), which name its own caller. */
	"kobject_set_name_vargs",
	"__alloc_workqueue",
	"alloc_workqueue_lockdep_map",
	/* A hash table's buckets are charged to who initialised it. */
	"bucket_table_alloc",
	"nested_bucket_table_alloc",
	"nested_table_alloc",
	/* Before 6.10. */
	"kvmalloc_node",
	"kvrealloc",
	"mempool_alloc",
	"mempool_init_node",
	"mempool_init",
	"mempool_create_node",
	"mempool_create",
	"__vmalloc_node_range",
};

/*
 * These record their caller, or are the inner of two events of one allocation;
 * or they have to do with pages only.
 */
static const char *const others[] = {
	"__kmalloc*",
	"kmalloc_nolock_noprof",
	"kmem_cache_alloc*",
	"*alloc_page*",
	"*folio*",
	"*free_page*",
	"*zeroed_page*",
	"alloc_contig*",
	"pcpu_alloc_noprof",
	"*alloc_frozen*",
	"__pfx_*",
	"__cfi_*",
	"rhashtable_init_noprof",
	"rhltable_init_noprof",
	"alloc_workqueue_attrs*",
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

static bool fits(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);
	bool head = *pattern == '*', tail = pattern[n - 1] == '*';

	pattern += head;
	n -= (size_t)head + tail;
	if (n > len)
		return false;
	if (head && tail)
		return memmem(name, len, pattern, n);
	if (head)
		return !memcmp(name + len - n, pattern, n);
	return (tail || n == len) && !memcmp(name, pattern, n);
}

struct range {
	uint64_t start, end;
};

struct ranges {
	struct range *v;
	size_t nr, cap;
};

static void add(struct ranges *r, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < r->nr; i++)
		if (r->v[i].start <= start && end <= r->v[i].end)
			return;
	/* Functions of one source file often lie next to each other. */
	for (size_t i = 0; i < r->nr; i++) {
		if (r->v[i].end == start) {
			r->v[i].end = end;
			return;
		}
		if (r->v[i].start == end) {
			r->v[i].start = start;
			return;
		}
	}
	vec_room(r->v, r->nr, r->cap);
	r->v[r->nr++] = (struct range){ start, end };
}

struct symbol {
	uint64_t addr;
	const char *name; /* len bytes, without a compiler's suffix */
	size_t len;
};

/* A function of the kernel itself. */
static bool parse(struct span line, struct symbol *ret)
{
	char head[24] = "", type;
	const char *data = (const char *)line.data;
	const char *name = line.len > 19 ? memchr(data + 17, ' ', 3) : NULL;

	if (!name || memchr(data, '[', line.len))
		return false;
	memcpy(head, data, 19);
	if (sscanf(head, "%" SCNx64 " %c", &ret->addr, &type) != 2 || (type | 0x20) != 't')
		return false;
	ret->name = name + 1;
	ret->len = line.len - (size_t)(name + 1 - data);

	const char *suffix = memchr(ret->name, '.', ret->len);

	/* What a compiler moves out of the way allocates nothing. */
	if (suffix && memmem(suffix, (size_t)(ret->name + ret->len - suffix), ".cold", 5))
		return false;
	if (suffix)
		ret->len = (size_t)(suffix - ret->name);
	return true;
}

static bool is_opaque(const struct symbol *sym)
{
	for (size_t i = 0; i < NR(others); i++)
		if (fits(others[i], sym->name, sym->len))
			return false;
	for (size_t i = 0; i < NR(names); i++)
		if (fits(names[i], sym->name, sym->len))
			return true;
	return false;
}

static void print_range(struct text *text, const struct range *range)
{
	text_printf(text, "call_site>=0x%" PRIx64 "&&call_site<0x%" PRIx64, range->start,
		    range->end);
}

/*
 * The kernel looks at term after term, for each allocation, until it knows. So this is a
 * tree: half of the ranges is done with one term. @leaf ranges are listed in a row.
 */
static void print_tree(struct text *text, const struct range *v, size_t nr, size_t leaf)
{
	size_t half = nr / 2;

	if (nr == 1) {
		print_range(text, v);
		return;
	}
	if (nr > leaf) {
		text_printf(text, "(call_site<0x%" PRIx64 "&&(", v[half].start);
		print_tree(text, v, half, leaf);
		text_printf(text, "))||(call_site>=0x%" PRIx64 "&&(", v[half].start);
		print_tree(text, v + half, nr - half, leaf);
		text_printf(text, "))");
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		text_printf(text, "%s(", i ? "||" : "");
		print_range(text, &v[i]);
		text_printf(text, ")");
	}
}

/* Rule 2: rather a flat tree than fewer functions. */
static void print_ranges(const struct ranges *r, struct text *ret)
{
	size_t nr = r->nr, leaf = 1;

	for (;;) {
		auto_text text = {};

		print_tree(&text, r->v, nr, leaf);
		if (text.len <= OPAQUE_MAX) {
			text_add(ret, text.data, text.len);
			return;
		}
		if (leaf < nr)
			leaf *= 2;
		else
			nr = nr * OPAQUE_MAX / text.len;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void opaque_filter(struct span kallsyms, struct text *ret)
{
	struct ranges ranges = {};
	struct span line;
	struct symbol sym;
	uint64_t start = 0; /* of what awaits its end; kallsyms is in order of address */

	while (span_line(&kallsyms, &line)) {
		if (!parse(line, &sym) || !sym.addr)
			continue;
		if (start && sym.addr > start) {
			add(&ranges, start, sym.addr);
			start = 0;
		}
		if (!start && is_opaque(&sym))
			start = sym.addr;
	}
	if (ranges.nr) {
		qsort(ranges.v, ranges.nr, sizeof(*ranges.v), by_start);
		print_ranges(&ranges, ret);
	}
	free(ranges.v);
}
