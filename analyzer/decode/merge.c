// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/merge.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "decode/ahead.h"
#include "decode/cursor.h"
#include "decode/runs.h"
#include "decode/setting.h"
#include "decode/tournament.h"

/* Events ahead of the one that is looked at. */
enum { FETCH = 16 };

/* Turns of two CPUs are short with fewer events than this. */
enum { SHORT_TURN = 6 };

/* One CPU of one buffer. */
struct source {
	struct page_reader *reader;    /* until its cursor takes it over */
	const struct event *pos, *end; /* its head is *pos */
	const struct clue *clue;       /* of *pos */
	struct clues_survey survey;    /* of this block */
	size_t buffer;
	unsigned int cpu;
	struct merge_stats stats; /* up to the end of this block, as all here */
	uint64_t bytes;
	uint64_t pending_ns; /* live: of what it keeps back at its end */
	uint64_t extension;  /* live: up to which it was read */
};

struct merge {
	const struct tracefile *file;
	struct setting setting;
	struct names *raw; /* of the cursors */
	struct ahead *ahead;
	struct hash_secret secret;

	struct source *source;
	size_t nr;
	struct tournament heads;
	uint64_t *head_ns;    /* of all sources, when heads are compared anew */
	bool alternate;	      /* two sources in short turns, as it seems */
	bool steps_back;      /* some source of the run in hand does */
	struct source *spent; /* its block was handed out to the end by the last run */
	uint64_t bytes;	      /* of all sources */
	uint64_t extension;   /* how many merge_extend() there were */
	uint64_t asked_ns, complete_ns; /* live: of the last of them, and the one before */
	uint64_t until_ns;		/* live: what comes from here on may not be complete */
	bool live;

	/* What is above is of the thread that makes runs, what follows of who takes them. */
	struct runs *runs;
	struct runs_slot *hand; /* the run in hand; NULL: none */
	size_t run_pos;		/* of merge_next() in it */

	struct merge_stats *stats; /* sum over the cursors, made when asked for */
};

static struct err *next_page(void *arg, struct span *ret, uint64_t *ret_damaged)
{
	return page_reader_next(arg, ret, ret_damaged);
}

/* At equal times a free comes before the allocation that it may enable. */
static bool is_alloc(const struct event *ev)
{
	switch ((enum event_kind)ev->kind) {
	case EVENT_KMALLOC:
	case EVENT_CACHE_ALLOC:
	case EVENT_PAGE_ALLOC:
	case EVENT_PERCPU_ALLOC:
	case EVENT_VMAP_ALLOC:
	case EVENT_BULK_ALLOC:
	case EVENT_PAGE_BULK:
	case EVENT_MODULE_LOAD:
		return true;
	case EVENT_LOST:
	case EVENT_KFREE:
	case EVENT_CACHE_FREE:
	case EVENT_PAGE_FREE:
	case EVENT_PERCPU_FREE:
	case EVENT_VMAP_FREE:
	case EVENT_BULK_FREE:
	case EVENT_RCU_FREE:
	case EVENT_PAGE_MOVE:
	case EVENT_MODULE_FREE:
	case EVENT_TASK_NEW:
	case EVENT_TASK_NAME:
	case EVENT_TASK_CGROUP:
	case NR_EVENT_KINDS:
		break;
	}
	return false;
}

/* Of two heads at the same time; sources that have none come last. */
static __attribute__((noinline)) bool comes_first(const void *arg, uint64_t i, uint64_t k)
{
	const struct merge *m = arg;
	const struct source *a = &m->source[i], *b = &m->source[k];

	if (i >= m->nr || a->pos == a->end)
		return false;
	if (k >= m->nr || b->pos == b->end)
		return true;
	if (is_alloc(a->pos) != is_alloc(b->pos))
		return is_alloc(b->pos);
	return a->pos->cpu != b->pos->cpu ? a->pos->cpu < b->pos->cpu : i < k;
}

static uint64_t head_ns(const struct source *source)
{
	return source->pos == source->end ? UINT64_MAX : source->pos->ts_ns;
}

static void compare_heads(struct merge *m)
{
	for (size_t i = 0; i < m->nr; i++)
		m->head_ns[i] = head_ns(&m->source[i]);
	tournament_hold(&m->heads, m->head_ns, m->nr, comes_first, m);
}

/*
 * The next block of a source; of a live one, whatever has come to its file since
 * the last extension. A stack follows its event at once: what was complete at the
 * extension before, and has none with all that came since, gets none.
 */
static struct err *next_block(struct merge *m, struct source *source, struct ahead_block *ret)
{
	size_t i = (size_t)(source - m->source);

	TRY(ahead_next(m->ahead, i, ret));
	if (ret->nr || source->extension == m->extension)
		return NULL;
	source->extension = m->extension;
	TRY(ahead_resume(m->ahead, i, !m->live, false));
	TRY(ahead_next(m->ahead, i, ret));
	if (ret->nr || ret->pending_ns >= m->complete_ns)
		return NULL;
	TRY(ahead_resume(m->ahead, i, !m->live, true));
	return ahead_next(m->ahead, i, ret);
}

static struct err *refill(struct merge *m, struct source *source)
{
	struct ahead_block block;
	struct err *err = next_block(m, source, &block);

	if (!err) {
		source->pos = block.event;
		source->end = block.nr ? block.event + block.nr : block.event;
		source->clue = block.clue;
		source->survey = block.survey;
		source->stats = block.stats;
		m->bytes += block.bytes - source->bytes;
		source->bytes = block.bytes;
		/* It waits for its stack, which may come with the next pages. */
		source->pending_ns = block.nr ? UINT64_MAX : block.pending_ns;
		if (m->live && source->pending_ns < m->until_ns)
			m->until_ns = source->pending_ns;
		return NULL;
	}
	const char *buffer = tracefile_buffer_name(m->file, source->buffer);

	return err_wrap(err, "%s%scpu %u", buffer, *buffer ? ": " : "", source->cpu);
}

/* The events of the winner up to the next head of any other; @run has those before. */
static void hand_out(struct merge *m, struct source *source, struct merge_run *run)
{
	uint64_t limit_ns = tournament_runner_up(&m->heads);
	const struct event *ev = source->pos;
	const struct clue *clue = source->clue;
	struct merge_item *item = &run->item[run->nr], *end = &run->item[RUNS_MOST];
	uint32_t who = (uint32_t)(source - m->source);

	if (m->until_ns < limit_ns)
		limit_ns = m->until_ns;
	if (source->end - ev < end - item)
		end = item + (source->end - ev);
	do {
		/* It was written by another CPU, and the item's place read by another. */
		__builtin_prefetch(ev + FETCH);
		*item++ = (struct merge_item){ ev++, *clue++, who };
	} while (item != end && ev->ts_ns < limit_ns);
	source->pos = ev;
	source->clue = clue;
	run->nr = (size_t)(item - run->item);
}

/*
 * The same of two sources that alternate, without a branch on whose turn it is, until
 * their heads are equal or one of them has none.
 */
static void zip(struct merge *m, struct merge_run *run, size_t *turns)
{
	struct source *a = &m->source[0], *b = &m->source[1];
	struct merge_item *item = &run->item[run->nr], *end = &run->item[RUNS_MOST];
	const struct event *x = a->pos, *y = b->pos, *x_end = a->end, *y_end = b->end;
	const struct clue *p = a->clue, *q = b->clue;
	const uint64_t until_ns = m->until_ns;
	size_t last = 0, changes = 0;

	while (item != end && x != x_end && y != y_end) {
		uint64_t x_ns = x->ts_ns, y_ns = y->ts_ns;
		size_t second = y_ns < x_ns;

		if (x_ns == y_ns || (second ? y_ns : x_ns) >= until_ns)
			break;
		item->event = second ? y : x;
		item->clue = second ? *q : *p;
		item->source = (uint32_t)second;
		__builtin_prefetch(item->event + FETCH);
		item++;
		changes += second ^ last;
		last = second;
		x += !second;
		p += !second;
		y += second;
		q += second;
	}
	a->pos = x;
	a->clue = p;
	b->pos = y;
	b->clue = q;
	run->nr = (size_t)(item - run->item);
	*turns += changes;
}

/* Events of @source are in @run. */
static void note_source(struct merge *m, const struct source *source, struct merge_run *run)
{
	run->kinds |= source->survey.kinds;
	m->steps_back |= source->survey.steps_back;
	if (source->cpu >= run->nr_cpus)
		run->nr_cpus = source->cpu + 1;
}

/* Tries zip(); false when a source has to be filled again. */
static bool fill_by_two(struct merge *m, struct merge_run *run, size_t *turns)
{
	zip(m, run, turns);
	if (!run->nr)
		return true;
	for (size_t i = 0; i < 2; i++) {
		note_source(m, &m->source[i], run);
		if (m->source[i].pos == m->source[i].end && run->item[run->nr - 1].source == i)
			m->spent = &m->source[i];
	}
	if (!m->spent)
		compare_heads(m);
	return !m->spent;
}

/* The next events, up to the end of the block of one source. */
static void fill(struct merge *m, struct merge_run *run)
{
	size_t turns = 0;

	if (m->alternate && !fill_by_two(m, run, &turns))
		return;
	while (run->nr < RUNS_MOST) {
		struct source *source = &m->source[m->heads.node[0].who];

		if (source->pos == source->end ||
		    (m->live && source->pos->ts_ns >= m->until_ns))
			return;
		hand_out(m, source, run);
		note_source(m, source, run);
		if (source->pos == source->end) {
			m->spent = source;
			return;
		}
		tournament_replay(&m->heads, source->pos->ts_ns, comes_first, m);
		turns++;
	}
	m->alternate = m->nr == 2 && turns * SHORT_TURN > run->nr;
}

static void find_times(const struct merge *m, struct merge_run *run)
{
	if (!run->nr)
		return;
	run->in_order = !m->steps_back;
	run->earliest_ns = run->item->event->ts_ns;
	run->latest_ns = run->item[run->nr - 1].event->ts_ns;
	for (size_t i = 0; m->steps_back && i < run->nr; i++) {
		uint64_t ts_ns = run->item[i].event->ts_ns;

		run->earliest_ns = ts_ns < run->earliest_ns ? ts_ns : run->earliest_ns;
		run->latest_ns = ts_ns > run->latest_ns ? ts_ns : run->latest_ns;
	}
}

static struct err *next_run(struct merge *m, struct merge_run *run)
{
	struct source *spent = m->spent;

	if (spent) {
		TRY(refill(m, spent));
		m->spent = NULL;
		/* zip() leaves no winner that could meet the other one. */
		if (m->nr == 2)
			compare_heads(m);
		else
			tournament_replay(&m->heads, head_ns(spent), comes_first, m);
	}
	m->steps_back = false;
	fill(m, run);
	find_times(m, run);
	return NULL;
}

static void make_run(void *arg, struct runs_slot *slot)
{
	struct merge *m = arg;
	struct merge_run *run = &slot->run;

	*run = (struct merge_run){ .item = slot->item, .secret = m->secret };
	slot->err = next_run(m, run);
	for (size_t i = 0; i < MERGE_BEHIND; i++)
		run->item[run->nr + i] = (struct merge_item){ .clue = { .place = CLUE_NO_PLACE,
									.class = CLUE_FREE } };
	slot->spent = run->nr && m->spent ? (size_t)(m->spent - m->source) + 1 : 0;
	slot->bytes = m->bytes;
}

static bool decode_some(void *arg)
{
	struct merge *m = arg;

	return ahead_help(m->ahead);
}

static const struct runs_ops runs_ops = { .make = make_run, .help = decode_some };

/* The kernel's CPU numbers start at 0; idle CPUs at the end leave no trace. */
static uint32_t count_cpus(const struct merge *m)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < m->nr; i++) {
		uint32_t cpu = m->source[i].cpu;

		if (cpu < UINT16_MAX && cpu >= nr)
			nr = cpu + 1;
	}
	return nr;
}

static struct err *open_readers(struct merge *m)
{
	size_t nr = 0;

	for (size_t i = 0; i < tracefile_nr_buffers(m->file); i++)
		nr += tracefile_nr_cpus(m->file, i);
	m->source = xcalloc(nr + 1, sizeof(*m->source));
	m->head_ns = xcalloc(nr + 1, sizeof(*m->head_ns));
	tournament_init(&m->heads, nr);
	for (size_t i = 0; i < tracefile_nr_buffers(m->file); i++) {
		for (size_t cpu = 0; cpu < tracefile_nr_cpus(m->file, i); cpu++) {
			struct source *source = &m->source[m->nr];

			source->buffer = i;
			TRY(page_reader_open(m->file, i, cpu, &source->reader));
			m->nr++;
			source->cpu = page_reader_cpu(source->reader);
			if (source->cpu > UINT16_MAX)
				return err_new(ERR_UNSUPPORTED, "cpu %u: beyond %u",
					       source->cpu, UINT16_MAX);
		}
	}
	return NULL;
}

static void open_cursors(struct merge *m, struct names *names)
{
	uint32_t nr_cpus = count_cpus(m);

	m->raw = names_new();
	m->secret = hash_secret();
	m->ahead = ahead_new(m->nr, m->raw, names, m->secret);
	for (size_t i = 0; i < m->nr; i++) {
		struct source *source = &m->source[i];
		struct cursor *cursor = cursor_new(&(struct cursor_opts){
			.format = m->setting.format,
			.names = m->raw,
			.layout = m->setting.layout,
			.source = { next_page, source->reader },
			.subbuf_size = tracefile_subbuf_size(m->file, source->buffer),
			.vmemmap = m->setting.vmemmap,
			.page_size = m->setting.page_size,
			.nr_cpus = nr_cpus,
			.cpu = (uint16_t)source->cpu,
			.live = m->live,
		});

		ahead_add(m->ahead, cursor, source->reader);
		source->reader = NULL;
	}
}

static struct err *start(struct merge *m)
{
	for (size_t i = 0; i < m->nr && !m->live; i++)
		TRY(refill(m, &m->source[i]));
	compare_heads(m);
	return NULL;
}

static struct err *open_merge(const struct tracefile *file, struct names *names, bool live,
			      struct merge **ret)
{
	CLEANUP(merge_cleanup) struct merge *m = xcalloc(1, sizeof(*m));

	m->file = file;
	m->live = live;
	m->asked_ns = m->until_ns = live ? 0 : UINT64_MAX;
	m->runs = runs_new(&runs_ops, m);
	m->stats = xcalloc(1, sizeof(*m->stats));
	TRY(setting_read(file, &m->setting));
	TRY(open_readers(m));
	open_cursors(m, names);
	TRY(start(m));
	*ret = take_ptr(m);
	return NULL;
}

struct err *merge_open(const struct tracefile *file, struct names *names, struct merge **ret)
{
	return open_merge(file, names, false, ret);
}

struct err *merge_open_live(const struct tracefile *file, struct names *names,
			    struct merge **ret)
{
	return open_merge(file, names, true, ret);
}

/* Nobody will read the run in hand any more. */
static void put_down(struct merge *m)
{
	if (m->hand && m->hand->spent)
		ahead_release(m->ahead, m->hand->spent - 1);
	m->hand = NULL;
	m->run_pos = 0;
}

struct err *merge_extend(struct merge *m, uint64_t until_ns)
{
	/* What merge_next() has not come to is handed out again. */
	while (m->hand && m->run_pos < m->hand->run.nr) {
		struct source *source = &m->source[m->hand->item[--m->hand->run.nr].source];

		source->pos--;
		source->clue--;
		m->hand->spent = 0;
	}
	put_down(m);
	m->spent = NULL;
	m->extension++;
	m->live = until_ns != UINT64_MAX;
	m->complete_ns = m->asked_ns;
	m->asked_ns = m->until_ns = until_ns;
	for (size_t i = 0; i < m->nr; i++) {
		struct source *source = &m->source[i];

		if (source->pos == source->end)
			TRY(refill(m, source));
	}
	compare_heads(m);
	return NULL;
}

bool merge_consumed(const struct merge *m, size_t i, unsigned int *ret_cpu, uint64_t *ret_bytes)
{
	if (i >= m->nr)
		return false;
	*ret_cpu = m->source[i].cpu;
	*ret_bytes = m->source[i].bytes;
	return true;
}

void merge_threads(struct merge *m, size_t nr)
{
	if (!nr)
		return;
	ahead_start(m->ahead, nr - 1);
	runs_start(m->runs);
}

void merge_close(struct merge *m)
{
	if (!m)
		return;
	if (m->ahead)
		ahead_stop(m->ahead);
	runs_free(m->runs);
	ahead_free(m->ahead);
	names_free(m->raw);
	for (size_t i = 0; i < m->nr; i++)
		page_reader_close(m->source[i].reader);
	setting_deinit(&m->setting);
	tournament_deinit(&m->heads);
	free(m->head_ns);
	free(m->source);
	free(m->stats);
	free(m);
}

struct err *merge_next_run(struct merge *m, struct merge_run *ret)
{
	put_down(m);
	m->hand = runs_next(m->runs);
	*ret = m->hand->run;
	return take_ptr(m->hand->err);
}

struct err *merge_next(struct merge *m, const struct event **ret)
{
	struct merge_run run;

	if (!m->hand || m->run_pos == m->hand->run.nr)
		TRY(merge_next_run(m, &run));
	*ret = m->run_pos < m->hand->run.nr ? m->hand->item[m->run_pos++].event : NULL;
	return NULL;
}

const struct merge_stats *merge_stats(const struct merge *m)
{
	struct merge_stats sum = { 0 };

	for (size_t i = 0; i < m->nr; i++) {
		const struct merge_stats *one = &m->source[i].stats;

		sum.events += one->events;
		sum.skipped += one->skipped;
		sum.pages += one->pages;
		sum.damaged_pages += one->damaged_pages;
		sum.malformed += one->malformed;
		sum.stacks += one->stacks;
		sum.orphan_stacks += one->orphan_stacks;
		sum.backward_steps += one->backward_steps;
	}
	*m->stats = sum;
	return m->stats;
}

uint64_t merge_bytes(const struct merge *m)
{
	return m->hand ? m->hand->bytes : 0;
}

uint32_t merge_page_size(const struct merge *m)
{
	return m->setting.page_size;
}
