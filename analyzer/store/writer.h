/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store/writer.h - writes one analysis into a new database
 *
 * Use:    writer_open, the writer_* calls, writer_commit; writer_close at any time
 * Rules:  (1) the database appears at its path whole, on writer_commit, or not at
 *             all: it is written beside it and renamed
 *         (2) one transaction; tables first, indices last
 *         (3) only a database is ever replaced, nothing else that may be at the path
 *         (4) SIGINT, SIGTERM and SIGHUP wait from writer_open to writer_close, well
 *             below a second, so that they leave nothing behind; SIGXFSZ is an
 *             error of the write
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/bytes.h"
#include "decode/merge.h"
#include "match/match.h"
#include "resolve/resolver.h"
#include "store/query.h"

struct writer;

/* A path that newfile_check() refuses is refused before anything is written. */
struct err *writer_open(const char *path, struct writer **ret) MUST_CHECK;
void writer_close(struct writer *writer);

/* Its connection, for store/combine.h, which writes in ways of its own. */
struct sqlite3 *writer_sqlite(struct writer *writer);
DEFINE_CLEANUP(struct writer *, writer, writer_close)

/*
 * A column of the one row of table _recording; NULL text is SQL NULL. A text
 * that is not UTF-8 is kept as far as it can be read.
 */
struct err *writer_recording_text(struct writer *writer, const char *column, const char *text,
				  size_t len) MUST_CHECK;
struct err *writer_recording_int(struct writer *writer, const char *column,
				 int64_t value) MUST_CHECK;

/* A row of table _cpu: per_cpu/cpuN/stats, as the kernel counts. */
struct cpu_stats {
	unsigned int cpu;
	uint64_t entries, overrun, commit_overrun, dropped, read_events;
};
struct err *writer_cpu(struct writer *writer, const struct cpu_stats *stats) MUST_CHECK;

/* Table _snapshot: @at is "start" or "end". */
struct err *writer_snapshot(struct writer *writer, const char *name, const char *at,
			    struct span text) MUST_CHECK;

/* Table _snapshot_value: a number of such a text, of @key, in @unit. */
struct err *writer_snapshot_value(struct writer *writer, const char *name, const char *at,
				  struct span key, const char *unit, int64_t value) MUST_CHECK;

/* A row of table _task; a negative @tgid and empty texts are not known. */
struct err *writer_task(struct writer *writer, int32_t pid, int32_t tgid, struct span comm,
			struct span cgroup) MUST_CHECK;

/* A line the user should know: table _note. */
struct err *writer_note(struct writer *writer, const char *text) MUST_CHECK;

/*
 * The number of the row of table _callsite that a raw site of @kind folds into,
 * which is made when there is none.
 */
struct err *writer_callsite(struct writer *writer, enum site_kind kind,
			    const struct callsite *callsite, uint32_t *ret) MUST_CHECK;

/*
 * A raw site and what it resolves to. The writer folds equal primary frames of
 * one kind into one row of table _callsite, keeps the raw site below it, and
 * each frame once. Without a file, the offset into the function tells call
 * sites apart. Kind NR_SITE_KINDS is stored as "any".
 */
struct err *writer_site(struct writer *writer, const struct site *site,
			const struct callsite *callsite, const char *cache) MUST_CHECK;

/* Rows of _raw_site so far; their numbers are from 1, in the order of writing. */
uint32_t writer_nr_raw_sites(const struct writer *writer);

/* The row of _callsite that a raw site of such a number leads to. */
uint32_t writer_call_site(const struct writer *writer, uint32_t raw_site);

/* The number of a frame's row in table _frame, which is made when there is none. */
struct err *writer_frame(struct writer *writer, const struct frame *frame,
			 uint32_t *ret) MUST_CHECK;

/* Tables whose rows are cells: all columns but recording, in their order. */
enum writer_table {
	WRITER_CACHE,
	WRITER_GFP,
	WRITER_GFP_NAME,
	WRITER_MIGRATETYPE,
	WRITER_CPU_NODE,
	WRITER_ZONE,
	WRITER_ACCOUNT,
	WRITER_BUCKET,
	WRITER_LIFE,
	WRITER_PEAK,
	WRITER_FREE_PAIR,
	NR_WRITER_TABLES,
};
struct err *writer_row(struct writer *writer, enum writer_table table,
		       const struct cell *row) MUST_CHECK;

/* Rows of _callsite so far. */
uint64_t writer_nr_call_sites(const struct writer *writer);

/* Table _quality, from everything that counted doubt. */
struct err *writer_quality(struct writer *writer, const struct match_totals *match,
			   const struct merge_stats *merge, uint64_t truncated_bytes,
			   bool unfinished, uint64_t probe_misses) MUST_CHECK;

struct err *writer_commit(struct writer *writer) MUST_CHECK;

#endif
