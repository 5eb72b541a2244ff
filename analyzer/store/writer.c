// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/writer.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/fold.h"
#include "store/intern.h"
#include "store/newfile.h"
#include "store/quality.h"
#include "store/schema.h"
#include "store/tables.h"

struct writer {
	sqlite3 *db;
	sqlite3_stmt *insert[TABLES_ROWS];
	struct newfile file;
	struct intern callsites, frames;
	uint32_t *call_site; /* of each raw site */
	size_t nr_raw_sites, cap_raw_sites;
	uint32_t nr_notes;
};

static struct err *db_err(sqlite3 *db, int rc)
{
	int errnum = errno;

	if (rc == SQLITE_FULL)
		return err_new(ERR_DB, "no space left on the disk");
	/* SQLite keeps the errno of some failures only; nothing was called since. */
	if (rc == SQLITE_IOERR && db && sqlite3_system_errno(db))
		errnum = sqlite3_system_errno(db);
	if (rc == SQLITE_IOERR && errnum)
		return err_os(errnum, "cannot write");
	return err_new(ERR_DB, "%s", db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static struct err *exec(struct writer *writer, const char *sql)
{
	int rc = sqlite3_exec(writer->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? NULL : db_err(writer->db, rc);
}

static struct err *set_up(struct writer *writer)
{
	int rc = sqlite3_open_v2(
		writer->file.tmp_path, &writer->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return db_err(writer->db, rc);
	/* Rule 1 makes a journal pointless: a half-made file is never seen. */
	TRY(exec(writer, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			 "PRAGMA locking_mode = EXCLUSIVE"));
	/* From here on, or each object of the schema would be written to the file by itself. */
	TRY(exec(writer, "BEGIN"));
	rc = tables_create(writer->db);
	if (rc != SQLITE_OK)
		return db_err(writer->db, rc);
	TRY(exec(writer, "INSERT INTO _recording (id) VALUES (1)"));
	for (enum tables_row i = 0; rc == SQLITE_OK && i < TABLES_ROWS; i++)
		rc = tables_prepare(writer->db, i, &writer->insert[i]);
	return rc == SQLITE_OK ? NULL : db_err(writer->db, rc);
}

struct err *writer_open(const char *path, struct writer **ret)
{
	CLEANUP(writer_cleanup) struct writer *writer = xcalloc(1, sizeof(*writer));

	TRY(newfile_init(&writer->file, path));
	TRY(err_wrap(set_up(writer), "%s", path));
	*ret = take_ptr(writer);
	return NULL;
}

struct sqlite3 *writer_sqlite(struct writer *writer)
{
	return writer->db;
}

static void close_db(struct writer *writer)
{
	for (enum tables_row i = 0; i < TABLES_ROWS; i++) {
		sqlite3_finalize(writer->insert[i]);
		writer->insert[i] = NULL;
	}
	sqlite3_close(writer->db);
	writer->db = NULL;
}

void writer_close(struct writer *writer)
{
	if (!writer)
		return;
	close_db(writer);
	newfile_deinit(&writer->file);
	intern_deinit(&writer->callsites);
	intern_deinit(&writer->frames);
	free(writer->call_site);
	free(writer);
}

/*
 * Binding cannot fail but for want of memory or a wrong column number, which
 * the step that follows then reports: its row would lack a NOT NULL value or
 * the statement would be misused.
 */
static void bind_int(sqlite3_stmt *stmt, int column, int64_t value)
{
	sqlite3_bind_int64(stmt, column, value);
}

static void bind_text(sqlite3_stmt *stmt, int column, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, column, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, column);
}

/* 0 stands for "not known" in the structs, NULL in the tables. */
static void bind_known(sqlite3_stmt *stmt, int column, uint64_t value)
{
	if (value)
		sqlite3_bind_int64(stmt, column, (int64_t)value);
	else
		sqlite3_bind_null(stmt, column);
}

static struct err *step(struct writer *writer, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	if (rc != SQLITE_DONE)
		return err_wrap(db_err(writer->db, rc), "%s", writer->file.path);
	sqlite3_reset(stmt);
	return NULL;
}

static struct err *update_recording(struct writer *writer, const char *column, const char *text,
				    size_t len, int64_t value, bool is_text)
{
	/* %w: columns are named by the program, so a wrong one is its error. */
	char *sql = sqlite3_mprintf("UPDATE _recording SET \"%w\" = ?", column);
	sqlite3_stmt *stmt = NULL;
	int rc = sql ? sqlite3_prepare_v2(writer->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;

	sqlite3_free(sql);
	if (rc != SQLITE_OK)
		return err_wrap(db_err(writer->db, rc), "%s: recording.%s", writer->file.path,
				column);
	if (!is_text)
		sqlite3_bind_int64(stmt, 1, value);
	else if (text)
		sqlite3_bind_text64(stmt, 1, text, strnlen(text, len), SQLITE_STATIC,
				    SQLITE_UTF8);
	struct err *err = step(writer, stmt);

	sqlite3_finalize(stmt);
	return err;
}

struct err *writer_recording_text(struct writer *writer, const char *column, const char *text,
				  size_t len)
{
	return update_recording(writer, column, text, len, 0, true);
}

struct err *writer_recording_int(struct writer *writer, const char *column, int64_t value)
{
	return update_recording(writer, column, NULL, 0, value, false);
}

struct err *writer_cpu(struct writer *writer, const struct cpu_stats *stats)
{
	sqlite3_stmt *stmt = writer->insert[TABLES_CPU];

	bind_int(stmt, 1, stats->cpu);
	bind_int(stmt, 2, (int64_t)stats->entries);
	bind_int(stmt, 3, (int64_t)stats->overrun);
	bind_int(stmt, 4, (int64_t)stats->commit_overrun);
	bind_int(stmt, 5, (int64_t)stats->dropped);
	bind_int(stmt, 6, (int64_t)stats->read_events);
	return step(writer, stmt);
}

struct err *writer_snapshot(struct writer *writer, const char *name, const char *at,
			    struct span text)
{
	sqlite3_stmt *stmt = writer->insert[TABLES_SNAPSHOT];

	bind_text(stmt, 1, name);
	bind_text(stmt, 2, at);
	/* An empty text is not NULL. */
	sqlite3_bind_text64(stmt, 3, text.len ? (const char *)text.data : "", text.len,
			    SQLITE_STATIC, SQLITE_UTF8);
	return step(writer, stmt);
}

struct err *writer_snapshot_value(struct writer *writer, const char *name, const char *at,
				  struct span key, const char *unit, int64_t value)
{
	sqlite3_stmt *stmt = writer->insert[TABLES_SNAPSHOT_VALUE];

	bind_text(stmt, 1, name);
	bind_text(stmt, 2, at);
	sqlite3_bind_text64(stmt, 3, (const char *)key.data, key.len, SQLITE_STATIC,
			    SQLITE_UTF8);
	bind_text(stmt, 4, unit);
	bind_int(stmt, 5, value);
	return step(writer, stmt);
}

struct err *writer_note(struct writer *writer, const char *text)
{
	sqlite3_stmt *stmt = writer->insert[TABLES_NOTE];

	bind_int(stmt, 1, ++writer->nr_notes);
	bind_text(stmt, 2, text);
	return step(writer, stmt);
}

static void bind_span(sqlite3_stmt *stmt, int column, struct span text)
{
	if (text.len)
		sqlite3_bind_text64(stmt, column, (const char *)text.data, text.len,
				    SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_null(stmt, column);
}

struct err *writer_task(struct writer *writer, int32_t pid, int32_t tgid, struct span comm,
			struct span cgroup)
{
	sqlite3_stmt *stmt = writer->insert[TABLES_TASK];

	bind_int(stmt, 1, pid);
	if (tgid < 0)
		sqlite3_bind_null(stmt, 2);
	else
		bind_int(stmt, 2, tgid);
	bind_span(stmt, 3, comm);
	bind_span(stmt, 4, cgroup);
	return step(writer, stmt);
}

/* A key is the bytes that tell two things apart, put one behind the other. */
struct key {
	char *data;
	size_t len, cap;
};

static void key_bytes(struct key *key, const void *data, size_t len)
{
	if (key->len + len > key->cap) {
		key->cap = 2 * (key->len + len);
		key->data = xreallocarray(key->data, key->cap, 1);
	}
	memcpy(key->data + key->len, data, len);
	key->len += len;
}

static void key_text(struct key *key, const char *text)
{
	/* NULL differs from the empty string. */
	key_bytes(key, text ? "=" : "-", 1);
	key_bytes(key, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void key_int(struct key *key, uint64_t value)
{
	key_bytes(key, &value, sizeof(value));
}

static void key_deinit(struct key *key)
{
	free(key->data);
}

static const char *kind_name(enum site_kind kind)
{
	switch (kind) {
	case SITE_SLAB:
		return "slab";
	case SITE_PAGE:
		return "page";
	case SITE_PERCPU:
		return "percpu";
	case SITE_VMALLOC:
		return "vmalloc";
	case NR_SITE_KINDS:
		return "any";
	}
	return NULL;
}

static const char *resolved_name(enum resolved_by by)
{
	switch (by) {
	case RESOLVED_DWARF:
		return "dwarf";
	case RESOLVED_KALLSYMS:
		return "kallsyms";
	case RESOLVED_NOTHING:
		return "nothing";
	case RESOLVED_NONE:
		return "none";
	case RESOLVED_TAG:
		return "tag";
	}
	return NULL;
}

static const char *attributed_name(enum attributed_by by)
{
	switch (by) {
	case ATTRIBUTED_CHAIN:
		return "chain";
	case ATTRIBUTED_CALLEE:
		return "callee";
	case ATTRIBUTED_OPAQUE:
		return "opaque";
	case ATTRIBUTED_NOTHING:
		return "nothing";
	case ATTRIBUTED_TAG:
		return "tag";
	}
	return NULL;
}

/* Offset and size of a symbol; the offset may well be 0 where the size is known. */
static void bind_symbol(sqlite3_stmt *stmt, int column, const struct frame *frame, bool wanted)
{
	if (wanted && frame->sym_size)
		bind_int(stmt, column, frame->sym_off);
	else
		sqlite3_bind_null(stmt, column);
	bind_known(stmt, column + 1, wanted ? frame->sym_size : 0);
}

static struct err *fold(struct writer *writer, enum site_kind kind, const struct frame *primary,
			uint32_t *ret)
{
	bool by_offset = !primary->file;
	CLEANUP(key_deinit) struct key key = {};
	bool is_new;

	key_int(&key, kind);
	key_text(&key, primary->file);
	key_text(&key, primary->func);
	key_text(&key, primary->module);
	key_int(&key, primary->line);
	key_int(&key, by_offset ? primary->sym_off : 0);
	key_int(&key, by_offset ? primary->sym_size : 0);
	*ret = intern_id(&writer->callsites, key.data, key.len, &is_new);
	if (!is_new)
		return NULL;

	sqlite3_stmt *stmt = writer->insert[TABLES_CALLSITE];

	bind_int(stmt, 1, *ret);
	bind_text(stmt, 2, kind_name(kind));
	bind_text(stmt, 3, primary->file);
	bind_known(stmt, 4, primary->line);
	bind_text(stmt, 5, primary->func);
	bind_text(stmt, 6, primary->module);
	bind_symbol(stmt, 7, primary, by_offset);
	return step(writer, stmt);
}

struct err *writer_row(struct writer *writer, enum writer_table table, const struct cell *row)
{
	sqlite3_stmt *stmt = writer->insert[TABLES_CELLS + (int)table];

	for (int i = 0; i < tables_nr_columns(TABLES_CELLS + (int)table); i++) {
		switch (row[i].type) {
		case CELL_NULL:
			sqlite3_bind_null(stmt, i + 1);
			break;
		case CELL_INT:
			sqlite3_bind_int64(stmt, i + 1, row[i].i);
			break;
		case CELL_REAL:
			sqlite3_bind_double(stmt, i + 1, row[i].real);
			break;
		case CELL_TEXT:
			bind_text(stmt, i + 1, row[i].text);
			break;
		case CELL_BLOB:
			sqlite3_bind_blob64(stmt, i + 1, row[i].text, row[i].len,
					    SQLITE_STATIC);
			break;
		}
	}
	return step(writer, stmt);
}

struct err *writer_frame(struct writer *writer, const struct frame *frame, uint32_t *ret)
{
	CLEANUP(key_deinit) struct key key = {};
	bool is_new;

	key_int(&key, frame->addr);
	key_text(&key, frame->file);
	key_text(&key, frame->func);
	key_text(&key, frame->module);
	key_int(&key, (uint64_t)frame->line << 1 | frame->inlined);
	key_int(&key, frame->sym_off);
	key_int(&key, frame->sym_size);
	*ret = intern_id(&writer->frames, key.data, key.len, &is_new);
	if (!is_new)
		return NULL;

	sqlite3_stmt *stmt = writer->insert[TABLES_FRAME];

	bind_int(stmt, 1, *ret);
	bind_known(stmt, 2, frame->addr);
	bind_text(stmt, 3, frame->func);
	bind_text(stmt, 4, frame->file);
	bind_known(stmt, 5, frame->line);
	bind_text(stmt, 6, frame->module);
	bind_symbol(stmt, 7, frame, true);
	bind_int(stmt, 9, frame->inlined);
	return step(writer, stmt);
}

static struct err *write_frame(struct writer *writer, uint32_t raw_site, size_t depth,
			       const struct frame *frame)
{
	uint32_t id;

	TRY(writer_frame(writer, frame, &id));
	sqlite3_stmt *stmt = writer->insert[TABLES_RAW_FRAME];

	bind_int(stmt, 1, raw_site);
	bind_int(stmt, 2, (int64_t)depth);
	bind_int(stmt, 3, id);
	return step(writer, stmt);
}

struct err *writer_callsite(struct writer *writer, enum site_kind kind,
			    const struct callsite *callsite, uint32_t *ret)
{
	return fold(writer, kind, &callsite->primary, ret);
}

/* What is known of a site over time; the column behind. */
static int bind_times(sqlite3_stmt *stmt, int column, const struct site *site)
{
	bind_int(stmt, column++, (int64_t)site->at_peak_bytes);
	bind_int(stmt, column++, (int64_t)site->at_peak);
	bind_int(stmt, column++, (int64_t)site->max_bytes);
	bind_int(stmt, column++, (int64_t)site->lived);
	sqlite3_bind_double(stmt, column++, site->lived_sum_ns);
	bind_int(stmt, column++, (int64_t)site->lived_max_ns);
	bind_int(stmt, column++, (int64_t)site->lived_quick);
	bind_int(stmt, column++, (int64_t)site->lived_same_task);
	bind_int(stmt, column++, (int64_t)site->lived_near);
	bind_int(stmt, column++, (int64_t)site->temporary);
	bind_int(stmt, column++, (int64_t)site->remote_cpu);
	bind_int(stmt, column++, (int64_t)site->remote_node);
	bind_int(stmt, column++, (int64_t)site->aged);
	sqlite3_bind_double(stmt, column++, site->age_sum_ns);
	bind_int(stmt, column++, (int64_t)site->age_max_ns);
	return column;
}

struct err *writer_site(struct writer *writer, const struct site *site,
			const struct callsite *callsite, const char *cache)
{
	uint32_t callsite_id;

	TRY(fold(writer, site->kind, &callsite->primary, &callsite_id));
	sqlite3_stmt *stmt = writer->insert[TABLES_RAW_SITE];

	vec_room(writer->call_site, writer->nr_raw_sites, writer->cap_raw_sites);
	writer->call_site[writer->nr_raw_sites++] = callsite_id;
	uint32_t id = writer_nr_raw_sites(writer);
	const uint64_t counts[] = {
		site->allocs,
		site->alloc_bytes,
		site->bytes_req,
		site->failures,
		site->missing_stacks,
		site->frees,
		site->free_bytes,
		site->inferred_frees[END_REUSE],
		site->inferred_bytes[END_REUSE],
		site->inferred_frees[END_SLAB_PAGE],
		site->inferred_bytes[END_SLAB_PAGE],
		site->inferred_frees[END_OVERLAP],
		site->inferred_bytes[END_OVERLAP],
		site->inferred_frees[END_AREA],
		site->inferred_bytes[END_AREA],
		site->inferred_frees[END_RCU],
		site->inferred_bytes[END_RCU],
		site->rcu_pending,
		site->rcu_pending_bytes,
		site->unknown_frees,
		site->unknown_free_bytes,
		site->preexisting_frees,
		site->preexisting_bytes,
		site->live + site->pieces,
		site->live_bytes,
		site->uncertain,
		site->uncertain_bytes,
		site->lower,
		site->lower_bytes,
		site->upper,
		site->upper_bytes,
		site->peak_bytes,
	};
	const size_t nr_counts = sizeof(counts) / sizeof(*counts);

	int column = 8;

	bind_int(stmt, 1, id);
	bind_int(stmt, 2, callsite_id);
	bind_int(stmt, 3, site->self);
	bind_known(stmt, 4, site->call_site);
	bind_text(stmt, 5, cache && *cache ? cache : NULL);
	bind_text(stmt, 6, resolved_name(callsite->resolved_by));
	bind_text(stmt, 7, attributed_name(callsite->attributed_by));
	for (size_t i = 0; i < nr_counts; i++)
		bind_int(stmt, column++, (int64_t)counts[i]);
	bind_known(stmt, column++, site->peak_ns);
	bind_known(stmt, column++, site->first_ns);
	bind_known(stmt, column++, site->last_ns);
	if (callsite->nr_frames)
		bind_int(stmt, column, (int64_t)callsite->caller);
	else
		sqlite3_bind_null(stmt, column);
	column++;
	column = bind_times(stmt, column, site);
	bind_int(stmt, column++, site->weight);
	sqlite3_bind_double(stmt, column++, site->live_var);
	sqlite3_bind_double(stmt, column++, site->live_bytes_var);
	sqlite3_bind_double(stmt, column++, site->alloc_bytes_var);
	bind_int(stmt, column, (int64_t)site->slack_bytes);
	TRY(step(writer, stmt));
	for (size_t i = 0; i < callsite->nr_frames; i++)
		TRY(write_frame(writer, id, i, &callsite->frame[i]));
	return NULL;
}

struct err *writer_quality(struct writer *writer, const struct match_totals *match,
			   const struct merge_stats *merge, uint64_t truncated_bytes,
			   bool unfinished, uint64_t probe_misses)
{
	struct quality_row rows[QUALITY_MAX];
	size_t nr = quality_rows(match, merge, truncated_bytes, unfinished, probe_misses, rows);
	sqlite3_stmt *stmt = writer->insert[TABLES_QUALITY];

	for (size_t i = 0; i < nr; i++) {
		bind_int(stmt, 1, (int64_t)i + 1);
		bind_text(stmt, 2, rows[i].name);
		bind_int(stmt, 3, (int64_t)rows[i].value);
		bind_text(stmt, 4, rows[i].unit);
		bind_text(stmt, 5, rows[i].meaning);
		TRY(step(writer, stmt));
	}
	return NULL;
}

uint32_t writer_nr_raw_sites(const struct writer *writer)
{
	return (uint32_t)writer->nr_raw_sites;
}

uint32_t writer_call_site(const struct writer *writer, uint32_t raw_site)
{
	return writer->call_site[raw_site - 1];
}

uint64_t writer_nr_call_sites(const struct writer *writer)
{
	return writer->callsites.nr;
}

struct err *writer_commit(struct writer *writer)
{
	TRY(err_wrap(exec(writer, schema_indices), "%s", writer->file.path));
	TRY(err_wrap(fold_write(writer->db), "%s", writer->file.path));
	TRY(err_wrap(exec(writer, "COMMIT"), "%s", writer->file.path));
	close_db(writer);
	return newfile_publish(&writer->file);
}
