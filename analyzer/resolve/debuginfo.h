/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/debuginfo.h - one ELF file with debug information
 *
 * In:     the path of a vmlinux, or of a module with the addresses its sections
 *         were loaded at; any bytes, also packed by gzip, xz or zstd
 * Out:    by address: inline chain with file and line, the call that returns
 *         there, the calls a function makes; symbols; build-id
 * Not:    goes to no network; knows nothing of allocators
 * Rules:  (1) addresses are the file's own for a vmlinux, run-time ones for a module
 *         (2) strings live as long as the debuginfo, file names as the pool
 */
#ifndef RESOLVE_DEBUGINFO_H
#define RESOLVE_DEBUGINFO_H

#include "base/cleanup.h"
#include "base/err.h"
#include "resolve/module.h"
#include "resolve/pool.h"

struct debuginfo;

enum { DEBUGINFO_BUILD_ID = 2 * 64 + 1 };

struct debuginfo_frame {
	const char *func; /* NULL for code outside of any function, as in assembly */
	const char *file; /* relative to the kernel tree; NULL when not known */
	uint32_t line;
	bool inlined; /* into the next frame */
};

struct debuginfo_call {
	uint64_t ret_pc;
	const char *callee; /* NULL for a call through a pointer */
	uint64_t die;	    /* of the callee */
	bool tail;
};

struct debuginfo_symbol {
	const char *name;
	uint64_t value;
};

/* @module NULL: the kernel. Fails on what is no ELF file of the right kind. */
struct err *debuginfo_open(const char *path, const struct module *module, struct pool *pool,
			   struct debuginfo **ret) MUST_CHECK;
/* The build-id of the ELF file at @path alone, in hex; "" when it has none. */
void debuginfo_peek(const char *path, char ret[DEBUGINFO_BUILD_ID]);
void debuginfo_close(struct debuginfo *di);
DEFINE_CLEANUP(struct debuginfo *, debuginfo, debuginfo_close)

/* In hex; "" when it has none. */
const char *debuginfo_build_id(const struct debuginfo *di);
/* False when there are symbols only. */
bool debuginfo_has_dwarf(const struct debuginfo *di);

/* The next global function at or behind index *@i of the symbol table. */
bool debuginfo_next_symbol(struct debuginfo *di, size_t *i, struct debuginfo_symbol *ret);

/* These addresses will be asked for: the work is done by several threads at once. */
void debuginfo_expect(struct debuginfo *di, const uint64_t *pc, size_t nr);

/* Innermost first, at most @max; returns the number, 0 when nothing is known. */
size_t debuginfo_chain(struct debuginfo *di, uint64_t pc, struct debuginfo_frame *ret,
		       size_t max);

/* The call instruction before @ret_pc, if the debug information describes it. */
bool debuginfo_call_at(struct debuginfo *di, uint64_t ret_pc, struct debuginfo_call *ret);

/*
 * Where a direct call or jump before @ret_pc goes, read from the code itself;
 * any bytes that look like one are taken for one. *ret_tail: it is a jump.
 */
bool debuginfo_branch_at(struct debuginfo *di, uint64_t ret_pc, uint64_t *ret, bool *ret_tail);

/* Entry addresses of the callee as far as this file defines it in the same unit. */
size_t debuginfo_entries(struct debuginfo *di, const struct debuginfo_call *call, uint64_t *ret,
			 size_t max);

/* The @i-th call of the function that @pc lies in, in address order. */
bool debuginfo_call_in(struct debuginfo *di, uint64_t pc, size_t *i,
		       struct debuginfo_call *ret);

#endif
