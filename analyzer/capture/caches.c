// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/caches.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/texts.h"

#define SLABINFO "/proc/slabinfo"
#define SYSFS	 "/sys/kernel/slab"

/* "name active_objs num_objs objsize …"; false for the lines that explain. */
static bool parse(struct span line, char name[64], uint64_t *ret_bytes)
{
	uint64_t active, num;
	auto_free char *s = xstrndup((const char *)line.data, line.len);

	return sscanf(s, "%63s %" SCNu64 " %" SCNu64 " %" SCNu64, name, &active, &num,
		      ret_bytes) == 4;
}

bool caches_size(struct span slabinfo, const char *name, uint64_t *ret)
{
	struct span line;
	char other[64];

	while (span_line(&slabinfo, &line))
		if (parse(line, other, ret) && !strcmp(other, name))
			return true;
	return false;
}

bool caches_is_kmalloc(const char *name)
{
	return !strncmp(name, "kmalloc-", 8) || !strncmp(name, "dma-kmalloc-", 12);
}

/* What the link of a cache that was merged leads to; "" when it is none. */
static void target_of(const char *name, char ret[256])
{
	auto_free char *path = xasprintf(SYSFS "/%s", name);
	ssize_t len = readlink(path, ret, 255);

	ret[len > 0 ? len : 0] = '\0';
}

/* Of all caches with the same target, the one that is in @slabinfo. */
static bool find_merged(struct span slabinfo, const char *name, char **ret_name,
			uint64_t *ret_bytes)
{
	char target[256], other[64], its[256];
	struct span line;

	target_of(name, target);
	while (*target && span_line(&slabinfo, &line)) {
		if (!parse(line, other, ret_bytes))
			continue;
		target_of(other, its);
		if (strcmp(target, its))
			continue;
		*ret_name = xstrdup(other);
		return true;
	}
	return false;
}

struct err *caches_find(const char *name, char **ret_name, uint64_t *ret_bytes)
{
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, SLABINFO);
	struct span slabinfo = text_span(&text);

	if (err)
		return err_new(ERR_UNSUPPORTED, "%s: it has the names of slab caches, for root",
			       err_text(err));
	if (caches_size(slabinfo, name, ret_bytes)) {
		*ret_name = xstrdup(name);
		return NULL;
	}
	if (*name && !strchr(name, '/') && find_merged(slabinfo, name, ret_name, ret_bytes))
		return NULL;
	return err_new(ERR_USAGE, "there is no slab cache '%s'; " SLABINFO " lists them", name);
}
