// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/anyboot.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "resolve/rules.h"

/* A section of code whose build is known. */
struct base {
	uint64_t id, addr;
	const char *module; /* NULL for the kernel */
};

struct anyboot {
	struct base *base;
	size_t nr, cap;
};

static const uint64_t mix_start = UINT64_C(0xcbf29ce484222325);

static uint64_t mix(uint64_t h, const char *s)
{
	for (; s && *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static void add(struct anyboot *places, uint64_t id, uint64_t addr, const char *module)
{
	vec_room(places->base, places->nr, places->cap);
	places->base[places->nr++] = (struct base){ id, addr, module };
}

struct anyboot *anyboot_new(const struct modules *modules, const char *build_id, uint64_t stext)
{
	struct anyboot *places = xcalloc(1, sizeof(*places));

	add(places, mix(mix_start, build_id), stext, NULL);
	for (size_t i = 0; i < modules_nr(modules); i++) {
		const struct module *module = modules_get(modules, i);

		for (size_t n = 0; module->build_id && n < module->nr_sections; n++)
			add(places,
			    mix(mix(mix(mix_start, module->build_id), module->name),
				module->section[n].name),
			    module->section[n].addr, module->name);
	}
	return places;
}

void anyboot_free(struct anyboot *places)
{
	if (!places)
		return;
	free(places->base);
	free(places);
}

bool anyboot_place(const struct anyboot *places, uint64_t addr, const char *module,
		   struct cache_place *ret)
{
	const struct base *best = NULL;

	for (size_t i = 0; i < places->nr; i++) {
		const struct base *base = &places->base[i];

		if (!module != !base->module || (module && strcmp(module, base->module)))
			continue;
		/* Some of the kernel's code lies before _stext. */
		if (!module || (base->addr <= addr && (!best || base->addr > best->addr)))
			best = base;
		if (!module)
			break;
	}
	if (best)
		*ret = (struct cache_place){ best->id, addr - best->addr };
	return best;
}

uint64_t anyboot_addr(const struct anyboot *places, const struct cache_place *place)
{
	for (size_t i = 0; i < places->nr; i++)
		if (places->base[i].id == place->base)
			return places->base[i].addr + place->off;
	return 0;
}

uint64_t anyboot_fingerprint(const struct kallsyms *kallsyms, uint64_t stext,
			     const char *release, struct span extra)
{
	uint64_t h = mix(mix(mix_start, VERSION), release);
	size_t nr;
	const struct ksym *sym = kallsyms_symbols(kallsyms, &nr);
	struct span rules[] = { rules_builtin(), extra };

	for (size_t r = 0; r < 2; r++)
		for (size_t i = 0; i < rules[r].len; i++)
			h = (h ^ rules[r].data[i]) * UINT64_C(0x100000001b3);
	/* Stands for the comparison of symbols that an open vmlinux goes through. */
	for (size_t i = 0; i < nr; i++)
		if (!sym[i].module)
			h = (h ^ (uint64_t)sym[i].hash << 32 ^ (sym[i].addr - stext)) *
			    UINT64_C(0x9e3779b97f4a7c15);
	return h;
}
