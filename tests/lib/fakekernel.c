// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/fakekernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "tests/lib/test.h"

/* The allocator: what traces, and what hands on. */
static const char slub_c[] =
	"#include \"slab.h\"\n"
	"#include <stdio.h>\n"
	"extern char _etext[];\n"
	"noinline void *__kmalloc_noprof(size_t n)\n"
	"{ trace_kmalloc(RET_IP); return pool + n; }\n"
	"noinline void *__kmalloc_node_track_caller_noprof(size_t n, void *caller)\n"
	"{ trace_kmalloc(caller); return pool + n; }\n"
	"noinline void *__kvmalloc_node_noprof(size_t n)\n"
	"{ void *p = __kmalloc_noprof(n); barrier(); return p; }\n"
	"noinline void trace_event_raw_event_mm_page_alloc(int order)\n"
	"{ trace_stack(__builtin_frame_address(0)); barrier(); (void)order; }\n"
	"noinline void *__alloc_pages_noprof(int order)\n"
	"{ trace_event_raw_event_mm_page_alloc(order); barrier(); return pool; }\n"
	"noinline void *alloc_pages_noprof(int order)\n"
	"{ void *p = __alloc_pages_noprof(order); barrier(); return p; }\n"
	"static inline __attribute__((always_inline)) void *alloc_slab_page(void)\n"
	"{ void *p = alloc_pages_noprof(0); /* @slab_page */ barrier(); return p; }\n"
	"noinline void *allocate_slab(void) { void *p = alloc_slab_page(); barrier(); return p; }\n"
	"noinline void *kmem_cache_alloc_noprof(void)\n"
	"{ void *p = allocate_slab(); barrier(); return p; }\n"
	"noinline void alloc_vmap_area(void)\n"
	"{ trace_event_raw_event_mm_page_alloc(0); barrier(); }\n"
	"noinline void *__vmalloc_node_range_noprof(void)\n"
	"{ alloc_vmap_area(); barrier(); return pool; }\n"
	"void *keep_etext = _etext;\n";

static const char slab_h[] =
	"#include <stddef.h>\n"
	"#define noinline __attribute__((noipa))\n"
	"#define barrier() __asm__ volatile(\"\" ::: \"memory\")\n"
	"#define RET_IP __builtin_return_address(0)\n"
	"extern char pool[];\n"
	"void trace_kmalloc(void *call_site);\n"
	"void trace_stack(void *frame);\n"
	"void *__kmalloc_noprof(size_t n);\n"
	"void *__kmalloc_node_track_caller_noprof(size_t n, void *caller);\n"
	"void *__kvmalloc_node_noprof(size_t n);\n"
	"void *alloc_pages_noprof(int order);\n"
	"void *kmem_cache_alloc_noprof(void);\n"
	"void *__vmalloc_node_range_noprof(void);\n"
	"void alloc_vmap_area(void);\n"
	"void *kstrdup(const char *s);\n"
	"void *mempool_alloc_pages(int order);\n"
	"void *mempool_create_node_noprof(void *(*alloc)(int), int array);\n"
	"static inline __attribute__((always_inline)) void *kmalloc_noprof(size_t n)\n"
	"{ return __kmalloc_noprof(n); /* @kmalloc_noprof */ }\n";

/* Wrappers in a unit of their own: callers know no more than a declaration. */
static const char util_c[] =
	"#include \"../mm/slab.h\"\n"
	"noinline void *kstrdup(const char *s)\n"
	"{\n"
	"	void *p = __kmalloc_node_track_caller_noprof(1, RET_IP); /* @kstrdup */\n"
	"	barrier();\n"
	"	(void)s;\n"
	"	return p;\n"
	"}\n"
	"noinline void *mempool_alloc_pages(int order)\n"
	"{ return alloc_pages_noprof(order); }\n"
	"noinline void *mempool_init_node(void *(*alloc)(int), int array)\n"
	"{\n"
	"	void *p = array ? alloc_pages_noprof(1) : NULL; /* @array */\n"
	"	barrier();\n"
	"	if (!array)\n"
	"		p = alloc(1);\n"
	"	barrier();\n"
	"	return p;\n"
	"}\n"
	"noinline void *mempool_create_node_noprof(void *(*alloc)(int), int array)\n"
	"{ void *p = mempool_init_node(alloc, array); barrier(); return p; }\n";

static const char main_c[] =
	"#include \"../mm/slab.h\"\n"
	"#include <stdio.h>\n"
	"#include <stdlib.h>\n"
	"#include <stdint.h>\n"
	"char pool[64];\n"
	"static const char *what;\n"
	"static void *bottom;\n"
	"void __attribute__((noipa)) trace_kmalloc(void *ip)\n"
	"{ if (what) printf(\"%s %p\\n\", what, ip); }\n"
	"void __attribute__((noipa)) trace_stack(void *frame)\n"
	"{\n"
	"	void **fp = frame;\n"
	"	printf(\"%s\", what);\n"
	"	for (; (void *)fp < bottom; fp = *fp)\n"
	"		printf(\" %p\", fp[1]);\n"
	"	puts(\"\");\n"
	"}\n"
	"static noinline void *jumps(size_t n)\n"
	"{\n"
	"	return __kmalloc_noprof(n + 1); /* @jumps */\n"
	"}\n"
	"static noinline void *jumps_twice(size_t n)\n"
	"{\n"
	"	return jumps(n + 1);\n"
	"}\n"
	"static noinline void *last_resort(size_t n)\n"
	"{\n"
	"	return __kmalloc_node_track_caller_noprof(n, RET_IP);\n"
	"}\n"
	"static noinline void *reserves(size_t n)\n"
	"{\n"
	"	void *p = __kmalloc_node_track_caller_noprof(n + 1, RET_IP); /* @reserves */\n"
	"	barrier();\n"
	"	return p ? p : last_resort(n + 1);\n"
	"}\n"
	"static noinline void *page_jumps(int n)\n"
	"{\n"
	"	return alloc_pages_noprof(n + 1); /* @page_jumps */\n"
	"}\n"
	"static inline __attribute__((always_inline)) void *helper(size_t n)\n"
	"{\n"
	"	return kmalloc_noprof(n); /* @helper */\n"
	"}\n"
	"noinline void *do_direct(void)\n"
	"{ void *p = kmalloc_noprof(1); /* @direct */ barrier(); return p; }\n"
	"noinline void *do_inlined(void)\n"
	"{ void *p = helper(1); /* @inlined */ barrier(); return p; }\n"
	"noinline void *do_kstrdup(void)\n"
	"{ void *p = kstrdup(\"x\"); barrier(); return p; }\n"
	"noinline void *do_jumps(void) { void *p = jumps(1); barrier(); return p; }\n"
	"noinline void *do_jumps_twice(void) { void *p = jumps_twice(1); barrier(); return p; }\n"
	"noinline void *do_reserves(void) { void *p = reserves(1); barrier(); return p; }\n"
	"noinline void *do_kvmalloc(void)\n"
	"{ void *p = __kvmalloc_node_noprof(1); barrier(); return p; }\n"
	"noinline void *do_pages(void)\n"
	"{ void *p = alloc_pages_noprof(1); /* @pages */ barrier(); return p; }\n"
	"noinline void *do_page_jumps(void) { void *p = page_jumps(1); barrier(); return p; }\n"
	"noinline void *do_slab(void) { void *p = kmem_cache_alloc_noprof(); barrier(); return p; }\n"
	"noinline void *do_vmalloc(void)\n"
	"{ void *p = __vmalloc_node_range_noprof(); /* @vmalloc */ barrier(); return p; }\n"
	"noinline void *perf_trace_event_init(void)\n"
	"{ void *p = __kmalloc_noprof(1); /* @perf */ barrier(); return p; }\n"
	"noinline void *do_pool(void)\n"
	"{\n"
	"	void *p = mempool_create_node_noprof(mempool_alloc_pages, 0); /* @pool */\n"
	"	barrier();\n"
	"	return p;\n"
	"}\n"
	"noinline void *do_pool_array(void)\n"
	"{\n"
	"	void *p = mempool_create_node_noprof(mempool_alloc_pages, 1);\n"
	"	barrier();\n"
	"	return p;\n"
	"}\n"
	"int main(void)\n"
	"{\n"
	"	bottom = __builtin_frame_address(0);\n"
	"#define DO(f) (what = #f, f())\n"
	"	DO(do_direct); DO(do_inlined); DO(do_kstrdup); DO(do_jumps);\n"
	"	DO(do_jumps_twice); DO(do_kvmalloc); DO(do_pages); DO(do_page_jumps);\n"
	"	DO(do_reserves); DO(do_slab); DO(do_vmalloc); DO(perf_trace_event_init);\n"
	"	DO(do_pool); DO(do_pool_array);\n"
	"	return 0;\n"
	"}\n";

char *fakekernel_run(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *cmd = xvasprintf(fmt, ap);
	va_end(ap);
	FILE *pipe = popen(cmd, "r");
	char *out = NULL;
	size_t len = 0, cap = 0;
	int c;

	if (!pipe)
		test_fail(__FILE__, __LINE__, "popen %s", cmd);
	while ((c = getc(pipe)) != EOF) {
		vec_room(out, len + 1, cap);
		out[len++] = (char)c;
	}
	vec_room(out, len, cap);
	out[len] = '\0';
	if (pclose(pipe))
		test_fail(__FILE__, __LINE__, "%s: %s", cmd, out);
	return out;
}

static void write_file(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", test_dir(), name);
	auto_file FILE *f = fopen(path, "w");

	CHECK(f && fputs(text, f) >= 0);
}

static void make_dir(const char *name)
{
	auto_free char *path = xasprintf("%s/%s", test_dir(), name);

	mkdir(path, 0700);
}

static void read_sites(struct fakekernel *k, char *text)
{
	char *save_line, *save;

	k->nr_sites = 0;
	for (char *line = strtok_r(text, "\n", &save_line); line;
	     line = strtok_r(NULL, "\n", &save_line)) {
		char *word = strtok_r(line, " ", &save);
		struct fakesite *site = &k->site[k->nr_sites++];

		CHECK(k->nr_sites < sizeof(k->site) / sizeof(*k->site));
		snprintf(site->name, sizeof(site->name), "%s", word);
		for (site->nr = 0; (word = strtok_r(NULL, " ", &save)); site->nr++)
			site->addr[site->nr] = strtoull(word, NULL, 16) + FAKE_SLIDE;
	}
}

/* nm's format is that of kallsyms. */
static char *slide_symbols(char *nm)
{
	char *out = NULL, *save;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	for (char *line = strtok_r(nm, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *rest;
		uint64_t addr = strtoull(line, &rest, 16);

		if (rest != line)
			fprintf(f, "%016" PRIx64 "%s\n", addr + FAKE_SLIDE, rest);
	}
	fclose(f);
	return out;
}

void fakekernel_build(struct fakekernel *k, const char *cflags)
{
	fakekernel_build_by(k, "cc", cflags);
}

void fakekernel_build_by(struct fakekernel *k, const char *cc, const char *cflags)
{
	const char *dir = test_dir();
	auto_free char *try = xasprintf("%s --version >/dev/null 2>&1", cc);

	if (system(try))
		test_skip("no %s", cc);
	make_dir("init");
	make_dir("mm");
	make_dir("lib");
	write_file("mm/slab.h", slab_h);
	write_file("mm/slub.c", slub_c);
	write_file("lib/util.c", util_c);
	write_file("init/main.c", main_c);
	snprintf(k->vmlinux, sizeof(k->vmlinux), "%s/vmlinux", dir);
	free(fakekernel_run("cd %s && %s " FAKEKERNEL_FLAGS " %s -o vmlinux " FAKEKERNEL_SOURCES
			    " 2>&1",
			    dir, cc, cflags));
	auto_free char *sites = fakekernel_run("%s", k->vmlinux);
	auto_free char *nm = fakekernel_run("nm %s", k->vmlinux);

	read_sites(k, sites);
	k->kallsyms = slide_symbols(nm);
}

const struct fakesite *fakekernel_site(const struct fakekernel *k, const char *name)
{
	for (size_t i = 0; i < k->nr_sites; i++)
		if (!strcmp(k->site[i].name, name))
			return &k->site[i];
	test_fail(__FILE__, __LINE__, "no site %s", name);
}

uint32_t fakekernel_line(const char *mark)
{
	static const char *const files[] = { slub_c, slab_h, util_c, main_c };
	auto_free char *comment = xasprintf("/* @%s */", mark);

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const char *at = strstr(files[i], comment);
		uint32_t line = 1;

		for (const char *s = files[i]; at && s < at; s++)
			line += *s == '\n';
		if (at)
			return line;
	}
	test_fail(__FILE__, __LINE__, "no mark %s", mark);
}
