// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "base/thread.h"
#include "base/xalloc.h"
#include "capture/tracedir.h"

/* How often a thread looks for itself, should poll() miss that a buffer fills. */
#define LOOK_MS 1000
/* Kernels whose poll() calls a buffer with one event readable get this rest. */
#define REST_MS 50

enum phase { PHASE_RUN, PHASE_HOLD, PHASE_DRAIN, PHASE_QUIT };

struct stream {
	struct streams *all;
	pthread_t thread;
	bool started;
	bool realtime;
	pid_t tid;
	unsigned int cpu;
	size_t index;
	int raw;     /* trace_pipe_raw, not blocking */
	int stats;   /* the CPU's stats */
	int wake_fd; /* there is something else to do than to wait */
	_Atomic uint64_t bytes;
	_Atomic bool brimming; /* was found nearly full */
	unsigned int flushed;  /* the last flush it has seen; under the lock */
	bool ended;	       /* will see none any more; likewise */
	struct err *err;
};

struct streams {
	struct stream *v;
	size_t nr;
	uint32_t subbuf_size;
	uint64_t enough; /* bytes in a buffer that are worth moving */
	uint64_t brim;	 /* bytes of one that is nearly full */
	bool want_realtime;
	struct sink sink;
	int fail_fd;
	_Atomic int phase;
	_Atomic unsigned int flush; /* number of the last that was asked for */
	_Atomic bool cut;	    /* whether the sink is told of it */
	pthread_mutex_t lock;	    /* for what follows */
	pthread_cond_t changed;
	size_t ready;  /* threads that have told their tid */
	size_t parked; /* threads that sleep in HOLD or have ended */
};

/* What a sub-buffer's header says is in it, of the machine we run on. */
static size_t bytes_in(const uint8_t *page)
{
	unsigned long commit;

	memcpy(&commit, page + sizeof(uint64_t), sizeof(commit));
	return commit & 0xfffff;
}

/* Goes through the buffer once. */
struct round {
	bool to_the_end; /* nobody writes any more */
	bool begun;
	bool over;
};

/*
 * Sub-buffers into the memory of the sink, until it is full or the round over. One
 * that is not full comes when we have caught up with the writers, and those that
 * follow would be like it (rule 2); what it lacked comes first in the next round.
 */
static struct err *fill(struct stream *s, struct round *round, uint8_t *to, size_t room,
			size_t *ret_len)
{
	uint32_t size = s->all->subbuf_size;
	size_t len = 0;

	while (!round->over && room - len >= size) {
		ssize_t n = read(s->raw, to + len, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return err_os(errno, "cannot read the trace buffer of cpu %u", s->cpu);
		round->over = n <= 0;
		if (n <= 0)
			break;
		memset(to + len + n, 0, size - (size_t)n);
		round->over =
			round->begun && !round->to_the_end && bytes_in(to + len) < size / 2;
		round->begun = true;
		len += size;
	}
	*ret_len = len;
	return NULL;
}

static struct err *move(struct stream *s, bool to_the_end)
{
	const struct sink *sink = &s->all->sink;
	struct round round = { .to_the_end = to_the_end };

	while (!round.over && (to_the_end || atomic_load(&s->all->phase) == PHASE_RUN)) {
		uint8_t *to;
		size_t room, len = 0;

		TRY(sink->room(sink->arg, s->index, &to, &room));
		TRY(fill(s, &round, to, room, &len));
		TRY(sink->filled(sink->arg, s->index, len));
		atomic_fetch_add_explicit(&s->bytes, len, memory_order_relaxed);
	}
	return NULL;
}

/* Whether so much waits in the buffer that it has to be moved. */
static bool is_filling(struct stream *s)
{
	char text[512];
	ssize_t n = pread(s->stats, text, sizeof(text) - 1, 0);
	uint64_t bytes;

	if (n <= 0)
		return true;
	text[n] = '\0';
	const char *pos = strstr(text, "\nbytes: ");

	if (!pos || sscanf(pos, " bytes: %" SCNu64, &bytes) != 1)
		return true;
	/* Kernels before 6.6 count too much as read, and get below nothing. */
	if (bytes > s->all->brim * 2)
		return true;
	if (bytes >= s->all->brim)
		atomic_store_explicit(&s->brimming, true, memory_order_relaxed);
	return bytes >= s->all->enough;
}

static void tell_flushed(struct stream *s, unsigned int flush)
{
	struct streams *all = s->all;

	pthread_mutex_lock(&all->lock);
	s->flushed = flush;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

static struct err *flush(struct stream *s, unsigned int number)
{
	const struct sink *sink = &s->all->sink;

	TRY(move(s, false));
	if (atomic_load(&s->all->cut))
		TRY(sink->cut(sink->arg, s->index));
	tell_flushed(s, number);
	return NULL;
}

/*
 * Rule 5. poll() wakes when the buffer is half full, but since 6.1 only; so the
 * level is checked where poll() did not wait, and where it waited for long.
 */
static struct err *run(struct stream *s)
{
	struct pollfd fds[] = {
		{ .fd = s->raw, .events = POLLIN },
		{ .fd = s->wake_fd, .events = POLLIN },
	};
	unsigned int flushed = 0;
	eventfd_t ignored;

	while (atomic_load(&s->all->phase) == PHASE_RUN) {
		poll(fds, 2, LOOK_MS);
		if (fds[1].revents)
			eventfd_read(s->wake_fd, &ignored);
		unsigned int number = atomic_load(&s->all->flush);

		if (number != flushed)
			TRY(flush(s, flushed = number));
		else if (fds[1].revents)
			continue;
		else if (is_filling(s))
			TRY(move(s, false));
		else if (fds[0].revents)
			poll(&fds[1], 1, REST_MS);
	}
	return NULL;
}

/* Sleeps through HOLD; the phase after it. */
static enum phase park(struct streams *all)
{
	pthread_mutex_lock(&all->lock);
	all->parked++;
	pthread_cond_broadcast(&all->changed);
	while (atomic_load(&all->phase) == PHASE_HOLD)
		pthread_cond_wait(&all->changed, &all->lock);
	pthread_mutex_unlock(&all->lock);
	return atomic_load(&all->phase);
}

/* Nobody is to wait for it. */
static void end_flushes(struct stream *s)
{
	pthread_mutex_lock(&s->all->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->all->changed);
	pthread_mutex_unlock(&s->all->lock);
}

static void *thread_main(void *arg)
{
	struct stream *s = arg;
	struct streams *all = s->all;
	struct sched_param param = { .sched_priority = 1 };

	s->realtime = all->want_realtime &&
		      pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0;
	s->tid = (pid_t)syscall(SYS_gettid);
	pthread_mutex_lock(&all->lock);
	all->ready++;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);

	s->err = run(s);
	if (s->err)
		eventfd_write(all->fail_fd, 1);
	end_flushes(s);
	if (park(all) == PHASE_DRAIN && !s->err)
		s->err = move(s, true);
	return NULL;
}

static struct err *open_stream(struct stream *s, const char *instance)
{
	auto_free char *path = xasprintf("%s/per_cpu/cpu%u/trace_pipe_raw", instance, s->cpu);

	auto_free char *stats = xasprintf("%s/per_cpu/cpu%u/stats", instance, s->cpu);

	s->raw = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (s->raw < 0)
		return tracedir_refused(errno, path);
	s->stats = open(stats, O_RDONLY | O_CLOEXEC);
	if (s->stats < 0)
		return tracedir_refused(errno, stats);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		return err_os(errno, "cannot make an eventfd");
	return NULL;
}

static struct err *start_thread(struct stream *s)
{
	int ret = thread_start(&s->thread, 256 << 10, thread_main, s);

	if (ret)
		return err_os(ret, "cannot start a thread for cpu %u", s->cpu);
	s->started = true;
	return NULL;
}

static struct err *open_all(struct streams *all, const char *instance)
{
	all->fail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (all->fail_fd < 0)
		return err_os(errno, "cannot make an eventfd");
	for (size_t i = 0; i < all->nr; i++)
		TRY(open_stream(&all->v[i], instance));
	for (size_t i = 0; i < all->nr; i++)
		TRY(start_thread(&all->v[i]));
	pthread_mutex_lock(&all->lock);
	while (all->ready < all->nr)
		pthread_cond_wait(&all->changed, &all->lock);
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct err *streams_open(const char *instance, const struct cpulist *cpus,
			 const struct sink *sink, uint32_t subbuf_size, uint64_t buffer_bytes,
			 bool realtime, struct streams **ret)
{
	struct streams *all = xcalloc(1, sizeof(*all));

	*all = (struct streams){
		.v = xcalloc(cpus->nr, sizeof(*all->v)),
		.nr = cpus->nr,
		.subbuf_size = subbuf_size,
		/* Below the half, at which poll() wakes: headers do not count as bytes. */
		.enough = buffer_bytes / 3,
		.brim = buffer_bytes / 5 * 4,
		.want_realtime = realtime,
		.sink = *sink,
		.fail_fd = -1,
		.phase = PHASE_RUN,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	for (size_t i = 0; i < all->nr; i++) {
		all->v[i].all = all;
		all->v[i].cpu = cpus->v[i];
		all->v[i].index = i;
		all->v[i].raw = all->v[i].stats = all->v[i].wake_fd = -1;
	}
	struct err *err = open_all(all, instance);

	if (err) {
		streams_close(all);
		return err;
	}
	*ret = all;
	return NULL;
}

static void wake(struct streams *all)
{
	for (size_t i = 0; i < all->nr; i++)
		if (all->v[i].wake_fd >= 0)
			eventfd_write(all->v[i].wake_fd, 1);
}

static void set_phase(struct streams *all, enum phase phase)
{
	pthread_mutex_lock(&all->lock);
	atomic_store(&all->phase, phase);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
	wake(all);
}

static void join_all(struct streams *all)
{
	for (size_t i = 0; i < all->nr; i++) {
		if (all->v[i].started)
			pthread_join(all->v[i].thread, NULL);
		all->v[i].started = false;
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void streams_close(struct streams *all)
{
	if (!all)
		return;
	set_phase(all, PHASE_QUIT);
	join_all(all);
	for (size_t i = 0; i < all->nr; i++) {
		struct stream *s = &all->v[i];

		close_fd(&s->raw);
		close_fd(&s->stats);
		close_fd(&s->wake_fd);
		err_free(s->err);
	}
	close_fd(&all->fail_fd);
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->changed);
	free(all->v);
	free(all);
}

void streams_hold(struct streams *all)
{
	set_phase(all, PHASE_HOLD);
	pthread_mutex_lock(&all->lock);
	while (all->parked < all->nr)
		pthread_cond_wait(&all->changed, &all->lock);
	pthread_mutex_unlock(&all->lock);
}

struct err *streams_drain(struct streams *all)
{
	set_phase(all, PHASE_DRAIN);
	join_all(all);
	for (size_t i = 0; i < all->nr; i++)
		if (all->v[i].err)
			return take_ptr(all->v[i].err);
	return NULL;
}

static struct err *ask_for_flush(struct streams *all, bool cut)
{
	struct err *err = NULL;

	atomic_store(&all->cut, cut);
	unsigned int number = atomic_fetch_add(&all->flush, 1) + 1;

	wake(all);
	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->nr; i++) {
		while (all->v[i].flushed != number && !all->v[i].ended)
			pthread_cond_wait(&all->changed, &all->lock);
		/* streams_drain() says why. */
		if (all->v[i].flushed != number && !err)
			err = err_new(ERR_OS, "cpu %u is no longer read", all->v[i].cpu);
	}
	pthread_mutex_unlock(&all->lock);
	return err;
}

struct err *streams_flush(struct streams *all)
{
	return ask_for_flush(all, false);
}

struct err *streams_cut(struct streams *all)
{
	return ask_for_flush(all, true);
}

int streams_fd(const struct streams *all)
{
	return all->fail_fd;
}

uint64_t streams_bytes(const struct streams *all)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < all->nr; i++)
		bytes += atomic_load_explicit(&all->v[i].bytes, memory_order_relaxed);
	return bytes;
}

bool streams_brimming(const struct streams *all, size_t i)
{
	return atomic_load_explicit(&all->v[i].brimming, memory_order_relaxed);
}

pid_t streams_tid(const struct streams *all, size_t i)
{
	return all->v[i].tid;
}

bool streams_realtime(const struct streams *all)
{
	for (size_t i = 0; i < all->nr; i++)
		if (!all->v[i].realtime)
			return false;
	return true;
}
