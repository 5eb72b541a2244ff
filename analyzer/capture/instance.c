// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/xalloc.h"
#include "capture/texts.h"
#include "capture/relay.h"
#include "capture/tracedir.h"

/* Larger sub-buffers take less time to fill and to read, but are lost as a whole. */
#define LARGE_KB	"16"
#define SMALL_KB	"4"
#define LEAST_FOR_LARGE (UINT64_C(4) << 20)

#define PREFIX "allocprof."

/* Field 22 of /proc/PID/stat, clock ticks since boot; false when it is gone. */
static bool start_time(int pid, uint64_t *ret)
{
	auto_free char *path = xasprintf("/proc/%d/stat", pid);
	auto_text stat = {};
	auto_err struct err *err = text_read_file(&stat, path);

	if (err)
		return false;
	/* The command's name, field 2, may hold anything, also brackets. */
	const char *pos = strrchr(stat.data, ')');

	for (int field = 2; pos && field < 22; field++)
		pos = strchr(pos + 1, ' ');
	return pos && sscanf(pos, " %" SCNu64, ret) == 1;
}

bool instance_is_stale(const char *name)
{
	uint64_t then, now;
	int pid, end = 0;

	if (sscanf(name, PREFIX "%d.%" SCNu64 "%n", &pid, &then, &end) != 2 || name[end])
		return false;
	return !start_time(pid, &now) || now != then;
}

void instance_sweep(const char *tracedir)
{
	auto_free char *path = xasprintf("%s/instances", tracedir);
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!instance_is_stale(entry->d_name))
			continue;
		auto_free char *stale = xasprintf("%s/%s", path, entry->d_name);

		relay_clear(stale);
		/* The kernel refuses (EBUSY) while anybody has files of it open. */
		rmdir(stale);
	}
	closedir(dir);
}

struct err *instance_create(const char *tracedir, struct instance *ret)
{
	uint64_t ticks;

	if (!start_time(getpid(), &ticks))
		return err_new(ERR_OS, "cannot read /proc/self/stat; is /proc mounted?");
	auto_free char *dir =
		xasprintf("%s/instances/" PREFIX "%d.%" PRIu64, tracedir, getpid(), ticks);

	if (mkdir(dir, 0700) < 0)
		return tracedir_refused(errno, dir);
	*ret = (struct instance){ .dir = take_ptr(dir) };

	/* A new instance records at once, and takes options from the top level. */
	struct err *err = tracedir_write(ret->dir, "tracing_on", "0");

	if (!err)
		err = tracedir_write(ret->dir, "options/overwrite", "1");
	if (err) {
		err_free(instance_remove(ret));
		return err;
	}
	static const char *const off[] = { "options/stacktrace", "options/userstacktrace",
					   "options/pause-on-trace" };

	for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++)
		if (tracedir_has(ret->dir, off[i]))
			err_free(tracedir_write(ret->dir, off[i], "0"));
	/* Where it can be told (5.0), poll() wakes at this level, and not before. */
	if (tracedir_has(ret->dir, "buffer_percent"))
		err_free(tracedir_write(ret->dir, "buffer_percent", "50"));
	return NULL;
}

struct err *instance_remove(struct instance *instance)
{
	struct err *err = NULL;

	if (!instance->dir)
		return NULL;
	relay_clear(instance->dir);
	/* Somebody may be looking into it: a second is long for a look. */
	for (int tries = 0; tries < 20; tries++) {
		if (rmdir(instance->dir) == 0 || errno == ENOENT)
			break;
		if (errno != EBUSY || tries == 19) {
			err = err_os(errno, "cannot remove %s", instance->dir);
			break;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	free(take_ptr(instance->dir));
	return err;
}

struct err *instance_set_clock(const struct instance *instance, const char **ret)
{
	static const char *const clocks[] = { "mono", "local" };

	for (size_t i = 0; i < 2; i++) {
		struct err *err = tracedir_write(instance->dir, "trace_clock", clocks[i]);

		if (err && (i || err_errno(err) != EINVAL))
			return err;
		if (err) {
			err_free(err);
			continue;
		}
		*ret = clocks[i];
		return NULL;
	}
	return NULL;
}

struct err *instance_set_cpus(const struct instance *instance, const struct cpulist *cpus,
			      bool all)
{
	if (all)
		return NULL;
	auto_free char *mask = cpulist_mask(cpus);

	return tracedir_write(instance->dir, "tracing_cpumask", mask);
}

static struct err *resize(const struct instance *instance, const char *file, uint64_t kb)
{
	auto_free char *text = xasprintf("%" PRIu64, kb);
	struct err *err = tracedir_write(instance->dir, file, text);

	if (err && err_errno(err) == ENOMEM) {
		err_free(err);
		return err_new(ERR_OS,
			       "no memory for a trace buffer of %" PRIu64
			       " KB per CPU; choose a smaller one with -m",
			       kb);
	}
	return err;
}

static struct err *resize_all(const struct instance *instance, const struct cpulist *cpus,
			      bool all, uint64_t kb)
{
	if (all)
		return resize(instance, "buffer_size_kb", kb);
	for (size_t i = 0; i < cpus->nr; i++) {
		auto_free char *file = xasprintf("per_cpu/cpu%u/buffer_size_kb", cpus->v[i]);

		TRY(resize(instance, file, kb));
	}
	return NULL;
}

/* Since 6.8; before, a sub-buffer is a page. */
static bool set_subbuf(const struct instance *instance, const char *kb)
{
	if (!tracedir_has(instance->dir, "buffer_subbuf_size_kb"))
		return false;
	auto_err struct err *err = tracedir_write(instance->dir, "buffer_subbuf_size_kb", kb);

	return !err;
}

struct err *instance_set_buffer(const struct instance *instance, const struct cpulist *cpus,
				bool all, uint64_t bytes, uint64_t *ret)
{
	uint64_t kb = (bytes + 1023) / 1024;
	bool large = bytes >= LEAST_FOR_LARGE && set_subbuf(instance, LARGE_KB);
	struct err *err = resize_all(instance, cpus, all, kb);

	/* Memory may be there in single pages only. */
	if (err && large && set_subbuf(instance, SMALL_KB)) {
		err_free(err);
		err = resize_all(instance, cpus, all, kb);
	}
	TRY(err);
	auto_free char *path =
		xasprintf("%s/per_cpu/cpu%u/buffer_size_kb", instance->dir, cpus->v[0]);
	auto_text text = {};

	TRY(text_read_file(&text, path));
	if (sscanf(text.data, "%" SCNu64, &kb) != 1)
		return err_new(ERR_FORMAT, "%s holds no number", path);
	*ret = kb * 1024;
	return NULL;
}

struct err *instance_switch(const struct instance *instance, bool on)
{
	return tracedir_write(instance->dir, "tracing_on", on ? "1" : "0");
}

struct err *instance_subbuf_size(const struct instance *instance, uint32_t *ret)
{
	auto_free char *path = xasprintf("%s/events/header_page", instance->dir);
	auto_text text = {};
	unsigned int off, size;

	TRY(text_read_file(&text, path));
	const char *data = strstr(text.data, " data;");

	if (!data || sscanf(data, " data; offset:%u; size:%u;", &off, &size) != 2 || off > 64 ||
	    size < 64 || size > 1u << 24)
		return err_new(ERR_FORMAT, "%s does not tell the size of a page", path);
	*ret = off + size;
	return NULL;
}

static uint64_t stat_field(const struct text *text, const char *name)
{
	const char *pos = strstr(text->data, name);
	uint64_t v = 0;

	if (pos)
		sscanf(pos + strlen(name), "%" SCNu64, &v);
	return v;
}

struct err *instance_stats(const struct instance *instance, unsigned int cpu,
			   struct instance_stats *ret)
{
	auto_free char *path = xasprintf("%s/per_cpu/cpu%u/stats", instance->dir, cpu);
	auto_text text = {};

	TRY(text_read_file(&text, path));
	*ret = (struct instance_stats){
		.entries = stat_field(&text, "entries: "),
		.bytes = stat_field(&text, "\nbytes: "),
		.overrun = stat_field(&text, "\noverrun: "),
		.commit_overrun = stat_field(&text, "\ncommit overrun: "),
		.dropped = stat_field(&text, "\ndropped events: "),
		.read = stat_field(&text, "\nread events: "),
	};
	return NULL;
}

uint64_t instance_lost(const struct instance_stats *stats)
{
	return stats->overrun + stats->commit_overrun + stats->dropped;
}
