// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bounds of net usage (rule 17) on real recordings with sub-buffers thrown
 * away: what the whole recording says must lie within. With TRUTH_KIT, on the
 * kit's recording too.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyze.h"
#include "base/xalloc.h"
#include "tests/lib/test.h"
#include "tests/lib/thin.h"

enum { SEEDS = 4 };

static const unsigned int percents[] = { 25, 50, 90 };

/*
 * All call sites that either recording knows. One that the thinned recording
 * does not list is within when its net is at most what quality says of those.
 */
static const char compare[] =
	"WITH key(kind, file, line, func, module, off, self) AS ("
	"  SELECT kind, file, line, func, module, iif(file IS NULL, sym_off, 0), self"
	"   FROM whole.call_sites"
	"  UNION SELECT kind, file, line, func, module, iif(file IS NULL, sym_off, 0), self"
	"   FROM call_sites),"
	"both AS (SELECT coalesce(w.net_bytes, 0) AS bytes, coalesce(w.net_calls, 0) AS calls, t.*"
	"  FROM key k LEFT JOIN whole.call_sites w ON w.kind = k.kind AND w.file IS k.file AND"
	"   w.line IS k.line AND w.func IS k.func AND w.module IS k.module AND"
	"   iif(w.file IS NULL, w.sym_off, 0) IS k.off AND w.self = k.self"
	"  LEFT JOIN call_sites t ON t.kind = k.kind AND t.file IS k.file AND"
	"   t.line IS k.line AND t.func IS k.func AND t.module IS k.module AND"
	"   iif(t.file IS NULL, t.sym_off, 0) IS k.off AND t.self = k.self),"
	"missed AS (SELECT (SELECT value FROM quality WHERE name = 'missed_bytes') AS most_bytes,"
	"  (SELECT value FROM quality WHERE name = 'missed_calls') AS most_calls)"
	"SELECT count(*), sum(iif(id IS NULL, bytes <= most_bytes AND calls <= most_calls,"
	"  bytes BETWEEN net_lower_bytes AND net_upper_bytes AND"
	"  calls BETWEEN net_lower_calls AND net_upper_calls)),"
	" sum(id IS NULL AND bytes <> 0), sum(id IS NOT NULL AND net_lower_bytes > 0),"
	" total(net_upper_bytes - net_lower_bytes) / 1e6, total(abs(net_bytes)) / 1e6"
	" FROM both, missed";

static void analyze_into(const char *input, const char *output)
{
	struct analyze_result result;

	CHECK_OK(analyze(&(struct analyze_opts){ .input = input, .output = output }, &result));
}

static void check_bounds(const char *name, const char *recording, const char *whole,
			 unsigned int percent, uint64_t seed)
{
	auto_free char *thin = xasprintf("%s/thin.dat", test_dir());
	auto_free char *db = xasprintf("%s/thin.db", test_dir());
	auto_free char *attach = xasprintf("ATTACH '%s' AS whole", whole);
	sqlite3_stmt *row = NULL;
	sqlite3 *sql = NULL;

	CHECK_OK(thin_recording(recording, thin, percent, seed));
	analyze_into(thin, db);
	CHECK_EQ(sqlite3_open(db, &sql), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(sql, attach, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_prepare_v2(sql, compare, -1, &row, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_step(row), SQLITE_ROW);

	int sites = sqlite3_column_int(row, 0), within = sqlite3_column_int(row, 1);

	printf("# %s, %u %% thrown away, seed %d: of %d call sites %d within (%.2f %%), %d not seen; "
	       "bounds of %.1f MB for %.1f MB\n",
	       name, percent, (int)seed, sites, within, 100.0 * within / sites,
	       sqlite3_column_int(row, 2), sqlite3_column_double(row, 4),
	       sqlite3_column_double(row, 5));
	CHECK(sites > 50);
	CHECK(within * 100 >= sites * 99);
	sqlite3_finalize(row);
	sqlite3_close(sql);
	unlink(thin);
	unlink(db);
}

static void check_recording(const char *name, const char *recording, uint64_t seeds)
{
	auto_free char *whole = xasprintf("%s/whole.db", test_dir());

	analyze_into(recording, whole);
	for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++)
		for (uint64_t seed = 0; seed < seeds; seed++)
			check_bounds(name, recording, whole, percents[i], seed);
}

TEST(rule_17_the_net_of_a_thinned_recording_lies_within_its_bounds)
{
	check_recording("fixture", "fixtures/debian-6.12.dat", SEEDS);
}

TEST(rule_17_the_same_for_the_kits_recording)
{
	const char *kit = getenv("TRUTH_KIT");
	auto_free char *recording = kit ? xasprintf("%s/mixed/trace.dat", kit) : NULL;

	if (!recording || access(recording, R_OK)) {
		test_skip("TRUTH_KIT names no folder with a recording");
		return;
	}
	check_recording("kit", recording, 1);
}

/* Nothing lost and nothing inferred: nothing is in doubt. */
TEST(rule_17_without_loss_and_inference_the_bounds_are_the_net)
{
	auto_free char *whole = xasprintf("%s/whole.db", test_dir());
	sqlite3_stmt *row = NULL;
	sqlite3 *sql = NULL;

	analyze_into("fixtures/debian-6.12.dat", whole);
	CHECK_EQ(sqlite3_open(whole, &sql), SQLITE_OK);
	CHECK_EQ(sqlite3_prepare_v2(
			 sql,
			 "SELECT count(*), sum(net_lower_bytes = net_bytes AND "
			 "net_upper_bytes = net_bytes AND net_lower_calls = net_calls AND "
			 "net_upper_calls = net_calls) FROM call_sites "
			 "WHERE confidence = 'paired'",
			 -1, &row, NULL),
		 SQLITE_OK);
	CHECK_EQ(sqlite3_step(row), SQLITE_ROW);
	CHECK(sqlite3_column_int(row, 0) > 50);
	CHECK_EQ(sqlite3_column_int(row, 1), sqlite3_column_int(row, 0));
	sqlite3_finalize(row);
	sqlite3_close(sql);
}
