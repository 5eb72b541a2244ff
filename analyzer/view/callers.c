// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/callers.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/schema.h"
#include "view/place.h"
#include "view/text.h"

enum sum { NET_BYTES, NET_CALLS, ALLOC_BYTES, ALLOCS, NR_SUMS };

static const char *const sum_names[NR_SUMS] = {
	[NET_BYTES] = "net_bytes",
	[NET_CALLS] = "net_calls",
	[ALLOC_BYTES] = "alloc_bytes",
	[ALLOCS] = "allocs",
};

/* A frame as it is shown, for all that are the same there. */
struct spot {
	char *text;		    /* as place_text() */
	char *func, *file, *module; /* NULL: not known */
	int64_t line;		    /* 0: not known */
};

/* A frame in a tree, or the call site itself at the root. */
struct node {
	const struct spot *spot;
	int64_t sum[NR_SUMS];
	struct node *child;
	size_t nr, cap;
};

/* What all trees share: the query for stacks, and frames by their number. */
struct loader {
	struct query *stacks;
	struct spot **spot;
	size_t nr, cap;
};

static void spot_deinit(struct spot *spot)
{
	free(spot->text);
	free(spot->func);
	free(spot->file);
	free(spot->module);
}

static void node_deinit(struct node *node)
{
	for (size_t i = 0; i < node->nr; i++)
		node_deinit(&node->child[i]);
	free(node->child);
}

static void loader_deinit(struct loader *loader)
{
	query_free(loader->stacks);
	for (size_t i = 0; i < loader->nr; i++) {
		if (loader->spot[i])
			spot_deinit(loader->spot[i]);
		free(loader->spot[i]);
	}
	free(loader->spot);
}

static const struct cell *get(struct query *query, const struct cell *row, const char *column)
{
	return &row[query_find_column(query, column)];
}

static char *copy(const struct cell *cell)
{
	return cell->type == CELL_TEXT ? xstrndup(cell->text, cell->len) : NULL;
}

static void add_sums(struct node *node, struct query *query, const struct cell *row)
{
	for (int i = 0; i < NR_SUMS; i++)
		node->sum[i] += get(query, row, sum_names[i])->i;
}

static struct spot make_spot(struct query *query, const struct cell *row)
{
	return (struct spot){
		.text = place_text(query, row),
		.func = copy(get(query, row, "func")),
		.file = copy(get(query, row, "file")),
		.module = copy(get(query, row, "module")),
		.line = get(query, row, "line")->i,
	};
}

/* The row's frame. Numbers count from 1; one that is out of all proportion is no number. */
static const struct spot *find_spot(struct loader *loader, const struct cell *row)
{
	uint64_t id = (uint64_t)get(loader->stacks, row, "frame")->i;

	if (!id || id > 1 << 24)
		id = 0;
	while (loader->nr <= id) {
		vec_room(loader->spot, loader->nr, loader->cap);
		loader->spot[loader->nr++] = NULL;
	}
	if (!loader->spot[id]) {
		loader->spot[id] = xmalloc(sizeof(struct spot));
		*loader->spot[id] = make_spot(loader->stacks, row);
	}
	return loader->spot[id];
}

/* The child of @node at @spot; made when there is none. */
static struct node *child(struct node *node, const struct spot *spot)
{
	for (size_t i = 0; i < node->nr; i++)
		if (node->child[i].spot == spot ||
		    !strcmp(node->child[i].spot->text, spot->text))
			return &node->child[i];
	vec_room(node->child, node->nr, node->cap);
	node->child[node->nr] = (struct node){ .spot = spot };
	return &node->child[node->nr++];
}

/* The callers of one call site. */
static struct err *load(struct loader *loader, int64_t call_site, struct node *root)
{
	struct query *query = loader->stacks;
	int64_t raw_site = 0;
	struct node *at = NULL;
	size_t depth = 0;
	const struct cell *row;

	query_restart(query);
	query_bind_int(query, ":first", call_site);
	query_bind_int(query, ":last", call_site);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		if (!at || get(query, row, "raw_site")->i != raw_site) {
			raw_site = get(query, row, "raw_site")->i;
			at = root;
			depth = 0;
		}
		if (get(query, row, "depth")->type == CELL_NULL || depth++ == CALLERS_DEPTH)
			continue;
		at = child(at, find_spot(loader, row));
		add_sums(at, query, row);
	}
}

static int compare_nodes(const void *va, const void *vb)
{
	const struct node *a = va, *b = vb;

	for (int i = 0; i < NR_SUMS; i++)
		if (a->sum[i] != b->sum[i])
			return a->sum[i] > b->sum[i] ? -1 : 1;
	return strcmp(a->spot->text, b->spot->text);
}

static struct cell text_cell(const char *text)
{
	return text ? (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) }
		    : (struct cell){ .text = "" };
}

static struct cell int_cell(int64_t i)
{
	return (struct cell){ .type = CELL_INT, .i = i, .text = "" };
}

/* Where rows go: a table is indented, the other formats name the parent. */
struct printer {
	struct view *view;
	bool table;
	int64_t call_site, nr_rows;
	struct cell kind;
};

static const struct view_column table_columns[] = {
	{ "NET", VIEW_BYTES },	     { "CALLS", VIEW_PLAIN },
	{ "ALLOCATED", VIEW_BYTES }, { "ALLOCS", VIEW_PLAIN },
	{ "KIND", VIEW_PLAIN },	     { "SITE, THEN ITS CALLERS", VIEW_SITE },
};

static const struct view_column plain_columns[] = {
	{ "id", VIEW_PLAIN },	     { "parent", VIEW_PLAIN },	  { "depth", VIEW_PLAIN },
	{ "call_site", VIEW_PLAIN }, { "kind", VIEW_PLAIN },	  { "file", VIEW_PLAIN },
	{ "line", VIEW_PLAIN },	     { "func", VIEW_PLAIN },	  { "module", VIEW_PLAIN },
	{ "net_bytes", VIEW_PLAIN }, { "net_calls", VIEW_PLAIN }, { "alloc_bytes", VIEW_PLAIN },
	{ "allocs", VIEW_PLAIN },
};

static void print_node(struct printer *p, const struct node *node, int64_t parent, int depth,
		       int indent)
{
	int64_t id = ++p->nr_rows;

	if (p->table) {
		auto_free char *text =
			depth ? xasprintf("%*s<- %s", 2 * indent, "", node->spot->text)
			      : xstrdup(node->spot->text);

		view_row(p->view, (struct cell[]){
					  int_cell(node->sum[NET_BYTES]),
					  int_cell(node->sum[NET_CALLS]),
					  int_cell(node->sum[ALLOC_BYTES]),
					  int_cell(node->sum[ALLOCS]),
					  p->kind,
					  text_cell(text),
				  });
	} else {
		view_row(p->view, (struct cell[]){
					  int_cell(id),
					  parent ? int_cell(parent) : text_cell(NULL),
					  int_cell(depth),
					  int_cell(p->call_site),
					  p->kind,
					  text_cell(node->spot->file),
					  node->spot->line ? int_cell(node->spot->line)
							   : text_cell(NULL),
					  text_cell(node->spot->func),
					  text_cell(node->spot->module),
					  int_cell(node->sum[NET_BYTES]),
					  int_cell(node->sum[NET_CALLS]),
					  int_cell(node->sum[ALLOC_BYTES]),
					  int_cell(node->sum[ALLOCS]),
				  });
	}
	if (node->nr)
		qsort(node->child, node->nr, sizeof(*node->child), compare_nodes);
	/* A chain without branches stays in its column. */
	for (size_t i = 0; i < node->nr; i++)
		print_node(p, &node->child[i], id, depth + 1,
			   indent + (!depth || node->nr > 1));
}

static struct err *print_site(struct printer *p, struct query *query, const struct cell *row,
			      struct loader *loader)
{
	CLEANUP(spot_deinit) struct spot spot = make_spot(query, row);
	CLEANUP(node_deinit) struct node root = { .spot = &spot };

	p->call_site = get(query, row, "id")->i;
	p->kind = *get(query, row, "kind");
	TRY(load(loader, p->call_site, &root));
	add_sums(&root, query, row);
	print_node(p, &root, 0, 0, 0);
	return NULL;
}

struct err *callers_print(struct query_db *db, const struct sites_opts *opts, const char *site,
			  enum view_format format, FILE *out, const struct view_layout *layout)
{
	CLEANUP(loader_deinit) struct loader loader = {};
	CLEANUP(query_cleanup) struct query *query = NULL;
	struct printer p = { .table = format == VIEW_TABLE };
	struct sites_opts all = *opts;
	uint64_t nr = 0;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("stacks"), NULL, &loader.stacks));
	query_bind_text(loader.stacks, ":kinds", opts->kinds);
	/* The limit counts the call sites that are asked for. */
	all.limit = 0;
	all.columns = "id, kind, net_bytes, net_calls, alloc_bytes, allocs, file, line, func, "
		      "module, sym_off, sym_size";
	TRY(sites_query(db, &all, &query));
	CLEANUP(view_cleanup)
	struct view *view = p.table ? view_new(format, out, layout, table_columns,
					       sizeof(table_columns) / sizeof(*table_columns))
				    : view_new(format, out, layout, plain_columns,
					       sizeof(plain_columns) / sizeof(*plain_columns));

	p.view = view;
	while (!opts->limit || nr < opts->limit) {
		TRY(query_next(query, &row));
		if (!row)
			break;
		if (site && !place_is(query, row, site))
			continue;
		if (nr++)
			view_gap(view);
		TRY(print_site(&p, query, row, &loader));
	}
	if (site && !nr)
		return err_new(ERR_USAGE,
			       "--callers %s: no such call site; give a function, a file "
			       "or file:line as report prints them",
			       site);
	view_finish(view);
	return NULL;
}
