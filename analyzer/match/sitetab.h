/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/sitetab.h - the sites, found by key, and what may be booked on them
 *
 * Use:    sitetab_get() for the index and sitetab_account() for that of an account
 *         of it; then the bookings below, which are the only code that writes to a
 *         struct site or a struct account
 * Rules:  (1) an index is good for the life of the table, a pointer until the
 *             next sitetab_get()
 *         (2) after every booking allocs = ends + live over the accounts of a site, in
 *             objects and in bytes; what is no end by inference is a free
 *         (3) frees, free_bytes and bytes_req of a site are known at the end only
 */
#ifndef MATCH_SITETAB_H
#define MATCH_SITETAB_H

#include "match/account.h"
#include "match/life.h"
#include "match/series.h"
#include "match/site.h"
#include "match/table.h"

enum sitetab_flag {
	SITETAB_ALLOCATED = 1,	 /* first_ns and last_ns are of allocations */
	SITETAB_MIXED_CACHE = 2, /* its objects come from several caches */
	SITETAB_CLASSIFIED = 4,	 /* the next is known */
	SITETAB_VMALLOC = 8,	 /* its return address lies in vmalloc itself */
};

/* Events that are told apart as one burst: about those of a ring-buffer page. */
enum { SITETAB_BURST = 64 };

/* What one task, in one context, allocated last. */
struct sitetab_near {
	uint64_t addr[SITE_NEAR];
	int32_t pid;
	uint32_t next;
};

enum { SITETAB_TASKS = 256 };

/* What was found for the place of an allocation (decode/clues.h); SITETAB_NONE: not yet. */
struct sitetab_hint {
	uint32_t site, account;
	uint32_t weight; /* which the site is for */
	uint32_t plain;	 /* the account of plain events (plain.h, plainpage.h) there */
};

#define SITETAB_NONE UINT32_MAX

/* Sites that unknown slab objects are freed from, as seen last; the recorder's are not here. */
struct sitetab_freer {
	uint64_t call_site;
	uint32_t site; /* SITETAB_NONE: none */
};

enum { SITETAB_FREERS = 64 };

struct sitetab_point {
	uint64_t ts_ns, clock_ns;
	uint64_t peak_bytes, peak_ns; /* of the site */
	uint64_t peak;		      /* which one of the kind */
};

/* A few pids; most others are told apart by the bit for their low bits. */
struct sitetab_tasks {
	int32_t *pid;
	size_t nr;
	uint64_t bits;
};

struct sitetab {
	uint64_t burst;	   /* that goes on */
	uint64_t clock_ns; /* the latest time of an event … */
	uint64_t now;	   /* … as live.h has it */
	struct life *age;  /* by site, as all that follow; NULL before the end, as the next */
	unsigned __int128 *age_sum; /* ns, exact: the order of slots is no one's to know */
	struct site *site;
	size_t nr, cap;
	uint32_t *slot;	 /* index + 1; 0 is empty */
	size_t nr_slots; /* a power of two, at least twice nr */
	struct sitetab_tasks
		self;		/* the recorder's: whose an event is, is a part of the key, */
	uint32_t weight;	/* and how often it counts */
	const struct event *ev; /* the event at hand */
	struct sitetab_hint *hint; /* for it; or NULL */
	struct account_table accounts;
	struct series series;
	struct life_table lives;
	struct site *nowhere; /* takes what is booked on what is older than the window */
	struct site_peak kind[NR_SITE_KINDS];
	uint64_t stamp[NR_SITE_KINDS]; /* rises with each peak, and as a bucket begins; not 0 */
	uint64_t peak[NR_SITE_KINDS];  /* what it was at the peak */
	struct sitetab_near near[SITETAB_TASKS];
	struct sitetab_freer freer[SITETAB_FREERS];
	const uint8_t *cpu_node; /* borrowed; NULL: one node */
	size_t nr_cpu_node;
	struct hash_secret secret;
};

void sitetab_init(struct sitetab *tab);
void sitetab_deinit(struct sitetab *tab);

/* Whose allocations, but not those of interrupts meanwhile, are the recorder's. */
void sitetab_self(struct sitetab *tab, const int32_t *pid, size_t nr);

/*
 * The index of the site with this key for the event at hand, which is made when there
 * is none. The same place has a site of its own for what the recorder does there.
 */
uint32_t sitetab_get(struct sitetab *tab, enum site_kind kind, uint64_t call_site,
		     uint32_t stack);

uint32_t sitetab_find_freer(struct sitetab *tab, uint64_t call_site,
			    struct sitetab_freer *freer);

/* Might the task of the event at hand be the recorder's? */
static inline bool sitetab_may_be_self(const struct sitetab *tab)
{
	return tab->self.bits >> (tab->ev->pid & 63) & 1;
}

/* sitetab_get() for the return address of a slab free. */
static inline uint32_t sitetab_freer(struct sitetab *tab, uint64_t call_site)
{
	struct sitetab_freer *f = &tab->freer[(call_site ^ call_site >> 6) % SITETAB_FREERS];

	if (f->call_site == call_site && f->site != SITETAB_NONE && tab->weight == 1 &&
	    !sitetab_may_be_self(tab))
		return f->site;
	return sitetab_find_freer(tab, call_site, f);
}

/* The account of an allocation @ev at @site. */
static inline uint32_t sitetab_account(struct sitetab *tab, uint32_t site,
				       const struct event *ev)
{
	bool hinted = tab->hint && tab->hint->site == site;

	if (hinted && tab->hint->account != SITETAB_NONE)
		return tab->hint->account;
	uint32_t *last = &tab->site[site].account;
	struct account_key key = account_key(site, ev);

	/* The same task does the same again. */
	if (*last >= tab->accounts.nr || !account_is(&tab->accounts.account[*last], key))
		*last = account_get(&tab->accounts, key);
	if (hinted)
		tab->hint->account = *last;
	return *last;
}

/* The first event is at @ts_ns. */
void sitetab_start(struct sitetab *tab, uint64_t ts_ns);

/*
 * All figures begin anew at @ts_ns: what was allocated before is older, and its ends
 * are those of older objects.
 */
void sitetab_window(struct sitetab *tab, uint64_t ts_ns);

/* True for the account of an object that was allocated before the window. */
static inline bool sitetab_is_older(const struct sitetab *tab, uint32_t account)
{
	return __builtin_expect(account < tab->accounts.first, 0);
}

/* Nothing will change any more: fills in what is known at the end only. */
void sitetab_end_of_time(struct sitetab *tab);

/*
 * The last booking was made. Leaves out the sites and accounts that nothing is
 * booked on; *@to gets the new indexes of the other sites.
 */
void sitetab_close(struct sitetab *tab, uint32_t *to);

/* It is the time of the event at hand, which is in the bucket at hand. */
static inline void sitetab_tick(struct sitetab *tab, const struct event *ev)
{
	tab->ev = ev;
	if (ev->ts_ns > tab->clock_ns)
		tab->clock_ns = ev->ts_ns;
}

/* @ts_ns is past the end of the bucket at hand. */
void sitetab_next_bucket(struct sitetab *tab, uint64_t ts_ns);

/* Keeps the state of a site at the end of the bucket that it changed in last. */
void sitetab_close_bucket(struct sitetab *tab, uint32_t i);

static inline void sitetab_touch(struct sitetab *tab, uint32_t i, uint64_t ts_ns)
{
	struct site *s = &tab->site[i];

	if (!(s->flags & SITETAB_ALLOCATED)) {
		s->flags |= SITETAB_ALLOCATED;
		s->first_ns = ts_ns;
	}
	s->last_ns = ts_ns;
}

/*
 * What a site of @kind is about to lose: the state before its first change in a bucket or
 * after a peak.
 */
TABLE_INLINE void sitetab_before(struct sitetab *tab, uint32_t i, enum site_kind kind)
{
	struct site *s = &tab->site[i];

	if (s->stamp == tab->stamp[kind])
		return;
	if (s->stamp < tab->peak[kind]) {
		s->at_peak = s->live;
		s->at_peak_bytes = s->live_bytes;
	}
	s->stamp = tab->stamp[kind];
	if (s->series.bucket != tab->series.bucket)
		sitetab_close_bucket(tab, i);
}

/* At @clock_ns; the site is of @kind and @weight. */
TABLE_INLINE void sitetab_add_to(struct sitetab *tab, struct account *a, enum site_kind kind,
				 uint32_t weight, uint64_t nr, uint64_t bytes,
				 uint64_t bytes_req, uint64_t ts_ns, uint64_t clock_ns)
{
	uint32_t i = account_site(a);
	struct site *s = &tab->site[i];
	struct site_peak *k = &tab->kind[kind];

	a->allocs += nr;
	a->alloc_bytes += bytes;
	a->bytes_req += bytes_req;
	sitetab_before(tab, i, kind);
	sitetab_touch(tab, i, ts_ns);
	s->bursts += s->burst != tab->burst;
	s->burst = tab->burst;
	s->allocs += nr;
	s->alloc_bytes += bytes;
	s->live += nr;
	s->live_bytes += bytes;
	k->live += nr * weight;
	k->live_bytes += bytes * weight;
	if (bytes / nr > s->max_bytes)
		s->max_bytes = bytes / nr;
	if (s->live_bytes > s->peak_bytes) {
		s->peak_bytes = s->live_bytes;
		s->peak_ns = ts_ns;
	}
	if (k->live_bytes > k->bytes) {
		k->bytes = k->live_bytes;
		k->objects = k->live;
		k->ns = clock_ns;
		tab->peak[kind] = ++tab->stamp[kind];
	}
}

TABLE_INLINE void sitetab_add(struct sitetab *tab, uint32_t account, uint64_t nr,
			      uint64_t bytes, uint64_t bytes_req, uint64_t ts_ns)
{
	struct account *a = &tab->accounts.account[account];
	const struct site *s = &tab->site[account_site(a)];

	sitetab_add_to(tab, a, s->kind, s->weight, nr, bytes, bytes_req, ts_ns, tab->clock_ns);
}

TABLE_INLINE void sitetab_alloc(struct sitetab *tab, uint32_t account, uint64_t bytes,
				uint64_t bytes_req, uint64_t ts_ns)
{
	sitetab_add(tab, account, 1, bytes, bytes_req, ts_ns);
}

/* @nr objects, @bytes in all, each as large and asked for in full. */
static inline void sitetab_alloc_many(struct sitetab *tab, uint32_t account, uint64_t nr,
				      uint64_t bytes, uint64_t ts_ns)
{
	sitetab_add(tab, account, nr, bytes, bytes, ts_ns);
}

static inline void sitetab_failure(struct sitetab *tab, uint32_t account, uint64_t ts_ns)
{
	struct account *a = &tab->accounts.account[account];

	a->failures += a->failures < UINT32_MAX;
	sitetab_touch(tab, account_site(a), ts_ns);
	tab->site[account_site(a)].failures++;
}

/* Objects leave their account; the site they are of. */
static inline struct site *sitetab_end(struct sitetab *tab, uint32_t account, uint64_t nr,
				       uint64_t bytes)
{
	struct account *a = &tab->accounts.account[account];
	struct site *s = &tab->site[account_site(a)];

	if (sitetab_is_older(tab, account)) {
		s->preexisting_frees += nr;
		s->preexisting_bytes += bytes;
		return tab->nowhere;
	}
	a->ends += nr;
	a->end_bytes += bytes;
	sitetab_before(tab, account_site(a), s->kind);
	s->live -= nr;
	s->live_bytes -= bytes;
	tab->kind[s->kind].live -= nr * s->weight;
	tab->kind[s->kind].live_bytes -= bytes * s->weight;
	return s;
}

/* An object, or the last of it, ended by a free event of its own. Its site's index. */
static inline uint32_t sitetab_free(struct sitetab *tab, uint32_t account, uint64_t nr,
				    uint64_t bytes)
{
	sitetab_end(tab, account, nr, bytes);
	return account_site(&tab->accounts.account[account]);
}

/* Is where the object was allocated another CPU than @to, of the free at hand, or node? */
static inline void sitetab_remote(struct sitetab *tab, uint32_t account, uint16_t to)
{
	const struct account *a = &tab->accounts.account[account];
	uint16_t from = account_cpu(a);

	if (from == to || account_merged(a) == ACCOUNT_ALL || sitetab_is_older(tab, account))
		return;
	tab->site[account_site(a)].remote_cpu++;
	if (from < tab->nr_cpu_node && to < tab->nr_cpu_node &&
	    tab->cpu_node[from] != tab->cpu_node[to])
		tab->site[account_site(a)].remote_node++;
}

/* True when the task of @ev is the one that allocated for @a. */
static inline bool sitetab_same_task(const struct account *a, const struct event *ev)
{
	return account_is_task(a) && !ev->context && account_pid(a) == ev->pid &&
	       (ev->pid || account_cpu(a) == ev->cpu);
}

static inline void sitetab_add_life(struct sitetab *tab, struct site *s, uint64_t ns,
				    bool same_task)
{
	s->lived++;
	s->lived_sum_ns += (double)(int64_t)ns; /* below LIVE_MAX_TIME */
	if (ns > s->lived_max_ns)
		s->lived_max_ns = ns;
	s->lived_quick += ns <= SITE_QUICK_NS;
	s->lived_same_task += same_task;
	life_add(&tab->lives, &s->life, ns);
}

/* An object, or the last of it, that was made at @birth is freed or given to RCU at @end. */
static inline void sitetab_lived(struct sitetab *tab, uint32_t account, uint64_t birth,
				 uint64_t end)
{
	const struct account *a = &tab->accounts.account[account];

	if (!sitetab_is_older(tab, account))
		sitetab_add_life(tab, &tab->site[account_site(a)],
				 end > birth ? end - birth : 0, sitetab_same_task(a, tab->ev));
}

static inline struct sitetab_near *sitetab_near(struct sitetab *tab, const struct event *ev)
{
	return &tab->near[((uint32_t)ev->pid * 5 + ev->context) % SITETAB_TASKS];
}

/* The slab object of @ev is the last that its task allocated. */
static inline void sitetab_near_alloc(struct sitetab *tab, const struct event *ev)
{
	struct sitetab_near *n = sitetab_near(tab, ev);

	if (n->pid != ev->pid)
		*n = (struct sitetab_near){ .pid = ev->pid };
	n->addr[n->next++ % SITE_NEAR] = ev->addr;
}

/* It is freed by the task of @ev, which allocated it. */
static inline bool sitetab_is_near(struct sitetab *tab, const struct event *ev)
{
	const struct sitetab_near *n = sitetab_near(tab, ev);
	unsigned int near = 0;

	for (int i = 0; i < SITE_NEAR; i++)
		near |= n->addr[i] == ev->addr;
	return near && n->pid == ev->pid;
}

/* An object that is live at the end, and was made at @birth. */
static inline void sitetab_aged(struct sitetab *tab, uint32_t account, uint64_t birth)
{
	uint32_t i = account_site(&tab->accounts.account[account]);
	struct site *s = &tab->site[i];
	uint64_t ns = tab->now > birth ? tab->now - birth : 0;

	if (sitetab_is_older(tab, account))
		return;

	s->aged++;
	tab->age_sum[i] += ns;
	if (ns > s->age_max_ns)
		s->age_max_ns = ns;
	life_add(&tab->lives, &tab->age[i], ns);
}

/* The same by inference. */
static inline void sitetab_infer(struct sitetab *tab, uint32_t account, enum end_rule rule,
				 uint64_t nr, uint64_t bytes)
{
	struct site *s = sitetab_end(tab, account, nr, bytes);

	s->inferred_frees[rule] += nr;
	s->inferred_bytes[rule] += bytes;
	tab->accounts.doubt[account].inferred += nr;
	tab->accounts.doubt[account].inferred_bytes += bytes;
}

/* The free event of an object that ended by inference came after all. */
static inline void sitetab_undo_infer(struct sitetab *tab, uint32_t account, enum end_rule rule,
				      uint64_t bytes)
{
	struct site *s = &tab->site[account_site(&tab->accounts.account[account])];

	/* By whatever rule, it was the end of an older object. */
	if (sitetab_is_older(tab, account))
		return;
	s->inferred_frees[rule]--;
	s->inferred_bytes[rule] -= bytes;
	tab->accounts.doubt[account].inferred--;
	tab->accounts.doubt[account].inferred_bytes -= bytes;
}

static inline void sitetab_uncertain(struct sitetab *tab, uint32_t account, uint64_t nr,
				     uint64_t bytes)
{
	struct site *s = &tab->site[account_site(&tab->accounts.account[account])];

	if (sitetab_is_older(tab, account))
		return;
	s->uncertain += nr;
	s->uncertain_bytes += bytes;
	tab->accounts.doubt[account].uncertain += nr;
	tab->accounts.doubt[account].uncertain_bytes += bytes;
}

static inline void sitetab_pieces(struct sitetab *tab, uint32_t account, uint64_t pieces)
{
	if (sitetab_is_older(tab, account))
		return;
	tab->site[account_site(&tab->accounts.account[account])].pieces += pieces;
	tab->accounts.doubt[account].pieces += pieces;
}

/* Of a block of pages that a large kmalloc took, @bytes were not asked for. */
static inline void sitetab_slack(struct sitetab *tab, uint32_t account, uint64_t bytes)
{
	if (!sitetab_is_older(tab, account))
		tab->site[account_site(&tab->accounts.account[account])].slack_bytes += bytes;
}

static inline void sitetab_pending(struct sitetab *tab, uint32_t account, uint64_t bytes)
{
	struct site *s = &tab->site[account_site(&tab->accounts.account[account])];

	if (sitetab_is_older(tab, account))
		return;
	s->rcu_pending++;
	s->rcu_pending_bytes += bytes;
}

/* An object of the site was seen to belong to @cache. */
static inline void sitetab_cache(struct sitetab *tab, uint32_t i, uint16_t cache)
{
	struct site *s = &tab->site[i];

	if (s->cache == cache || !cache || s->flags & SITETAB_MIXED_CACHE)
		return;
	if (s->cache)
		s->flags |= SITETAB_MIXED_CACHE;
	s->cache = s->cache ? 0 : cache;
}

/* An object of @account, which is not older than the window, is freed by @ev. Its site. */
TABLE_INLINE struct site *sitetab_end_one(struct sitetab *tab, uint32_t account,
					  const struct event *ev, enum site_kind kind,
					  uint32_t weight, uint64_t bytes)
{
	struct account *a = &tab->accounts.account[account];
	uint32_t i = account_site(a);
	struct site *s = &tab->site[i];

	a->ends++;
	a->end_bytes += bytes;
	sitetab_before(tab, i, kind);
	s->live--;
	s->live_bytes -= bytes;
	tab->kind[kind].live -= weight;
	tab->kind[kind].live_bytes -= bytes * weight;
	if (account_cpu(a) != ev->cpu)
		sitetab_remote(tab, account, ev->cpu);
	return s;
}

/*
 * The slab object at the address of @ev, made at @birth, is freed at @now: all of the
 * above that it calls for but sitetab_cache(), in one. @given: its life ended before. It is not older than
 * the window, and its site is of @weight. Its site's index.
 */
TABLE_INLINE uint32_t sitetab_free_slab(struct sitetab *tab, uint32_t account,
					const struct event *ev, uint32_t weight, uint64_t bytes,
					uint64_t birth, uint64_t now, bool given)
{
	const struct account *a = &tab->accounts.account[account];
	uint32_t i = account_site(a);

	struct site *s = sitetab_end_one(tab, account, ev, SITE_SLAB, weight, bytes);

	if (given)
		return i;
	bool same_task = sitetab_same_task(a, ev);
	uint64_t ns = now > birth ? now - birth : 0;

	sitetab_add_life(tab, s, ns, same_task);
	if (same_task && sitetab_is_near(tab, ev)) {
		s->lived_near++;
		s->temporary += ns <= SITE_QUICK_NS;
	}
	return i;
}

/* The same of a block of pages that was whole, of a site of weight 1. */
TABLE_INLINE void sitetab_free_page(struct sitetab *tab, uint32_t account,
				    const struct event *ev, uint64_t bytes, uint64_t birth,
				    uint64_t now)
{
	const struct account *a = &tab->accounts.account[account];
	struct site *s = sitetab_end_one(tab, account, ev, SITE_PAGE, 1, bytes);

	sitetab_add_life(tab, s, now > birth ? now - birth : 0, sitetab_same_task(a, ev));
}

/* A free made from this site, of an object not known. */
static inline void sitetab_unknown_free(struct sitetab *tab, uint32_t i, uint64_t bytes,
					uint64_t ts_ns)
{
	struct site *s = &tab->site[i];

	if (!(s->flags & SITETAB_ALLOCATED)) {
		if (!s->unknown_frees)
			s->first_ns = ts_ns;
		s->last_ns = ts_ns;
	}
	s->unknown_frees++;
	s->unknown_free_bytes += bytes;
}

/* How things stand before an allocation that may have to be taken back. */
static inline struct sitetab_point sitetab_point(const struct sitetab *tab, uint32_t i)
{
	const struct site *s = &tab->site[i];

	return (struct sitetab_point){ tab->ev->ts_ns, tab->clock_ns, s->peak_bytes, s->peak_ns,
				       tab->peak[s->kind] };
}

/*
 * Takes an allocation back that was no object of its own (rule 3), which was booked
 * when things stood @before so. True when it is in at_peak.
 */
bool sitetab_unalloc(struct sitetab *tab, uint32_t account, uint64_t bytes, uint64_t bytes_req,
		     const struct sitetab_point *before);

/* An object that was allocated just now lived at the peak of its kind. */
void sitetab_at_peak(struct sitetab *tab, uint32_t account, uint64_t bytes);

#endif
