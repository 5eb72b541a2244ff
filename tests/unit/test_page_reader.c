// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/page_reader.h"

#include <pthread.h>
#include <sys/resource.h>

#include "tests/lib/datcheck.h"

TEST(data_cut_short_is_read_to_the_last_whole_sub_buffer)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });
	size_t len;

	add_pages(m, "", 0, 3, PAGE);
	add_pages(m, "", 1, 3, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);

	write_dat(data, len - PAGE - 100);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();
	struct tally whole = read_cpu(file, 0, 0), cut = read_cpu(file, 0, 1);

	CHECK_EQ(whole.pages, 3);
	CHECK_EQ(whole.damaged, 0);
	CHECK_EQ(cut.pages, 1);
	CHECK_EQ(cut.damaged, 2 * PAGE);
	CHECK_EQ(tracefile_truncated_bytes(file), 2 * PAGE);
	CHECK_EQ(tracefile_data_bytes(file), 5 * PAGE - 100);
}

TEST(data_that_goes_away_while_it_is_read_is_damage)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });
	size_t len;

	add_pages(m, "", 0, 30, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);

	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	CHECK_EQ(truncate(dat_path(), (off_t)len - 3 * PAGE + 100), 0);
	struct tally cut = read_cpu(file, 0, 0);

	CHECK_EQ(cut.pages, 27);
	CHECK_EQ(cut.damaged, 3 * PAGE);
}

TEST(data_that_is_missing_altogether_is_counted)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });
	size_t len;

	add_pages(m, "", 0, 3, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);

	write_dat(data, len - 3 * PAGE);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();
	struct tally cut = read_cpu(file, 0, 0);

	CHECK_EQ(cut.pages, 0);
	CHECK_EQ(cut.damaged, 3 * PAGE);
	CHECK_EQ(tracefile_truncated_bytes(file), 3 * PAGE);
}

/* A zstd file of one CPU with 30 pages, and where its chunks are. */
static uint8_t *zstd_bytes(size_t chunk_bytes, size_t *ret_len, size_t *ret_chunks)
{
	struct mkdat *m =
		mkdat_new(&(struct mkdat_opts){ .zstd = true, .chunk_bytes = chunk_bytes });

	add_pages(m, "", 0, 30, PAGE);
	uint8_t *data = bytes_made(m, ret_len);

	*ret_chunks = get64(data + cpu_entry(data, *ret_len) + 4) + 4;
	return data;
}

static struct tally spoilt_zstd(size_t chunk_bytes, size_t at, uint8_t xor)
{
	size_t len, chunks;
	auto_free uint8_t *data = zstd_bytes(chunk_bytes, &len, &chunks);

	data[chunks + at] ^= xor;
	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	return read_cpu(file, 0, 0);
}

TEST(a_chunk_that_does_not_inflate_costs_that_chunk)
{
	/* The magic of the first of three frames. */
	struct tally tally = spoilt_zstd(10 * PAGE, 8, 0xff);

	CHECK_EQ(tally.pages, 20);
	CHECK_EQ(tally.damaged, 10 * PAGE);
}

TEST(a_chunk_that_inflates_to_another_size_costs_that_chunk)
{
	struct tally tally = spoilt_zstd(10 * PAGE, 4, 0x10);

	CHECK_EQ(tally.pages, 20);
	CHECK_EQ(tally.damaged, 10 * PAGE ^ 0x10);
}

TEST(a_chunk_of_monstrous_size_costs_that_chunk_and_no_memory)
{
#ifndef __SANITIZE_ADDRESS__
	CHECK_EQ(setrlimit(RLIMIT_AS, &(struct rlimit){ 512 << 20, 512 << 20 }), 0);
#endif
	struct tally tally = spoilt_zstd(10 * PAGE, 7, 0x80);

	CHECK_EQ(tally.pages, 20);
	CHECK_EQ(tally.damaged, 10 * PAGE + (1u << 31));
}

TEST(a_chunk_that_passes_the_end_ends_the_data)
{
	struct tally tally = spoilt_zstd(10 * PAGE, 3, 0x40);

	CHECK_EQ(tally.pages, 0);
	CHECK(tally.damaged >= 10 * PAGE);
}

/* Spoils one of chunks of 1.5 sub-buffers. */
static struct tally spoilt_straddling(unsigned int chunk)
{
	size_t len, at;
	auto_free uint8_t *data = zstd_bytes(PAGE + PAGE / 2, &len, &at);

	for (; chunk; chunk--) {
		uint32_t size;

		memcpy(&size, data + at, 4);
		at += 8 + size;
	}
	data[at + 8] ^= 0xff;
	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	return read_cpu(file, 0, 0);
}

TEST(a_spoilt_chunk_costs_the_sub_buffers_that_reach_into_it)
{
	/* The rest of page 1, and page 2. */
	struct tally tally = spoilt_straddling(1);

	CHECK_EQ(tally.pages, 28);
	CHECK_EQ(tally.damaged, 2 * PAGE);

	/* Page 3, and page 4 of which the next chunk has the rest. */
	tally = spoilt_straddling(2);
	CHECK_EQ(tally.pages, 28);
	CHECK_EQ(tally.damaged, 2 * PAGE);
}

TEST(chunks_that_are_promised_and_missing_are_damage)
{
	struct tally tally = spoilt_zstd(10 * PAGE, -4, 3 ^ 5);

	CHECK_EQ(tally.pages, 30);
	CHECK(tally.damaged > 0);
}

TEST(data_behind_the_last_promised_chunk_is_damage)
{
	struct tally tally = spoilt_zstd(10 * PAGE, -4, 3 ^ 2);

	CHECK_EQ(tally.pages, 20);
	CHECK(tally.damaged > 0);
}

TEST(zstd_data_that_ends_early_is_read_to_the_last_whole_chunk)
{
	/* The options stand behind the data, so the data is not cut: it claims
	 * to be longer than the file. */
	size_t len, chunks;
	auto_free uint8_t *data = zstd_bytes(10 * PAGE, &len, &chunks);
	size_t size_off = cpu_entry(data, len) + 12;
	uint64_t longer = get64(data + size_off) + (1 << 30);

	memcpy(data + size_off, &longer, 8);
	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();
	struct tally tally = read_cpu(file, 0, 0);

	CHECK_EQ(tally.pages, 30);
	CHECK(tracefile_truncated_bytes(file) > (1 << 29));
	CHECK(tally.damaged >= tracefile_truncated_bytes(file));
}

struct thread {
	const struct tracefile *file;
	size_t cpu;
	struct tally tally;
};

static void *read_in_thread(void *arg)
{
	struct thread *t = arg;

	t->tally = read_cpu(t->file, 0, t->cpu);
	return NULL;
}

TEST(readers_of_one_file_run_in_threads_of_their_own)
{
	enum { NR = 4 };
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .zstd = true });

	for (unsigned int cpu = 0; cpu < NR; cpu++)
		add_pages(m, "", cpu, 300, PAGE);

	CLEANUP(tracefile_cleanup) struct tracefile *file = made(m);
	pthread_t id[NR];
	struct thread thread[NR];

	for (size_t i = 0; i < NR; i++) {
		thread[i] = (struct thread){ .file = file, .cpu = i };
		CHECK_EQ(pthread_create(&id[i], NULL, read_in_thread, &thread[i]), 0);
	}
	for (size_t i = 0; i < NR; i++) {
		CHECK_EQ(pthread_join(id[i], NULL), 0);
		CHECK_EQ(thread[i].tally.pages, 300);
		CHECK_EQ(thread[i].tally.damaged, 0);
	}
}
