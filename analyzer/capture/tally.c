// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/tally.h"

#include <dirent.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "capture/blobs.h"

struct tally_sum tally_now(const struct instance *instance, const struct cpulist *cpus)
{
	struct tally_sum sum = {};

	for (size_t i = 0; i < cpus->nr; i++) {
		struct instance_stats stats = {};

		err_free(instance_stats(instance, cpus->v[i], &stats));
		sum.events += stats.entries + stats.read;
		sum.lost += instance_lost(&stats);
		sum.waiting += stats.bytes;
	}
	return sum;
}

static struct err *read_cpu(const struct instance *instance, unsigned int cpu,
			    struct recording *rec, struct instance_stats *ret)
{
	auto_free char *path = xasprintf("%s/per_cpu/cpu%u/stats", instance->dir, cpu);
	auto_free char *name = xasprintf(BLOB_CPUSTAT "%u", cpu);
	auto_text text = {};

	TRY(instance_stats(instance, cpu, ret));
	TRY(text_read_file(&text, path));
	text_add(texts_new(&rec->blobs, name), text.data, text.len);
	struct text *option = texts_new(&rec->cpustat, name);

	text_printf(option, "CPU: %u\n", cpu);
	text_add(option, text.data, text.len);
	ret->dropped += ret->entries;
	return NULL;
}

/* CPUs without a thread, since they were offline at the start, also have buffers. */
static uint64_t read_late(const struct instance *instance, struct recording *rec)
{
	auto_free char *path = xasprintf("%s/per_cpu", instance->dir);
	DIR *dir = opendir(path);
	struct instance_stats stats;
	struct dirent *entry;
	uint64_t sum = 0;
	unsigned int cpu;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "cpu%u", &cpu) != 1 || cpulist_has(&rec->cpus, cpu))
			continue;
		auto_err struct err *err = instance_stats(instance, cpu, &stats);
		uint64_t lost = err ? 0 : stats.entries + instance_lost(&stats);

		if (!lost)
			continue;
		auto_free char *file = xasprintf("%s/cpu%u/stats", path, cpu);
		auto_free char *name = xasprintf(BLOB_CPUSTAT "%u", cpu);

		texts_file(&rec->blobs, name, file);
		sum += lost;
	}
	closedir(dir);
	return sum;
}

struct err *tally_end(const struct instance *instance, bool all, struct recording *rec,
		      struct tally *ret)
{
	ret->cpu = xcalloc(rec->cpus.nr, sizeof(*ret->cpu));
	ret->nr = rec->cpus.nr;
	for (size_t i = 0; i < ret->nr; i++)
		TRY(read_cpu(instance, rec->cpus.v[i], rec, &ret->cpu[i]));
	if (all)
		ret->late_lost = read_late(instance, rec);
	return NULL;
}

struct tally_sum tally_sum(const struct tally *tally)
{
	struct tally_sum sum = { .lost = tally->late_lost };

	for (size_t i = 0; i < tally->nr; i++) {
		sum.events += tally->cpu[i].read;
		sum.lost += instance_lost(&tally->cpu[i]);
	}
	return sum;
}

void tally_deinit(struct tally *tally)
{
	free(tally->cpu);
	*tally = (struct tally){};
}
