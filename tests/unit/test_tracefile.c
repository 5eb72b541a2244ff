// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tracefile.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "capture/blobs.h"
#include "tests/lib/datcheck.h"

enum { SECTION_SIZE = 8 /* in a section header */ };

/* Everything that both versions carry, there and back. */
static struct tracefile *check_all(const struct mkdat_opts *opts)
{
	struct mkdat *m = mkdat_new(opts);

	mkdat_text(m, "header_page", "a page\n");
	mkdat_text(m, "header_event", "an event\n");
	mkdat_text(m, "kallsyms", "ffffffff81000000 T _stext\n");
	mkdat_text(m, "printk_formats", "0xffffffff82000000 : \"hello\"\n");
	mkdat_text(m, "cmdlines", "1 init\n2 kthreadd\n");
	mkdat_text(m, "uname", "Linux box 6.12.0 x86_64");
	mkdat_text(m, "trace_clock", "local global [mono] boot");
	mkdat_text(m, "version", "0.1.0");
	mkdat_text(m, "cpustat", "CPU: 0\noverrun: 0\n");
	mkdat_text(m, "cpustat", "CPU: 1\noverrun: 5");
	mkdat_trace_id(m, 0x1122334455667788);
	mkdat_format(m, "kmem", "name: kmalloc\n");
	mkdat_format(m, "percpu", "name: percpu_alloc_percpu\n");
	mkdat_format(m, "kmem", "name: kfree\n");
	mkdat_format(m, "ftrace", "name: kernel_stack\n");
	mkdat_blob(m, BLOB_PAGE_SIZE, "4096\n", 5);
	mkdat_blob(m, "empty", "", 0);
	add_pages(m, "", 0, 3, PAGE);
	add_pages(m, "", 2, 25, PAGE);

	struct tracefile *file = made(m);

	CHECK_EQ(tracefile_version(file), opts->version);
	CHECK_EQ(tracefile_long_size(file), opts->long_size ? opts->long_size : 8);
	CHECK_EQ(tracefile_swapped(file), opts->big_endian);
	check_text(file, "header_page", "a page\n");
	check_text(file, "header_event", "an event\n");
	check_text(file, "kallsyms", "ffffffff81000000 T _stext\n");
	check_text(file, "printk_formats", "0xffffffff82000000 : \"hello\"\n");
	check_text(file, "cmdlines", "1 init\n2 kthreadd\n");
	check_text(file, "uname", "Linux box 6.12.0 x86_64");
	check_text(file, "trace_clock", "local global [mono] boot");
	check_text(file, "version", "0.1.0");
	check_text(file, "cpustat", "CPU: 0\noverrun: 0\nCPU: 1\noverrun: 5\n");
	check_text(file, "trace_id", "0x1122334455667788");

	static const char *const formats[][2] = {
		{ "ftrace", "name: kernel_stack\n" },
		{ "kmem", "name: kmalloc\n" },
		{ "kmem", "name: kfree\n" },
		{ "percpu", "name: percpu_alloc_percpu\n" },
	};
	const char *name;
	struct span span;

	for (size_t i = 0; i < 4; i++) {
		CHECK(tracefile_format(file, i, &name, &span));
		auto_free char *text = xstrndup((const char *)span.data, span.len);
		CHECK_STR(name, formats[i][0]);
		CHECK_STR(text, formats[i][1]);
	}
	CHECK(!tracefile_format(file, 4, &name, &span));
	CHECK(!tracefile_text(file, "nothing", &span));

	CHECK_EQ(tracefile_nr_buffers(file), 1);
	CHECK_STR(tracefile_buffer_name(file, 0), "");
	CHECK_STR(tracefile_buffer_clock(file, 0), "mono");
	CHECK_EQ(tracefile_subbuf_size(file, 0), PAGE);
	CHECK_EQ(tracefile_nr_cpus(file, 0), 2);
	CHECK_EQ(tracefile_truncated_bytes(file), 0);
	for (size_t i = 0; i < 2; i++) {
		struct tally tally = read_cpu(file, 0, i);

		CHECK_EQ(tally.pages, i ? 25 : 3);
		CHECK_EQ(tally.damaged, 0);
	}
	return file;
}

static void check_blobs(const struct tracefile *file)
{
	const char *name;
	struct span blob;

	check_text(file, BLOB_PAGE_SIZE, "4096\n");
	CHECK(tracefile_blob(file, 0, &name, &blob));
	CHECK_STR(name, BLOB_PAGE_SIZE);
	CHECK_EQ(blob.len, 5);
	CHECK(tracefile_blob(file, 1, &name, &blob));
	CHECK_STR(name, "empty");
	CHECK_EQ(blob.len, 0);
	CHECK(!tracefile_blob(file, 2, &name, &blob));
}

TEST(v6_comes_back_as_it_was_written)
{
	tracefile_close(check_all(&(struct mkdat_opts){ .version = 6 }));
}

TEST(v6_of_the_other_byte_order_comes_back_too)
{
	tracefile_close(check_all(&(struct mkdat_opts){ .version = 6, .big_endian = true }));
}

TEST(v7_comes_back_as_it_was_written)
{
	CLEANUP(tracefile_cleanup)
	struct tracefile *file = check_all(&(struct mkdat_opts){ .version = 7 });

	check_blobs(file);
	CHECK_EQ(tracefile_data_bytes(file), 28 * PAGE);
}

TEST(v7_with_zstd_comes_back_as_it_was_written)
{
	CLEANUP(tracefile_cleanup)
	struct tracefile *file = check_all(&(struct mkdat_opts){ .version = 7, .zstd = true });

	check_blobs(file);
}

TEST(v7_with_zstd_of_the_other_byte_order_comes_back_too)
{
	CLEANUP(tracefile_cleanup)
	struct tracefile *file = check_all(&(struct mkdat_opts){
		.version = 7, .zstd = true, .big_endian = true, .long_size = 4 });

	check_blobs(file);
}

TEST(sizes_that_count_the_number_of_chunks_are_read_too)
{
	tracefile_close(check_all(
		&(struct mkdat_opts){ .version = 7, .zstd = true, .whole_sizes = true }));
}

TEST(sub_buffers_may_reach_over_the_end_of_a_chunk)
{
	tracefile_close(check_all(
		&(struct mkdat_opts){ .version = 7, .zstd = true, .chunk_bytes = 6000 }));
	tracefile_close(check_all(
		&(struct mkdat_opts){ .version = 7, .zstd = true, .chunk_bytes = 1000 }));
}

TEST(chunks_may_be_large)
{
	tracefile_close(check_all(
		&(struct mkdat_opts){ .version = 7, .zstd = true, .chunk_bytes = 1 << 20 }));
}

TEST(instances_have_names_and_sub_buffers_of_their_own)
{
	for (int zstd = 0; zstd < 2; zstd++) {
		struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .zstd = zstd });

		mkdat_buffer(m, "empty", "local", 0);
		mkdat_buffer(m, "big", "boot", 65536);
		add_pages(m, "big", 5, 40, 65536);
		mkdat_buffer(m, "", "x86-tsc", 0);
		add_pages(m, "", 1, 2, PAGE);

		CLEANUP(tracefile_cleanup) struct tracefile *file = made(m);

		CHECK_EQ(tracefile_nr_buffers(file), 2);
		CHECK_STR(tracefile_buffer_name(file, 0), "big");
		CHECK_STR(tracefile_buffer_clock(file, 0), "boot");
		CHECK_EQ(tracefile_subbuf_size(file, 0), 65536);
		CHECK_EQ(read_cpu(file, 0, 0).pages, 40);
		CHECK_STR(tracefile_buffer_name(file, 1), "");
		CHECK_STR(tracefile_buffer_clock(file, 1), "x86-tsc");
		CHECK_EQ(read_cpu(file, 1, 0).pages, 2);
	}
}

TEST(v6_instances_have_tables_of_their_own)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });

	mkdat_text(m, "trace_clock", "[boot]");
	add_pages(m, "first", 1, 4, PAGE);
	add_pages(m, "second", 0, 5, PAGE);

	CLEANUP(tracefile_cleanup) struct tracefile *file = made(m);

	CHECK_EQ(tracefile_nr_buffers(file), 2);
	CHECK_STR(tracefile_buffer_name(file, 0), "first");
	CHECK_STR(tracefile_buffer_clock(file, 0), "boot");
	CHECK_EQ(read_cpu(file, 0, 0).pages, 4);
	CHECK_STR(tracefile_buffer_name(file, 1), "second");
	CHECK_STR(tracefile_buffer_clock(file, 1), "boot");
	CHECK_EQ(read_cpu(file, 1, 0).pages, 5);
}

TEST(v6_without_the_clock_option_has_no_clock)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });

	add_pages(m, "", 0, 1, PAGE);

	CLEANUP(tracefile_cleanup) struct tracefile *file = made(m);
	struct span text;

	CHECK_STR(tracefile_buffer_clock(file, 0), "");
	CHECK(!tracefile_text(file, "trace_clock", &text));
	CHECK(!tracefile_text(file, "cpustat", &text));
	CHECK_EQ(read_cpu(file, 0, 0).pages, 1);
}

TEST(a_v6_instance_that_does_not_tell_its_clock_has_the_file_s)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });
	size_t len;

	mkdat_text(m, "trace_clock", "[boot]");
	add_pages(m, "first", 1, 4, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);
	uint8_t *table = memmem(data + PAGE, len - PAGE, "flyrecord", 10);
	uint8_t *clock = memmem(table, 100, "[boot]", 6);

	clock[-1] = 0xff; /* of its length: no clock is that long */
	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	CHECK_STR(tracefile_buffer_clock(file, 0), "boot");
	CHECK_EQ(read_cpu(file, 0, 0).pages, 4);
}

TEST(sub_buffers_of_64k_are_read_from_v6)
{
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6, .page_size = 65536 });

	add_pages(m, "", 0, 40, 65536);

	CLEANUP(tracefile_cleanup) struct tracefile *file = made(m);

	CHECK_EQ(tracefile_subbuf_size(file, 0), 65536);
	CHECK_EQ(read_cpu(file, 0, 0).pages, 40);
}

TEST(buffers_of_one_name_stay_two)
{
	struct mkdat *m = mkdat_new(NULL);

	mkdat_buffer(m, "same", "mono", 0);
	add_pages(m, "same", 0, 1, PAGE);
	mkdat_buffer(m, "same", "mono", 0);
	add_pages(m, "same", 0, 2, PAGE);

	CLEANUP(tracefile_cleanup) struct tracefile *file = made(m);

	CHECK_EQ(tracefile_nr_buffers(file), 2);
	CHECK_EQ(read_cpu(file, 0, 0).pages, 1);
	CHECK_EQ(read_cpu(file, 1, 0).pages, 2);
}

TEST(a_file_without_events_formats_or_texts_opens)
{
	for (unsigned int version = 6; version <= 7; version++) {
		CLEANUP(tracefile_cleanup)
		struct tracefile *file = made(
			mkdat_new(&(struct mkdat_opts){ .version = version, .bare = true }));
		const char *system;
		struct span span;

		CHECK_EQ(tracefile_nr_buffers(file), 0);
		CHECK_EQ(tracefile_data_bytes(file), 0);
		CHECK(!tracefile_format(file, 0, &system, &span));
		CHECK(!tracefile_blob(file, 0, &system, &span));
	}
}

TEST(what_is_no_trace_dat_is_refused_in_one_line)
{
	write_dat("\x7f"
		  "ELF\x02\x01\x01 and so on",
		  17);
	open_fails("not a trace.dat: starts with \"\\x7fELF\\x02\\x01\\x01 an\"");
	write_dat("\x17", 1);
	open_fails("not a trace.dat: starts with \"\\x17\"");
	write_dat("", 0);
	open_fails("is empty, not a trace.dat");
	CHECK_EQ(unlink(dat_path()), 0);
	open_fails("No such file");
	CHECK_EQ(mkdir(dat_path(), 0700), 0);
	open_fails("is a directory");
	CHECK_EQ(rmdir(dat_path()), 0);
	CHECK_EQ(mkfifo(dat_path(), 0600), 0);
	open_fails("is not a regular file");
}

TEST(a_header_that_makes_no_sense_is_refused)
{
	static const struct {
		size_t at;
		uint8_t byte;
		const char *part;
	} spoilt[] = {
		{ 10, '5', "is a trace.dat of version \"5\"" },
		{ 10, '\x1b', "is a trace.dat of version \"\\x1b\"" },
		{ 12, 2, "byte order 2" },
		{ 13, 16, "longs of 16 bytes" },
		{ HEADER_LEN, 'm', "is compressed with \"mone\"" },
		{ PLAIN_OPTIONS + 7, 0x7f, "is cut short: its options are at byte" },
	};

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		size_t len;
		auto_free uint8_t *data = bytes_made(mkdat_new(NULL), &len);

		data[spoilt[i].at] = spoilt[i].byte;
		write_dat(data, len);
		open_fails(spoilt[i].part);
	}
}

TEST(a_recording_that_was_not_brought_to_its_end_is_refused)
{
	size_t len;
	auto_free uint8_t *data = bytes_made(mkdat_new(NULL), &len);

	memset(data + PLAIN_OPTIONS, 0, 8);
	write_dat(data, len);
	open_fails("has no options");
}

TEST(a_latency_text_is_refused_as_such)
{
	size_t len;
	auto_free uint8_t *data =
		bytes_made(mkdat_new(&(struct mkdat_opts){ .version = 6 }), &len);
	uint8_t *tag = memmem(data, len, "flyrecord", 10);

	memcpy(tag, "latency  ", 10);
	write_dat(data, len);
	open_fails("latency");
}

TEST(sub_buffers_of_senseless_size_are_refused)
{
	static const uint32_t sizes[] = { 8, 4097, 2 << 20 };

	for (size_t i = 0; i < 3; i++) {
		struct mkdat *m = mkdat_new(NULL);

		mkdat_buffer(m, "", "mono", sizes[i]);
		mkdat_page(m, "", 0, "x", 1);
		mkdat_write(m, dat_path());
		mkdat_free(m);
		open_fails("not a multiple of 8 from 64");
	}
}

TEST(options_in_a_ring_are_refused)
{
	size_t len;
	auto_free uint8_t *data = bytes_made(mkdat_new(NULL), &len);
	uint64_t first = get64(data + PLAIN_OPTIONS);

	/* The last option of the last section is where the chain ends. */
	CHECK_EQ(get64(data + len - 8), 0);
	memcpy(data + len - 8, &first, 8);
	write_dat(data, len);
	open_fails("ring");
}

TEST(of_two_options_for_one_section_the_first_counts)
{
	enum { OPTION_LEN = 2 + 4 + 8 };
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	mkdat_text(m, "kallsyms", "0 T here\n");
	mkdat_format(m, "kmem", "name: kmalloc\n");
	auto_free uint8_t *data = bytes_made(m, &len);
	uint8_t *option = data + get64(data + PLAIN_OPTIONS) + 16;

	/* Header, ftrace formats, formats, kallsyms: the last becomes formats. */
	CHECK_EQ(option[2 * OPTION_LEN], 18);
	memcpy(option + 3 * OPTION_LEN, option + 2 * OPTION_LEN, OPTION_LEN);
	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();
	const char *system;
	struct span span;

	CHECK(tracefile_format(file, 0, &system, &span));
	CHECK(!tracefile_format(file, 1, &system, &span));
	CHECK(!tracefile_text(file, "kallsyms", &span));
}

TEST(cpu_data_that_is_promised_twice_is_refused)
{
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	add_pages(m, "", 0, 2, PAGE);
	add_pages(m, "", 1, 2, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);
	size_t entry = cpu_entry(data, len);

	/* The second CPU's offset becomes the first's last page. */
	uint64_t off = get64(data + entry + 4) + PAGE;

	memcpy(data + entry + 20 + 4, &off, 8);
	write_dat(data, len);
	open_fails("overlap");
}

TEST(one_cpu_may_have_two_entries)
{
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	add_pages(m, "", 3, 2, PAGE);
	add_pages(m, "", 1, 2, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);

	data[cpu_entry(data, len)] = 1;
	write_dat(data, len);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	CHECK_EQ(tracefile_nr_cpus(file, 0), 2);
	for (size_t i = 0; i < 2; i++) {
		struct page_reader *reader;

		CHECK_OK(page_reader_open(file, 0, i, &reader));
		CHECK_EQ(page_reader_cpu(reader), 1);
		page_reader_close(reader);
	}
}

TEST(cpu_data_beyond_any_file_is_refused)
{
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	add_pages(m, "", 0, 1, PAGE);
	auto_free uint8_t *data = bytes_made(m, &len);

	data[cpu_entry(data, len) + 4 + 7] = 0xff;
	write_dat(data, len);
	open_fails("no file is that long");
}

TEST(a_text_longer_than_the_file_is_refused_before_it_is_read)
{
	for (unsigned int version = 6; version <= 7; version++) {
		struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = version });
		size_t len;

		mkdat_text(m, "kallsyms", "0 T here\n");
		auto_free uint8_t *data = bytes_made(m, &len);
		uint8_t *text = memmem(data, len, "0 T here\n", 9);

		text[-1] = 0x3f;
		write_dat(data, len);
		open_fails("kallsyms is missing or cut short at byte");
	}
}

TEST(a_text_that_would_fill_the_memory_is_refused_though_the_file_has_it)
{
	enum { TEXT_LEN_OFF = 8 };
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .version = 6 });
	size_t len;

	mkdat_text(m, "cmdlines", "1 init\n");
	auto_free uint8_t *data = bytes_made(m, &len);
	uint8_t *text = memmem(data, len, "1 init\n", 7);

	text[-TEXT_LEN_OFF + 3] = 0x60;
	write_dat(data, len);
	CHECK_EQ(truncate(dat_path(), 2l << 30), 0);
	open_fails("more than 1024 MB of metadata");
}

/* Offset of the body of the kallsyms section. */
static size_t kallsyms_body(const uint8_t *data, size_t len)
{
	static const uint8_t start[] = { 19, 0, 1, 0, 0xff, 0xff, 0xff, 0xff };
	const uint8_t *p = memmem(data, len, start, sizeof(start));

	CHECK(p);
	return (size_t)(p - data) + 16;
}

TEST(a_section_that_promises_too_much_is_refused_before_it_inflates)
{
	static const struct {
		size_t at;
		uint8_t byte;
		const char *part;
	} spoilt[] = {
		{ 7, 0x3f, "cannot be" },	/* inflated size */
		{ 5, 0x01, "zstd frame" },	/* a little more than it is: found when done */
		{ 3, 0x3f, "compressed data" }, /* stored size */
		{ 8, 0x00, "zstd frame" },	/* magic */
	};

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		struct mkdat *m = mkdat_new(&(struct mkdat_opts){ .zstd = true });
		size_t len;

		mkdat_text(m, "kallsyms", "0 T here\n");
		auto_free uint8_t *data = bytes_made(m, &len);

		data[kallsyms_body(data, len) + spoilt[i].at] = spoilt[i].byte;
		write_dat(data, len);
		open_fails(i == 1 ? "instead of" : spoilt[i].part);
	}
}

TEST(private_sections_add_up_and_the_first_blob_of_a_name_counts)
{
	static const uint8_t second[] = {
		0x50, 0x41, 0, 0, 0xff, 0xff, 0xff, 0xff, 29, 0,   0,	0,   0,	  0,   0,
		0,    'a',  0, 3, 0,	0,    0,    0,	  0,  0,   0,	'n', 'e', 'w', 'b',
		0,    5,    0, 0, 0,	0,    0,    0,	  0,  'o', 't', 'h', 'e', 'r',
	};
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	mkdat_blob(m, "a", "old", 3);
	auto_free uint8_t *data = bytes_made(m, &len);
	auto_free uint8_t *longer = xmalloc(len + sizeof(second));

	memcpy(longer, data, len);
	memcpy(longer + len, second, sizeof(second));
	longer[len + SECTION_SIZE] = sizeof(second) - 16;
	write_dat(longer, len + sizeof(second));
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();
	const char *name;
	struct span blob;

	check_text(file, "a", "old");
	check_text(file, "b", "other");
	CHECK(tracefile_blob(file, 1, &name, &blob));
	CHECK_STR(name, "a");
	CHECK_EQ(memcmp(blob.data, "new", 3), 0);
}

TEST(a_blob_that_passes_its_section_is_refused)
{
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	mkdat_blob(m, "a_blob", "text", 4);
	auto_free uint8_t *data = bytes_made(m, &len);
	uint8_t *name = memmem(data, len, "a_blob", 7);

	name[7] = 5;
	write_dat(data, len);
	open_fails("a_blob is missing or cut short");
	*name = '\0';
	write_dat(data, len);
	open_fails("no name");
}

TEST(bytes_behind_the_last_section_are_left_alone)
{
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	add_pages(m, "", 0, 1, PAGE);
	mkdat_blob(m, "a", "old", 3);
	auto_free uint8_t *data = bytes_made(m, &len);
	auto_free uint8_t *longer = xmalloc(len + 5000);

	memcpy(longer, data, len);
	fill_page(longer + len, 5000, 1, 1);
	write_dat(longer, len + 5000);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	check_text(file, "a", "old");
	CHECK_EQ(read_cpu(file, 0, 0).pages, 1);
}

TEST(zeros_behind_the_last_section_are_left_alone)
{
	struct mkdat *m = mkdat_new(NULL);
	size_t len;

	mkdat_blob(m, "a", "old", 3);
	free(mkdat_bytes(m, &len));
	tracefile_close(made(m));
	CHECK_EQ(truncate(dat_path(), (off_t)len + (4 << 20)), 0);
	CLEANUP(tracefile_cleanup) struct tracefile *file = open_ok();

	check_text(file, "a", "old");
}

static void read_whatever_there_is(void)
{
	struct tracefile *file = NULL;
	struct err *err = tracefile_open(dat_path(), &file);

	if (err) {
		CHECK(!strncmp(err_text(err), dat_path(), strlen(dat_path())));
		CHECK(!strchr(err_text(err), '\n'));
		err_free(err);
		return;
	}
	for (size_t b = 0; b < tracefile_nr_buffers(file); b++) {
		for (size_t i = 0; i < tracefile_nr_cpus(file, b); i++) {
			struct page_reader *reader;
			struct span page = {};
			uint64_t damaged, before = 0;

			CHECK_OK(page_reader_open(file, b, i, &reader));
			do {
				err_free(page_reader_next(reader, &page, &damaged));
				CHECK(page_reader_bytes(reader) >= before);
				before = page_reader_bytes(reader);
			} while (page.data);
			page_reader_close(reader);
		}
	}
	tracefile_close(file);
}

static struct mkdat *small_dat(unsigned int version, bool zstd)
{
	struct mkdat *m = mkdat_new(
		&(struct mkdat_opts){ .version = version, .zstd = zstd, .page_size = 64 });

	mkdat_text(m, "kallsyms", "0 T here\n");
	mkdat_text(m, "trace_clock", "[mono]");
	mkdat_text(m, "cpustat", "CPU: 0\n");
	mkdat_format(m, "kmem", "name: kmalloc\n");
	mkdat_blob(m, "a", "old", 3);
	add_pages(m, "", 0, 3, 64);
	add_pages(m, "other", 1, 2, 64);
	return m;
}

TEST(a_file_cut_at_any_byte_is_refused_or_read)
{
	for (int kind = 0; kind < 3; kind++) {
		size_t len;
		auto_free uint8_t *data = bytes_made(small_dat(kind ? 7 : 6, kind == 2), &len);

		for (size_t cut = 0; cut < len; cut++) {
			write_dat(data, cut);
			read_whatever_there_is();
		}
	}
}

TEST(a_file_with_any_byte_changed_is_refused_or_read)
{
	for (int kind = 0; kind < 3; kind++) {
		size_t len;
		auto_free uint8_t *data = bytes_made(small_dat(kind ? 7 : 6, kind == 2), &len);

		for (size_t at = 0; at < len; at++) {
			static const uint8_t flips[] = { 0x01, 0x80, 0xff };
			uint8_t was = data[at];

			for (size_t i = 0; i < 3; i++) {
				data[at] = was ^ flips[i];
				write_dat(data, len);
				read_whatever_there_is();
			}
			data[at] = was;
		}
	}
}
