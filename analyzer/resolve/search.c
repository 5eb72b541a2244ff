// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/search.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"

enum { MAX_WALK_DEPTH = 16, MAX_WALK_ENTRIES = 1 << 19, MAX_NAME = 128 };

struct file {
	const char *module;
	const char *path;
	uint32_t order;
};

struct search {
	struct pool *pool;
	const char *release; /* NULL when there is none that can be used */
	const char *const *debug_dirs;
	struct file *file; /* modules, by name and order; made at the first question */
	size_t nr_files, cap_files;
	bool walked;
	size_t entries;
};

/* What a distribution's debug packages fill. */
static const char system_dir[] = "/usr/lib/debug";

/* Below a user's directory or the system's; %s is the release. */
static const char *const kernel_places[] = {
	"boot/vmlinux-%s",
	"vmlinux-%s",
	"lib/modules/%s/vmlinux",
	"lib/modules/%s/build/vmlinux",
	"usr/lib/debug/boot/vmlinux-%s",
	"usr/lib/debug/lib/modules/%s/vmlinux",
	"boot/vmlinux-%s.debug",
	"lib/modules/%s/vmlinux.debug",
	"usr/lib/modules/%s/vmlinux",
	"usr/lib/modules/%s/vmlinux.debug",
};

struct search *search_new(const char *release, const char *const *debug_dirs, struct pool *pool)
{
	static const char *const none[] = { NULL };
	struct search *s = xcalloc(1, sizeof(*s));

	s->pool = pool;
	s->debug_dirs = debug_dirs ? debug_dirs : none;
	if (release && *release && *release != '.' && !strchr(release, '/') &&
	    strlen(release) < NAME_MAX)
		s->release = release;
	return s;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	free(s->file);
	free(s);
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* One @path more: the answer when it exists and @i were found before it. */
static bool take(struct search *s, char *path, size_t *i, const char **ret)
{
	auto_free char *own = path;

	if (!is_file(path) || (*i)--)
		return false;
	*ret = pool_str(s->pool, own);
	return true;
}

static char *build_id_path(const char *dir, const char *build_id)
{
	return xasprintf("%s/.build-id/%.2s/%s.debug", dir, build_id, build_id + 2);
}

static bool is_hex(const char *s)
{
	return strlen(s) > 2 && !s[strspn(s, "0123456789abcdef")];
}

/* @place is one of kernel_places. */
static char *release_path(const char *dir, const char *place, const char *release)
{
	const char *mark = strstr(place, "%s");

	return xasprintf("%s/%.*s%s%s", dir, (int)(mark - place), place, release, mark + 2);
}

static bool by_release(struct search *s, const char *dir, size_t *i, const char **ret)
{
	for (size_t p = 0; s->release && p < sizeof(kernel_places) / sizeof(*kernel_places);
	     p++)
		if (take(s, release_path(dir, kernel_places[p], s->release), i, ret))
			return true;
	return false;
}

/* In what other programs of the user's have downloaded: debuginfod's cache, perf's. */
static bool in_caches(struct search *s, const char *build_id, size_t *i, const char **ret)
{
	const char *own = getenv("DEBUGINFOD_CACHE_PATH"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (!is_hex(build_id))
		return false;
	auto_free char *cache = own && *own == '/'   ? xstrdup(own)
				: xdg && *xdg == '/' ? xasprintf("%s/debuginfod_client", xdg)
				: home ? xasprintf("%s/.cache/debuginfod_client", home)
				       : NULL;

	if (cache && take(s, xasprintf("%s/%s/debuginfo", cache, build_id), i, ret))
		return true;
	return home &&
	       (take(s,
		     xasprintf("%s/.debug/.build-id/%.2s/%s/debug", home, build_id,
			       build_id + 2),
		     i, ret) ||
		take(s,
		     xasprintf("%s/.debug/.build-id/%.2s/%s/vmlinux", home, build_id,
			       build_id + 2),
		     i, ret) ||
		take(s,
		     xasprintf("%s/.debug/.build-id/%.2s/%s/elf", home, build_id, build_id + 2),
		     i, ret));
}

/* A directory that the user named. */
static bool kernel_below(struct search *s, const char *dir, const char *build_id, size_t *i,
			 const char **ret)
{
	if (by_release(s, dir, i, ret))
		return true;
	if (is_hex(build_id) && take(s, build_id_path(dir, build_id), i, ret))
		return true;
	return take(s, xasprintf("%s/vmlinux", dir), i, ret) ||
	       take(s, xasprintf("%s/vmlinux.debug", dir), i, ret);
}

const char *search_kernel(struct search *s, const char *build_id, size_t i)
{
	const char *ret = NULL;

	for (size_t d = 0; s->debug_dirs[d]; d++)
		if (kernel_below(s, s->debug_dirs[d], build_id, &i, &ret))
			return ret;
	if (by_release(s, system_dir, &i, &ret) || by_release(s, "", &i, &ret) ||
	    (is_hex(build_id) && take(s, build_id_path(system_dir, build_id), &i, &ret)))
		return ret;
	in_caches(s, build_id, &i, &ret);
	return ret;
}

/* "nls-utf8.ko.xz" to "nls_utf8"; false for what is no module. */
static bool module_name(const char *file, char ret[MAX_NAME])
{
	static const char *const tails[] = { "", ".debug", ".xz", ".gz", ".zst" };
	const char *dot = strstr(file, ".ko");
	bool known = false;

	if (!dot || dot == file || dot - file >= MAX_NAME)
		return false;
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		known |= !strcmp(dot + 3, tails[i]);
	if (!known)
		return false;
	size_t len = (size_t)(dot - file);

	for (size_t i = 0; i < len; i++)
		ret[i] = file[i] == '-' ? '_' : file[i];
	ret[len] = '\0';
	return true;
}

static void walk(struct search *s, const char *path, int depth)
{
	DIR *dir = depth < MAX_WALK_DEPTH ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) && s->entries++ < MAX_WALK_ENTRIES) {
		char module[MAX_NAME];

		if (entry->d_name[0] == '.')
			continue;
		auto_free char *full = xasprintf("%s/%s", path, entry->d_name);
		unsigned char type = entry->d_type;

		if (type == DT_UNKNOWN || type == DT_LNK) {
			struct stat st;

			/* A link may be a file's, never a directory's: it could lead back. */
			if (!(type == DT_LNK ? stat : lstat)(full, &st))
				type = S_ISREG(st.st_mode)		       ? DT_REG
				       : S_ISDIR(st.st_mode) && type != DT_LNK ? DT_DIR
									       : DT_LNK;
		}
		if (type == DT_DIR) {
			walk(s, full, depth + 1);
		} else if (type == DT_REG && module_name(entry->d_name, module)) {
			vec_room(s->file, s->nr_files, s->cap_files);
			s->file[s->nr_files] =
				(struct file){ pool_str(s->pool, module),
					       pool_str(s->pool, full), (uint32_t)s->nr_files };
			s->nr_files++;
		}
	}
	if (dir)
		closedir(dir);
}

static int compare_files(const void *va, const void *vb)
{
	const struct file *a = va, *b = vb;
	int cmp = strcmp(a->module, b->module);

	return cmp ? cmp : a->order < b->order ? -1 : a->order > b->order;
}

static void walk_release(struct search *s, const char *dir)
{
	if (!s->release)
		return;
	auto_free char *path = xasprintf("%s/lib/modules/%s", dir, s->release);

	walk(s, path, 0);
}

static void walk_all(struct search *s)
{
	if (s->walked)
		return;
	s->walked = true;
	for (size_t d = 0; s->debug_dirs[d]; d++) {
		auto_free char *debug = xasprintf("%s%s", s->debug_dirs[d], system_dir);

		walk_release(s, debug);
		walk_release(s, s->debug_dirs[d]);
	}
	for (size_t d = 0; s->debug_dirs[d]; d++)
		walk(s, s->debug_dirs[d], 0);
	walk_release(s, system_dir);
	walk_release(s, "");
	if (s->nr_files)
		qsort(s->file, s->nr_files, sizeof(*s->file), compare_files);
}

const char *search_module(struct search *s, const char *name, const char *build_id, size_t i)
{
	const char *ret = NULL;

	walk_all(s);
	for (size_t f = 0; f < s->nr_files; f++)
		if (!strcmp(s->file[f].module, name) && !i--)
			return s->file[f].path;
	if (!build_id || !is_hex(build_id))
		return NULL;
	for (size_t d = 0; s->debug_dirs[d]; d++)
		if (take(s, build_id_path(s->debug_dirs[d], build_id), &i, &ret))
			return ret;
	if (!take(s, build_id_path(system_dir, build_id), &i, &ret))
		in_caches(s, build_id, &i, &ret);
	return ret;
}
