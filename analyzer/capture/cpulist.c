// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/cpulist.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/texts.h"

/* Far above any kernel's NR_CPUS, so that a typing error costs no memory. */
#define MAX_CPU 65535u

void cpulist_deinit(struct cpulist *cpus)
{
	free(cpus->v);
	*cpus = (struct cpulist){};
}

static int compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

static void add(struct cpulist *cpus, unsigned int cpu)
{
	vec_room(cpus->v, cpus->nr, cpus->cap);
	cpus->v[cpus->nr++] = cpu;
}

static void sort_unique(struct cpulist *cpus)
{
	size_t nr = 0;

	if (!cpus->nr)
		return;
	qsort(cpus->v, cpus->nr, sizeof(*cpus->v), compare);
	for (size_t i = 0; i < cpus->nr; i++)
		if (!nr || cpus->v[nr - 1] != cpus->v[i])
			cpus->v[nr++] = cpus->v[i];
	cpus->nr = nr;
}

static bool number(const char **pos, unsigned int *ret)
{
	unsigned int v = 0;
	const char *p = *pos;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		v = v * 10 + (unsigned int)(*p - '0');
		if (v > MAX_CPU)
			return false;
	}
	*pos = p;
	*ret = v;
	return true;
}

static bool range(const char **pos, struct cpulist *cpus)
{
	unsigned int first, last;

	if (!number(pos, &first))
		return false;
	last = first;
	if (**pos == '-') {
		++*pos;
		if (!number(pos, &last) || last < first)
			return false;
	}
	for (unsigned int cpu = first; cpu <= last; cpu++)
		add(cpus, cpu);
	return true;
}

struct err *cpulist_parse(const char *text, struct cpulist *ret)
{
	CLEANUP(cpulist_deinit) struct cpulist cpus = {};
	const char *pos = text;

	do {
		/* Ranges may repeat; a line of them must not grow without end. */
		if (cpus.nr > 4 * MAX_CPU || !range(&pos, &cpus))
			return err_new(ERR_USAGE, "'%s' is not a list of CPUs like 0-3,8",
				       text);
	} while (*pos == ',' && pos++);
	if (*pos && strcmp(pos, "\n"))
		return err_new(ERR_USAGE, "'%s' is not a list of CPUs like 0-3,8", text);
	sort_unique(&cpus);
	*ret = cpus;
	cpus = (struct cpulist){};
	return NULL;
}

struct err *cpulist_online(struct cpulist *ret)
{
	auto_text text = {};
	auto_err struct err *no_sysfs = text_read_file(&text, "/sys/devices/system/cpu/online");

	if (!no_sysfs)
		return cpulist_parse(text.data, ret);
	long nr = sysconf(_SC_NPROCESSORS_ONLN);

	if (nr < 1)
		return err_new(ERR_OS, "cannot find out which CPUs are online");
	*ret = (struct cpulist){};
	for (long i = 0; i < nr; i++)
		add(ret, (unsigned int)i);
	return NULL;
}

bool cpulist_has(const struct cpulist *cpus, unsigned int cpu)
{
	return cpus->nr && bsearch(&cpu, cpus->v, cpus->nr, sizeof(*cpus->v), compare) != NULL;
}

char *cpulist_mask(const struct cpulist *cpus)
{
	size_t nr_words = cpus->nr ? cpus->v[cpus->nr - 1] / 32 + 1 : 1;
	auto_free uint32_t *words = xcalloc(nr_words, sizeof(*words));
	auto_text mask = {};

	for (size_t i = 0; i < cpus->nr; i++)
		words[cpus->v[i] / 32] |= UINT32_C(1) << cpus->v[i] % 32;
	for (size_t i = nr_words; i--;)
		text_printf(&mask, "%08x%s", words[i], i ? "," : "");
	return take_ptr(mask.data);
}
