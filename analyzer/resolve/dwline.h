/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve/dwline.h - the line table of one unit
 *
 * In:     a unit and its part of .debug_line, any bytes; DWARF 2 to 5
 * Out:    file number and line of an address; the name of a file
 * Rules:  (1) of the rows with the largest address at or below the one asked for the
 *             last counts, as it does for addr2line
 *         (2) the program is run once, and kept as places to go on from: an answer
 *             runs a few dozen instructions
 *         (3) where addresses fall, another sequence begins
 *         (4) programs of machines with several operations an instruction are not read
 */
#ifndef RESOLVE_DWLINE_H
#define RESOLVE_DWLINE_H

#include "resolve/dwunit.h"

struct dwline_row {
	uint64_t addr;
	uint32_t file, line;
};

/* The machine between two instructions, and the last row before. */
struct dwline_point {
	uint32_t pos; /* in the program */
	struct dwline_row state, row;
};

struct dwline_file {
	const char *name;
	uint32_t dir;
};

struct dwline {
	struct bytes program;
	uint8_t version, opcode_base, line_range, min_length, addr_size;
	int8_t line_base;
	uint8_t lengths[256]; /* arguments of standard opcodes */
	const char **dir;
	size_t nr_dirs, cap_dirs;
	struct dwline_file *file;
	size_t nr_files, cap_files;
	struct dwline_seq {
		uint64_t lo, hi;
		size_t first, nr; /* of its points */
	} * seq;		  /* by lo */
	size_t nr_seqs, cap_seqs;
	struct dwline_point *point;
	size_t nr_points, cap_points;
};

/* An empty table where there is none that can be read. */
void dwline_init(struct dwline *line, const struct dwunit *unit);
void dwline_deinit(struct dwline *line);

bool dwline_at(const struct dwline *line, uint64_t pc, uint32_t *ret_file, uint32_t *ret_line);

/*
 * The name of file @i in the numbers of the unit, and its directory, "" for that of
 * the compilation; false for a number that names none.
 */
bool dwline_name(const struct dwline *line, uint64_t i, const char **ret_dir,
		 const char **ret_name);

#endif
