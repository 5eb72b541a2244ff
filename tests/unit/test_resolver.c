// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/resolver.h"
#include "resolve/rules.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "tests/lib/fakekernel.h"
#include "tests/lib/test.h"

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

/* The fake kernel with its own vmlinux, and a resolver for it. */
struct bench {
	struct fakekernel kernel;
	struct resolver *resolver;
};

static void bench_init(struct bench *b, const char *cflags)
{
	fakekernel_build(&b->kernel, cflags);
	struct resolver_opts opts = {
		.kallsyms = text(b->kernel.kallsyms),
		.build_ids = text("vmlinux 0123456789abcdef\n"),
		.release = "6.12.1",
		.vmlinux = b->kernel.vmlinux,
	};

	CHECK_OK(resolver_open(&opts, &b->resolver));
}

static void bench_deinit(struct bench *b)
{
	resolver_close(b->resolver);
	free(b->kernel.kallsyms);
}

static struct callsite resolve(struct bench *b, const char *name)
{
	const struct fakesite *site = fakekernel_site(&b->kernel, name);
	struct callsite ret;

	resolver_site(b->resolver, site->addr, site->nr, &ret);
	return ret;
}

static void check_primary(const struct callsite *c, enum attributed_by by, const char *func,
			  const char *file, const char *mark)
{
	CHECK_STR(c->primary.func, func);
	CHECK_EQ(c->attributed_by, by);
	CHECK_EQ(c->resolved_by, RESOLVED_DWARF);
	CHECK_STR(c->primary.file, file);
	CHECK_EQ(c->primary.line, fakekernel_line(mark));
}

TEST(an_allocation_is_charged_to_the_line_that_asks_for_it)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_direct");

	check_primary(&c, ATTRIBUTED_CHAIN, "do_direct", "init/main.c", "direct");
	CHECK_EQ(c.nr_frames, 2);
	CHECK_STR(c.frame[0].func, "kmalloc_noprof");
	CHECK_STR(c.frame[0].file, "mm/slab.h");
	CHECK(c.frame[0].inlined && !c.frame[1].inlined);
	CHECK(c.primary.sym_size && c.primary.sym_off < c.primary.sym_size);
}

TEST(an_inlined_function_is_charged_before_the_one_around_it)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_inlined");

	check_primary(&c, ATTRIBUTED_CHAIN, "helper", "init/main.c", "helper");
	CHECK_EQ(c.nr_frames, 3);
	CHECK_STR(c.frame[2].func, "do_inlined");
	CHECK_EQ(c.frame[2].line, fakekernel_line("inlined"));
}

TEST(a_wrapper_that_hands_on_its_caller_is_charged_itself)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_kstrdup");

	check_primary(&c, ATTRIBUTED_CALLEE, "kstrdup", "lib/util.c", "kstrdup");
	CHECK_STR(c.frame[0].func, "do_kstrdup");
}

TEST(a_function_that_jumps_to_the_allocator_is_charged_itself)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite once = resolve(&b, "do_jumps");
	struct callsite twice = resolve(&b, "do_jumps_twice");

	check_primary(&once, ATTRIBUTED_CALLEE, "jumps", "init/main.c", "jumps");
	check_primary(&twice, ATTRIBUTED_CALLEE, "jumps", "init/main.c", "jumps");
}

TEST(what_a_wrapper_does_itself_comes_before_its_last_resort)
{
	CLEANUP(bench_deinit) struct bench b;

	/* The function that it jumps to for want of memory stands before it. */
	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_reserves");

	check_primary(&c, ATTRIBUTED_CALLEE, "reserves", "init/main.c", "reserves");
}

TEST(debug_information_of_version_4_serves_as_well)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "-gdwarf-4");
	struct callsite direct = resolve(&b, "do_direct"), wrapped = resolve(&b, "do_kstrdup"),
			jump = resolve(&b, "do_jumps");

	check_primary(&direct, ATTRIBUTED_CHAIN, "do_direct", "init/main.c", "direct");
	check_primary(&wrapped, ATTRIBUTED_CALLEE, "kstrdup", "lib/util.c", "kstrdup");
	check_primary(&jump, ATTRIBUTED_CALLEE, "jumps", "init/main.c", "jumps");
}

TEST(calls_are_read_from_the_code_where_debug_information_has_none)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "-gdwarf-4 -gstrict-dwarf");
	auto_free char *info = fakekernel_run("readelf --debug-dump=info %s 2>/dev/null | "
					      "grep -c call_site || true",
					      b.kernel.vmlinux);

	CHECK_STR(info, "0\n");
	struct callsite direct = resolve(&b, "do_direct"), wrapped = resolve(&b, "do_kstrdup"),
			twice = resolve(&b, "do_jumps_twice"),
			pages = resolve(&b, "do_page_jumps");

	check_primary(&direct, ATTRIBUTED_CHAIN, "do_direct", "init/main.c", "direct");
	check_primary(&wrapped, ATTRIBUTED_CALLEE, "kstrdup", "lib/util.c", "kstrdup");
	check_primary(&twice, ATTRIBUTED_CALLEE, "jumps", "init/main.c", "jumps");
	check_primary(&pages, ATTRIBUTED_CALLEE, "page_jumps", "init/main.c", "page_jumps");
}

TEST(an_address_inside_the_allocator_stays_there_and_says_so)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_kvmalloc");

	CHECK_EQ(c.attributed_by, ATTRIBUTED_OPAQUE);
	CHECK_STR(c.primary.func, "__kvmalloc_node_noprof");
}

TEST(tracing_and_allocator_frames_of_a_stack_are_passed_over)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_pages");

	check_primary(&c, ATTRIBUTED_CHAIN, "do_pages", "init/main.c", "pages");
	CHECK_STR(c.frame[0].func, "__alloc_pages_noprof");
}

TEST(a_jump_is_seen_in_a_stack_too)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_page_jumps");

	check_primary(&c, ATTRIBUTED_CALLEE, "page_jumps", "init/main.c", "page_jumps");
}

TEST(what_a_callback_allocates_is_its_users)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite element = resolve(&b, "do_pool"), array = resolve(&b, "do_pool_array");

	check_primary(&element, ATTRIBUTED_CHAIN, "do_pool", "init/main.c", "pool");
	CHECK_STR(element.frame[element.caller - 2].func, "mempool_create_node_noprof");
	/* What the same function asks for itself is its own. */
	check_primary(&array, ATTRIBUTED_CHAIN, "mempool_init_node", "lib/util.c", "array");
}

TEST(slab_pages_are_charged_to_the_slab_allocator)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_slab");

	check_primary(&c, ATTRIBUTED_CHAIN, "alloc_slab_page", "mm/slub.c", "slab_page");
}

TEST(a_vmap_area_is_charged_to_who_called_vmalloc)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "do_vmalloc");

	check_primary(&c, ATTRIBUTED_CHAIN, "do_vmalloc", "init/main.c", "vmalloc");
}

TEST(a_tracing_function_that_allocates_is_charged)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite c = resolve(&b, "perf_trace_event_init");

	check_primary(&c, ATTRIBUTED_CHAIN, "perf_trace_event_init", "init/main.c", "perf");
}

TEST(an_answer_is_kept)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	struct callsite one = resolve(&b, "do_pages"), two = resolve(&b, "do_pages");

	CHECK(one.frame == two.frame);
	CHECK(one.primary.file == two.primary.file);
}

TEST(addresses_without_debug_information_name_symbol_and_offset)
{
	struct bench b = {};

	fakekernel_build(&b.kernel, "");
	struct resolver_opts opts = {
		.kallsyms = text(b.kernel.kallsyms),
		.release = "6.12.1-42-amd64",
	};

	CHECK_OK(resolver_open(&opts, &b.resolver));
	struct callsite direct = resolve(&b, "do_direct"), pages = resolve(&b, "do_pages"),
			slab = resolve(&b, "do_slab");

	CHECK_EQ(direct.resolved_by, RESOLVED_KALLSYMS);
	CHECK_EQ(direct.attributed_by, ATTRIBUTED_CHAIN);
	CHECK_STR(direct.primary.func, "do_direct");
	CHECK(!direct.primary.file && !direct.primary.line);
	CHECK(direct.primary.sym_off && direct.primary.sym_off < direct.primary.sym_size);
	CHECK_STR(pages.primary.func, "do_pages");
	CHECK_STR(slab.primary.func, "allocate_slab");
	CHECK(!resolver_vmlinux(b.resolver));
	CHECK_STR(resolver_vmlinux_build_id(b.resolver), "");
	CHECK(strstr(resolver_note(b.resolver, 0), "install linux-image-6.12.1-42-amd64-dbg"));
	CHECK(!resolver_note(b.resolver, 1));
	bench_deinit(&b);
}

TEST(a_hint_names_the_package_of_the_distribution)
{
	static const char *const hints[][2] = {
		{ "6.1.0-56-cloud-amd64", "install linux-image-6.1.0-56-cloud-amd64-dbg" },
		{ "6.8.0-45-generic", "install linux-image-6.8.0-45-generic-dbgsym" },
		{ "6.11.3-200.fc40.x86_64", "install kernel-debuginfo-6.11.3-200.fc40.x86_64" },
		{ "5.14.0-427.el9.x86_64", "install kernel-debuginfo-5.14.0-427.el9.x86_64" },
		{ "6.4.0-150600.23.25-default", "install kernel-default-debuginfo" },
		{ "6.12.1-arch1-1", "Arch's linux-headers" },
		{ "6.12.1", "CONFIG_DEBUG_INFO" },
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		CLEANUP(resolver_cleanup) struct resolver *r = NULL;
		struct resolver_opts opts = {
			.kallsyms =
				text("ffffffff81000000 T _text\nffffffff81000100 T _etext\n"),
			.release = hints[i][0],
		};

		CHECK_OK(resolver_open(&opts, &r));
		CHECK(strstr(resolver_note(r, 0), hints[i][1]));
	}
}

/* The answers of all sites of a kernel, as a text. */
static char *all_sites(struct bench *b)
{
	char *ret = xstrdup("");

	for (size_t i = 0; i < b->kernel.nr_sites; i++) {
		struct callsite c = resolve(b, b->kernel.site[i].name);
		auto_free char *before = ret;

		ret = xasprintf("%s%s:%d:%d:%s:%s:%u:%#lx\n", before, b->kernel.site[i].name,
				(int)c.attributed_by, (int)c.resolved_by, c.primary.func,
				c.primary.file ? c.primary.file : "-", c.primary.line,
				(unsigned long)c.primary.addr);
		for (size_t f = 0; f < c.nr_frames; f++) {
			auto_free char *so_far = ret;

			ret = xasprintf("%s %s:%s:%u:%d\n", so_far, c.frame[f].func,
					c.frame[f].file ? c.frame[f].file : "-",
					c.frame[f].line, c.frame[f].inlined);
		}
	}
	return ret;
}

TEST(a_second_analysis_answers_alike_from_the_cache_without_the_kernel)
{
	CLEANUP(bench_deinit) struct bench b;
	auto_free char *dir = xstrdup("/tmp/allocprof-resolve-XXXXXX");

	bench_init(&b, "");
	CHECK(mkdtemp(dir));
	auto_free char *plain = all_sites(&b);
	auto_free char *note = xasprintf("vmlinux %s\n", resolver_vmlinux_build_id(b.resolver));
	struct resolver_opts opts = {
		.kallsyms = text(b.kernel.kallsyms),
		.build_ids = text(note),
		.release = "6.12.1",
		.vmlinux = b.kernel.vmlinux,
		.cache_dir = dir,
	};

	resolver_close(b.resolver);
	CHECK_OK(resolver_open(&opts, &b.resolver));
	auto_free char *first = all_sites(&b);

	resolver_close(b.resolver);
	b.resolver = NULL;
	CHECK_STR(first, plain);
	CHECK_EQ(rename(b.kernel.vmlinux, "/tmp/allocprof-test-gone"), 0);
	opts.vmlinux = NULL;
	CHECK_OK(resolver_open(&opts, &b.resolver));
	auto_free char *second = all_sites(&b);

	CHECK_STR(second, plain);
	CHECK(!resolver_note(b.resolver, 0));
	resolver_close(b.resolver);
	b.resolver = NULL;
	/* Other rules are other answers. */
	opts.rules = text("passthrough do_direct\n");
	CHECK_OK(resolver_open(&opts, &b.resolver));
	CHECK_EQ(resolve(&b, "do_direct").resolved_by, RESOLVED_KALLSYMS);
	CHECK_EQ(rename("/tmp/allocprof-test-gone", b.kernel.vmlinux), 0);
	auto_free char *command = xasprintf("rm -rf '%s'", dir);
	CHECK_EQ(system(command), 0);
}

TEST(an_address_in_no_symbol_and_no_address_are_told_apart)
{
	struct resolver_opts opts = { .kallsyms = text("ffffffff81000000 T _text\n"
						       "ffffffff81000100 T _etext\n") };
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t addr = 0xffffffffc0123456, zero = 0;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_NOTHING);
	CHECK_STR(c.primary.func, "0xffffffffc0123456");
	resolver_site(r, &zero, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_NONE);
	CHECK_EQ(c.attributed_by, ATTRIBUTED_NOTHING);
	CHECK_EQ(c.nr_frames, 0);
	CHECK(c.primary.func);
	resolver_site(r, NULL, 0, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_NONE);
}

TEST(a_recording_without_symbols_resolves_to_addresses)
{
	struct resolver_opts opts = {};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t addr = 0xffffffff81000001;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_NOTHING);
	CHECK(strstr(resolver_note(r, 0), "kallsyms"));
}

TEST(zeroed_kallsyms_are_refused)
{
	struct resolver_opts opts = { .kallsyms = text("0000000000000000 T _text\n") };
	struct resolver *r = NULL;

	CHECK_ERR(resolver_open(&opts, &r), "kptr_restrict");
	CHECK(!r);
}

TEST(a_vmlinux_of_another_build_is_refused_naming_both)
{
	struct fakekernel k = {};

	fakekernel_build(&k, "");
	struct resolver_opts opts = {
		.kallsyms = text(k.kallsyms),
		.build_ids = text("vmlinux feedfeedfeedfeed\n"),
		.vmlinux = k.vmlinux,
	};
	struct resolver *r = NULL;
	struct err *err = resolver_open(&opts, &r);

	CHECK(err && !r);
	CHECK(strstr(err_text(err), "feedfeedfeedfeed"));
	CHECK(strstr(err_text(err), "0123456789abcdef"));
	err_free(err);
	free(k.kallsyms);
}

TEST(without_a_build_id_another_kernel_is_known_by_its_symbols)
{
	struct fakekernel k = {};

	fakekernel_build(&k, "");
	auto_free char *moved = xstrdup(k.kallsyms);

	/* Every function but _stext is 16 bytes further on. */
	for (char *s = strstr(moved, " T "); s; s = strstr(s + 1, " T "))
		if (strncmp(s, " T _stext", 9) && strncmp(s, " T _text", 8) && s[-2] < '9')
			s[-2]++;
	struct resolver_opts opts = { .kallsyms = text(moved), .vmlinux = k.vmlinux };
	struct resolver *r = NULL;

	CHECK_ERR(resolver_open(&opts, &r), "another kernel");
	opts.kallsyms = text(k.kallsyms);
	CHECK_OK(resolver_open(&opts, &r));
	resolver_close(r);
	free(k.kallsyms);
}

TEST(a_vmlinux_that_is_none_is_refused)
{
	auto_free char *path = xasprintf("%s/not-elf", test_dir());
	auto_file FILE *f = fopen(path, "w");
	struct resolver_opts opts = { .kallsyms = text("ffffffff81000000 T _text\n"),
				      .vmlinux = path };
	struct resolver *r = NULL;

	CHECK(f && fputs("\177ELF but not really", f) >= 0 && !fflush(f));
	CHECK_ERR(resolver_open(&opts, &r), "not an ELF file");
	opts.vmlinux = "/nonexistent/vmlinux";
	CHECK_ERR(resolver_open(&opts, &r), "/nonexistent/vmlinux: No such file");
}

TEST(the_vmlinux_is_found_in_a_debug_directory)
{
	struct bench b = {};

	fakekernel_build(&b.kernel, "");
	const char *dirs[] = { "/nonexistent", test_dir(), NULL };

	free(fakekernel_run("cd %s && mkdir boot && mv vmlinux boot/vmlinux-6.12.1-x",
			    test_dir()));
	struct resolver_opts opts = {
		.kallsyms = text(b.kernel.kallsyms),
		.build_ids = text("vmlinux 0123456789abcdef\n"),
		.release = "6.12.1-x",
		.debug_dirs = dirs,
	};

	CHECK_OK(resolver_open(&opts, &b.resolver));
	CHECK(strstr(resolver_vmlinux(b.resolver), "/boot/vmlinux-6.12.1-x"));
	CHECK_STR(resolver_vmlinux_build_id(b.resolver), "0123456789abcdef");
	CHECK(!resolver_note(b.resolver, 0));
	struct callsite c = resolve(&b, "do_direct");

	check_primary(&c, ATTRIBUTED_CHAIN, "do_direct", "init/main.c", "direct");
	resolver_close(b.resolver);

	/* One of another build there is passed over with a note. */
	opts.build_ids = text("vmlinux feedfeedfeedfeed\n");
	CHECK_OK(resolver_open(&opts, &b.resolver));
	CHECK(!resolver_vmlinux(b.resolver));
	CHECK(strstr(resolver_note(b.resolver, 0), "not used"));
	bench_deinit(&b);
}

TEST(functions_of_the_allocator_are_known_by_address)
{
	CLEANUP(bench_deinit) struct bench b;

	bench_init(&b, "");
	CHECK(resolver_rules_at(b.resolver,
				fakekernel_site(&b.kernel, "do_kvmalloc")->addr[0]) &
	      RULE_DROP);
	CHECK_EQ(resolver_rules_at(b.resolver,
				   fakekernel_site(&b.kernel, "do_direct")->addr[0]),
		 0);
	CHECK_EQ(resolver_rules_at(b.resolver, 0), 0);
	CHECK_EQ(resolver_rules_at(b.resolver, UINT64_MAX), 0);
}

static const char module_c[] = "extern void *__kmalloc_noprof(unsigned long);\n"
			       "void *kept;\n"
			       "__attribute__((section(\".init.text\"))) int nbd_init(void)\n"
			       "{\n"
			       "	kept = __kmalloc_noprof(1);\n"
			       "	return 0;\n"
			       "}\n"
			       "static inline void *nbd_inner(void)\n"
			       "{\n"
			       "	return __kmalloc_noprof(2);\n"
			       "}\n"
			       "int nbd_dev_add(void)\n"
			       "{\n"
			       "	kept = nbd_inner();\n"
			       "	return 1;\n"
			       "}\n"
			       "int nbd_dev_del(void) { return 2; }\n";

static const char module_symbols[] = "ffffffff81000000 T _text\nffffffff81000100 T _etext\n"
				     "ffffffffc0510000 t nbd_dev_add\t[my_nbd]\n"
				     "ffffffffc0510080 t nbd_end\t[my_nbd]\n"
				     "ffffffffc0620000 t nbd_init\t[my_nbd]\n"
				     "ffffffffc0620080 t nbd_init_end\t[my_nbd]\n";

/* my-nbd.ko below test_dir(), where a distribution's debug package has it. */
static void build_module(void)
{
	const char *dir = test_dir();

	if (system("cc --version >/dev/null 2>&1"))
		test_skip("no C compiler");
	auto_free char *path = xasprintf("%s/nbd.c", dir);
	FILE *f = fopen(path, "w");

	CHECK(f && fputs(module_c, f) >= 0);
	fclose(f);
	free(fakekernel_run(
		"cd %s && d=usr/lib/debug/lib/modules/6.12.1/kernel/drivers/block && "
		"mkdir -p $d && cc -O2 -g -fno-pie -c -o $d/my-nbd.ko nbd.c 2>&1",
		dir));
}

TEST(a_modules_addresses_resolve_by_its_recorded_sections)
{
	build_module();
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text(module_symbols),
		.modules = text("my_nbd 65536 0 - Live 0xffffffffc0510000\n"),
		.sections = text("my_nbd .text 0xffffffffc0510000\n"
				 "my_nbd .init.text 0xffffffffc0620000\n"),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	struct callsite c;
	bool inner = false;

	CHECK_OK(resolver_open(&opts, &r));
	uint64_t addr = 0xffffffffc0620001;

	resolver_site(r, &addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
	CHECK_STR(c.primary.func, "nbd_init");
	CHECK_STR(c.primary.file, "nbd.c");
	CHECK_STR(c.primary.module, "my_nbd");
	CHECK(c.primary.line >= 4 && c.primary.line <= 5);
	for (addr = 0xffffffffc0510001; addr < 0xffffffffc0510020; addr++) {
		resolver_site(r, &addr, 1, &c);
		CHECK_STR(c.frame[c.nr_frames - 1].func, "nbd_dev_add");
		if (c.nr_frames == 2 && c.frame[0].inlined) {
			inner = true;
			CHECK_STR(c.frame[0].func, "nbd_inner");
			CHECK_EQ(c.frame[0].line, 10);
			CHECK_EQ(c.frame[1].line, 14);
		}
	}
	CHECK(inner);
}

TEST(a_modules_sections_are_told_by_its_symbols)
{
	build_module();
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text(module_symbols),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t text_addr = 0xffffffffc0510001, init_addr = 0xffffffffc0620001;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &text_addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
	CHECK_STR(c.primary.func, "nbd_dev_add");
	resolver_site(r, &init_addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
	CHECK_STR(c.primary.func, "nbd_init");
}

TEST(a_module_whose_symbols_lie_elsewhere_is_not_used)
{
	build_module();
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text("ffffffff81000000 T _text\nffffffff81000100 T _etext\n"
				 "ffffffffc0510000 t nbd_dev_add\t[my_nbd]\n"
				 "ffffffffc0510110 t nbd_dev_del\t[my_nbd]\n"
				 "ffffffffc0510080 t nbd_end\t[my_nbd]\n"),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t addr = 0xffffffffc0510001;
	bool said = false;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_KALLSYMS);
	for (size_t i = 0; resolver_note(r, i); i++)
		said |= strstr(resolver_note(r, i), "another build") != NULL;
	CHECK(said);
}

TEST(an_address_that_two_modules_had_is_the_one_of_the_sites_time)
{
	build_module();
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text("ffffffff81000000 T _text\nffffffff81000100 T _etext\n"
				 "ffffffffc0510000 t nbd_dev_add\t[my_nbd]\n"
				 "ffffffffc0510080 t nbd_end\t[my_nbd]\n"
				 "ffffffffc050fff0 t other_read\t[other]\n"
				 "ffffffffc0510008 t other_write\t[other]\n"
				 "ffffffffc0510040 t other_end\t[other]\n"),
		.modules = text("my_nbd 65536 0 - Live 0xffffffffc0510000\n"
				"other 65536 0 - Live 0xffffffffc050f000\n"),
		.sections = text("my_nbd .text 0xffffffffc0510000\n"),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t addr = 0xffffffffc0510010;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_module_event(r, "my_nbd", 1000, false);
	resolver_module_event(r, "other", 2000, true);
	resolver_site_at(r, &addr, 1, 100, 200, &c);
	CHECK_STR(c.primary.module, "my_nbd");
	CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
	CHECK_STR(c.frame[c.nr_frames - 1].func, "nbd_dev_add");
	resolver_site_at(r, &addr, 1, 2100, 2200, &c);
	CHECK_STR(c.primary.module, "other");
	CHECK_EQ(c.resolved_by, RESOLVED_KALLSYMS);
	CHECK_STR(c.primary.func, "other_write");
	CHECK_EQ(c.primary.sym_off, 8);
	CHECK_EQ(c.primary.sym_size, 0x38);
	/* And again. */
	resolver_site_at(r, &addr, 1, 300, 400, &c);
	CHECK_STR(c.primary.module, "my_nbd");
}

TEST(init_code_without_symbols_is_not_the_function_of_another_module_before_it)
{
	struct resolver_opts opts = {
		.kallsyms = text("ffffffff81000000 T _text\nffffffff81000100 T _etext\n"
				 "ffffffffc0510000 t other_write\t[other]\n"
				 "ffffffffc0610000 t nbd_dev_add\t[my_nbd]\n"),
		.sections = text("other .text 0xffffffffc0510000\n"
				 "my_nbd .text 0xffffffffc0610000\n"
				 "my_nbd .init.text 0xffffffffc0520000\n"),
		.release = "6.12.1",
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t init = 0xffffffffc0520010, other = 0xffffffffc0510010;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &init, 1, &c);
	CHECK_STR(c.primary.module, "my_nbd");
	CHECK_STR(c.primary.func, "0xffffffffc0520010");
	resolver_site(r, &other, 1, &c);
	CHECK_STR(c.primary.module, "other");
	CHECK_STR(c.primary.func, "other_write");
}

TEST(bpf_programs_and_trampolines_are_named_by_their_symbols)
{
	struct resolver_opts opts = {
		.kallsyms = text("ffffffff81000000 T _text\nffffffff81000100 T _etext\n"
				 "ffffffffc0600000 t ftrace_trampoline\t[__builtin__ftrace]\n"
				 "ffffffffc0700000 t bpf_prog_6deef7357e7b4530_probe\t[bpf]\n"
				 "ffffffffc0701000 t bpf_trampoline_6442\t[bpf]\n"),
		.release = "6.12.1",
	};
	static const struct {
		uint64_t addr;
		const char *func, *module;
	} want[] = {
		{ 0xffffffffc0600010, "ftrace_trampoline", "__builtin__ftrace" },
		{ 0xffffffffc0700010, "bpf_prog_6deef7357e7b4530_probe", "bpf" },
		{ 0xffffffffc0701010, "bpf_trampoline_6442", "bpf" },
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		resolver_site(r, &want[i].addr, 1, &c);
		CHECK_STR(c.primary.func, want[i].func);
		CHECK_STR(c.primary.module, want[i].module);
		CHECK_EQ(c.resolved_by, RESOLVED_KALLSYMS);
		CHECK_EQ(c.primary.sym_off, 0x10);
	}
	/* No file is looked for under such a name. */
	for (size_t i = 0; resolver_note(r, i); i++)
		CHECK(!strstr(resolver_note(r, i), "module"));
}

TEST(a_module_loaded_again_elsewhere_resolves_at_both_places)
{
	build_module();
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text("ffffffff81000000 T _text\nffffffff81000100 T _etext\n"
				 "ffffffffc0510000 t nbd_dev_add\t[my_nbd]\n"
				 "ffffffffc0510080 t nbd_end\t[my_nbd]\n"
				 "ffffffffc0710000 t nbd_dev_add\t[my_nbd]\n"
				 "ffffffffc0710080 t nbd_end\t[my_nbd]\n"),
		.modules = text("my_nbd 65536 0 - Live 0xffffffffc0510000\n"
				"my_nbd 65536 0 - Live 0xffffffffc0710000\n"),
		.sections = text("my_nbd .text 0xffffffffc0510000\n"
				 "my_nbd .init.text 0xffffffffc0620000\n"
				 "my_nbd .text 0xffffffffc0710000\n"
				 "my_nbd .init.text 0xffffffffc0820000\n"),
		.build_ids = text(""),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	static const uint64_t addr[] = { 0xffffffffc0510001, 0xffffffffc0710001 };
	static const uint64_t init[] = { 0xffffffffc0620001, 0xffffffffc0820001 };
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	for (size_t i = 0; i < 2; i++) {
		resolver_site(r, &addr[i], 1, &c);
		CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
		CHECK_STR(c.frame[c.nr_frames - 1].func, "nbd_dev_add");
		resolver_site(r, &init[i], 1, &c);
		CHECK_EQ(c.resolved_by, RESOLVED_DWARF);
		CHECK_STR(c.primary.func, "nbd_init");
	}
}

TEST(a_module_without_debug_information_is_noted_once)
{
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text(module_symbols),
		.sections = text("my_nbd .text 0xffffffffc0510000\n"),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	struct callsite c;
	int notes = 0;

	CHECK_OK(resolver_open(&opts, &r));
	for (uint64_t addr = 0xffffffffc0510001; addr < 0xffffffffc0510010; addr++) {
		resolver_site(r, &addr, 1, &c);
		CHECK_EQ(c.resolved_by, RESOLVED_KALLSYMS);
		CHECK_STR(c.primary.module, "my_nbd");
	}
	for (size_t i = 0; resolver_note(r, i); i++)
		notes += strstr(resolver_note(r, i), "module my_nbd") != NULL;
	CHECK_EQ(notes, 1);
}

TEST(a_module_of_another_build_is_not_used)
{
	build_module();
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text(module_symbols),
		.sections = text("my_nbd .text 0xffffffffc0510000\n"),
		.build_ids = text("my_nbd feedfeed\n"),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t addr = 0xffffffffc0510001;
	bool said = false;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &addr, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_KALLSYMS);
	for (size_t i = 0; resolver_note(r, i); i++)
		said |= strstr(resolver_note(r, i), "feedfeed") != NULL;
	CHECK(said);
}

TEST(no_debuginfod_server_is_asked)
{
	build_module();
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&addr, len) && !listen(fd, 4));
	CHECK(!getsockname(fd, (struct sockaddr *)&addr, &len));
	auto_free char *url = xasprintf("http://127.0.0.1:%d", ntohs(addr.sin_port));

	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_TIMEOUT", "1", 1);
	/* Without its debug sections, but with a build-id to ask for. */
	free(fakekernel_run(
		"cd %s && k=$(find . -name my-nbd.ko) && ld -r --build-id=0x1234 -o s.ko $k && "
		"strip -g s.ko && mv s.ko $k",
		test_dir()));
	const char *dirs[] = { test_dir(), NULL };
	struct resolver_opts opts = {
		.kallsyms = text(module_symbols),
		.sections = text("my_nbd .text 0xffffffffc0510000\n"),
		.build_ids = text("vmlinux 0123456789abcdef\nmy_nbd 1234\n"),
		.release = "6.12.1",
		.debug_dirs = dirs,
	};
	CLEANUP(resolver_cleanup) struct resolver *r = NULL;
	uint64_t site = 0xffffffffc0510001;
	struct callsite c;

	CHECK_OK(resolver_open(&opts, &r));
	resolver_site(r, &site, 1, &c);
	CHECK_EQ(c.resolved_by, RESOLVED_KALLSYMS);
	CHECK(accept(fd, NULL, NULL) < 0);
}
