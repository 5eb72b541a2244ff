// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/publish.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "base/thread.h"
#include "base/xalloc.h"

struct publisher {
	pthread_t thread;
	bool started;
	pid_t tid;
	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t changed;
	struct publish_job job;
	bool has_job, done;
	bool hold, held, quit;
	uint64_t bytes;
	struct err *err;
};

static void job_deinit(struct publish_job *job)
{
	for (size_t i = 0; i < job->nr_cpus; i++)
		segments_deinit(&job->cpu[i]);
	free(job->cpu);
	free(job->path);
	texts_deinit(&job->recording.standard);
	texts_deinit(&job->recording.blobs);
	*job = (struct publish_job){};
}

/* Between two steps: waits while it is held; false when it shall end. */
static bool may_go_on(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	while (p->hold && !p->quit) {
		p->held = true;
		pthread_cond_broadcast(&p->changed);
		pthread_cond_wait(&p->changed, &p->lock);
	}
	p->held = false;
	bool quit = p->quit;

	pthread_mutex_unlock(&p->lock);
	return !quit;
}

static struct err *write_file(struct publisher *p, struct recording_writer *writer,
			      uint64_t *ret_bytes)
{
	bool done = false;

	while (!done) {
		if (!may_go_on(p))
			return err_new(ERR_OS, "interrupted");
		TRY(recording_write_step(writer, &done));
	}
	return recording_write_end(writer, ret_bytes);
}

static struct err *work(struct publisher *p, struct publish_job *job, uint64_t *ret_bytes)
{
	struct recording_data data = { job->part, job->cpu, job->packed };
	struct recording_writer *writer;

	TRY(recording_write_begin(&job->recording, &data, job->level, &writer));
	struct err *err = write_file(p, writer, ret_bytes);

	recording_write_close(writer);
	if (!err)
		err = part_publish(job->part, job->path);
	if (err)
		unlink(job->part->new_file);
	return err;
}

static void *publisher_main(void *arg)
{
	struct publisher *p = arg;

	pthread_mutex_lock(&p->lock);
	p->tid = (pid_t)syscall(SYS_gettid);
	pthread_cond_broadcast(&p->changed);
	for (;;) {
		while (!p->quit && (!p->has_job || p->done))
			pthread_cond_wait(&p->changed, &p->lock);
		if (p->quit)
			break;
		pthread_mutex_unlock(&p->lock);
		uint64_t bytes = 0;
		struct err *err = work(p, &p->job, &bytes);

		pthread_mutex_lock(&p->lock);
		p->bytes = bytes;
		p->err = err;
		p->done = true;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct err *publisher_open(struct publisher **ret)
{
	struct publisher *p = xcalloc(1, sizeof(*p));

	*p = (struct publisher){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int result = thread_start(&p->thread, 0, publisher_main, p);

	if (result) {
		publisher_close(p);
		return err_os(result, "cannot start a thread to write files");
	}
	p->started = true;
	pthread_mutex_lock(&p->lock);
	while (!p->tid)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	*ret = p;
	return NULL;
}

void publisher_close(struct publisher *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	if (p->started)
		pthread_join(p->thread, NULL);
	job_deinit(&p->job);
	err_free(p->err);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	free(p);
}

void publisher_submit(struct publisher *p, struct publish_job *job)
{
	pthread_mutex_lock(&p->lock);
	p->job = *job;
	p->has_job = true;
	p->done = false;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	*job = (struct publish_job){};
}

bool publisher_poll(struct publisher *p, char **ret_path, uint64_t *ret_bytes,
		    struct err **ret_err)
{
	pthread_mutex_lock(&p->lock);
	bool done = p->done;

	if (done) {
		*ret_path = take_ptr(p->job.path);
		*ret_bytes = p->bytes;
		*ret_err = take_ptr(p->err);
		job_deinit(&p->job);
		p->done = p->has_job = false;
	}
	pthread_mutex_unlock(&p->lock);
	return done;
}

void publisher_hold(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	p->hold = true;
	while (p->has_job && !p->done && !p->held)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void publisher_release(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	p->hold = false;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

pid_t publisher_tid(const struct publisher *p)
{
	return p->tid;
}
