/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match/life.h - how long objects lived: a histogram that adds up
 *
 * Eight bins for each doubling of time: a bin is at most an eighth as wide as
 * what is in it is long, so that the middle of a bin is right within a
 * sixteenth, 6.25 %. Histograms of several sites add up bin by bin.
 *
 * Rules:  (1) a site has rows of LIFE_ROW bins for the times that it saw, 128
 *             bytes each, 48 bytes for finding them
 *         (2) no count is lost: what exceeds 32 bits is carried
 */
#ifndef MATCH_LIFE_H
#define MATCH_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LIFE_BINS = 368, /* up to 2^48 ns */
	LIFE_ROW = 32,
	LIFE_ROWS = (LIFE_BINS + LIFE_ROW - 1) / LIFE_ROW,
};

/* The rows of one histogram; 0: none. */
struct life {
	uint32_t row[LIFE_ROWS];
};

struct life_table {
	uint32_t (*row)[LIFE_ROW]; /* [0] is not used */
	size_t nr, cap;
	struct life_carry {
		uint32_t row, bin; /* holds 2^32 more */
	} * carry;
	size_t nr_carry, cap_carry;
};

void life_init(struct life_table *tab);
void life_deinit(struct life_table *tab);

/* A row of its own for @life. */
void life_make_row(struct life_table *tab, struct life *life, unsigned int row);
void life_carry(struct life_table *tab, uint32_t row, unsigned int bin);

uint64_t life_count(const struct life_table *tab, const struct life *life, unsigned int bin);

static inline unsigned int life_bin(uint64_t ns)
{
	if (ns < 8)
		return (unsigned int)ns;
	unsigned int top = 63 - (unsigned int)__builtin_clzll(ns);
	unsigned int bin = (top - 2) * 8 + (unsigned int)(ns >> (top - 3) & 7);

	return bin < LIFE_BINS ? bin : LIFE_BINS - 1;
}

/* The shortest time in a bin; that of the next one ends it. */
static inline uint64_t life_from_ns(unsigned int bin)
{
	return bin < 8 ? bin : (UINT64_C(8) + bin % 8) << (bin / 8 - 1);
}

static inline void life_add(struct life_table *tab, struct life *life, uint64_t ns)
{
	unsigned int bin = life_bin(ns), row = bin / LIFE_ROW;

	if (!life->row[row])
		life_make_row(tab, life, row);
	if (!++tab->row[life->row[row]][bin % LIFE_ROW])
		life_carry(tab, life->row[row], bin % LIFE_ROW);
}

#endif
