// SPDX-License-Identifier: GPL-2.0-or-later
#include "wishes.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

static struct err *find_sites(const char *list, const struct database_args *database,
			      struct callsites *ret, struct wishes_sites *ret_sites)
{
	struct analyze_opts opts;

	database_analyze_opts(database, "", NULL, &opts);
	TRY(callsites_find(list, opts.vmlinux, opts.debug_dirs, ret));
	*ret_sites = (struct wishes_sites){ list, ret->range, ret->nr };
	return NULL;
}

static struct err *find_stacks(const char *text, const struct database_args *database,
			       struct wishes_found *ret)
{
	struct wishes *w = &ret->wishes;

	if (!text || !strcmp(text, "page"))
		return NULL;
	if (!strcmp(text, "none") || !strcmp(text, "all")) {
		w->stacks = *text == 'n' ? TRACEPOINT_STACKS_NONE : TRACEPOINT_STACKS_ALL;
		return NULL;
	}
	return err_wrap(find_sites(text, database, &ret->stack_sites, &w->stack_sites),
			"--stacks");
}

/* Processes that there are: with none of them the report would be empty. */
static struct err *check_pids(const char *list, const char *option)
{
	for (const char *pos = list;;) {
		char *end;
		long pid = strtol(pos, &end, 10);

		if (end == pos || *pos < '0' || *pos > '9' || (*end && *end != ',') ||
		    pid <= 0 || pid > INT32_MAX)
			return err_new(ERR_USAGE, "%s %.*s: no number of a task", option,
				       (int)strcspn(pos, ","), pos);
		if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			return err_new(ERR_USAGE, "%s %ld: there is no such task", option, pid);
		pos = end + 1;
		if (!*end)
			return NULL;
	}
}

/* As /proc/PID/cgroup has it: from the root of the hierarchy on. */
static struct err *find_cgroup(const char *path, char **ret)
{
	static const char *const roots[] = { "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified",
					     "/sys/fs/cgroup" };

	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(roots[i]);
		bool whole = !strncmp(path, roots[i], len) && (!path[len] || path[len] == '/');
		const char *rest = whole ? path + len : path;
		auto_free char *dir = xasprintf("%s/%s/cgroup.procs", roots[i], rest);

		if (access(dir, F_OK))
			continue;
		while (*rest == '/')
			rest++;
		*ret = xasprintf("/%s", rest);
		return NULL;
	}
	return err_new(ERR_USAGE, "--cgroup %s: there is no such group in /sys/fs/cgroup",
		       path);
}

struct err *wishes_find(const struct wishes_args *args, const struct database_args *database,
			struct wishes_found *ret)
{
	struct wishes *w = &ret->wishes;

	TRY(err_wrap(evfilter_check_sample(args->sample), "--sample"));
	*w = (struct wishes){
		.sample = (uint32_t)args->sample,
		.min_size = args->min_size,
		.caches = args->caches,
		.other_caches = args->other_caches,
		.expr = args->expr,
		.tids = args->tids,
		.pids = args->pids,
	};
	if (args->caches && args->other_caches)
		return err_new(ERR_USAGE, "--cache and --exclude-cache exclude each other");
	if (args->expr && !*args->expr)
		return err_new(ERR_USAGE, "--filter: the expression is empty");
	if (args->pids)
		TRY(check_pids(args->pids, "-p"));
	if (args->tids)
		TRY(check_pids(args->tids, "-t"));
	if (args->cgroup)
		TRY(find_cgroup(args->cgroup, &ret->cgroup));
	w->cgroup = ret->cgroup;
	if (args->call_sites)
		TRY(err_wrap(find_sites(args->call_sites, database, &ret->call_sites,
					&w->call_sites),
			     "--call-site"));
	return find_stacks(args->stacks, database, ret);
}

void wishes_found_deinit(struct wishes_found *found)
{
	callsites_deinit(&found->call_sites);
	callsites_deinit(&found->stack_sites);
	free(found->cgroup);
}
