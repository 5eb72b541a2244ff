// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/ahead.h"

#include <stdlib.h>

#include "base/thread.h"
#include "base/xalloc.h"

/* What FEW cursors have, more of them share, but for LITTLE each: of events, and of places. */
enum { FEW = 16, LITTLE = 64, PIECE = 64 << 10 };

/* Of a ring of blocks: the two threads of two CPUs are to wait for each other seldom. */
enum { BLOCKS_OF_FEW = 8, BLOCKS_OF_MANY = 3, VERY_FEW = 4 };

struct slot {
	struct cursor_block *block;
	struct clue *clue;
	struct ahead_block out;
	bool renamed; /* its events have the ids that are handed out */
	struct err *err;
};

/*
 * A ring: `handed` blocks that are handed out, then `filled` more, then free ones. Whoever
 * set `busy` fills the first of these. The last that was handed out may be the end.
 */
struct source {
	struct cursor *cursor;
	struct page_reader *reader;
	struct clues *clues;
	struct slot slot[AHEAD_BLOCKS];
	size_t head;   /* the oldest that is filled or handed out */
	size_t handed; /* and not released */
	size_t filled; /* not handed out */
	bool busy, queued, ended;
};

struct ahead {
	struct source *source;
	size_t nr, cap;
	size_t nr_blocks; /* of a ring */
	struct hash_secret secret;
	struct names *raw, *names;
	/* Threads read both as somebody hands out what they do not know yet. */
	uint16_t *id;  /* in names, by the one in raw; 0: not yet known */
	uint16_t same; /* ids below it are the same in both */

	/* What follows, and the rings, is for whoever holds the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	size_t *queue; /* a ring of sources with much room */
	size_t queue_head, queue_nr;
	const struct source *wanted; /* that ahead_next() waits for */
	size_t nr_idle;
	bool started, stop;

	pthread_t *thread;
	size_t nr_threads;
};

struct ahead *ahead_new(size_t nr_cursors, struct names *raw, struct names *names,
			struct hash_secret secret)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->source = xcalloc(nr_cursors + 1, sizeof(*a->source));
	a->queue = xcalloc(nr_cursors + 1, sizeof(*a->queue));
	a->id = xcalloc(UINT16_MAX + 1, sizeof(*a->id));
	a->cap = nr_cursors;
	a->nr_blocks = nr_cursors > FEW	       ? BLOCKS_OF_MANY
		       : nr_cursors > VERY_FEW ? BLOCKS_OF_FEW
					       : AHEAD_BLOCKS;
	a->same = 1;
	a->raw = raw;
	a->names = names;
	a->secret = secret;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->work, NULL);
	pthread_cond_init(&a->done, NULL);
	return a;
}

void ahead_stop(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->work);
	pthread_cond_broadcast(&a->done);
	pthread_mutex_unlock(&a->lock);
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	ahead_stop(a);
	for (size_t i = 0; i < a->nr_threads; i++)
		pthread_join(a->thread[i], NULL);
	for (size_t i = 0; i < a->nr; i++) {
		struct source *s = &a->source[i];

		for (size_t k = 0; k < AHEAD_BLOCKS; k++) {
			cursor_block_free(s->slot[k].block);
			free(s->slot[k].clue);
			err_free(s->slot[k].err);
		}
		clues_free(s->clues);
		cursor_free(s->cursor);
		page_reader_close(s->reader);
	}
	pthread_cond_destroy(&a->work);
	pthread_cond_destroy(&a->done);
	pthread_mutex_destroy(&a->lock);
	free(a->thread);
	free(a->source);
	free(a->queue);
	free(a->id);
	free(a);
}

/* A power of two, as @most is. */
static size_t share_of(const struct ahead *a, size_t most)
{
	size_t share = most;

	while (share > LITTLE && share * a->cap > most * FEW)
		share /= 2;
	return share;
}

void ahead_add(struct ahead *a, struct cursor *cursor, struct page_reader *reader)
{
	page_reader_pieces(reader, PIECE);
	cursor_portion(cursor, share_of(a, CURSOR_FILL));
	a->source[a->nr++] = (struct source){
		.cursor = cursor,
		.reader = reader,
		.clues = clues_new(share_of(a, CLUE_PLACES), a->secret),
	};
}

static size_t nr_free(const struct ahead *a, const struct source *s)
{
	return a->nr_blocks - s->filled - s->handed;
}

static struct slot *slot_of(struct ahead *a, struct source *s, size_t i)
{
	return &s->slot[(s->head + i) % a->nr_blocks];
}

/* The end was handed out. */
static bool is_at_end(struct ahead *a, struct source *s)
{
	return s->handed && !slot_of(a, s, s->handed - 1)->out.nr;
}

/*
 * Which names the cursors met first depends on the threads; in which order blocks
 * are handed out does not. So whoever hands out a block gives its names their ids.
 */
static void rename_events(struct ahead *a, const struct slot *slot)
{
	struct event *event = slot->block->event;

	for (size_t i = 0; i < slot->out.nr; i++) {
		uint16_t raw = event[i].cache, id = a->id[raw], same = a->same;

		if (raw == EVENT_CACHE_NONE)
			continue;
		if (!id) {
			const char *text = names_text(a->raw, raw);

			id = raw == NAMES_OVERFLOW ? raw
						   : names_id(a->names, text, strlen(text));
			__atomic_store_n(&a->id[raw], id, __ATOMIC_RELAXED);
			while (same < UINT16_MAX && a->id[same] == same)
				same++;
			__atomic_store_n(&a->same, same, __ATOMIC_RELAXED);
		}
		event[i].cache = id;
	}
}

/*
 * The same by who filled the block, and has it in his cache; false, with nothing done, when
 * a name is not known yet. No raw id is above @most.
 */
static bool rename_known(const struct ahead *a, const struct slot *slot, uint16_t most)
{
	struct event *event = slot->block->event;

	if (most < __atomic_load_n(&a->same, __ATOMIC_RELAXED))
		return true;
	for (size_t i = 0; i < slot->out.nr; i++)
		if (event[i].cache != EVENT_CACHE_NONE &&
		    !__atomic_load_n(&a->id[event[i].cache], __ATOMIC_RELAXED))
			return false;
	for (size_t i = 0; i < slot->out.nr; i++)
		event[i].cache = __atomic_load_n(&a->id[event[i].cache], __ATOMIC_RELAXED);
	return true;
}

/* Fills a block of @s, where one is free; the lock is let go meanwhile. */
static void fill(struct ahead *a, struct source *s)
{
	struct slot *slot = slot_of(a, s, s->handed + s->filled);

	s->busy = true;
	pthread_mutex_unlock(&a->lock);
	if (!slot->block) {
		slot->block = cursor_block_new();
		slot->clue = xreallocarray(NULL, CURSOR_MOST, sizeof(*slot->clue));
	}
	slot->out.nr = 0;
	slot->err = cursor_fill(s->cursor, slot->block, &slot->out.nr);
	slot->out.event = slot->block->event;
	slot->out.clue = slot->clue;
	if (slot->out.nr)
		slot->out.survey =
			clues_find(s->clues, slot->block->event, slot->out.nr, slot->clue);
	slot->renamed = rename_known(a, slot, cursor_most_name(s->cursor));
	slot->out.stats = *cursor_stats(s->cursor);
	slot->out.bytes = page_reader_bytes(s->reader);
	slot->out.pending_ns = cursor_pending_ns(s->cursor);
	pthread_mutex_lock(&a->lock);
	s->filled++;
	s->busy = false;
	s->ended = !slot->out.nr;
	if (a->wanted == s)
		pthread_cond_signal(&a->done);
}

/* At its end for good, while others go on: once no block is read, what it was for is over. */
static void retire(struct ahead *a, struct source *s)
{
	if (s->handed != 1 || !is_at_end(a, s) || !cursor_is_over(s->cursor))
		return;
	for (size_t k = 0; k < AHEAD_BLOCKS; k++) {
		cursor_block_free(s->slot[k].block);
		free(s->slot[k].clue);
		s->slot[k].block = NULL;
		s->slot[k].clue = NULL;
		s->slot[k].out.event = NULL;
		s->slot[k].out.clue = NULL;
	}
	clues_free(s->clues);
	s->clues = NULL;
	page_reader_release(s->reader);
}

/* Puts @s in the queue; with few blocks free, a thread would soon be idle again. */
static void enqueue(struct ahead *a, struct source *s, size_t least)
{
	if (!a->started || s->busy || s->queued || s->ended || nr_free(a, s) < least)
		return;
	s->queued = true;
	a->queue[(a->queue_head + a->queue_nr++) % a->nr] = (size_t)(s - a->source);
	if (a->nr_idle)
		pthread_cond_signal(&a->work);
}

/* The source that waits longest for a thread, or NULL. */
static struct source *dequeue(struct ahead *a)
{
	while (a->queue_nr) {
		struct source *s = &a->source[a->queue[a->queue_head]];

		a->queue_head = (a->queue_head + 1) % a->nr;
		a->queue_nr--;
		s->queued = false;
		if (!s->busy && !s->ended && nr_free(a, s))
			return s;
	}
	return NULL;
}

static void *work(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		struct source *s = dequeue(a);

		if (!s) {
			a->nr_idle++;
			pthread_cond_wait(&a->work, &a->lock);
			a->nr_idle--;
			continue;
		}
		fill(a, s);
		enqueue(a, s, 1);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

bool ahead_help(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	struct source *s = dequeue(a);

	if (s) {
		fill(a, s);
		enqueue(a, s, 1);
	}
	pthread_mutex_unlock(&a->lock);
	return s;
}

void ahead_start(struct ahead *a, size_t nr_threads)
{
	if (nr_threads > a->nr)
		nr_threads = a->nr;
	a->thread = xcalloc(nr_threads + 1, sizeof(*a->thread));
	pthread_mutex_lock(&a->lock);
	while (a->nr_threads < nr_threads &&
	       !thread_start(&a->thread[a->nr_threads], 0, work, a))
		a->nr_threads++;
	a->started = true;
	for (size_t i = 0; i < a->nr; i++)
		enqueue(a, &a->source[i], 1);
	pthread_mutex_unlock(&a->lock);
}

struct err *ahead_next(struct ahead *a, size_t i, struct ahead_block *ret)
{
	struct source *s = &a->source[i];

	pthread_mutex_lock(&a->lock);
	while (!is_at_end(a, s) && !s->filled && !a->stop) {
		if (!s->busy && nr_free(a, s)) {
			fill(a, s);
			enqueue(a, s, a->nr_blocks / 2);
		} else {
			a->wanted = s;
			pthread_cond_wait(&a->done, &a->lock);
			a->wanted = NULL;
		}
	}
	if (a->stop) {
		pthread_mutex_unlock(&a->lock);
		*ret = (struct ahead_block){ .pending_ns = UINT64_MAX };
		return NULL;
	}
	if (!is_at_end(a, s)) {
		s->handed++;
		s->filled--;
	}

	struct slot *slot = slot_of(a, s, s->handed - 1);
	struct err *err = slot->err;

	slot->err = NULL;
	retire(a, s);
	pthread_mutex_unlock(&a->lock);
	if (err)
		return err;
	if (!slot->renamed)
		rename_events(a, slot);
	*ret = slot->out;
	return NULL;
}

void ahead_release(struct ahead *a, size_t i)
{
	struct source *s = &a->source[i];

	pthread_mutex_lock(&a->lock);
	s->head = (s->head + 1) % a->nr_blocks;
	s->handed--;
	enqueue(a, s, a->nr_blocks / 2);
	retire(a, s);
	if (a->wanted == s)
		pthread_cond_signal(&a->done);
	pthread_mutex_unlock(&a->lock);
}

struct err *ahead_resume(struct ahead *a, size_t i, bool last, bool old)
{
	struct source *s = &a->source[i];

	if (s->handed) {
		s->handed = 0;
		s->head = (s->head + 1) % a->nr_blocks;
	}
	s->ended = false;
	cursor_resume(s->cursor, last);
	if (old)
		cursor_forget_stacks(s->cursor);
	return page_reader_refresh(s->reader);
}
