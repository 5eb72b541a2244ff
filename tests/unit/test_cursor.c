// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/cursor.h"

#include "tests/lib/onecpu.h"
#include "tests/lib/test.h"

#define put(p, ...) CHECK(pages_record(p, &(struct pages_record){ __VA_ARGS__ }))

static void every_field(bool big)
{
	ONECPU(rig, .big = big);
	struct pages *p = onecpu_page(rig, 1000);

	put(p, .type = PAGES_KMALLOC, .ts = 1000, .pid = 7, .flags = 0x11, .addr = 0xff80,
	    .call_site = 0x81, .bytes_req = 100, .bytes_alloc = 128, .gfp_flags = 0xcc0);
	put(p, .type = PAGES_CACHE_ALLOC, .ts = 1001, .pid = 8, .addr = 0xff81,
	    .call_site = 0x82, .bytes_req = 190, .bytes_alloc = 192, .gfp_flags = 0xdc0,
	    .name = "dentry");
	put(p, .type = PAGES_KFREE, .ts = 1002, .pid = 9, .flags = 0x08, .addr = 0xff80,
	    .call_site = 0x83);
	put(p, .type = PAGES_CACHE_FREE, .ts = 1003, .pid = -1, .addr = 0xff81,
	    .call_site = 0x84, .name = "dentry");
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1004, .addr = 0x1234, .order = 3,
	    .gfp_flags = 0xcc0, .migratetype = 2);
	put(p, .type = PAGES_PAGE_FREE, .ts = 1005, .addr = 0x1234, .order = 3);
	put(p, .type = PAGES_PERCPU_ALLOC, .ts = 1006, .addr = 0x60, .call_site = 0x85,
	    .bytes_req = 16, .bytes_alloc = 64, .gfp_flags = 0xcc0);
	put(p, .type = PAGES_PERCPU_FREE, .ts = 1007, .addr = 0x60);
	put(p, .type = PAGES_VMAP_ALLOC, .ts = 1008, .addr = 0xffffc90000000000,
	    .bytes_req = 20480);
	put(p, .type = PAGES_VMAP_FREE, .ts = 1009, .addr = 0xffffc90000000000);
	put(p, .type = PAGES_MODULE_LOAD, .ts = 1010, .name = "xfs");
	put(p, .type = PAGES_OTHER, .ts = 1011);
	put(p, .type = PAGES_TASK_NEW, .ts = 1012, .pid = 7, .addr = 8, .bytes_req = 0x10000,
	    .name = "worker");

	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 12);
	for (size_t i = 0; i < 11; i++) {
		CHECK_EQ(ev[i].ts_ns, 1000 + i);
		CHECK_EQ(ev[i].cpu, 3);
		CHECK_EQ(ev[i].nr_stack, 0);
	}
	CHECK_EQ(ev[0].kind, EVENT_KMALLOC);
	CHECK_EQ(ev[0].pid, 7);
	CHECK_EQ(ev[0].context, EVENT_SOFTIRQ);
	CHECK_EQ(ev[0].addr, 0xff80);
	CHECK_EQ(ev[0].call_site, 0x81);
	CHECK_EQ(ev[0].bytes_req, 100);
	CHECK_EQ(ev[0].bytes_alloc, 128);
	CHECK_EQ(ev[0].gfp_flags, 0xcc0);
	CHECK_EQ(ev[0].cache, EVENT_CACHE_NONE);
	CHECK_EQ(ev[1].kind, EVENT_CACHE_ALLOC);
	CHECK_EQ(ev[1].bytes_req, 190);
	CHECK_EQ(ev[1].bytes_alloc, 192);
	CHECK_EQ(ev[1].gfp_flags, 0xdc0);
	CHECK_STR(names_text(rig->names, ev[1].cache), "dentry");
	CHECK_EQ(ev[2].kind, EVENT_KFREE);
	CHECK_EQ(ev[2].context, EVENT_HARDIRQ);
	CHECK_EQ(ev[2].call_site, 0x83);
	CHECK_EQ(ev[2].bytes_alloc, 0);
	CHECK_EQ(ev[3].kind, EVENT_CACHE_FREE);
	CHECK_EQ(ev[3].pid, -1);
	CHECK_EQ(ev[3].cache, ev[1].cache);
	CHECK_EQ(ev[4].kind, EVENT_PAGE_ALLOC);
	CHECK_EQ(ev[4].addr, 0x1234);
	CHECK_EQ(ev[4].order, 3);
	CHECK_EQ(ev[4].migratetype, 2);
	CHECK_EQ(ev[4].bytes_req, 32768);
	CHECK_EQ(ev[4].bytes_alloc, 32768);
	CHECK_EQ(ev[5].kind, EVENT_PAGE_FREE);
	CHECK_EQ(ev[5].bytes_alloc, 32768);
	CHECK_EQ(ev[6].kind, EVENT_PERCPU_ALLOC);
	CHECK_EQ(ev[6].call_site, 0x85);
	CHECK_EQ(ev[6].bytes_req, 16);
	CHECK_EQ(ev[6].bytes_alloc, 64);
	CHECK_EQ(ev[7].kind, EVENT_PERCPU_FREE);
	CHECK_EQ(ev[8].kind, EVENT_VMAP_ALLOC);
	CHECK_EQ(ev[8].bytes_req, 20480);
	CHECK_EQ(ev[8].bytes_alloc, 16384);
	CHECK_EQ(ev[9].kind, EVENT_VMAP_FREE);
	CHECK_EQ(ev[10].kind, EVENT_MODULE_LOAD);
	CHECK_STR(names_text(rig->names, ev[10].cache), "xfs");
	CHECK_EQ(ev[11].kind, EVENT_TASK_NEW);
	CHECK_EQ(ev[11].pid, 7);
	CHECK_EQ(ev[11].addr, 8);
	CHECK_EQ(ev[11].bytes_req, 0x10000);
	CHECK_STR(names_text(rig->names, ev[11].cache), "worker");
	CHECK_EQ(onecpu_stats(rig)->events, 13);
	CHECK_EQ(onecpu_stats(rig)->skipped, 1);
	CHECK_EQ(onecpu_stats(rig)->pages, 1);
	CHECK_EQ(onecpu_stats(rig)->malformed, 0);
}

TEST(every_field_of_every_kind_is_decoded)
{
	every_field(false);
}

TEST(every_field_of_every_kind_is_decoded_from_big_endian_pages)
{
	every_field(true);
}

TEST(event_at_the_very_end_of_a_page_is_decoded_in_full)
{
	ONECPU(rig, .size = 16 + 28);
	struct pages *p = onecpu_page(rig, 5);

	put(p, .type = PAGES_KFREE, .ts = 5, .addr = 0x1122334455667788, .call_site = 0x99);
	CHECK_EQ(pages_left(p), 0);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 1);
	CHECK_EQ(ev[0].addr, 0x1122334455667788);
	CHECK_EQ(ev[0].bytes_alloc, 0);
	CHECK_EQ(ev[0].gfp_flags, 0);
}

TEST(failed_page_allocation_has_no_pfn_and_failed_vmap_no_address)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .addr = UINT64_MAX);
	put(p, .type = PAGES_VMAP_ALLOC, .addr = 0x1000, .bytes_req = 8192, .failed = true);
	const struct event *ev = onecpu_run(rig);

	CHECK(ev[0].addr == EVENT_PFN_NONE);
	CHECK_EQ(ev[1].addr, 0);
}

TEST(missed_events_become_a_gap_from_the_last_event_to_the_page)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .pid = 5, .addr = 1);
	p = onecpu_page(rig, 500);
	put(p, .type = PAGES_KFREE, .ts = 510, .pid = 5, .addr = 2);
	pages_missed(p, 77);
	p = onecpu_page(rig, 900);
	put(p, .type = PAGES_KFREE, .ts = 910, .pid = 5, .addr = 3);
	pages_missed(p, 0);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 5);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(ev[1].addr, 150);
	CHECK_EQ(ev[1].ts_ns, 500);
	CHECK_EQ(ev[1].bytes_req, 77);
	CHECK_EQ(ev[1].bytes_alloc, 0);
	CHECK_EQ(ev[1].cpu, 3);
	CHECK_EQ(ev[3].kind, EVENT_LOST);
	CHECK_EQ(ev[3].addr, 510);
	CHECK_EQ(ev[3].ts_ns, 900);
	CHECK(ev[3].bytes_req == EVENT_LOST_UNKNOWN);
	CHECK_EQ(onecpu_stats(rig)->events, 3);
	CHECK_EQ(onecpu_stats(rig)->damaged_pages, 0);
}

TEST(events_missed_before_the_first_page_are_a_gap_from_0)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .addr = 1);
	pages_missed(p, 9);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(ev[0].kind, EVENT_LOST);
	CHECK_EQ(ev[0].addr, 0);
	CHECK_EQ(ev[0].ts_ns, 100);
	CHECK_EQ(ev[1].kind, EVENT_KFREE);
}

TEST(page_that_does_not_decode_from_some_byte_on_costs_its_rest)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .addr = 1);
	pages_raw(p, 0, 0);
	pages_word(p, 3);
	for (int i = 0; i < 10; i++)
		pages_word(p, 0);
	p = onecpu_page(rig, 300);
	put(p, .type = PAGES_KFREE, .ts = 310, .addr = 2);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 3);
	CHECK_EQ(ev[0].addr, 1);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(ev[1].addr, 150);
	CHECK_EQ(ev[1].ts_ns, 300);
	CHECK(ev[1].bytes_req == EVENT_LOST_UNKNOWN);
	CHECK_EQ(ev[1].bytes_alloc, 48);
	CHECK_EQ(ev[2].addr, 2);
	CHECK_EQ(onecpu_stats(rig)->damaged_pages, 1);
	CHECK_EQ(onecpu_stats(rig)->pages, 2);
}

TEST(damage_at_the_end_is_a_gap_at_the_last_time_seen)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .addr = 1);
	p = onecpu_page(rig, 300);
	p->len = 5000;
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 2);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(ev[1].addr, 150);
	CHECK_EQ(ev[1].ts_ns, 150);
	CHECK_EQ(ev[1].bytes_alloc, 4096);
}

TEST(damage_of_several_pages_and_chunks_adds_up_to_one_gap)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .addr = 1);
	onecpu_page(rig, 200)->len = 5000;
	onecpu_page(rig, 250)->len = 5000;
	p = onecpu_page(rig, 300);
	put(p, .type = PAGES_KFREE, .ts = 310, .addr = 2);
	rig->damaged[3] = 40960;
	rig->damaged[4] = 1;
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 4);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(ev[1].bytes_alloc, 2 * 4096 + 40960);
	CHECK_EQ(ev[1].ts_ns, 300);
	CHECK_EQ(ev[3].kind, EVENT_LOST);
	CHECK_EQ(ev[3].bytes_alloc, 1);
	CHECK_EQ(ev[3].ts_ns, 310);
	CHECK_EQ(onecpu_stats(rig)->damaged_pages, 2 + 10 + 1);
}

TEST(damage_and_missed_events_are_two_gaps)
{
	ONECPU(rig, 0);
	struct pages *p;

	onecpu_page(rig, 100)->len = 5000;
	p = onecpu_page(rig, 300);
	put(p, .type = PAGES_KFREE, .ts = 310, .addr = 2);
	pages_missed(p, 12);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 3);
	CHECK_EQ(ev[0].kind, EVENT_LOST);
	CHECK_EQ(ev[0].bytes_alloc, 4096);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(ev[1].bytes_req, 12);
	CHECK_EQ(ev[1].bytes_alloc, 0);
}

TEST(empty_page_hands_its_lost_mark_to_the_next)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .addr = 1);
	pages_missed(onecpu_page(rig, 7), 5);
	p = onecpu_page(rig, 300);
	put(p, .type = PAGES_KFREE, .ts = 310, .addr = 2);
	pages_missed(p, 6);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 3);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(ev[1].ts_ns, 300);
	CHECK_EQ(ev[1].bytes_req, 11);
}

TEST(event_shorter_than_its_format_is_malformed_and_dropped)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);
	uint8_t raw[20] = { 0 };

	pages_put(&rig->opts, raw, 2, PAGES_FIRST_ID + PAGES_KFREE);
	CHECK(pages_event(p, 1, raw, 20));
	CHECK(pages_event(p, 2, raw, 4));
	CHECK(pages_event(p, 3, raw, 0));
	put(p, .type = PAGES_KFREE, .ts = 4, .addr = 2);
	onecpu_run(rig);
	CHECK_EQ(rig->nr_events, 1);
	CHECK_EQ(onecpu_stats(rig)->events, 4);
	CHECK_EQ(onecpu_stats(rig)->malformed, 3);
}

TEST(impossible_order_is_malformed_and_dropped)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .order = 32);
	put(p, .type = PAGES_PAGE_FREE, .ts = 2, .order = 0xffffffff);
	put(p, .type = PAGES_PAGE_FREE, .ts = 3, .order = 31);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 1);
	CHECK_EQ(ev[0].bytes_alloc, UINT64_C(4096) << 31);
	CHECK_EQ(onecpu_stats(rig)->malformed, 2);
}

TEST(name_outside_of_its_event_costs_the_name_only)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);
	uint8_t raw[32] = { 0 };

	pages_put(&rig->opts, raw, 2, PAGES_FIRST_ID + PAGES_CACHE_FREE);
	pages_put(&rig->opts, raw + 16, 8, 0xabc);
	pages_put(&rig->opts, raw + 24, 4, 5 << 16 | 28); /* passes the end by one */
	CHECK(pages_event(p, 1, raw, sizeof(raw)));
	pages_put(&rig->opts, raw + 24, 4, 0xffffffff);
	CHECK(pages_event(p, 2, raw, sizeof(raw)));
	pages_put(&rig->opts, raw + 24, 4, 0 << 16 | 32);
	CHECK(pages_event(p, 3, raw, sizeof(raw)));
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 3);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(ev[i].addr, 0xabc);
		CHECK_EQ(ev[i].cache, EVENT_CACHE_NONE);
	}
	CHECK_EQ(onecpu_stats(rig)->malformed, 2);
	CHECK_EQ(names_count(rig->names), 0);
}

TEST(equal_names_are_one_id_whatever_their_length)
{
	ONECPU(rig, .size = 65536);
	struct pages *p = onecpu_page(rig, 0);
	char name[300];

	for (int round = 0; round < 2; round++) {
		for (size_t len = 1; len < 300; len++) {
			memset(name, 'x', len);
			name[len] = '\0';
			if (pages_left(p) < 400)
				p = onecpu_page(rig, 0);
			put(p, .type = PAGES_CACHE_FREE, .name = name);
		}
	}
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 2 * 299);
	for (size_t i = 0; i < 299; i++) {
		/* Cut at 255, which makes the longest ones equal. */
		CHECK_EQ(ev[i].cache, i < 255 ? i + 1 : 255);
		CHECK_EQ(ev[299 + i].cache, ev[i].cache);
	}
	CHECK_EQ(names_count(rig->names), 255);
	CHECK_EQ(strlen(names_text(rig->names, 255)), 255);
}

TEST(time_that_steps_back_is_passed_on_and_counted)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 100);

	put(p, .type = PAGES_KFREE, .ts = 150, .addr = 1);
	put(p, .type = PAGES_KFREE, .ts = 140, .addr = 2);
	put(p, .type = PAGES_KFREE, .ts = 140, .addr = 3);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(ev[1].ts_ns, 140);
	CHECK_EQ(ev[2].ts_ns, 140);
	CHECK_EQ(onecpu_stats(rig)->backward_steps, 1);
}

TEST(portion_ends_a_block_within_a_page)
{
	ONECPU(rig, .size = 65536);
	struct pages *p = onecpu_page(rig, 1000);
	const struct event *ev;
	size_t nr, sum = 0, blocks = 0;

	for (uint64_t i = 0; i < 1000; i++)
		put(p, .type = PAGES_KFREE, .ts = 1000 + i, .addr = 0xff80 + i);
	onecpu_start(rig);
	cursor_portion(rig->cursor, 100);
	for (;; blocks++) {
		CHECK_OK(cursor_next(rig->cursor, &ev, &nr));
		if (!nr)
			break;
		CHECK(nr <= 200);
		for (size_t i = 0; i < nr; i++)
			CHECK_EQ(ev[i].addr, 0xff80 + sum++);
	}
	CHECK_EQ(sum, 1000);
	CHECK(blocks >= 5 && blocks <= 11);
	CHECK(cursor_is_over(rig->cursor));
}

TEST(error_of_the_source_is_passed_on)
{
	ONECPU(rig, 0);
	const struct event *ev;
	size_t nr;

	onecpu_start(rig);
	rig->fails = true;
	CHECK_ERR(cursor_next(rig->cursor, &ev, &nr), "contradicts");
}

/* A kernel of 32 bits: fields of the machine's long, and the old stack. */
TEST(machine_of_32_bits_is_decoded)
{
	static const struct pages_format texts[] = {
		{ "kmem", "name: mm_page_alloc\nID: 700\nformat:\n"
			  "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
			  "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
			  "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
			  "\tfield:unsigned long pfn;\toffset:8;\tsize:4;\tsigned:0;\n"
			  "\tfield:unsigned int "
			  "order;\toffset:12;\tsize:4;\tsigned:0;\n\nprint fmt: \"\"\n" },
		{ "ftrace",
		  "name: kernel_stack\nID: 4\nformat:\n"
		  "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		  "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		  "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
		  "\tfield:unsigned long caller[8];\toffset:8;\tsize:32;\tsigned:0;\n\nprint "
		  "fmt: \"\"\n" },
	};
	for (int big = 0; big < 2; big++) {
		ONECPU(rig, .big = big, .long_size = 4);
		const struct pages_opts *o = &rig->opts;
		uint8_t raw[40] = { 0 };

		onecpu_formats(rig, 4, texts, 2);
		struct pages *p = onecpu_page(rig, 0);

		pages_put(o, raw, 2, 700);
		pages_put(o, raw + 8, 4, 0xffffffff);
		CHECK(pages_event(p, 1, raw, 16));
		pages_put(o, raw + 8, 4, 0xfffffffe);
		CHECK(pages_event(p, 2, raw, 16));
		pages_put(o, raw, 2, 4);
		pages_put(o, raw + 8, 4, 0xc0001000);
		pages_put(o, raw + 12, 4, 0xc0002000);
		CHECK(pages_event(p, 3, raw, 40));
		pages_missed(p, 33);
		const struct event *ev = onecpu_run(rig);

		CHECK_EQ(rig->nr_events, 3);
		CHECK_EQ(ev[0].bytes_req, 33);
		CHECK(ev[1].addr == EVENT_PFN_NONE);
		CHECK_EQ(ev[2].addr, 0xfffffffe);
		CHECK_EQ(ev[2].nr_stack, 2);
		CHECK_EQ(ev[2].stack[0], 0xc0001000);
		CHECK_EQ(ev[2].stack[1], 0xc0002000);
	}
}

TEST(percpu_area_of_a_kernel_that_tells_one_size_is_taken_times_the_cpus)
{
	ONECPU(rig, 0);
	static const char old[] =
		"name: percpu_alloc_percpu\nID: 700\nformat:\n"
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
		"\tfield:size_t size;\toffset:8;\tsize:8;\tsigned:0;\n"
		"\tfield:void * ptr;\toffset:16;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n";
	uint8_t raw[24] = { 0 };

	onecpu_formats(rig, 8, &(struct pages_format){ "percpu", old }, 1);
	pages_put(&rig->opts, raw, 2, 700);
	pages_put(&rig->opts, raw + 8, 8, 24);
	pages_put(&rig->opts, raw + 16, 8, 0x60);
	CHECK(pages_event(onecpu_page(rig, 0), 1, raw, sizeof(raw)));
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(ev[0].bytes_req, 24);
	CHECK_EQ(ev[0].bytes_alloc, 4 * 24);
	CHECK_EQ(ev[0].call_site, 0);
}
