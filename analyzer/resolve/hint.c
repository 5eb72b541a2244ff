// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/hint.h"

#include <stdbool.h>
#include <string.h>

static bool ends_in(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && !strcmp(s + len - end_len, end);
}

/* What would help, as far as a release tells whose kernel it is. */
const char *hint_kernel(const char *rel, struct pool *pool)
{
	if (!rel)
		return pool_str(pool, "no debug information for the kernel: give its "
				      "vmlinux with --vmlinux");
	if (ends_in(rel, "-amd64") || ends_in(rel, "-arm64") || ends_in(rel, "-686-pae"))
		return pool_printf(pool,
				   "no debug information for kernel %s: install "
				   "linux-image-%s-dbg, or give --vmlinux",
				   rel, rel);
	if (ends_in(rel, "-generic") || ends_in(rel, "-lowlatency"))
		return pool_printf(pool,
				   "no debug information for kernel %s: install "
				   "linux-image-%s-dbgsym, or give --vmlinux",
				   rel, rel);
	/* SUSE's flavours: 6.4.0-150600.23.25-default */
	const char *flavour = strrchr(rel, '-');

	if (flavour && (!strcmp(flavour, "-default") || !strcmp(flavour, "-azure") ||
			!strcmp(flavour, "-rt")))
		return pool_printf(pool,
				   "no debug information for kernel %s: install "
				   "kernel%s-debuginfo of this version, or give --vmlinux",
				   rel, flavour);
	if (strstr(rel, "-arch"))
		return pool_printf(pool,
				   "no debug information for kernel %s: the vmlinux of Arch's "
				   "linux-headers is stripped; build package linux with debug "
				   "information, and give its --vmlinux",
				   rel);
	if (strstr(rel, ".fc") || strstr(rel, ".el"))
		return pool_printf(pool,
				   "no debug information for kernel %s: install "
				   "kernel-debuginfo-%s, or give --vmlinux",
				   rel, rel);
	return pool_printf(pool,
			   "no debug information for kernel %s: give the vmlinux of this "
			   "build, compiled with CONFIG_DEBUG_INFO, with --vmlinux",
			   rel);
}
