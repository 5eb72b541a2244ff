// SPDX-License-Identifier: GPL-2.0-or-later
/* merge.c - allocprof merge: several recordings in one database */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "cmd.h"
#include "database.h"
#include "store/combine.h"
#include "store/newfile.h"

struct merge_args {
	struct database_args database;
	const char *output;
};

static const struct opt merge_opts[] = { { 'o', "output", "DB",
					   OPT_TEXT(struct merge_args, output),
					   "the database, replaced when it exists" },
					 DATABASE_OPTS(struct merge_args, database),
					 {} };

struct inputs {
	struct query_db **db;
	size_t nr;
};

static void inputs_deinit(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->nr; i++)
		query_db_close(inputs->db[i]);
	free(inputs->db);
}

static struct err *add_all(struct combine *combine, const struct inputs *inputs, char **words)
{
	size_t left_out;

	for (size_t i = 0; i < inputs->nr; i++) {
		TRY(combine_add(combine, inputs->db[i], words[i], &left_out));
		if (left_out)
			fprintf(stderr,
				"allocprof merge: %s: %zu recording%s left out: merged already\n",
				words[i], left_out, left_out == 1 ? "" : "s");
	}
	return NULL;
}

static struct err *merge_run(const void *p, char **words, int *status)
{
	const struct merge_args *args = p;
	CLEANUP(inputs_deinit) struct inputs inputs = {};
	CLEANUP(writer_cleanup) struct writer *writer = NULL;
	CLEANUP(combine_cleanup) struct combine *combine = NULL;
	size_t nr = 0;

	(void)status;
	while (words[nr])
		nr++;
	if (!nr)
		return err_new(ERR_USAGE, "merge: name the databases or recordings");
	if (!args->output)
		return err_new(ERR_USAGE, "merge: name the new database with -o");
	TRY(err_wrap(newfile_check(args->output), "merge"));
	/* All are open before the output, which may be one of them, is written. */
	inputs.db = xcalloc(nr, sizeof(*inputs.db));
	for (; inputs.nr < nr; inputs.nr++) {
		struct database_args input = args->database;

		input.input = words[inputs.nr];
		TRY(err_wrap(database_open(&input, &inputs.db[inputs.nr]), "merge"));
	}
	TRY(err_wrap(writer_open(args->output, &writer), "merge"));
	TRY(err_wrap(combine_new(writer, &combine), "merge"));
	TRY(err_wrap(add_all(combine, &inputs, words), "merge"));
	size_t nr_recordings = combine_nr_recordings(combine);

	/* Its statements end before the transaction does. */
	combine_free(take_ptr(combine));
	TRY(err_wrap(writer_commit(writer), "merge"));
	fprintf(stderr, "%s: %zu recording%s\n", args->output, nr_recordings,
		nr_recordings == 1 ? "" : "s");
	return NULL;
}

const struct cmd cmd_merge = {
	.name = "merge",
	.summary = "Put several recordings into one database",
	.usage = "[OPTION...] -o DB FILE...",
	.opts = merge_opts,
	.args_size = sizeof(struct merge_args),
	.run = merge_run,
};
