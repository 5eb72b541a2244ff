// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/identity.h"

#include <inttypes.h>
#include <string.h>

/* Enough to tell any two builds apart, spread over the whole table. */
enum { SAMPLE_EVERY = 64, MIN_SAMPLES = 16 };

static const struct ksym *recorded(struct kallsyms *kallsyms, const char *name)
{
	const struct ksym *sym = kallsyms_find(kallsyms, name, 0);

	/* Only global names are sure to mean the same function. */
	return sym && !sym->module && (sym->type == 'T' || sym->type == 'W') ? sym : NULL;
}

static bool find_slide(struct debuginfo *di, struct kallsyms *kallsyms, uint64_t *ret)
{
	struct debuginfo_symbol sym;

	for (size_t i = 0; debuginfo_next_symbol(di, &i, &sym);) {
		if (strcmp(sym.name, "_stext") && strcmp(sym.name, "_text"))
			continue;
		const struct ksym *ksym = recorded(kallsyms, sym.name);

		if (ksym) {
			*ret = ksym->addr - sym.value;
			return true;
		}
	}
	return false;
}

/* Compares every @step-th symbol that both sides know. */
static void count_samples(struct debuginfo *di, struct kallsyms *kallsyms, uint64_t slide,
			  size_t step, size_t *nr, size_t *agree)
{
	struct debuginfo_symbol sym;
	size_t n = 0;

	*nr = *agree = 0;
	for (size_t i = 0; debuginfo_next_symbol(di, &i, &sym); n++) {
		bool end = !strcmp(sym.name, "_etext");
		const struct ksym *ksym =
			end || n % step == 0 ? recorded(kallsyms, sym.name) : NULL;

		if (!ksym)
			continue;
		++*nr;
		*agree += ksym->addr == sym.value + slide;
	}
}

struct err *identity_check(struct debuginfo *di, struct kallsyms *kallsyms,
			   const char *build_id, uint64_t *ret_slide)
{
	const char *own = debuginfo_build_id(di);
	uint64_t slide;
	size_t nr, agree;

	if (*build_id && *own && strcmp(build_id, own))
		return err_new(ERR_FORMAT,
			       "another kernel: its build-id is %s, the recording's %s; give "
			       "the vmlinux of that build, or none",
			       own, build_id);
	if (!kallsyms_nr(kallsyms))
		return err_new(ERR_FORMAT,
			       "of no use: the recording holds no kallsyms, so it is not known "
			       "where the kernel was loaded");
	if (!find_slide(di, kallsyms, &slide))
		return err_new(
			ERR_FORMAT,
			"no symbol _stext or _text in common with the recording's kallsyms");
	if (!*build_id || !*own) {
		count_samples(di, kallsyms, slide, SAMPLE_EVERY, &nr, &agree);
		if (nr < MIN_SAMPLES)
			count_samples(di, kallsyms, slide, 1, &nr, &agree);
		/* A kernel patches no symbol's address; a few may be named twice. */
		if (agree * 20 < nr * 19 || !nr)
			return err_new(
				ERR_FORMAT,
				"another kernel: %zu of %zu symbols compared lie elsewhere "
				"in the recording's kallsyms",
				nr - agree, nr);
	}
	*ret_slide = slide;
	return NULL;
}
