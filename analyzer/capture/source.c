// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/kcore.h"
#include "capture/opaque.h"
#include "capture/tracedir.h"
#include "capture/tracepoints.h"

#define DEFAULT_BUFFER (UINT64_C(64) << 20)
#define LEAST_BUFFER   (UINT64_C(1) << 20)

static struct err *choose_cpus(struct source *s, const char *list, struct recording *rec)
{
	CLEANUP(cpulist_deinit) struct cpulist online = {};

	TRY(cpulist_online(&online));
	rec->nr_cpus = online.v[online.nr - 1] + 1;
	if (!list) {
		rec->cpus = online;
		online = (struct cpulist){};
		s->all_cpus = true;
		return NULL;
	}
	TRY(cpulist_parse(list, &rec->cpus));
	for (size_t i = 0; i < rec->cpus.nr; i++)
		if (!cpulist_has(&online, rec->cpus.v[i]))
			return err_new(ERR_USAGE, "cpu %u is not online", rec->cpus.v[i]);
	s->all_cpus = rec->cpus.nr == online.nr;
	return NULL;
}

/* Another part each time, so that no memory is out of all samples. */
static uint32_t any_number(void)
{
	uint32_t ret;

	if (getrandom(&ret, sizeof(ret), GRND_NONBLOCK) != sizeof(ret))
		ret = (uint32_t)time(NULL);
	return ret;
}

struct err *source_plan(const struct source_opts *opts, struct recording *rec,
			struct source *ret)
{
	ret->kinds = wishes_kinds(opts->wishes);
	if (opts->events)
		TRY(tracepoint_parse(opts->events, &ret->kinds));
	TRY(wishes_filter(opts->wishes, any_number(), &ret->filter));
	TRY(wishes_stacks(opts->wishes, &ret->stack_sites));
	TRY(choose_cpus(ret, opts->cpus, rec));
	TRY(tracedir_find(&ret->tracedir));
	instance_sweep(ret->tracedir);
	probes_sweep(ret->tracedir);
	return NULL;
}

static uint64_t available_bytes(void)
{
	auto_text meminfo = {};
	auto_err struct err *err = text_read_file(&meminfo, "/proc/meminfo");
	const char *pos = err ? NULL : strstr(meminfo.data, "MemAvailable:");
	uint64_t kb;

	if (!pos || sscanf(pos, "MemAvailable: %" SCNu64, &kb) != 1)
		return UINT64_MAX;
	return kb * 1024;
}

uint64_t source_default_buffer(uint64_t available, size_t nr_cpus)
{
	uint64_t share = available / 8 / nr_cpus;

	if (share > DEFAULT_BUFFER)
		share = DEFAULT_BUFFER;
	return share < LEAST_BUFFER ? LEAST_BUFFER : share & ~UINT64_C(4095);
}

static struct err *set_up_buffers(struct source *s, uint64_t bytes, struct recording *rec,
				  struct texts *notes)
{
	TRY(instance_set_clock(&s->instance, &rec->clock));
	if (strcmp(rec->clock, "mono"))
		text_printf(texts_new(notes, "clock"),
			    "this kernel has no trace clock mono; with %s the order of events "
			    "on different CPUs is not certain",
			    rec->clock);
	TRY(instance_set_cpus(&s->instance, &rec->cpus, s->all_cpus));
	if (!bytes)
		bytes = source_default_buffer(available_bytes(), rec->cpus.nr);
	TRY(instance_set_buffer(&s->instance, &rec->cpus, s->all_cpus, bytes,
				&s->buffer_bytes));
	return instance_subbuf_size(&s->instance, &rec->subbuf_size);
}

/* *@events: a line for each, as BLOB_EVENTS has them. */
static struct err *set_up_events(struct source *s, const struct source_opts *opts,
				 struct recording *rec, struct texts *notes,
				 struct text *events)
{
	const struct wishes *wishes = opts->wishes;
	struct span kallsyms = text_span(texts_find(&rec->standard, "kallsyms"));
	auto_text missing = {}, no_probe = {}, opaque = {};
	uint64_t vmemmap = 0;

	if (kcore_vmemmap(kallsyms, &vmemmap))
		text_printf(texts_new(&rec->blobs, BLOB_VMEMMAP), "%" PRIx64 "\n", vmemmap);
	if (!opts->no_probes)
		probes_enable(
			&(struct probes_opts){
				.tracedir = s->tracedir,
				.instance = s->instance.dir,
				.kinds = s->kinds,
				.frees_only = evfilter_selects(&s->filter),
				.kallsyms = kallsyms,
				.vmemmap = vmemmap != 0,
			},
			&s->probes, events, &no_probe);
	if (wishes->stacks != TRACEPOINT_STACKS_NONE)
		opaque_filter(kallsyms, &opaque);
	/* What a probe stands in for is not missing. */
	TRY(tracepoint_enable(
		s->instance.dir, s->probes.vmalloc ? s->kinds & ~TRACEPOINT_VMALLOC : s->kinds,
		opts->events != NULL, &s->filter,
		&(struct tracepoint_stacks){ wishes->stacks, &opaque, &s->stack_sites }, events,
		&missing));
	if (missing.len)
		text_add(texts_new(notes, "missing"), missing.data, missing.len);
	if (no_probe.len)
		text_add(texts_new(notes, "probes"), no_probe.data, no_probe.len);
	return NULL;
}

struct err *source_open(struct source *s, const struct source_opts *opts, struct recording *rec,
			struct texts *notes)
{
	auto_text events = {};

	TRY(instance_create(s->tracedir, &s->instance));
	TRY(set_up_buffers(s, opts->buffer_bytes, rec, notes));
	TRY(set_up_events(s, opts, rec, notes, &events));
	TRY(tracepoint_formats(s->instance.dir, &events, &rec->formats));
	text_add(texts_new(&rec->blobs, BLOB_EVENTS), events.data, events.len);
	return NULL;
}

uint64_t source_missed(const struct source *s)
{
	return probes_missed(&s->probes, s->tracedir, s->instance.dir);
}

struct err *source_end(struct source *s)
{
	struct err *err = instance_remove(&s->instance);

	/* The instance has them on. */
	probes_remove(&s->probes, s->tracedir);
	return err;
}

void source_deinit(struct source *s)
{
	evfilter_deinit(&s->filter);
	text_deinit(&s->stack_sites);
	free(s->tracedir);
}
