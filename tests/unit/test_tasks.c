// SPDX-License-Identifier: GPL-2.0-or-later
#include "analyzer/tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "capture/blobs.h"
#include "capture/tasks.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/test.h"

#define START                          \
	"hierarchy 3\n"                \
	"1 1 init\t/\n"                \
	"40 40 a b\t/web\n"            \
	"41 40 thread\t/web\n"         \
	"no line of ours\n"            \
	"99999999999 1 too large\t/\n" \
	"50 50 last"

static struct tracefile *file;
static struct names *names;
static struct tasks *tasks;

static const char *choice = "";

static void begin(bool lists)
{
	char path[512];
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){});

	snprintf(path, sizeof(path), "%s/tasks.dat", test_dir());
	mkdat_text(m, "cmdlines", "40 old\n77 cat\n");
	if (lists) {
		mkdat_blob(m, BLOB_TASKS "start", START, strlen(START));
		mkdat_blob(m, BLOB_TASKS "end", "41 40 renamed\t/db\n", 18);
	}
	mkdat_blob(m, BLOB_RECORDER, choice, strlen(choice));
	mkdat_write(m, path);
	mkdat_free(m);
	CHECK_OK(tracefile_open(path, &file));
	names = names_new();
	tasks = tasks_new(file, names);
}

static void end(void)
{
	tasks_free(tasks);
	names_free(names);
	tracefile_close(file);
}

static const char *task(int32_t pid)
{
	static char text[128];
	const struct task *t = tasks_find(tasks, pid);

	if (!t)
		return "unknown";
	snprintf(text, sizeof(text), "%d %.*s %.*s", t->tgid, (int)t->comm.len,
		 (const char *)t->comm.data, (int)t->cgroup.len, (const char *)t->cgroup.data);
	return text;
}

static void event(enum event_kind kind, int32_t by, uint64_t pid, uint64_t value,
		  const char *name)
{
	tasks_event(tasks, &(struct event){ .kind = kind & 0x1f,
					    .pid = by,
					    .addr = pid,
					    .bytes_req = value,
					    .cache = names_id(names, name, strlen(name)) });
}

TEST(tasks_of_the_start_are_known)
{
	begin(true);
	CHECK_STR(task(0), "0 <idle> ");
	CHECK_STR(task(1), "1 init /");
	CHECK_STR(task(40), "40 a b /web");
	CHECK_STR(task(41), "40 thread /web");
	CHECK_STR(task(50), "50 last ");
	CHECK_STR(task(2), "unknown");
	end();
}

TEST(a_new_task_is_its_parents_thread_or_a_process_of_its_own)
{
	begin(true);
	event(EVENT_TASK_NEW, 41, 60, 0x10000, "pool");
	CHECK_STR(task(60), "40 pool /web");
	event(EVENT_TASK_NEW, 41, 61, 0x100, "a b");
	CHECK_STR(task(61), "61 a b /web");
	event(EVENT_TASK_NAME, 61, 61, 0, "ls");
	CHECK_STR(task(61), "61 ls /web");
	event(EVENT_TASK_NEW, 1234, 62, 0x10000, "orphan");
	CHECK_STR(task(62), "-1 orphan ");
	/* The number is given away again. */
	event(EVENT_TASK_NEW, 1, 60, 0, "other");
	CHECK_STR(task(60), "60 other /");
	end();
}

TEST(only_the_hierarchy_of_the_lists_counts)
{
	begin(true);
	event(EVENT_TASK_CGROUP, 1, 40, 0, "/v2");
	CHECK_STR(task(40), "40 a b /web");
	event(EVENT_TASK_CGROUP, 1, 40, 3, "/db");
	CHECK_STR(task(40), "40 a b /db");
	end();
}

TEST(numbers_that_no_task_has_are_left_out)
{
	begin(true);
	event(EVENT_TASK_NEW, 1, 0, 0, "zero");
	event(EVENT_TASK_NEW, 1, UINT64_C(1) << 32 | 40, 0, "large");
	CHECK_STR(task(0), "0 <idle> ");
	CHECK_STR(task(40), "40 a b /web");
	for (uint64_t pid = 100; pid < 100000; pid += 3)
		event(EVENT_TASK_NEW, 1, pid, 0, "many");
	CHECK_STR(task(40), "40 a b /web");
	CHECK_STR(task(100 + 3 * 20000), "60100 many /");
	end();
}

static void check_cgroup(const char *text, const char *want)
{
	char got[128];
	char *path = NULL;
	unsigned int hierarchy = 0;
	bool found = tasks_cgroup(text, &hierarchy, &path);

	snprintf(got, sizeof(got), "%u %s", hierarchy, path ? path : "");
	CHECK_EQ(found, path != NULL);
	CHECK_STR(got, want);
	free(path);
}

TEST(the_cgroup_is_the_one_that_accounts_memory)
{
	check_cgroup("0::/user.slice\n", "0 /user.slice");
	check_cgroup("9:name=systemd:/\n4:cpu,memory:/web\n0::/\n", "4 /web");
	check_cgroup("5:memoryx:/no\n3:xmemory:/no\n0::/a:b", "0 /a:b");
	check_cgroup("5:cpu:/no\n", "0 ");
	check_cgroup("memory\n::\n", "0 ");
	check_cgroup("", "0 ");
}

static bool wanted(int32_t pid, uint8_t context)
{
	return tasks_wanted(tasks, &(struct event){ .pid = pid, .context = context });
}

TEST(a_process_is_chosen_with_its_threads_and_what_it_starts)
{
	choice = "version 1\nselect pid 77,40\n";
	begin(true);
	CHECK(tasks_choose(tasks));
	CHECK(wanted(40, 0) && wanted(41, 0));
	CHECK(!wanted(1, 0) && !wanted(50, 0) && !wanted(1234, 0) && !wanted(0, 0));
	/* An interrupt works for anyone. */
	CHECK(!wanted(40, EVENT_SOFTIRQ));
	event(EVENT_TASK_NEW, 41, 60, 0x100, "child");
	event(EVENT_TASK_NEW, 60, 61, 0x100, "grandchild");
	event(EVENT_TASK_NEW, 1, 62, 0x100, "other");
	CHECK(wanted(60, 0) && wanted(61, 0) && !wanted(62, 0));
	/* Its number is given to another task. */
	event(EVENT_TASK_NEW, 1, 60, 0x100, "other");
	CHECK(!wanted(60, 0));
	end();
}

TEST(a_process_of_a_number_that_no_process_has_is_nobody)
{
	/* 4294967336 is 40 in 32 bits. */
	choice = "select pid ,4294967336,99999999999941,x1,\nselect pid 77\n";
	begin(true);
	CHECK(tasks_choose(tasks));
	CHECK(!wanted(40, 0) && !wanted(41, 0));
	end();
}

TEST(many_processes_are_chosen_out_of_many)
{
	enum { MANY = 200000 };
	char path[512], *list = malloc(MANY * 20), *pids = malloc(MANY * 8);
	size_t len = 0, used = (size_t)sprintf(pids, "select pid 1");
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){});

	/* Each compared with each would take minutes. */
	for (int i = MANY; i > 1; i--) {
		len += (size_t)sprintf(list + len, "%d %d x\n", i, i / 2);
		if (i % 2)
			used += (size_t)sprintf(pids + used, ",%d", i);
	}
	mkdat_blob(m, BLOB_TASKS "start", list, len);
	mkdat_blob(m, BLOB_RECORDER, pids, used);
	snprintf(path, sizeof(path), "%s/many.dat", test_dir());
	mkdat_write(m, path);
	mkdat_free(m);
	CHECK_OK(tracefile_open(path, &file));
	names = names_new();
	clock_t start = clock();

	tasks = tasks_new(file, names);
	CHECK(clock() - start < 5 * CLOCKS_PER_SEC);
	CHECK(wanted(2, 0) && wanted(6, 0) && wanted(7, 0) && !wanted(4, 0) && !wanted(5, 0));
	end();
	free(list);
	free(pids);
}

TEST(a_cgroup_is_chosen_with_those_below_it)
{
	choice = "select cgroup /web/\n";
	begin(true);
	CHECK(wanted(40, 0) && !wanted(1, 0));
	event(EVENT_TASK_CGROUP, 1, 1, 3, "/web/a");
	CHECK(wanted(1, 0));
	event(EVENT_TASK_CGROUP, 1, 1, 3, "/website");
	CHECK(!wanted(1, 0));
	event(EVENT_TASK_CGROUP, 1, 40, 3, "/");
	CHECK(!wanted(40, 0));
	end();
	choice = "select cgroup /\n";
	begin(true);
	CHECK(wanted(40, 0) && wanted(1, 0));
	/* Of which no cgroup is known. */
	CHECK(!wanted(0, 0));
	end();
}

TEST(both_conditions_have_to_hold)
{
	choice = "select pid 40\nselect cgroup /db\n";
	begin(true);
	CHECK(!wanted(40, 0));
	event(EVENT_TASK_CGROUP, 1, 40, 3, "/db");
	event(EVENT_TASK_CGROUP, 1, 1, 3, "/db");
	CHECK(wanted(40, 0) && !wanted(1, 0));
	end();
}
