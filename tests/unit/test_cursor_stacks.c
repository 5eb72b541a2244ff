// SPDX-License-Identifier: GPL-2.0-or-later
/* How stacks find the events they belong to: cursor rules 1 to 4. */
#include "decode/cursor.h"

#include "tests/lib/onecpu.h"
#include "tests/lib/test.h"

#define put(p, ...) CHECK(pages_record(p, &(struct pages_record){ __VA_ARGS__ }))

static const uint64_t frames[] = { 0xffffffff81000010, 0xffffffff81000020, 0xffffffff81000030,
				   0xffffffff81000040 };

static void put_stack(struct pages *p, uint64_t ts, int32_t pid, uint8_t flags, size_t nr)
{
	put(p, .type = PAGES_STACK, .ts = ts, .pid = pid, .flags = flags, .stack = frames,
	    .nr_stack = nr);
}

static void check_stack(const struct event *ev, size_t nr)
{
	CHECK_EQ(ev->nr_stack, nr);
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(ev->stack[i], frames[i]);
}

TEST(stack_joins_the_event_in_front_of_it)
{
	for (int big = 0; big < 2; big++) {
		ONECPU(rig, .big = big);
		struct pages *p = onecpu_page(rig, 0);

		put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
		put_stack(p, 2, 5, 0, 4);
		put(p, .type = PAGES_PAGE_ALLOC, .ts = 3, .pid = 5, .addr = 2);
		put_stack(p, 4, 5, 0, 2);
		put(p, .type = PAGES_PAGE_ALLOC, .ts = 5, .pid = 5, .addr = 3);
		const struct event *ev = onecpu_run(rig);

		CHECK_EQ(rig->nr_events, 3);
		check_stack(&ev[0], 4);
		check_stack(&ev[1], 2);
		check_stack(&ev[2], 0);
		CHECK_EQ(onecpu_stats(rig)->stacks, 2);
		CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 0);
		CHECK_EQ(onecpu_stats(rig)->events, 5);
	}
}

TEST(stack_on_the_next_page_finds_its_event)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	put_stack(onecpu_page(rig, 2), 2, 5, 0, 3);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 1);
	check_stack(&ev[0], 3);
}

TEST(stack_behind_hundreds_of_interrupt_events_finds_its_event)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);
	uint64_t ts = 1;

	put(p, .type = PAGES_PAGE_ALLOC, .ts = ts, .pid = 5, .addr = 1);
	while (ts < 3000) {
		struct pages_record irq = { .type = PAGES_PAGE_ALLOC,
					    .ts = ++ts,
					    .pid = 5,
					    .flags = ts % 2 ? 0x10 : 0x18,
					    .addr = ts };

		if (!pages_record(p, &irq)) {
			p = onecpu_page(rig, ts);
			CHECK(pages_record(p, &irq));
		}
	}
	p = onecpu_page(rig, ts);
	put_stack(p, ts + 1, 5, 0, 3);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 3000);
	CHECK_EQ(ev[0].addr, 1);
	check_stack(&ev[0], 3);
	for (size_t i = 1; i < rig->nr_events; i++)
		check_stack(&ev[i], 0);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 0);
}

/* Enough in front of the two for a hand-out between them and the last stack. */
TEST(stack_that_comes_after_others_were_handed_out_finds_its_event)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);
	uint64_t ts = 0;

	while (ts < 520) {
		if (pages_left(p) < 200)
			p = onecpu_page(rig, ts);
		put(p, .type = PAGES_KFREE, .ts = ++ts, .pid = 5, .addr = ts);
	}
	put(p, .type = PAGES_PAGE_ALLOC, .ts = ++ts, .pid = 5, .addr = 1);
	put(p, .type = PAGES_PAGE_ALLOC, .ts = ++ts, .pid = 5, .flags = 0x10, .addr = 2);
	put_stack(p, ++ts, 5, 0x10, 2);
	put_stack(onecpu_page(rig, ts), ts, 5, 0, 3);

	const struct event *ev;
	size_t nr;

	onecpu_start(rig);
	CHECK_OK(cursor_next(rig->cursor, &ev, &nr));
	CHECK_EQ(nr, 520);
	CHECK_OK(cursor_next(rig->cursor, &ev, &nr));
	CHECK_EQ(nr, 2);
	CHECK_EQ(ev[0].addr, 1);
	check_stack(&ev[0], 3);
	CHECK_EQ(ev[1].addr, 2);
	check_stack(&ev[1], 2);
}

TEST(stack_that_never_comes_holds_up_one_block_at_most)
{
	ONECPU(rig, .size = 65536);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	for (uint64_t ts = 2; ts < 10000; ts++) {
		struct pages_record irq = { .type = PAGES_KFREE, .ts = ts, .flags = 0x10 };

		if (!pages_record(p, &irq)) {
			p = onecpu_page(rig, ts);
			CHECK(pages_record(p, &irq));
		}
	}
	put_stack(p, 10000, 5, 0, 3);

	const struct event *ev;
	size_t nr;

	onecpu_start(rig);
	CHECK_OK(cursor_next(rig->cursor, &ev, &nr));
	CHECK(nr > 0);
	CHECK_EQ(ev[0].addr, 1);
	check_stack(&ev[0], 0);
	CHECK(onecpu_stats(rig)->events <= CURSOR_BLOCK);
	size_t all = nr;

	for (;;) {
		CHECK_OK(cursor_next(rig->cursor, &ev, &nr));
		if (!nr)
			break;
		all += nr;
	}
	CHECK_EQ(all, 9999);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 1);
}

TEST(nested_contexts_keep_their_own_stacks)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 2, .pid = 5, .flags = 0x10, .addr = 2);
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 3, .pid = 5, .flags = 0x18, .addr = 3);
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 4, .pid = 5, .flags = 0x58, .addr = 4);
	put_stack(p, 5, 5, 0x58, 4);
	put_stack(p, 6, 5, 0x18, 3);
	put_stack(p, 7, 5, 0x10, 2);
	put_stack(p, 8, 5, 0x00, 1);
	const struct event *ev = onecpu_run(rig);

	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(ev[i].addr, i + 1);
		check_stack(&ev[i], i + 1);
	}
}

TEST(other_bits_of_the_flags_are_no_context)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .flags = 0x01, .addr = 1);
	put_stack(p, 2, 5, 0xa5, 3);
	check_stack(onecpu_run(rig), 3);
}

TEST(stack_of_another_pid_or_context_is_an_orphan)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	put_stack(p, 2, 6, 0, 3);
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 3, .pid = 5, .addr = 1);
	put_stack(p, 4, 5, 0x10, 3);
	const struct event *ev = onecpu_run(rig);

	check_stack(&ev[0], 0);
	check_stack(&ev[1], 0);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 2);
}

TEST(second_stack_of_one_event_is_an_orphan)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	put_stack(p, 2, 5, 0, 3);
	put_stack(p, 3, 5, 0, 4);
	check_stack(onecpu_run(rig), 3);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 1);
}

TEST(stack_of_an_event_that_is_not_ours_joins_no_other)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	put(p, .type = PAGES_OTHER, .ts = 2, .pid = 5);
	put_stack(p, 3, 5, 0, 3);
	check_stack(onecpu_run(rig), 0);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 0);
	CHECK_EQ(onecpu_stats(rig)->stacks, 1);
}

TEST(stack_joins_no_event_that_an_interrupt_had_before)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	/* The softirq is over once an event of the task follows. */
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .flags = 0x10, .addr = 1);
	put(p, .type = PAGES_KFREE, .ts = 2, .pid = 5, .addr = 2);
	put_stack(p, 3, 5, 0x10, 3);
	const struct event *ev = onecpu_run(rig);

	check_stack(&ev[0], 0);
	check_stack(&ev[1], 0);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 1);
}

TEST(deep_stack_is_cut_at_its_outer_end)
{
	ONECPU(rig, .size = 65536);
	struct pages *p = onecpu_page(rig, 0);
	uint64_t deep[1500];

	for (size_t i = 0; i < 1500; i++)
		deep[i] = i + 1;
	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5);
	put(p, .type = PAGES_STACK, .ts = 2, .pid = 5, .stack = deep, .nr_stack = 1500);
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(ev[0].nr_stack, CURSOR_MAX_FRAMES);
	CHECK_EQ(ev[0].stack[0], 1);
	CHECK_EQ(ev[0].stack[CURSOR_MAX_FRAMES - 1], CURSOR_MAX_FRAMES);
}

TEST(frames_behind_an_end_mark_are_not_taken)
{
	static const uint64_t marked[] = { 1, 2, UINT64_MAX, 4 };
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5);
	put(p, .type = PAGES_STACK, .ts = 2, .pid = 5, .stack = marked, .nr_stack = 4);
	CHECK_EQ(onecpu_run(rig)[0].nr_stack, 2);
}

TEST(stack_with_more_frames_than_bytes_is_malformed)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);
	uint8_t raw[32] = { 0 };

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5);
	pages_put(&rig->opts, raw, 2, PAGES_STACK_ID);
	pages_put(&rig->opts, raw + 4, 4, 5);
	pages_put(&rig->opts, raw + 8, 4, 3);
	CHECK(pages_event(p, 2, raw, sizeof(raw)));
	pages_put(&rig->opts, raw + 8, 4, 0xffffffff);
	CHECK(pages_event(p, 3, raw, sizeof(raw)));
	check_stack(onecpu_run(rig), 0);
	CHECK_EQ(onecpu_stats(rig)->malformed, 2);
}

TEST(many_stacks_do_not_outgrow_the_pool)
{
	ONECPU(rig, .size = 65536);
	struct pages *p = onecpu_page(rig, 0);
	uint64_t deep[1000];
	size_t nr = 0;

	for (size_t i = 0; i < 1000; i++)
		deep[i] = i + 1;
	for (uint64_t ts = 1; nr < 300; ts += 2) {
		if (pages_left(p) < 9000)
			p = onecpu_page(rig, ts);
		/* All in ever deeper nesting, so that the first waits to the end. */
		put(p, .type = PAGES_PAGE_ALLOC, .ts = ts, .pid = 5, .flags = nr ? 0x10 : 0,
		    .addr = nr);
		if (nr++)
			put(p, .type = PAGES_STACK, .ts = ts, .pid = 5, .flags = 0x10,
			    .stack = deep, .nr_stack = 1000);
	}
	const struct event *ev = onecpu_run(rig);

	CHECK_EQ(rig->nr_events, 300);
	for (size_t i = 1; i < 300; i++) {
		CHECK_EQ(ev[i].addr, i);
		CHECK_EQ(ev[i].nr_stack, 1000);
		CHECK_EQ(ev[i].stack[999], 1000);
	}
}

TEST(deep_stacks_make_a_portion_smaller)
{
	ONECPU(rig, .size = 65536);
	struct pages *p = onecpu_page(rig, 1000);
	uint64_t deep[64];
	const struct event *ev;
	size_t nr, sum = 0;

	for (uint64_t i = 0; i < 64; i++)
		deep[i] = i + 1;
	for (uint64_t i = 0; i < 100; i++) {
		put(p, .type = PAGES_KMALLOC, .ts = 1000 + i, .addr = i);
		put(p, .type = PAGES_STACK, .ts = 1000 + i, .stack = deep, .nr_stack = 64);
	}
	onecpu_start(rig);
	cursor_portion(rig->cursor, 64);
	do {
		CHECK_OK(cursor_next(rig->cursor, &ev, &nr));
		CHECK(nr <= 17);
		for (size_t i = 0; i < nr; i++) {
			CHECK_EQ(ev[i].addr, sum++);
			CHECK_EQ(ev[i].nr_stack, 64);
		}
	} while (nr);
	CHECK_EQ(sum, 100);
}

TEST(gap_ends_the_wait_for_a_stack)
{
	ONECPU(rig, 0);
	struct pages *p = onecpu_page(rig, 0);

	put(p, .type = PAGES_PAGE_ALLOC, .ts = 1, .pid = 5, .addr = 1);
	p = onecpu_page(rig, 2);
	put_stack(p, 2, 5, 0, 3);
	pages_missed(p, 1);
	const struct event *ev = onecpu_run(rig);

	check_stack(&ev[0], 0);
	CHECK_EQ(ev[1].kind, EVENT_LOST);
	CHECK_EQ(onecpu_stats(rig)->orphan_stacks, 1);
}
