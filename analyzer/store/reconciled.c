// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/reconciled.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/pairs.h"
#include "store/schema.h"
#include "store/side.h"
#include "store/sorted.h"

/* Columns that are shown, and behind them what orders the rows. */
enum { SECTION, NAME, UNIT, KERNEL, RECORDED, DIFFERENCE, COVERS, NR_SHOWN };
enum { NR = NR_SHOWN, FIRST, SECOND, NR_COLUMNS };
enum { MEMINFO = 1 }; /* number of a section */

static const char columns[] =
	"section, name, unit, kernel_change, recorded_change, difference, covers, nr, first, "
	"second";

/* NULL where all that were added are. */
struct number {
	int64_t i;
	bool known;
};

struct row {
	int64_t nr; /* of its section */
	uint32_t section, name, unit, covers;
	struct number sum[DIFFERENCE - KERNEL + 1];
};

struct scan {
	struct strings strings;
	struct pairs names, keys; /* name and unit; that and the section */
	struct row *row;	  /* of each key */
	size_t nr, cap;
	bool overflow;
};

static void scan_deinit(struct scan *scan)
{
	strings_deinit(&scan->strings);
	pairs_deinit(&scan->names);
	pairs_deinit(&scan->keys);
	free(scan->row);
}

static uint32_t text_id(struct scan *scan, const struct cell *cell)
{
	return cell->type == CELL_TEXT ? strings_id(&scan->strings, cell->text, cell->len) : 0;
}

/* Of a row that is to be grouped: the number of its section, and what is shown. */
static void add(struct scan *scan, const struct cell *row)
{
	const struct cell *nr = row, *cell = row + 1;
	uint32_t name = text_id(scan, &cell[NAME]), unit = text_id(scan, &cell[UNIT]);
	bool is_new;
	uint32_t of = pairs_id(&scan->names, name, unit, &is_new);
	uint32_t id = pairs_id(&scan->keys, nr->i, of, &is_new);

	if (is_new) {
		vec_room(scan->row, scan->nr, scan->cap);
		scan->row[scan->nr++] = (struct row){
			.nr = nr->i,
			.section = text_id(scan, &cell[SECTION]),
			.name = name,
			.unit = unit,
			.covers = text_id(scan, &cell[COVERS]),
		};
	}
	for (int i = KERNEL; i <= DIFFERENCE; i++) {
		struct number *sum = &scan->row[id - 1].sum[i - KERNEL];

		/* What fits into no whole number came as a real one. */
		scan->overflow |= cell[i].type == CELL_REAL;
		if (cell[i].type != CELL_INT)
			continue;
		sum->known = true;
		scan->overflow |= __builtin_add_overflow(sum->i, cell[i].i, &sum->i);
	}
}

static struct cell text_cell(const struct scan *scan, uint32_t id)
{
	const char *text = strings_text(&scan->strings, id);

	return (struct cell){ .type = text ? CELL_TEXT : CELL_NULL,
			      .text = text ?: "",
			      .len = text ? strlen(text) : 0 };
}

static struct cell number_cell(struct number n)
{
	return (struct cell){ .type = n.known ? CELL_INT : CELL_NULL, .i = n.i, .text = "" };
}

/* So that the largest comes first, and NULL before it. */
static struct cell size_cell(struct number n)
{
	return number_cell((struct number){ n.i < 0 ? n.i : -n.i, n.known });
}

static struct sorted *in_order(const struct scan *scan)
{
	static const struct sorted_key key[] = {
		{ .column = NR }, { .column = FIRST }, { .column = SECOND }, { .column = NAME }
	};
	struct sorted *sorted = sorted_new(NR_COLUMNS, key, sizeof(key) / sizeof(*key));

	for (size_t i = 0; i < scan->nr; i++) {
		const struct row *row = &scan->row[i];
		struct cell cells[NR_COLUMNS] = {
			[SECTION] = text_cell(scan, row->section),
			[NAME] = text_cell(scan, row->name),
			[UNIT] = text_cell(scan, row->unit),
			[COVERS] = text_cell(scan, row->covers),
			[NR] = number_cell((struct number){ row->nr, true }),
		};

		for (int n = KERNEL; n <= DIFFERENCE; n++)
			cells[n] = number_cell(row->sum[n - KERNEL]);
		if (row->nr == MEMINFO) {
			/* As they came. */
			cells[FIRST] = number_cell((struct number){ (int64_t)i, true });
			cells[SECOND] = cells[NR];
		} else {
			cells[FIRST] = size_cell(row->sum[DIFFERENCE - KERNEL]);
			cells[SECOND] = size_cell(row->sum[KERNEL - KERNEL]);
		}
		sorted_add(sorted, cells);
	}
	return sorted;
}

/* What the named query groups, a row for each recording. */
static char *ungrouped(void)
{
	static const char from[] = "\nFROM (\n", to[] = "\n)\nGROUP BY nr, name, unit\n";
	const char *text = strstr(schema_query("reconcile"), from);
	const char *end = text ? strstr(text, to) : NULL;

	assert(end);
	text += strlen(from);
	return xstrndup(text, (size_t)(end - text));
}

struct err *reconciled_query(struct query_db *db, struct query **ret)
{
	CLEANUP(scan_deinit) struct scan scan = {};
	CLEANUP(query_cleanup) struct query *query = NULL;
	auto_free char *sql = ungrouped();
	const struct cell *row;

	TRY(query_prepare(db, sql, NULL, &query));
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			break;
		add(&scan, row);
	}
	if (scan.overflow)
		return err_new(ERR_DB, "integer overflow");
	*ret = query_of(db, in_order(&scan), columns, NR_COLUMNS, NR_SHOWN);
	return NULL;
}
