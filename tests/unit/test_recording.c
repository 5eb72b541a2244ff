// SPDX-License-Identifier: GPL-2.0-or-later
/* What the recorder writes is what the analyzer reads. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/recording.h"
#include "capture/squeeze.h"
#include "decode/tracefile.h"
#include "tests/lib/test.h"

#define PAGE 4096

static void set(struct texts *texts, const char *name, const char *value)
{
	text_add(texts_new(texts, name), value, strlen(value));
}

static void make(struct recording *rec, struct part *part)
{
	char *output = xasprintf("%s/out.dat", test_dir());

	*rec = (struct recording){
		.clock = "mono", .subbuf_size = PAGE, .nr_cpus = 3, .trace_id = 77
	};
	set(&rec->standard, "header_page", "the page\n");
	set(&rec->standard, "header_event", "the event\n");
	set(&rec->standard, "kallsyms", "ffffffff81000000 T _text\n");
	set(&rec->standard, "saved_cmdlines", "12 twelve\n");
	set(&rec->standard, "uname", "Linux here 6.1 x86_64");
	set(&rec->standard, "trace_clock", "local [mono]\n");
	set(&rec->ftrace_formats, "ftrace/print", "name: print\n");
	set(&rec->formats, "kmem/kmalloc", "name: kmalloc\n");
	set(&rec->formats, "kmem/kfree", "name: kfree\n");
	set(&rec->formats, "percpu/percpu_free_percpu", "name: percpu_free_percpu\n");
	set(&rec->blobs, BLOB_EVENTS, "kmem:kmalloc on\n");
	set(&rec->blobs, BLOB_SNAPSHOT "start/meminfo", "MemFree: 1 kB\n");
	set(&rec->cpustat, "cpustat/0", "CPU: 0\nentries: 0\n");
	set(&rec->cpustat, "cpustat/2", "CPU: 2\nentries: 0\n");
	CHECK_OK(cpulist_parse("0,2", &rec->cpus));
	CHECK_OK(part_open(output, part));
	free(output);
}

/* @pages of the CPU 2 by way of the recorder's own files. */
static void put_pages(struct squeeze *squeeze, size_t pages)
{
	struct sink sink = squeeze_sink(squeeze);

	for (size_t i = 0; i < pages; i++) {
		uint8_t *to;
		size_t room;

		CHECK_OK(sink.room(sink.arg, 1, &to, &room));
		CHECK(room >= PAGE);
		memset(to, (int)(i % 251), PAGE);
		CHECK_OK(sink.filled(sink.arg, 1, PAGE));
		if (i % 100 == 99)
			CHECK_OK(sink.cut(sink.arg, 1));
	}
	CHECK_OK(squeeze_finish(squeeze));
}

static struct tracefile *round_trip(size_t pages, int level, bool packed)
{
	struct recording_writer *writer;
	struct tracefile *file;
	struct recording rec;
	struct part part;
	uint64_t bytes;
	bool done;
	struct squeeze *squeeze;
	struct segments cpu[2] = {};

	make(&rec, &part);
	CHECK_OK(squeeze_open(&(struct squeeze_opts){ .dir_fd = part.dir_fd,
						      .cpus = &rec.cpus,
						      .subbuf_size = PAGE,
						      .level = packed ? level : 0 },
			      &squeeze));
	put_pages(squeeze, pages);
	for (size_t i = 0; i < 2; i++)
		squeeze_segments(squeeze, i, 0, UINT32_MAX, &cpu[i]);

	struct recording_data data = { &part, cpu, packed };

	CHECK_EQ(segments_bytes(&cpu[1]), pages * PAGE);
	CHECK_OK(recording_write_begin(&rec, &data, level, &writer));
	do
		CHECK_OK(recording_write_step(writer, &done));
	while (!done);
	CHECK_OK(recording_write_end(writer, &bytes));
	recording_write_close(writer);
	squeeze_close(squeeze);
	for (size_t i = 0; i < 2; i++)
		segments_deinit(&cpu[i]);
	CHECK_OK(part_publish(&part, part.output));

	struct stat st;

	CHECK_EQ(stat(part.output, &st), 0);
	CHECK_EQ(st.st_size, bytes);
	CHECK_OK(tracefile_open(part.output, &file));
	part_remove(&part);
	recording_deinit(&rec);
	return file;
}

static void check_text(const struct tracefile *file, const char *name, const char *want)
{
	struct span span;

	if (!tracefile_text(file, name, &span))
		test_fail(__FILE__, __LINE__, "no %s", name);
	/* Options are C strings in the file. */
	if (span.len && !span.data[span.len - 1])
		span.len--;
	char *text = xstrndup((const char *)span.data, span.len);

	CHECK_STR(text, want);
	free(text);
}

static void check_texts(const struct tracefile *file)
{
	struct span span;
	const char *system;

	check_text(file, "header_page", "the page\n");
	check_text(file, "header_event", "the event\n");
	check_text(file, "kallsyms", "ffffffff81000000 T _text\n");
	check_text(file, "cmdlines", "12 twelve\n");
	check_text(file, "uname", "Linux here 6.1 x86_64");
	check_text(file, BLOB_EVENTS, "kmem:kmalloc on\n");
	check_text(file, BLOB_SNAPSHOT "start/meminfo", "MemFree: 1 kB\n");

	size_t i = 0, nr_kmem = 0, nr_percpu = 0, nr_ftrace = 0;

	for (; tracefile_format(file, i, &system, &span); i++) {
		nr_kmem += !strcmp(system, "kmem");
		nr_percpu += !strcmp(system, "percpu");
		nr_ftrace += !strcmp(system, "ftrace");
	}
	CHECK_EQ(nr_kmem, 2);
	CHECK_EQ(nr_percpu, 1);
	CHECK_EQ(nr_ftrace, 1);
	CHECK_EQ(i, 4);
}

/* All pages of the recorded CPUs together. */
static void check_pages(const struct tracefile *file, size_t pages)
{
	size_t seen = 0;

	for (size_t i = 0; i < tracefile_nr_cpus(file, 0); i++) {
		struct page_reader *reader;
		uint64_t damaged;
		struct span page;

		CHECK_OK(page_reader_open(file, 0, i, &reader));
		for (;;) {
			CHECK_OK(page_reader_next(reader, &page, &damaged));
			CHECK_EQ(damaged, 0);
			if (!page.data)
				break;
			CHECK_EQ(page_reader_cpu(reader), 2);
			CHECK_EQ(page.len, PAGE);
			CHECK_EQ(page.data[0], seen % 251);
			CHECK_EQ(page.data[PAGE - 1], seen % 251);
			seen++;
		}
		page_reader_close(reader);
	}
	CHECK_EQ(seen, pages);
	CHECK_EQ(tracefile_truncated_bytes(file), 0);
}

static void check(size_t pages, int level, bool packed)
{
	struct tracefile *file = round_trip(pages, level, packed);

	CHECK_EQ(tracefile_version(file), 7);
	check_texts(file);
	if (pages) {
		CHECK_EQ(tracefile_nr_buffers(file), 1);
		CHECK_STR(tracefile_buffer_name(file, 0), "");
		CHECK_STR(tracefile_buffer_clock(file, 0), "mono");
		CHECK_EQ(tracefile_subbuf_size(file, 0), PAGE);
		check_pages(file, pages);
	}
	tracefile_close(file);
}

TEST(a_compressed_recording_is_read_back_whole)
{
	check(300, 1, true);
}

TEST(an_uncompressed_recording_is_read_back_whole)
{
	check(300, 0, false);
}

TEST(a_recording_of_exactly_full_chunks_is_read_back_whole)
{
	check(2 * DATFILE_CHUNK / PAGE, 1, true);
}

TEST(a_recording_without_an_event_is_a_recording)
{
	check(0, 1, true);
	check(0, 0, false);
}

TEST(what_was_stored_plain_is_compressed_at_the_end)
{
	check(300, 1, false);
}
