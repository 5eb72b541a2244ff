/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/lib/smallrec.h - a recording of some twenty events, known one by one
 *
 * What lives at its end, by hand:
 *
 *	slab     2 objects, 256 bytes, at do_thing+0x10 (3 allocated, 1 freed)
 *	slab     1 object, 192 bytes, at do_other+0x20 of cache dentry (2 allocated at
 *	         one address, so that one ended without an event)
 *	slab     none at mod_alloc+0x8 of module thing; 1 allocation failed there
 *	slab     1 unknown free at do_other+0x80
 *	page     1 block of 16384 bytes at shmem_alloc_folio+0x40
 *	percpu   1 area, 64 bytes, at do_thing+0x30
 *	vmalloc  1 area, 16384 bytes, at do_other+0x50
 */
#ifndef TESTS_LIB_SMALLREC_H
#define TESTS_LIB_SMALLREC_H

#include <stdbool.h>

struct smallrec_opts {
	bool foreign; /* without blobs of our own: as another recorder would write it */
	bool self;    /* the task that allocated all of it was the recorder */
	bool plain;   /* not compressed */
	bool lossy;   /* with a gap that says 7 events are missing */
};

void smallrec_write(const char *path, const struct smallrec_opts *opts);

#endif
