/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/dwabbrev.h - what the entries of a unit of DWARF consist of
 *
 * In:     .debug_abbrev, any bytes, and where a unit's table begins
 * Out:    by code: tag, children, and how to get past an entry without looking
 *         at each attribute; the sizes of forms
 * Not:    reads no attribute's value
 * Rules:  (1) a table ends at the first thing that makes no sense, and entries of
 *             codes it lacks end the reading of a unit
 *         (2) what is kept of a table saves time, not checks: attributes are read
 *             again, within bounds, from the section
 *         (3) an entry has at most DWABBREV_MAX_ATTRS attributes
 */
#ifndef RESOLVE_DWABBREV_H
#define RESOLVE_DWABBREV_H

#include "base/bytes.h"

enum { DWABBREV_MAX_ATTRS = 256, DWABBREV_NO_SIBLING = 0xff };

/* What entries are looked into. */
enum dwabbrev_kind {
	DWKIND_OTHER,
	DWKIND_FUNCTION, /* or an inlined one */
	DWKIND_CALL,
	DWKIND_BLOCK, /* of statements */
	DWKIND_SPACE, /* of names: some languages keep functions there */
};

struct dwabbrev {
	uint32_t spec;	/* offset of its attributes in .debug_abbrev; 0: no such code */
	uint32_t rest;	/* of those behind the last of fixed size; 0: all are of it */
	uint32_t fixed; /* bytes of the attributes before */
	uint16_t tag;
	uint8_t kind;	 /* enum dwabbrev_kind */
	uint8_t sibling; /* where in those bytes DW_AT_sibling is */
	uint8_t sibling_size;
	bool children;
	bool declaration; /* of something that is elsewhere */
};

/* What the size of a form depends on. */
struct dwparams {
	uint16_t version;
	uint8_t addr_size;
	uint8_t off_size; /* 4, or 8 in 64-bit DWARF */
};

struct dwabbrevs {
	struct dwabbrev *by_code; /* codes 1 to nr_codes, as long as they are dense */
	size_t nr_codes, cap_codes;
	size_t nr; /* of all */
	struct dwabbrev_far {
		uint64_t code;
		struct dwabbrev abbrev;
	} * far; /* the others, sorted */
	size_t nr_far, cap_far;
};

/* Reads the table at @off of @section; *ret_len is what it takes there. */
void dwabbrevs_init(struct dwabbrevs *abbrevs, struct span section, uint64_t off,
		    struct dwparams params, size_t *ret_len);
void dwabbrevs_deinit(struct dwabbrevs *abbrevs);

const struct dwabbrev *dwabbrevs_far(const struct dwabbrevs *abbrevs, uint64_t code);

static inline const struct dwabbrev *dwabbrevs_get(const struct dwabbrevs *abbrevs,
						   uint64_t code)
{
	if (code - 1 < abbrevs->nr_codes && abbrevs->by_code[code - 1].spec)
		return &abbrevs->by_code[code - 1];
	return dwabbrevs_far(abbrevs, code);
}

/* Bytes of a value of @form; -1 when they tell that themselves, -2 for no form. */
int dwform_size(uint64_t form, struct dwparams params);
/* Gets past a value. */
bool dwform_skip(struct bytes *b, uint64_t form, struct dwparams params);

static inline bool dw_uleb(struct bytes *b, uint64_t *ret)
{
	uint64_t v = 0;

	if (b->pos < b->end && *b->pos < 0x80) {
		*ret = *b->pos++;
		return true;
	}
	for (unsigned int shift = 0; b->pos < b->end; shift += 7) {
		uint8_t c = *b->pos++;

		if (shift < 64)
			v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static inline bool dw_sleb(struct bytes *b, int64_t *ret)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; b->pos < b->end;) {
		uint8_t c = *b->pos++;

		if (shift < 64)
			v |= (uint64_t)(c & 0x7f) << shift;
		shift += 7;
		if (!(c & 0x80)) {
			if (shift < 64 && (c & 0x40))
				v |= UINT64_MAX << shift;
			*ret = (int64_t)v;
			return true;
		}
	}
	return false;
}

static inline bool dw_is_little(const struct bytes *b)
{
	return b->swap == (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__);
}

/* @size 1, 2, 3, 4 or 8. */
static inline bool dw_uint(struct bytes *b, unsigned int size, uint64_t *ret)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;

	switch (size) {
	case 1:
		return bytes_u8(b, &v8) && (*ret = v8, true);
	case 2:
		return bytes_u16(b, &v16) && (*ret = v16, true);
	case 3:
		if (bytes_left(b) < 3)
			return false;
		v32 = (uint32_t)b->pos[0] << 16 | (uint32_t)b->pos[1] << 8 | b->pos[2];
		b->pos += 3;
		*ret = dw_is_little(b) ? bswap_32(v32) >> 8 : v32;
		return true;
	case 4:
		return bytes_u32(b, &v32) && (*ret = v32, true);
	case 8:
		return bytes_u64(b, ret);
	}
	return false;
}

#endif
