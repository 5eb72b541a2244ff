// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/format.h"

#include <stdio.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "tests/lib/pages.h"
#include "tests/lib/test.h"

/* Texts of fields, a field a line.
 * clang-format off */
#define COMMON                                                                         \
	"format:\n"                                                                    \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define F(decl, off, size) "\tfield:" decl ";\toffset:" #off ";\tsize:" #size ";\tsigned:0;\n"
#define PRINT		   "\nprint fmt: \"\"\n"

static struct span text_of(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static const struct format_record *record(const struct format *f, unsigned int id)
{
	return &f->record[f->of_id[id]];
}

/* The record of @text, added to a format of its own. */
static struct format_record parsed(const char *system, const char *text, unsigned int long_size)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, long_size);

	CHECK_OK(format_add(f, system, text_of(text)));
	CHECK_EQ(f->nr, 2);
	return f->record[1];
}

TEST(every_event_of_a_6_12_kernel_is_found_by_its_id)
{
	static const enum event_kind kinds[] = {
		[PAGES_KMALLOC] = EVENT_KMALLOC,
		[PAGES_CACHE_ALLOC] = EVENT_CACHE_ALLOC,
		[PAGES_KFREE] = EVENT_KFREE,
		[PAGES_CACHE_FREE] = EVENT_CACHE_FREE,
		[PAGES_PAGE_ALLOC] = EVENT_PAGE_ALLOC,
		[PAGES_PAGE_FREE] = EVENT_PAGE_FREE,
		[PAGES_PERCPU_ALLOC] = EVENT_PERCPU_ALLOC,
		[PAGES_PERCPU_FREE] = EVENT_PERCPU_FREE,
		[PAGES_VMAP_ALLOC] = EVENT_VMAP_ALLOC,
		[PAGES_VMAP_FREE] = EVENT_VMAP_FREE,
		[PAGES_MODULE_LOAD] = EVENT_MODULE_LOAD,
	};
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);

	for (int i = 0; i < NR_PAGES_TYPES; i++)
		CHECK_OK(
			format_add(f, pages_formats[i].system, text_of(pages_formats[i].text)));
	CHECK_EQ(format_nr_events(f), 12);
	for (unsigned int i = 0; i <= PAGES_MODULE_LOAD; i++) {
		CHECK_EQ(record(f, PAGES_FIRST_ID + i)->use, FORMAT_EVENT);
		CHECK_EQ(record(f, PAGES_FIRST_ID + i)->kind, kinds[i]);
	}
	CHECK_EQ(record(f, PAGES_STACK_ID)->use, FORMAT_STACK);
	CHECK_EQ(record(f, PAGES_STACK_ID)->frames_off, 16);
	CHECK_EQ(record(f, PAGES_STACK_ID)->frame_size, 8);
	CHECK_EQ(record(f, PAGES_STACK_ID)->min_len, 16);
	CHECK_EQ(record(f, PAGES_STACK_ID)->max_frames, 0);
	CHECK_EQ(record(f, PAGES_FIRST_ID + PAGES_OTHER)->use, FORMAT_UNUSED);
	CHECK_EQ(record(f, PAGES_FIRST_ID + PAGES_TASK_NEW)->kind, EVENT_TASK_NEW);
	CHECK_EQ(record(f, PAGES_FIRST_ID + PAGES_TASK_NEW)->name_off, 12);
	CHECK_EQ(record(f, PAGES_FIRST_ID + PAGES_TASK_NEW)->name_len, 16);
	CHECK_EQ(record(f, 0)->use, FORMAT_UNUSED);
	CHECK_EQ(record(f, UINT16_MAX)->use, FORMAT_UNUSED);
	CHECK_EQ(f->type_off, 0);
	CHECK_EQ(f->flags_off, 2);
	CHECK_EQ(f->pid_off, 4);
	CHECK_EQ(f->common_len, 8);
}

TEST(fields_are_where_the_text_says)
{
	struct format_record r = parsed("kmem", pages_formats[PAGES_CACHE_ALLOC].text, 8);

	CHECK_EQ(r.load[FORMAT_CALL_SITE].off, 8);
	CHECK_EQ(r.load[FORMAT_ADDR].off, 16);
	CHECK_EQ(r.load[FORMAT_BYTES_REQ].off, 24);
	CHECK_EQ(r.load[FORMAT_BYTES_ALLOC].off, 32);
	CHECK_EQ(r.load[FORMAT_GFP].off, 40);
	CHECK_EQ(r.load[FORMAT_GFP].size, 8);
	CHECK_EQ(r.load[FORMAT_ORDER].size, 0);
	CHECK_EQ(r.load[FORMAT_ORDER].mask, 0);
	CHECK_EQ(r.name_off, 56);
	CHECK_EQ(r.name_base, 0);
	CHECK_EQ(r.min_len, 60);
	CHECK_STR(r.text, "kmem:kmem_cache_alloc");
}

TEST(values_of_every_size_load_in_both_byte_orders)
{
	static const uint8_t bytes[] = { 9,    9,    0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
					 0x87, 0x88, 9,	   9,	 9,    9,    9,	   9 };
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	bool host_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	for (size_t i = 0; i < 4; i++) {
		struct format_load load = { .mask = UINT64_MAX >> (64 - 8 * sizes[i]),
					    .shift = (uint8_t)(64 - 8 * sizes[i]),
					    .off = 2,
					    .size = (uint8_t)sizes[i] };
		uint64_t big = 0, little = 0;

		for (unsigned int b = 0; b < sizes[i]; b++) {
			big = big << 8 | bytes[2 + b];
			little |= (uint64_t)bytes[2 + b] << (8 * b);
		}
		CHECK_EQ(format_value(&load, bytes, host_big), little);
		CHECK_EQ(format_value(&load, bytes, !host_big), big);
	}
	struct format_load none = { 0 };

	CHECK_EQ(format_value(&none, bytes, true), 0);
	CHECK_EQ(format_value(&none, bytes, false), 0);
}

TEST(node_variants_of_old_kernels_are_the_same_kinds_with_a_short_gfp)
{
	struct format_record r =
		parsed("kmem",
		       "name: kmalloc_node\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			       F("const void * ptr", 16, 8) F("size_t bytes_req", 24,
							      8) F("size_t bytes_alloc", 32, 8)
				       F("gfp_t gfp_flags", 40, 4) F("int node", 44, 4) PRINT,
		       8);

	CHECK_EQ(r.kind, EVENT_KMALLOC);
	CHECK_EQ(r.load[FORMAT_GFP].size, 4);
	CHECK_EQ(r.id, 70);
}

TEST(longs_of_32_bits_are_4_bytes)
{
	struct format_record r =
		parsed("kmem",
		       "name: kfree\nID: 70\n" COMMON F("unsigned long call_site", 8, 4)
			       F("const void * ptr", 12, 4) PRINT,
		       4);
	struct format_record s = parsed("ftrace",
					"name: kernel_stack\nID: 4\n" COMMON F("int size", 8, 4)
						F("unsigned long caller[8]", 12, 32) PRINT,
					4);

	CHECK_EQ(r.load[FORMAT_ADDR].size, 4);
	CHECK_EQ(r.min_len, 16);
	CHECK_EQ(s.frame_size, 4);
	CHECK_EQ(s.frames_off, 12);
}

TEST(relative_name_counts_from_behind_its_locator)
{
	struct format_record r = parsed(
		"kmem",
		"name: kmem_cache_free\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 8) F("__rel_loc char[] name", 24, 4) PRINT,
		8);

	CHECK_EQ(r.name_off, 24);
	CHECK_EQ(r.name_base, 28);
}

TEST(name_that_is_a_pointer_is_no_name)
{
	struct format_record r = parsed(
		"kmem",
		"name: kmem_cache_free\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 8) F("const char * name", 24, 8) PRINT,
		8);

	CHECK_EQ(r.name_off, 0);
	CHECK_EQ(r.min_len, 24);
}

TEST(page_pointer_of_old_kernels_stands_for_the_pfn)
{
	struct format_record r =
		parsed("kmem",
		       "name: mm_page_free\nID: 70\n" COMMON F("struct page * page", 8, 8)
			       F("unsigned int order", 16, 4) PRINT,
		       8);

	CHECK(r.page_pointer);
	CHECK_EQ(r.load[FORMAT_ADDR].off, 8);
	CHECK(!parsed("kmem", pages_formats[PAGES_PAGE_FREE].text, 8).page_pointer);
}

TEST(percpu_alloc_before_5_19_has_no_site_and_no_bytes)
{
	struct format_record r =
		parsed("percpu",
		       "name: percpu_alloc_percpu\nID: 70\n" COMMON F("bool reserved", 8, 1)
			       F("bool is_atomic", 9, 1) F("size_t size", 16, 8)
				       F("size_t align", 24, 8) F("void * base_addr", 32, 8)
					       F("int off", 40, 4) F("void * ptr", 48, 8) PRINT,
		       8);

	CHECK_EQ(r.load[FORMAT_BYTES_ALLOC].size, 0);
	CHECK_EQ(r.load[FORMAT_CALL_SITE].size, 0);
	CHECK_EQ(r.load[FORMAT_BYTES_REQ].off, 16);
}

TEST(attributes_in_a_type_do_not_matter)
{
	static const char *const types[] = {
		"void __attribute__((noderef)) * ptr",
		"void __attribute__((btf_type_tag(\"percpu\"))) * ptr",
		"void __attribute__((address_space(3), noderef)) * ptr",
	};
	char text[1000];

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		snprintf(text, sizeof(text),
			 "name: percpu_free_percpu\nID: 70\n" COMMON
			 "\tfield:%s;\toffset:24;\tsize:8;\tsigned:0;\n" PRINT,
			 types[i]);
		CHECK_EQ(parsed("percpu", text, 8).load[FORMAT_ADDR].off, 24);
	}
}

TEST(stack_without_a_count_has_the_frames_of_its_array)
{
	struct format_record r =
		parsed("ftrace",
		       "name: kernel_stack\nID: 4\n" COMMON F("unsigned long caller[8]", 8, 64)
			       PRINT,
		       8);

	CHECK_EQ(r.max_frames, 8);
	CHECK_EQ(r.min_len, 72);
}

TEST(stack_of_open_length_has_frames_of_a_long)
{
	struct format_record r = parsed("ftrace",
					"name: kernel_stack\nID: 4\n" COMMON F("int size", 8, 4)
						F("unsigned long caller[]", 16, 0) PRINT,
					8);

	CHECK_EQ(r.frame_size, 8);
	CHECK_EQ(r.max_frames, 0);
}

static void refused(const char *system, const char *text, const char *part)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);

	CHECK_ERR(format_add(f, system, text_of(text)), part);
	CHECK_EQ(f->nr, 1);
}

TEST(needed_field_that_is_missing_is_named_with_its_event)
{
	refused("kmem",
		"name: kmalloc\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 8) PRINT,
		"kmem:kmalloc: the format has no field bytes_alloc");
	refused("kmem", "name: kfree\nID: 70\n" COMMON F("unsigned long call_site", 8, 8) PRINT,
		"kmem:kfree: the format has no field ptr");
	refused("kmem",
		"name: mm_page_alloc\nID: 70\n" COMMON F("unsigned int order", 8, 4) PRINT,
		"kmem:mm_page_alloc: the format has no field pfn");
	refused("ftrace", "name: kernel_stack\nID: 4\n" COMMON F("int size", 8, 4) PRINT,
		"ftrace:kernel_stack: the format has no field caller");
	refused("kmem",
		"name: kfree\nID: 70\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n" F(
			"unsigned long call_site", 8, 8) F("const void * ptr", 16, 8) PRINT,
		"kmem:kfree: the format has no field common_flags");
}

TEST(field_of_an_odd_size_or_far_away_is_refused)
{
	refused("kmem",
		"name: kfree\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 3) PRINT,
		"field ptr of 3 bytes at offset 16");
	refused("kmem",
		"name: kfree\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 1020, 8) PRINT,
		"field ptr of 8 bytes at offset 1020");
	refused("kmem",
		"name: kfree\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 4294967288, 8) PRINT,
		"field ptr");
	refused("kmem",
		"name: kfree\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 0) PRINT,
		"field ptr of 0 bytes");
	refused("kmem",
		"name: kmem_cache_free\nID: 70\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 8) F("__data_loc char[] name", 1022, 4) PRINT,
		"field name of 4 bytes");
}

#define PROBE_HEAD                                                                     \
	"name: bulk_free_80\nID: 700\nformat:\n"                                       \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"                   \
	"\tfield:u64 site;\toffset:16;\tsize:8;\tsigned:0;\n"                          \
	"\tfield:u64 n;\toffset:24;\tsize:8;\tsigned:0;\n"
#define LIST(name, off, size) \
	"\tfield:u64 " name "[];\toffset:" #off ";\tsize:" #size ";\tsigned:0;\n"

TEST(a_probes_arrays_are_one_list)
{
	struct format_record r =
		parsed("allocprof_1_2",
		       PROBE_HEAD LIST("a", 32, 512) LIST("b", 544, 512) "\nprint fmt: \"\"\n",
		       8);

	CHECK_EQ(r.kind, EVENT_BULK_FREE);
	CHECK_EQ(r.list_off, 32);
	CHECK_EQ(r.list_len, 128);
	CHECK_EQ(r.list_first, 80);
	CHECK_EQ(r.min_len, 32 + 1024);
	CHECK(r.wide_len <= FORMAT_MAX_OFF + 8);
}

TEST(a_list_with_a_hole_or_of_endless_length_is_refused)
{
	refused("allocprof_1_2", PROBE_HEAD LIST("a", 32, 512) LIST("b", 552, 512),
		"field b is");
	refused("allocprof_1_2", PROBE_HEAD LIST("a", 32, 65528), "field a is");
	refused("allocprof_1_2", PROBE_HEAD LIST("a", 32, 12), "field a is");
	refused("allocprof_1_2", PROBE_HEAD LIST("a", 60000, 512), "field a is");
	refused("allocprof_1_2", PROBE_HEAD, "field a is");
}

/* What the fields of a probe begin with; its list of objects follows the number. */
#define PROBE_OF(name)                                                                 \
	"name: " name "\nID: 701\nformat:\n"                                           \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"                   \
	"\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n"

TEST(a_sheaf_is_a_bulk_free_with_a_number_of_four_bytes)
{
	struct format_record r = parsed("allocprof_1_2",
					PROBE_OF("sheaf_free_32") F("u64 site", 16, 8)
						F("u32 n", 24, 4) LIST("a", 28, 512) PRINT,
					8);

	CHECK_EQ(r.kind, EVENT_BULK_FREE);
	CHECK_EQ(r.load[FORMAT_EXTRA].size, 4);
	CHECK_EQ(r.list_off, 28);
	CHECK_EQ(r.list_len, 64);
	CHECK_EQ(r.list_first, 32);
}

TEST(allocations_without_a_lock_are_kmalloc_and_kfree)
{
	struct format_record r = parsed("allocprof_1_2",
					PROBE_OF("nolock_alloc") F("u64 site", 16, 8)
						F("u64 ptr", 24, 8) F("u64 size", 32, 8) PRINT,
					8);

	CHECK_EQ(r.kind, EVENT_KMALLOC);
	CHECK_EQ(r.load[FORMAT_BYTES_REQ].off, 32);
	CHECK_EQ(r.load[FORMAT_BYTES_ALLOC].size, 0);
	r = parsed("allocprof_1_2",
		   PROBE_OF("nolock_free") F("u64 site", 16, 8) F("u64 ptr", 24, 8) PRINT, 8);
	CHECK_EQ(r.kind, EVENT_KFREE);
}

TEST(a_renamed_task_may_go_without_a_number)
{
	struct format_record r = parsed(
		"task",
		"name: task_rename\nID: 702\n" COMMON F("char newcomm[16]", 24, 16) PRINT, 8);

	CHECK_EQ(r.kind, EVENT_TASK_NAME);
	CHECK_EQ(r.load[FORMAT_ADDR].size, 0);
}

TEST(id_beyond_16_bits_is_refused)
{
	refused("kmem",
		"name: kfree\nID: 65536\n" COMMON F("unsigned long call_site", 8, 8)
			F("const void * ptr", 16, 8) PRINT,
		"65536 is not one of 16 bits");
}

TEST(text_that_does_not_parse_is_refused_without_a_word_on_stderr)
{
	static const char *const texts[] = {
		"name: kfree\n",
		"name: kfree\nID: 70\n",
		"name: kfree\nID: x\nformat:\n",
		"name: kfree\nID: 70\nformat:\n\tfield:",
		"name: kfree\nID: 70\nformat:\n\tfield:unsigned short common_type;\toffset:",
		"name: kfree\nID: 70\n" COMMON
		"\tfield:unsigned long [[[[;\toffset:8;\tsize:8;\n",
		"name: kfree\nID: 70\n" COMMON "\tfield:\"\"\";\n",
		"name: kfree\nID: 70\n" COMMON "\n\n\n",
	};
	int pipes[2];

	CHECK(pipe(pipes) == 0);
	CHECK(dup2(pipes[1], 2) == 2);
	close(pipes[1]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		refused("kmem", texts[i], "kmem:kfree: ");
	close(2);

	char word[100];

	CHECK_EQ(read(pipes[0], word, sizeof(word)), 0);
}

TEST(text_with_control_characters_or_endless_lines_is_refused)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);
	auto_free char *endless = xmalloc(200000);

	refused("kmem", "name: kfree\nID: 70\n\x01" COMMON, "is not a text of fields");
	memset(endless, 'x', 200000);
	memcpy(endless, "name: kfree\n", 12);
	CHECK_ERR(format_add(f, "kmem", (struct span){ (uint8_t *)endless, 200000 }),
		  "is not a text of fields");
	memset(endless + 12, '\n', 200000 - 12);
	CHECK_ERR(format_add(f, "kmem", (struct span){ (uint8_t *)endless, 200000 }),
		  "is not a text of fields");
}

TEST(other_systems_and_events_are_not_looked_at)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);

	CHECK_OK(format_add(f, "evil", text_of("name: kfree\nID: garbage")));
	CHECK_OK(format_add(f, "kmem", text_of("name: mm_page_pcpu_drain\nID: garbage")));
	CHECK_OK(format_add(f, "kmem", text_of("garbage")));
	CHECK_OK(format_add(f, "kmem", text_of("")));
	CHECK_EQ(format_nr_events(f), 0);
}

TEST(same_event_told_twice_counts_once)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);
	struct span text = text_of(pages_formats[PAGES_KFREE].text);

	CHECK_OK(format_add(f, "kmem", text));
	CHECK_OK(format_add(f, "kmem", text));
	CHECK_EQ(f->nr, 2);
}

TEST(two_events_of_one_id_are_refused)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);

	CHECK_OK(format_add(f, "kmem", text_of(pages_formats[PAGES_KFREE].text)));
	CHECK_ERR(format_add(f, "kmem",
			     text_of("name: kmem_cache_free\nID: 602\n" COMMON F(
				     "unsigned long call_site", 8, 8)
					     F("const void * ptr", 16, 8) PRINT)),
		  "kmem:kmem_cache_free has the id 602 of kmem:kfree");
}

TEST(common_fields_that_move_between_events_are_refused)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);

	CHECK_OK(format_add(f, "kmem", text_of(pages_formats[PAGES_KFREE].text)));
	CHECK_ERR(format_add(f, "kmem",
			     text_of("name: mm_page_free\nID: 70\nformat:\n" F(
				     "unsigned short common_type", 0,
				     2) F("unsigned char common_flags", 3, 1)
					     F("int common_pid", 4,
					       4) "\n" F("unsigned long pfn", 8, 8)
						     F("unsigned int order", 16, 4) PRINT)),
		  "common fields are not where kmem:kfree has them");
}

TEST(one_event_of_endless_ids_is_refused)
{
	CLEANUP(format_cleanup) struct format *f = format_new(false, 8);
	char text[2000];
	struct err *err = NULL;

	for (int i = 1; !err && i < 100; i++) {
		snprintf(text, sizeof(text),
			 "name: kfree\nID: %d\n" COMMON F("unsigned long call_site", 8, 8)
				 F("const void * ptr", 16, 8) PRINT,
			 i);
		err = format_add(f, "kmem", text_of(text));
	}
	CHECK_ERR(err, "one event of many ids");
	CHECK_EQ(f->nr, FORMAT_MAX_RECORDS);
}
