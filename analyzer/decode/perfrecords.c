// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/perfrecords.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum {
	RECORD_MAX = 1 << 16,
	BUFFER = 1 << 20,
	INFLATED = 4 * RECORD_MAX,
};

void perfrecords_init(struct perfrecords *r, const struct metadata *meta)
{
	*r = (struct perfrecords){
		.meta = meta,
		.file = { .data = xmalloc(BUFFER), .cap = BUFFER },
		.inflated = { .data = xmalloc(INFLATED), .cap = INFLATED },
	};
}

void perfrecords_deinit(struct perfrecords *r)
{
	free(r->file.data);
	free(r->inflated.data);
	ZSTD_freeDCtx(r->zstd);
	*r = (struct perfrecords){};
}

/* Moves what is left to the front. */
static void compact(struct perfrecords_window *w)
{
	memmove(w->data, w->data + w->from, w->to - w->from);
	w->to -= w->from;
	w->from = 0;
}

/* At least @len bytes of the file in the window; false past the last record. */
static struct err *fill(struct perfrecords *r, size_t len, bool *ret_any)
{
	struct perfrecords_window *w = &r->file;

	*ret_any = w->to - w->from >= len;
	if (*ret_any)
		return NULL;
	compact(w);
	uint64_t unread = r->end - r->pos - w->to;
	size_t more = unread < w->cap - w->to ? (size_t)unread : w->cap - w->to;

	if (more)
		TRY(metadata_read(r->meta, r->pos + w->to, w->data + w->to, more));
	w->to += more;
	*ret_any = w->to >= len;
	if (!*ret_any && w->to)
		return err_new(ERR_FORMAT, "the records end in the middle of one");
	return NULL;
}

/* A whole record at the front of the window, of @w->to - @w->from bytes. */
static bool whole(const struct perfrecords_window *w, struct perfrecords_head *head)
{
	size_t len = w->to - w->from;

	if (len < sizeof(*head))
		return false;
	memcpy(head, w->data + w->from, sizeof(*head));
	return head->size <= len;
}

/* Inflates until there is a record, or nothing more to inflate. */
static struct err *inflate(struct perfrecords *r, bool *ret_any)
{
	struct perfrecords_window *w = &r->inflated;
	struct perfrecords_head head;

	for (;;) {
		*ret_any = whole(w, &head);
		if (*ret_any && head.size < sizeof(head))
			return err_new(ERR_FORMAT, "a compressed record of %u bytes",
				       head.size);
		/* zstd takes too many calls that can do nothing for an error. */
		if (*ret_any || !r->zstd || (!r->packed.len && r->drained))
			return NULL;
		compact(w);
		ZSTD_inBuffer in = { r->packed.data, r->packed.len, 0 };
		ZSTD_outBuffer out = { w->data, w->cap, w->to };
		size_t rc = ZSTD_decompressStream(r->zstd, &out, &in);

		if (ZSTD_isError(rc))
			return err_new(ERR_FORMAT, "a compressed record: %s",
				       ZSTD_getErrorName(rc));
		bool idle = !in.pos && out.pos == w->to;

		r->packed.data += in.pos;
		r->packed.len -= in.pos;
		w->to = out.pos;
		r->drained = out.pos < out.size;
		if (idle)
			return NULL;
	}
}

struct err *perfrecords_next(struct perfrecords *r, struct span *record,
			     struct perfrecords_head *head)
{
	struct perfrecords_window *w = &r->inflated;
	bool any;

	for (;;) {
		TRY(inflate(r, &any));
		if (any) {
			whole(w, head);
			*record = (struct span){ w->data + w->from, head->size };
			w->from += head->size;
			return NULL;
		}
		w = &r->file;
		*record = (struct span){};
		TRY(fill(r, sizeof(*head), &any));
		if (!any)
			return NULL;
		memcpy(head, w->data + w->from, sizeof(*head));
		if (head->size < sizeof(*head))
			return err_new(ERR_FORMAT, "a record of %u bytes at byte %" PRIu64,
				       head->size, r->pos);
		TRY(fill(r, head->size, &any));
		*record = (struct span){ w->data + w->from, head->size };
		w->from += head->size;
		r->pos += head->size;
		if (head->type != PERFRECORDS_COMPRESSED &&
		    head->type != PERFRECORDS_COMPRESSED2)
			return NULL;

		size_t skip = sizeof(*head) + (head->type == PERFRECORDS_COMPRESSED2 ? 8 : 0);
		uint64_t size = record->len - (skip < record->len ? skip : record->len);

		if (head->type == PERFRECORDS_COMPRESSED2 && record->len >= skip)
			memcpy(&size, record->data + sizeof(*head), sizeof(size));
		if (skip > record->len || size > record->len - skip)
			return err_new(ERR_FORMAT, "a compressed record passes its end");
		r->packed = (struct span){ record->data + skip, (size_t)size };
		if (!r->zstd)
			r->zstd = ZSTD_createDCtx();
		w = &r->inflated;
	}
}

struct err *perfrecords_skip(struct perfrecords *r, struct span record, size_t field)
{
	uint64_t size = 0;

	if (record.len < sizeof(struct perfrecords_head) + field)
		return err_new(ERR_FORMAT, "a record of %zu bytes, and more behind it",
			       record.len);
	memcpy(&size, record.data + sizeof(struct perfrecords_head), field);
	if (size > r->end - r->pos)
		return err_new(ERR_FORMAT, "the records end in the middle of one");
	r->pos += size;
	r->file.from = r->file.to = 0;
	return NULL;
}
