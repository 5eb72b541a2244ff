// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/download.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* What is used of <elfutils/debuginfod.h>. */
struct client;
typedef int progress_fn(struct client *client, long done, long of);

struct download {
	void *library;
	struct client *client;
	void (*end)(struct client *client);
	int (*find)(struct client *client, const unsigned char *build_id, int len, char **path);
	void (*progress)(void *arg, uint64_t done, uint64_t of);
	void *arg;
};

static int show(struct client *client, long done, long of)
{
	/* The library has no other place to keep it. */
	void *(*user_data)(struct client *) =
		(void *(*)(struct client *))dlsym(RTLD_DEFAULT, "debuginfod_get_user_data");
	struct download *d = user_data ? user_data(client) : NULL;

	if (d && d->progress)
		d->progress(d->arg, done > 0 ? (uint64_t)done : 0, of > 0 ? (uint64_t)of : 0);
	return 0;
}

struct download *download_new(void (*progress)(void *arg, uint64_t done, uint64_t of),
			      void *arg)
{
	CLEANUP(download_cleanup) struct download *d = xcalloc(1, sizeof(*d));
	struct client *(*begin)(void);
	void (*set_progress)(struct client *, progress_fn *);
	void (*set_data)(struct client *, void *);

	/* Global, so that the callback finds its data. */
	d->library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_GLOBAL);
	if (!d->library)
		return NULL;
	begin = (struct client * (*)(void)) dlsym(d->library, "debuginfod_begin");
	d->end = (void (*)(struct client *))dlsym(d->library, "debuginfod_end");
	d->find = (int (*)(struct client *, const unsigned char *, int,
			   char **))dlsym(d->library, "debuginfod_find_debuginfo");
	set_progress = (void (*)(struct client *,
				 progress_fn *))dlsym(d->library, "debuginfod_set_progressfn");
	set_data = (void (*)(struct client *, void *))dlsym(d->library,
							    "debuginfod_set_user_data");
	if (!begin || !d->end || !d->find || !(d->client = begin()))
		return NULL;
	d->progress = progress;
	d->arg = arg;
	if (set_progress && set_data) {
		set_data(d->client, d);
		set_progress(d->client, show);
	}
	return take_ptr(d);
}

void download_free(struct download *d)
{
	if (!d)
		return;
	if (d->client)
		d->end(d->client);
	/* It starts threads and keeps state of its own, so it is not unloaded. */
	free(d);
}

char *download_debuginfo(struct download *d, const char *build_id)
{
	char *path = NULL;
	int fd = d->find(d->client, (const unsigned char *)build_id, 0, &path);

	if (fd < 0)
		return NULL;
	close(fd);
	return path;
}
