/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/property/oracle.h - the matcher once more: one array, linear scans
 *
 * Written from Documentation/design/matching.md and from nothing else. It is
 * told the base of the direct map and asks every question of all it ever saw.
 */
#ifndef TESTS_PROPERTY_ORACLE_H
#define TESTS_PROPERTY_ORACLE_H

#include "match/match.h"

enum { ORACLE_MAX = 4096 };

struct oracle_object {
	bool live, twin, cache, in_pieces, rcu;
	bool single, larger; /* pieces of it that went */
	enum site_kind kind;
	uint64_t key, bytes;	  /* pages: pfn; bytes shrink */
	uint64_t pages, made, ts; /* made: its first size */
	size_t site;
};

struct oracle {
	uint64_t base;
	struct oracle_object obj[ORACLE_MAX];
	size_t nr_obj;
	struct {
		uint64_t pfn;
		size_t obj;
		bool live;
	} page[ORACLE_MAX * 16];
	size_t nr_page;
	struct {
		size_t site;
		uint64_t ts;
		int64_t bytes; /* change of live bytes */
	} ledger[ORACLE_MAX * 16];
	size_t nr_ledger;
	struct {
		size_t obj, ledger;
		int32_t pid;
		uint32_t cpu, context;
		uint64_t bytes_req;
	} large[ORACLE_MAX]; /* that may yet have a duplicate */
	size_t nr_large;
	struct {
		size_t obj;
		uint64_t ts;
		uint16_t cpu;
	} reuse[ORACLE_MAX];
	size_t nr_reuse;
	struct {
		uint64_t from, to, ts;
	} move[ORACLE_MAX];
	size_t nr_move;
	struct oracle_free {
		enum { FREE_KNOWN, FREE_LARGE, FREE_SILENT, FREE_OLDER } of;
		uint64_t call_site, addr, bytes;
		uint16_t cache;
		size_t site;
	} free[ORACLE_MAX * 4]; /* of slab objects; slabs and areas, which name themselves */
	size_t nr_free;
	struct {
		uint64_t addr, call_site; /* 0: freed since */
	} rcu[ORACLE_MAX];		  /* not known, given to RCU */
	size_t nr_rcu;
	struct oracle_slab_page {
		bool here, slab;      /* objects were seen in it; small ones */
		uint64_t addr, bytes; /* of the page; of an object last put into it */
	} slab_page[ORACLE_MAX];
	size_t nr_slab_page;
	struct oracle_area {
		bool live;
		uint64_t start, pages, outer, ts; /* pages: silent ones */
		size_t site;
	} area[ORACLE_MAX]; /* of vmalloc */
	size_t nr_area;
	struct oracle_task {
		int32_t pid;
		uint32_t cpu, context;
		size_t last[2];
		size_t freed_site;
		uint64_t freed_pages, older_pages;
		bool freed_unknown;
	} task[ORACLE_MAX];
	size_t nr_task;
	uint64_t older_areas; /* that went with pages */
	/* A site of pages or vmap areas has its only frame in call_site. */
	struct site site[ORACLE_MAX];
	bool allocated[ORACLE_MAX], mixed[ORACLE_MAX];
	size_t nr_site;
	struct match_totals totals;
	uint64_t gap_end;
};

/* The classes of return addresses in histories. */
enum code_class oracle_classify(void *arg, uint64_t addr);

void oracle_event(struct oracle *o, const struct event *ev);
void oracle_finish(struct oracle *o);

#endif
