// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/pages.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	DELTA_BITS = 27,
	PADDING = 29,
	TIME_EXTEND = 30,
	TIME_STAMP = 31,
	SMALL_MAX = 112,
};

static void die(const char *what)
{
	fprintf(stderr, "pages: %s\n", what);
	abort();
}

bool pages_swapped(const struct pages_opts *opts)
{
	return opts->big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

void pages_put(const struct pages_opts *opts, uint8_t *at, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		at[opts->big ? size - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

void pages_begin(struct pages *p, const struct pages_opts *opts, uint64_t base_ts)
{
	*p = (struct pages){ .opts = *opts, .ts = base_ts };
	if (!p->opts.size)
		p->opts.size = 4096;
	if (!p->opts.long_size)
		p->opts.long_size = 8;
	p->data_off = 8 + p->opts.long_size;
	p->data = calloc(1, p->opts.size);
	if (!p->data)
		die("no memory");
	pages_put(&p->opts, p->data, 8, base_ts);
}

void pages_free(struct pages *p)
{
	free(p->data);
	p->data = NULL;
}

size_t pages_left(const struct pages *p)
{
	return p->opts.size - p->data_off - p->len;
}

void pages_word(struct pages *p, uint32_t word)
{
	if (pages_left(p) < 4)
		die("the page is full");
	pages_put(&p->opts, p->data + p->data_off + p->len, 4, word);
	p->len += 4;
}

/* The header is a bit field: type_len comes first, whichever end that is. */
void pages_raw(struct pages *p, unsigned int type_len, uint32_t delta)
{
	pages_word(p, p->opts.big ? type_len << DELTA_BITS | delta : delta << 5 | type_len);
}

void pages_time_extend(struct pages *p, uint64_t delta)
{
	pages_raw(p, TIME_EXTEND, (uint32_t)(delta & ((1u << DELTA_BITS) - 1)));
	pages_word(p, (uint32_t)(delta >> DELTA_BITS));
	p->ts += delta;
}

void pages_time_stamp(struct pages *p, uint64_t ts)
{
	pages_raw(p, TIME_STAMP, (uint32_t)(ts & ((1u << DELTA_BITS) - 1)));
	pages_word(p, (uint32_t)(ts >> DELTA_BITS));
	p->ts = ts;
}

void pages_discarded(struct pages *p, uint32_t delta, size_t len)
{
	if (len % 4 || pages_left(p) < 4 + len || len < 4)
		die("bad length of a discarded event");
	pages_raw(p, PADDING, delta ? delta : 1);
	pages_word(p, (uint32_t)len);
	p->len += len - 4;
	if (delta != 1)
		p->ts += delta;
}

void pages_padding(struct pages *p)
{
	size_t left = pages_left(p);

	if (left >= 8)
		pages_discarded(p, 1, left - 4);
	else if (left)
		pages_raw(p, PADDING, 0);
	p->len = p->opts.size - p->data_off;
}

void pages_missed(struct pages *p, uint64_t lost)
{
	p->flags = lost ? 3u << 30 : 1u << 31;
	p->lost = lost;
}

static bool put_event(struct pages *p, uint64_t ts, const void *payload, size_t len,
		      bool in_array)
{
	size_t words = (len + 3) / 4;
	size_t need = 4 + words * 4;
	uint64_t delta = ts - p->ts;
	bool back = ts < p->ts;
	bool far = delta >> DELTA_BITS;

	if (!words || words * 4 > SMALL_MAX)
		in_array = true;
	if (pages_left(p) < need + (in_array ? 4 : 0) + (far || back ? 8 : 0))
		return false;
	if (back)
		pages_time_stamp(p, ts);
	else if (far)
		pages_time_extend(p, delta);
	pages_raw(p, in_array ? 0 : (unsigned int)words, far || back ? 0 : (uint32_t)delta);
	if (in_array)
		pages_word(p, (uint32_t)words * 4 + 4);
	if (len)
		memcpy(p->data + p->data_off + p->len, payload, len);
	p->len += words * 4;
	p->ts = ts;
	return true;
}

bool pages_event(struct pages *p, uint64_t ts, const void *payload, size_t len)
{
	return put_event(p, ts, payload, len, false);
}

bool pages_event_long(struct pages *p, uint64_t ts, const void *payload, size_t len)
{
	return put_event(p, ts, payload, len, true);
}

struct span pages_end(struct pages *p)
{
	unsigned int size = p->opts.long_size;
	uint64_t commit = (uint64_t)p->len | p->flags;

	/* As the kernel does it: the flags are added as a negative int. */
	if (p->flags)
		commit |= UINT64_C(0xffffffff) << 32;
	pages_put(&p->opts, p->data + 8, size, commit);
	if (p->lost && pages_left(p) >= size)
		pages_put(&p->opts, p->data + p->data_off + p->len, size, p->lost);
	return (struct span){ p->data, p->opts.size };
}

struct span pages_header(const struct pages_opts *opts)
{
	static const char long8[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				    "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				    "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				    "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";
	static const char long4[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				    "\tfield: local_t commit;\toffset:8;\tsize:4;\tsigned:1;\n"
				    "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				    "\tfield: char data;\toffset:12;\tsize:4084;\tsigned:0;\n";

	if (opts->long_size == 4)
		return (struct span){ (const uint8_t *)long4, sizeof(long4) - 1 };
	return (struct span){ (const uint8_t *)long8, sizeof(long8) - 1 };
}

/* clang-format off */
#define COMMON                                                                      \
	"format:\n"                                                                 \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"      \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"      \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define FIELD(type, name, off, size) \
	"\tfield:" type " " name ";\toffset:" #off ";\tsize:" #size ";\tsigned:0;\n"
#define PRINT "\nprint fmt: \"call_site=%pS\", (void *)REC->call_site\n"

const struct pages_format pages_formats[NR_PAGES_TYPES] = {
	[PAGES_KMALLOC] = { "kmem", "name: kmalloc\nID: 600\n" COMMON
		FIELD("unsigned long", "call_site", 8, 8)
		FIELD("const void *", "ptr", 16, 8)
		FIELD("size_t", "bytes_req", 24, 8)
		FIELD("size_t", "bytes_alloc", 32, 8)
		FIELD("unsigned long", "gfp_flags", 40, 8)
		FIELD("int", "node", 48, 4) PRINT },
	/* With the name that 6.18 added, at the end. */
	[PAGES_CACHE_ALLOC] = { "kmem", "name: kmem_cache_alloc\nID: 601\n" COMMON
		FIELD("unsigned long", "call_site", 8, 8)
		FIELD("const void *", "ptr", 16, 8)
		FIELD("size_t", "bytes_req", 24, 8)
		FIELD("size_t", "bytes_alloc", 32, 8)
		FIELD("unsigned long", "gfp_flags", 40, 8)
		FIELD("int", "node", 48, 4)
		FIELD("bool", "accounted", 52, 1)
		FIELD("__data_loc char[]", "name", 56, 4) PRINT },
	[PAGES_KFREE] = { "kmem", "name: kfree\nID: 602\n" COMMON
		FIELD("unsigned long", "call_site", 8, 8)
		FIELD("const void *", "ptr", 16, 8) PRINT },
	[PAGES_CACHE_FREE] = { "kmem", "name: kmem_cache_free\nID: 603\n" COMMON
		FIELD("unsigned long", "call_site", 8, 8)
		FIELD("const void *", "ptr", 16, 8)
		FIELD("__data_loc char[]", "name", 24, 4) PRINT },
	[PAGES_PAGE_ALLOC] = { "kmem", "name: mm_page_alloc\nID: 604\n" COMMON
		FIELD("unsigned long", "pfn", 8, 8)
		FIELD("unsigned int", "order", 16, 4)
		FIELD("unsigned long", "gfp_flags", 24, 8)
		FIELD("int", "migratetype", 32, 4) PRINT },
	[PAGES_PAGE_FREE] = { "kmem", "name: mm_page_free\nID: 605\n" COMMON
		FIELD("unsigned long", "pfn", 8, 8)
		FIELD("unsigned int", "order", 16, 4) PRINT },
	[PAGES_PERCPU_ALLOC] = { "percpu", "name: percpu_alloc_percpu\nID: 606\n" COMMON
		FIELD("unsigned long", "call_site", 8, 8)
		FIELD("bool", "reserved", 16, 1)
		FIELD("bool", "is_atomic", 17, 1)
		FIELD("size_t", "size", 24, 8)
		FIELD("size_t", "align", 32, 8)
		FIELD("void *", "base_addr", 40, 8)
		FIELD("int", "off", 48, 4)
		FIELD("void __attribute__((noderef)) *", "ptr", 56, 8)
		FIELD("size_t", "bytes_alloc", 64, 8)
		FIELD("unsigned long", "gfp_flags", 72, 8) PRINT },
	[PAGES_PERCPU_FREE] = { "percpu", "name: percpu_free_percpu\nID: 607\n" COMMON
		FIELD("void *", "base_addr", 8, 8)
		FIELD("int", "off", 16, 4)
		FIELD("void *", "ptr", 24, 8) PRINT },
	[PAGES_VMAP_ALLOC] = { "vmalloc", "name: alloc_vmap_area\nID: 608\n" COMMON
		FIELD("unsigned long", "addr", 8, 8)
		FIELD("unsigned long", "size", 16, 8)
		FIELD("unsigned long", "align", 24, 8)
		FIELD("unsigned long", "vstart", 32, 8)
		FIELD("unsigned long", "vend", 40, 8)
		FIELD("int", "failed", 48, 4) PRINT },
	[PAGES_VMAP_FREE] = { "vmalloc", "name: free_vmap_area_noflush\nID: 609\n" COMMON
		FIELD("unsigned long", "va_start", 8, 8)
		FIELD("unsigned long", "nr_lazy", 16, 8)
		FIELD("unsigned long", "nr_lazy_max", 24, 8) PRINT },
	[PAGES_MODULE_LOAD] = { "module", "name: module_load\nID: 610\n" COMMON
		FIELD("unsigned int", "taints", 8, 4)
		FIELD("__data_loc char[]", "name", 12, 4) PRINT },
	[PAGES_STACK] = { "ftrace", "name: kernel_stack\nID: 4\n" COMMON
		FIELD("int", "size", 8, 4)
		FIELD("unsigned long", "caller[8]", 16, 64) PRINT },
	[PAGES_OTHER] = { "sched", "name: sched_wakeup\nID: 612\n" COMMON
		FIELD("char", "comm[16]", 8, 16)
		FIELD("pid_t", "pid", 24, 4) PRINT },
	[PAGES_TASK_NEW] = { "task", "name: task_newtask\nID: 613\n" COMMON
		FIELD("pid_t", "pid", 8, 4)
		FIELD("char", "comm[16]", 12, 16)
		FIELD("unsigned long", "clone_flags", 32, 8)
		FIELD("short", "oom_score_adj", 40, 2) PRINT },
};
/* clang-format on */

/* Puts the string behind the fixed part and its locator at @off; true length. */
static size_t put_name(const struct pages_opts *opts, uint8_t *buf, size_t off, size_t fixed,
		       const char *name)
{
	size_t len = strlen(name) + 1;

	pages_put(opts, buf + off, 4, len << 16 | fixed);
	memcpy(buf + fixed, name, len);
	return fixed + len;
}

bool pages_record(struct pages *p, const struct pages_record *r)
{
	const struct pages_opts *o = &p->opts;
	uint8_t buf[16 + 8 * 2048] = { 0 };
	const char *name = r->name ? r->name : "";
	size_t len = 0;

	if (r->nr_stack > 2048 || strlen(name) > 4096)
		die("record too large");
	pages_put(o, buf, 2,
		  r->type == PAGES_STACK ? PAGES_STACK_ID
					 : PAGES_FIRST_ID + (unsigned int)r->type);
	buf[2] = r->flags;
	pages_put(o, buf + 4, 4, (uint32_t)r->pid);
	switch (r->type) {
	case PAGES_KMALLOC:
	case PAGES_CACHE_ALLOC:
		pages_put(o, buf + 8, 8, r->call_site);
		pages_put(o, buf + 16, 8, r->addr);
		pages_put(o, buf + 24, 8, r->bytes_req);
		pages_put(o, buf + 32, 8, r->bytes_alloc);
		pages_put(o, buf + 40, 8, r->gfp_flags);
		len = 56;
		if (r->type == PAGES_CACHE_ALLOC)
			len = put_name(o, buf, 56, 60, name);
		break;
	case PAGES_KFREE:
	case PAGES_CACHE_FREE:
		pages_put(o, buf + 8, 8, r->call_site);
		pages_put(o, buf + 16, 8, r->addr);
		len = 24;
		if (r->type == PAGES_CACHE_FREE)
			len = put_name(o, buf, 24, 28, name);
		break;
	case PAGES_PAGE_ALLOC:
	case PAGES_PAGE_FREE:
		pages_put(o, buf + 8, 8, r->addr);
		pages_put(o, buf + 16, 4, r->order);
		len = 24;
		if (r->type == PAGES_PAGE_ALLOC) {
			pages_put(o, buf + 24, 8, r->gfp_flags);
			pages_put(o, buf + 32, 4, r->migratetype);
			len = 40;
		}
		break;
	case PAGES_PERCPU_ALLOC:
		pages_put(o, buf + 8, 8, r->call_site);
		pages_put(o, buf + 24, 8, r->bytes_req);
		pages_put(o, buf + 56, 8, r->addr);
		pages_put(o, buf + 64, 8, r->bytes_alloc);
		pages_put(o, buf + 72, 8, r->gfp_flags);
		len = 80;
		break;
	case PAGES_PERCPU_FREE:
		pages_put(o, buf + 24, 8, r->addr);
		len = 32;
		break;
	case PAGES_VMAP_ALLOC:
		pages_put(o, buf + 8, 8, r->addr);
		pages_put(o, buf + 16, 8, r->bytes_req);
		pages_put(o, buf + 48, 4, r->failed);
		len = 56;
		break;
	case PAGES_VMAP_FREE:
		pages_put(o, buf + 8, 8, r->addr);
		len = 32;
		break;
	case PAGES_MODULE_LOAD:
		len = put_name(o, buf, 12, 16, name);
		break;
	case PAGES_STACK:
		pages_put(o, buf + 8, 4, r->nr_stack);
		for (size_t i = 0; i < r->nr_stack; i++)
			pages_put(o, buf + 16 + 8 * i, 8, r->stack[i]);
		len = 16 + 8 * r->nr_stack;
		break;
	case PAGES_OTHER:
		len = 28;
		break;
	case PAGES_TASK_NEW:
		pages_put(o, buf + 8, 4, r->addr);
		strncpy((char *)buf + 12, name, 15);
		pages_put(o, buf + 32, 8, r->bytes_req);
		len = 44;
		break;
	case NR_PAGES_TYPES:
		die("not a type");
	}
	return pages_event(p, r->ts, buf, len);
}
