/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/resolver.h - a raw site as source lines: the currency between resolve
 * and store
 *
 * In:     return addresses as recorded; the recording's own kallsyms, modules
 *         and section addresses; debug information of the same build
 * Out:    the inline chain of each address and, of all frames, the one that
 *         /proc/allocinfo would name (the primary frame)
 * Not:    never fails for want of debug information: it then says how much it
 *         knows in enum resolved_by
 * Rules:  numbered in Documentation/design/symbols.md
 */
#ifndef RESOLVE_RESOLVER_H
#define RESOLVE_RESOLVER_H

#include "base/bytes.h"

struct resolver;

struct resolver_opts {
	struct span kallsyms;	       /* text of /proc/kallsyms; may be empty */
	struct span modules;	       /* BLOB_MODULES; may be empty */
	struct span sections;	       /* BLOB_SECTIONS; may be empty */
	struct span build_ids;	       /* BLOB_BUILD_IDS; may be empty */
	const char *cache_dir;	       /* answers of earlier runs, or NULL: resolve/cache.h */
	struct span rules;	       /* read after rules.txt and in its form; may be empty */
	const char *release;	       /* uname -r of the recording, or NULL */
	const char *vmlinux;	       /* --vmlinux: must match, or resolver_open fails */
	const char *const *debug_dirs; /* --debug-dir, searched first; NULL-terminated */
	bool debuginfod;	       /* servers are asked for what no directory has */
	/* While they answer; @of is 0 as long as it is not known. May be NULL. */
	void (*downloading)(void *arg, uint64_t done, uint64_t of);
	void *downloading_arg;
};

enum resolved_by {
	RESOLVED_DWARF,	   /* file and line */
	RESOLVED_KALLSYMS, /* function and offset only */
	RESOLVED_NOTHING,  /* an address in no known symbol */
	RESOLVED_NONE,	   /* the site has no address at all */
	RESOLVED_TAG,	   /* file and line, by the kernel's own tag: no resolver says so */
};

struct frame {
	const char *func;   /* function, "0x…", or "[unknown]" without an address */
	const char *file;   /* relative to the kernel tree; NULL when not known */
	const char *module; /* NULL for the kernel itself */
	uint64_t addr;	    /* the return address it came from */
	uint32_t line;	    /* 0 when not known */
	uint32_t sym_off;   /* offset into the symbol that kallsyms names … */
	uint32_t sym_size;  /* … and that symbol's size; 0 when not known */
	bool inlined;	    /* into the next frame */
};

/* Why the primary frame is the primary frame. */
enum attributed_by {
	ATTRIBUTED_CHAIN,   /* first frame that is not an allocator's */
	ATTRIBUTED_CALLEE,  /* the call instruction led into a wrapper; its own allocation line
			     */
	ATTRIBUTED_OPAQUE,  /* nothing but allocator frames: the outermost of them */
	ATTRIBUTED_NOTHING, /* no frame at all */
	ATTRIBUTED_TAG,	    /* by the kernel's own tag */
};

struct callsite {
	struct frame *frame; /* innermost first, allocator frames included */
	size_t nr_frames;
	struct frame primary; /* what /proc/allocinfo names; a member of frame[] or,
			       * ATTRIBUTED_CALLEE, a frame below frame[0] */
	size_t caller; /* index in frame[] of what called it; nr_frames when that is unknown */
	enum resolved_by resolved_by;
	enum attributed_by attributed_by;
};

/* Refuses zeroed kallsyms, and a --vmlinux of another kernel, naming both build-ids. */
struct err *resolver_open(const struct resolver_opts *opts, struct resolver **ret) MUST_CHECK;
void resolver_close(struct resolver *resolver);
DEFINE_CLEANUP(struct resolver *, resolver, resolver_close)

/*
 * Resolves one raw site: @nr return addresses, innermost first (one call_site
 * for slab and percpu events). ret->frame and all strings are owned by the
 * resolver, until resolver_close(). Answers are kept: O(1) for a known address.
 */
void resolver_site(struct resolver *resolver, const uint64_t *addr, size_t nr,
		   struct callsite *ret);

/* The same for a site whose events lie between these times: modules come and go. */
void resolver_site_at(struct resolver *resolver, const uint64_t *addr, size_t nr,
		      uint64_t from_ns, uint64_t to_ns, struct callsite *ret);

/* Module @name was loaded or unloaded then. In the order of time, before the sites. */
void resolver_module_event(struct resolver *resolver, const char *name, uint64_t ts_ns,
			   bool loaded);

/* These addresses, of the sites that will be asked for, may be looked up at once. */
void resolver_expect(struct resolver *resolver, const uint64_t *addr, size_t nr);

/* The rules' classes, RULE_*, of the function before return address @addr; 0 for none. */
unsigned int resolver_rules_at(const struct resolver *resolver, uint64_t addr);

/*
 * What was used, for the recording table and for hints: path of the debug
 * information of the kernel or NULL, and its build-id in hex or "".
 */
const char *resolver_vmlinux(const struct resolver *resolver);
const char *resolver_vmlinux_build_id(const struct resolver *resolver);

/* The i-th thing the user should know (one line, no line feed); NULL past the last. */
const char *resolver_note(const struct resolver *resolver, size_t i);

#endif
