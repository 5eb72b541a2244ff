// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The matcher against the oracle, and against laws that hold for any history.
 * SEEDS=N runs N histories of each kind; SEED=N runs that one only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "tests/lib/test.h"
#include "tests/property/history.h"
#include "tests/property/oracle.h"

enum { EVENTS = 200 };

/* What is wrong with a history, in static memory; NULL when nothing is. */
typedef const char *check_fn(const struct history *h);

static char wrong[256];
#define WRONG(...) (snprintf(wrong, sizeof(wrong), __VA_ARGS__), wrong)

static struct match *run_window(const struct event *ev, size_t nr, uint64_t from_ns,
				uint64_t until_ns)
{
	const struct match_opts opts = { .page_size = 4096,
					 .classify = oracle_classify,
					 .from_ns = from_ns,
					 .until_ns = until_ns };
	struct match *match = match_new(&opts);

	for (size_t i = 0; i < nr; i++)
		match_event(match, &ev[i]);
	match_finish(match);
	return match;
}

static struct match *run_unjudged(const struct event *ev, size_t nr)
{
	return run_window(ev, nr, 0, 0);
}

/* Every raw site is a call site. */
static struct match *run(const struct event *ev, size_t nr)
{
	struct match *match = run_unjudged(ev, nr);
	size_t nr_sites;

	match_sites(match, &nr_sites);
	auto_free uint32_t *group = xcalloc(nr_sites + 1, sizeof(*group));

	for (size_t i = 0; i < nr_sites; i++)
		group[i] = (uint32_t)i;
	match_judge(match, group, 0);
	return match;
}

static uint64_t key_of(const struct match *match, const struct site *s)
{
	size_t nr;
	const uint64_t *frame = stacks_frames(match_stacks(match), s->stack, &nr);

	return nr ? frame[0] : s->call_site;
}

static const struct site *site_with(const struct match *match, enum site_kind kind,
				    uint64_t key)
{
	size_t nr;
	const struct site *s = match_sites(match, &nr);

	for (size_t i = 0; i < nr; i++)
		if (s[i].kind == kind && key_of(match, &s[i]) == key)
			return &s[i];
	return NULL;
}

/* The first difference of two sites in anything but their key; @shift of times. */
static const char *site_difference(const struct site *a, const struct site *b, uint64_t shift)
{
	const struct {
		const char *name;
		uint64_t a, b;
	} field[] = {
#define FIELD(f) { #f, a->f, b->f }
		FIELD(cache),
		FIELD(allocs),
		FIELD(alloc_bytes),
		FIELD(bytes_req),
		FIELD(failures),
		FIELD(missing_stacks),
		FIELD(frees),
		FIELD(free_bytes),
		FIELD(inferred_frees[END_REUSE]),
		FIELD(inferred_frees[END_SLAB_PAGE]),
		FIELD(inferred_frees[END_OVERLAP]),
		FIELD(inferred_bytes[END_REUSE]),
		FIELD(inferred_bytes[END_SLAB_PAGE]),
		FIELD(inferred_bytes[END_OVERLAP]),
		FIELD(inferred_frees[END_AREA]),
		FIELD(inferred_bytes[END_AREA]),
		FIELD(unknown_frees),
		FIELD(unknown_free_bytes),
		FIELD(preexisting_frees),
		FIELD(preexisting_bytes),
		FIELD(live),
		FIELD(live_bytes),
		FIELD(pieces),
		FIELD(uncertain),
		FIELD(uncertain_bytes),
		FIELD(rcu_pending),
		FIELD(rcu_pending_bytes),
		FIELD(peak_bytes),
#undef FIELD
		{ "peak_ns", a->peak_ns, b->peak_bytes ? b->peak_ns + shift : 0 },
		{ "first_ns", a->first_ns, b->first_ns + shift },
		{ "last_ns", a->last_ns, b->last_ns + shift },
	};

	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		if (field[i].a != field[i].b)
			return WRONG("%s %#" PRIx64 ": %s is %" PRIu64 ", not %" PRIu64,
				     a->kind == SITE_SLAB ? "slab" : "other", b->call_site,
				     field[i].name, field[i].a, field[i].b);
	return NULL;
}

static bool is_empty(const struct site *s)
{
	return !s->allocs && !s->failures && !s->unknown_frees;
}

static const char *oracle_agrees(const struct history *h)
{
	static struct oracle o;
	CLEANUP(match_cleanup) struct match *match = run(h->ev, h->nr);
	struct match_totals t = *match_totals(match);
	const char *difference = NULL;
	size_t nr, nr_oracle = 0;

	memset(&o, 0, sizeof(o));
	o.base = HISTORY_BASE;
	for (size_t i = 0; i < h->nr; i++)
		oracle_event(&o, &h->ev[i]);
	oracle_finish(&o);
	for (size_t i = 0; i < o.nr_site && !difference; i++) {
		const struct site *s = site_with(match, o.site[i].kind, o.site[i].call_site);

		if (is_empty(&o.site[i]))
			continue;
		nr_oracle++;
		if (!s)
			return WRONG("no site %#" PRIx64, o.site[i].call_site);
		difference = site_difference(s, &o.site[i], 0);
	}
	match_sites(match, &nr);
	if (!difference && nr != nr_oracle)
		return WRONG("%zu sites, not %zu", nr, nr_oracle);
	if (!difference && t.page_offset_base != HISTORY_BASE)
		return "the base is wrong";
	t.lost_estimate = t.missed_calls = t.missed_bytes = 0;
	t.page_offset_base = t.page_offset_votes = t.page_offset_dissent = 0;
	if (!difference && memcmp(&t, &o.totals, sizeof(t)))
		for (size_t i = 0; i < sizeof(t) / 8; i++)
			if (((uint64_t *)&t)[i] != ((uint64_t *)&o.totals)[i])
				return WRONG("word %zu of the totals is %" PRIu64
					     ", not %" PRIu64,
					     i, ((uint64_t *)&t)[i],
					     ((uint64_t *)&o.totals)[i]);
	return difference;
}

static const char *books_balance(const struct history *h)
{
	CLEANUP(match_cleanup) struct match *match = run(h->ev, h->nr);
	size_t nr;
	const struct site *s = match_sites(match, &nr);

	for (; nr; s++, nr--) {
		uint64_t ends = s->frees, bytes = s->free_bytes;

		for (int r = 0; r < NR_END_RULES; r++) {
			ends += s->inferred_frees[r];
			bytes += s->inferred_bytes[r];
		}
		if (s->allocs != ends + s->live || s->alloc_bytes != bytes + s->live_bytes)
			return WRONG("site %#" PRIx64 " does not balance", key_of(match, s));
		if (s->lower > s->live + s->pieces || s->lower_bytes > s->live_bytes ||
		    s->upper < s->live + s->pieces || s->upper_bytes < s->live_bytes ||
		    (!s->lower && s->lower_bytes))
			return WRONG("site %#" PRIx64 " is not within its bounds",
				     key_of(match, s));
		if (!match_totals(match)->lost_gaps &&
		    (s->upper != s->live + s->pieces || s->upper_bytes != s->live_bytes ||
		     (ends == s->frees &&
		      (s->lower != s->live + s->pieces || s->lower_bytes != s->live_bytes))))
			return WRONG("site %#" PRIx64 " is in doubt for nothing",
				     key_of(match, s));
		if (s->uncertain > s->live || s->uncertain_bytes > s->live_bytes ||
		    s->live_bytes > s->peak_bytes || s->peak_bytes > s->alloc_bytes)
			return WRONG("site %#" PRIx64 " is out of order", key_of(match, s));
	}
	return NULL;
}

static const char *accounts_sum_up(const struct history *h)
{
	CLEANUP(match_cleanup) struct match *match = run(h->ev, h->nr);
	const struct account_doubt *d = match_account_doubts(match);
	size_t nr, nr_sites;
	const struct account *a = match_accounts(match, &nr);
	const struct site *site = match_sites(match, &nr_sites);
	auto_free struct site *sum = xcalloc(nr_sites + 1, sizeof(*sum));
	auto_free uint64_t *inferred = xcalloc(2 * nr_sites + 2, sizeof(*inferred));

	for (size_t i = 0; i < nr; i++, a++, d++) {
		struct site *s = &sum[account_site(a)];

		if (account_site(a) >= nr_sites || a->ends > a->allocs || d->inferred > a->ends)
			return WRONG("account %zu makes no sense", i);
		s->allocs += a->allocs;
		s->alloc_bytes += a->alloc_bytes;
		s->bytes_req += a->bytes_req;
		s->failures += a->failures;
		s->frees += a->ends - d->inferred;
		s->free_bytes += a->end_bytes - d->inferred_bytes;
		inferred[2 * account_site(a)] += d->inferred;
		inferred[2 * account_site(a) + 1] += d->inferred_bytes;
		s->uncertain += d->uncertain;
		s->uncertain_bytes += d->uncertain_bytes;
		s->pieces += d->pieces;
	}
	for (size_t i = 0; i < nr_sites; i++) {
		const struct site *s = &site[i];

		for (int r = 0; r < NR_END_RULES; r++) {
			inferred[2 * i] -= s->inferred_frees[r];
			inferred[2 * i + 1] -= s->inferred_bytes[r];
		}
		if (s->allocs != sum[i].allocs || s->alloc_bytes != sum[i].alloc_bytes ||
		    s->bytes_req != sum[i].bytes_req || s->failures != sum[i].failures ||
		    s->frees != sum[i].frees || s->free_bytes != sum[i].free_bytes ||
		    s->uncertain != sum[i].uncertain ||
		    s->uncertain_bytes != sum[i].uncertain_bytes ||
		    s->pieces != sum[i].pieces || inferred[2 * i] || inferred[2 * i + 1])
			return WRONG("the accounts of site %#" PRIx64 " do not sum up",
				     key_of(match, s));
	}
	return NULL;
}

/* Slower, so that there are many buckets, and they are folded. */
static const struct history *slowed(const struct history *h)
{
	static struct history slow;

	slow = *h;
	for (size_t i = 0; i < slow.nr; i++)
		slow.ev[i].ts_ns = h->ev[0].ts_ns + (h->ev[i].ts_ns - h->ev[0].ts_ns) * 20000;
	return &slow;
}

/* The last bucket is the end; the peak's live set is as large as the peak; lives add up. */
static const char *time_adds_up(const struct history *h)
{
	const struct history *any = h->nr % 2 ? slowed(h) : h;
	CLEANUP(match_cleanup) struct match *match = run(any->ev, any->nr);
	const struct series *series = match_series(match);
	size_t nr;
	const struct site *site = match_sites(match, &nr);
	auto_free struct series_entry *last = xcalloc(nr + 1, sizeof(*last));
	uint64_t bytes[NR_SITE_KINDS] = { 0 }, objects[NR_SITE_KINDS] = { 0 };

	for (size_t i = 0; i < series->nr; i++) {
		const struct series_entry *e = &series->entry[i];
		struct series_entry *l = &last[e->site];

		if (e->bucket >= SERIES_BUCKETS || (l->allocs && e->bucket <= l->bucket) ||
		    e->allocs < l->allocs || e->alloc_bytes < l->alloc_bytes)
			return WRONG("bucket %u of site %u is out of order", e->bucket,
				     e->site);
		*l = *e;
	}
	for (size_t i = 0; i < nr; i++) {
		const struct site *s = &site[i];
		uint64_t lived = 0, aged = 0, inferred = 0;

		if (last[i].live != s->live + s->pieces ||
		    last[i].live_bytes != s->live_bytes || last[i].allocs != s->allocs ||
		    last[i].alloc_bytes != s->alloc_bytes)
			return WRONG("site %#" PRIx64 " does not end as its last bucket",
				     key_of(match, s));
		for (unsigned int b = 0; b < LIFE_BINS; b++) {
			lived += match_lived(match, i, b);
			aged += match_aged(match, i, b);
		}
		for (int r = 0; r < NR_END_RULES; r++)
			inferred += s->inferred_frees[r];
		if (lived != s->lived || aged != s->aged || aged > s->live ||
		    s->lived > s->frees + inferred + s->rcu_pending ||
		    s->temporary > s->lived_near || s->lived_near > s->lived_same_task ||
		    s->lived_same_task > s->lived || s->lived_quick > s->lived ||
		    s->remote_cpu > s->frees || s->at_peak_bytes > s->peak_bytes)
			return WRONG("the lives of site %#" PRIx64 " make no sense",
				     key_of(match, s));
		/* Silent pages end one by one, and nobody knows which. */
		if (s->kind != SITE_PAGE && s->lived < s->frees)
			return WRONG("site %#" PRIx64 " has frees without a life",
				     key_of(match, s));
		bytes[s->kind] += s->at_peak_bytes;
		objects[s->kind] += s->at_peak;
	}
	for (int k = 0; k < NR_SITE_KINDS; k++)
		if (bytes[k] != match_peak(match, k)->bytes ||
		    objects[k] != match_peak(match, k)->objects)
			return WRONG("the sites at the peak of kind %d are not the peak", k);
	return NULL;
}

/* What buckets and the peak say is what the matcher says of a history that ends there. */
static const char *buckets_are_shorter_histories(const struct history *h)
{
	const struct history *slow = slowed(h);
	uint64_t peak[NR_SITE_KINDS] = { 0 }, latest = 0;
	CLEANUP(match_cleanup) struct match *match = run_unjudged(slow->ev, slow->nr);
	const struct series *series = match_series(match);

	/* An object that changes its site later is at that site from then on. */
	if (match_totals(match)->duplicate_kmallocs)
		return NULL;
	for (size_t n = 1; n <= slow->nr; n++) {
		CLEANUP(match_cleanup) struct match *part = run_unjudged(slow->ev, n);
		size_t nr;
		const struct site *site = match_sites(part, &nr);
		uint64_t sum[NR_SITE_KINDS] = { 0 };

		for (size_t i = 0; i < nr; i++)
			sum[site[i].kind] += site[i].live_bytes;
		for (int k = 0; k < NR_SITE_KINDS; k++)
			peak[k] = sum[k] > peak[k] ? sum[k] : peak[k];
		if (slow->ev[n - 1].ts_ns > latest)
			latest = slow->ev[n - 1].ts_ns;

		uint64_t bucket = (latest - series->start_ns) / series->width_ns;

		/* The bucket goes on, or time stands still. */
		if (n < slow->nr &&
		    (slow->ev[n].ts_ns <= latest ||
		     (slow->ev[n].ts_ns - series->start_ns) / series->width_ns == bucket))
			continue;
		for (size_t i = 0; i < nr; i++) {
			const struct site *all =
				site_with(match, site[i].kind, key_of(part, &site[i]));
			struct series_entry at = { 0 };
			size_t nr_all;
			uint32_t index = (uint32_t)(all - match_sites(match, &nr_all));

			for (size_t e = 0; all && e < series->nr; e++)
				if (series->entry[e].site == index &&
				    series->entry[e].bucket <= bucket)
					at = series->entry[e];
			if (at.live_bytes != site[i].live_bytes || at.allocs != site[i].allocs)
				return WRONG("site %#" PRIx64 " holds %" PRIu64
					     " in bucket %" PRIu64 ", not %" PRIu64,
					     key_of(part, &site[i]), at.live_bytes, bucket,
					     site[i].live_bytes);
		}
	}
	for (int k = 0; k < NR_SITE_KINDS; k++)
		if (match_peak(match, k)->bytes != peak[k])
			return WRONG("the peak of kind %d is not the highest", k);
	return NULL;
}

/* Frees of all that the oracle holds for live leave nothing, and none is unknown. */
static const char *live_sets_agree(const struct history *h)
{
	static struct oracle o;
	static struct event ev[HISTORY_MAX + 8 * ORACLE_MAX];
	size_t n = h->nr, nr;

	memset(&o, 0, sizeof(o));
	o.base = HISTORY_BASE;
	for (size_t i = 0; i < n; i++)
		oracle_event(&o, &h->ev[i]);
	memcpy(ev, h->ev, n * sizeof(*ev));

	uint64_t ts = ev[n - 1].ts_ns + 100000;
	static const enum event_kind free_of[NR_SITE_KINDS] = {
		[SITE_SLAB] = EVENT_KFREE,
		[SITE_PAGE] = EVENT_PAGE_FREE,
		[SITE_PERCPU] = EVENT_PERCPU_FREE,
		[SITE_VMALLOC] = EVENT_VMAP_FREE,
	};

	for (size_t i = 0; i < o.nr_obj; i++)
		if (o.obj[i].live && o.obj[i].kind != SITE_PAGE)
			ev[n++] = (struct event){ .kind = (uint8_t)free_of[o.obj[i].kind],
						  .addr = o.obj[i].key,
						  .ts_ns = ts };
	/* The free of a page that was about to move is the end of the move. */
	for (bool any = true; any;) {
		any = false;
		for (size_t i = 0; i < o.nr_page; i++) {
			if (!o.page[i].live)
				continue;
			ev[n] = (struct event){ .kind = EVENT_PAGE_FREE,
						.addr = o.page[i].pfn,
						.ts_ns = ts };
			oracle_event(&o, &ev[n++]);
			any = true;
		}
	}

	CLEANUP(match_cleanup) struct match *match = run(ev, n);
	const struct site *s = match_sites(match, &nr);

	for (; nr; s++, nr--)
		if (s->live || s->live_bytes)
			return WRONG("site %#" PRIx64 " still holds %" PRIu64, key_of(match, s),
				     s->live);
	for (int k = 0; k < NR_SITE_KINDS; k++)
		if (match_totals(match)->unknown_frees[k] != o.totals.unknown_frees[k])
			return WRONG("kind %d has unknown frees", k);
	return NULL;
}

static const char *same_sites(const struct match *a, const struct match *b, uint64_t shift)
{
	size_t nr;
	const struct site *s = match_sites(b, &nr);
	const char *difference = NULL;

	for (; nr && !difference; s++, nr--) {
		const struct site *other = site_with(a, s->kind, key_of(b, s));

		difference = other ? site_difference(other, s, shift) : "a site is missing";
	}
	return difference;
}

static const struct site none;

static const struct site *site_or_none(const struct match *match, const struct site *like,
				       uint64_t key)
{
	const struct site *s = site_with(match, like->kind, key);

	return s ? s : &none;
}

/* What is before a window and what is in it make up the whole. */
static const char *windows_take_apart(const struct history *h)
{
	size_t cut = h->nr / 2;
	uint64_t from = h->ev[cut].ts_ns;

	for (size_t i = 0; i < h->nr; i++)
		if ((h->ev[i].ts_ns < from) != (i < cut))
			return NULL;
	CLEANUP(match_cleanup) struct match *all = run_unjudged(h->ev, h->nr);
	CLEANUP(match_cleanup) struct match *before = run_unjudged(h->ev, cut);
	CLEANUP(match_cleanup) struct match *in = run_window(h->ev, h->nr, from, 0);
	CLEANUP(match_cleanup) struct match *until = run_window(h->ev, h->nr, 0, from);
	const struct match_totals *t = match_totals(all);
	size_t nr, nr_accounts;
	const struct site *s = match_sites(all, &nr);
	const struct account *account = match_accounts(in, &nr_accounts);
	uint64_t sum = 0;

	if (same_sites(before, until, 0) || same_sites(until, before, 0))
		return WRONG("until the window: %s", same_sites(before, until, 0));
	/* These are moved after the fact. */
	if (t->duplicate_kmallocs || t->skewed_frees)
		return NULL;
	for (; nr; s++, nr--) {
		uint64_t key = key_of(all, s);
		const struct site *b = site_or_none(before, s, key),
				  *w = site_or_none(in, s, key);

		if (s->allocs != b->allocs + w->allocs ||
		    s->alloc_bytes != b->alloc_bytes + w->alloc_bytes ||
		    s->failures != b->failures + w->failures ||
		    s->unknown_frees != b->unknown_frees + w->unknown_frees)
			return WRONG("the window of site %#" PRIx64 " is not the rest", key);
		if (s->live != b->live + w->live - w->preexisting_frees ||
		    s->live_bytes != b->live_bytes + w->live_bytes - w->preexisting_bytes)
			return WRONG("of site %#" PRIx64 " older objects went astray", key);
		sum += w->allocs;
	}
	for (; nr_accounts; account++, nr_accounts--)
		sum -= account->allocs;
	return sum ? "an account is older than its window" : NULL;
}

static const char *shifted_times_change_only_times(const struct history *h)
{
	static struct history later;
	const uint64_t shift = UINT64_C(0x123456789abc);
	CLEANUP(match_cleanup) struct match *match = run(h->ev, h->nr);

	later = *h;
	for (size_t i = 0; i < later.nr; i++)
		later.ev[i].ts_ns += shift;

	CLEANUP(match_cleanup) struct match *other = run(later.ev, later.nr);

	return same_sites(other, match, shift);
}

/* But for rule 15, to which another maker matters. */
static const char *unrelated_pairs_change_no_other_site(const struct history *h)
{
	static struct history more;
	CLEANUP(match_cleanup) struct match *match = run_unjudged(h->ev, h->nr);

	more = *h;
	history_mix_in_pairs(&more, h->nr);

	CLEANUP(match_cleanup) struct match *other = run_unjudged(more.ev, more.nr);

	return same_sites(other, match, 0);
}

/* Leaves out what need not be there for @check to find the history wrong. */
static void shrink(struct history *h, check_fn *check)
{
	static struct history less;

	for (size_t len = h->nr / 2; len; len = len > 1 ? len / 2 : 0) {
		for (size_t at = HISTORY_PRIME; at + len <= h->nr;) {
			less = *h;
			memmove(&less.ev[at], &less.ev[at + len],
				(less.nr - at - len) * sizeof(less.ev[0]));
			less.nr -= len;
			if (check(&less))
				*h = less;
			else
				at++;
		}
	}
}

static void check_histories(check_fn *check, uint64_t seeds)
{
	static struct history h;
	const char *only = getenv("SEED"), *many = getenv("SEEDS");
	uint64_t from = only ? strtoull(only, NULL, 0) : 0;
	uint64_t to = only ? from + 1 : many ? strtoull(many, NULL, 0) : seeds;

	for (uint64_t seed = from; seed < to; seed++) {
		history_make(&h, seed, seed % EVENTS + HISTORY_PRIME);
		if (!check(&h))
			continue;
		shrink(&h, check);
		for (size_t i = 0; i < h.nr; i++)
			history_print(&h.ev[i]);
		test_fail(__FILE__, __LINE__, "SEED=%" PRIu64 ": %s", seed, check(&h));
	}
}

/* Sums what the histories make happen, so that no rule goes untested unseen. */
TEST(the_histories_reach_every_rule)
{
	static struct history h;
	uint64_t inferred[NR_END_RULES] = { 0 }, unknown[NR_SITE_KINDS] = { 0 };
	struct match_totals sum = { 0 };
	uint64_t preexisting[NR_SITE_KINDS] = { 0 };
	uint64_t failures = 0, uncertain = 0, cache = 0, pending = 0;

	for (uint64_t seed = 0; seed < 500; seed++) {
		history_make(&h, seed, EVENTS);

		CLEANUP(match_cleanup) struct match *match = run(h.ev, h.nr);
		const struct match_totals *t = match_totals(match);
		size_t nr;
		const struct site *s = match_sites(match, &nr);

		for (; nr; s++, nr--) {
			for (int r = 0; r < NR_END_RULES; r++)
				inferred[r] += s->inferred_frees[r];
			failures += s->failures;
			uncertain += s->uncertain;
			cache += s->cache != 0;
			pending += s->rcu_pending;
			preexisting[s->kind] += s->preexisting_frees;
		}
		for (int k = 0; k < NR_SITE_KINDS; k++)
			unknown[k] += t->unknown_frees[k];
		sum.null_frees += t->null_frees;
		sum.duplicate_kmallocs += t->duplicate_kmallocs;
		sum.large_kmalloc_blocks += t->large_kmalloc_blocks;
		sum.partial_page_frees += t->partial_page_frees;
		sum.cross_type_frees += t->cross_type_frees;
		sum.skewed_frees += t->skewed_frees;
		sum.implausible += t->implausible;
		sum.silent_allocs += t->silent_allocs;
		sum.silent_pages += t->silent_pages;
		sum.unsized += t->unsized;
		sum.bulk_pages_known += t->bulk_pages_known;
		sum.moved_pages += t->moved_pages;
		sum.lost_gaps += t->lost_gaps;
	}
	/* What RCU ends, it ends by the clock: test_match_bulk.c. */
	for (int r = 0; r < NR_END_RULES; r++)
		CHECK(r == END_RCU || inferred[r] > 100);
	for (int k = 0; k < NR_SITE_KINDS; k++)
		CHECK(unknown[k] > 100);
	CHECK(failures > 100);
	CHECK(uncertain > 100);
	CHECK(cache > 100);
	CHECK(sum.null_frees > 100);
	CHECK(sum.duplicate_kmallocs > 100);
	CHECK(sum.large_kmalloc_blocks > 100);
	CHECK(sum.partial_page_frees > 100);
	CHECK(sum.cross_type_frees > 100);
	CHECK(sum.skewed_frees > 100);
	CHECK(sum.implausible > 100);
	CHECK(sum.silent_allocs > 100);
	CHECK(sum.silent_pages > 100);
	CHECK(sum.unsized > 100);
	CHECK(sum.bulk_pages_known > 100);
	CHECK(sum.moved_pages > 100);
	CHECK(pending > 30);
	CHECK(preexisting[SITE_SLAB] > 30);
	CHECK(preexisting[SITE_PERCPU] > 5);
	CHECK(preexisting[SITE_VMALLOC] > 5);
	CHECK(sum.lost_gaps > 100);
}

TEST(sites_and_totals_are_the_oracles)
{
	check_histories(oracle_agrees, 6000);
}

TEST(what_is_allocated_is_freed_inferred_or_live)
{
	check_histories(books_balance, 2000);
}

TEST(the_accounts_of_a_site_sum_up_to_it)
{
	check_histories(accounts_sum_up, 2000);
}

TEST(buckets_end_with_the_net_and_peaks_and_lives_add_up)
{
	check_histories(time_adds_up, 3000);
}

TEST(a_bucket_ends_as_a_history_that_ends_there)
{
	check_histories(buckets_are_shorter_histories, 300);
}

TEST(a_window_and_what_was_before_it_are_the_whole)
{
	check_histories(windows_take_apart, 3000);
}

TEST(the_live_set_is_the_oracles)
{
	check_histories(live_sets_agree, 2000);
}

TEST(shifting_all_times_changes_only_times)
{
	check_histories(shifted_times_change_only_times, 1000);
}

TEST(an_unrelated_pair_changes_no_other_site)
{
	check_histories(unrelated_pairs_change_no_other_site, 1000);
}
