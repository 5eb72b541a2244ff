// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "base/xalloc.h"
#include "capture/tracedir.h"

/* 256 sub-buffers a splice; the kernel's limit for anybody but root. */
#define PIPE_BYTES (1 << 20)

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
	int raw;     /* trace_pipe_raw, not blocking */
	int stats;   /* the CPU's stats */
	int out;     /* borrowed */
	int pipe[2]; /* carries pages from raw to out */
	size_t pipe_bytes;
	uint8_t *page; /* for the last, partial ones */
	_Atomic uint64_t bytes;
	_Atomic bool brimming; /* was found nearly full */
	int nudge_fd;	       /* readable: to be flushed */
	bool flushing;	       /* the nudge was not answered yet; for who holds the lock */
	bool gone;	       /* no longer in run(); likewise */
	struct err *err;
};

struct streams {
	struct stream *v;
	size_t nr;
	uint32_t subbuf_size;
	uint64_t enough; /* bytes in a buffer that are worth moving */
	uint64_t brim;	 /* bytes of one that is nearly full */
	uint64_t buffer_bytes;
	bool want_realtime;
	int wake_fd; /* readable once the phase is no longer RUN */
	int fail_fd;
	_Atomic int phase;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	size_t ready;  /* threads that have told their tid */
	size_t parked; /* threads that sleep in HOLD or have ended */
};

static struct err *write_all(struct stream *s, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(s->out, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "cannot write the recording");
		data += n;
		len -= (size_t)n;
	}
	return NULL;
}

/* Up to a page's worth of the pipe by way of memory. */
static ssize_t copy_from_pipe(struct stream *s, size_t len, struct err **ret_err)
{
	size_t part = len < s->all->subbuf_size ? len : s->all->subbuf_size;
	ssize_t n = read(s->pipe[0], s->page, part);

	if (n > 0)
		*ret_err = write_all(s, s->page, (size_t)n);
	return n;
}

/* Moves all that the pipe holds; file systems that cannot splice get a copy. */
static struct err *empty_pipe(struct stream *s, size_t len)
{
	bool copy = false;

	while (len) {
		struct err *err = NULL;
		ssize_t n = copy ? copy_from_pipe(s, len, &err)
				 : splice(s->pipe[0], NULL, s->out, NULL, len, SPLICE_F_MOVE);

		if (err)
			return err;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && !copy) {
			copy = true;
			continue;
		}
		if (n < 0)
			return err_os(errno, "cannot write the recording");
		if (n == 0)
			return err_new(ERR_OS, "cannot write the recording: no progress");
		len -= (size_t)n;
		atomic_fetch_add_explicit(&s->bytes, (uint64_t)n, memory_order_relaxed);
	}
	return NULL;
}

/* One pipe full of whole sub-buffers; *ret is false when there are none. */
static struct err *move_full(struct stream *s, bool *ret)
{
	ssize_t n = splice(s->raw, NULL, s->pipe[1], NULL, s->pipe_bytes, SPLICE_F_NONBLOCK);

	*ret = n > 0;
	if (n > 0)
		return empty_pipe(s, (size_t)n);
	if (n == 0 || errno == EAGAIN || errno == EINTR)
		return NULL;
	return err_os(errno, "cannot read the trace buffer of cpu %u", s->cpu);
}

/* What splice leaves: the sub-buffer that never got full. */
static struct err *move_partial(struct stream *s)
{
	uint32_t size = s->all->subbuf_size;

	for (;;) {
		ssize_t n = read(s->raw, s->page, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == EAGAIN))
			return NULL;
		if (n < 0)
			return err_os(errno, "cannot read the trace buffer of cpu %u", s->cpu);
		memset(s->page + n, 0, size - (size_t)n);
		TRY(write_all(s, s->page, size));
		atomic_fetch_add_explicit(&s->bytes, size, memory_order_relaxed);
	}
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
	if (bytes >= s->all->brim)
		atomic_store_explicit(&s->brimming, true, memory_order_relaxed);
	return bytes >= s->all->enough;
}

static struct err *move_all(struct stream *s)
{
	bool more;

	do
		TRY(move_full(s, &more));
	while (more && atomic_load(&s->all->phase) == PHASE_RUN);
	return NULL;
}

/*
 * What is in the buffer now: as much as it holds at most, lest a busy CPU keep this
 * going.
 */
static struct err *flush(struct stream *s)
{
	uint64_t start = atomic_load_explicit(&s->bytes, memory_order_relaxed);
	bool more;

	do
		TRY(move_full(s, &more));
	while (more && atomic_load_explicit(&s->bytes, memory_order_relaxed) - start <
			       s->all->buffer_bytes);
	return more ? NULL : move_partial(s);
}

static struct err *answer_nudge(struct stream *s)
{
	eventfd_t count;

	eventfd_read(s->nudge_fd, &count);
	TRY(flush(s));
	pthread_mutex_lock(&s->all->lock);
	s->flushing = false;
	pthread_cond_broadcast(&s->all->changed);
	pthread_mutex_unlock(&s->all->lock);
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
		{ .fd = s->all->wake_fd, .events = POLLIN },
		{ .fd = s->nudge_fd, .events = POLLIN },
	};

	while (atomic_load(&s->all->phase) == PHASE_RUN) {
		poll(fds, 3, LOOK_MS);
		if (fds[1].revents)
			continue;
		if (fds[2].revents)
			TRY(answer_nudge(s));
		else if (is_filling(s))
			TRY(move_all(s));
		else if (fds[0].revents)
			poll(&fds[1], 2, REST_MS);
	}
	return NULL;
}

static struct err *drain(struct stream *s)
{
	bool more;

	do
		TRY(move_full(s, &more));
	while (more);
	return move_partial(s);
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
	pthread_mutex_lock(&all->lock);
	s->gone = true;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
	if (park(all) == PHASE_DRAIN && !s->err)
		s->err = drain(s);
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
	s->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->nudge_fd < 0)
		return err_os(errno, "cannot make an eventfd");
	if (pipe2(s->pipe, O_CLOEXEC) < 0)
		return err_os(errno, "cannot make a pipe");
	/* A smaller one only costs more system calls. */
	fcntl(s->pipe[1], F_SETPIPE_SZ, PIPE_BYTES);
	int size = fcntl(s->pipe[1], F_GETPIPE_SZ);

	s->pipe_bytes = size > 0 ? (size_t)size : 65536;
	s->page = xcalloc(1, s->all->subbuf_size);
	return NULL;
}

static struct err *start_thread(struct stream *s)
{
	pthread_attr_t attr;
	sigset_t all, old;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	int ret = pthread_create(&s->thread, &attr, thread_main, s);

	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return err_os(ret, "cannot start a thread for cpu %u", s->cpu);
	s->started = true;
	return NULL;
}

static struct err *open_all(struct streams *all, const char *instance)
{
	all->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	all->fail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (all->wake_fd < 0 || all->fail_fd < 0)
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

struct err *streams_open(const char *instance, const struct cpulist *cpus, const int *outputs,
			 uint32_t subbuf_size, uint64_t buffer_bytes, bool realtime,
			 struct streams **ret)
{
	struct streams *all = xcalloc(1, sizeof(*all));

	*all = (struct streams){
		.v = xcalloc(cpus->nr, sizeof(*all->v)),
		.nr = cpus->nr,
		.subbuf_size = subbuf_size,
		/* Below the half, at which poll() wakes: headers do not count as bytes. */
		.enough = buffer_bytes / 3,
		.brim = buffer_bytes / 5 * 4,
		.buffer_bytes = buffer_bytes,
		.want_realtime = realtime,
		.wake_fd = -1,
		.fail_fd = -1,
		.phase = PHASE_RUN,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	for (size_t i = 0; i < all->nr; i++) {
		all->v[i].all = all;
		all->v[i].cpu = cpus->v[i];
		all->v[i].out = outputs[i];
		all->v[i].nudge_fd = -1;
		all->v[i].raw = all->v[i].stats = all->v[i].pipe[0] = all->v[i].pipe[1] = -1;
	}
	struct err *err = open_all(all, instance);

	if (err) {
		streams_close(all);
		return err;
	}
	*ret = all;
	return NULL;
}

static void set_phase(struct streams *all, enum phase phase)
{
	pthread_mutex_lock(&all->lock);
	atomic_store(&all->phase, phase);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
	eventfd_write(all->wake_fd, 1);
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
		close_fd(&s->nudge_fd);
		close_fd(&s->pipe[0]);
		close_fd(&s->pipe[1]);
		free(s->page);
		err_free(s->err);
	}
	close_fd(&all->wake_fd);
	close_fd(&all->fail_fd);
	pthread_mutex_destroy(&all->lock);
	pthread_cond_destroy(&all->changed);
	free(all->v);
	free(all);
}

struct err *streams_flush(struct streams *all)
{
	struct err *err = NULL;

	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->nr; i++) {
		all->v[i].flushing = true;
		eventfd_write(all->v[i].nudge_fd, 1);
	}
	for (size_t i = 0; i < all->nr; i++) {
		while (all->v[i].flushing && !all->v[i].gone)
			pthread_cond_wait(&all->changed, &all->lock);
		/* streams_drain() says why. */
		if (all->v[i].gone && !err)
			err = err_new(ERR_OS, "cpu %u is no longer read", all->v[i].cpu);
	}
	pthread_mutex_unlock(&all->lock);
	return err;
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
