// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/btree.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* As SQLite limits it. */
enum { MOST_DEPTH = 20 };

/* Behind each piece of memory that records lie in (rule 3). */
enum { BEHIND = 8 };

enum page_type { INDEX_INTERIOR = 2, TABLE_INTERIOR = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };

struct btree {
	sqlite3_file *file;
	uint32_t page_size, usable, nr_pages;
	uint32_t nr_read;	      /* of one walk: each page is in one place */
	uint8_t *page[MOST_DEPTH];    /* one for each level */
	uint8_t *overflow, *gathered; /* a page of an overflow chain; a record with its chain */
	uint64_t gathered_cap;
};

/* A page that is at hand. */
struct page {
	const uint8_t *data; /* of tree->usable bytes */
	uint32_t header;     /* offset: the file's own comes before that of page 1 */
	enum page_type type;
	uint32_t nr_cells;
};

struct walk {
	struct btree *tree;
	btree_fn *fn;
	void *arg;
};

static struct err *damaged(uint32_t page)
{
	return err_new(ERR_FORMAT, "database page %u is damaged", page);
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static struct err *read_page(struct btree *tree, uint32_t nr, uint8_t *to)
{
	if (!nr || nr > tree->nr_pages || tree->nr_read++ >= tree->nr_pages)
		return err_new(ERR_FORMAT, "database page %u is not where it should be", nr);
	if (tree->file->pMethods->xRead(tree->file, to, (int)tree->page_size,
					(sqlite3_int64)(nr - 1) * tree->page_size) != SQLITE_OK)
		return err_new(ERR_DB, "database page %u cannot be read", nr);
	return NULL;
}

struct err *btree_open(sqlite3 *db, struct btree **ret)
{
	enum { HEADER = 100, UTF8 = 1, NO_LOG = 1 };
	sqlite3_file *file = NULL;
	sqlite3_int64 size;
	uint8_t head[HEADER];

	*ret = NULL;
	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
	    !file || !file->pMethods || file->pMethods->xFileSize(file, &size) != SQLITE_OK ||
	    file->pMethods->xRead(file, head, HEADER, 0) != SQLITE_OK)
		return NULL;
	uint32_t page_size = get16(head + 16) == 1 ? 65536 : get16(head + 16);

	if (page_size < 512 || (page_size & (page_size - 1)) || head[18] != NO_LOG ||
	    head[19] != NO_LOG || page_size - head[20] < 480 || get32(head + 56) != UTF8 ||
	    size / page_size > UINT32_MAX)
		return NULL;
	struct btree *tree = xcalloc(1, sizeof(*tree));

	tree->file = file;
	tree->page_size = page_size;
	tree->usable = page_size - head[20];
	tree->nr_pages = (uint32_t)(size / page_size);
	*ret = tree;
	return NULL;
}

void btree_close(struct btree *tree)
{
	if (!tree)
		return;
	for (int i = 0; i < MOST_DEPTH; i++)
		free(tree->page[i]);
	free(tree->overflow);
	free(tree->gathered);
	free(tree);
}

static struct err *get_page(struct btree *tree, uint32_t nr, int depth, struct page *ret)
{
	if (depth == MOST_DEPTH)
		return damaged(nr);
	if (!tree->page[depth])
		tree->page[depth] = xcalloc(1, tree->page_size + BEHIND);
	TRY(read_page(tree, nr, tree->page[depth]));
	struct page page = { .data = tree->page[depth], .header = nr == 1 ? 100 : 0 };
	const uint8_t *header = page.data + page.header;

	page.type = (enum page_type)header[0];
	page.nr_cells = get16(header + 3);
	bool leaf = page.type == INDEX_LEAF || page.type == TABLE_LEAF;

	if ((!leaf && page.type != INDEX_INTERIOR && page.type != TABLE_INTERIOR) ||
	    page.header + (leaf ? 8 : 12) + 2 * page.nr_cells > tree->usable)
		return damaged(nr);
	*ret = page;
	return NULL;
}

/* The start of a cell; NULL when that is not in the page. */
static const uint8_t *cell_at(const struct btree *tree, const struct page *page, uint32_t i)
{
	bool leaf = page->type == INDEX_LEAF || page->type == TABLE_LEAF;
	uint32_t at = get16(page->data + page->header + (leaf ? 8 : 12) + (size_t)2 * i);

	/* A cell has four bytes at least. */
	return at < page->header + 8 || at + 4 > tree->usable ? NULL : page->data + at;
}

/* What of a record of @len bytes is in its cell. */
static uint32_t local_len(const struct btree *tree, bool table, uint64_t len)
{
	uint32_t usable = tree->usable;
	uint32_t most = table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
	uint32_t least = (usable - 12) * 32 / 255 - 23;

	if (len <= most)
		return (uint32_t)len;
	uint32_t local = least + (uint32_t)((len - least) % (usable - 4));

	return local <= most ? local : least;
}

/* A record that goes on in a chain of pages, as one piece. */
static struct err *gather(struct btree *tree, uint32_t nr, const uint8_t *local,
			  uint32_t nr_local, uint64_t len, uint32_t next, struct span *ret)
{
	if (len > (uint64_t)tree->nr_pages * tree->page_size)
		return damaged(nr);
	if (tree->gathered_cap < len) {
		free(tree->gathered);
		tree->gathered_cap = 0;
		tree->gathered = calloc(1, len + BEHIND);
		if (!tree->gathered)
			return err_new(ERR_FORMAT,
				       "database page %u has a record of %llu bytes", nr,
				       (unsigned long long)len);
		tree->gathered_cap = len;
	}
	if (!tree->overflow)
		tree->overflow = xmalloc(tree->page_size);
	memcpy(tree->gathered, local, nr_local);
	for (uint64_t done = nr_local; done < len;) {
		uint64_t part = len - done < tree->usable - 4 ? len - done : tree->usable - 4;

		TRY(read_page(tree, next, tree->overflow));
		memcpy(tree->gathered + done, tree->overflow + 4, part);
		done += part;
		next = get32(tree->overflow);
	}
	*ret = (struct span){ tree->gathered, len };
	return NULL;
}

/* Gives the record of a cell, @p behind the number of a page below it, to the function. */
static struct err *give(const struct walk *walk, const struct page *page, uint32_t nr,
			const uint8_t *p)
{
	struct btree *tree = walk->tree;
	const uint8_t *end = page->data + tree->usable;
	bool table = page->type == TABLE_LEAF;
	uint64_t len, rowid = 0;

	p = btree_varint(p, end, &len);
	if (p && table)
		p = btree_varint(p, end, &rowid);
	if (!p || len > INT32_MAX)
		return damaged(nr);
	uint32_t local = local_len(tree, table, len);
	struct span record = { p, local };

	if ((uint64_t)(end - p) < (uint64_t)local + (local < len ? 4 : 0))
		return damaged(nr);
	if (local < len)
		TRY(gather(tree, nr, p, local, len, get32(p + local), &record));
	return walk->fn(walk->arg, (int64_t)rowid, record);
}

static struct err *walk_page(const struct walk *walk, uint32_t nr, int depth, bool table)
{
	struct btree *tree = walk->tree;
	struct page page;

	TRY(get_page(tree, nr, depth, &page));
	if (table != (page.type == TABLE_LEAF || page.type == TABLE_INTERIOR))
		return damaged(nr);
	for (uint32_t i = 0; i < page.nr_cells; i++) {
		const uint8_t *cell = cell_at(tree, &page, i);

		if (!cell)
			return damaged(nr);
		if (page.type == TABLE_INTERIOR || page.type == INDEX_INTERIOR) {
			TRY(walk_page(walk, get32(cell), depth + 1, table));
			cell += 4;
		}
		if (page.type != TABLE_INTERIOR)
			TRY(give(walk, &page, nr, cell));
	}
	if (page.type == TABLE_INTERIOR || page.type == INDEX_INTERIOR)
		return walk_page(walk, get32(page.data + page.header + 8), depth + 1, table);
	return NULL;
}

struct err *btree_is_table(struct btree *tree, uint32_t root, bool *ret_table)
{
	struct page page;

	tree->nr_read = 0;
	TRY(get_page(tree, root, 0, &page));
	*ret_table = page.type == TABLE_LEAF || page.type == TABLE_INTERIOR;
	return NULL;
}

struct err *btree_walk(struct btree *tree, uint32_t root, btree_fn *fn, void *arg)
{
	const struct walk walk = { tree, fn, arg };
	bool table;

	TRY(btree_is_table(tree, root, &table));
	tree->nr_read = 0;
	return walk_page(&walk, root, 0, table);
}
