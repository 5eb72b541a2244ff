// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct source {
	sqlite3 *db;
	struct source_file *last;
	size_t users;
};

struct source *source_new(sqlite3 *db)
{
	struct source *source = xcalloc(1, sizeof(*source));

	source->db = db;
	source->users = 1;
	return source;
}

struct source *source_hold(struct source *source)
{
	source->users++;
	return source;
}

void source_release(void *arg)
{
	struct source *source = arg;

	if (--source->users)
		return;
	source_put(source->last);
	free(source);
}

void source_put(struct source_file *file)
{
	if (!file || --file->users)
		return;
	tracefile_close(file->file);
	cmdlines_free(file->cmdlines);
	kallsyms_free(file->kallsyms);
	free(file->path);
	free(file);
}

DEFINE_CLEANUP(struct source_file *, source_file, source_put)

/* The path that the database keeps; owned by the caller. */
static struct err *own_path(sqlite3 *db, char **ret)
{
	sqlite3_stmt *stmt = NULL;
	auto_free char *path = NULL;
	bool more = false;

	if (sqlite3_prepare_v2(db, "SELECT input FROM recording", -1, &stmt, NULL) ==
	    SQLITE_OK) {
		if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
			path = xstrdup((const char *)sqlite3_column_text(stmt, 0));
		more = path && sqlite3_step(stmt) == SQLITE_ROW;
	}
	sqlite3_finalize(stmt);
	if (!path)
		return err_new(ERR_DB, "no recording is known; name one: events('FILE')");
	if (more)
		return err_new(
			ERR_DB,
			"the database is of several recordings; name one: events('FILE')");
	*ret = take_ptr(path);
	return NULL;
}

static struct span text_of(const struct tracefile *file, const char *name)
{
	struct span text = {};

	tracefile_text(file, name, &text);
	return text;
}

struct err *source_get(struct source *source, const char *path, struct source_file **ret)
{
	auto_free char *own = NULL;
	CLEANUP(source_file_cleanup) struct source_file *file = NULL;

	if (!path) {
		TRY(own_path(source->db, &own));
		path = own;
	}
	if (!source->last || strcmp(source->last->path, path) != 0) {
		file = xcalloc(1, sizeof(*file));
		file->users = 1;
		file->path = xstrdup(path);
		TRY(tracefile_open(path, &file->file));
		file->cmdlines = cmdlines_parse(text_of(file->file, "cmdlines"));
		/* Without names there are still addresses. */
		auto_err struct err *useless =
			kallsyms_parse(text_of(file->file, "kallsyms"), &file->kallsyms);

		if (useless)
			TRY(kallsyms_parse((struct span){}, &file->kallsyms));
		source_put(source->last);
		source->last = take_ptr(file);
	}
	source->last->users++;
	*ret = source->last;
	return NULL;
}

char *source_symbol(const struct source_file *file, uint64_t addr)
{
	uint64_t size = 0;
	const struct ksym *sym = kallsyms_at(file->kallsyms, addr, &size);

	if (!sym)
		return NULL;
	return xasprintf("%s+%#" PRIx64 "/%#" PRIx64 "%s%s%s", sym->name, addr - sym->addr,
			 size, sym->module ? " [" : "", sym->module ? sym->module : "",
			 sym->module ? "]" : "");
}
