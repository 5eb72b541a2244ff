/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode/page_reader.h - the sub-buffers of one CPU of a trace.dat
 *
 * In:     where the data of the CPU is in the file
 * Out:    sub-buffers, oldest first, and how much of the data was lost
 * Not:    does not look into a sub-buffer; memory is one block of plain data or
 *         one compressed chunk, whatever the size of the file
 * Use:    through page_reader_open() of decode/tracefile.h; any number of
 *         readers at once, each in one thread at a time
 * Rules:  (1) what is returned is whole: the file promised it and has it
 *         (2) every promised byte is in a sub-buffer returned or in the damage;
 *             of chunks that were never reached, which promise no size that
 *             could be read, the stored bytes count
 *         (3) a chunk that does not inflate costs that chunk, and the
 *             sub-buffers that reach into it
 */
#ifndef DECODE_PAGE_READER_H
#define DECODE_PAGE_READER_H

#include "base/bytes.h"

struct page_reader;

/* How sub-buffers are stored. */
enum cpu_form {
	CPU_PLAIN,
	CPU_COUNTED, /* in compressed chunks, their number in front */
	CPU_CHUNKS,  /* in as many compressed chunks as there are */
};

/* Bytes of one CPU in a file, as stored. */
struct cpu_data {
	uint64_t off;
	uint64_t promised;
	uint64_t stored; /* of the promised, those that the file has */
	uint32_t cpu;
	enum cpu_form form;
	int fd;		       /* a file of its own; -1: the trace.dat */
	bool shared_fd;	       /* is closed by somebody else */
	struct cpu_data *next; /* what this CPU did after that; NULL: nothing */
};

struct page_reader_source {
	const char *path; /* for errors; outlives the reader */
	int fd;		  /* of data without one of its own; borrowed */
	struct cpu_data data;
	uint32_t subbuf_size;
	bool swap; /* of the sizes of chunks */
};

struct page_reader *page_reader_new(const struct page_reader_source *source);
void page_reader_close(struct page_reader *reader);
DEFINE_CLEANUP(struct page_reader *, page_reader, page_reader_close)

/* Takes plain data in pieces of @bytes, or of a sub-buffer if that is more; before the first. */
void page_reader_pieces(struct page_reader *reader, uint32_t bytes);

/* The kernel's number of the CPU. */
unsigned int page_reader_cpu(const struct page_reader *reader);

/*
 * The next sub-buffer, borrowed until the next call; ret->data is NULL at the
 * end, and stays so. *ret_damaged is the number of bytes that were lost in
 * front of it, else 0; at the end too, where a file cut short loses them.
 */
struct err *page_reader_next(struct page_reader *reader, struct span *ret,
			     uint64_t *ret_damaged) MUST_CHECK;

/*
 * The file of a recording at work has grown: what it has now can be read, up to the
 * last whole sub-buffer. For plain data in a file of its own.
 */
struct err *page_reader_refresh(struct page_reader *reader) MUST_CHECK;

/* Frees what reading takes; a reader that goes on takes it anew. */
void page_reader_release(struct page_reader *reader);

/* Stored bytes taken so far. */
uint64_t page_reader_bytes(const struct page_reader *reader);

#endif
