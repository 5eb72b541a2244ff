// SPDX-License-Identifier: GPL-2.0-or-later
/* The recorder's small parts that need neither root nor tracefs. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/cpulist.h"
#include "capture/instance.h"
#include "capture/machine.h"
#include "capture/modules.h"
#include "capture/modwatch.h"
#include "capture/source.h"
#include "capture/snapshot.h"
#include "capture/tracepoints.h"
#include "capture/workload.h"
#include "tests/lib/test.h"

static const char *list_of(const char *text)
{
	static struct text out;
	struct cpulist cpus = {};

	text_deinit(&out);
	CHECK_OK(cpulist_parse(text, &cpus));
	for (size_t i = 0; i < cpus.nr; i++)
		text_printf(&out, "%s%u", i ? " " : "", cpus.v[i]);
	cpulist_deinit(&cpus);
	return out.data;
}

TEST(cpu_lists_are_sorted_sets)
{
	CHECK_STR(list_of("0"), "0");
	CHECK_STR(list_of("0-3,8\n"), "0 1 2 3 8");
	CHECK_STR(list_of("8,1-2,2-3,1"), "1 2 3 8");
}

TEST(what_is_no_cpu_list_is_refused)
{
	static const char *const bad[] = { "",	  "\n",	 "a",	"1,",	",1",	       "1-",
					   "-1",  "3-1", "1 2", "1,,2", "99999999999", "65536",
					   "0x1", "1\n2" };
	struct cpulist cpus = {};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_ERR(cpulist_parse(bad[i], &cpus), "is not a list of CPUs");
	CHECK_EQ(cpus.nr, 0);
}

TEST(an_endless_cpu_list_costs_no_endless_memory)
{
	struct text text = {};
	struct cpulist cpus = {};

	for (int i = 0; i < 100000; i++)
		text_printf(&text, "0-65535,");
	text_printf(&text, "0");
	CHECK_ERR(cpulist_parse(text.data, &cpus), "is not a list of CPUs");
	text_deinit(&text);
}

static void check_mask(const char *list, const char *want)
{
	struct cpulist cpus = {};

	CHECK_OK(cpulist_parse(list, &cpus));
	char *mask = cpulist_mask(&cpus);

	CHECK_STR(mask, want);
	free(mask);
	cpulist_deinit(&cpus);
}

TEST(cpu_masks_are_words_of_32)
{
	check_mask("0-1", "00000003");
	check_mask("31-32", "00000001,80000000");
	check_mask("64", "00000001,00000000,00000000");
}

/* A note as ELF has it. */
static void note(struct text *notes, const char *name, uint32_t type, const char *desc,
		 uint32_t len)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;

	text_u32(notes, name_len);
	text_u32(notes, len);
	text_u32(notes, type);
	text_add(notes, name, name_len);
	text_add(notes, "\0\0\0", -name_len & 3);
	text_add(notes, desc, len);
	text_add(notes, "\0\0\0", -len & 3);
}

static bool build_id(const struct text *notes, size_t len, struct text *hex)
{
	text_deinit(hex);
	return machine_build_id((struct span){ (const uint8_t *)notes->data, len }, hex);
}

TEST(the_build_id_is_found_behind_other_notes)
{
	struct text notes = {}, hex = {};

	note(&notes, "Xen", 3, "\1\2\3\4", 4);
	note(&notes, "Linux", 257, "6.1.0", 6);
	note(&notes, "GNU", 1, "\0\0\0\0", 4);
	note(&notes, "GNU", 3, "\xab\xcd\x01", 3);
	CHECK(build_id(&notes, notes.len, &hex));
	CHECK_STR(hex.data, "abcd01");
	/* Without the padding of the last note, too. */
	CHECK(build_id(&notes, notes.len - 1, &hex));
	CHECK_STR(hex.data, "abcd01");
	text_deinit(&notes);
	text_deinit(&hex);
}

TEST(notes_cut_short_have_no_build_id)
{
	struct text notes = {}, hex = {};

	note(&notes, "Xen", 3, "\1\2\3\4", 4);
	note(&notes, "GNU", 3, "\xab\xcd\x01\x02", 4);
	for (size_t len = 0; len < notes.len; len++)
		CHECK(!build_id(&notes, len, &hex));
	memset(notes.data, 0xff, notes.len);
	CHECK(!build_id(&notes, notes.len, &hex));
	text_deinit(&notes);
}

static bool hidden(const char *text)
{
	return machine_symbols_hidden((struct span){ (const uint8_t *)text, strlen(text) });
}

TEST(hidden_symbols_are_told_from_shown_ones)
{
	CHECK(hidden("0000000000000000 A fixed_percpu_data\n0000000000000000 T _text\n"));
	CHECK(!hidden("0000000000000000 A fixed_percpu_data\nffffffff81000000 T _text\n"));
	CHECK(!hidden(""));
}

TEST(only_instances_of_dead_recorders_are_stale)
{
	struct text stat = {};
	unsigned long long ticks;

	/* The name of this program has no space, so that the fields can be counted. */
	CHECK_OK(text_read_file(&stat, "/proc/self/stat"));
	CHECK_EQ(sscanf(stat.data,
			"%*d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			"%*s %*s %*s %*s %llu",
			&ticks),
		 1);
	text_deinit(&stat);

	char *mine = xasprintf("allocprof.%d.%llu", getpid(), ticks);
	char *reused = xasprintf("allocprof.%d.%llu", getpid(), ticks + 1);

	CHECK(!instance_is_stale(mine));
	CHECK(instance_is_stale(reused));
	CHECK(instance_is_stale("allocprof.2147483000.5"));
	CHECK(!instance_is_stale("allocprof"));
	CHECK(!instance_is_stale("allocprof.2147483000"));
	CHECK(!instance_is_stale("allocprof.2147483000.5x"));
	CHECK(!instance_is_stale("somebody.2147483000.5"));
	free(mine);
	free(reused);
}

TEST(kinds_of_events_have_names)
{
	unsigned int kinds;

	CHECK_OK(tracepoint_parse("slab", &kinds));
	CHECK_EQ(kinds, TRACEPOINT_SLAB);
	CHECK_OK(tracepoint_parse("vmalloc,page,percpu,slab", &kinds));
	CHECK_EQ(kinds, TRACEPOINT_MEMORY);
	char *list = tracepoint_list(kinds);

	CHECK_STR(list, "slab,page,percpu,vmalloc");
	free(list);
	CHECK_ERR(tracepoint_parse("slab,", &kinds), "'' is no kind of event");
	CHECK_ERR(tracepoint_parse("slabs", &kinds), "'slabs' is no kind of event");
	CHECK_ERR(tracepoint_parse("", &kinds), "is no kind of event");
	CHECK_ERR(tracepoint_parse("module", &kinds), "is no kind of event");
}

TEST(the_default_buffer_is_an_eighth_of_memory_at_most)
{
	const uint64_t mb = 1 << 20;

	CHECK_EQ(source_default_buffer(UINT64_MAX, 2), 64 * mb);
	CHECK_EQ(source_default_buffer(1024 * mb, 2), 64 * mb);
	CHECK_EQ(source_default_buffer(256 * mb, 2), 16 * mb);
	CHECK_EQ(source_default_buffer(256 * mb, 256), 1 * mb);
}

TEST(snapshots_are_whole_and_keep_their_names)
{
	struct snapshot snapshot;
	struct texts texts = {};

	snapshot_prepare(&snapshot);
	snapshot_take(&snapshot, SNAPSHOT_START);
	snapshot_take(&snapshot, SNAPSHOT_END);
	snapshot_store(&snapshot, SNAPSHOT_START, &texts);
	snapshot_store(&snapshot, SNAPSHOT_END, &texts);
	const struct text *start = texts_find(&texts, "snapshot/start/vmstat");
	const struct text *end = texts_find(&texts, "snapshot/end/meminfo");

	CHECK(start && end);
	CHECK_EQ(start->data[start->len - 1], '\n');
	CHECK(!strncmp(end->data, "MemTotal:", 9));
	CHECK(strstr(end->data, "\nHugepagesize:") || strstr(end->data, "\nDirectMap"));
	texts_deinit(&texts);
	snapshot_deinit(&snapshot);
}

static int run(char *const *argv, int *ret_errnum)
{
	struct workload_env env;
	int status = -1;
	pid_t pid;

	workload_env_save(&env);
	/* What a recorder does to itself shall not reach the command. */
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE,
		  &(struct rlimit){ env.files.rlim_cur - 3, env.files.rlim_max });
	struct err *err = workload_start(argv, &env, &pid);

	*ret_errnum = err ? err_errno(err) : 0;
	err_free(err);
	for (int i = 0; !*ret_errnum && i < 1000 && !workload_reap(pid, &status); i++)
		poll(NULL, 0, 10);
	signal(SIGPIPE, env.sigpipe_ignored ? SIG_IGN : SIG_DFL);
	setrlimit(RLIMIT_NOFILE, &env.files);
	return status;
}

static int run_shell(const char *script)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, xstrdup(script), NULL };
	int errnum, status = run(argv, &errnum);

	CHECK_EQ(errnum, 0);
	free(argv[2]);
	return status;
}

TEST(the_exit_status_of_a_command_is_that_of_a_shell)
{
	CHECK_EQ(run_shell("true"), 0);
	CHECK_EQ(run_shell("exit 7"), 7);
	CHECK_EQ(run_shell("kill -9 $$"), 137);
}

TEST(a_command_that_cannot_start_tells_its_errno)
{
	int errnum;

	run((char *[]){ (char[]){ "/no/such/program" }, NULL }, &errnum);
	CHECK_EQ(errnum, ENOENT);
	run((char *[]){ (char[]){ "/etc/passwd" }, NULL }, &errnum);
	CHECK_EQ(errnum, EACCES);
}

TEST(a_command_gets_the_signals_and_limits_of_the_beginning)
{
	struct workload_env env;

	workload_env_save(&env);
	/* Bit 12 of the ignored signals is SIGPIPE, 13. */
	CHECK_EQ(run_shell("grep -q '^SigIgn:.*[02468ace]...$' /proc/self/status"),
		 env.sigpipe_ignored);
	char *script =
		xasprintf("test $(ulimit -n) = %llu", (unsigned long long)env.files.rlim_cur);

	CHECK_EQ(run_shell(script), 0);
	free(script);
}

TEST(a_script_without_an_interpreter_is_one_of_the_shell)
{
	char *path = xasprintf("%s/script", test_dir());
	FILE *f = fopen(path, "w");
	int errnum;

	CHECK(f);
	fputs("exit $1\n", f);
	fclose(f);
	CHECK_EQ(chmod(path, 0700), 0);
	CHECK_EQ(run((char *[]){ path, (char[]){ "9" }, NULL }, &errnum), 9);
	free(path);
}

TEST(tasks_are_named_once)
{
	struct text names = {};

	text_printf(&names, "%d already-known\n", getpid());
	machine_add_tasks(&names);
	char *mine = xasprintf("\n%d ", getpid());

	CHECK(!strstr(names.data, mine));
	CHECK(!strncmp(names.data, mine + 1, strlen(mine) - 1));
	char *parent = xasprintf("\n%d ", getppid());

	CHECK(strstr(names.data, parent));
	free(parent);
	free(mine);
	text_deinit(&names);
}

static struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

TEST(names_of_tasks_that_ended_are_kept)
{
	static const char earlier[] = "7 old name\n12 gone\n130 also gone\n";
	struct text names = {};

	text_printf(&names, "130 new\n7 renamed\n");
	machine_merge_tasks(&names, (struct span){ (const uint8_t *)earlier, strlen(earlier) });
	CHECK_STR(names.data, "130 new\n7 renamed\n12 gone\n");
	text_deinit(&names);
	machine_merge_tasks(&names, (struct span){ (const uint8_t *)"3 x\n", 4 });
	CHECK_STR(names.data, "3 x\n");
	text_deinit(&names);
}

TEST(only_modules_that_are_new_or_moved_are_new)
{
	struct text names = {};

	modules_new(span_of("nbd 65536 0 - Live 0xffffffffc0500000\n"
			    "xfs 2000000 1 - Live 0xffffffffc0600000\n"
			    "gone 4096 0 - Live 0xffffffffc0900000\n"),
		    span_of("nbd 65536 7 other, Live 0xffffffffc0500000\n"
			    "xfs 2000000 1 - Live 0xffffffffc0700000\n"
			    "zram 40960 0 - Live 0xffffffffc0800000 (O)\n"),
		    &names);
	CHECK_STR(names.data, "xfs\nzram\n");
	text_deinit(&names);
	modules_new(span_of(""), span_of(""), &names);
	CHECK_EQ(names.len, 0);
}

TEST(new_modules_bring_their_lines_only)
{
	struct text symbols = {}, ids = {};

	text_printf(&symbols, "ffffffff81000000 T _text\n");
	modules_append(&symbols,
		       span_of("ffffffff81000000 T _text\n"
			       "ffffffffc0800000 t zram_init\t[zram]\n"
			       "ffffffffc0500000 t nbd_init\t[nbd]\n"
			       "ffffffffc0800010 t zram\n"),
		       MODULES_BRACKETED, span_of("xfs\nzram\n"));
	CHECK_STR(symbols.data, "ffffffff81000000 T _text\n"
				"ffffffffc0800000 t zram_init\t[zram]\n");
	modules_append(&ids, span_of("vmlinux 00ff\nzram 1234\nzram2 5678\n"),
		       MODULES_FIRST_WORD, span_of("zram\n"));
	CHECK_STR(ids.data, "zram 1234\n");
	text_deinit(&symbols);
	text_deinit(&ids);
}

TEST(only_the_uevent_of_a_module_says_that_one_came)
{
	static const char module[] = "add@/module/xfs\0ACTION=add\0";

	CHECK(modwatch_is_load(module, sizeof(module)));
	CHECK(!modwatch_is_load("remove@/module/xfs", 18));
	CHECK(!modwatch_is_load("add@/devices/virtual/block/loop0", 32));
	CHECK(!modwatch_is_load("add@/module/", 12));
	CHECK(!modwatch_is_load("add@/mod", 8));
	CHECK(!modwatch_is_load("", 0));
}

TEST(watching_for_modules_ends_when_told_to)
{
	CLEANUP(texts_deinit) struct texts blobs = {};
	auto_text kallsyms = {};
	struct modwatch *watch = modwatch_start();

	if (!watch)
		test_skip("no uevents here");
	CHECK(modwatch_tid(watch) > 0);
	modwatch_add(watch, &blobs, &kallsyms);
	CHECK(!kallsyms.len);
	modwatch_stop(watch);
	modwatch_stop(NULL);
	modwatch_add(NULL, &blobs, &kallsyms);
	CHECK_EQ(modwatch_tid(NULL), 0);
}
