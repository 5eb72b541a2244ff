// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/dwunit.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/xalloc.h"

enum { MAX_UNITS = 1 << 20 };

static struct bytes section_at(const struct dwfile *file, enum dwsection section, uint64_t off)
{
	const struct span *span = &file->section[section];
	struct bytes b = bytes_of(span->data, span->len, file->swap);

	if (!bytes_seek(&b, off))
		b.pos = b.end;
	return b;
}

const char *dwfile_str(const struct dwfile *file, enum dwsection section, uint64_t off)
{
	/* dwfile_init() has cut the section behind its last NUL. */
	return off < file->section[section].len
		       ? (const char *)file->section[section].data + off
		       : NULL;
}

/* The unit at the position of @b; false where the section ends or makes no sense. */
static bool read_header(struct dwfile *file, struct bytes *b)
{
	struct dwunit unit = { .file = file, .off = bytes_off(b), .type = DW_UT_compile };
	uint64_t len, version, abbrev, size, skipped = 0;

	unit.params.off_size = 4;
	if (!dw_uint(b, 4, &len))
		return false;
	if (len == 0xffffffff) {
		unit.params.off_size = 8;
		if (!dw_uint(b, 8, &len))
			return false;
	}
	if (len > bytes_left(b))
		return false;
	unit.end = bytes_off(b) + len;

	struct bytes in = bytes_of(b->start, unit.end, b->swap);

	bytes_seek(&in, bytes_off(b));
	b->pos += len;
	if (!dw_uint(&in, 2, &version) || version < 2 || version > 5)
		return true;
	if (version == 5) {
		if (!bytes_u8(&in, &unit.type) || !dw_uint(&in, 1, &size) ||
		    !dw_uint(&in, unit.params.off_size, &abbrev))
			return true;
		if (unit.type == DW_UT_skeleton || unit.type == DW_UT_split_compile) {
			if (!bytes_u64(&in, &unit.dwo_id))
				return true;
		} else if (unit.type == DW_UT_type || unit.type == DW_UT_split_type) {
			skipped = 8 + unit.params.off_size;
		}
	} else if (!dw_uint(&in, unit.params.off_size, &abbrev) || !dw_uint(&in, 1, &size)) {
		return true;
	}
	if (!bytes_skip(&in, skipped) || (size != 4 && size != 8))
		return true;
	unit.params.version = (uint16_t)version;
	unit.params.addr_size = (uint8_t)size;
	unit.first = bytes_off(&in);
	unit.table = dwtables_of(&file->tables, abbrev, unit.params);
	unit.line = UINT64_MAX;
	unit.name = unit.comp_dir = "";
	vec_room(file->unit, file->nr_units, file->cap_units);
	file->unit[file->nr_units] = xmalloc(sizeof(unit));
	*file->unit[file->nr_units++] = unit;
	return true;
}

void dwfile_init(struct dwfile *file)
{
	static const enum dwsection strings[] = { DWSECTION_STR, DWSECTION_LINE_STR };
	/* One can point into what is empty, not into what is not there. */
	for (size_t i = 0; i < NR_DWSECTIONS; i++)
		if (!file->section[i].len)
			file->section[i].data = (const uint8_t *)"";
	struct bytes b = section_at(file, DWSECTION_INFO, 0);

	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		struct span *span = &file->section[strings[i]];

		while (span->len && span->data[span->len - 1])
			span->len--;
	}
	dwtables_init(&file->tables, file->section[DWSECTION_ABBREV]);
	while (file->nr_units < MAX_UNITS && read_header(file, &b))
		;
}

void dwfile_deinit(struct dwfile *file)
{
	for (size_t i = 0; i < file->nr_units; i++)
		free(file->unit[i]);
	free(file->unit);
	dwtables_deinit(&file->tables);
}

struct dwunit *dwfile_unit(const struct dwfile *file, uint64_t off)
{
	size_t lo = 0, hi = file->nr_units;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (file->unit[mid]->off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || off < file->unit[lo - 1]->first || off >= file->unit[lo - 1]->end)
		return NULL;
	return file->unit[lo - 1];
}

bool dwdie_at(const struct dwunit *unit, uint64_t off, struct dwdie *ret)
{
	const struct span *info = &unit->file->section[DWSECTION_INFO];
	const struct span *abbrev = &unit->file->section[DWSECTION_ABBREV];

	*ret = (struct dwdie){
		.unit = unit,
		.b = bytes_of(info->data, unit->end, unit->file->swap),
		.abbrevs = dwtable_abbrevs(unit->table),
		.spec = bytes_of(abbrev->data, abbrev->len, false),
	};
	return off >= unit->first && bytes_seek(&ret->b, off) && dwdie_step(ret);
}

bool dwdie_step(struct dwdie *die)
{
	uint64_t code;

	if (!dw_uleb(&die->b, &code)) {
		die->bad = true;
		return false;
	}
	if (!code)
		return false;
	die->abbrev = dwabbrevs_get(die->abbrevs, code);
	if (!die->abbrev || !bytes_seek(&die->spec, die->abbrev->spec))
		die->bad = true;
	return !die->bad;
}

bool dwdie_next(struct dwdie *die, struct dwattr *ret)
{
	uint64_t name, form;

	if (!dw_uleb(&die->spec, &name) || !dw_uleb(&die->spec, &form)) {
		die->bad = true;
		return false;
	}
	if (!name && !form)
		return false;
	ret->value = 0;
	if (form == DW_FORM_implicit_const && !dw_sleb(&die->spec, &ret->value))
		die->bad = true;
	if (form == DW_FORM_indirect && !dw_uleb(&die->b, &form))
		die->bad = true;
	ret->name = (uint16_t)name;
	ret->form = (uint16_t)form;
	ret->pos = die->b.pos;
	if (form > UINT16_MAX || form == DW_FORM_indirect ||
	    !dwform_skip(&die->b, form, die->unit->params))
		die->bad = true;
	return !die->bad;
}

/* The value's bytes, which dwdie_next() has seen to lie in the unit. */
static struct bytes value_of(const struct dwunit *unit, const struct dwattr *attr)
{
	const struct span *info = &unit->file->section[DWSECTION_INFO];
	struct bytes b = bytes_of(info->data, unit->end, unit->file->swap);

	b.pos = attr->pos;
	return b;
}

bool dwattr_uint(const struct dwdie *die, const struct dwattr *attr, uint64_t *ret)
{
	struct bytes b = value_of(die->unit, attr);
	int64_t v;

	switch (attr->form) {
	case DW_FORM_implicit_const:
		*ret = (uint64_t)attr->value;
		return true;
	case DW_FORM_udata:
	case DW_FORM_rnglistx:
		return dw_uleb(&b, ret);
	case DW_FORM_sdata:
		return dw_sleb(&b, &v) && (*ret = (uint64_t)v, true);
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8:
	case DW_FORM_sec_offset:
		return dw_uint(&b, (unsigned int)dwform_size(attr->form, die->unit->params),
			       ret);
	}
	return false;
}

/* Entry @index of a table of @size bytes each at @base of @section. */
static bool indexed(const struct dwfile *file, enum dwsection section, uint64_t base,
		    uint64_t index, unsigned int size, uint64_t *ret)
{
	if (index > file->section[section].len / size)
		return false;
	struct bytes b = section_at(file, section, base);

	return bytes_skip(&b, index * size) && dw_uint(&b, size, ret);
}

/* An index of one of the forms …x; false for a form that is none. */
static bool index_of(const struct dwunit *unit, const struct dwattr *attr, uint64_t *ret)
{
	struct bytes b = value_of(unit, attr);

	switch (attr->form) {
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		return dw_uleb(&b, ret);
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
	case DW_FORM_addrx1:
	case DW_FORM_addrx2:
	case DW_FORM_addrx3:
	case DW_FORM_addrx4:
		return dw_uint(&b, (unsigned int)dwform_size(attr->form, unit->params), ret);
	}
	return false;
}

/* Addresses of a split unit are in the file of its skeleton. */
static const struct dwunit *address_unit(const struct dwunit *unit)
{
	return unit->skeleton ? unit->skeleton : unit;
}

static bool indexed_addr(const struct dwunit *unit, uint64_t index, uint64_t *ret)
{
	const struct dwunit *in = address_unit(unit);

	return indexed(in->file, DWSECTION_ADDR, in->addr_base, index, in->params.addr_size,
		       ret);
}

bool dwattr_addr(const struct dwunit *unit, const struct dwattr *attr, uint64_t *ret)
{
	struct bytes b = value_of(unit, attr);
	uint64_t index;

	if (attr->form == DW_FORM_addr)
		return dw_uint(&b, unit->params.addr_size, ret);
	return index_of(unit, attr, &index) && indexed_addr(unit, index, ret);
}

const char *dwattr_str(const struct dwunit *unit, const struct dwattr *attr)
{
	struct bytes b = value_of(unit, attr);
	uint64_t off;
	const char *s;

	switch (attr->form) {
	case DW_FORM_string:
		return bytes_str(&b, &s) ? s : NULL;
	case DW_FORM_strp:
		return dw_uint(&b, unit->params.off_size, &off)
			       ? dwfile_str(unit->file, DWSECTION_STR, off)
			       : NULL;
	case DW_FORM_line_strp:
		return dw_uint(&b, unit->params.off_size, &off)
			       ? dwfile_str(unit->file, DWSECTION_LINE_STR, off)
			       : NULL;
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		return unit->file->alt && dw_uint(&b, unit->params.off_size, &off)
			       ? dwfile_str(unit->file->alt, DWSECTION_STR, off)
			       : NULL;
	}
	return index_of(unit, attr, &off) &&
			       indexed(unit->file, DWSECTION_STR_OFFSETS,
				       unit->str_offsets_base, off, unit->params.off_size, &off)
		       ? dwfile_str(unit->file, DWSECTION_STR, off)
		       : NULL;
}

dwref dwattr_ref(const struct dwunit *unit, const struct dwattr *attr)
{
	struct bytes b = value_of(unit, attr);
	uint64_t off;
	int size = dwform_size(attr->form, unit->params);

	switch (attr->form) {
	case DW_FORM_ref1:
	case DW_FORM_ref2:
	case DW_FORM_ref4:
	case DW_FORM_ref8:
		return dw_uint(&b, (unsigned int)size, &off) && off < unit->end - unit->off
			       ? dwref_of(unit->file, unit->off + off)
			       : 0;
	case DW_FORM_ref_udata:
		return dw_uleb(&b, &off) && off < unit->end - unit->off
			       ? dwref_of(unit->file, unit->off + off)
			       : 0;
	case DW_FORM_ref_addr:
		return dw_uint(&b, (unsigned int)size, &off) ? dwref_of(unit->file, off) : 0;
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
	case DW_FORM_GNU_ref_alt:
		return unit->file->alt && dw_uint(&b, (unsigned int)size, &off)
			       ? dwref_of(unit->file->alt, off)
			       : 0;
	}
	return 0;
}

bool dwattr_flag(const struct dwattr *attr)
{
	return attr->form == DW_FORM_flag_present ||
	       (attr->form == DW_FORM_flag && *attr->pos) ||
	       (attr->form == DW_FORM_implicit_const && attr->value);
}

/* Where the tables of a section begin: what a unit's attributes count from. */
static void read_bases(struct dwunit *unit)
{
	struct dwdie die;
	struct dwattr attr;
	uint64_t v;

	if (unit->file->split && unit->params.version == 5) {
		/* Behind the header of the only table there is. */
		unit->str_offsets_base = unit->params.off_size == 4 ? 8 : 16;
		unit->rnglists_base = unit->params.off_size == 4 ? 12 : 20;
	}
	if (!dwdie_at(unit, unit->first, &die))
		return;
	unit->tag = die.abbrev->tag;
	while (dwdie_next(&die, &attr)) {
		if (!dwattr_uint(&die, &attr, &v))
			continue;
		switch (attr.name) {
		case DW_AT_language:
			unit->language = (uint32_t)v;
			break;
		case DW_AT_stmt_list:
			unit->line = v;
			break;
		case DW_AT_str_offsets_base:
			unit->str_offsets_base = v;
			break;
		case DW_AT_addr_base:
		case DW_AT_GNU_addr_base:
			unit->addr_base = v;
			break;
		case DW_AT_rnglists_base:
			unit->rnglists_base = v;
			break;
		case DW_AT_GNU_ranges_base:
			unit->ranges_base = v;
			break;
		case DW_AT_GNU_dwo_id:
			unit->dwo_id = v;
			break;
		}
	}
}

void dwunit_read(struct dwunit *unit)
{
	struct dwdie die;
	struct dwattr attr;
	const char *s;

	if (unit->read)
		return;
	unit->read = true;
	read_bases(unit);
	if (!dwdie_at(unit, unit->first, &die))
		return;
	while (dwdie_next(&die, &attr)) {
		switch (attr.name) {
		case DW_AT_name:
			unit->name = (s = dwattr_str(unit, &attr)) ? s : "";
			break;
		case DW_AT_comp_dir:
			unit->comp_dir = (s = dwattr_str(unit, &attr)) ? s : "";
			break;
		case DW_AT_dwo_name:
		case DW_AT_GNU_dwo_name:
			unit->dwo_name = dwattr_str(unit, &attr);
			break;
		case DW_AT_low_pc:
			dwattr_addr(unit, &attr, &unit->low_pc);
			break;
		}
	}
}

void dwranges_attr(struct dwranges *r, const struct dwunit *unit, const struct dwattr *attr)
{
	const struct dwdie die = { .unit = unit };
	const struct dwunit *in = unit->params.version < 5 ? address_unit(unit) : unit;
	uint64_t off;

	r->unit = unit;
	switch (attr->name) {
	case DW_AT_low_pc:
		r->has_low = dwattr_addr(unit, attr, &r->low);
		return;
	case DW_AT_high_pc:
		r->has_high = dwattr_addr(unit, attr, &r->high);
		if (!r->has_high)
			r->has_high = r->high_is_size = dwattr_uint(&die, attr, &r->high);
		return;
	case DW_AT_ranges:
		if (attr->form == DW_FORM_implicit_const || !dwattr_uint(&die, attr, &off))
			return;
		r->rnglists = unit->params.version == 5;
		if (attr->form == DW_FORM_rnglistx) {
			uint64_t base = unit->rnglists_base;

			if (!indexed(unit->file, DWSECTION_RNGLISTS, base, off,
				     unit->params.off_size, &off) ||
			    off + base < base)
				return;
			off += base;
		}
		/* What a skeleton says counts for the entries of the split unit alone. */
		if (!r->rnglists && unit->skeleton)
			off += in->ranges_base;
		r->list = section_at(in->file,
				     r->rnglists ? DWSECTION_RNGLISTS : DWSECTION_RANGES, off);
		r->has_list = true;
		return;
	}
}

void dwranges_start(struct dwranges *r)
{
	if (r->has_list)
		r->base = address_unit(r->unit)->low_pc;
	else if (r->has_low && r->has_high && r->high_is_size)
		r->high += r->low;
}

/* One entry of .debug_ranges (DWARF 2 to 4); *lo >= *hi when it is no range. */
static bool next_pair(struct dwranges *r, uint64_t *lo, uint64_t *hi)
{
	unsigned int size = r->unit->params.addr_size;
	uint64_t largest = size == 8 ? UINT64_MAX : UINT32_MAX;

	if (!dw_uint(&r->list, size, lo) || !dw_uint(&r->list, size, hi) || (!*lo && !*hi))
		return false;
	if (*lo == largest) {
		r->base = *hi;
		*lo = *hi = 0;
		return true;
	}
	*lo += r->base;
	*hi += r->base;
	return true;
}

/* One entry of .debug_rnglists (DWARF 5). */
static bool next_entry(struct dwranges *r, uint64_t *lo, uint64_t *hi)
{
	unsigned int size = r->unit->params.addr_size;
	struct bytes *b = &r->list;
	uint64_t v, w;
	uint8_t kind;

	*lo = *hi = 0;
	if (!bytes_u8(b, &kind))
		return false;
	switch (kind) {
	case DW_RLE_base_addressx:
		return dw_uleb(b, &v) && indexed_addr(r->unit, v, &r->base);
	case DW_RLE_startx_endx:
		return dw_uleb(b, &v) && dw_uleb(b, &w) && indexed_addr(r->unit, v, lo) &&
		       indexed_addr(r->unit, w, hi);
	case DW_RLE_startx_length:
		return dw_uleb(b, &v) && dw_uleb(b, &w) && indexed_addr(r->unit, v, lo) &&
		       (*hi = *lo + w, true);
	case DW_RLE_offset_pair:
		if (!dw_uleb(b, &v) || !dw_uleb(b, &w))
			return false;
		*lo = r->base + v;
		*hi = r->base + w;
		return true;
	case DW_RLE_base_address:
		return dw_uint(b, size, &r->base);
	case DW_RLE_start_end:
		return dw_uint(b, size, lo) && dw_uint(b, size, hi);
	case DW_RLE_start_length:
		return dw_uint(b, size, lo) && dw_uleb(b, &w) && (*hi = *lo + w, true);
	}
	return false; /* DW_RLE_end_of_list, or what is none */
}

bool dwranges_next(struct dwranges *r, uint64_t *budget, uint64_t *lo, uint64_t *hi)
{
	if (!r->has_list) {
		bool any = r->has_low && r->has_high && r->low < r->high;

		*lo = r->low;
		*hi = r->high;
		r->has_low = false;
		return any;
	}
	while (*budget && (r->rnglists ? next_entry(r, lo, hi) : next_pair(r, lo, hi))) {
		--*budget;
		if (*lo < *hi)
			return true;
	}
	return false;
}
