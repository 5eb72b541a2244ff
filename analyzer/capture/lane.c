// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include "base/xalloc.h"
#include "capture/datfile.h"

/* One waits with the CPU's thread, one with a compressor, one is being stolen. */
#define LEAST_CHUNKS 4

/* zstd's limit for a block, and how many the largest chunk has. */
#define BLOCK_MAX  (128 << 10)
#define BLOCKS_MAX 8

void lane_init(struct lane *l, int dir_fd, unsigned int cpu, uint32_t subbuf_size, bool packed,
	       uint64_t memory)
{
	size_t page = subbuf_size;
	size_t chunk_size = page < DATFILE_CHUNK ? DATFILE_CHUNK / page * page : page;
	size_t nr = packed ? (size_t)(memory / chunk_size) : 1;
	pthread_mutexattr_t attr;

	if (packed && nr < LEAST_CHUNKS)
		nr = LEAST_CHUNKS;
	*l = (struct lane){
		.dir_fd = dir_fd,
		.cpu = cpu,
		.subbuf_size = subbuf_size,
		.packed = packed,
		.chunk_size = chunk_size,
		.memory = xreallocarray(NULL, nr, chunk_size),
		.chunk = xcalloc(nr, sizeof(*l->chunk)),
		.nr_chunks = nr,
		.free = xcalloc(nr, sizeof(*l->free)),
		.queue = xcalloc(nr, sizeof(*l->queue)),
		.fd = -1,
	};
	for (size_t i = 0; i < nr; i++) {
		l->chunk[i].data = l->memory + i * chunk_size;
		l->free[l->nr_free++] = &l->chunk[i];
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&l->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

void lane_deinit(struct lane *l)
{
	if (l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	segments_deinit(&l->segments);
	err_free(l->err);
	free(l->memory);
	free(l->chunk);
	free(l->free);
	free(l->queue);
}

static struct err *open_segment(struct lane *l, uint32_t id)
{
	if (l->fd >= 0 && l->fd_segment == id)
		return NULL;
	auto_free char *name = segment_name(l->cpu, id, l->packed);

	if (l->fd >= 0)
		close(l->fd);
	l->fd = openat(l->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	l->fd_segment = id;
	if (l->fd < 0)
		return err_os(errno, "%s", name);
	return NULL;
}

struct err *lane_open(struct lane *l)
{
	return open_segment(l, l->segment);
}

void lane_forget(struct lane *l, uint64_t bytes)
{
	bytes &= ~(uint64_t)4095;
	/* A file system that cannot keeps the room until the end. */
	pthread_mutex_lock(&l->lock);
	int ret = l->fd < 0 || !bytes
			  ? 0
			  : fallocate(l->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				      (off_t)bytes);

	pthread_mutex_unlock(&l->lock);
	(void)ret;
}

/* *ret_done tells how far it got. */
static struct err *write_all(int fd, struct iovec *iov, int nr, uint64_t *ret_done)
{
	*ret_done = 0;
	while (nr) {
		ssize_t n = writev(fd, iov, nr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "cannot write the recording");
		if (!n)
			return err_new(ERR_OS, "cannot write the recording: no progress");
		*ret_done += (uint64_t)n;
		while (nr && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			nr--;
		}
		if (nr) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return NULL;
}

static void little_endian(uint8_t *to, uint32_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

/* A frame of raw blocks around @data: RFC 8878, 3.1.1. */
struct raw_frame {
	uint8_t header[9];
	uint8_t block[BLOCKS_MAX][3];
	struct iovec iov[1 + 2 * BLOCKS_MAX];
	int nr;
	uint32_t len;
};

static void make_raw_frame(struct raw_frame *f, uint8_t *data, size_t len)
{
	/* Magic; a single segment, with its size in four bytes. */
	little_endian(f->header, 0xFD2FB528, 4);
	f->header[4] = 2 << 6 | 1 << 5;
	little_endian(f->header + 5, (uint32_t)len, 4);
	f->iov[0] = (struct iovec){ f->header, sizeof(f->header) };
	f->nr = 1;
	f->len = (uint32_t)(sizeof(f->header) + len);
	for (size_t i = 0; len; i++) {
		size_t n = len < BLOCK_MAX ? len : BLOCK_MAX;

		little_endian(f->block[i], (uint32_t)n << 3 | (n == len), 3);
		f->iov[f->nr++] = (struct iovec){ f->block[i], 3 };
		f->iov[f->nr++] = (struct iovec){ data, n };
		f->len += 3;
		data += n;
		len -= n;
	}
}

static struct err *append(struct lane *l, struct chunk *c, const void *frame, size_t len)
{
	struct iovec iov[2 + 2 * BLOCKS_MAX];
	struct raw_frame raw;
	uint32_t head[2] = { (uint32_t)len, (uint32_t)c->len };
	uint64_t done;
	int nr = 0;

	TRY(open_segment(l, c->segment));
	if (!l->packed) {
		iov[nr++] = (struct iovec){ c->data, c->len };
	} else if (len) {
		iov[nr++] = (struct iovec){ head, sizeof(head) };
		iov[nr++] = (struct iovec){ (void *)(uintptr_t)frame, len };
	} else {
		make_raw_frame(&raw, c->data, c->len);
		head[0] = raw.len;
		iov[nr++] = (struct iovec){ head, sizeof(head) };
		for (int i = 0; i < raw.nr; i++)
			iov[nr++] = raw.iov[i];
	}
	struct err *err = write_all(l->fd, iov, nr, &done);
	struct segment *seg = segments_get(&l->segments, c->segment);

	if (!l->packed) {
		done -= done % l->subbuf_size;
		seg->stored += done;
		seg->bytes += done;
	} else if (!err) {
		seg->stored += done;
		seg->bytes += c->len;
		seg->chunks++;
	}
	return err;
}

/* The oldest chunk leaves the queue. */
static struct chunk *pop(struct lane *l)
{
	struct chunk *c = l->queue[l->head];

	l->head = (l->head + 1) % l->nr_chunks;
	l->nr_queued--;
	return c;
}

/* After the first error nothing more is written: there would be a hole. */
static void write_chunk(struct lane *l, struct chunk *c, const void *frame, size_t len)
{
	if (l->broken || c->segment < l->dropped)
		return;
	l->err = append(l, c, frame, len);
	l->broken = l->err != NULL;
}

static void put_free(struct lane *l, struct chunk *c)
{
	c->len = 0;
	l->free[l->nr_free++] = c;
}

/* Rule 2. One that a compressor reads is free once it looks up. */
static void steal(struct lane *l)
{
	struct chunk *c = pop(l);

	write_chunk(l, c, NULL, 0);
	if (c->busy)
		c->stolen = true;
	else
		put_free(l, c);
}

struct err *lane_room(struct lane *l, uint8_t **ret, size_t *ret_len)
{
	struct err *err = NULL;

	if (!l->filling) {
		pthread_mutex_lock(&l->lock);
		while (!l->nr_free)
			steal(l);
		l->filling = l->free[--l->nr_free];
		l->filling->segment = l->segment;
		err = take_ptr(l->err);
		pthread_mutex_unlock(&l->lock);
	}
	*ret = l->filling->data + l->filling->len;
	*ret_len = l->chunk_size - l->filling->len;
	return err;
}

static struct err *push(struct lane *l, bool *ret_queued)
{
	struct chunk *c = take_ptr(l->filling);

	pthread_mutex_lock(&l->lock);
	if (l->packed) {
		l->queue[(l->head + l->nr_queued++) % l->nr_chunks] = c;
		*ret_queued = true;
	} else {
		write_chunk(l, c, NULL, 0);
		put_free(l, c);
	}
	struct err *err = take_ptr(l->err);

	pthread_mutex_unlock(&l->lock);
	return err;
}

struct err *lane_filled(struct lane *l, size_t len, bool *ret_queued)
{
	*ret_queued = false;
	l->filling->len += len;
	/* What is written as it is need not wait to be more. */
	if (l->filling->len && (!l->packed || l->filling->len == l->chunk_size))
		return push(l, ret_queued);
	return NULL;
}

struct err *lane_cut(struct lane *l, bool *ret_queued)
{
	struct err *err = NULL;

	*ret_queued = false;
	if (l->filling && l->filling->len)
		err = push(l, ret_queued);
	pthread_mutex_lock(&l->lock);
	l->segment++;
	if (l->filling)
		l->filling->segment = l->segment;
	pthread_mutex_unlock(&l->lock);
	return err;
}

bool lane_claim(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	bool got = !l->claimed && l->nr_queued;

	l->claimed |= got;
	pthread_mutex_unlock(&l->lock);
	return got;
}

struct chunk *lane_next(struct lane *l, bool stop)
{
	struct chunk *c = NULL;

	pthread_mutex_lock(&l->lock);
	if (l->nr_queued && !stop) {
		c = l->queue[l->head];
		c->busy = true;
	} else {
		l->claimed = false;
	}
	pthread_mutex_unlock(&l->lock);
	return c;
}

void lane_done(struct lane *l, struct chunk *c, const void *frame, size_t len)
{
	pthread_mutex_lock(&l->lock);
	c->busy = false;
	if (!c->stolen)
		write_chunk(l, pop(l), frame, len);
	c->stolen = false;
	put_free(l, c);
	pthread_mutex_unlock(&l->lock);
}

bool lane_settled(struct lane *l, uint32_t end)
{
	pthread_mutex_lock(&l->lock);
	bool settled =
		l->segment >= end && (!l->nr_queued || l->queue[l->head]->segment >= end);

	pthread_mutex_unlock(&l->lock);
	return settled;
}

void lane_settle(struct lane *l, uint32_t end)
{
	pthread_mutex_lock(&l->lock);
	while (l->nr_queued && l->queue[l->head]->segment < end)
		steal(l);
	pthread_mutex_unlock(&l->lock);
}

void lane_drop(struct lane *l, uint32_t end)
{
	CLEANUP(segments_deinit) struct segments old = {};

	pthread_mutex_lock(&l->lock);
	segments_copy(&l->segments, 0, end, &old);
	segments_drop(&l->segments, end);
	l->dropped = end;
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < old.nr; i++) {
		auto_free char *name = segment_name(l->cpu, old.v[i].id, l->packed);

		unlinkat(l->dir_fd, name, 0);
	}
}

struct err *lane_end(struct lane *l)
{
	bool queued;

	return l->filling && l->filling->len ? push(l, &queued) : NULL;
}

struct err *lane_error(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	struct err *err = take_ptr(l->err);

	pthread_mutex_unlock(&l->lock);
	return err;
}
