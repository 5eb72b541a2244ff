/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/bigdat.h - writes trace.dat files larger than memory
 *
 * In:     what is not data, as a mkdat without buffers; then the sub-buffers, CPU
 *         by CPU
 * Out:    a v7 file with one buffer, compressed where the mkdat is
 * Use:    bigdat_begin; for each CPU bigdat_cpu and its bigdat_page; bigdat_end;
 *         exits when the system refuses
 */
#ifndef TESTS_LIB_BIGDAT_H
#define TESTS_LIB_BIGDAT_H

#include "tests/lib/mkdat.h"

struct bigdat;

struct bigdat *bigdat_begin(const char *path, struct mkdat *head, bool zstd,
			    uint32_t subbuf_size, const char *clock);
void bigdat_cpu(struct bigdat *dat, uint32_t cpu);
void bigdat_page(struct bigdat *dat, const void *page);
void bigdat_end(struct bigdat *dat);

#endif
