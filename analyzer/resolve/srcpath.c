// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/srcpath.h"

#include <stdio.h>
#include <string.h>

/* @path in place without empty, "." and "name/.." components. */
static void normalise(char *path)
{
	bool absolute = *path == '/';
	char *out = path + absolute, *base = out;

	for (const char *in = path; *in;) {
		while (*in == '/')
			in++;
		size_t len = strcspn(in, "/");

		if (len == 2 && !memcmp(in, "..", 2)) {
			/* What would leave the tree stays in it. */
			while (out > base && out[-1] != '/')
				out--;
			if (out > base)
				out--;
		} else if (len && !(len == 1 && *in == '.')) {
			if (out > base)
				*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	*out = '\0';
}

/* @path behind "@dir/", or NULL when it does not lie there. */
static const char *below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len && !strncmp(path, dir, len) && path[len] == '/' ? path + len + 1 : NULL;
}

static void copy(char ret[SRCPATH_MAX], const char *path)
{
	size_t len = strnlen(path, SRCPATH_MAX - 1);

	memmove(ret, path, len);
	ret[len] = '\0';
}

/* libdw has already joined some names with the directory. */
static bool join(const char *comp_dir, const char *path, char ret[SRCPATH_MAX])
{
	if (*path == '/' || !*comp_dir || below(path, comp_dir)) {
		copy(ret, path);
		return strlen(path) < SRCPATH_MAX;
	}
	return snprintf(ret, SRCPATH_MAX, "%s/%s", comp_dir, path) < SRCPATH_MAX;
}

bool srcpath_root(const char *comp_dir, const char *unit, char root[SRCPATH_MAX])
{
	static const char tail[] = "/init/main.c";
	char full[SRCPATH_MAX];

	if (!join(comp_dir, unit, full))
		return false;
	normalise(full);
	size_t len = strlen(full);

	if (len < sizeof(tail) || strcmp(full + len - (sizeof(tail) - 1), tail))
		return false;
	full[len - (sizeof(tail) - 1)] = '\0';
	copy(root, full);
	return true;
}

void srcpath_relative(const char *root, const char *comp_dir, const char *path,
		      char ret[SRCPATH_MAX])
{
	char full[SRCPATH_MAX], dir[SRCPATH_MAX];

	if (!join(comp_dir, path, full)) {
		copy(ret, path);
		return;
	}
	normalise(full);
	copy(dir, comp_dir);
	normalise(dir);
	const char *relative = below(full, root);

	if (!relative)
		relative = below(full, dir);
	copy(ret, relative ? relative : full);
}
