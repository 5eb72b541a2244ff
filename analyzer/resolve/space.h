/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/space.h - the recorded kernel's address space: kernel, modules, the rest
 *
 * In:     what the recording knows of symbols and modules; files on disk
 *         (resolve/objects.h), and what an earlier run found (resolve/cache.h)
 * Out:    for a recorded address: symbol, module, inline chain, calls
 * Not:    knows nothing of allocators
 * Rules:  every address in and out is as recorded: the slide stays inside
 */
#ifndef RESOLVE_SPACE_H
#define RESOLVE_SPACE_H

#include "resolve/debuginfo.h"
#include "resolve/kallsyms.h"
#include "resolve/module.h"
#include "resolve/resolver.h"

struct space;

struct space_call {
	uint64_t ret_addr;
	const char *callee; /* function name */
	bool tail;
	uint64_t callee_die; /* for space_entries() */
	uint64_t target;     /* entry address when it is known already, else 0 */
};

struct err *space_open(const struct resolver_opts *opts, struct pool *pool,
		       struct space **ret) MUST_CHECK;
void space_close(struct space *space);
DEFINE_CLEANUP(struct space *, space, space_close)

/* When a module came or went, in the order of time. */
void space_module_event(struct space *space, const char *name, uint64_t ts_ns, bool loaded);
/* What is asked for from now on was seen between these times. */
void space_set_time(struct space *space, uint64_t from_ns, uint64_t to_ns);
/* Which of several modules had @pc then; NULL where that makes no difference. */
const struct module *space_owner(const struct space *space, uint64_t pc);

/* Symbol that covers @pc, or NULL; *ret_size as kallsyms_at(). */
const struct ksym *space_symbol(const struct space *space, uint64_t pc, uint64_t *ret_size);
/* All of them. */
const struct kallsyms *space_kallsyms(const struct space *space);
/* Name of the module of @pc; NULL for the kernel. */
const char *space_module(struct space *space, uint64_t pc);

/* Return addresses that will be asked for: debuginfo_expect() for each file. */
void space_expect(struct space *space, const uint64_t *addr, size_t nr);
/* As the debuginfo functions of the same names. */
size_t space_chain(struct space *space, uint64_t pc, struct debuginfo_frame *ret, size_t max);
bool space_call_at(struct space *space, uint64_t ret_addr, struct space_call *ret);
/* True where that call is known to be one through a pointer. */
bool space_call_by_pointer(struct space *space, uint64_t ret_addr);
bool space_call_in(struct space *space, uint64_t pc, size_t *i, struct space_call *ret);
/*
 * As space_call_in(), but read from the code of the function that starts at
 * @entry: for debug information without calls.
 */
bool space_branch_in(struct space *space, uint64_t entry, size_t *i, struct space_call *ret);
/* Entry addresses of what @call calls, at most @max. */
size_t space_entries(struct space *space, const struct space_call *call, uint64_t *ret,
		     size_t max);

/*
 * An answer about the call that returns to @addr, of an earlier run: an index
 * into the frames of *@ret_addr, or none, when *@ret_addr is 0.
 */
bool space_recall(struct space *space, uint64_t addr, uint64_t question, uint64_t *ret_addr,
		  size_t *ret_index);
void space_remember(struct space *space, uint64_t addr, uint64_t question, uint64_t answer,
		    size_t index);
/* What tells where @addr lies in any boot of this kernel; 0 where nothing does. */
uint64_t space_fixed(struct space *space, uint64_t addr);

const char *space_vmlinux(const struct space *space);	       /* or NULL */
const char *space_vmlinux_build_id(const struct space *space); /* or "" */
const char *space_note(const struct space *space, size_t i);

#endif
