/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/cuindex.h - functions, inlined functions and calls of one compilation unit
 *
 * In:     a unit, any debug information at all
 * Out:    the innermost scope of an address, in O(log n), each scope with its
 *         parent; and the calls the compiler described, by return address
 * Not:    reads no line table and no name: it keeps offsets of DIEs
 * Rules:  (1) DIEs are looked at in rising offsets, each at most once; there are no
 *             more scopes, calls and ranges than the unit's bytes could describe
 *         (2) scopes nest: one that sticks out of its parent is cut
 */
#ifndef RESOLVE_CUINDEX_H
#define RESOLVE_CUINDEX_H

#include "resolve/dwunit.h"

#define SCOPE_NONE UINT32_MAX

/* A function, or a function inlined into its parent. */
struct scope {
	dwref die;
	dwref origin;	    /* the abstract function; 0 when it is itself */
	uint64_t entry;	    /* lowest address */
	uint32_t parent;    /* SCOPE_NONE for a function */
	uint32_t function;  /* the outermost parent */
	uint32_t call_file; /* where it is inlined */
	uint32_t call_line;
	uint16_t depth;
};

/* A call instruction. */
struct cucall {
	uint64_t ret_pc;   /* address of the instruction behind it */
	dwref callee;	   /* the called function's DIE; 0 when unknown */
	uint32_t function; /* scope that makes the call */
	bool tail;	   /* a jump: it never comes back */
};

struct cuindex {
	struct scope *scope;
	size_t nr_scopes, cap_scopes;
	struct cucall *call; /* by ret_pc */
	size_t nr_calls, cap_calls;
	struct cuseg {
		uint64_t start;
		uint32_t scope; /* innermost from here to the next start */
	} * seg;
	size_t nr_segs, cap_segs;
};

/* @unit has been read. */
void cuindex_init(struct cuindex *ix, const struct dwunit *unit);
void cuindex_deinit(struct cuindex *ix);

/* Innermost scope that covers @pc, or SCOPE_NONE. */
uint32_t cuindex_scope(const struct cuindex *ix, uint64_t pc);

/* The call that returns to @ret_pc, or NULL. */
const struct cucall *cuindex_call(const struct cuindex *ix, uint64_t ret_pc);

#endif
