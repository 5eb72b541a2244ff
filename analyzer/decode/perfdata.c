// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/perfdata.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "decode/perfsample.h"
#include "decode/inflate.h"

static const char magic[] = "PERFILE2";

enum {
	HEADER_SIZE = 104,
	PIPE_HEADER_SIZE = 16, /* magic and size; all else comes as records */
	ATTR_MIN = 64,	       /* the first version of struct perf_event_attr */
	ATTR_MAX = 4096,
	IDS_MAX = 1 << 20,
	SECTION_MAX = 64 << 20, /* of a feature that is held in memory */
	RECORD_MAX = 1 << 16,
	BUFFER = 1 << 20,
	INFLATED = 4 * RECORD_MAX,
};

/* Features of the header, by their bit. */
enum feature {
	FEATURE_TRACING_DATA = 1,
	FEATURE_BUILD_ID = 2,
	FEATURE_HOSTNAME = 3,
	FEATURE_OSRELEASE = 4,
	FEATURE_VERSION = 5,
	FEATURE_ARCH = 6,
	FEATURE_NRCPUS = 7,
	FEATURE_CLOCKID = 23,
	NR_FEATURES = 256,
};

/* Record types. */
enum {
	RECORD_MMAP = 1,
	RECORD_LOST = 2,
	RECORD_COMM = 3,
	RECORD_SAMPLE = 9,
	RECORD_MMAP2 = 10,
	RECORD_LOST_SAMPLES = 13,
	RECORD_HEADER_ATTR = 64,
	RECORD_TRACING_DATA = 66,
	RECORD_BUILD_ID = 67,
	RECORD_FINISHED_ROUND = 68,
	RECORD_AUXTRACE = 71,
	RECORD_HEADER_FEATURE = 80,
	RECORD_COMPRESSED = 81,
	RECORD_COMPRESSED2 = 83,
};

static const char no_tracepoint[] =
	"no tracepoint was recorded: perf record -e 'kmem:*', or perf kmem record";

struct build_id {
	char *file, hex[41];
};

/* Bytes to come, from the file or inflated. */
struct window {
	uint8_t *data;
	size_t from, to, cap;
};

struct perfdata {
	struct container container; /* formats; its metadata owns the descriptor */
	struct perfdata_facts facts;
	struct perfsample layouts;
	struct build_id *build_id;
	size_t nr_build_ids, cap_build_ids;

	uint64_t pos, end, start; /* of the records, in the file */
	struct window file, inflated;
	ZSTD_DCtx *zstd;
	bool drained;	    /* it has nothing more to give without input */
	struct span packed; /* what of a compressed record is still to be inflated; in file */
	uint64_t malformed;
	bool pipe; /* the header came as records */
};

bool perfdata_is(struct span head)
{
	return head.len >= strlen(magic) && !memcmp(head.data, magic, strlen(magic));
}

void perfdata_close(struct perfdata *perf)
{
	if (!perf)
		return;
	for (size_t i = 0; i < perf->nr_build_ids; i++)
		free(perf->build_id[i].file);
	free(perf->build_id);
	free(perf->facts.hostname);
	free(perf->facts.release);
	free(perf->facts.version);
	free(perf->facts.arch);
	free(perf->file.data);
	free(perf->inflated.data);
	ZSTD_freeDCtx(perf->zstd);
	perfsample_deinit(&perf->layouts);
	container_deinit(&perf->container);
	free(perf);
}

const struct perfdata_facts *perfdata_facts(const struct perfdata *perf)
{
	return &perf->facts;
}

const struct container *perfdata_formats(const struct perfdata *perf)
{
	return &perf->container;
}

bool perfdata_build_id(const struct perfdata *perf, size_t i, const char **ret_file,
		       const char **ret_hex)
{
	if (i >= perf->nr_build_ids)
		return false;
	*ret_file = perf->build_id[i].file;
	*ret_hex = perf->build_id[i].hex;
	return true;
}

uint64_t perfdata_malformed(const struct perfdata *perf)
{
	return perf->malformed;
}

uint64_t perfdata_bytes(const struct perfdata *perf, uint64_t *ret_all)
{
	*ret_all = perf->end - perf->start;
	return perf->pos - perf->start;
}

/* A place in the file, as the header has it. */
struct section {
	uint64_t off, size;
};

static struct err *read_section(struct metadata_src *src, struct section *ret)
{
	TRY(metadata_u64(src, "a section of the header", &ret->off));
	return metadata_u64(src, "a section of the header", &ret->size);
}

static struct err *read_ids(struct perfdata *perf, const struct section *ids, size_t layout)
{
	struct metadata_src src;

	if (ids->size / 8 > IDS_MAX)
		return err_new(ERR_FORMAT, "an event with %" PRIu64 " ids", ids->size / 8);
	src = metadata_at(&perf->container.meta, ids->off);
	for (uint64_t i = 0; i < ids->size / 8; i++) {
		uint64_t id;

		TRY(metadata_u64(&src, "the ids of an event", &id));
		perfsample_add_id(&perf->layouts, id, layout);
	}
	return NULL;
}

static struct err *read_attrs(struct perfdata *perf, const struct section *attrs,
			      uint64_t attr_size)
{
	if (attr_size < ATTR_MIN + 16 || attr_size > ATTR_MAX || attrs->size % attr_size)
		return err_new(ERR_FORMAT, "events of %" PRIu64 " bytes in %" PRIu64, attr_size,
			       attrs->size);
	for (uint64_t off = 0; off < attrs->size; off += attr_size) {
		struct metadata_src src = metadata_at(&perf->container.meta, attrs->off + off);
		struct span attr;
		struct section ids;
		size_t layout;

		TRY(metadata_span(&src, "an event of the header", attr_size - 16, &attr));
		TRY(read_section(&src, &ids));
		TRY(perfsample_add_attr(&perf->layouts, attr, &layout));
		TRY(read_ids(perf, &ids, layout));
	}
	return perfsample_finish(&perf->layouts);
}

/* u32 length, then a text that NULs fill up. */
static struct err *read_text(struct metadata_src *src, char **ret)
{
	uint32_t len;
	struct span text;

	TRY(metadata_u32(src, "a text of the header", &len));
	TRY(metadata_span(src, "a text of the header", len, &text));
	free(*ret);
	*ret = xstrndup((const char *)text.data, strnlen((const char *)text.data, text.len));
	return NULL;
}

/* "tracing" with its magic and version, then as the beginning of a trace.dat. */
static struct err *read_tracing_data(struct perfdata *perf, struct metadata_src *src)
{
	static const uint8_t head[] = "\x17\x08\x44tracing";
	struct container *c = &perf->container;
	const char *version;
	struct span start;
	uint8_t big, long_size;
	uint32_t page_size;

	TRY(metadata_span(src, "the tracing data", sizeof(head) - 1, &start));
	if (memcmp(start.data, head, sizeof(head) - 1))
		return err_new(ERR_FORMAT, "the tracing data does not begin as it should");
	TRY(metadata_str(src, "the version of the tracing data", &version));
	TRY(metadata_u8(src, "the byte order", &big));
	TRY(metadata_u8(src, "the size of a long", &long_size));
	TRY(metadata_u32(src, "the page size", &page_size));
	if ((big != 0) != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) || long_size != 8)
		return err_new(ERR_UNSUPPORTED,
			       "recorded on a machine of another byte order or word size");
	c->long_size = long_size;
	c->page_size = page_size;
	TRY(container_header_info(c, src));
	TRY(container_ftrace_formats(c, src));
	return container_event_formats(c, src);
}

static struct err *read_build_ids(struct perfdata *perf, struct metadata_src src, uint64_t size)
{
	enum { FIXED = 8 + 4 + 24, SIZE_KNOWN = 1 << 15 };
	uint64_t start = metadata_off(&src);

	while (metadata_off(&src) - start + FIXED <= size) {
		struct span record, rest;
		uint16_t misc, len;
		uint32_t type;

		TRY(metadata_u32(&src, "a build-id", &type));
		TRY(metadata_u16(&src, "a build-id", &misc));
		TRY(metadata_u16(&src, "a build-id", &len));
		if (len < FIXED)
			return err_new(ERR_FORMAT, "a build-id of %u bytes", len);
		TRY(metadata_span(&src, "a build-id", FIXED - 8, &record));
		TRY(metadata_span(&src, "a build-id", len - FIXED, &rest));

		struct build_id id = { .file = xstrndup((const char *)rest.data,
							strnlen((const char *)rest.data,
								rest.len)) };
		const uint8_t *bytes = record.data + 4;
		size_t nr = misc & SIZE_KNOWN && bytes[20] <= 20 ? bytes[20] : 20;

		for (size_t i = 0; i < nr; i++)
			snprintf(id.hex + 2 * i, 3, "%02x", bytes[i]);
		vec_room(perf->build_id, perf->nr_build_ids, perf->cap_build_ids);
		perf->build_id[perf->nr_build_ids++] = id;
	}
	return NULL;
}

static struct err *read_feature(struct perfdata *perf, unsigned int feature,
				const struct section *at)
{
	struct perfdata_facts *facts = &perf->facts;
	struct metadata_src src = metadata_at(&perf->container.meta, at->off);
	uint64_t clock;

	if (at->size > SECTION_MAX)
		return err_new(ERR_FORMAT, "part %u of the header of %" PRIu64 " bytes",
			       feature, at->size);
	switch (feature) {
	case FEATURE_TRACING_DATA:
		return read_tracing_data(perf, &src);
	case FEATURE_BUILD_ID:
		return read_build_ids(perf, src, at->size);
	case FEATURE_HOSTNAME:
		return read_text(&src, &facts->hostname);
	case FEATURE_OSRELEASE:
		return read_text(&src, &facts->release);
	case FEATURE_VERSION:
		return read_text(&src, &facts->version);
	case FEATURE_ARCH:
		return read_text(&src, &facts->arch);
	case FEATURE_NRCPUS:
		return metadata_u32(&src, "the number of CPUs", &facts->nr_cpus);
	case FEATURE_CLOCKID:
		TRY(metadata_u64(&src, "the clock", &clock));
		facts->clock_is_mono = clock == 1; /* CLOCK_MONOTONIC */
		return NULL;
	default:
		return NULL;
	}
}

/* A section for each bit that is set, behind the records. */
static struct err *read_features(struct perfdata *perf, const uint64_t bits[NR_FEATURES / 64])
{
	struct metadata_src src = metadata_at(&perf->container.meta, perf->end);
	bool seen[NR_FEATURES] = {};

	for (unsigned int i = 0; i < NR_FEATURES; i++) {
		struct section at;

		if (!(bits[i / 64] >> i % 64 & 1))
			continue;
		TRY(read_section(&src, &at));
		/* A feature of a bit comes once; the section table could not say more. */
		if (!seen[i])
			TRY(read_feature(perf, i, &at));
		seen[i] = true;
	}
	if (!seen[FEATURE_TRACING_DATA])
		return err_new(ERR_UNSUPPORTED, "%s", no_tracepoint);
	return NULL;
}

/* ---- a file that perf wrote to a pipe: what a header has comes as records */

/* The attributes of an event, of the size that they say themselves, and its ids. */
static struct err *read_pipe_attr(struct perfdata *perf, uint64_t off, uint64_t len)
{
	struct metadata_src src = metadata_at(&perf->container.meta, off);
	uint32_t type, size;
	struct span attr;
	size_t layout;

	TRY(metadata_u32(&src, "an event", &type));
	TRY(metadata_u32(&src, "an event", &size));
	if (size < ATTR_MIN || size > ATTR_MAX || size > len)
		return err_new(ERR_FORMAT, "an event of %u bytes in %" PRIu64, size, len);
	src = metadata_at(&perf->container.meta, off);
	TRY(metadata_span(&src, "an event", size, &attr));
	TRY(perfsample_add_attr(&perf->layouts, attr, &layout));
	return read_ids(perf, &(struct section){ off + size, len - size }, layout);
}

/* One of these records, of which @len bytes at @off follow its head. */
static struct err *read_pipe_part(struct perfdata *perf, uint32_t type, uint64_t off,
				  uint64_t len, bool *has_tracing_data)
{
	struct metadata_src src = metadata_at(&perf->container.meta, off);
	struct section rest;
	uint64_t feature;

	switch (type) {
	case RECORD_HEADER_ATTR:
		return read_pipe_attr(perf, off, len);
	case RECORD_TRACING_DATA:
		*has_tracing_data = true;
		src = metadata_at(&perf->container.meta, off + len);
		return read_tracing_data(perf, &src);
	case RECORD_HEADER_FEATURE:
		if (len < sizeof(feature))
			return err_new(ERR_FORMAT, "a part of the header of %" PRIu64 " bytes",
				       len);
		TRY(metadata_u64(&src, "a part of the header", &feature));
		rest = (struct section){ off + sizeof(feature), len - sizeof(feature) };
		/* These two have records of their own. */
		if (feature >= NR_FEATURES || feature == FEATURE_TRACING_DATA ||
		    feature == FEATURE_BUILD_ID)
			return NULL;
		return read_feature(perf, (unsigned int)feature, &rest);
	case RECORD_BUILD_ID:
		return read_build_ids(perf, metadata_at(&perf->container.meta, off - 8),
				      len + 8);
	default:
		return NULL;
	}
}

/* All that comes before the first sample. */
static struct err *read_pipe_header(struct perfdata *perf)
{
	uint64_t size = perf->container.meta.file_size, off = PIPE_HEADER_SIZE;
	bool has_tracing_data = false;

	perf->pipe = true;
	perf->start = perf->pos = off;
	perf->end = size;
	while (size - off >= 8) {
		struct metadata_src src = metadata_at(&perf->container.meta, off);
		uint32_t type, more = 0;
		uint16_t misc, len;

		TRY(metadata_u32(&src, "a record", &type));
		TRY(metadata_u16(&src, "a record", &misc));
		TRY(metadata_u16(&src, "a record", &len));
		if (type == RECORD_SAMPLE || type == RECORD_COMPRESSED ||
		    type == RECORD_COMPRESSED2)
			break;
		if (len < 8 || len > size - off)
			return err_new(ERR_FORMAT, "a record of %u bytes at byte %" PRIu64, len,
				       off);
		/* Its text follows the record. */
		if (type == RECORD_TRACING_DATA)
			TRY(metadata_u32(&src, "the size of the tracing data", &more));
		if (more > size - off - len)
			return err_new(ERR_FORMAT, "the tracing data passes the end");
		TRY(read_pipe_part(perf, type, off + 8, len - UINT64_C(8), &has_tracing_data));
		off += (uint64_t)len + more;
	}
	if (!has_tracing_data)
		return err_new(ERR_UNSUPPORTED, "%s", no_tracepoint);
	return perfsample_finish(&perf->layouts);
}

static struct err *read_header(struct perfdata *perf)
{
	struct metadata_src src = metadata_at(&perf->container.meta, strlen(magic));
	uint64_t size, attr_size, bits[NR_FEATURES / 64];
	struct section attrs, data, types;

	TRY(metadata_u64(&src, "the header", &size));
	if (size == PIPE_HEADER_SIZE)
		return read_pipe_header(perf);
	if (size < HEADER_SIZE)
		return err_new(ERR_FORMAT, "a header of %" PRIu64 " bytes", size);
	TRY(metadata_u64(&src, "the header", &attr_size));
	TRY(read_section(&src, &attrs));
	TRY(read_section(&src, &data));
	TRY(read_section(&src, &types));
	for (size_t i = 0; i < NR_FEATURES / 64; i++)
		TRY(metadata_u64(&src, "the header", &bits[i]));
	if (data.off > perf->container.meta.file_size ||
	    data.size > perf->container.meta.file_size - data.off)
		return err_new(ERR_FORMAT,
			       "%" PRIu64 " bytes of records are not in the file: perf did not "
			       "finish it, or it is cut short",
			       data.size);
	if (!data.size)
		return err_new(ERR_FORMAT, "it holds no records: perf did not finish it");
	perf->start = perf->pos = data.off;
	perf->end = data.off + data.size;
	TRY(read_attrs(perf, &attrs, attr_size));
	return read_features(perf, bits);
}

struct err *perfdata_open(const char *path, struct perfdata **ret)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t head[8];

	if (fd < 0 || fstat(fd, &st))
		return err_os(errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return err_new(ERR_UNSUPPORTED, "%s: a directory; record into one file", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_UNSUPPORTED, "%s: not a file; write it to one first", path);
	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    !perfdata_is((struct span){ head, sizeof(head) }))
		return err_new(ERR_FORMAT,
			       "%s: not a perf.data file of this machine's byte order", path);
	CLEANUP(perfdata_cleanup) struct perfdata *perf = xcalloc(1, sizeof(*perf));

	/* Replaced by what the header has. */
	perf->facts.hostname = xstrdup("");
	perf->facts.release = xstrdup("");
	perf->facts.version = xstrdup("");
	perf->facts.arch = xstrdup("");
	metadata_init(&perf->container.meta, take_fd(fd), (uint64_t)st.st_size);
	perf->file = (struct window){ .data = xmalloc(BUFFER), .cap = BUFFER };
	perf->inflated = (struct window){ .data = xmalloc(INFLATED), .cap = INFLATED };
	TRY(err_wrap(read_header(perf), "%s", path));
	*ret = take_ptr(perf);
	return NULL;
}

/* Moves what is left to the front. */
static void compact(struct window *w)
{
	memmove(w->data, w->data + w->from, w->to - w->from);
	w->to -= w->from;
	w->from = 0;
}

/* At least @len bytes of the file in the window; false past the last record. */
static struct err *fill(struct perfdata *perf, size_t len, bool *ret_any)
{
	struct window *w = &perf->file;

	*ret_any = w->to - w->from >= len;
	if (*ret_any)
		return NULL;
	compact(w);
	uint64_t unread = perf->end - perf->pos - w->to;
	size_t more = unread < w->cap - w->to ? (size_t)unread : w->cap - w->to;

	if (more)
		TRY(metadata_read(&perf->container.meta, perf->pos + w->to, w->data + w->to,
				  more));
	w->to += more;
	*ret_any = w->to >= len;
	if (!*ret_any && w->to)
		return err_new(ERR_FORMAT, "the records end in the middle of one");
	return NULL;
}

struct head {
	uint32_t type;
	uint16_t misc, size;
};

/* A whole record at the front of the window, of @w->to - @w->from bytes. */
static bool whole(const struct window *w, struct head *head)
{
	size_t len = w->to - w->from;

	if (len < sizeof(*head))
		return false;
	memcpy(head, w->data + w->from, sizeof(*head));
	return head->size <= len;
}

/* Inflates until there is a record, or nothing more to inflate. */
static struct err *inflate(struct perfdata *perf, bool *ret_any)
{
	struct window *w = &perf->inflated;
	struct head head;

	for (;;) {
		*ret_any = whole(w, &head);
		if (*ret_any && head.size < sizeof(head))
			return err_new(ERR_FORMAT, "a compressed record of %u bytes",
				       head.size);
		/* zstd takes too many calls that can do nothing for an error. */
		if (*ret_any || !perf->zstd || (!perf->packed.len && perf->drained))
			return NULL;
		compact(w);
		ZSTD_inBuffer in = { perf->packed.data, perf->packed.len, 0 };
		ZSTD_outBuffer out = { w->data, w->cap, w->to };
		size_t rc = ZSTD_decompressStream(perf->zstd, &out, &in);

		if (ZSTD_isError(rc))
			return err_new(ERR_FORMAT, "a compressed record: %s",
				       ZSTD_getErrorName(rc));
		bool idle = !in.pos && out.pos == w->to;

		perf->packed.data += in.pos;
		perf->packed.len -= in.pos;
		w->to = out.pos;
		perf->drained = out.pos < out.size;
		if (idle)
			return NULL;
	}
}

/* Record @record, of which the window no longer cares. */
static struct err *next_record(struct perfdata *perf, struct span *record, struct head *head)
{
	struct window *w = &perf->inflated;
	bool any;

	for (;;) {
		TRY(inflate(perf, &any));
		if (any) {
			whole(w, head);
			*record = (struct span){ w->data + w->from, head->size };
			w->from += head->size;
			return NULL;
		}
		w = &perf->file;
		*record = (struct span){};
		TRY(fill(perf, sizeof(*head), &any));
		if (!any)
			return NULL;
		memcpy(head, w->data + w->from, sizeof(*head));
		if (head->size < sizeof(*head))
			return err_new(ERR_FORMAT, "a record of %u bytes at byte %" PRIu64,
				       head->size, perf->pos);
		TRY(fill(perf, head->size, &any));
		*record = (struct span){ w->data + w->from, head->size };
		w->from += head->size;
		perf->pos += head->size;
		if (head->type != RECORD_COMPRESSED && head->type != RECORD_COMPRESSED2)
			return NULL;

		size_t skip = sizeof(*head) + (head->type == RECORD_COMPRESSED2 ? 8 : 0);
		uint64_t size = record->len - (skip < record->len ? skip : record->len);

		if (head->type == RECORD_COMPRESSED2 && record->len >= skip)
			memcpy(&size, record->data + sizeof(*head), sizeof(size));
		if (skip > record->len || size > record->len - skip)
			return err_new(ERR_FORMAT, "a compressed record passes its end");
		perf->packed = (struct span){ record->data + skip, (size_t)size };
		if (!perf->zstd)
			perf->zstd = ZSTD_createDCtx();
		w = &perf->inflated;
	}
}

/* What follows an AUXTRACE record, or tracing data in a pipe, is not in its size. */
static struct err *skip_what_follows(struct perfdata *perf, uint32_t type, struct span record)
{
	size_t field = type == RECORD_AUXTRACE ? 8 : 4;
	uint64_t size = 0;

	if (record.len < sizeof(struct head) + field)
		return err_new(ERR_FORMAT, "a record of type %u of %zu bytes", type,
			       record.len);
	memcpy(&size, record.data + sizeof(struct head), field);
	if (size > perf->end - perf->pos)
		return err_new(ERR_FORMAT, "the records end in the middle of one");
	perf->pos += size;
	perf->file.from = perf->file.to = 0;
	return NULL;
}

static bool parse_comm(struct bytes b, struct perfdata_record *ret)
{
	const char *name;

	if (!bytes_u32(&b, (uint32_t *)&ret->pid) || !bytes_u32(&b, (uint32_t *)&ret->tid) ||
	    !bytes_str(&b, &name))
		return false;
	ret->type = PERFDATA_COMM;
	ret->name = (struct span){ (const uint8_t *)name, strlen(name) };
	return true;
}

static bool parse_mmap(struct bytes b, bool second, struct perfdata_record *ret)
{
	enum { MMAP2_MORE = 32 }; /* device, inode or build-id; protection and flags */
	const char *name;
	uint64_t pgoff;

	if (!bytes_u32(&b, (uint32_t *)&ret->pid) || !bytes_u32(&b, (uint32_t *)&ret->tid) ||
	    !bytes_u64(&b, &ret->start) || !bytes_u64(&b, &ret->length) ||
	    !bytes_u64(&b, &pgoff) || (second && !bytes_skip(&b, MMAP2_MORE)) ||
	    !bytes_str(&b, &name))
		return false;
	ret->type = PERFDATA_MMAP;
	ret->name = (struct span){ (const uint8_t *)name, strlen(name) };
	return true;
}

/* True for a record that is handed out; *ret_well is false for one that passes its end. */
static bool parse(struct perfdata *perf, struct span record, const struct head *head,
		  struct perfdata_record *ret, bool *ret_well)
{
	struct bytes body =
		bytes_of(record.data + sizeof(*head), record.len - sizeof(*head), false);
	uint64_t id;

	*ret = (struct perfdata_record){};
	*ret_well = true;
	switch (head->type) {
	case RECORD_SAMPLE:
		*ret_well = perfsample_parse(&perf->layouts, body, ret);
		return *ret_well && ret->raw.len;
	case RECORD_LOST:
		ret->type = PERFDATA_LOST;
		*ret_well = bytes_u64(&body, &id) && bytes_u64(&body, &ret->lost);
		if (*ret_well && !perfsample_trailer(&perf->layouts, record, ret))
			ret->type = PERFDATA_UNPLACED;
		return *ret_well;
	case RECORD_LOST_SAMPLES:
		ret->type = PERFDATA_UNPLACED;
		*ret_well = bytes_u64(&body, &ret->lost);
		return *ret_well;
	case RECORD_FINISHED_ROUND:
		ret->type = PERFDATA_ROUND;
		return true;
	case RECORD_COMM:
		*ret_well = parse_comm(body, ret);
		return *ret_well;
	case RECORD_MMAP:
	case RECORD_MMAP2:
		*ret_well = parse_mmap(body, head->type == RECORD_MMAP2, ret);
		return *ret_well && ret->pid == -1;
	default:
		return false;
	}
}

struct err *perfdata_next(struct perfdata *perf, struct perfdata_record *ret, bool *ret_any)
{
	for (;;) {
		struct span record;
		struct head head;
		bool well;

		TRY(next_record(perf, &record, &head));
		*ret_any = record.len != 0;
		if (!*ret_any)
			return NULL;
		if (head.type == RECORD_AUXTRACE ||
		    (perf->pipe && head.type == RECORD_TRACING_DATA)) {
			TRY(skip_what_follows(perf, head.type, record));
			continue;
		}
		if (parse(perf, record, &head, ret, &well))
			return NULL;
		perf->malformed += !well;
	}
}
