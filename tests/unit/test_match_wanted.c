// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose allocations are reported, while all are followed. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "match/match.h"
#include "tests/lib/test.h"

enum { MINE = 7, OTHER = 8 };

#define PTR UINT64_C(0xffff888012345600)

static bool is_mine(void *arg, const struct event *ev)
{
	(void)arg;
	return ev->pid == MINE;
}

static void event(struct match *match, enum event_kind kind, int32_t pid, uint64_t site,
		  uint64_t addr)
{
	static uint64_t now = 1000;

	match_event(match, &(struct event){ .kind = kind & 0x1f,
					    .pid = pid,
					    .ts_ns = now += 1000,
					    .call_site = site,
					    .addr = addr,
					    .bytes_req = 64,
					    .bytes_alloc = 64 });
}

static struct match *begin(bool filtered)
{
	return match_new(&(struct match_opts){
		.page_size = 4096, .wanted = filtered ? NULL : is_mine, .filtered = filtered });
}

/* The one site. */
static const struct site *finish(struct match *match)
{
	size_t nr;

	match_finish(match);
	const struct site *s = match_sites(match, &nr);
	auto_free uint32_t *group = xcalloc(nr + 1, sizeof(*group));

	match_judge(match, group, 0);
	CHECK_EQ(nr, 1);
	return s;
}

TEST(only_what_is_wanted_is_reported)
{
	CLEANUP(match_cleanup) struct match *match = begin(false);

	event(match, EVENT_KMALLOC, MINE, 0x100, PTR);
	event(match, EVENT_KMALLOC, OTHER, 0x100, PTR + 64);
	event(match, EVENT_KMALLOC, OTHER, 0x200, PTR + 128);
	const struct site *s = finish(match);
	size_t nr;

	CHECK_EQ(s->call_site, 0x100);
	CHECK_EQ(s->allocs, 1);
	CHECK_EQ(s->live_bytes, 64);
	match_accounts(match, &nr);
	CHECK_EQ(nr, 1);
}

TEST(frees_by_others_count_and_frees_of_others_are_not_unknown)
{
	CLEANUP(match_cleanup) struct match *match = begin(false);

	event(match, EVENT_KMALLOC, MINE, 0x100, PTR);
	event(match, EVENT_KMALLOC, OTHER, 0x100, PTR + 64);
	event(match, EVENT_KFREE, OTHER, 0x300, PTR);
	event(match, EVENT_KFREE, MINE, 0x300, PTR + 64);
	const struct site *s = finish(match);

	CHECK_EQ(s->frees, 1);
	CHECK_EQ(s->live, 0);
	CHECK_EQ(match_totals(match)->unknown_frees[SITE_SLAB], 0);
}

TEST(memory_that_another_task_allocates_anew_is_gone)
{
	CLEANUP(match_cleanup) struct match *match = begin(false);

	event(match, EVENT_KMALLOC, MINE, 0x100, PTR);
	event(match, EVENT_KMALLOC, OTHER, 0x200, PTR);
	const struct site *s = finish(match);

	CHECK_EQ(s->live, 0);
	CHECK_EQ(s->inferred_frees[END_REUSE], 1);
}

TEST(of_filtered_allocations_an_unknown_free_makes_no_site)
{
	CLEANUP(match_cleanup) struct match *match = begin(true);

	event(match, EVENT_KMALLOC, MINE, 0x100, PTR);
	event(match, EVENT_KFREE, MINE, 0x300, PTR + 64);
	event(match, EVENT_KFREE, MINE, 0x300, PTR + 64);
	const struct site *s = finish(match);

	CHECK_EQ(s->call_site, 0x100);
	CHECK_EQ(s->preexisting_frees, 0);
	CHECK_EQ(match_totals(match)->unknown_frees[SITE_SLAB], 2);
	CHECK_EQ(match_totals(match)->silent_allocs, 0);
}
