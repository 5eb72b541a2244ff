// SPDX-License-Identifier: GPL-2.0-or-later
/* allocprof record on the kernel that runs now; needs root and tracefs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/texts.h"
#include "capture/tracedir.h"
#include "decode/merge.h"
#include "tests/lib/test.h"

#define MAX_ARGS 24

static char *tracedir;
static struct text stderr_text;

/* Paths in the test's directory; valid for the rest of the test. */
static const char *in_dir(const char *name)
{
	static char *kept[16];
	static size_t nr;

	CHECK(nr < 16);
	kept[nr] = xasprintf("%s/%s", test_dir(), name);
	return kept[nr++];
}

static void need_tracefs(void)
{
	struct err *err;

	if (geteuid())
		test_skip("not root");
	if (!getenv("ALLOCPROF"))
		test_skip("ALLOCPROF does not name the program");
	err = tracedir_find(&tracedir);
	if (err)
		test_skip("%s", err_text(err));
	if (!tracedir_has(tracedir, "instances") ||
	    !tracedir_has(tracedir, "events/kmem/kmalloc"))
		test_skip("no instances or no kmem events in tracefs");
}

/* Starts allocprof record with @args, a NULL-terminated list. */
static pid_t start(const char *const *args)
{
	const char *argv[MAX_ARGS + 3] = { getenv("ALLOCPROF"), "record" };
	pid_t pid;

	for (size_t i = 0; args[i]; i++) {
		CHECK(i < MAX_ARGS);
		argv[i + 2] = args[i];
	}
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		int err = open(in_dir("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(err, 2);
		dup2(open("/dev/null", O_WRONLY), 1);
		execv(argv[0], (char *const *)argv);
		_exit(99);
	}
	return pid;
}

static int finish_of(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	text_deinit(&stderr_text);
	CHECK_OK(text_read_file(&stderr_text, in_dir("stderr")));
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#define START(...) start((const char *const[]){ __VA_ARGS__, NULL })
#define RUN(...)   finish_of(START(__VA_ARGS__))

static void check_said(const char *part)
{
	if (!strstr(stderr_text.data, part))
		test_fail(__FILE__, __LINE__, "stderr \"%s\" lacks \"%s\"", stderr_text.data,
			  part);
}

static void check_status(int got, int want)
{
	if (got != want)
		test_fail(__FILE__, __LINE__, "exit status %d, not %d: %s", got, want,
			  stderr_text.data);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Whether there is an instance of the recorder @pid. */
static bool has_instance(pid_t pid)
{
	char *path = xasprintf("%s/instances", tracedir);
	char *prefix = xasprintf("allocprof.%d.", pid);
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	CHECK(dir);
	while ((entry = readdir(dir)))
		found |= !strncmp(entry->d_name, prefix, strlen(prefix));
	closedir(dir);
	free(path);
	free(prefix);
	return found;
}

/* A new instance is on for a moment, but has no events then. */
static bool is_switched_on(pid_t pid)
{
	char *cmd = xasprintf("cd %s/instances/allocprof.%d.* 2>/dev/null && "
			      "grep -q 1 events/kmem/mm_page_free/enable && "
			      "grep -q 1 tracing_on",
			      tracedir, pid);
	bool on = system(cmd) == 0;

	free(cmd);
	return on;
}

static void wait_until_on(pid_t pid)
{
	for (int i = 0; i < 500 && !is_switched_on(pid); i++)
		poll(NULL, 0, 10);
	CHECK(is_switched_on(pid));
}

static uint64_t number_after(const struct tracefile *file, const char *blob, const char *key)
{
	struct span span;

	CHECK(tracefile_text(file, blob, &span));
	char *text = xstrndup((const char *)span.data, span.len);
	char *pos = strstr(text, key);

	if (!pos)
		test_fail(__FILE__, __LINE__, "%s lacks \"%s\"", blob, key);
	uint64_t v = strtoull(pos + strlen(key), NULL, 10);

	free(text);
	return v;
}

struct counts {
	uint64_t data; /* events in the file */
	uint64_t read; /* events by the kernel's count */
	uint64_t kinds[NR_EVENT_KINDS];
	uint64_t kmallocs_of;	/* by the task asked for */
	uint64_t stacked_pages; /* page allocations with a stack */
	uint64_t other_cpus;	/* events not on CPU 0 */
};

static struct counts count(const char *path, pid_t pid)
{
	struct counts c = {};
	struct tracefile *file;
	struct names *names = names_new();
	struct merge *merge;
	const struct event *ev;

	CHECK_OK(tracefile_open(path, &file));
	CHECK_OK(merge_open(file, names, &merge));
	for (;;) {
		CHECK_OK(merge_next(merge, &ev));
		if (!ev)
			break;
		c.kinds[ev->kind]++;
		c.kmallocs_of += ev->kind == EVENT_KMALLOC && ev->pid == pid;
		c.stacked_pages += ev->kind == EVENT_PAGE_ALLOC && ev->nr_stack;
		c.other_cpus += ev->cpu != 0;
	}
	c.data = merge_stats(merge)->events;
	CHECK_EQ(merge_stats(merge)->damaged_pages, 0);
	CHECK_EQ(merge_stats(merge)->malformed, 0);
	for (size_t i = 0; i < 2; i++) {
		char *name = xasprintf(BLOB_CPUSTAT "%zu", i);
		struct span span;

		if (tracefile_text(file, name, &span))
			c.read += number_after(file, name, "read events: ");
		free(name);
	}
	merge_close(merge);
	names_free(names);
	tracefile_close(file);
	return c;
}

/* Allocations whose number is known: a pipe needs at least two kmallocs. */
static void make_pipes(int nr)
{
	for (int i = 0; i < nr; i++) {
		int fd[2];

		CHECK_EQ(pipe(fd), 0);
		close(fd[0]);
		close(fd[1]);
	}
}

static void only_two_cpus(void)
{
	if (sysconf(_SC_NPROCESSORS_CONF) > 2)
		test_skip("counts by CPU are looked at for two CPUs only");
}

TEST(every_event_the_kernel_counted_is_in_the_file)
{
	need_tracefs();
	only_two_cpus();
	const char *out = in_dir("x.dat");

	check_status(RUN("-o", out, "--", "sh", "-c", "cat /proc/*/stat | sort >/dev/null"), 0);
	check_said("(0 lost)");
	struct counts c = count(out, 0);

	CHECK(c.data > 1000);
	CHECK_EQ(c.data, c.read);
	CHECK_EQ(c.kinds[EVENT_LOST], 0);
	char *summary = xasprintf(", %" PRIu64 " events (0 lost)", c.data);

	check_said(summary);
	free(summary);
	CHECK(c.stacked_pages > 0);
}

TEST(all_that_is_allocated_meanwhile_is_recorded)
{
	need_tracefs();
	const char *out = in_dir("x.dat");
	pid_t pid = START("-o", out);

	wait_until_on(pid);
	make_pipes(3000);
	kill(pid, SIGINT);
	check_status(finish_of(pid), 0);
	struct counts c = count(out, getpid());

	CHECK(c.kmallocs_of >= 6000);
	CHECK(c.kinds[EVENT_KFREE] >= 6000);
	CHECK(c.kinds[EVENT_CACHE_ALLOC] >= 3000);
}

TEST(a_buffer_smaller_than_the_recording_loses_nothing_to_a_reader_that_runs)
{
	need_tracefs();
	only_two_cpus();
	const char *out = in_dir("x.dat");
	pid_t pid = START("-o", out, "-m", "8M");

	wait_until_on(pid);
	make_pipes(40000);
	kill(pid, SIGINT);
	check_status(finish_of(pid), 0);
	check_said("(0 lost)");
	struct counts c = count(out, getpid());

	CHECK(c.kmallocs_of >= 80000);
	CHECK_EQ(c.data, c.read);
}

TEST(loss_is_counted_and_named)
{
	need_tracefs();
	only_two_cpus();
	const char *out = in_dir("x.dat");
	pid_t pid = START("-o", out, "-m", "256K");

	wait_until_on(pid);
	/* A recorder that does not run cannot empty its buffers. */
	kill(pid, SIGSTOP);
	make_pipes(5000);
	kill(pid, SIGCONT);
	kill(pid, SIGINT);
	check_status(finish_of(pid), 0);
	CHECK(!strstr(stderr_text.data, "(0 lost)"));
	check_said("-m 1M gives it");
	struct counts c = count(out, getpid());

	CHECK(c.kinds[EVENT_LOST] >= 1);
	CHECK_EQ(c.data, c.read);
}

TEST(the_recording_describes_itself)
{
	need_tracefs();
	static const char *const needed[] = {
		"kallsyms",
		"header_page",
		"cmdlines",
		"trace_clock",
		"uname",
		BLOB_RECORDER,
		BLOB_TIMES,
		BLOB_PAGE_SIZE,
		BLOB_EVENTS,
		BLOB_SELF,
		BLOB_PAGEFLAGS_START,
		BLOB_SNAPSHOT "start/meminfo",
		BLOB_SNAPSHOT "end/meminfo",
		BLOB_SNAPSHOT "start/vmallocinfo",
		BLOB_SNAPSHOT "end/vmstat",
	};
	const char *out = in_dir("x.dat");
	struct tracefile *file;
	struct span span;

	check_status(RUN("-o", out, "-d", "0.2"), 0);
	CHECK_OK(tracefile_open(out, &file));
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!tracefile_text(file, needed[i], &span) || !span.len)
			test_fail(__FILE__, __LINE__, "no %s", needed[i]);
	uint64_t start_ns = number_after(file, BLOB_TIMES, "start_mono_ns ");
	uint64_t end_ns = number_after(file, BLOB_TIMES, "end_mono_ns ");

	CHECK(end_ns - start_ns >= 200000000);
	CHECK(end_ns - start_ns < 2000000000);
	CHECK_EQ(number_after(file, BLOB_PAGE_SIZE, ""), sysconf(_SC_PAGESIZE));
	tracefile_close(file);
}

TEST(call_sites_that_tell_too_little_get_a_stack)
{
	need_tracefs();
	const char *out = in_dir("x.dat");
	struct tracefile *file;
	struct span span;

	check_status(RUN("-o", out, "-d", "0.2"), 0);
	CHECK_OK(tracefile_open(out, &file));
	CHECK(tracefile_text(file, BLOB_EVENTS, &span));
	CHECK(memmem(span.data, span.len, "kmem:kmalloc on stack-of-opaque\n", 32));
	CHECK(memmem(span.data, span.len, "kmem:kmem_cache_alloc on stack-of-opaque\n", 41));
	tracefile_close(file);
}

/* Where the kernel has kprobes; otherwise there is nothing that could stay. */
TEST(no_probe_stays)
{
	need_tracefs();
	static const char *const files[] = { "dynamic_events", "kprobe_events" };

	check_status(RUN("-o", in_dir("x.dat"), "-d", "0.2"), 0);
	for (size_t i = 0; i < 2; i++) {
		auto_free char *path = xasprintf("/sys/kernel/tracing/%s", files[i]);
		auto_text text = {};

		err_free(text_read_file(&text, path));
		CHECK(!text.len || !strstr(text.data, "allocprof_"));
	}
}

TEST(the_exit_status_of_the_command_is_passed_on)
{
	need_tracefs();
	const char *out = in_dir("x.dat");

	check_status(RUN("-o", out, "-m", "1M", "--", "sh", "-c", "exit 7"), 7);
	CHECK(exists(out));
	check_status(RUN("-o", out, "-m", "1M", "sh", "-c", "kill -9 $$"), 137);
}

TEST(a_caller_that_ignores_its_children_does_not_make_it_wait_for_ever)
{
	need_tracefs();
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = START("-o", in_dir("x.dat"), "-m", "1M", "-d", "10", "sh", "-c", "exit 5");

	signal(SIGCHLD, SIG_DFL);
	check_status(finish_of(pid), 5);
}

TEST(a_command_that_cannot_start_makes_no_recording)
{
	need_tracefs();
	const char *out = in_dir("x.dat");

	check_status(RUN("-o", out, "-m", "1M", "/no/such/program"), 127);
	check_said("cannot start /no/such/program: No such file");
	check_status(RUN("-o", out, "-m", "1M", "/etc/passwd"), 126);
	CHECK(!exists(out));
	CHECK(!exists(in_dir("x.dat.part")));
}

TEST(only_the_chosen_kinds_and_cpus_are_recorded)
{
	need_tracefs();
	const char *out = in_dir("x.dat");

	/* What runs on the CPU: the command might not. */
	check_status(RUN("-o", out, "-C", "0", "-e", "page", "-m", "1M", "taskset", "-c", "0",
			 "ls", "/"),
		     0);
	struct counts c = count(out, 0);

	CHECK(c.kinds[EVENT_PAGE_ALLOC] > 0);
	CHECK_EQ(c.kinds[EVENT_KMALLOC] + c.kinds[EVENT_CACHE_ALLOC] + c.kinds[EVENT_KFREE], 0);
	CHECK_EQ(c.other_cpus, 0);
}

TEST(settle_records_on_after_the_command)
{
	need_tracefs();
	struct tracefile *file;
	const char *out = in_dir("x.dat");

	check_status(RUN("-o", out, "-m", "1M", "--settle", "0.4", "sh", "-c", "exit 3"), 3);
	CHECK_OK(tracefile_open(out, &file));
	CHECK(number_after(file, BLOB_TIMES, "end_mono_ns ") -
		      number_after(file, BLOB_TIMES, "start_mono_ns ") >=
	      400000000);
	tracefile_close(file);
}

/* A signal at any moment leaves a whole recording or none, and never an instance. */
static void check_signal(int sig, int delay_ms)
{
	const char *out = in_dir("x.dat");
	pid_t pid = START("-o", out, "-m", "2M");
	struct tracefile *file;

	poll(NULL, 0, delay_ms);
	kill(pid, sig);
	int status = finish_of(pid);

	/* Before main() it dies of the signal, having made nothing. */
	if (status != 0 && status != 1 && status != -sig)
		test_fail(__FILE__, __LINE__, "exit status %d: %s", status, stderr_text.data);
	CHECK(!has_instance(pid));
	CHECK(!exists(in_dir("x.dat.part")));
	CHECK_EQ(exists(out), status == 0);
	if (status == 0) {
		CHECK_OK(tracefile_open(out, &file));
		tracefile_close(file);
		unlink(out);
	}
}

TEST(ctrl_c_at_any_moment_leaves_nothing_half_made)
{
	need_tracefs();
	check_signal(SIGINT, 20);
	check_signal(SIGINT, 120);
}

TEST(ctrl_c_while_recording_leaves_nothing_half_made)
{
	need_tracefs();
	check_signal(SIGINT, 500);
}

TEST(termination_leaves_nothing_half_made)
{
	need_tracefs();
	check_signal(SIGTERM, 80);
	check_signal(SIGTERM, 400);
}

TEST(a_hang_up_leaves_nothing_half_made)
{
	need_tracefs();
	check_signal(SIGHUP, 50);
	check_signal(SIGHUP, 400);
}

TEST(the_next_start_clears_what_a_killed_recorder_left)
{
	need_tracefs();
	const char *out = in_dir("x.dat");
	pid_t pid = START("-o", out, "-m", "1M");

	wait_until_on(pid);
	kill(pid, SIGKILL);
	check_status(finish_of(pid), -SIGKILL);
	CHECK(has_instance(pid));
	CHECK(exists(in_dir("x.dat.part")));
	CHECK(!exists(out));

	check_status(RUN("-o", out, "-m", "1M", "-d", "0.1"), 0);
	CHECK(!has_instance(pid));
	CHECK(!exists(in_dir("x.dat.part")));
	CHECK(exists(out));
}

TEST(two_recorders_do_not_disturb_each_other)
{
	need_tracefs();
	pid_t pid = START("-o", in_dir("x.dat"), "-m", "1M");

	wait_until_on(pid);
	check_status(RUN("-o", in_dir("y.dat"), "-m", "1M", "-d", "0.1"), 0);
	CHECK(has_instance(pid));
	check_status(RUN("-o", in_dir("x.dat"), "-m", "1M", "-d", "0.1"), 1);
	check_said("another allocprof is recording to");
	CHECK(is_switched_on(pid));
	kill(pid, SIGINT);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK(exists(in_dir("x.dat")));
}

/* A file system of @bytes, which only this test sees. */
static void mount_small(const char *dir, size_t bytes)
{
	char *size = xasprintf("size=%zu", bytes);

	CHECK_EQ(mkdir(dir, 0700), 0);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", dir, "tmpfs", 0, size) < 0)
		test_skip("no mount namespaces");
	free(size);
}

static void check_disk_full(pid_t pid, const char *dir)
{
	check_status(finish_of(pid), 1);
	check_said("small/x.dat: the disk is full; choose another place with -o\n");
	CHECK_EQ(strchr(stderr_text.data, '\n') - stderr_text.data + 1, stderr_text.len);
	CHECK(!has_instance(pid));
	umount(dir);
	/* Nothing below the mount either. */
	CHECK_EQ(rmdir(dir), 0);
}

TEST(a_disk_full_from_the_start_is_one_line_and_leaves_nothing)
{
	need_tracefs();
	mount_small(in_dir("small"), 65536);
	check_disk_full(START("-o", in_dir("small/x.dat"), "-m", "1M", "touch", in_dir("ran")),
			in_dir("small"));
	CHECK(!exists(in_dir("ran")));
}

TEST(what_was_recorded_before_the_disk_is_full_can_be_read)
{
	need_tracefs();
	mount_small(in_dir("small"), 6 << 20);
	pid_t pid = START("-o", in_dir("small/x.dat"), "-m", "1M");
	struct tracefile *file;

	wait_until_on(pid);
	make_pipes(100000);
	check_status(finish_of(pid), 1);
	check_said("small/x.dat: the disk is full; what was recorded is in ");
	check_said("small/x.dat.part, which analyze -i reads\n");
	CHECK(!has_instance(pid));
	CHECK_OK(tracefile_open(in_dir("small/x.dat.part"), &file));
	CHECK(tracefile_unfinished(file));
	/* All but what the file system and the texts took. */
	CHECK(tracefile_data_bytes(file) > (3 << 20));
	CHECK(tracefile_truncated_bytes(file) < 2 * 4096 * tracefile_nr_cpus(file, 0));
	tracefile_close(file);
	umount(in_dir("small"));
}

TEST(a_failure_keeps_the_old_recording)
{
	need_tracefs();
	const char *out = in_dir("x.dat");
	int fd = open(out, O_WRONLY | O_CREAT, 0600);
	struct text text = {};

	CHECK_EQ(write(fd, "old", 3), 3);
	close(fd);
	check_status(RUN("-o", out, "-m", "1M", "/no/such/program"), 127);
	CHECK_OK(text_read_file(&text, out));
	CHECK_STR(text.data, "old");
	text_deinit(&text);
}

TEST(an_unusable_place_is_refused_before_anything_starts)
{
	need_tracefs();
	pid_t pid = START("-o", in_dir("absent/x.dat"), "touch", in_dir("ran"));

	check_status(finish_of(pid), 1);
	check_said("absent/x.dat: No such file or directory");
	CHECK(!exists(in_dir("ran")));
	CHECK(!has_instance(pid));
	check_status(RUN("-o", "/dev/null", "true"), 1);
	check_said("/dev/null is not a regular file");
}

TEST(wrong_options_are_usage_errors)
{
	need_tracefs();
	const char *out = in_dir("x.dat");

	check_status(RUN("-o", out, "-e", "slab,heap"), 2);
	check_status(RUN("-o", out, "-C", "one"), 2);
	check_status(RUN("-o", out, "-C", "60000"), 2);
	check_said("cpu 60000 is not online");
	check_status(RUN("-o", out, "-z99"), 2);
	CHECK(!exists(out));
}

TEST(the_top_level_of_tracefs_stays_as_it_was)
{
	need_tracefs();
	static const char *const files[] = { "tracing_on",     "trace_clock",
					     "buffer_size_kb", "set_event",
					     "current_tracer", "tracing_cpumask",
					     "trace_options" };
	struct text before = {}, after = {};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = xasprintf("%s/%s", tracedir, files[i]);

		CHECK_OK(text_read_file(&before, path));
		free(path);
	}
	check_status(RUN("-o", in_dir("x.dat"), "-m", "1M", "-C", "0", "-d", "0.1"), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = xasprintf("%s/%s", tracedir, files[i]);

		CHECK_OK(text_read_file(&after, path));
		free(path);
	}
	CHECK_STR(after.data, before.data);
	text_deinit(&before);
	text_deinit(&after);
}

TEST(others_than_root_are_told_to_become_root)
{
	need_tracefs();
	const char *dir = in_dir("open");

	CHECK_EQ(chmod(test_dir(), 0755), 0);
	CHECK_EQ(mkdir(dir, 0700), 0);
	CHECK_EQ(chown(dir, 65534, 65534), 0);
	pid_t pid = fork();

	if (!pid) {
		const char *program = getenv("ALLOCPROF");

		/* The program may lie where only root can look. */
		if (setgid(65534) || setuid(65534) || access(program, X_OK))
			_exit(98);
		dup2(open(in_dir("open/stderr"), O_WRONLY | O_CREAT, 0600), 2);
		execl(program, program, "record", "-o", in_dir("open/x.dat"), NULL);
		_exit(99);
	}
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 98)
		test_skip("nobody may not run the program");
	CHECK_EQ(WEXITSTATUS(status), 1);
	CHECK_OK(text_read_file(&stderr_text, in_dir("open/stderr")));
	check_said("needs root");
	CHECK(!exists(in_dir("open/x.dat.part")));
}
