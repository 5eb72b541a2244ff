// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace-cmd as the other reader: it accepts what mkdat writes, with the private
 * section too, and what it converts holds the same sub-buffers for us.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/blobs.h"
#include "decode/tracefile.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/test.h"

enum { EVENTS_PER_PAGE = 3, EVENT_LEN = 28, EVENT_ID = 400 };

static const char kfree_format[] =
	"name: kfree\n"
	"ID: 400\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:unsigned long call_site;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:const void * ptr;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\n"
	"print fmt: \"call_site=%pS ptr=%p\", (void *)REC->call_site, REC->ptr\n";

/* A sub-buffer of kfree events, little endian. */
static void add_page(struct mkdat *m, const char *buffer, unsigned int cpu, uint64_t ts)
{
	struct {
		uint64_t ts, commit;
		struct {
			uint32_t header; /* length in words, ns since the one before */
			uint16_t type;
			uint8_t flags, preempt;
			int32_t pid;
			uint32_t call_site[2], ptr[2];
		} event[EVENTS_PER_PAGE];
	} page = { .ts = ts, .commit = EVENTS_PER_PAGE * EVENT_LEN };

	for (uint32_t i = 0; i < EVENTS_PER_PAGE; i++) {
		page.event[i].header = 6 | 100 << 5;
		page.event[i].type = EVENT_ID;
		page.event[i].pid = 1;
		page.event[i].call_site[0] = 0x81000010;
		page.event[i].call_site[1] = 0xffffffff;
		page.event[i].ptr[0] = (uint32_t)ts;
	}
	/* The compiler may pad the array's end, the ring buffer does not. */
	mkdat_page(m, buffer, cpu, &page, 16 + EVENTS_PER_PAGE * EVENT_LEN);
}

/* Runs a command of which the output is the first number it prints. */
static long run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static long run(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *command = xvasprintf(fmt, ap);
	va_end(ap);
	FILE *pipe = popen(command, "r");
	long number = -1;

	CHECK(pipe);
	if (fscanf(pipe, "%ld", &number) != 1)
		number = -1;
	pclose(pipe);
	return number;
}

static void need_trace_cmd(void)
{
	if (run("command -v trace-cmd >/dev/null && echo 1") != 1)
		test_skip("trace-cmd is not installed");
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", test_dir(), name);
}

static struct mkdat *recording(const struct mkdat_opts *opts)
{
	struct mkdat *m = mkdat_new(opts);

	mkdat_text(m, "kallsyms", "ffffffff81000000 T _stext\nffffffff81001000 T _etext\n");
	mkdat_text(m, "cmdlines", "1 init\n");
	mkdat_text(m, "printk_formats", "");
	mkdat_text(m, "uname", "Linux box 6.12.0 x86_64");
	mkdat_text(m, "trace_clock", "local global [mono] boot");
	mkdat_text(m, "cpustat", "CPU: 0\nentries: 0\n");
	mkdat_format(m, "kmem", kfree_format);
	mkdat_blob(m, BLOB_RECORDER, "version 0.1.0\n", 14);
	for (uint64_t i = 0; i < 30; i++)
		add_page(m, "", i % 2, 1000000000 + i * 1000);
	return m;
}

static void check_accepted(struct mkdat *m, long events)
{
	need_trace_cmd();
	auto_free char *path = path_of("trace.dat");

	mkdat_write(m, path);
	mkdat_free(m);
	CHECK_EQ(run("trace-cmd dump -v -i %s 2>&1 | grep -c 'is a valid'", path), 1);
	CHECK_EQ(run("trace-cmd report -i %s 2>/dev/null |"
		     " grep -c 'kfree:.*call_site=_stext+0x10'",
		     path),
		 events);
	/* It has no complaint, the private section included. */
	CHECK_EQ(run("trace-cmd report -i %s 2>&1 >/dev/null | grep -vc 'cpus='", path), 0);
}

TEST(trace_cmd_reports_the_events_of_our_v6)
{
	check_accepted(recording(&(struct mkdat_opts){ .version = 6 }), 30 * EVENTS_PER_PAGE);
}

TEST(trace_cmd_reports_the_events_of_our_v7)
{
	check_accepted(recording(NULL), 30 * EVENTS_PER_PAGE);
}

TEST(trace_cmd_reports_the_events_of_our_zstd_v7)
{
	check_accepted(recording(&(struct mkdat_opts){ .zstd = true }), 30 * EVENTS_PER_PAGE);
}

TEST(trace_cmd_reports_the_events_of_large_sub_buffers)
{
	check_accepted(recording(&(struct mkdat_opts){ .zstd = true, .page_size = 65536 }),
		       30 * EVENTS_PER_PAGE);
	check_accepted(recording(&(struct mkdat_opts){ .page_size = 65536 }),
		       30 * EVENTS_PER_PAGE);
}

TEST(trace_cmd_reports_the_events_of_instances)
{
	for (unsigned int version = 6; version <= 7; version++) {
		struct mkdat *m = recording(&(struct mkdat_opts){ .version = version });

		add_page(m, "allocprof", 0, 1000000000);
		check_accepted(m, 31 * EVENTS_PER_PAGE);
	}
}

/* All sub-buffers of a file, one buffer and CPU after the other. */
static uint8_t *raw_of(const char *path, size_t *ret_len)
{
	CLEANUP(tracefile_cleanup) struct tracefile *file = NULL;
	uint8_t *raw = NULL;
	size_t len = 0;

	CHECK_OK(tracefile_open(path, &file));
	CHECK_EQ(tracefile_truncated_bytes(file), 0);
	for (size_t b = 0; b < tracefile_nr_buffers(file); b++) {
		for (size_t i = 0; i < tracefile_nr_cpus(file, b); i++) {
			CLEANUP(page_reader_cleanup) struct page_reader *reader = NULL;
			struct span page;
			uint64_t damaged;

			CHECK_OK(page_reader_open(file, b, i, &reader));
			for (;;) {
				CHECK_OK(page_reader_next(reader, &page, &damaged));
				CHECK_EQ(damaged, 0);
				if (!page.data)
					break;
				raw = xreallocarray(raw, len + page.len, 1);
				memcpy(raw + len, page.data, page.len);
				len += page.len;
			}
		}
	}
	*ret_len = len;
	return raw;
}

TEST(what_trace_cmd_converts_holds_the_same_sub_buffers)
{
	static const char *const conversions[] = {
		"--file-version 6",
		"--file-version 7 --compression none",
		"--file-version 7 --compression zstd",
	};

	need_trace_cmd();
	for (int kind = 0; kind < 3; kind++) {
		struct mkdat *m = recording(
			&(struct mkdat_opts){ .version = kind ? 7 : 6, .zstd = kind == 2 });
		auto_free char *from = path_of("from.dat");
		auto_free char *to = path_of("to.dat");
		size_t len;

		mkdat_write(m, from);
		mkdat_free(m);
		auto_free uint8_t *raw = raw_of(from, &len);

		CHECK_EQ(len, 30 * 4096);
		for (int i = 0; i < 3; i++) {
			size_t to_len;

			CHECK_EQ(
				run("trace-cmd convert -i %s -o %s %s >/dev/null 2>&1; echo $?",
				    from, to, conversions[i]),
				0);
			auto_free uint8_t *converted = raw_of(to, &to_len);

			CHECK_EQ(to_len, len);
			CHECK(!memcmp(raw, converted, len));
		}
	}
}
