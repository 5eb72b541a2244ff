// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/dwline.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* Every so many bytes of a program one can go on from. */
enum { POINT_EVERY = 128, MAX_FORMATS = 16 };

static const char *string_at(struct bytes *b, uint64_t form, const struct dwunit *unit)
{
	uint64_t off;
	const char *s;

	switch (form) {
	case DW_FORM_string:
		return bytes_str(b, &s) ? s : NULL;
	case DW_FORM_line_strp:
	case DW_FORM_strp:
		if (!dw_uint(b, unit->params.off_size, &off))
			return NULL;
		s = dwfile_str(unit->file,
			       form == DW_FORM_strp ? DWSECTION_STR : DWSECTION_LINE_STR, off);
		return s ? s : "";
	}
	return NULL;
}

static bool number_at(struct bytes *b, uint64_t form, uint64_t *ret)
{
	switch (form) {
	case DW_FORM_udata:
		return dw_uleb(b, ret);
	case DW_FORM_data1:
		return dw_uint(b, 1, ret);
	case DW_FORM_data2:
		return dw_uint(b, 2, ret);
	case DW_FORM_data4:
		return dw_uint(b, 4, ret);
	case DW_FORM_data8:
		return dw_uint(b, 8, ret);
	}
	return false;
}

static void add_dir(struct dwline *l, const char *name)
{
	vec_room(l->dir, l->nr_dirs, l->cap_dirs);
	l->dir[l->nr_dirs++] = name;
}

static void add_file(struct dwline *l, const char *name, uint64_t dir)
{
	vec_room(l->file, l->nr_files, l->cap_files);
	l->file[l->nr_files++] =
		(struct dwline_file){ name, dir < UINT32_MAX ? (uint32_t)dir : UINT32_MAX };
}

/* A table of directories or files of DWARF 5. */
static bool read_entries(struct dwline *l, struct bytes *b, const struct dwunit *unit,
			 bool files)
{
	uint64_t type[MAX_FORMATS], form[MAX_FORMATS], nr;
	uint8_t nr_formats;

	if (!bytes_u8(b, &nr_formats) || nr_formats > MAX_FORMATS)
		return false;
	for (int i = 0; i < nr_formats; i++)
		if (!dw_uleb(b, &type[i]) || !dw_uleb(b, &form[i]))
			return false;
	/* An entry of no bytes could be there any number of times. */
	if (!dw_uleb(b, &nr) || (nr && !nr_formats))
		return false;
	for (; nr; nr--) {
		const char *name = "";
		uint64_t dir = 0;
		const uint8_t *start = b->pos;

		for (int i = 0; i < nr_formats; i++) {
			bool known = type[i] == DW_LNCT_path
					     ? (name = string_at(b, form[i], unit)) != NULL
				     : type[i] == DW_LNCT_directory_index
					     ? number_at(b, form[i], &dir)
					     : dwform_skip(b, form[i], unit->params);

			if (!known)
				return false;
		}
		if (b->pos == start)
			return false;
		if (files)
			add_file(l, name, dir);
		else
			add_dir(l, name);
	}
	return true;
}

/* The same in DWARF 2 to 4, where both count from 1. */
static bool read_old_entries(struct dwline *l, struct bytes *b)
{
	const char *name;
	uint64_t dir, time, size;

	add_dir(l, "");
	for (;;) {
		if (!bytes_str(b, &name))
			return false;
		if (!*name)
			break;
		add_dir(l, name);
	}
	add_file(l, NULL, 0);
	for (;;) {
		if (!bytes_str(b, &name))
			return false;
		if (!*name)
			return true;
		if (!dw_uleb(b, &dir) || !dw_uleb(b, &time) || !dw_uleb(b, &size))
			return false;
		add_file(l, name, dir);
	}
}

static bool read_header(struct dwline *l, const struct dwunit *unit)
{
	const struct span *section = &unit->file->section[DWSECTION_LINE];
	struct bytes b = bytes_of(section->data, section->len, unit->file->swap);
	struct dwunit in = *unit; /* with the sizes of this table */
	uint64_t len, header, version;
	uint8_t min_length, max_ops = 1, is_stmt, line_base;

	if (!bytes_seek(&b, unit->line) || !dw_uint(&b, 4, &len))
		return false;
	in.params.off_size = 4;
	if (len == 0xffffffff) {
		in.params.off_size = 8;
		if (!dw_uint(&b, 8, &len))
			return false;
	}
	if (len > bytes_left(&b) || len > UINT32_MAX)
		return false;
	b.end = b.pos + len;
	if (!dw_uint(&b, 2, &version) || version < 2 || version > 5 ||
	    (version == 5 && !bytes_skip(&b, 2)) || !dw_uint(&b, in.params.off_size, &header) ||
	    header > bytes_left(&b))
		return false;
	l->version = (uint8_t)version;
	l->addr_size = unit->params.addr_size;
	l->program = b;
	l->program.start = l->program.pos = b.pos + header;
	b.end = l->program.pos;
	if (!bytes_u8(&b, &min_length) || (version >= 4 && !bytes_u8(&b, &max_ops)) ||
	    !bytes_u8(&b, &is_stmt) || !bytes_u8(&b, &line_base) ||
	    !bytes_u8(&b, &l->line_range) || !bytes_u8(&b, &l->opcode_base) || max_ops != 1 ||
	    !l->line_range || !l->opcode_base)
		return false;
	l->min_length = min_length;
	l->line_base = (int8_t)line_base;
	for (int i = 1; i < l->opcode_base; i++)
		if (!bytes_u8(&b, &l->lengths[i]))
			return false;
	in.params.version = l->version;
	/* What is known of the names when they break off is still right. */
	if (version < 5)
		read_old_entries(l, &b);
	else if (read_entries(l, &b, &in, false))
		read_entries(l, &b, &in, true);
	return true;
}

enum step { STEP_NONE, STEP_ROW, STEP_END, STEP_STOP };

static void set_line(struct dwline_row *state, int64_t delta)
{
	state->line += (uint32_t)delta;
}

static enum step extended(const struct dwline *l, struct bytes *b, struct dwline_row *state)
{
	uint64_t len;
	uint8_t op = 0;

	if (!dw_uleb(b, &len) || !len || len > bytes_left(b))
		return STEP_STOP;
	struct bytes arg = bytes_of(b->pos, (size_t)len, b->swap);

	b->pos += len;
	bytes_u8(&arg, &op);
	switch (op) {
	case DW_LNE_end_sequence:
		return STEP_END;
	case DW_LNE_set_address:
		return dw_uint(&arg, len - 1 == 4 ? 4 : l->addr_size, &state->addr) ? STEP_NONE
										    : STEP_STOP;
	}
	return STEP_NONE;
}

/* Runs one instruction. */
static inline enum step run_one(const struct dwline *l, struct bytes *b,
				struct dwline_row *state)
{
	uint8_t op;
	uint64_t v;
	int64_t delta;

	if (!bytes_u8(b, &op))
		return STEP_STOP;
	if (op >= l->opcode_base) {
		op = (uint8_t)(op - l->opcode_base);
		state->addr += (uint64_t)(op / l->line_range) * l->min_length;
		set_line(state, l->line_base + op % l->line_range);
		return STEP_ROW;
	}
	switch (op) {
	case 0:
		return extended(l, b, state);
	case DW_LNS_copy:
		return STEP_ROW;
	case DW_LNS_advance_pc:
		if (!dw_uleb(b, &v))
			return STEP_STOP;
		state->addr += v * l->min_length;
		return STEP_NONE;
	case DW_LNS_advance_line:
		if (!dw_sleb(b, &delta))
			return STEP_STOP;
		set_line(state, delta);
		return STEP_NONE;
	case DW_LNS_set_file:
		if (!dw_uleb(b, &v))
			return STEP_STOP;
		state->file = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
		return STEP_NONE;
	case DW_LNS_const_add_pc:
		state->addr +=
			(uint64_t)((255 - l->opcode_base) / l->line_range) * l->min_length;
		return STEP_NONE;
	case DW_LNS_fixed_advance_pc:
		if (!dw_uint(b, 2, &v))
			return STEP_STOP;
		state->addr += v;
		return STEP_NONE;
	}
	for (int i = 0; i < l->lengths[op]; i++)
		if (!dw_uleb(b, &v))
			return STEP_STOP;
	return STEP_NONE;
}

static const struct dwline_row first_row = { .file = 1, .line = 1 };

static void add_point(struct dwline *l, const struct bytes *b, const struct dwline_row *state,
		      const struct dwline_row *row)
{
	vec_room(l->point, l->nr_points, l->cap_points);
	l->point[l->nr_points++] = (struct dwline_point){
		.pos = (uint32_t)bytes_off(b),
		.state = *state,
		.row = *row,
	};
}

/* Ends the sequence that began with point @first; empty ones leave nothing. */
static void add_seq(struct dwline *l, size_t first, uint64_t lo, uint64_t hi)
{
	/* Address 0 is where a linker leaves what it threw away. */
	if (first == l->nr_points || !lo || lo >= hi) {
		l->nr_points = first;
		return;
	}
	vec_room(l->seq, l->nr_seqs, l->cap_seqs);
	l->seq[l->nr_seqs++] = (struct dwline_seq){ lo, hi, first, l->nr_points - first };
}

static void run(struct dwline *l)
{
	struct bytes b = l->program;
	struct dwline_row state = first_row, row = {};
	size_t first = 0, next_point = 0;
	uint64_t lo = 0;
	bool open = false;

	for (;;) {
		enum step step = run_one(l, &b, &state);

		if (step == STEP_NONE) {
			if (open && bytes_off(&b) >= next_point + POINT_EVERY) {
				add_point(l, &b, &state, &row);
				next_point = bytes_off(&b);
			}
			continue;
		}
		if (open && (step != STEP_ROW || state.addr < row.addr)) {
			add_seq(l, first, lo, step == STEP_END ? state.addr : row.addr);
			open = false;
		}
		if (step == STEP_STOP)
			break;
		if (step == STEP_END) {
			state = first_row;
			continue;
		}
		row = state;
		if (!open) {
			open = true;
			first = l->nr_points;
			lo = row.addr;
			next_point = bytes_off(&b);
		}
		if (bytes_off(&b) >= next_point) {
			add_point(l, &b, &state, &row);
			next_point = bytes_off(&b) + POINT_EVERY;
		}
	}
}

static int compare_seqs(const void *va, const void *vb)
{
	const struct dwline_seq *a = va, *b = vb;

	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

void dwline_init(struct dwline *l, const struct dwunit *unit)
{
	*l = (struct dwline){};
	if (!read_header(l, unit))
		return;
	run(l);
	if (l->nr_seqs)
		qsort(l->seq, l->nr_seqs, sizeof(*l->seq), compare_seqs);
}

void dwline_deinit(struct dwline *l)
{
	free(l->dir);
	free(l->file);
	free(l->seq);
	free(l->point);
	*l = (struct dwline){};
}

static const struct dwline_seq *find_seq(const struct dwline *l, uint64_t pc)
{
	size_t lo = 0, hi = l->nr_seqs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->seq[mid].lo <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && pc < l->seq[lo - 1].hi ? &l->seq[lo - 1] : NULL;
}

bool dwline_at(const struct dwline *l, uint64_t pc, uint32_t *ret_file, uint32_t *ret_line)
{
	const struct dwline_seq *seq = find_seq(l, pc);
	size_t lo = 1, hi;

	if (!seq)
		return false;
	hi = seq->nr;
	/* The last point whose row is not behind @pc; the first one's is not. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->point[seq->first + mid].row.addr <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct dwline_point *point = &l->point[seq->first + lo - 1];
	struct dwline_row state = point->state, row = point->row;
	struct bytes b = l->program;
	uint64_t before = row.addr;

	b.pos = b.start + point->pos;
	for (;;) {
		enum step step = run_one(l, &b, &state);

		if (step == STEP_NONE)
			continue;
		if (step != STEP_ROW || state.addr > pc || state.addr < before)
			break;
		row = state;
		before = row.addr;
	}
	*ret_file = row.file;
	*ret_line = row.line;
	return true;
}

bool dwline_name(const struct dwline *l, uint64_t i, const char **ret_dir,
		 const char **ret_name)
{
	if (i >= l->nr_files || !l->file[i].name)
		return false;
	*ret_name = l->file[i].name;
	*ret_dir = l->file[i].dir < l->nr_dirs ? l->dir[l->file[i].dir] : "";
	return true;
}
