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

/* A frame, or the call site itself at the root. */
struct node {
	char *text;		    /* as place_text() */
	char *func, *file, *module; /* NULL: not known */
	int64_t line;		    /* 0: not known */
	int64_t sum[NR_SUMS];
	struct node *child;
	size_t nr, cap;
};

/* The callers of one call site. */
struct tree {
	int64_t call_site;
	struct node root;
};

struct forest {
	struct tree *tree; /* by call_site */
	size_t nr, cap;
};

static void node_deinit(struct node *node)
{
	for (size_t i = 0; i < node->nr; i++)
		node_deinit(&node->child[i]);
	free(node->child);
	free(node->text);
	free(node->func);
	free(node->file);
	free(node->module);
}

static void forest_deinit(struct forest *forest)
{
	for (size_t i = 0; i < forest->nr; i++)
		node_deinit(&forest->tree[i].root);
	free(forest->tree);
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

/* The child of @node that the row's frame is; made when there is none. */
static struct node *child(struct node *node, struct query *query, const struct cell *row)
{
	auto_free char *text = place_text(query, row);

	for (size_t i = 0; i < node->nr; i++)
		if (!strcmp(node->child[i].text, text))
			return &node->child[i];
	vec_room(node->child, node->nr, node->cap);
	node->child[node->nr] = (struct node){
		.text = take_ptr(text),
		.func = copy(get(query, row, "func")),
		.file = copy(get(query, row, "file")),
		.module = copy(get(query, row, "module")),
		.line = get(query, row, "line")->i,
	};
	return &node->child[node->nr++];
}

static struct tree *tree_of(struct forest *forest, int64_t call_site)
{
	/* The rows come by call site. */
	if (!forest->nr || forest->tree[forest->nr - 1].call_site != call_site) {
		vec_room(forest->tree, forest->nr, forest->cap);
		forest->tree[forest->nr++] = (struct tree){ .call_site = call_site };
	}
	return &forest->tree[forest->nr - 1];
}

/* The call sites from @first to @last. */
static struct err *load(struct query_db *db, const char *kinds, int64_t first, int64_t last,
			struct forest *forest)
{
	CLEANUP(query_cleanup) struct query *query = NULL;
	int64_t raw_site = 0;
	struct node *at = NULL;
	size_t depth = 0;
	const struct cell *row;

	TRY(query_prepare(db, schema_query("stacks"), NULL, &query));
	query_bind_text(query, ":kinds", kinds);
	query_bind_int(query, ":first", first);
	query_bind_int(query, ":last", last);
	for (;;) {
		TRY(query_next(query, &row));
		if (!row)
			return NULL;
		struct tree *tree = tree_of(forest, get(query, row, "call_site")->i);

		if (!at || get(query, row, "raw_site")->i != raw_site) {
			raw_site = get(query, row, "raw_site")->i;
			at = &tree->root;
			depth = 0;
		}
		if (get(query, row, "depth")->type == CELL_NULL || depth++ == CALLERS_DEPTH)
			continue;
		at = child(at, query, row);
		add_sums(at, query, row);
	}
}

static int compare_nodes(const void *va, const void *vb)
{
	const struct node *a = va, *b = vb;

	for (int i = 0; i < NR_SUMS; i++)
		if (a->sum[i] != b->sum[i])
			return a->sum[i] > b->sum[i] ? -1 : 1;
	return strcmp(a->text, b->text);
}

static int compare_trees(const void *va, const void *vb)
{
	const struct tree *a = va, *b = vb;

	return a->call_site < b->call_site ? -1 : a->call_site > b->call_site;
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
		auto_free char *text = depth ? xasprintf("%*s<- %s", 2 * indent, "", node->text)
					     : xstrdup(node->text);

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
					  text_cell(node->file),
					  node->line ? int_cell(node->line) : text_cell(NULL),
					  text_cell(node->func),
					  text_cell(node->module),
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

static void print_site(struct printer *p, struct query *query, const struct cell *row,
		       const struct forest *forest)
{
	const struct tree key = { .call_site = get(query, row, "id")->i };
	const struct tree *tree =
		forest->nr ? bsearch(&key, forest->tree, forest->nr, sizeof(key), compare_trees)
			   : NULL;
	auto_free char *text = place_text(query, row);
	auto_free char *func = copy(get(query, row, "func"));
	auto_free char *file = copy(get(query, row, "file"));
	auto_free char *module = copy(get(query, row, "module"));
	struct node root = { .text = text,
			     .func = func,
			     .file = file,
			     .module = module,
			     .line = get(query, row, "line")->i };

	add_sums(&root, query, row);
	if (tree) {
		root.child = tree->root.child;
		root.nr = tree->root.nr;
	}
	p->call_site = key.call_site;
	p->kind = *get(query, row, "kind");
	print_node(p, &root, 0, 0, 0);
}

struct err *callers_print(struct query_db *db, const struct sites_opts *opts, const char *site,
			  enum view_format format, FILE *out, const struct view_layout *layout)
{
	CLEANUP(forest_deinit) struct forest forest = {};
	CLEANUP(query_cleanup) struct query *query = NULL;
	struct printer p = { .table = format == VIEW_TABLE };
	struct sites_opts all = *opts;
	uint64_t nr = 0;
	const struct cell *row;

	if (!site)
		TRY(load(db, opts->kinds, 0, INT64_MAX, &forest));
	/* The limit counts the call sites that are asked for. */
	all.limit = 0;
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
		if (site) {
			CLEANUP(forest_deinit) struct forest one = {};
			int64_t id = get(query, row, "id")->i;

			TRY(load(db, opts->kinds, id, id, &one));
			print_site(&p, query, row, &one);
		} else {
			print_site(&p, query, row, &forest);
		}
	}
	if (site && !nr)
		return err_new(ERR_USAGE,
			       "--callers %s: no such call site; give a function, a file "
			       "or file:line as report prints them",
			       site);
	view_finish(view);
	return NULL;
}
