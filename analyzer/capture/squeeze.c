// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/squeeze.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <zstd.h>

#include "base/thread.h"
#include "base/xalloc.h"
#include "capture/datfile.h"
#include "capture/lane.h"

/* A CPU's worth of zstd keeps up with some four CPUs that allocate all the time. */
#define LANES_PER_WORKER 4

struct worker {
	struct squeeze *all;
	pthread_t thread;
	bool started;
	bool may_idle; /* and come back from it */
	pid_t tid;
	size_t first; /* lane to look at first */
	ZSTD_CCtx *zstd;
	void *frame;
	size_t frame_size;
};

struct squeeze {
	struct lane *lane;
	size_t nr_lanes;
	struct worker *worker;
	size_t nr_workers;
	int level;
	sem_t work;
	_Atomic bool hold, quit, urgent;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	size_t ready, parked;
};

/* Rule 2. Only while nothing is held that others may wait for. */
static void go_idle(const struct worker *w, bool idle)
{
	if (w->may_idle && (!idle || !atomic_load(&w->all->urgent)))
		sched_setscheduler(0, idle ? SCHED_IDLE : SCHED_OTHER, &(struct sched_param){});
}

static void compress(struct worker *w, struct lane *l)
{
	struct chunk *c;

	while ((c = lane_next(l, atomic_load(&w->all->hold)))) {
		go_idle(w, true);
		size_t n = ZSTD_compressCCtx(w->zstd, w->frame, w->frame_size, c->data, c->len,
					     w->all->level);

		go_idle(w, false);
		lane_done(l, c, w->frame, ZSTD_isError(n) ? 0 : n);
	}
}

static void look_around(struct worker *w)
{
	struct squeeze *all = w->all;

	for (size_t i = 0; i < all->nr_lanes; i++) {
		struct lane *l = &all->lane[(w->first + i) % all->nr_lanes];

		if (!atomic_load(&all->hold) && lane_claim(l))
			compress(w, l);
	}
}

static void park(struct squeeze *all)
{
	pthread_mutex_lock(&all->lock);
	all->parked++;
	pthread_cond_broadcast(&all->changed);
	while (atomic_load(&all->hold))
		pthread_cond_wait(&all->changed, &all->lock);
	all->parked--;
	pthread_mutex_unlock(&all->lock);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct squeeze *all = w->all;
	struct sched_param fifo = { .sched_priority = 1 }, other = {};

	/* Who may do this may also leave SCHED_IDLE again. */
	w->may_idle = sched_setscheduler(0, SCHED_FIFO, &fifo) == 0 &&
		      sched_setscheduler(0, SCHED_OTHER, &other) == 0;
	w->tid = (pid_t)syscall(SYS_gettid);
	pthread_mutex_lock(&all->lock);
	all->ready++;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
	for (;;) {
		while (sem_wait(&all->work) < 0 && errno == EINTR)
			;
		/* Looked at before the lanes: what was queued before it is done. */
		bool quit = atomic_load(&all->quit);

		if (atomic_load(&all->hold))
			park(all);
		look_around(w);
		if (quit)
			return NULL;
	}
}

static void wake(struct squeeze *all)
{
	for (size_t i = 0; i < all->nr_workers; i++)
		sem_post(&all->work);
}

static struct err *start_worker(struct worker *w)
{
	w->frame_size = ZSTD_compressBound(w->all->lane[0].chunk_size);
	w->frame = xmalloc(w->frame_size);
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd)
		return err_new(ERR_OS, "no memory for zstd");
	/* Rule 3: it takes what it needs with the first chunk. */
	ZSTD_compressCCtx(w->zstd, w->frame, w->frame_size, w->all->lane[0].memory,
			  w->all->lane[0].chunk_size, w->all->level);
	int ret = thread_start(&w->thread, 0, worker_main, w);

	if (ret)
		return err_os(ret, "cannot start a thread to compress");
	w->started = true;
	return NULL;
}

static struct err *start_workers(struct squeeze *all)
{
	for (size_t i = 0; i < all->nr_workers; i++)
		TRY(start_worker(&all->worker[i]));
	pthread_mutex_lock(&all->lock);
	while (all->ready < all->nr_workers)
		pthread_cond_wait(&all->changed, &all->lock);
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct err *squeeze_open(const struct squeeze_opts *opts, struct squeeze **ret)
{
	struct squeeze *all = xcalloc(1, sizeof(*all));
	size_t nr = opts->cpus->nr;

	*all = (struct squeeze){
		.lane = xcalloc(nr, sizeof(*all->lane)),
		.nr_lanes = nr,
		.level = opts->level,
		.nr_workers = opts->level ? (nr + LANES_PER_WORKER - 1) / LANES_PER_WORKER : 0,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	all->worker = xcalloc(all->nr_workers + 1, sizeof(*all->worker));
	sem_init(&all->work, 0, 0);
	for (size_t i = 0; i < nr; i++)
		lane_init(&all->lane[i], opts->dir_fd, opts->cpus->v[i], opts->subbuf_size,
			  opts->level != 0, opts->memory);
	for (size_t i = 0; i < all->nr_workers; i++) {
		all->worker[i].all = all;
		all->worker[i].first = i * LANES_PER_WORKER;
	}
	struct err *err = NULL;

	for (size_t i = 0; i < nr && !err && opts->early; i++)
		err = lane_open(&all->lane[i]);
	if (!err)
		err = start_workers(all);
	if (err) {
		squeeze_close(all);
		return err;
	}
	*ret = all;
	return NULL;
}

/* Out of SCHED_IDLE too, from where nobody else can be asked to wait for them. */
static void hurry(struct squeeze *all)
{
	atomic_store(&all->urgent, true);
	for (size_t i = 0; i < all->nr_workers; i++)
		if (all->worker[i].started && all->worker[i].may_idle)
			pthread_setschedparam(all->worker[i].thread, SCHED_OTHER,
					      &(struct sched_param){});
}

static void end_workers(struct squeeze *all)
{
	hurry(all);
	atomic_store(&all->quit, true);
	squeeze_release(all);
	for (size_t i = 0; i < all->nr_workers; i++) {
		if (all->worker[i].started)
			pthread_join(all->worker[i].thread, NULL);
		all->worker[i].started = false;
	}
}

void squeeze_close(struct squeeze *all)
{
	if (!all)
		return;
	end_workers(all);
	for (size_t i = 0; i < all->nr_workers; i++) {
		ZSTD_freeCCtx(all->worker[i].zstd);
		free(all->worker[i].frame);
	}
	for (size_t i = 0; i < all->nr_lanes; i++)
		lane_deinit(&all->lane[i]);
	sem_destroy(&all->work);
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->changed);
	free(all->lane);
	free(all->worker);
	free(all);
}

static struct err *sink_room(void *arg, size_t i, uint8_t **ret, size_t *ret_len)
{
	struct squeeze *all = arg;

	return lane_room(&all->lane[i], ret, ret_len);
}

static struct err *sink_filled(void *arg, size_t i, size_t len)
{
	struct squeeze *all = arg;
	bool queued;
	struct err *err = lane_filled(&all->lane[i], len, &queued);

	if (queued)
		sem_post(&all->work);
	return err;
}

static struct err *sink_cut(void *arg, size_t i)
{
	struct squeeze *all = arg;
	bool queued;
	struct err *err = lane_cut(&all->lane[i], &queued);

	if (queued)
		sem_post(&all->work);
	return err;
}

struct sink squeeze_sink(struct squeeze *all)
{
	return (struct sink){
		.arg = all, .room = sink_room, .filled = sink_filled, .cut = sink_cut
	};
}

void squeeze_hold(struct squeeze *all)
{
	atomic_store(&all->hold, true);
	wake(all);
	pthread_mutex_lock(&all->lock);
	while (all->parked < all->nr_workers) {
		struct timespec until;

		/* One may have turned idle at the moment it was told not to. */
		hurry(all);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		pthread_cond_timedwait(&all->changed, &all->lock, &until);
	}
	pthread_mutex_unlock(&all->lock);
}

void squeeze_release(struct squeeze *all)
{
	pthread_mutex_lock(&all->lock);
	atomic_store(&all->hold, false);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
	wake(all);
}

struct err *squeeze_finish(struct squeeze *all)
{
	struct err *first = NULL;

	for (size_t i = 0; i < all->nr_lanes && !first; i++)
		first = lane_end(&all->lane[i]);
	end_workers(all);
	for (size_t i = 0; i < all->nr_lanes; i++) {
		struct err *err = lane_error(&all->lane[i]);

		if (first)
			err_free(err);
		else
			first = err;
	}
	return first;
}

void squeeze_segments(struct squeeze *all, size_t i, uint32_t first, uint32_t end,
		      struct segments *ret)
{
	struct lane *l = &all->lane[i];

	pthread_mutex_lock(&l->lock);
	segments_copy(&l->segments, first, end, ret);
	pthread_mutex_unlock(&l->lock);
}

bool squeeze_settled(struct squeeze *all, uint32_t end)
{
	for (size_t i = 0; i < all->nr_lanes; i++)
		if (!lane_settled(&all->lane[i], end))
			return false;
	return true;
}

void squeeze_settle(struct squeeze *all, uint32_t end)
{
	for (size_t i = 0; i < all->nr_lanes; i++)
		lane_settle(&all->lane[i], end);
}

void squeeze_drop(struct squeeze *all, uint32_t end)
{
	for (size_t i = 0; i < all->nr_lanes; i++)
		lane_drop(&all->lane[i], end);
}

void squeeze_forget(struct squeeze *all, size_t i, uint64_t bytes)
{
	lane_forget(&all->lane[i], bytes);
}

uint64_t squeeze_stored(struct squeeze *all)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < all->nr_lanes; i++) {
		struct lane *l = &all->lane[i];

		pthread_mutex_lock(&l->lock);
		for (size_t j = 0; j < l->segments.nr; j++)
			sum += l->segments.v[j].stored;
		pthread_mutex_unlock(&l->lock);
	}
	return sum;
}

pid_t squeeze_tid(const struct squeeze *all, size_t i)
{
	return i < all->nr_workers ? all->worker[i].tid : 0;
}
