// SPDX-License-Identifier: GPL-2.0-or-later
/* Chunks reach the file in order, whoever writes them, and whatever happens. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/xalloc.h"
#include "capture/datfile.h"
#include "capture/lane.h"
#include "decode/container.h"
#include "decode/partdir.h"
#include "tests/lib/test.h"

#define PAGE  4096
#define PAGES (DATFILE_CHUNK / PAGE)

static struct lane lane;
static int dir;

static void make(bool packed)
{
	dir = open(test_dir(), O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	lane_init(&lane, dir, 3, PAGE, packed, 0);
}

/* A chunk of pages that begin with @number. */
static bool put(uint32_t number)
{
	bool queued = false;

	for (size_t i = 0; i < PAGES; i++) {
		uint8_t *to;
		size_t room;

		CHECK_OK(lane_room(&lane, &to, &room));
		CHECK(room >= PAGE);
		memset(to, 0, PAGE);
		memcpy(to, &number, sizeof(number));
		CHECK_OK(lane_filled(&lane, PAGE, &queued));
	}
	return queued;
}

static void compress(struct chunk *c)
{
	auto_free void *frame = malloc(ZSTD_compressBound(c->len));
	size_t n = ZSTD_compress(frame, ZSTD_compressBound(c->len), c->data, c->len, 1);

	CHECK(!ZSTD_isError(n));
	lane_done(&lane, c, frame, n);
}

static void compress_all(void)
{
	struct chunk *c;

	if (!lane_claim(&lane))
		return;
	while ((c = lane_next(&lane, false)))
		compress(c);
}

/* What decode makes of the files: first words of the chunks. */
static void check_chunks(uint32_t nr, uint64_t want_damaged)
{
	struct container c = {};
	struct container_buffer *buffer;
	uint64_t damaged, sum = 0;
	struct span page;
	uint32_t got;

	metadata_init(&c.meta, -1, 0);
	c.page_size = PAGE;
	CHECK_OK(partdir_read(test_dir(), 0, &c));
	buffer = &c.buffer[0];
	CHECK_EQ(buffer->nr_cpus, 1);
	struct page_reader *r = page_reader_new(&(struct page_reader_source){
		.path = "test", .fd = -1, .data = buffer->cpu[0], .subbuf_size = PAGE });

	for (uint32_t i = 0; i < nr; i++) {
		for (size_t j = 0; j < PAGES; j++) {
			CHECK_OK(page_reader_next(r, &page, &damaged));
			CHECK(page.data);
			memcpy(&got, page.data, sizeof(got));
			CHECK_EQ(got, i);
			CHECK_EQ(damaged, 0);
		}
	}
	do {
		CHECK_OK(page_reader_next(r, &page, &damaged));
		sum += damaged;
	} while (page.data);
	CHECK_EQ(sum, want_damaged);
	page_reader_close(r);
	container_deinit(&c);
}

static void done(void)
{
	lane_deinit(&lane);
	close(dir);
}

TEST(plain_chunks_are_in_the_file_at_once)
{
	make(false);
	CHECK(!put(0));
	CHECK(!put(1));
	CHECK_EQ(lane.segments.v[0].stored, 2 * DATFILE_CHUNK);
	check_chunks(2, 0);
	done();
}

TEST(chunks_are_compressed_in_their_order)
{
	make(true);
	CHECK(put(0));
	CHECK(put(1));
	compress_all();
	CHECK(put(2));
	compress_all();
	CHECK_EQ(lane.segments.v[0].chunks, 3);
	CHECK(lane.segments.v[0].stored < DATFILE_CHUNK);
	check_chunks(3, 0);
	done();
}

TEST(who_brings_chunks_does_not_wait_for_the_compressor)
{
	make(true);
	for (uint32_t i = 0; i < 20; i++)
		put(i);
	compress_all();
	CHECK_EQ(lane.segments.v[0].chunks, 20);
	CHECK(lane.segments.v[0].stored > 10 * DATFILE_CHUNK);
	check_chunks(20, 0);
	done();
}

TEST(a_chunk_taken_out_of_the_compressors_hands_is_written_once)
{
	struct chunk *c;

	make(true);
	put(0);
	CHECK(lane_claim(&lane));
	CHECK(!lane_claim(&lane));
	c = lane_next(&lane, false);
	for (uint32_t i = 1; i < 10; i++)
		put(i);
	CHECK(c->stolen);
	compress(c);
	c = lane_next(&lane, false);
	while (c) {
		compress(c);
		c = lane_next(&lane, false);
	}
	check_chunks(10, 0);
	done();
}

TEST(a_cut_begins_a_new_segment_even_in_the_middle_of_a_chunk)
{
	struct segments early = {};
	uint8_t *to;
	size_t room;
	bool queued;

	make(true);
	put(0);
	CHECK_OK(lane_room(&lane, &to, &room));
	memset(to, 0, PAGE);
	CHECK_OK(lane_filled(&lane, PAGE, &queued));
	CHECK(!queued);
	CHECK_OK(lane_cut(&lane, &queued));
	CHECK(queued);
	CHECK(!lane_settled(&lane, 1));
	put(1);
	compress_all();
	CHECK(lane_settled(&lane, 1));
	CHECK_EQ(lane.segments.nr, 2);
	CHECK_EQ(lane.segments.v[0].bytes, DATFILE_CHUNK + PAGE);
	CHECK_EQ(lane.segments.v[1].bytes, DATFILE_CHUNK);
	segments_copy(&lane.segments, 0, 1, &early);
	CHECK_EQ(early.nr, 1);
	segments_deinit(&early);
	lane_drop(&lane, 1);
	CHECK_EQ(lane.segments.nr, 1);
	CHECK(faccessat(dir, "cpu3.0.zst", F_OK, 0) < 0);
	CHECK(faccessat(dir, "cpu3.1.zst", F_OK, 0) == 0);
	done();
}

TEST(a_chunk_that_was_not_written_to_its_end_is_damage)
{
	struct stat st;

	make(true);
	put(0);
	compress_all();
	CHECK_EQ(fstatat(dir, "cpu3.0.zst", &st, 0), 0);
	put(1);
	compress_all();
	CHECK_EQ(ftruncate(lane.fd, st.st_size + 20), 0);
	check_chunks(1, DATFILE_CHUNK);
	/* As a file system gives back what was not on disk yet. */
	CHECK_EQ(ftruncate(lane.fd, st.st_size), 0);
	CHECK_EQ(ftruncate(lane.fd, st.st_size + 100), 0);
	check_chunks(1, 100);
	done();
}

TEST(what_cannot_be_written_is_told_once_and_leaves_no_hole)
{
	uint8_t *to;
	size_t room;
	bool queued;

	make(true);
	put(0);
	compress_all();
	/* The file of the next segment cannot be made. */
	CHECK_OK(lane_cut(&lane, &queued));
	CHECK_EQ(mkdirat(dir, "cpu3.1.zst", 0700), 0);
	put(1);
	compress_all();
	struct err *err = lane_room(&lane, &to, &room);

	CHECK(err);
	CHECK(strstr(err_text(err), "cpu3.1.zst"));
	err_free(err);
	CHECK_OK(lane_error(&lane));
	CHECK_EQ(unlinkat(dir, "cpu3.1.zst", AT_REMOVEDIR), 0);
	check_chunks(1, 0);
	done();
}
