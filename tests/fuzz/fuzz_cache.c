// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a file of the cache, behind a head and a checksum that are right:
 * whatever is taken from it can be asked for, put beside, and written again.
 */
#include "resolve/cache.h"

#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 24 };

#define BUILD_ID    "0123456789abcdef"
#define FINGERPRINT 7

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* As the cache does. */
static uint64_t checksum(const uint8_t *data, size_t len)
{
	uint64_t h = len, word = 0;

	for (; len >= 8; data += 8, len -= 8) {
		memcpy(&word, data, 8);
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, data, len);
	return mix(h, word);
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	const uint64_t head[3] = { UINT64_C(0x0131637061657469), FINGERPRINT,
				   checksum(data, size) };
	auto_file FILE *f = fopen(path, "w");

	assert(f && fwrite(head, HEAD, 1, f) == 1 && (!size || fwrite(data, size, 1, f) == 1));
}

/* Strings are read to their ends. */
static size_t ask(struct cache *c, const struct cache_key *key)
{
	struct cache_frame frame[CACHE_MAX_FRAMES];
	size_t nr = 0, len = 0;

	if (!cache_get(c, key, frame, CACHE_MAX_FRAMES, &nr))
		return 0;
	assert(nr <= CACHE_MAX_FRAMES && cache_knows(c, key));
	for (size_t i = 0; i < nr; i++)
		len += (frame[i].func ? strlen(frame[i].func) : 0) +
		       (frame[i].file ? strlen(frame[i].file) : 0);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/allocprof-fuzz-XXXXXX";

	assert(mkdtemp(dir));
	auto_free char *path =
		xasprintf("%s/" BUILD_ID "-%016x.sites", dir, (unsigned int)FINGERPRINT);

	write_file(path, data, size);
	for (int again = 0; again < 2; again++) {
		CLEANUP(cache_cleanup) struct cache *c = cache_open(dir, BUILD_ID, FINGERPRINT);
		struct cache_key key = {};

		for (size_t off = 0; off + sizeof(key) <= size; off += 4) {
			memcpy(&key, data + off, sizeof(key));
			ask(c, &key);
		}
		key = (struct cache_key){ .question = 1 };
		cache_put(c, &key, &(struct cache_frame){ .func = "f", .line = 3 }, 1);
		assert(again || ask(c, &key) == 1 || cache_knows(c, &key));
	}
	unlink(path);
	rmdir(dir);
	return 0;
}
