// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/modwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/machine.h"
#include "capture/modules.h"

/* Of a uevent, whose text may be longer: what it is about is its beginning. */
enum { EVENT_BYTES = 512 };

struct modwatch {
	int socket, quit_fd;
	pthread_t thread;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t told;
	pid_t tid;
	struct texts blobs; /* of the modules that came */
	struct text kallsyms;
};

bool modwatch_is_load(const char *event, size_t len)
{
	static const char head[] = "add@/module/";

	return len > strlen(head) && !memcmp(event, head, strlen(head));
}

/* The lines of modules in @from that @to does not have, and of their symbols. */
static void append_new(struct texts *to, struct text *to_kallsyms, const struct texts *from,
		       const struct text *from_kallsyms)
{
	auto_text added = {};

	modules_merge(to, from, &added);
	modules_append(to_kallsyms, text_span(from_kallsyms), MODULES_BRACKETED,
		       text_span(&added));
}

/* What there is now, of which most was there before. The symbols last: they take longest. */
static void look(struct modwatch *w)
{
	CLEANUP(texts_deinit) struct texts now = {};
	auto_text kallsyms = {};

	machine_describe(&now);
	err_free(text_read_file(&kallsyms, "/proc/kallsyms"));
	pthread_mutex_lock(&w->lock);
	append_new(&w->blobs, &w->kallsyms, &now, &kallsyms);
	pthread_mutex_unlock(&w->lock);
}

static void *run(void *arg)
{
	struct modwatch *w = arg;
	struct pollfd fds[] = { { .fd = w->socket, .events = POLLIN },
				{ .fd = w->quit_fd, .events = POLLIN } };
	char event[EVENT_BYTES];

	pthread_mutex_lock(&w->lock);
	w->tid = (pid_t)syscall(SYS_gettid);
	pthread_cond_signal(&w->told);
	pthread_mutex_unlock(&w->lock);
	for (;;) {
		bool came = false;
		ssize_t n;

		poll(fds, 2, -1);
		if (fds[1].revents)
			return NULL;
		while ((n = recv(w->socket, event, sizeof(event), MSG_DONTWAIT)) > 0)
			came |= modwatch_is_load(event, (size_t)n);
		/* So many at once that some were dropped. */
		came |= n < 0 && errno == ENOBUFS;
		if (came)
			look(w);
	}
}

static int open_socket(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void release(struct modwatch *w)
{
	if (w->socket >= 0)
		close(w->socket);
	if (w->quit_fd >= 0)
		close(w->quit_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->told);
	texts_deinit(&w->blobs);
	text_deinit(&w->kallsyms);
	free(w);
}

struct modwatch *modwatch_start(void)
{
	struct modwatch *w = xcalloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->told, NULL);
	w->socket = open_socket();
	w->quit_fd = eventfd(0, EFD_CLOEXEC);
	if (w->socket < 0 || w->quit_fd < 0 || thread_start(&w->thread, 0, run, w)) {
		release(w);
		return NULL;
	}
	pthread_mutex_lock(&w->lock);
	while (!w->tid)
		pthread_cond_wait(&w->told, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return w;
}

void modwatch_stop(struct modwatch *w)
{
	uint64_t one = 1;

	if (!w)
		return;
	while (write(w->quit_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(w->thread, NULL);
	release(w);
}

pid_t modwatch_tid(const struct modwatch *w)
{
	return w ? w->tid : 0;
}

void modwatch_add(struct modwatch *w, struct texts *blobs, struct text *kallsyms)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	append_new(blobs, kallsyms, &w->blobs, &w->kallsyms);
	pthread_mutex_unlock(&w->lock);
}
