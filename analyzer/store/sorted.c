// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/sorted.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* How a value lies in a row: a byte that says so, and the value. */
enum form {
	FORM_NULL,
	FORM_INT1,
	FORM_INT2,
	FORM_INT4,
	FORM_INT8,
	FORM_REAL,
	FORM_TEXT,
	FORM_BLOB
};

/* A row, with what decides first in its order: mostly that is enough. */
struct place {
	enum cell_type type;
	union {
		int64_t i;
		double real;
	} first;
	size_t at; /* in the bytes of all rows, which come one behind the other */
};

struct sorted {
	size_t nr_columns, nr_keys;
	size_t *column;	  /* of each value in a row: keys come first */
	bool *descending; /* of each key */
	uint8_t *bytes;
	size_t len, cap;
	struct place *place;
	size_t nr, cap_places;
	size_t next;
	bool in_order;
};

struct sorted *sorted_new(size_t nr_columns, const struct sorted_key *key, size_t nr_keys)
{
	struct sorted *sorted = xcalloc(1, sizeof(*sorted));
	auto_free bool *is_key = xcalloc(nr_columns, sizeof(*is_key));
	size_t nr = 0;

	assert(nr_keys);
	sorted->nr_columns = nr_columns;
	sorted->nr_keys = nr_keys;
	sorted->column = xcalloc(nr_columns, sizeof(*sorted->column));
	sorted->descending = xcalloc(nr_keys, sizeof(*sorted->descending));
	for (; nr < nr_keys; nr++) {
		assert(key[nr].column < nr_columns && !is_key[key[nr].column]);
		sorted->column[nr] = key[nr].column;
		sorted->descending[nr] = key[nr].descending;
		is_key[key[nr].column] = true;
	}
	for (size_t i = 0; i < nr_columns; i++)
		if (!is_key[i])
			sorted->column[nr++] = i;
	return sorted;
}

void sorted_free(struct sorted *sorted)
{
	if (!sorted)
		return;
	free(sorted->column);
	free(sorted->descending);
	free(sorted->bytes);
	free(sorted->place);
	free(sorted);
}

/* ---- values as bytes */

static uint8_t *put_int(uint8_t *to, int64_t i)
{
	int8_t one = (int8_t)i;
	int16_t two = (int16_t)i;
	int32_t four = (int32_t)i;

	if (i == one) {
		*to++ = FORM_INT1;
		return mempcpy(to, &one, sizeof(one));
	}
	if (i == two) {
		*to++ = FORM_INT2;
		return mempcpy(to, &two, sizeof(two));
	}
	if (i == four) {
		*to++ = FORM_INT4;
		return mempcpy(to, &four, sizeof(four));
	}
	*to++ = FORM_INT8;
	return mempcpy(to, &i, sizeof(i));
}

static uint8_t *put_bytes(uint8_t *to, enum form form, const struct cell *cell)
{
	*to++ = (uint8_t)form;
	to = mempcpy(to, &cell->len, sizeof(cell->len));
	to = mempcpy(to, cell->text, cell->len);
	*to++ = '\0';
	return to;
}

static uint8_t *put(uint8_t *to, const struct cell *cell)
{
	switch (cell->type) {
	case CELL_NULL:
		*to++ = FORM_NULL;
		break;
	case CELL_INT:
		return put_int(to, cell->i);
	case CELL_REAL:
		*to++ = FORM_REAL;
		return mempcpy(to, &cell->real, sizeof(cell->real));
	case CELL_TEXT:
		return put_bytes(to, FORM_TEXT, cell);
	case CELL_BLOB:
		return put_bytes(to, FORM_BLOB, cell);
	}
	return to;
}

static const uint8_t *get_bytes(const uint8_t *from, enum cell_type type, struct cell *ret)
{
	size_t len;

	memcpy(&len, from, sizeof(len));
	from += sizeof(len);
	*ret = (struct cell){ .type = type, .text = (const char *)from, .len = len };
	return from + len + 1;
}

static const uint8_t *get(const uint8_t *from, struct cell *ret)
{
	enum form form = (enum form) * from++;
	int8_t one;
	int16_t two;
	int32_t four;

	if (form == FORM_TEXT || form == FORM_BLOB)
		return get_bytes(from, form == FORM_TEXT ? CELL_TEXT : CELL_BLOB, ret);
	*ret = (struct cell){ .type = CELL_INT, .text = "" };
	switch (form) {
	case FORM_NULL:
	case FORM_TEXT:
	case FORM_BLOB:
		break;
	case FORM_INT1:
		memcpy(&one, from, sizeof(one));
		ret->i = one;
		return from + sizeof(one);
	case FORM_INT2:
		memcpy(&two, from, sizeof(two));
		ret->i = two;
		return from + sizeof(two);
	case FORM_INT4:
		memcpy(&four, from, sizeof(four));
		ret->i = four;
		return from + sizeof(four);
	case FORM_INT8:
		memcpy(&ret->i, from, sizeof(ret->i));
		return from + sizeof(ret->i);
	case FORM_REAL:
		ret->type = CELL_REAL;
		memcpy(&ret->real, from, sizeof(ret->real));
		return from + sizeof(ret->real);
	}
	ret->type = CELL_NULL;
	return from;
}

/* What a value takes at most. */
static size_t room_of(const struct cell *cell)
{
	return 2 + sizeof(size_t) +
	       (cell->type == CELL_TEXT || cell->type == CELL_BLOB ? cell->len : 0);
}

void sorted_add(struct sorted *sorted, const struct cell *row)
{
	const struct cell *first = &row[sorted->column[0]];
	size_t need = 0;

	for (size_t i = 0; i < sorted->nr_columns; i++)
		need += room_of(&row[i]);
	if (sorted->cap - sorted->len < need) {
		sorted->cap = 2 * sorted->cap + need;
		sorted->bytes = xreallocarray(sorted->bytes, sorted->cap, 1);
	}
	vec_room(sorted->place, sorted->nr, sorted->cap_places);
	struct place *place = &sorted->place[sorted->nr++];

	*place = (struct place){ .type = first->type, .at = sorted->len };
	if (first->type == CELL_INT)
		place->first.i = first->i;
	else if (first->type == CELL_REAL)
		place->first.real = first->real;
	uint8_t *end = sorted->bytes + sorted->len;

	for (size_t i = 0; i < sorted->nr_columns; i++)
		end = put(end, &row[sorted->column[i]]);
	sorted->len = (size_t)(end - sorted->bytes);
	sorted->in_order = false;
}

/* ---- order */

static int compare_ints(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_reals(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_int_real(int64_t a, double b)
{
	/* 2 to the power of 63 is the first real that is too large. */
	if (b >= 0x1p63)
		return -1;
	if (b < -0x1p63)
		return 1;
	int order = compare_ints(a, (int64_t)b);

	return order ? order : compare_reals(0, b - (double)(int64_t)b);
}

static int compare_bytes(const struct cell *a, const struct cell *b)
{
	int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* NULL, numbers, texts, blobs. */
static int class_of(enum cell_type type)
{
	return type == CELL_NULL ? 0 : type == CELL_TEXT ? 2 : type == CELL_BLOB ? 3 : 1;
}

static int compare_cells(const struct cell *a, const struct cell *b)
{
	if (class_of(a->type) != class_of(b->type))
		return class_of(a->type) - class_of(b->type);
	if (a->type == CELL_NULL)
		return 0;
	if (a->type == CELL_TEXT || a->type == CELL_BLOB)
		return compare_bytes(a, b);
	if (a->type == CELL_INT)
		return b->type == CELL_INT ? compare_ints(a->i, b->i)
					   : compare_int_real(a->i, b->real);
	return b->type == CELL_INT ? -compare_int_real(b->i, a->real)
				   : compare_reals(a->real, b->real);
}

static int compare_rows(const struct sorted *sorted, const struct place *a,
			const struct place *b)
{
	const uint8_t *at = sorted->bytes + a->at, *bt = sorted->bytes + b->at;

	for (size_t i = 0; i < sorted->nr_keys; i++) {
		struct cell x, y;

		at = get(at, &x);
		bt = get(bt, &y);
		int order = compare_cells(&x, &y);

		if (order)
			return sorted->descending[i] ? -order : order;
	}
	return (a->at > b->at) - (a->at < b->at);
}

static int compare_places(const void *va, const void *vb, void *arg)
{
	const struct sorted *sorted = arg;
	const struct place *a = va, *b = vb;
	int order = 0;

	if (a->type == CELL_INT && b->type == CELL_INT)
		order = compare_ints(a->first.i, b->first.i);
	else if (a->type == CELL_REAL && b->type == CELL_REAL)
		order = compare_reals(a->first.real, b->first.real);
	if (order)
		return sorted->descending[0] ? -order : order;
	return compare_rows(sorted, a, b);
}

bool sorted_next(struct sorted *sorted, struct cell *ret)
{
	if (!sorted->in_order) {
		if (sorted->nr)
			qsort_r(sorted->place, sorted->nr, sizeof(*sorted->place),
				compare_places, sorted);
		sorted->in_order = true;
	}
	if (sorted->next == sorted->nr)
		return false;
	const uint8_t *at = sorted->bytes + sorted->place[sorted->next++].at;

	for (size_t i = 0; i < sorted->nr_columns; i++)
		at = get(at, &ret[sorted->column[i]]);
	return true;
}
