// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/relay.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/xalloc.h"
#include "capture/tracedir.h"

/* The dots of an instance's name are underlines here. */
#define GROUPS "allocprof_"

/* Pairs of task and CPU: some 3 MB for each function. */
#define ROOM "size=8192"
#define KEYS "hist:keys=common_pid,common_cpu:"

/* Returns of one function that are awaited at a time. */
enum { MAX_ACTIVE = 256 };

static bool write_to(const char *dir, const char *file, const char *text)
{
	auto_err struct err *err = tracedir_write(dir, file, text);

	return !err;
}

static bool has_relay(const struct relays *relays, const char *function, const char **ret)
{
	for (size_t i = 0; i < relays->nr; i++)
		if (!strcmp(relays->v[i].function, function)) {
			*ret = relays->v[i].event;
			return true;
		}
	return false;
}

/* From the two probes to the synthetic event GROUP_EVENT. */
static bool make_parts(const char *tracedir, const char *instance, const char *group,
		       const char *event, const char *function)
{
	auto_free char *call = xasprintf("p:%s/%s_in %s a1=$arg1:x64 "
					 "a2=$arg2:x64 a3=$arg3:x64 a4=$arg4:x64 a5=$arg5:x64 "
					 "a6=$arg6:x64\n",
					 group, event, function);
	auto_free char *back = xasprintf("r%d:%s/%s_out %s site=%%ip:x64 ret=$retval:s64\n",
					 MAX_ACTIVE, group, event, function);
	auto_free char *both =
		xasprintf("s:%s_%s u64 site; u64 a1; u64 a2; u64 a3; u64 a4; u64 a5; u64 a6; "
			  "s64 ret\n",
			  group, event);
	auto_free char *call_file = xasprintf("events/%s/%s_in/trigger", group, event);
	auto_free char *back_file = xasprintf("events/%s/%s_out/trigger", group, event);
	auto_free char *match =
		xasprintf(KEYS ROOM ":onmatch(%s.%s_in).%s_%s(site,$a1,$a2,$a3,$a4,$a5,$a6,"
				    "ret)",
			  group, event, group, event);

	return write_to(tracedir, "dynamic_events", call) &&
	       write_to(tracedir, "dynamic_events", back) &&
	       write_to(tracedir, "dynamic_events", both) &&
	       write_to(instance, call_file,
			KEYS "a1=a1,a2=a2,a3=a3,a4=a4,a5=a5,a6=a6:" ROOM) &&
	       write_to(instance, back_file, match);
}

/* What a probe of the return says, in the words of a probe of the synthetic event. */
static char *translate(const char *args)
{
	static const struct {
		const char *from, *to;
	} words[] = { { "%ip", "$site" }, { "$retval", "$ret" }, { "$arg", "$a" } };
	char *ret = xcalloc(1, 2 * strlen(args) + 1), *to = ret;

	while (*args) {
		size_t i = 0;

		while (i < 3 && strncmp(args, words[i].from, strlen(words[i].from)))
			i++;
		if (i == 3) {
			*to++ = *args++;
			continue;
		}
		to = stpcpy(to, words[i].to);
		args += strlen(words[i].from);
	}
	return ret;
}

bool relay_make(struct relays *relays, const char *tracedir, const char *instance,
		const char *group, const struct probe *probe, const char *function,
		const char *args)
{
	const char *event = probe->event;

	if (!tracedir_has(tracedir, "dynamic_events"))
		return false;
	if (!has_relay(relays, function, &event)) {
		if (relays->nr == RELAYS ||
		    !make_parts(tracedir, instance, group, event, function))
			return false;
		relays->v[relays->nr].function = function;
		relays->v[relays->nr++].event = event;
	}
	auto_free char *fields = translate(args);
	auto_free char *line = xasprintf("e:%s/%s synthetic/%s_%s %s\n", group, probe->event,
					 group, event, fields);

	return write_to(tracedir, "dynamic_events", line);
}

/* Calls @visit for the directory of each event of a group of ours. */
static void each_event(const char *instance, void (*visit)(const char *dir, void *arg),
		       void *arg)
{
	auto_free char *path = xasprintf("%s/events", instance);
	DIR *groups = opendir(path), *events;
	struct dirent *group, *event;

	if (!groups)
		return;
	while ((group = readdir(groups))) {
		if (strncmp(group->d_name, GROUPS, strlen(GROUPS)))
			continue;
		auto_free char *of_group = xasprintf("%s/%s", path, group->d_name);

		if (!(events = opendir(of_group)))
			continue;
		while ((event = readdir(events))) {
			auto_free char *dir = xasprintf("%s/%s", of_group, event->d_name);

			if (event->d_name[0] != '.')
				visit(dir, arg);
		}
		closedir(events);
	}
	closedir(groups);
}

static void add_dropped(const char *dir, void *arg)
{
	auto_free char *file = xasprintf("%s/hist", dir);
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, file);
	const char *pos = err ? NULL : strstr(text.data, "Dropped: ");
	uint64_t *total = arg, nr;

	if (pos && sscanf(pos, "Dropped: %" SCNu64, &nr) == 1)
		*total += nr;
}

uint64_t relay_dropped(const char *instance)
{
	uint64_t total = 0;

	each_event(instance, add_dropped, &total);
	return total;
}

/* A histogram is removed by what made it, behind a "!". */
static void clear_one(const char *dir, void *arg)
{
	auto_free char *file = xasprintf("%s/trigger", dir);
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, file);
	struct span rest = { (const uint8_t *)text.data, err ? 0 : text.len }, line;

	(void)arg;
	while (span_line(&rest, &line)) {
		auto_free char *one =
			xasprintf("!%.*s", (int)line.len, (const char *)line.data);
		char *state = strstr(one, " [");

		if (state)
			*state = '\0';
		if (!strncmp(one, "!hist:", 6))
			write_to(dir, "trigger", one);
	}
}

void relay_clear(const char *instance)
{
	/* One that another refers to stays until that is gone. */
	each_event(instance, clear_one, NULL);
	each_event(instance, clear_one, NULL);
}
