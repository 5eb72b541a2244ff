/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/sitetab.h - the sites, found by key, and what may be booked on them
 *
 * Use:    sitetab_get() for the index and sitetab_account() for that of an account
 *         of it; then the bookings below, which are the only code that writes to a
 *         struct site or a struct account
 * Rules:  (1) an index is good for the life of the table, a pointer until the
 *             next sitetab_get()
 *         (2) after every booking allocs = frees + inferred + live, in objects
 *             and in bytes; and the same over the accounts of a site
 */
#ifndef MATCH_SITETAB_H
#define MATCH_SITETAB_H

#include "match/account.h"
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

struct sitetab {
	uint64_t burst;	      /* that goes on */
	uint64_t *last_burst; /* by site */
	struct site *site;
	uint8_t *flags; /* enum sitetab_flag, by site */
	size_t nr, cap;
	uint32_t *slot;		/* index + 1; 0 is empty */
	size_t nr_slots;	/* a power of two, at least twice nr */
	bool self;		/* whose the event at hand is: a part of the key */
	const struct event *ev; /* the event at hand */
	struct account_table accounts;
	struct table_secret secret;
};

void sitetab_init(struct sitetab *tab);
void sitetab_deinit(struct sitetab *tab);

/*
 * The index of the site with this key, which is made when there is none. The
 * same place has a site of its own for what the recorder does there.
 */
uint32_t sitetab_get(struct sitetab *tab, enum site_kind kind, uint64_t call_site,
		     uint32_t stack);

/* The account of an allocation @ev at @site. */
static inline uint32_t sitetab_account(struct sitetab *tab, uint32_t site,
				       const struct event *ev)
{
	return account_get(&tab->accounts, site, ev);
}

/*
 * The last booking was made. Leaves out the sites and accounts that nothing is
 * booked on; *@to gets the new indexes of the other sites.
 */
void sitetab_close(struct sitetab *tab, uint32_t *to);

static inline void sitetab_touch(struct sitetab *tab, uint32_t i, uint64_t ts_ns)
{
	struct site *s = &tab->site[i];

	if (!(tab->flags[i] & SITETAB_ALLOCATED)) {
		tab->flags[i] |= SITETAB_ALLOCATED;
		s->first_ns = ts_ns;
	}
	s->last_ns = ts_ns;
}

static inline void sitetab_add(struct sitetab *tab, uint32_t account, uint64_t nr,
			       uint64_t bytes, uint64_t bytes_req, uint64_t ts_ns)
{
	struct account *a = &tab->accounts.account[account];
	struct site *s = &tab->site[a->site];

	a->allocs += nr;
	a->alloc_bytes += bytes;
	a->bytes_req += bytes_req;
	sitetab_touch(tab, a->site, ts_ns);
	s->bursts += tab->last_burst[a->site] != tab->burst;
	tab->last_burst[a->site] = tab->burst;
	s->allocs += nr;
	s->alloc_bytes += bytes;
	s->bytes_req += bytes_req;
	s->live += nr;
	s->live_bytes += bytes;
	if (bytes / nr > s->max_bytes)
		s->max_bytes = bytes / nr;
	if (s->live_bytes > s->peak_bytes) {
		s->peak_bytes = s->live_bytes;
		s->peak_ns = ts_ns;
	}
}

static inline void sitetab_alloc(struct sitetab *tab, uint32_t account, uint64_t bytes,
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
	sitetab_touch(tab, a->site, ts_ns);
	tab->site[a->site].failures++;
}

/* Objects leave their account; the site they are of. */
static inline struct site *sitetab_end(struct sitetab *tab, uint32_t account, uint64_t nr,
				       uint64_t bytes)
{
	struct account *a = &tab->accounts.account[account];
	struct site *s = &tab->site[a->site];

	a->ends += nr;
	a->end_bytes += bytes;
	s->live -= nr;
	s->live_bytes -= bytes;
	return s;
}

/* An object, or the last of it, ended by a free event of its own. Its site's index. */
static inline uint32_t sitetab_free(struct sitetab *tab, uint32_t account, uint64_t nr,
				    uint64_t bytes)
{
	struct site *s = sitetab_end(tab, account, nr, bytes);

	s->frees += nr;
	s->free_bytes += bytes;
	return (uint32_t)(s - tab->site);
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
	struct site *s = &tab->site[tab->accounts.account[account].site];

	s->inferred_frees[rule]--;
	s->inferred_bytes[rule] -= bytes;
	s->frees++;
	s->free_bytes += bytes;
	tab->accounts.doubt[account].inferred--;
	tab->accounts.doubt[account].inferred_bytes -= bytes;
}

static inline void sitetab_uncertain(struct sitetab *tab, uint32_t account, uint64_t nr,
				     uint64_t bytes)
{
	struct site *s = &tab->site[tab->accounts.account[account].site];

	s->uncertain += nr;
	s->uncertain_bytes += bytes;
	tab->accounts.doubt[account].uncertain += nr;
	tab->accounts.doubt[account].uncertain_bytes += bytes;
}

static inline void sitetab_pieces(struct sitetab *tab, uint32_t account, uint64_t pieces)
{
	tab->site[tab->accounts.account[account].site].pieces += pieces;
	tab->accounts.doubt[account].pieces += pieces;
}

static inline void sitetab_pending(struct sitetab *tab, uint32_t account, uint64_t bytes)
{
	struct site *s = &tab->site[tab->accounts.account[account].site];

	s->rcu_pending++;
	s->rcu_pending_bytes += bytes;
}

/* A free made from this site, of an object not known. */
static inline void sitetab_unknown_free(struct sitetab *tab, uint32_t i, uint64_t bytes,
					uint64_t ts_ns)
{
	struct site *s = &tab->site[i];

	if (!(tab->flags[i] & SITETAB_ALLOCATED)) {
		if (!s->unknown_frees)
			s->first_ns = ts_ns;
		s->last_ns = ts_ns;
	}
	s->unknown_frees++;
	s->unknown_free_bytes += bytes;
}

/* An object of the site was seen to belong to @cache. */
static inline void sitetab_cache(struct sitetab *tab, uint32_t i, uint16_t cache)
{
	struct site *s = &tab->site[i];

	if (s->cache == cache || !cache || tab->flags[i] & SITETAB_MIXED_CACHE)
		return;
	if (s->cache)
		tab->flags[i] |= SITETAB_MIXED_CACHE;
	s->cache = s->cache ? 0 : cache;
}

/*
 * Takes an allocation back that was no object of its own (rule 3): it has been
 * in live_bytes since @since_ns, when the peak stood at @peak_bytes, @peak_ns.
 */
void sitetab_unalloc(struct sitetab *tab, uint32_t account, uint64_t bytes, uint64_t bytes_req,
		     uint64_t since_ns, uint64_t peak_bytes, uint64_t peak_ns);

#endif
