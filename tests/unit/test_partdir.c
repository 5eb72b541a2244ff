// SPDX-License-Identifier: GPL-2.0-or-later
/* What a recorder that was killed leaves behind reads as far as it goes. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "capture/recording.h"
#include "decode/partdir.h"
#include "decode/tracefile.h"
#include "tests/lib/test.h"

#define PAGE 4096

static struct recording rec;
static struct part part;

static void set(struct texts *texts, const char *name, const char *value)
{
	text_add(texts_new(texts, name), value, strlen(value));
}

/* CPU 0 without data, CPU 2 with @bytes of it. */
static void make(size_t bytes)
{
	char *output = xasprintf("%s/out.dat", test_dir());
	char page[PAGE];

	rec = (struct recording){ .clock = "mono", .subbuf_size = PAGE, .nr_cpus = 3 };
	set(&rec.standard, "header_page", "the page\n");
	set(&rec.standard, "trace_clock", "local [mono]\n");
	set(&rec.formats, "kmem/kmalloc", "name: kmalloc\n");
	set(&rec.blobs, BLOB_EVENTS, "kmem:kmalloc on\n");
	CHECK_OK(cpulist_parse("0,2", &rec.cpus));
	CHECK_OK(part_open(output, &part));
	free(output);
	CHECK_OK(recording_write_meta(&rec, &part, 1));
	memset(page, 7, sizeof(page));
	int fd = openat(part.dir_fd, "cpu2.0.raw", O_WRONLY | O_CREAT, 0600);

	CHECK(fd >= 0);
	for (; bytes; bytes -= bytes < PAGE ? bytes : PAGE)
		CHECK(write(fd, page, bytes < PAGE ? bytes : PAGE) > 0);
	close(fd);
}

static void done(void)
{
	part_remove(&part);
	recording_deinit(&rec);
}

TEST(whole_pages_are_read_and_the_rest_is_counted)
{
	struct tracefile *file;
	struct page_reader *reader;
	struct span page, text;
	uint64_t damaged, lost = 0;
	size_t pages = 0;

	make(3 * PAGE + 100);
	CHECK_OK(tracefile_open(part.dir, &file));
	CHECK(tracefile_unfinished(file));
	CHECK(tracefile_growing(file));
	CHECK_EQ(tracefile_nr_buffers(file), 1);
	CHECK_EQ(tracefile_nr_cpus(file, 0), 1);
	CHECK_STR(tracefile_buffer_clock(file, 0), "mono");
	CHECK_EQ(tracefile_subbuf_size(file, 0), PAGE);
	CHECK_EQ(tracefile_truncated_bytes(file), 100);
	CHECK(tracefile_text(file, BLOB_EVENTS, &text));
	CHECK_OK(page_reader_open(file, 0, 0, &reader));
	CHECK_EQ(page_reader_cpu(reader), 2);
	for (;;) {
		CHECK_OK(page_reader_next(reader, &page, &damaged));
		lost += damaged;
		if (!page.data)
			break;
		CHECK_EQ(page.len, PAGE);
		CHECK_EQ(page.data[PAGE - 1], 7);
		pages++;
	}
	CHECK_EQ(pages, 3);
	CHECK_EQ(lost, 100);
	page_reader_close(reader);
	tracefile_close(file);
	done();
}

TEST(later_texts_replace_earlier_ones)
{
	struct tracefile *file;
	struct span text;

	make(0);
	set(&rec.blobs, BLOB_TIMES, "start_mono_ns 1\n");
	CHECK_OK(recording_write_meta(&rec, &part, 1));
	CHECK_OK(tracefile_open(part.dir, &file));
	CHECK(tracefile_text(file, BLOB_TIMES, &text));
	CHECK_EQ(tracefile_data_bytes(file), 0);
	tracefile_close(file);
	done();
}

TEST(what_is_kept_stays_without_the_halves_of_files)
{
	struct tracefile *file;
	char *dir, *half;

	make(PAGE);
	dir = xstrdup(part.dir);
	half = xstrdup(part.new_file);
	close(open(half, O_WRONLY | O_CREAT, 0600));
	part_keep(&part);
	done();
	CHECK(access(half, F_OK) < 0);
	CHECK_OK(tracefile_open(dir, &file));
	CHECK(!tracefile_growing(file));
	CHECK_EQ(tracefile_data_bytes(file), PAGE);
	tracefile_close(file);
	free(dir);
	free(half);
}

TEST(the_part_is_found_where_there_is_no_file)
{
	char *found, *output;

	make(PAGE);
	output = xstrdup(part.output);
	found = partdir_find(output);
	CHECK_STR(found, part.dir);
	free(found);
	close(open(output, O_WRONLY | O_CREAT, 0600));
	found = partdir_find(output);
	CHECK_STR(found, output);
	free(found);
	done();
	found = partdir_find("/nonexistent");
	CHECK_STR(found, "/nonexistent");
	free(found);
	free(output);
}

TEST(a_directory_of_anything_else_is_refused)
{
	struct tracefile *file;
	char *fifo;

	CHECK_ERR(tracefile_open(test_dir(), &file), "is a directory, not a trace.dat");
	make(PAGE);
	fifo = xasprintf("%s/cpu7.raw", part.dir);
	CHECK_EQ(mkfifo(fifo, 0600), 0);
	CHECK_ERR(tracefile_open(part.dir, &file), "cpu7.raw: is not a regular file");
	CHECK_EQ(unlink(fifo), 0);
	CHECK_EQ(symlink("/etc/passwd", fifo), 0);
	CHECK_ERR(tracefile_open(part.dir, &file), "cpu7.raw");
	free(fifo);
	done();
}
