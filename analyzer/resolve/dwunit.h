/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/dwunit.h - the units of .debug_info and the entries in them
 *
 * In:     the debug sections of one file, any bytes; DWARF 2 to 5, also split
 * Out:    units by offset; the entries of a unit one by one; the values of
 *         attributes; the address ranges of an entry
 * Not:    knows no line table, and of no tag what it means
 * Rules:  (1) whatever makes no sense reads as absent: nothing here fails
 *         (2) units may be looked into by several threads at a time
 */
#ifndef RESOLVE_DWUNIT_H
#define RESOLVE_DWUNIT_H

#include "base/cleanup.h"
#include "resolve/dwtables.h"

enum dwsection {
	DWSECTION_INFO,
	DWSECTION_ABBREV,
	DWSECTION_LINE,
	DWSECTION_STR,
	DWSECTION_LINE_STR,
	DWSECTION_STR_OFFSETS,
	DWSECTION_ADDR,
	DWSECTION_RANGES,
	DWSECTION_RNGLISTS,
	NR_DWSECTIONS,
};

struct dwunit;

/* One file's DWARF. */
struct dwfile {
	struct span section[NR_DWSECTIONS];
	bool swap;
	bool split;	      /* a .dwo file */
	uint16_t index;	      /* of the file in a dwref */
	struct dwfile *alt;   /* dwz's supplementary file, or NULL; borrowed */
	struct dwunit **unit; /* by offset */
	size_t nr_units, cap_units;
	struct dwtables tables;
};

/* An entry of any file: its index above DWREF_BITS bits of offset; 0 is none. */
typedef uint64_t dwref;
enum { DWREF_BITS = 48 };

struct dwunit {
	const struct dwfile *file;
	struct dwtable *table;
	uint64_t off;	/* of the header, in .debug_info */
	uint64_t first; /* of the first entry */
	uint64_t end;
	struct dwparams params;
	uint8_t type; /* DW_UT_* */

	/* Of the first entry; read by dwunit_read(). */
	bool read;
	uint16_t tag;
	uint32_t language;
	const char *name, *comp_dir; /* never NULL */
	uint64_t low_pc;
	uint64_t line; /* offset in .debug_line; UINT64_MAX: none */
	uint64_t str_offsets_base, addr_base, rnglists_base, ranges_base;
	uint64_t dwo_id;
	const char *dwo_name;	       /* NULL: nothing is elsewhere */
	const struct dwunit *skeleton; /* what a unit of a .dwo file belongs to */
};

struct dwattr {
	uint16_t name, form;
	const uint8_t *pos;
	int64_t value; /* DW_FORM_implicit_const */
};

/* An entry whose attributes are gone through. */
struct dwdie {
	const struct dwunit *unit;
	const struct dwabbrevs *abbrevs;
	const struct dwabbrev *abbrev;
	struct bytes b; /* at the next attribute; at the end, when there is none left */
	struct bytes spec;
	bool bad;
};

/* Address ranges of an entry, from its attributes. */
struct dwranges {
	const struct dwunit *unit;
	bool has_low, has_high, has_list, high_is_size, rnglists;
	uint64_t low, high;
	uint64_t base;
	struct bytes list;
};

/* Finds the units; @file->section and swap are set. */
void dwfile_init(struct dwfile *file);
void dwfile_deinit(struct dwfile *file);

/* A string of @section; NULL where there is none. */
const char *dwfile_str(const struct dwfile *file, enum dwsection section, uint64_t off);

/* The unit that holds @off, or NULL. */
struct dwunit *dwfile_unit(const struct dwfile *file, uint64_t off);

/* Reads the unit's first entry, the first time; of a split unit after its skeleton's. */
void dwunit_read(struct dwunit *unit);

/* At the entry at @off of .debug_info; false where there is none, as between siblings. */
bool dwdie_at(const struct dwunit *unit, uint64_t off, struct dwdie *ret);
/*
 * At the entry behind, which @die has been brought to; false, behind it, for the
 * one that ends siblings, and when @die->bad.
 */
bool dwdie_step(struct dwdie *die);
/* The next attribute; false past the last, or when @die->bad. */
bool dwdie_next(struct dwdie *die, struct dwattr *ret);

bool dwattr_uint(const struct dwdie *die, const struct dwattr *attr, uint64_t *ret);
bool dwattr_addr(const struct dwunit *unit, const struct dwattr *attr, uint64_t *ret);
/* NULL for none. */
const char *dwattr_str(const struct dwunit *unit, const struct dwattr *attr);
dwref dwattr_ref(const struct dwunit *unit, const struct dwattr *attr);
bool dwattr_flag(const struct dwattr *attr);

static inline dwref dwref_of(const struct dwfile *file, uint64_t off)
{
	return off >> DWREF_BITS ? 0 : (uint64_t)file->index << DWREF_BITS | off;
}

static inline uint64_t dwref_off(dwref ref)
{
	return ref & ((UINT64_C(1) << DWREF_BITS) - 1);
}

static inline size_t dwref_file(dwref ref)
{
	return (size_t)(ref >> DWREF_BITS);
}

/* Takes low_pc, high_pc and ranges out of an entry's attributes. */
void dwranges_attr(struct dwranges *ranges, const struct dwunit *unit,
		   const struct dwattr *attr);
/* When all attributes were seen, before the first dwranges_next(). */
void dwranges_start(struct dwranges *ranges);
/* The next range that is not empty; each step takes one of @budget. */
bool dwranges_next(struct dwranges *ranges, uint64_t *budget, uint64_t *lo, uint64_t *hi);

#endif
