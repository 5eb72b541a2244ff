// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/image.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

enum {
	PAGE = 4096,
	FILE_HEADER = 100,
	LEAF_HEADER = 8,
	INNER_HEADER = 12,
	INNER_INDEX = 2,
	INNER_TABLE = 5,
	LEAF_INDEX = 10,
	LEAF_TABLE = 13,
	/* A header of one byte a column, and eight bytes a number. */
	MAX_RECORD = 1 + 9 * IMAGE_MAX_COLUMNS,
	MAX_CELL = 4 + 2 * 9 + MAX_RECORD,
};

static_assert(MAX_CELL * 4 < PAGE, "a page has some cells");

/* One row as a record, in the bytes of its table. */
struct record {
	int64_t key[2];
	size_t at;
	uint32_t len;
};

struct table {
	char *name, *sql;
	size_t nr_columns;
	bool keyed; /* WITHOUT ROWID */
	bool sorted;
	struct record *record;
	size_t nr, cap;
	uint8_t *bytes;
	size_t used, cap_bytes;
};

struct image {
	struct table *table;
	size_t nr_tables, cap;
};

/* A page of a tree, and the row that divides it from the next one. */
struct child {
	uint32_t page;
	size_t row;
};

struct pages {
	unsigned char *data;
	size_t nr, cap;
};

/* A page that is being filled: cells from its end on, pointers to them from its start on. */
struct page {
	unsigned char *data;
	size_t header; /* where it begins, and how long it is */
	size_t header_len;
	size_t nr, content;
};

struct image *image_new(void)
{
	return xcalloc(1, sizeof(struct image));
}

void image_free(struct image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->nr_tables; i++) {
		free(image->table[i].name);
		free(image->table[i].sql);
		free(image->table[i].record);
		free(image->table[i].bytes);
	}
	free(image->table);
	free(image);
}

/* Comments are left out: the table of tables has one page. */
static char *without_comments(const char *sql)
{
	char *ret = xstrdup(sql), *to = ret;

	for (const char *p = sql; *p; p++) {
		if (p[0] == '-' && p[1] == '-')
			p += strcspn(p, "\n");
		*to++ = *p;
		if (!*p)
			break;
	}
	*to = '\0';
	return ret;
}

size_t image_table(struct image *image, const char *name, const char *sql, size_t nr_columns,
		   bool without_rowid)
{
	assert(nr_columns <= IMAGE_MAX_COLUMNS && nr_columns >= 2);
	assert(image->nr_tables < IMAGE_MAX_TABLES);
	vec_room(image->table, image->nr_tables, image->cap);
	image->table[image->nr_tables] = (struct table){
		.name = xstrdup(name),
		.sql = without_comments(sql),
		.nr_columns = nr_columns,
		.keyed = without_rowid,
		.sorted = true,
	};
	return image->nr_tables++;
}

/* ---- records */

static uint8_t *put(uint8_t *p, uint64_t value, size_t bytes)
{
	while (bytes--)
		*p++ = (uint8_t)(value >> 8 * bytes);
	return p;
}

/* Seven bits a byte, the highest first; less than 2^56. */
static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
	unsigned int shift = 0;

	while (value >> shift >> 7)
		shift += 7;
	for (; shift; shift -= 7)
		*p++ = (uint8_t)(value >> shift | 0x80);
	*p++ = (uint8_t)(value & 0x7f);
	return p;
}

/* What the header says of an integer, and how many bytes it takes. */
static uint8_t type_of(int64_t i, size_t *ret_len)
{
	static const uint8_t len[] = { 0, 1, 2, 3, 4, 6, 8 };
	uint64_t magnitude = (uint64_t)(i < 0 ? ~i : i);
	uint8_t type = 1;

	*ret_len = 0;
	if (i == 0 || i == 1)
		return i ? 9 : 8;
	while (type < 6 && magnitude >> (8 * len[type] - 1))
		type++;
	*ret_len = len[type];
	return type;
}

static size_t make_record(uint8_t *out, const struct cell *row, size_t nr)
{
	uint8_t *header = out, *p = out + 1 + nr;

	*header++ = (uint8_t)(1 + nr);
	for (size_t i = 0; i < nr; i++) {
		size_t len = 0;

		assert(row[i].type == CELL_INT || row[i].type == CELL_NULL);
		*header++ = row[i].type == CELL_INT ? type_of(row[i].i, &len) : 0;
		p = put(p, (uint64_t)row[i].i, len);
	}
	return (size_t)(p - out);
}

static int by_key(const void *va, const void *vb)
{
	const struct record *a = va, *b = vb;

	if (a->key[0] != b->key[0])
		return a->key[0] < b->key[0] ? -1 : 1;
	return (a->key[1] > b->key[1]) - (a->key[1] < b->key[1]);
}

void image_add(struct image *image, size_t nr, const struct cell *row)
{
	struct table *table = &image->table[nr];

	if (table->cap_bytes - table->used < MAX_RECORD) {
		table->cap_bytes = table->cap_bytes ? 2 * table->cap_bytes : 1 << 14;
		table->bytes = xreallocarray(table->bytes, table->cap_bytes, 1);
	}
	vec_room(table->record, table->nr, table->cap);

	struct record *record = &table->record[table->nr++];

	*record = (struct record){ .at = table->used };
	if (table->keyed) {
		record->key[0] = row[0].i;
		record->key[1] = row[1].i;
		if (table->nr > 1 && by_key(record - 1, record) >= 0)
			table->sorted = false;
	}
	record->len = (uint32_t)make_record(table->bytes + table->used, row, table->nr_columns);
	table->used += record->len;
}

size_t image_size(const struct image *image)
{
	size_t size = 0;

	for (size_t i = 0; i < image->nr_tables; i++)
		size += image->table[i].used + image->table[i].nr * sizeof(struct record);
	return size;
}

/* ---- pages */

/* Its number, which is from 1. */
static uint32_t new_page(struct pages *pages)
{
	if (pages->nr == pages->cap) {
		pages->cap = pages->cap ? 2 * pages->cap : 16;
		pages->data = xreallocarray(pages->data, pages->cap, PAGE);
	}
	memset(pages->data + pages->nr * PAGE, 0, PAGE);
	return (uint32_t)++pages->nr;
}

static struct page begin_page(struct pages *pages, uint32_t number, uint8_t type)
{
	struct page page = {
		.data = pages->data + (size_t)(number - 1) * PAGE,
		.header = number == 1 ? FILE_HEADER : 0,
		.header_len =
			type == INNER_INDEX || type == INNER_TABLE ? INNER_HEADER : LEAF_HEADER,
		.content = PAGE,
	};

	page.data[page.header] = type;
	return page;
}

/* Whether cells of so many bytes in all have room in a page. */
static bool fits(size_t nr, size_t bytes, size_t header)
{
	return header + 2 * nr + bytes <= PAGE;
}

static void add_cell(struct page *page, const uint8_t *cell, size_t len)
{
	page->content -= len;
	memcpy(page->data + page->content, cell, len);
	put(page->data + page->header + page->header_len + 2 * page->nr++, page->content, 2);
}

static void end_page(struct page *page, uint32_t last_child)
{
	uint8_t *p = page->data + page->header;

	put(p + 3, page->nr, 2);
	put(p + 5, page->content, 2);
	if (last_child)
		put(p + 8, last_child, 4);
}

/* What row @row is in a leaf, or, behind the page that it ends, in an inner page. */
static size_t make_cell(const struct table *table, size_t row, uint32_t page, uint8_t *out)
{
	const struct record *record = &table->record[row];
	uint8_t *p = out;

	if (page)
		p = put(p, page, 4);
	if (!page || table->keyed)
		p = put_varint(p, record->len);
	if (!table->keyed)
		p = put_varint(p, row + 1);
	if (!page || table->keyed) {
		memcpy(p, table->bytes + record->at, record->len);
		p += record->len;
	}
	return (size_t)(p - out);
}

/* The leaves; in a tree of keys a row between two of them is in neither. */
static struct child *make_leaves(const struct table *table, struct pages *pages, size_t *ret_nr)
{
	struct child *child = NULL;
	size_t nr = 0, cap = 0, row = 0;
	uint8_t cell[MAX_CELL];

	do {
		size_t end = row, bytes = 0, len;

		for (; end < table->nr; end++) {
			len = make_cell(table, end, 0, cell);
			if (!fits(end - row + 1, bytes + len, LEAF_HEADER))
				break;
			bytes += len;
		}
		bool divided = table->keyed && end < table->nr;
		uint32_t number = new_page(pages);
		struct page page =
			begin_page(pages, number, table->keyed ? LEAF_INDEX : LEAF_TABLE);

		for (; row < end - divided; row++) {
			len = make_cell(table, row, 0, cell);
			add_cell(&page, cell, len);
		}
		end_page(&page, 0);
		vec_room(child, nr, cap);
		child[nr++] = (struct child){ number, end ? end - 1 : 0 };
		row = end;
	} while (row < table->nr);
	*ret_nr = nr;
	return child;
}

/* Puts the pages of one level below pages of the next, in place; returns how many. */
static size_t make_level(const struct table *table, struct pages *pages, struct child *child,
			 size_t nr)
{
	uint8_t cell[MAX_CELL];
	size_t done = 0;

	for (size_t i = 0, end; i < nr; i = end) {
		size_t bytes = 0;

		/* The last one has no cell. */
		for (end = i; end + 1 < nr; end++) {
			size_t len = make_cell(table, child[end].row, child[end].page, cell);

			if (!fits(end - i + 1, bytes + len, INNER_HEADER))
				break;
			bytes += len;
		}
		/* One page alone would have no cell beside it. */
		if (nr - end - 1 == 1)
			end--;
		uint32_t number = new_page(pages);
		struct page page =
			begin_page(pages, number, table->keyed ? INNER_INDEX : INNER_TABLE);

		for (; i < end; i++) {
			size_t len = make_cell(table, child[i].row, child[i].page, cell);

			add_cell(&page, cell, len);
		}
		end_page(&page, child[end].page);
		child[done++] = (struct child){ number, child[end].row };
		end++;
	}
	return done;
}

/* The page of the tree's root. */
static uint32_t make_tree(const struct table *table, struct pages *pages)
{
	size_t nr;
	auto_free struct child *child = make_leaves(table, pages, &nr);

	while (nr > 1)
		nr = make_level(table, pages, child, nr);
	return child->page;
}

static void add_schema(struct page *page, size_t row, const struct table *table, uint32_t root)
{
	size_t name = strlen(table->name), sql = strlen(table->sql);
	uint8_t cell[PAGE], header[32], *h = header + 1, *p;

	h = put_varint(h, 13 + 2 * strlen("table"));
	h = put_varint(h, 13 + 2 * name);
	h = put_varint(h, 13 + 2 * name);
	h = put_varint(h, 4);
	h = put_varint(h, 13 + 2 * sql);
	*header = (uint8_t)(h - header);

	size_t len = *header + strlen("table") + 2 * name + 4 + sql;

	assert(len + 20 < PAGE - FILE_HEADER);
	p = put_varint(put_varint(cell, len), row);
	p = mempcpy(p, header, *header);
	p = mempcpy(p, "table", strlen("table"));
	p = mempcpy(p, table->name, name);
	p = mempcpy(p, table->name, name);
	p = put(p, root, 4);
	p = mempcpy(p, table->sql, sql);
	assert(page->header + page->header_len + 2 * (page->nr + 1) + (size_t)(p - cell) <=
	       page->content);
	add_cell(page, cell, (size_t)(p - cell));
}

static void put_file_header(unsigned char *p, size_t nr_pages)
{
	memcpy(p, "SQLite format 3", 16);
	put(p + 16, PAGE, 2);
	put(p + 18, 0x010100402020, 6); /* legacy versions, nothing kept free, fractions */
	put(p + 24, 1, 4);		/* changes */
	put(p + 28, nr_pages, 4);
	put(p + 40, 1, 4); /* changes of the schema */
	put(p + 44, 4, 4); /* its format */
	put(p + 56, 1, 4); /* UTF-8 */
	put(p + 92, 1, 4); /* change that the number of pages is of */
	put(p + 96, SQLITE_VERSION_NUMBER, 4);
}

static struct err *sort(struct table *table)
{
	if (table->sorted)
		return NULL;
	qsort(table->record, table->nr, sizeof(*table->record), by_key);
	for (size_t i = 1; i < table->nr; i++)
		if (!by_key(&table->record[i - 1], &table->record[i]))
			return err_new(ERR_DB, "a key of %s is there twice", table->name);
	return NULL;
}

struct err *image_take(struct image *image, unsigned char **ret, size_t *ret_len)
{
	struct pages pages = {};
	uint32_t root[IMAGE_MAX_TABLES];

	for (size_t i = 0; i < image->nr_tables; i++)
		TRY(sort(&image->table[i]));
	new_page(&pages);
	for (size_t i = 0; i < image->nr_tables; i++)
		root[i] = make_tree(&image->table[i], &pages);

	struct page schema = begin_page(&pages, 1, LEAF_TABLE);

	for (size_t i = 0; i < image->nr_tables; i++)
		add_schema(&schema, i + 1, &image->table[i], root[i]);
	end_page(&schema, 0);
	put_file_header(pages.data, pages.nr);
	for (size_t i = 0; i < image->nr_tables; i++) {
		image->table[i].nr = image->table[i].used = 0;
		image->table[i].sorted = true;
	}
	*ret_len = pages.nr * PAGE;
	*ret = sqlite3_malloc64(*ret_len);
	if (*ret)
		memcpy(*ret, pages.data, *ret_len);
	free(pages.data);
	return *ret ? NULL : err_new(ERR_DB, "out of memory");
}
