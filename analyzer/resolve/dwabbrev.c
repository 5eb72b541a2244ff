// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/dwabbrev.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/xalloc.h"

int dwform_size(uint64_t form, struct dwparams params)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_ref_sup4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return params.addr_size;
	case DW_FORM_ref_addr:
		return params.version <= 2 ? params.addr_size : params.off_size;
	case DW_FORM_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_line_strp:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_GNU_ref_alt:
		return params.off_size;
	case DW_FORM_string:
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
	case DW_FORM_exprloc:
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
	case DW_FORM_indirect:
		return -1;
	}
	return -2;
}

bool dwform_skip(struct bytes *b, uint64_t form, struct dwparams params)
{
	const char *text;
	uint64_t v;
	int size = dwform_size(form, params);

	if (size >= 0)
		return bytes_skip(b, (uint64_t)size);
	switch (form) {
	case DW_FORM_string:
		return bytes_str(b, &text);
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return dw_uleb(b, &v) && bytes_skip(b, v);
	case DW_FORM_block1:
		return dw_uint(b, 1, &v) && bytes_skip(b, v);
	case DW_FORM_block2:
		return dw_uint(b, 2, &v) && bytes_skip(b, v);
	case DW_FORM_block4:
		return dw_uint(b, 4, &v) && bytes_skip(b, v);
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		return dw_uleb(b, &v);
	case DW_FORM_indirect:
		/* Of a form that is indirect in its turn there is no use. */
		return dw_uleb(b, &v) && v != DW_FORM_indirect && v != DW_FORM_implicit_const &&
		       dwform_skip(b, v, params);
	}
	return false;
}

static enum dwabbrev_kind kind_of(uint64_t tag)
{
	switch (tag) {
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
		return DWKIND_FUNCTION;
	case DW_TAG_call_site:
	case DW_TAG_GNU_call_site:
		return DWKIND_CALL;
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return DWKIND_BLOCK;
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
		return DWKIND_SPACE;
	}
	return DWKIND_OTHER;
}

/* The attributes of one code; false where they make no sense. */
static bool read_specs(struct bytes *b, struct dwparams params, struct dwabbrev *abbrev)
{
	uint64_t name, form;
	int64_t value;
	bool fixed = true;

	for (size_t i = 0;; i++) {
		size_t at = bytes_off(b);

		if (!dw_uleb(b, &name) || !dw_uleb(b, &form) || i > DWABBREV_MAX_ATTRS)
			return false;
		if (!name && !form)
			return true;
		int size = dwform_size(form, params);

		if (size == -2 || (form == DW_FORM_implicit_const && !dw_sleb(b, &value)))
			return false;
		abbrev->declaration |= name == DW_AT_declaration;
		if (fixed && size < 0) {
			fixed = false;
			abbrev->rest = (uint32_t)at;
		}
		if (!fixed)
			continue;
		if (name == DW_AT_sibling && abbrev->fixed < DWABBREV_NO_SIBLING &&
		    (form == DW_FORM_ref1 || form == DW_FORM_ref2 || form == DW_FORM_ref4 ||
		     form == DW_FORM_ref8)) {
			abbrev->sibling = (uint8_t)abbrev->fixed;
			abbrev->sibling_size = (uint8_t)size;
		}
		abbrev->fixed += (uint32_t)size;
	}
}

static void add(struct dwabbrevs *abbrevs, uint64_t code, const struct dwabbrev *abbrev)
{
	/* Compilers count from 1; gaps stay below the number of codes. */
	if (code - 1 < 2 * abbrevs->nr++ + 64) {
		while (abbrevs->nr_codes < code) {
			vec_room(abbrevs->by_code, abbrevs->nr_codes, abbrevs->cap_codes);
			abbrevs->by_code[abbrevs->nr_codes++] = (struct dwabbrev){};
		}
		if (!abbrevs->by_code[code - 1].spec)
			abbrevs->by_code[code - 1] = *abbrev;
		return;
	}
	vec_room(abbrevs->far, abbrevs->nr_far, abbrevs->cap_far);
	abbrevs->far[abbrevs->nr_far++] = (struct dwabbrev_far){ code, *abbrev };
}

static int compare_far(const void *va, const void *vb)
{
	const struct dwabbrev_far *a = va, *b = vb;

	return a->code < b->code ? -1 : a->code > b->code;
}

void dwabbrevs_init(struct dwabbrevs *abbrevs, struct span section, uint64_t off,
		    struct dwparams params, size_t *ret_len)
{
	struct bytes b = bytes_of(section.data, section.len, false);
	uint64_t code, tag;
	uint8_t children;

	*abbrevs = (struct dwabbrevs){};
	*ret_len = 0;
	if (section.len > UINT32_MAX || !bytes_seek(&b, off))
		return;
	while (dw_uleb(&b, &code) && code && dw_uleb(&b, &tag) && bytes_u8(&b, &children)) {
		struct dwabbrev abbrev = {
			.spec = (uint32_t)bytes_off(&b),
			.tag = (uint16_t)tag,
			.kind = (uint8_t)kind_of(tag),
			.children = children,
			.sibling = DWABBREV_NO_SIBLING,
		};

		if (!read_specs(&b, params, &abbrev))
			break;
		add(abbrevs, code, &abbrev);
	}
	*ret_len = bytes_off(&b) - (size_t)off;
	if (abbrevs->nr_far)
		qsort(abbrevs->far, abbrevs->nr_far, sizeof(*abbrevs->far), compare_far);
}

void dwabbrevs_deinit(struct dwabbrevs *abbrevs)
{
	free(abbrevs->by_code);
	free(abbrevs->far);
	*abbrevs = (struct dwabbrevs){};
}

const struct dwabbrev *dwabbrevs_far(const struct dwabbrevs *abbrevs, uint64_t code)
{
	const struct dwabbrev_far key = { .code = code };
	const struct dwabbrev_far *far =
		abbrevs->nr_far
			? bsearch(&key, abbrevs->far, abbrevs->nr_far, sizeof(key), compare_far)
			: NULL;

	return far ? &far->abbrev : NULL;
}
