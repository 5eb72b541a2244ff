// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/runs.h"

#include <stdatomic.h>
#include <string.h>

#include "base/thread.h"
#include "base/xalloc.h"

/* Who has filled the ring sleeps until half of it is free: waking him costs as much as a run. */
enum { RING = 128, HALF = RING / 2 };

struct runs {
	const struct runs_ops *ops;
	void *arg;
	struct runs_slot *slot; /* RING of them */
	bool started;
	pthread_t thread;

	_Atomic uint64_t made, done; /* runs; what lies between is the taker's */
	_Atomic bool maker_sleeps, taker_sleeps, stop;
	pthread_mutex_t lock; /* of who goes to sleep or wakes */
	pthread_cond_t wake;
	struct runs_slot *hand; /* that runs_next() returned last */
};

struct runs *runs_new(const struct runs_ops *ops, void *arg)
{
	struct runs *r = xcalloc(1, sizeof(*r));

	r->ops = ops;
	r->arg = arg;
	/* Memory is taken from the system as it is used: one of them without a thread. */
	r->slot = xcalloc(RING, sizeof(*r->slot));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	return r;
}

/*
 * Who sleeps sets his flag before he looks whether he has to, and who wakes him reads it
 * after what he waits for was written: no call gets lost.
 */
static void wake(struct runs *r, _Atomic bool *sleeps)
{
	if (!atomic_load(sleeps))
		return;
	pthread_mutex_lock(&r->lock);
	atomic_store(sleeps, false);
	pthread_cond_broadcast(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

static uint64_t nr_waiting(struct runs *r)
{
	return atomic_load(&r->made) - atomic_load(&r->done);
}

/* The ring is full. */
static void wait_for_room(struct runs *r)
{
	pthread_mutex_lock(&r->lock);
	for (;;) {
		atomic_store(&r->maker_sleeps, true);
		if (nr_waiting(r) <= HALF || atomic_load(&r->stop))
			break;
		pthread_cond_wait(&r->wake, &r->lock);
	}
	atomic_store(&r->maker_sleeps, false);
	pthread_mutex_unlock(&r->lock);
}

static void wait_for_run(struct runs *r)
{
	pthread_mutex_lock(&r->lock);
	for (;;) {
		atomic_store(&r->taker_sleeps, true);
		if (nr_waiting(r))
			break;
		pthread_cond_wait(&r->wake, &r->lock);
	}
	atomic_store(&r->taker_sleeps, false);
	pthread_mutex_unlock(&r->lock);
}

static void make(struct runs *r, struct runs_slot *slot)
{
	slot->err = NULL;
	slot->spent = 0;
	r->ops->make(r->arg, slot);
}

/* All runs before the @nr-th may be taken. */
static void hand_over(struct runs *r, uint64_t nr)
{
	atomic_store(&r->made, nr);
	wake(r, &r->taker_sleeps);
}

/* A run is handed over with the start of the next behind it, so that it can be fetched ahead. */
static void *make_all(void *arg)
{
	struct runs *r = arg;
	struct runs_slot *last = NULL;
	uint64_t nr = 0;

	while (!atomic_load(&r->stop)) {
		/* The one in hand, and the one that waits for what comes behind it. */
		if (nr_waiting(r) >= RING - 2) {
			wait_for_room(r);
			continue;
		}
		struct runs_slot *slot = &r->slot[nr % RING];

		make(r, slot);
		if (last)
			memcpy(&last->item[last->run.nr], slot->item,
			       MERGE_BEHIND * sizeof(*slot->item));
		hand_over(r, nr++);
		last = slot;
		if (!slot->run.nr) {
			hand_over(r, nr);
			break;
		}
	}
	return NULL;
}

void runs_start(struct runs *r)
{
	r->started = !thread_start(&r->thread, 0, make_all, r);
}

struct runs_slot *runs_next(struct runs *r)
{
	if (!r->started) {
		make(r, r->slot);
		return r->slot;
	}
	if (r->hand) {
		if (!r->hand->run.nr)
			return r->hand;
		atomic_fetch_add(&r->done, 1);
		if (nr_waiting(r) <= HALF)
			wake(r, &r->maker_sleeps);
	}
	while (!nr_waiting(r))
		if (!r->ops->help(r->arg))
			wait_for_run(r);
	r->hand = &r->slot[atomic_load(&r->done) % RING];
	return r->hand;
}

void runs_free(struct runs *r)
{
	if (!r)
		return;
	if (r->started) {
		atomic_store(&r->stop, true);
		wake(r, &r->maker_sleeps);
		pthread_join(r->thread, NULL);
	}
	for (size_t i = 0; i < RING; i++)
		err_free(r->slot[i].err);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r->slot);
	free(r);
}
