// SPDX-License-Identifier: GPL-2.0-or-later
#include "match/audit.h"

#include <stdlib.h>

#include "base/words.h"
#include "base/xalloc.h"
#include "match/page.h"

static void add(struct audit_runs *runs, struct audit_run run)
{
	const struct audit_run *last = runs->nr ? &runs->v[runs->nr - 1] : NULL;

	if (!run.nr || run.pfn >= PAGE_MAX_PFN || run.nr > PAGE_MAX_PFN - run.pfn ||
	    (last && run.pfn < last->pfn + last->nr))
		return;
	vec_room(runs->v, runs->nr, runs->cap);
	runs->v[runs->nr++] = run;
}

void audit_parse(struct audit *ret, struct span text)
{
	struct span line;

	*ret = (struct audit){};
	while (span_line(&text, &line)) {
		struct audit_run run;
		struct span kind;

		if (!words_hex(&line, &run.pfn) || !words_next(&line, &kind) ||
		    !words_hex(&kind, &run.nr) || kind.len || !words_next(&line, &kind))
			continue;
		if (*kind.data == 's')
			add(&ret->slab, run);
		if (*kind.data == 'f')
			add(&ret->free, run);
	}
}

void audit_deinit(struct audit *audit)
{
	free(audit->slab.v);
	free(audit->free.v);
	*audit = (struct audit){};
}

/* Whether a run holds @pfn: the last one that begins at it or before. */
static bool holds(const struct audit_runs *runs, uint64_t pfn)
{
	size_t low = 0, high = runs->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (runs->v[mid].pfn <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low && pfn - runs->v[low - 1].pfn < runs->v[low - 1].nr;
}

bool audit_is_slab(const struct audit *audit, uint64_t pfn)
{
	return holds(&audit->slab, pfn);
}

bool audit_is_free(const struct audit *audit, uint64_t pfn)
{
	return holds(&audit->free, pfn);
}
