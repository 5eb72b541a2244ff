// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/outward.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/rows.h"

struct finder {
	struct rawsites *sites;
	int64_t *depth;	     /* of the frame in question, by raw site; INT64_MIN: none */
	uint32_t *frame;     /* that frame, by raw site: its number of these; 0: none */
	struct pairs frames; /* ids of frames */
	uint32_t *name;	     /* of them, by that number */
};

static void finder_deinit(struct finder *finder)
{
	free(finder->depth);
	free(finder->frame);
	pairs_deinit(&finder->frames);
	free(finder->name);
}

static struct err *take_frame(void *arg, const struct cell *row)
{
	enum { RAW_SITE, DEPTH, FRAME };
	struct finder *finder = arg;
	const struct raw_place *raw = rawsites_find(finder->sites, row[RAW_SITE].i);
	size_t index = raw ? (size_t)(raw - finder->sites->raw) : 0;
	bool is_new;

	if (raw && finder->depth[index] == row[DEPTH].i)
		finder->frame[index] = pairs_id(&finder->frames, 0, row[FRAME].i, &is_new);
	return NULL;
}

/* Columns of _frame. */
enum { ID, FUNC, FILE_NAME, LINE, SYM_OFF };

static uint32_t name_of(struct rawsites *sites, const struct cell *row)
{
	if (row[FUNC].type == CELL_NULL)
		return 0;
	bool known = row[FILE_NAME].type != CELL_NULL && row[LINE].type != CELL_NULL;
	char number[24];
	int len = known ? snprintf(number, sizeof(number), ":%" PRId64, row[LINE].i)
			: snprintf(number, sizeof(number), "+%#" PRIx64,
				   (uint64_t)row[SYM_OFF].i);
	auto_free char *text = xmalloc(row[FUNC].len + row[FILE_NAME].len + sizeof(number));
	char *at = mempcpy(text, row[FUNC].text, row[FUNC].len);

	if (known) {
		*at++ = ' ';
		at = mempcpy(at, row[FILE_NAME].text, row[FILE_NAME].len);
	}
	at = mempcpy(at, number, (size_t)len);
	return strings_id(&sites->strings, text, (size_t)(at - text));
}

static bool is_outer(const void *arg, int64_t frame)
{
	const struct finder *finder = arg;

	return pairs_find(&finder->frames, 0, frame) > 0;
}

static struct err *take_name(void *arg, const struct cell *row)
{
	struct finder *finder = arg;

	finder->name[pairs_find(&finder->frames, 0, row[ID].i)] = name_of(finder->sites, row);
	return NULL;
}

struct err *outward_names(struct rawsites *sites, struct query_db *db, uint32_t **ret)
{
	CLEANUP(finder_deinit)
	struct finder finder = {
		.sites = sites,
		.depth = xcalloc(sites->nr_raw + 1, sizeof(*finder.depth)),
		.frame = xcalloc(sites->nr_raw + 1, sizeof(*finder.frame)),
	};

	for (size_t i = 0; i < sites->nr_raw; i++)
		if (__builtin_add_overflow(sites->raw[i].caller_depth, sites->opts->depth - 1,
					   &finder.depth[i]))
			finder.depth[i] = INT64_MIN;
	TRY(rows_each(db, &(struct rows_query){ "_raw_frame", "raw_site, depth, frame",
						.fn = take_frame, .arg = &finder }));
	finder.name = xcalloc(finder.frames.nr + 1, sizeof(*finder.name));
	TRY(rows_each(db, &(struct rows_query){ "_frame", "id, func, file, line, sym_off",
						.fn = take_name, .arg = &finder,
						.wanted = is_outer }));
	for (size_t i = 0; i < sites->nr_raw; i++)
		finder.frame[i] = finder.name[finder.frame[i]];
	*ret = take_ptr(finder.frame);
	return NULL;
}
