// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/kindbuckets.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "match/series.h"

struct err *kindbuckets_init(struct kindbuckets *kinds, sqlite3 *db)
{
	*kinds = (struct kindbuckets){ .callsite = -1, .plain = true };
	if (sqlite3_prepare_v2(db, "SELECT id, kind FROM main._callsite ORDER BY id", -1,
			       &kinds->callsites, NULL) != SQLITE_OK)
		return err_new(ERR_DB, "%s", sqlite3_errmsg(db));
	return NULL;
}

void kindbuckets_deinit(struct kindbuckets *kinds)
{
	sqlite3_finalize(kinds->callsites);
	for (size_t i = 0; i < kinds->nr; i++)
		free(kinds->sums[i].bucket);
	free(kinds->sums);
	intern_deinit(&kinds->keys);
}

/* As the table's CHECK has it. */
static const char *known_kind(const unsigned char *text)
{
	static const char *const known[] = { "slab", "page", "percpu", "vmalloc", "any" };

	for (size_t i = 0; text && i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp((const char *)text, known[i]))
			return known[i];
	return NULL;
}

/* NULL: there is no such call site. */
static const char *kind_of(struct kindbuckets *kinds, int64_t callsite)
{
	while (kinds->callsite < callsite) {
		if (sqlite3_step(kinds->callsites) != SQLITE_ROW)
			return NULL;
		kinds->callsite = sqlite3_column_int64(kinds->callsites, 0);
		kinds->kind = known_kind(sqlite3_column_text(kinds->callsites, 1));
	}
	return kinds->callsite == callsite ? kinds->kind : NULL;
}

static struct kindbuckets_sums *find(struct kindbuckets *kinds, const char *kind, int64_t self,
				     int64_t recording)
{
	const int64_t key[] = { (intptr_t)kind, self, recording };
	bool is_new;
	uint32_t id = intern_id(&kinds->keys, key, sizeof(key), &is_new);

	if (is_new) {
		vec_room(kinds->sums, kinds->nr, kinds->cap);
		kinds->sums[kinds->nr++] =
			(struct kindbuckets_sums){ kind, self, recording,
						   xcalloc(SERIES_BUCKETS,
							   sizeof(struct kindbuckets_sum)) };
	}
	return &kinds->sums[id - 1];
}

void kindbuckets_add(struct kindbuckets *kinds, int64_t call_site, int64_t recording,
		     uint32_t bucket, const int64_t value[4])
{
	const char *kind = kinds->plain ? kind_of(kinds, call_site / 2) : NULL;

	if (!kind) {
		kinds->plain = false;
		return;
	}
	struct kindbuckets_sum *sum =
		&find(kinds, kind, call_site % 2, recording)->bucket[bucket];

	sum->known = true;
	for (int i = 0; i < 4; i++) {
		int64_t to;

		kinds->plain &= !__builtin_add_overflow(sum->value[i], value[i], &to) &&
				to <= FOLD_EXACT && to >= -FOLD_EXACT;
		sum->value[i] = to;
	}
}

bool kindbuckets_bind(const struct kindbuckets *kinds, size_t *i, sqlite3_stmt *stmt)
{
	for (; *i < kinds->nr * SERIES_BUCKETS; (*i)++) {
		const struct kindbuckets_sums *sums = &kinds->sums[*i / SERIES_BUCKETS];
		const struct kindbuckets_sum *sum = &sums->bucket[*i % SERIES_BUCKETS];

		if (!sum->known)
			continue;
		sqlite3_bind_text(stmt, 1, sums->kind, -1, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, sums->self);
		sqlite3_bind_int64(stmt, 3, sums->recording);
		sqlite3_bind_int64(stmt, 4, (int64_t)(*i % SERIES_BUCKETS));
		for (int n = 0; n < 4; n++)
			sqlite3_bind_int64(stmt, 5 + n, sum->value[n]);
		(*i)++;
		return true;
	}
	return false;
}
