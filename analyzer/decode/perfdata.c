// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/perfdata.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "decode/perfrecords.h"
#include "decode/perfsample.h"

static const char magic[] = "PERFILE2";

enum {
	HEADER_SIZE = 104,
	PIPE_HEADER_SIZE = 16, /* magic and size; all else comes as records */
	ATTR_MIN = 64,	       /* the first version of struct perf_event_attr */
	ATTR_MAX = 4096,
	IDS_MAX = 1 << 20,
	SECTION_MAX = 64 << 20, /* of a feature that is held in memory */
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
};

static const char no_tracepoint[] =
	"no tracepoint was recorded: perf record -e 'kmem:*', or perf kmem record";

struct build_id {
	char *file, hex[41];
};

struct perfdata {
	struct container container; /* formats; its metadata owns the descriptor */
	struct perfdata_facts facts;
	struct perfsample layouts;
	struct build_id *build_id;
	size_t nr_build_ids, cap_build_ids;

	struct perfrecords records;
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
	perfrecords_deinit(&perf->records);
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
	struct metadata_src src = metadata_at(&perf->container.meta, perf->records.end);
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
	perf->records.start = perf->records.pos = off;
	perf->records.end = size;
	while (size - off >= 8) {
		struct metadata_src src = metadata_at(&perf->container.meta, off);
		uint32_t type, more = 0;
		uint16_t misc, len;

		TRY(metadata_u32(&src, "a record", &type));
		TRY(metadata_u16(&src, "a record", &misc));
		TRY(metadata_u16(&src, "a record", &len));
		if (type == RECORD_SAMPLE || type == PERFRECORDS_COMPRESSED ||
		    type == PERFRECORDS_COMPRESSED2)
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
	perf->records.start = perf->records.pos = data.off;
	perf->records.end = data.off + data.size;
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
	perfrecords_init(&perf->records, &perf->container.meta);
	TRY(err_wrap(read_header(perf), "%s", path));
	*ret = take_ptr(perf);
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
static bool parse(struct perfdata *perf, struct span record,
		  const struct perfrecords_head *head, struct perfdata_record *ret,
		  bool *ret_well)
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
		struct perfrecords_head head;
		bool well;

		TRY(perfrecords_next(&perf->records, &record, &head));
		*ret_any = record.len != 0;
		if (!*ret_any)
			return NULL;
		if (head.type == RECORD_AUXTRACE ||
		    (perf->pipe && head.type == RECORD_TRACING_DATA)) {
			TRY(perfrecords_skip(&perf->records, record,
					     head.type == RECORD_AUXTRACE ? 8 : 4));
			continue;
		}
		if (parse(perf, record, &head, ret, &well))
			return NULL;
		perf->malformed += !well;
	}
}
