// SPDX-License-Identifier: GPL-2.0-or-later
/* FILE, FILE.1, FILE.2 … read like one file, as far as they are there. */
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

static struct recording rec;
static struct part part;
static struct squeeze *squeeze;
static uint8_t next_page;

static void set(struct texts *texts, const char *name, const char *value)
{
	struct text *text = texts_get(texts, name);

	text->len = 0;
	text_add(text, value, strlen(value));
}

static void begin(uint64_t trace_id)
{
	auto_free char *output = xasprintf("%s/out.dat", test_dir());

	rec = (struct recording){
		.clock = "mono", .subbuf_size = PAGE, .nr_cpus = 2, .trace_id = trace_id
	};
	set(&rec.standard, "header_page", "the page\n");
	set(&rec.standard, "trace_clock", "[mono]\n");
	set(&rec.formats, "kmem/kmalloc", "name: kmalloc\n");
	CHECK_OK(cpulist_parse("0-1", &rec.cpus));
	CHECK_OK(part_open(output, &part));
	CHECK_OK(squeeze_open(&(struct squeeze_opts){ .dir_fd = part.dir_fd,
						      .cpus = &rec.cpus,
						      .subbuf_size = PAGE,
						      .level = 1 },
			      &squeeze));
	CHECK_OK(recording_write_meta(&rec, &part, 1));
	next_page = 0;
}

/* @nr pages on each CPU, then a cut. */
static void put(size_t nr)
{
	struct sink sink = squeeze_sink(squeeze);
	uint8_t *to;
	size_t room;

	for (size_t i = 0; i < nr; i++, next_page++) {
		for (size_t cpu = 0; cpu < 2; cpu++) {
			CHECK_OK(sink.room(sink.arg, cpu, &to, &room));
			memset(to, next_page, PAGE);
			CHECK_OK(sink.filled(sink.arg, cpu, PAGE));
		}
	}
	for (size_t cpu = 0; cpu < 2; cpu++)
		CHECK_OK(sink.cut(sink.arg, cpu));
	while (!squeeze_settled(squeeze, 1))
		;
}

/* Segment @index as the file of that number. */
static void publish(uint32_t index, bool last)
{
	auto_free char *path =
		index ? xasprintf("%s.%u", part.output, index) : xstrdup(part.output);
	auto_free char *blob = xasprintf("index %u\n%s", index, last ? "last 1\n" : "");
	auto_free char *note = xasprintf("number %u\n", index);
	struct segments cpu[2] = {};
	struct recording_data data = { &part, cpu, true };
	struct recording_writer *writer;
	uint64_t bytes;
	bool done;

	while (!squeeze_settled(squeeze, index + 1))
		;
	set(&rec.blobs, BLOB_CHAIN, blob);
	set(&rec.blobs, "note", note);
	for (size_t i = 0; i < 2; i++)
		squeeze_segments(squeeze, i, index, index + 1, &cpu[i]);
	CHECK_OK(recording_write_begin(&rec, &data, 1, &writer));
	do
		CHECK_OK(recording_write_step(writer, &done));
	while (!done);
	CHECK_OK(recording_write_end(writer, &bytes));
	recording_write_close(writer);
	CHECK_OK(part_publish(&part, path));
	for (size_t i = 0; i < 2; i++)
		segments_deinit(&cpu[i]);
}

static void done(void)
{
	squeeze_close(squeeze);
	part_remove(&part);
	recording_deinit(&rec);
}

/* That @file holds the pages from @first on, @nr of them, on each of two CPUs. */
static void check_pages(const struct tracefile *file, uint8_t first, size_t nr)
{
	CHECK_EQ(tracefile_nr_buffers(file), nr != 0);
	for (size_t cpu = 0; cpu < 2 && nr; cpu++) {
		struct page_reader *reader;
		struct span page;
		uint64_t damaged;
		size_t n = 0;

		CHECK_OK(page_reader_open(file, 0, cpu, &reader));
		for (;; n++) {
			CHECK_OK(page_reader_next(reader, &page, &damaged));
			CHECK_EQ(damaged, 0);
			if (!page.data)
				break;
			CHECK_EQ(page.data[0], (uint8_t)(first + n));
		}
		CHECK_EQ(n, nr);
		page_reader_close(reader);
	}
	CHECK_EQ(tracefile_truncated_bytes(file), 0);
}

static void check(const char *suffix, uint8_t first, size_t nr, uint32_t files, bool broken,
		  const char *note)
{
	auto_free char *path = xasprintf("%s/out.dat%s", test_dir(), suffix);
	struct tracefile *file;
	struct span text;
	bool is_broken;

	CHECK_OK(tracefile_open(path, &file));
	check_pages(file, first, nr);
	CHECK_EQ(tracefile_chain(file, &is_broken), files);
	CHECK_EQ(is_broken, broken);
	if (note) {
		CHECK(tracefile_text(file, "note", &text));
		CHECK_EQ(text.len, strlen(note));
		CHECK(!memcmp(text.data, note, text.len));
	}
	tracefile_close(file);
}

static void make_three(void)
{
	begin(7);
	put(3);
	put(4);
	put(2);
	publish(0, false);
	publish(1, false);
	publish(2, true);
	done();
}

TEST(the_first_file_reads_like_all)
{
	make_three();
	check("", 0, 9, 3, false, "number 2\n");
	check(".1", 3, 4, 0, false, "number 1\n");
	check(".2", 7, 2, 0, false, "number 2\n");
}

TEST(a_file_without_events_is_no_hole)
{
	begin(7);
	put(3);
	put(0);
	put(2);
	publish(0, false);
	publish(1, false);
	publish(2, true);
	done();
	check("", 0, 5, 3, false, "number 2\n");
}

TEST(a_first_file_without_events_is_no_hole_either)
{
	begin(7);
	put(0);
	put(2);
	publish(0, false);
	publish(1, true);
	done();
	check("", 0, 2, 2, false, "number 1\n");
}

TEST(a_chain_that_breaks_off_is_read_up_to_there)
{
	auto_free char *gone = xasprintf("%s/out.dat.1", test_dir());

	make_three();
	CHECK_EQ(unlink(gone), 0);
	check("", 0, 3, 1, true, "number 0\n");
}

TEST(files_of_an_older_chain_do_not_belong_to_it)
{
	make_three();
	begin(8);
	put(5);
	put(5);
	publish(0, false);
	publish(1, false);
	done();
	check("", 0, 10, 2, true, "number 1\n");
}

TEST(what_is_in_the_part_goes_on_behind_the_files)
{
	struct tracefile *file;

	begin(9);
	put(3);
	put(4);
	put(2);
	while (!squeeze_settled(squeeze, 3))
		;
	/* The segment of a file may not be removed yet. */
	publish(0, false);
	CHECK_OK(tracefile_open(part.output, &file));
	CHECK(tracefile_unfinished(file));
	CHECK(tracefile_growing(file));
	check_pages(file, 0, 9);
	tracefile_close(file);
	done();
}

TEST(a_part_of_another_recording_does_not_belong_to_it)
{
	begin(9);
	put(3);
	publish(0, false);
	done();
	begin(10);
	put(1);
	check("", 0, 3, 1, true, "number 0\n");
	done();
}

TEST(a_link_leads_to_the_chain)
{
	auto_free char *link = xasprintf("%s/link.dat", test_dir());
	struct tracefile *file;

	make_three();
	CHECK_EQ(symlink("out.dat", link), 0);
	CHECK_OK(tracefile_open(link, &file));
	check_pages(file, 0, 9);
	tracefile_close(file);
}

TEST(a_file_of_the_chain_that_cannot_be_read_is_an_error)
{
	auto_free char *path = xasprintf("%s/out.dat.1", test_dir());
	auto_free char *first = xasprintf("%s/out.dat", test_dir());
	struct tracefile *file;

	make_three();
	int fd = open(path, O_WRONLY | O_TRUNC);

	CHECK_EQ(write(fd, "junk", 4), 4);
	close(fd);
	CHECK_ERR(tracefile_open(first, &file), "out.dat.1: not a trace.dat");
}
