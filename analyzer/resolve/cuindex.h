/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/cuindex.h - functions, inlined functions and calls of one compilation unit
 *
 * In:     a unit's DIE, any debug information at all
 * Out:    the innermost scope of an address, in O(log n), each scope with its
 *         parent; and the calls the compiler described, by return address
 * Not:    reads no line table and no name: it keeps offsets of DIEs
 * Rules:  (1) a DIE is looked at only while it lies behind the one before it and
 *             the unit has bytes left to hold it: no loop, no endless recursion
 *         (2) scopes nest: one that sticks out of its parent is cut
 */
#ifndef RESOLVE_CUINDEX_H
#define RESOLVE_CUINDEX_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#define SCOPE_NONE UINT32_MAX

/* A function, or a function inlined into its parent. */
struct scope {
	uint64_t die;	    /* offset in .debug_info */
	uint64_t origin;    /* of the abstract function; 0 when it is itself */
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
	uint64_t callee;   /* offset of the called function's DIE; 0 when unknown */
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

/* @size of the unit in bytes: no DIE is smaller than one. */
void cuindex_init(struct cuindex *ix, Dwarf_Die *cu, uint64_t size);
void cuindex_deinit(struct cuindex *ix);

/* Innermost scope that covers @pc, or SCOPE_NONE. */
uint32_t cuindex_scope(const struct cuindex *ix, uint64_t pc);

/* The call that returns to @ret_pc, or NULL. */
const struct cucall *cuindex_call(const struct cuindex *ix, uint64_t ret_pc);

#endif
