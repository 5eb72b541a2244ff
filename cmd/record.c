// SPDX-License-Identifier: GPL-2.0-or-later
/* record.c - allocprof record: what the kernel allocates from now on */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/recorder.h"
#include "capture/workload.h"
#include "cmd.h"
#include "database.h"
#include "flight.h"
#include "live.h"
#include "store/newfile.h"
#include "store/writer.h"
#include "wishes.h"

#define NS_PER_S  UINT64_C(1000000000)
#define STATUS_NS (NS_PER_S / 2)
#define ROUND_NS  NS_PER_S
#define BEHIND_NS (5 * NS_PER_S)
/* How soon a signal or a condition is answered where there are several files. */
#define TICK_NS	  (NS_PER_S / 10)

struct args {
	bool all;
	const char *cpus;
	const char *output;
	const char *events;
	uint64_t buffer_bytes;
	uint64_t limit_ns;
	uint64_t settle_ns;
	uint64_t size_limit;
	struct wishes_args wishes;
	struct flight_args flight;
	const char *realtime;
	const char *level;
	bool no_probes;
	bool analyze;
	struct database_args database;
};

static const struct args defaults = {
	.limit_ns = UINT64_MAX,
	/* What RCU frees of a command that has just ended: some grace periods. */
	.settle_ns = NS_PER_S / 5,
	.size_limit = UINT64_MAX,
	.wishes.sample = 1,
	.realtime = "auto",
	.level = "1",
};

static const struct opt opts[] = {
	{ 'a', "all-cpus", NULL, OPT_FLAG(struct args, all),
	  "record all CPUs, which is the default" },
	{ 'C', "cpu", "CPUS", OPT_TEXT(struct args, cpus), "record these only, like 0-3,8" },
	{ 'o', "output", "FILE", OPT_TEXT(struct args, output),
	  "the recording (allocprof.dat)" },
	{ 'e', "event", "KIND[,KIND]", OPT_TEXT(struct args, events),
	  "slab, page, percpu, vmalloc (all)" },
	WISHES_OPTS(struct args, wishes),
	{ 'm', "buffer", "SIZE", OPT_SIZE(struct args, buffer_bytes),
	  "buffer per CPU (64M, less where memory is short)" },
	{ 'd', "duration", "SECONDS", OPT_SECONDS(struct args, limit_ns),
	  "stop after this time" },
	{ 0, "settle", "SECONDS", OPT_SECONDS(struct args, settle_ns),
	  "keep recording after COMMAND has ended (0.2)" },
	{ 0, "size-limit", "SIZE", OPT_SIZE(struct args, size_limit),
	  "stop when so many bytes of events were moved" },
	{ 0, "rotate", "SIZE|SECONDS", OPT_TEXT(struct args, flight.rotate),
	  "FILE, FILE.1, FILE.2 ..., each of so many events" },
	{ 0, "flight", "SECONDS", OPT_SECONDS(struct args, flight.window_ns),
	  "keep the last SECONDS; write them on SIGUSR2 and at the end" },
	{ 0, "trigger", "FIELD>SIZE", OPT_LIST(struct args, flight.triggers),
	  "with --flight: and when /proc/meminfo says so, > or <" },
	{ 0, "realtime", "auto|off", OPT_TEXT(struct args, realtime),
	  "readers go before other tasks (auto)" },
	{ 0, "no-probes", NULL, OPT_FLAG(struct args, no_probes),
	  "tracepoints only, no kprobes" },
	{ 0, "analyze", NULL, OPT_FLAG(struct args, analyze),
	  "match the events as they come, into allocprof.db;\nkeep no recording without -o, nor with -o X.db" },
	DATABASE_OPTS(struct args, database),
	{ 'z', "compress", "[LEVEL]", OPT_TEXT(struct args, level),
	  "zstd level 1 to 19, 0 for none (1)" },
	{}
};

/* What one run of the command knows. */
struct session {
	struct recorder *recorder;
	pid_t command; /* 0: none, or ended */
	bool not_started;
	bool terminal;
	int signal_fd;
	int status; /* of the command, once it has ended or could not start */
	uint64_t end_ns;
	uint64_t settle_ns;
	uint64_t size_limit;
	struct flight flight;
	bool marked;	   /* SIGUSR2 */
	bool *warned;	   /* of a CPU whose buffer nears full */
	bool keep;	   /* the recording; false: its database only */
	struct live *live; /* NULL: it is not analyzed */
	bool said_behind;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* The time @ns after now, which may be never. */
static uint64_t after(uint64_t ns)
{
	uint64_t now = now_ns();

	return ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
}

static struct err *parse_level(const char *text, int *ret)
{
	char *end;
	long level = *text ? strtol(text, &end, 10) : 1;

	if (*text && (end == text || *end || level < 0 || level > 19))
		return err_new(ERR_USAGE, "-z %s: not a level from 0 to 19", text);
	*ret = (int)level;
	return NULL;
}

/* A level that stands apart would be taken for the command. */
static struct err *check_level(const char *level, const char *command)
{
	if (*level || !command || command[strspn(command, "0123456789")])
		return NULL;
	return err_new(ERR_USAGE, "-z %s: the level follows without a space: -z%s", command,
		       command);
}

/* Options of an analysis are of no use to a recording without one. */
static struct err *check_analysis(const struct args *args)
{
	const struct database_args *database = &args->database;
	const char *stacks = args->wishes.stacks;
	bool sites =
		args->wishes.call_sites || (stacks && strcmp(stacks, "page") &&
					    strcmp(stacks, "none") && strcmp(stacks, "all"));
	const char *option = database->kallsyms	    ? "kallsyms"
			     : database->wrappers   ? "wrappers"
			     : database->debuginfod ? "debuginfod"
			     : database->no_cache   ? "no-cache"
						    : NULL;

	if (args->analyze)
		return database_check_dirs(&database->debug_dirs);
	if (option)
		return err_new(ERR_USAGE, "--%s is for --analyze", option);
	if (!sites && (database->vmlinux || database->debug_dirs.nr))
		return err_new(ERR_USAGE,
			       "--%s is for --analyze, --call-site and --stacks SITE",
			       database->vmlinux ? "vmlinux" : "debug-dir");
	return database_check_dirs(&database->debug_dirs);
}

/* X.dat for --analyze -o X.db: the database alone is asked for. NULL for any other. */
static char *alone(const struct args *args)
{
	size_t len = args->analyze && args->output ? strlen(args->output) : 0;

	if (len <= 3 || strcmp(args->output + len - 3, ".db"))
		return NULL;
	return xasprintf("%.*s.dat", (int)len - 3, args->output);
}

static void print_status(const struct session *s, uint64_t *events, uint64_t *at_ns)
{
	struct recorder_progress p;

	recorder_progress(s->recorder, &p);
	double seconds = (double)(p.elapsed_ns - *at_ns) / 1e9;
	double rate =
		p.events > *events && seconds > 0 ? (double)(p.events - *events) / seconds : 0;

	fprintf(stderr, "\r[ %.1f s, %.0f events/s, %.1f MB, %" PRIu64 " lost ]\033[K",
		(double)p.elapsed_ns / 1e9, rate, (double)p.bytes / 1e6, p.lost);
	*events = p.events;
	*at_ns = p.elapsed_ns;
}

/* The number of a signal that asks to end, 0 for none; takes note of children. */
static int take_signal(struct session *s)
{
	struct signalfd_siginfo info;
	int sig = 0;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGUSR2)
			s->marked = true;
		else if (info.ssi_signo != SIGCHLD)
			sig = (int)info.ssi_signo;
	if (s->command && workload_reap(s->command, &s->status)) {
		uint64_t end = after(s->settle_ns);

		s->command = 0;
		if (end < s->end_ns)
			s->end_ns = end;
	}
	return sig;
}

/* Each CPU once: while it can still be said what would help the next time. */
static void warn_brimming(struct session *s)
{
	uint64_t mb = recorder_buffer_bytes(s->recorder) >> 20;
	unsigned int cpu;

	for (size_t i = 0; i < recorder_nr_cpus(s->recorder); i++) {
		if (s->warned[i] || !recorder_brimming(s->recorder, i, &cpu))
			continue;
		s->warned[i] = true;
		fprintf(stderr,
			"%sallocprof record: the buffer of cpu %u is nearly full: events may be "
			"lost; -m %" PRIu64 "M gives it twice as much\n",
			s->terminal ? "\r\033[K" : "", cpu, mb ? mb * 2 : 1);
	}
}

/* Nothing is lost by that, but FILE.part/ grows. */
static void warn_behind(struct session *s)
{
	if (s->said_behind || live_behind_ns(s->live) < BEHIND_NS)
		return;
	s->said_behind = true;
	fprintf(stderr,
		"%sallocprof record: the analysis is %.0f s behind: what waits for it is kept in "
		"%s\n",
		s->terminal ? "\r\033[K" : "", (double)live_behind_ns(s->live) / 1e9,
		recorder_part(s->recorder));
}

/* What makes files before the end. A CPU that is no longer read ends the recording. */
static bool write_editions(struct session *s)
{
	const char *trigger = flight_trigger(&s->flight);
	bool marked = s->marked || trigger;

	if (!s->flight.several)
		return true;
	if (trigger)
		fprintf(stderr, "%sallocprof record: %s\n", s->terminal ? "\r\033[K" : "",
			trigger);
	s->marked = false;
	struct err *err = marked ? recorder_mark(s->recorder) : NULL;

	if (!err)
		err = recorder_tick(s->recorder);
	flight_report(s->recorder, s->terminal);
	/* recorder_stop() says why. */
	bool ok = !err;

	err_free(err);
	return ok;
}

/* Until the command ends, time is over, or somebody says so. */
static struct err *wait_for_end(struct session *s)
{
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = recorder_fd(s->recorder), .events = POLLIN },
	};
	uint64_t events = 0, at_ns = 0, next_ns = 0, now, round_ns = now_ns() + ROUND_NS;

	while ((now = now_ns()) < s->end_ns) {
		uint64_t left = s->end_ns - now;

		if (left > (s->flight.several ? TICK_NS : STATUS_NS))
			left = s->flight.several ? TICK_NS : STATUS_NS;
		struct timespec ts = { .tv_sec = (time_t)(left / NS_PER_S),
				       .tv_nsec = (long)(left % NS_PER_S) };

		ppoll(fds, 2, &ts, NULL);
		warn_brimming(s);
		if (take_signal(s) || fds[1].revents ||
		    recorder_moved(s->recorder) >= s->size_limit || !write_editions(s))
			break;
		if (s->terminal && now >= next_ns) {
			print_status(s, &events, &at_ns);
			next_ns = now + STATUS_NS;
		}
		if (!s->live || now_ns() < round_ns)
			continue;
		TRY(live_round(s->live));
		warn_behind(s);
		round_ns = now_ns() + ROUND_NS;
	}
	return NULL;
}

/* A command that outlives its recording is told to end, as perf does. */
static void end_command(struct session *s)
{
	struct pollfd fd = { .fd = s->signal_fd, .events = POLLIN };

	if (!s->command)
		return;
	kill(s->command, SIGTERM);
	for (int waited = 0; s->command && waited < 50; waited++) {
		poll(&fd, 1, 100);
		take_signal(s);
	}
	if (s->command)
		fprintf(stderr,
			"allocprof record: the command does not end; it is left running\n");
}

static struct err *write_file(struct session *s)
{
	uint64_t next = now_ns() + STATUS_NS;
	bool done = false;

	while (!done) {
		struct err *err = recorder_step(s->recorder, &done);

		flight_report(s->recorder, s->terminal);
		TRY(err);
		if (take_signal(s) && !done)
			return err_new(ERR_OS, "interrupted: nothing was written");
		if (s->terminal && now_ns() > next) {
			fprintf(stderr, "\r[ writing ]\033[K");
			next = UINT64_MAX;
		}
	}
	return NULL;
}

static void print_loss(const struct recorder *recorder)
{
	uint64_t lost, late = recorder_late_lost(recorder);
	uint64_t mb = recorder_buffer_bytes(recorder) >> 20;
	unsigned int cpu;
	bool any = false;

	for (size_t i = 0; recorder_cpu(recorder, i, &cpu, &lost); i++) {
		if (!lost)
			continue;
		fprintf(stderr, "%s %" PRIu64 " on cpu %u",
			any ? "," : "allocprof record: lost for want of buffer:", lost, cpu);
		any = true;
	}
	if (any)
		fprintf(stderr, "; -m %" PRIu64 "M gives it twice as much\n", mb ? mb * 2 : 1);
	if (late)
		fprintf(stderr,
			"allocprof record: lost %" PRIu64
			" events of CPUs that came online while recording\n",
			late);
}

static void print_summary(const struct session *s, const char *output)
{
	struct recorder_progress p;

	recorder_progress(s->recorder, &p);
	fprintf(stderr,
		"%s[ allocprof record: %.1f s, %" PRIu64 " events (%" PRIu64
		" lost), %.1f MB -> %s ]\n",
		s->terminal ? "\r\033[K" : "", (double)p.elapsed_ns / 1e9, p.events, p.lost,
		(double)(s->keep ? recorder_file_bytes(s->recorder) : p.bytes) / 1e6, output);
	if (p.lost)
		print_loss(s->recorder);
}

static struct err *start_command(struct session *s, char *const *argv,
				 const struct workload_env *env)
{
	struct err *err = workload_start(argv, env, &s->command);

	if (!err)
		return NULL;
	s->not_started = true;
	s->status = err_errno(err) == ENOENT ? 127 : 126;
	return err;
}

/* The file, the database, or both. */
static struct err *write_all(struct session *s, const struct recorder_opts *ropts)
{
	auto_free char *db = database_path(ropts->output);

	if (s->live)
		TRY(live_finish(s->live));
	if (s->keep)
		TRY(write_file(s));
	print_summary(s, s->keep ? recorder_path(s->recorder) : db);
	/* FILE.part/ goes before the database says what FILE is like. */
	if (s->keep)
		recorder_close(take_ptr(s->recorder));
	return s->live ? live_write(s->live, s->keep ? ropts->output : NULL, db) : NULL;
}

static struct err *record(struct session *s, const struct recorder_opts *ropts,
			  const struct args *args, const struct workload_env *env)
{
	if (args->analyze) {
		auto_free char *db = database_path(ropts->output);

		TRY(newfile_check(db));
	}
	TRY(recorder_open(ropts, &s->recorder));
	if (args->analyze)
		TRY(live_open(s->recorder, &args->database, s->keep, &s->live));
	s->warned = xcalloc(recorder_nr_cpus(s->recorder), sizeof(*s->warned));
	const char *note;

	for (size_t i = 0; (note = recorder_note(s->recorder, i)); i++)
		fprintf(stderr, "allocprof record: %s\n", note);
	if (take_signal(s))
		return err_new(ERR_OS, "interrupted before it began");
	TRY(recorder_start(s->recorder));
	s->end_ns = after(args->limit_ns);
	if (ropts->command)
		TRY(start_command(s, ropts->command, env));
	auto_err struct err *behind = wait_for_end(s);
	struct err *err = recorder_stop(s->recorder);

	end_command(s);
	if (s->terminal)
		fprintf(stderr, "\r\033[K");
	TRY(err);
	const char *why = recorder_cut(s->recorder);
	auto_free char *cut = why ? xstrdup(why) : NULL;

	/* A stream that failed is what cut tells. */
	if (behind && !cut)
		return take_ptr(behind);
	TRY(write_all(s, ropts));
	return cut ? err_new(ERR_OS, "%s: the recording ends there", cut) : NULL;
}

/*
 * All that would end the process by default, so that none does it with the instance there;
 * what is ignored, as under nohup, stays ignored.
 */
static int block_signals(void)
{
	static const int signals[] = { SIGINT,	SIGTERM, SIGHUP,  SIGQUIT,   SIGUSR1,
				       SIGUSR2, SIGALRM, SIGPROF, SIGVTALRM, SIGXCPU,
				       SIGPWR,	SIGIO,	 SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Five descriptors a CPU pass the usual soft limit on a machine with 256. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static struct err *record_run(const void *data, char **words, int *status)
{
	const struct args *args = data;
	auto_free char *of_database = alone(args);
	struct recorder_opts ropts = {
		.output = of_database	 ? of_database
			  : args->output ? args->output
					 : "allocprof.dat",
		.cpus = args->cpus,
		.events = args->events,
		.buffer_bytes = args->buffer_bytes,
		.no_probes = args->no_probes,
		.live = args->analyze,
		.command = words[0] ? words : NULL,
	};
	struct session s = {
		.terminal = isatty(STDERR_FILENO),
		.settle_ns = args->settle_ns,
		.size_limit = args->size_limit,
		.keep = !args->analyze || (args->output && !of_database),
	};
	CLEANUP(wishes_found_deinit) struct wishes_found found = {};
	struct workload_env env;

	TRY(err_wrap(parse_level(args->level, &ropts.level), "record"));
	TRY(err_wrap(check_level(args->level, words[0]), "record"));
	TRY(err_wrap(check_analysis(args), "record"));
	TRY(err_wrap(wishes_find(&args->wishes, &args->database, &found), "record"));
	ropts.wishes = found.wishes;
	if (strcmp(args->realtime, "auto") && strcmp(args->realtime, "off"))
		return err_new(ERR_USAGE, "record: --realtime %s: neither auto nor off",
			       args->realtime);
	TRY(err_wrap(flight_open(&args->flight, &ropts, &s.flight), "record"));
	if (args->analyze && s.flight.several)
		return err_new(
			ERR_USAGE,
			"record: --analyze does not go together with --rotate or --flight");
	if (ropts.flight_ns && s.size_limit != UINT64_MAX) {
		/* What is kept has that size, rather than what there ever was. */
		ropts.ring_bytes = s.size_limit;
		s.size_limit = UINT64_MAX;
	}
	ropts.no_realtime = !strcmp(args->realtime, "off");
	workload_env_save(&env);
	s.signal_fd = block_signals();
	if (s.signal_fd < 0)
		return err_os(errno, "record: cannot make a signalfd");
	/* A reader of stderr that left must not end this with the instance there. */
	signal(SIGPIPE, SIG_IGN);
	/* A limit of the file's size is an error like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	/* Where it is ignored, nobody hears that the command has ended. */
	signal(SIGCHLD, SIG_DFL);
	raise_fd_limit();
	struct err *err = record(&s, &ropts, args, &env);

	live_close(s.live);
	recorder_close(s.recorder);
	free(s.warned);
	flight_close(&s.flight);
	close(s.signal_fd);
	/* What went wrong with the recording counts, whatever the command said. */
	if (!err || s.not_started)
		*status = s.status;
	return err_wrap(err, "record");
}

const struct cmd cmd_record = {
	.name = "record",
	.summary = "Record the kernel's memory allocations",
	.usage = "[OPTION...] [--] [COMMAND [ARG...]]",
	.opts = opts,
	.args_size = sizeof(struct args),
	.defaults = &defaults,
	.options_first = true,
	.run = record_run,
};
