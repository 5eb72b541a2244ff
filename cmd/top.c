// SPDX-License-Identifier: GPL-2.0-or-later
/* top.c - allocprof top: who holds and takes memory, while it happens */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/recorder.h"
#include "cmd.h"
#include "live.h"
#include "progress.h"
#include "store/intern.h"
#include "view/text.h"
#include "view/view.h"

#define NS_PER_S UINT64_C(1000000000)
enum { ROWS_IN_BATCH = 20, HEAD_LINES = 4, FILTER_MAX = 64 };

struct top_args {
	struct database_args database;
	const char *cpus, *events, *sort, *filter, *kind;
	uint64_t buffer_bytes, delay_ns, iterations, rows;
	bool batch, no_probes;
};

static const struct opt top_opts[] = {
	{ 'd', "delay", "SECONDS", OPT_SECONDS(struct top_args, delay_ns),
	  "time between two looks (2)" },
	{ 'n', "iterations", "N", OPT_NUMBER(struct top_args, iterations),
	  "end after N looks" },
	{ 'b', "batch", NULL, OPT_FLAG(struct top_args, batch),
	  "print one table after the other, for scripts" },
	{ 's', "sort", "KEY", OPT_TEXT(struct top_args, sort),
	  "net (default), growth, rate, bytes, calls" },
	{ 'f', "filter", "TEXT", OPT_TEXT(struct top_args, filter),
	  "call sites with this text only" },
	{ 0, "kind", "KIND", OPT_TEXT(struct top_args, kind),
	  "slab, page, percpu or vmalloc only" },
	{ 'r', "rows", "N", OPT_NUMBER(struct top_args, rows),
	  "so many call sites; default: as the screen has, 20\nwith --batch" },
	{ 'C', "cpu", "CPUS", OPT_TEXT(struct top_args, cpus), "these only, like 0-3,8" },
	{ 'e', "event", "KIND[,KIND]", OPT_TEXT(struct top_args, events),
	  "look at these kinds only, which costs less" },
	{ 'm', "buffer", "SIZE", OPT_SIZE(struct top_args, buffer_bytes),
	  "buffer per CPU (64M, less where memory is short)" },
	{ 0, "no-probes", NULL, OPT_FLAG(struct top_args, no_probes),
	  "tracepoints only, no kprobes" },
	DATABASE_OPTS(struct top_args, database),
	{}
};

enum sort_key { SORT_NET, SORT_GROWTH, SORT_RATE, SORT_BYTES, SORT_CALLS, NR_SORT_KEYS };

static const char *const sort_names[NR_SORT_KEYS] = { "net", "growth", "rate", "bytes",
						      "calls" };
static const char *const kind_names[NR_SITE_KINDS] = { "slab", "page", "percpu", "vmalloc" };

/* A call site: sums over its raw sites, now and at the look before. */
struct row {
	char *place;
	enum site_kind kind;
	int64_t net, calls, before_net;
	uint64_t allocs, bytes, before_allocs, before_bytes;
	double growth, rate, byte_rate; /* a second, since the look before */
};

struct top {
	const struct top_args *args;
	struct recorder *recorder;
	struct live *live;
	char *dir; /* of FILE.part/ */
	struct intern places;
	struct row *row; /* by the number of the place, less one */
	size_t nr_rows, cap_rows;
	uint32_t *row_of; /* by the number of the raw site */
	size_t nr_sites, cap_sites;
	struct merge_stats before;
	uint64_t looked_ns, start_ns, looks;
	double event_rate;

	enum sort_key sort;
	int kind; /* enum site_kind, or -1 for all */
	char filter[FILTER_MAX];
	uint64_t delay_ns;
	bool paused, help, done;

	int signal_fd;
	bool raw; /* the terminal is set up */
	struct termios tty;
};

static char *place_of(const struct callsite *callsite)
{
	const struct frame *f = &callsite->primary;
	const char *open = f->module ? " [" : "", *close = f->module ? "]" : "";
	const char *module = f->module ? f->module : "";

	if (f->file)
		return xasprintf("%s:%u %s%s%s%s", f->file, f->line, f->func, open, module,
				 close);
	if (f->sym_size)
		return xasprintf("%s+%#x/%#x%s%s%s", f->func, f->sym_off, f->sym_size, open,
				 module, close);
	return xasprintf("%s%s%s%s", f->func, open, module, close);
}

static uint32_t find_row(struct top *t, const struct site *site)
{
	struct callsite callsite;
	bool new;

	analysis_resolve(live_analysis(t->live), site, &callsite);
	auto_free char *place = place_of(&callsite);
	auto_free char *key = xasprintf("%d %s", site->kind, place);
	uint32_t id = intern_id(&t->places, key, strlen(key), &new) - 1;

	if (new) {
		vec_room(t->row, t->nr_rows, t->cap_rows);
		t->row[t->nr_rows++] = (struct row){
			.place = text_printable(place, strlen(place)),
			.kind = site->kind,
		};
	}
	return id;
}

/* Sums the raw sites up; rates are those since the look before. */
static void sum_up(struct top *t)
{
	const struct match *match = analysis_match(live_analysis(t->live));
	const struct merge_stats *stats = analysis_stats(live_analysis(t->live));
	uint64_t now = progress_now_ns();
	double seconds = (double)(now - t->looked_ns) / 1e9;
	size_t nr;
	const struct site *site = match_sites(match, &nr);

	for (size_t i = 0; i < t->nr_rows; i++) {
		struct row *r = &t->row[i];

		r->before_net = r->net;
		r->before_allocs = r->allocs;
		r->before_bytes = r->bytes;
		r->net = r->calls = 0;
		r->allocs = r->bytes = 0;
	}
	for (size_t i = 0; i < nr; i++) {
		if (i == t->nr_sites) {
			vec_room(t->row_of, t->nr_sites, t->cap_sites);
			t->row_of[t->nr_sites++] = find_row(t, &site[i]);
		}
		/* What it does itself is not what it was asked about. */
		if (site[i].self)
			continue;
		struct row *r = &t->row[t->row_of[i]];

		r->net += (int64_t)site[i].live_bytes;
		r->calls += (int64_t)site[i].live;
		r->allocs += site[i].allocs;
		r->bytes += site[i].alloc_bytes;
	}
	for (size_t i = 0; i < t->nr_rows; i++) {
		struct row *r = &t->row[i];

		r->growth = (double)(r->net - r->before_net) / seconds;
		r->rate = (double)(r->allocs - r->before_allocs) / seconds;
		r->byte_rate = (double)(r->bytes - r->before_bytes) / seconds;
	}
	t->event_rate = (double)(stats->events - t->before.events) / seconds;
	t->before = *stats;
	t->looked_ns = now;
	t->looks++;
}

static double key_of(const struct row *r, enum sort_key key)
{
	switch (key) {
	case SORT_NET:
		return (double)r->net;
	case SORT_GROWTH:
		return r->growth;
	case SORT_RATE:
		return r->rate;
	case SORT_BYTES:
		return r->byte_rate;
	case SORT_CALLS:
		return (double)r->calls;
	case NR_SORT_KEYS:
		break;
	}
	return 0;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
	enum sort_key key = *(const enum sort_key *)arg;

	if (key_of(x, key) != key_of(y, key))
		return key_of(x, key) < key_of(y, key) ? 1 : -1;
	if (x->net != y->net)
		return x->net < y->net ? 1 : -1;
	return strcmp(x->place, y->place);
}

static bool is_shown(const struct top *t, const struct row *r)
{
	return (r->net || r->allocs != r->before_allocs || r->growth != 0) &&
	       (t->kind < 0 || (int)r->kind == t->kind) &&
	       (!*t->filter || strstr(r->place, t->filter));
}

static struct cell int_cell(double v)
{
	return (struct cell){ .type = CELL_INT, .i = (int64_t)v };
}

static struct cell text_cell(const char *text)
{
	return (struct cell){ .type = CELL_TEXT, .text = text, .len = strlen(text) };
}

static void print_table(const struct top *t, FILE *out, const struct view_layout *layout,
			size_t most)
{
	static const struct view_column columns[] = {
		{ "NET", VIEW_BYTES },	    { "CALLS", VIEW_PLAIN },
		{ "GROWTH/s", VIEW_BYTES }, { "ALLOCS/s", VIEW_PLAIN },
		{ "BYTES/s", VIEW_BYTES },  { "KIND", VIEW_PLAIN },
		{ "SITE", VIEW_SITE },
	};
	auto_free const struct row **shown = xcalloc(t->nr_rows + 1, sizeof(*shown));
	enum sort_key key = t->sort;
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_rows; i++)
		if (is_shown(t, &t->row[i]))
			shown[nr++] = &t->row[i];
	qsort_r(shown, nr, sizeof(*shown), compare, &key);
	CLEANUP(view_cleanup)
	struct view *view = view_new(VIEW_TABLE, out, layout, columns, 7);

	for (size_t i = 0; i < nr && i < most; i++) {
		const struct row *r = shown[i];
		const struct cell cells[] = {
			int_cell((double)r->net), int_cell((double)r->calls),
			int_cell(r->growth),	  int_cell(r->rate),
			int_cell(r->byte_rate),	  text_cell(kind_names[r->kind]),
			text_cell(r->place),
		};

		view_row(view, cells);
	}
	view_finish(view);
}

static void print_head(const struct top *t, FILE *out)
{
	struct recorder_progress p;
	int64_t net[NR_SITE_KINDS] = {};
	char text[NR_SITE_KINDS][TEXT_MAX], rate[TEXT_MAX];
	time_t now = time(NULL);
	struct tm tm;
	char clock[16] = "";

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	recorder_progress(t->recorder, &p);
	for (size_t i = 0; i < t->nr_rows; i++)
		net[t->row[i].kind] += t->row[i].net;
	for (int i = 0; i < NR_SITE_KINDS; i++)
		text_iec(text[i], net[i]);
	text_grouped(rate, (int64_t)t->event_rate);
	fprintf(out,
		"allocprof top - %s, %.0f s, %s events/s, %" PRIu64 " lost, %.1f s behind\n",
		clock, (double)(progress_now_ns() - t->start_ns) / 1e9, rate, p.lost,
		(double)live_behind_ns(t->live) / 1e9);
	fprintf(out, "Net since then: slab %s, page %s, percpu %s, vmalloc %s\n",
		text[SITE_SLAB], text[SITE_PAGE], text[SITE_PERCPU], text[SITE_VMALLOC]);
}

static void print_help(FILE *out)
{
	fputs("\n  n g r b c   sort by net, growth, rate, bytes, calls\n"
	      "  k           next kind of memory\n"
	      "  /           only call sites with a text; empty: all\n"
	      "  + -         longer, shorter time between looks\n"
	      "  space       stop the screen, not the recording\n"
	      "  h           this help;  q  the end\n",
	      out);
}

static void show(struct top *t)
{
	bool screen = t->raw;
	struct winsize size = {};
	struct view_layout layout = { .human = !t->args->batch,
				      .width = progress_columns(STDOUT_FILENO) };
	size_t rows = ROWS_IN_BATCH;

	if (screen && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > HEAD_LINES + 1)
		rows = size.ws_row - HEAD_LINES - 1u;
	if (t->args->rows)
		rows = t->args->rows;
	if (screen)
		fputs("\033[H\033[2J", stdout);
	else if (t->looks > 1)
		putchar('\n');
	print_head(t, stdout);
	if (screen)
		printf("Sorted by %s%s%s%s%s; h helps, q ends%s\n", sort_names[t->sort],
		       t->kind < 0 ? "" : ", only ", t->kind < 0 ? "" : kind_names[t->kind],
		       *t->filter ? ", with " : "", t->filter, t->paused ? " (stopped)" : "");
	putchar('\n');
	if (t->help)
		print_help(stdout);
	else
		print_table(t, stdout, &layout, rows);
	fflush(stdout);
}

/* The text after a slash, with the terminal as it usually is. */
static void ask_filter(struct top *t)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &t->tty);
	fputs("\033[3;1H\033[KOnly call sites with: ", stdout);
	fflush(stdout);
	if (fgets(t->filter, sizeof(t->filter), stdin))
		t->filter[strcspn(t->filter, "\n")] = '\0';
	struct termios raw = t->tty;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void take_key(struct top *t, char key)
{
	static const char sort_keys[] = "ngrbc";
	const char *sort = key ? strchr(sort_keys, key) : NULL;

	t->help = key == 'h' || key == '?';
	if (sort)
		t->sort = (enum sort_key)(sort - sort_keys);
	else if (key == 'q')
		t->done = true;
	else if (key == 'k')
		t->kind = t->kind + 1 < NR_SITE_KINDS ? t->kind + 1 : -1;
	else if (key == ' ')
		t->paused = !t->paused;
	else if (key == '+')
		t->delay_ns *= 2;
	else if (key == '-' && t->delay_ns > NS_PER_S / 4)
		t->delay_ns /= 2;
	else if (key == '/')
		ask_filter(t);
}

/* Until the next look is due; keys and signals come first. */
static void wait_for_look(struct top *t)
{
	struct pollfd fds[] = {
		{ .fd = t->signal_fd, .events = POLLIN },
		{ .fd = recorder_fd(t->recorder), .events = POLLIN },
		{ .fd = t->raw ? STDIN_FILENO : -1, .events = POLLIN },
	};
	uint64_t end = t->looked_ns + t->delay_ns, now;

	while (!t->done && (now = progress_now_ns()) < end) {
		uint64_t left = end - now;
		struct timespec ts = { .tv_sec = (time_t)(left / NS_PER_S),
				       .tv_nsec = (long)(left % NS_PER_S) };
		char key;

		if (ppoll(fds, 3, &ts, NULL) <= 0)
			continue;
		if (fds[0].revents || fds[1].revents)
			t->done = true;
		if (!t->done && fds[2].revents) {
			ssize_t n = read(STDIN_FILENO, &key, 1);

			if (n <= 0)
				t->done = true;
			else
				take_key(t, key);
			if (!t->done)
				show(t);
			end = t->looked_ns + t->delay_ns;
		}
	}
}

static struct err *run(struct top *t)
{
	t->start_ns = t->looked_ns = progress_now_ns();
	while (!t->done) {
		wait_for_look(t);
		if (t->done)
			break;
		TRY(live_round(t->live));
		if (t->paused) {
			t->looked_ns = progress_now_ns();
			continue;
		}
		sum_up(t);
		show(t);
		t->done = t->args->iterations && t->looks >= t->args->iterations;
	}
	return NULL;
}

static void set_up_terminal(struct top *t)
{
	if (t->args->batch || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &t->tty))
		return;
	struct termios raw = t->tty;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	if (t->raw)
		fputs("\033[?1049h\033[?25l", stdout);
}

static void restore_terminal(struct top *t)
{
	if (!t->raw)
		return;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &t->tty);
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static struct err *parse(struct top *t)
{
	const struct top_args *args = t->args;

	while (t->sort < NR_SORT_KEYS && strcmp(sort_names[t->sort], args->sort))
		t->sort++;
	if (t->sort == NR_SORT_KEYS)
		return err_new(ERR_USAGE,
			       "--sort %s: no such key; there are net, growth, rate, bytes, "
			       "calls",
			       args->sort);
	t->kind = -1;
	for (int i = 0; args->kind && i < NR_SITE_KINDS; i++)
		if (!strcmp(kind_names[i], args->kind))
			t->kind = i;
	if (args->kind && t->kind < 0)
		return err_new(ERR_USAGE,
			       "--kind %s: no such kind; there are slab, page, percpu, vmalloc",
			       args->kind);
	if (args->filter && strlen(args->filter) >= sizeof(t->filter))
		return err_new(ERR_USAGE, "--filter: at most %zu characters",
			       sizeof(t->filter) - 1);
	if (args->filter)
		strcpy(t->filter, args->filter);
	t->delay_ns = args->delay_ns;
	if (t->delay_ns < NS_PER_S / 10)
		return err_new(ERR_USAGE, "--delay: at least 0.1 s");
	return NULL;
}

/* A folder of its own, gone with the process however that ends, but for SIGKILL. */
static struct err *make_dir(struct top *t)
{
	const char *tmp = getenv("TMPDIR");

	t->dir = xasprintf("%s/allocprof-top.XXXXXX", tmp && *tmp ? tmp : "/var/tmp");
	if (mkdtemp(t->dir))
		return NULL;
	struct err *err = err_os(errno, "%s", t->dir);

	free(take_ptr(t->dir));
	return err;
}

static struct err *start(struct top *t)
{
	const struct top_args *args = t->args;

	TRY(database_check_dirs(&args->database.debug_dirs));
	TRY(make_dir(t));
	auto_free char *output = xasprintf("%s/top.dat", t->dir);
	struct recorder_opts opts = {
		.output = output,
		.cpus = args->cpus,
		.events = args->events,
		.buffer_bytes = args->buffer_bytes,
		.no_probes = args->no_probes,
		.live = true,
	};

	TRY(recorder_open(&opts, &t->recorder));
	TRY(live_open(t->recorder, &args->database, false, &t->live));
	TRY(recorder_start(t->recorder));
	set_up_terminal(t);
	return run(t);
}

static struct err *top_run(const void *p, char **words, int *status)
{
	struct top t = { .args = p };

	(void)status;
	if (words[0])
		return err_new(ERR_USAGE, "top: %s: no command is run; see allocprof record",
			       words[0]);
	TRY(err_wrap(parse(&t), "top"));
	t.signal_fd = block_signals();
	if (t.signal_fd < 0)
		return err_os(errno, "top: cannot make a signalfd");
	signal(SIGPIPE, SIG_IGN);
	struct err *err = start(&t);

	restore_terminal(&t);
	live_close(t.live);
	recorder_close(t.recorder);
	if (t.dir)
		rmdir(t.dir);
	for (size_t i = 0; i < t.nr_rows; i++)
		free(t.row[i].place);
	free(t.row);
	free(t.row_of);
	intern_deinit(&t.places);
	free(t.dir);
	close(t.signal_fd);
	return err_wrap(err, "top");
}

const struct cmd cmd_top = {
	.name = "top",
	.summary = "Show who holds and takes memory, while it happens",
	.usage = "[-d SECONDS] [-n N] [--batch] [--sort KEY] [--filter TEXT]\n"
		 "                     [--kind KIND] [OPTION...]",
	.opts = top_opts,
	.args_size = sizeof(struct top_args),
	.defaults = &(const struct top_args){ .delay_ns = 2 * NS_PER_S, .sort = "net" },
	.run = top_run,
};
