// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/subbuf.h"

#include "tests/lib/pages.h"
#include "tests/lib/test.h"

static const struct pages_opts shapes[] = {
	{ .size = 4096 },
	{ .size = 4096, .big = true },
	{ .size = 4096, .long_size = 4 },
	{ .size = 4096, .big = true, .long_size = 4 },
	{ .size = 65536 },
	{ .size = 65536, .big = true },
	{ .size = 1 << 20 },
};

#define for_each_shape(o)                         \
	for (const struct pages_opts *o = shapes; \
	     o < shapes + sizeof(shapes) / sizeof(*shapes); o++)

static struct subbuf_layout layout_of(const struct pages_opts *o)
{
	struct subbuf_layout layout;

	CHECK_OK(subbuf_layout_parse(pages_header(o), pages_swapped(o), &layout));
	return layout;
}

static bool start(struct subbuf *sub, struct pages *p)
{
	struct subbuf_layout layout = layout_of(&p->opts);

	return subbuf_init(sub, &layout, pages_end(p));
}

/* The next event, in the byte order of the page. */
static bool next(struct subbuf *sub, const struct pages *p, struct subbuf_event *ev)
{
	return subbuf_next(sub, ev, pages_swapped(&p->opts));
}

static void expect(struct subbuf *sub, const struct pages *p, uint64_t ts, size_t len,
		   uint8_t first)
{
	struct subbuf_event ev;

	CHECK(next(sub, p, &ev));
	CHECK_EQ(ev.ts, ts);
	CHECK_EQ(ev.len, len);
	if (len)
		CHECK_EQ(ev.data[0], first);
}

static void expect_end(struct subbuf *sub, const struct pages *p, enum subbuf_fault fault)
{
	struct subbuf_event ev;

	CHECK(!next(sub, p, &ev));
	CHECK_EQ(sub->fault, fault);
	CHECK(!next(sub, p, &ev));
}

TEST(small_and_long_events_come_in_page_order_with_their_times)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint8_t payload[400];
		struct subbuf sub;

		pages_begin(&p, o, 5000);
		memset(payload, 1, sizeof(payload));
		CHECK(pages_event(&p, 5000, payload, 4));
		memset(payload, 2, sizeof(payload));
		CHECK(pages_event(&p, 5007, payload, 112));
		memset(payload, 3, sizeof(payload));
		CHECK(pages_event(&p, 5008, payload, 116));
		memset(payload, 4, sizeof(payload));
		CHECK(pages_event_long(&p, 5008, payload, 8));
		CHECK(pages_event(&p, 6000, payload, 0));
		CHECK(start(&sub, &p));
		CHECK_EQ(sub.base_ts, 5000);
		CHECK_EQ(sub.lost, 0);
		expect(&sub, &p, 5000, 4, 1);
		expect(&sub, &p, 5007, 112, 2);
		expect(&sub, &p, 5008, 116, 3);
		expect(&sub, &p, 5008, 8, 4);
		expect(&sub, &p, 6000, 0, 0);
		expect_end(&sub, &p, SUBBUF_OK);
		CHECK_EQ(subbuf_refused_bytes(&sub), 0);
	}
}

TEST(time_extend_adds_the_long_step)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint32_t payload = 0;
		struct subbuf sub;
		uint64_t far = UINT64_C(1) << 40;

		pages_begin(&p, o, 7);
		CHECK(pages_event(&p, far + 5, &payload, 4));
		CHECK(pages_event(&p, far + (1 << 27) + 4, &payload, 4)); /* one below */
		CHECK(pages_event(&p, far + (2 << 27) + 4, &payload, 4)); /* one above */
		CHECK(start(&sub, &p));
		expect(&sub, &p, far + 5, 4, 0);
		expect(&sub, &p, far + (1 << 27) + 4, 4, 0);
		expect(&sub, &p, far + (2 << 27) + 4, 4, 0);
		expect_end(&sub, &p, SUBBUF_OK);
	}
}

TEST(time_stamp_is_absolute_and_takes_its_top_bits_from_the_running_time)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint32_t payload = 0;
		struct subbuf sub;
		uint64_t top = UINT64_C(3) << 59;

		pages_begin(&p, o, top + 100);
		pages_time_stamp(&p, top + 5000);
		CHECK(pages_event(&p, top + 5001, &payload, 4));
		CHECK(start(&sub, &p));
		expect(&sub, &p, top + 5001, 4, 0);
		expect_end(&sub, &p, SUBBUF_OK);
	}
}

TEST(time_stamp_that_wrapped_carries_into_the_top_bits)
{
	CLEANUP(pages_free) struct pages p;
	uint32_t payload = 0;
	struct subbuf sub;
	uint64_t before = (UINT64_C(2) << 59) - 10; /* top bits 1, low bits nearly full */
	uint64_t after = (UINT64_C(2) << 59) + 3;

	pages_begin(&p, &shapes[0], before);
	pages_time_stamp(&p, after);
	CHECK(pages_event(&p, after, &payload, 4));
	CHECK(start(&sub, &p));
	expect(&sub, &p, after, 4, 0);
}

TEST(time_stamp_into_the_past_is_passed_on)
{
	CLEANUP(pages_free) struct pages p;
	uint32_t payload = 0;
	struct subbuf sub;

	pages_begin(&p, &shapes[0], 1000);
	CHECK(pages_event(&p, 900, &payload, 4));
	CHECK(start(&sub, &p));
	expect(&sub, &p, 900, 4, 0);
}

TEST(padding_without_a_delta_ends_the_page_whatever_follows)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint32_t payload = 0;
		struct subbuf sub;

		pages_begin(&p, o, 0);
		CHECK(pages_event(&p, 1, &payload, 4));
		pages_raw(&p, SUBBUF_PADDING, 0);
		pages_word(&p, 0x12345677);
		CHECK(pages_event(&p, 1, &payload, 4));
		CHECK(start(&sub, &p));
		expect(&sub, &p, 1, 4, 0);
		expect_end(&sub, &p, SUBBUF_OK);
	}
}

TEST(padding_ends_the_page)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint32_t payload = 0;
		struct subbuf sub;

		pages_begin(&p, o, 0);
		CHECK(pages_event(&p, 1, &payload, 4));
		pages_padding(&p);
		CHECK(start(&sub, &p));
		expect(&sub, &p, 1, 4, 0);
		expect_end(&sub, &p, SUBBUF_OK);
	}
}

TEST(discarded_event_is_skipped_but_its_time_counts_unless_it_is_1)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint32_t payload = 0;
		struct subbuf sub;

		pages_begin(&p, o, 100);
		pages_discarded(&p, 50, 24);
		CHECK(pages_event(&p, 151, &payload, 4));
		pages_discarded(&p, 0, 24);
		CHECK(pages_event(&p, 152, &payload, 4));
		CHECK(start(&sub, &p));
		expect(&sub, &p, 151, 4, 0);
		expect(&sub, &p, 152, 4, 0);
		expect_end(&sub, &p, SUBBUF_OK);
	}
}

TEST(lost_events_are_told_with_their_number_where_it_is_stored)
{
	for_each_shape(o)
	{
		for (uint64_t lost = 0; lost < 2; lost++) {
			CLEANUP(pages_free) struct pages p;
			uint32_t payload = 0;
			struct subbuf sub;

			pages_begin(&p, o, 0);
			CHECK(pages_event(&p, 1, &payload, 4));
			pages_missed(&p, lost * 26644);
			CHECK(start(&sub, &p));
			CHECK(sub.lost == (lost ? 26644 : SUBBUF_LOST_UNKNOWN));
			expect(&sub, &p, 1, 4, 0);
			expect_end(&sub, &p, SUBBUF_OK);
		}
	}
}

TEST(lost_count_without_room_is_unknown)
{
	CLEANUP(pages_free) struct pages p;
	struct subbuf sub;

	pages_begin(&p, &shapes[0], 0);
	pages_padding(&p);
	pages_missed(&p, 77);
	CHECK(start(&sub, &p));
	CHECK(sub.lost == SUBBUF_LOST_UNKNOWN);
}

TEST(empty_page_has_no_events)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		struct subbuf sub;

		pages_begin(&p, o, 9);
		CHECK(start(&sub, &p));
		expect_end(&sub, &p, SUBBUF_OK);
	}
}

TEST(event_past_the_commit_mark_is_refused_and_what_came_before_stands)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		uint32_t payload = 0;
		struct subbuf sub;

		pages_begin(&p, o, 0);
		CHECK(pages_event(&p, 1, &payload, 4));
		pages_raw(&p, 3, 1);
		pages_word(&p, 0);
		pages_word(&p, 0);
		CHECK(start(&sub, &p));
		expect(&sub, &p, 1, 4, 0);
		expect_end(&sub, &p, SUBBUF_PASSES);
		CHECK_EQ(subbuf_refused_bytes(&sub), 12);
	}
}

TEST(long_event_past_the_commit_mark_is_refused)
{
	static const uint32_t lengths[] = { 12, 16, 4096, 0x80000000, 0xfffffffc };

	for_each_shape(o)
	{
		for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
			CLEANUP(pages_free) struct pages p;
			struct subbuf sub;

			pages_begin(&p, o, 0);
			pages_raw(&p, 0, 1);
			pages_word(&p, lengths[i]);
			pages_word(&p, 0);
			CHECK(start(&sub, &p));
			expect_end(&sub, &p, SUBBUF_PASSES);
			CHECK_EQ(subbuf_refused_bytes(&sub), 12);
		}
	}
}

TEST(impossible_length_is_refused)
{
	static const uint32_t lengths[] = { 0, 1, 3, 5, 7 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (unsigned int type = 0; type < 2; type++) {
			CLEANUP(pages_free) struct pages p;
			struct subbuf sub;

			pages_begin(&p, &shapes[0], 0);
			pages_raw(&p, type ? SUBBUF_PADDING : 0, 2);
			pages_word(&p, lengths[i]);
			pages_word(&p, 0);
			CHECK(start(&sub, &p));
			expect_end(&sub, &p, SUBBUF_LENGTH);
		}
	}
}

TEST(second_word_beyond_the_commit_mark_is_refused)
{
	static const unsigned int types[] = { 0, SUBBUF_PADDING, SUBBUF_TIME_EXTEND,
					      SUBBUF_TIME_STAMP };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		CLEANUP(pages_free) struct pages p;
		struct subbuf sub;

		pages_begin(&p, &shapes[0], 0);
		pages_raw(&p, types[i], 2);
		CHECK(start(&sub, &p));
		expect_end(&sub, &p, SUBBUF_CUT);
		CHECK_EQ(subbuf_refused_bytes(&sub), 4);
	}
}

TEST(commit_mark_that_is_no_multiple_of_a_word_is_refused_at_its_end)
{
	CLEANUP(pages_free) struct pages p;
	uint32_t payload = 0;
	struct subbuf sub;

	pages_begin(&p, &shapes[0], 0);
	CHECK(pages_event(&p, 1, &payload, 4));
	p.len += 2;
	CHECK(start(&sub, &p));
	expect(&sub, &p, 1, 4, 0);
	expect_end(&sub, &p, SUBBUF_CUT);
	CHECK_EQ(subbuf_refused_bytes(&sub), 2);
}

TEST(commit_mark_outside_of_the_page_refuses_all_of_it)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		struct subbuf sub;

		pages_begin(&p, o, 0);
		p.len = p.opts.size - p.data_off + 1;
		CHECK(!start(&sub, &p));
		CHECK_EQ(sub.fault, SUBBUF_COMMIT);
		CHECK_EQ(subbuf_refused_bytes(&sub), p.opts.size);
		expect_end(&sub, &p, SUBBUF_COMMIT);
	}
}

TEST(nonsense_in_the_upper_half_of_the_commit_word_refuses_the_page)
{
	CLEANUP(pages_free) struct pages p;
	struct subbuf_layout layout = layout_of(&shapes[0]);
	struct subbuf sub;

	pages_begin(&p, &shapes[0], 0);
	struct span page = pages_end(&p);

	p.data[13] = 0x17;
	CHECK(!subbuf_init(&sub, &layout, page));
	CHECK_EQ(sub.fault, SUBBUF_COMMIT);
}

TEST(page_shorter_than_its_header_is_refused_at_every_length)
{
	for_each_shape(o)
	{
		CLEANUP(pages_free) struct pages p;
		struct subbuf_layout layout = layout_of(o);
		struct subbuf sub;

		pages_begin(&p, o, 0);
		struct span page = pages_end(&p);

		for (size_t len = 0; len < p.data_off; len++) {
			/* A copy of its own, so that a sanitizer sees one byte too far. */
			auto_free uint8_t *copy = malloc(len + 1);

			memcpy(copy, page.data, len);
			CHECK(!subbuf_init(&sub, &layout, (struct span){ copy, len }));
			CHECK_EQ(sub.fault, SUBBUF_SHORT);
		}
		page.len = p.data_off;
		CHECK(subbuf_init(&sub, &layout, page));
	}
}

TEST(header_page_gives_the_layout)
{
	struct subbuf_layout layout;

	CHECK_OK(subbuf_layout_parse(pages_header(&shapes[0]), false, &layout));
	CHECK_EQ(layout.commit_size, 8);
	CHECK_EQ(layout.data_off, 16);
	CHECK_OK(subbuf_layout_parse(pages_header(&shapes[2]), true, &layout));
	CHECK_EQ(layout.commit_size, 4);
	CHECK_EQ(layout.data_off, 12);
	CHECK(layout.swap);
}

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

TEST(header_page_without_a_field_is_refused_by_name)
{
	struct subbuf_layout layout;

	CHECK_ERR(subbuf_layout_parse(text(""), false, &layout), "no field timestamp");
	CHECK_ERR(subbuf_layout_parse(text("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"),
				      false, &layout),
		  "no field commit");
	CHECK_ERR(subbuf_layout_parse(text("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"
					   "\tfield: local_t commit;\toffset:8;\tsize:8;\n"),
				      false, &layout),
		  "no field data");
}

TEST(header_page_with_other_sizes_is_refused)
{
	struct subbuf_layout layout;

	CHECK_ERR(subbuf_layout_parse(text("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"
					   "\tfield: local_t commit;\toffset:8;\tsize:2;\n"
					   "\tfield: char data;\toffset:16;\tsize:4080;\n"),
				      false, &layout),
		  "commit of 2 bytes");
	CHECK_ERR(subbuf_layout_parse(text("\tfield: u64 timestamp;\toffset:0;\tsize:4;\n"
					   "\tfield: local_t commit;\toffset:8;\tsize:8;\n"
					   "\tfield: char data;\toffset:16;\tsize:4080;\n"),
				      false, &layout),
		  "timestamp of 4 bytes");
	CHECK_ERR(subbuf_layout_parse(
			  text("\tfield: u64 timestamp;\toffset:0;\tsize:8;\n"
			       "\tfield: local_t commit;\toffset:8;\tsize:8;\n"
			       "\tfield: char data;\toffset:4294967295;\tsize:4080;\n"),
			  false, &layout),
		  "data at");
}

TEST(every_fault_has_a_text)
{
	for (int i = 0; i < NR_SUBBUF_FAULTS; i++)
		CHECK(strcmp(subbuf_fault_text((enum subbuf_fault)i), "unknown fault"));
}
