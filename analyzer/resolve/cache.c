// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/xalloc.h"

/* In the order of the machine: a file of another one has another magic. */
#define CACHE_MAGIC  UINT64_C(0x0231637061657469)
#define CACHE_SUFFIX ".sites"

enum { MAX_FILE = 48 << 20, MAX_FILES = 4096, HEADER = 40 };

struct entry {
	struct cache_key key;
	uint32_t first, nr; /* in cache.frame */
};

struct cache {
	char *dir, *name;
	uint64_t fingerprint;
	char *blob;	     /* the file; strings point into it */
	struct entry *entry; /* oldest first */
	size_t nr_entries, cap_entries;
	struct cache_frame *frame;
	size_t nr_frames, cap_frames;
	uint32_t *slot; /* entry + 1; open addressing, a power of two */
	size_t nr_slots;
	struct hash_secret secret;
	bool changed;
};

char *cache_default_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	/* A relative name is to be ignored, as the XDG specification has it. */
	if (xdg && *xdg == '/')
		return xasprintf("%s/allocprof", xdg);
	return home && *home == '/' ? xasprintf("%s/.cache/allocprof", home) : NULL;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t checksum(const char *data, size_t len)
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

static uint32_t *find_slot(const struct cache *c, const struct cache_key *key)
{
	uint64_t h = hash_of(c->secret, hash_of(c->secret, key->place.base) ^ key->place.off);

	for (size_t i = hash_word(c->secret, h ^ key->question);; i++) {
		uint32_t *slot = &c->slot[i & (c->nr_slots - 1)];

		if (!*slot || !memcmp(&c->entry[*slot - 1].key, key, sizeof(*key)))
			return slot;
	}
}

static void grow(struct cache *c, size_t wanted)
{
	size_t nr = c->nr_slots ? c->nr_slots : 1024;

	while (nr < wanted * 2)
		nr *= 2;
	free(c->slot);
	c->slot = xcalloc(nr, sizeof(*c->slot));
	c->nr_slots = nr;
	for (size_t i = 0; i < c->nr_entries; i++)
		*find_slot(c, &c->entry[i].key) = (uint32_t)i + 1;
}

static void add(struct cache *c, const struct cache_key *key, const struct cache_frame *frame,
		size_t nr)
{
	if (c->nr_entries * 2 >= c->nr_slots)
		grow(c, c->nr_entries + 1);
	uint32_t *slot = find_slot(c, key);

	if (*slot || c->nr_entries >= 4 * (size_t)CACHE_MAX_ENTRIES)
		return;
	vec_room(c->entry, c->nr_entries, c->cap_entries);
	c->entry[c->nr_entries++] =
		(struct entry){ *key, (uint32_t)c->nr_frames, (uint32_t)nr };
	*slot = (uint32_t)c->nr_entries;
	for (size_t i = 0; i < nr; i++) {
		vec_room(c->frame, c->nr_frames, c->cap_frames);
		c->frame[c->nr_frames++] = frame[i];
	}
}

/* 0 is no string, else the offset plus one. */
static bool parse_string(struct bytes *b, struct span strings, const char **ret)
{
	uint32_t off;

	if (!bytes_u32(b, &off) || off > strings.len)
		return false;
	*ret = off ? (const char *)strings.data + off - 1 : NULL;
	return true;
}

static bool parse_place(struct bytes *b, struct cache_place *ret)
{
	return bytes_u64(b, &ret->base) && bytes_u64(b, &ret->off);
}

static bool parse_entry(struct cache *c, struct bytes *b, struct span strings)
{
	struct cache_frame frame[CACHE_MAX_FRAMES];
	struct cache_key key;
	uint32_t nr;

	if (!parse_place(b, &key.place) || !bytes_u64(b, &key.question) || !bytes_u32(b, &nr) ||
	    nr > CACHE_MAX_FRAMES)
		return false;
	for (uint32_t i = 0; i < nr; i++)
		if (!parse_string(b, strings, &frame[i].func) ||
		    !parse_string(b, strings, &frame[i].file) ||
		    !parse_place(b, &frame[i].place) || !bytes_u32(b, &frame[i].line) ||
		    !bytes_u32(b, &frame[i].flags))
			return false;
	add(c, &key, frame, nr);
	return true;
}

static void forget(struct cache *c)
{
	c->nr_entries = c->nr_frames = 0;
	memset(c->slot, 0, c->nr_slots * sizeof(*c->slot));
}

static bool parse(struct cache *c, size_t len)
{
	struct bytes b = bytes_of(c->blob, len, false);
	uint64_t magic, fingerprint, sum;
	uint32_t nr_entries, reserved, nr_bytes, strings_len;
	struct span strings;

	if (!bytes_u64(&b, &magic) || magic != CACHE_MAGIC || !bytes_u64(&b, &fingerprint) ||
	    fingerprint != c->fingerprint || !bytes_u64(&b, &sum) ||
	    sum != checksum(c->blob + 24, len - 24) || !bytes_u32(&b, &nr_entries) ||
	    !bytes_u32(&b, &reserved) || !bytes_u32(&b, &nr_bytes) ||
	    !bytes_u32(&b, &strings_len) || nr_entries > CACHE_MAX_ENTRIES)
		return false;
	struct bytes entries = b;

	if (!bytes_skip(&b, nr_bytes) || !bytes_span(&b, strings_len, &strings) ||
	    (strings.len && strings.data[strings.len - 1]))
		return false;
	entries.end = b.pos - strings.len;
	grow(c, nr_entries);
	for (uint32_t i = 0; i < nr_entries; i++)
		if (!parse_entry(c, &entries, strings))
			return false;
	return true;
}

/* The directory, if it is one that only its owner writes to; made when it is missing. */
static bool usable(const char *dir)
{
	auto_free char *parent = xstrdup(dir);
	char *slash = strrchr(parent, '/');
	struct stat st;

	if (slash && slash != parent) {
		*slash = '\0';
		mkdir(parent, 0700);
	}
	mkdir(dir, 0700);
	return !stat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static void load(struct cache *c)
{
	auto_free char *path = xasprintf("%s/%s", c->dir, c->name);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < HEADER ||
	    st.st_size > MAX_FILE)
		return;
	size_t len = (size_t)st.st_size;

	c->blob = xmalloc(len);
	if (read(fd, c->blob, len) != (ssize_t)len || !parse(c, len)) {
		forget(c);
		return;
	}
	/* What is used is young: rule 3. */
	futimens(fd, NULL);
}

struct cache *cache_open(const char *dir, const char *build_id, uint64_t fingerprint)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	c->fingerprint = fingerprint;
	c->secret = hash_secret();
	grow(c, 1);
	if (!dir || strlen(build_id) < 8 || strlen(build_id) > 128 ||
	    build_id[strspn(build_id, "0123456789abcdef")] || !usable(dir))
		return c;
	c->dir = xstrdup(dir);
	c->name = xasprintf("%s-%016" PRIx64 CACHE_SUFFIX, build_id, fingerprint);
	load(c);
	return c;
}

bool cache_is_empty(const struct cache *c)
{
	return !c->nr_entries;
}

bool cache_get(const struct cache *c, const struct cache_key *key, struct cache_frame *ret,
	       size_t max, size_t *ret_nr)
{
	uint32_t id = *find_slot(c, key);
	const struct entry *entry = id ? &c->entry[id - 1] : NULL;

	if (!entry || entry->nr > max)
		return false;
	if (entry->nr)
		memcpy(ret, &c->frame[entry->first], entry->nr * sizeof(*ret));
	*ret_nr = entry->nr;
	return true;
}

bool cache_knows(const struct cache *c, const struct cache_key *key)
{
	return *find_slot(c, key) != 0;
}

void cache_put(struct cache *c, const struct cache_key *key, const struct cache_frame *frame,
	       size_t nr)
{
	if (!c->dir || nr > CACHE_MAX_FRAMES)
		return;
	add(c, key, frame, nr);
	c->changed = true;
}

struct text {
	char *data;
	size_t len, cap;
};

static void put(struct text *t, const void *data, size_t len)
{
	if (t->len + len > t->cap) {
		t->cap = 2 * (t->len + len);
		t->data = xreallocarray(t->data, t->cap, 1);
	}
	memcpy(t->data + t->len, data, len);
	t->len += len;
}

static void put_u32(struct text *t, uint32_t v)
{
	put(t, &v, sizeof(v));
}

static void put_u64(struct text *t, uint64_t v)
{
	put(t, &v, sizeof(v));
}

/* Strings in use, each once; sorted, so that they are found by bisection. */
struct strings {
	struct string {
		const char *s;
		uint32_t off; /* plus one */
	} * string;
	size_t nr, cap;
};

static int compare_strings(const void *va, const void *vb)
{
	const struct string *a = va, *b = vb;

	return strcmp(a->s, b->s);
}

static void add_string(struct strings *s, const char *text)
{
	if (!text)
		return;
	vec_room(s->string, s->nr, s->cap);
	s->string[s->nr++] = (struct string){ .s = text };
}

static void lay_out(struct strings *s, struct text *ret)
{
	size_t kept = 0;

	if (s->nr)
		qsort(s->string, s->nr, sizeof(*s->string), compare_strings);
	for (size_t i = 0; i < s->nr; i++) {
		if (kept && !strcmp(s->string[kept - 1].s, s->string[i].s))
			continue;
		s->string[kept] = s->string[i];
		s->string[kept++].off = (uint32_t)ret->len + 1;
		put(ret, s->string[i].s, strlen(s->string[i].s) + 1);
	}
	s->nr = kept;
}

static uint32_t string_off(const struct strings *s, const char *text)
{
	const struct string key = { .s = text };
	const struct string *found =
		text && s->nr ? bsearch(&key, s->string, s->nr, sizeof(key), compare_strings)
			      : NULL;

	return found ? found->off : 0;
}

/* All entries from @first on, as a file. */
static void serialize(const struct cache *c, size_t first, struct text *ret)
{
	struct strings strings = {};
	struct text texts = {};

	for (size_t i = first; i < c->nr_entries; i++) {
		const struct entry *e = &c->entry[i];

		for (uint32_t f = 0; f < e->nr; f++) {
			add_string(&strings, c->frame[e->first + f].func);
			add_string(&strings, c->frame[e->first + f].file);
		}
	}
	lay_out(&strings, &texts);
	for (int i = 0; i < HEADER; i++)
		put(ret, "", 1);
	for (size_t i = first; i < c->nr_entries; i++) {
		const struct entry *e = &c->entry[i];

		put_u64(ret, e->key.place.base);
		put_u64(ret, e->key.place.off);
		put_u64(ret, e->key.question);
		put_u32(ret, e->nr);
		for (uint32_t f = 0; f < e->nr; f++) {
			const struct cache_frame *frame = &c->frame[e->first + f];

			put_u32(ret, string_off(&strings, frame->func));
			put_u32(ret, string_off(&strings, frame->file));
			put_u64(ret, frame->place.base);
			put_u64(ret, frame->place.off);
			put_u32(ret, frame->line);
			put_u32(ret, frame->flags);
		}
	}
	const uint32_t head[4] = { (uint32_t)(c->nr_entries - first), 0,
				   (uint32_t)(ret->len - HEADER), (uint32_t)texts.len };

	put(ret, texts.data ? texts.data : "", texts.len);
	memcpy(ret->data + 24, head, sizeof(head));
	const uint64_t top[3] = { CACHE_MAGIC, c->fingerprint,
				  checksum(ret->data + 24, ret->len - 24) };

	memcpy(ret->data, top, sizeof(top));
	free(strings.string);
	free(texts.data);
}

static void save(const struct cache *c)
{
	auto_free char *path = xasprintf("%s/%s", c->dir, c->name);
	auto_free char *tmp = xasprintf("%s/tmp-XXXXXX", c->dir);
	struct text text = {};
	size_t first =
		c->nr_entries > CACHE_MAX_ENTRIES ? c->nr_entries - CACHE_MAX_ENTRIES : 0;

	serialize(c, first, &text);
	int fd = text.len <= MAX_FILE ? mkostemp(tmp, O_CLOEXEC) : -1;

	if (fd >= 0) {
		bool written = write(fd, text.data, text.len) == (ssize_t)text.len;

		written &= !close(fd);
		if (!written || rename(tmp, path))
			unlink(tmp);
	}
	free(text.data);
}

struct file {
	char *path;
	struct timespec used;
	int64_t bytes;
};

/* Youngest first. */
static int compare_files(const void *va, const void *vb)
{
	const struct timespec *a = &((const struct file *)va)->used;
	const struct timespec *b = &((const struct file *)vb)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec > b->tv_sec ? -1 : 1;
	return a->tv_nsec > b->tv_nsec ? -1 : a->tv_nsec < b->tv_nsec;
}

static bool is_ours(const char *name)
{
	size_t len = strlen(name), suffix = strlen(CACHE_SUFFIX);

	return !strncmp(name, "tmp-", 4) ||
	       (len > suffix && !strcmp(name + len - suffix, CACHE_SUFFIX));
}

static void evict(const char *path)
{
	DIR *dir = opendir(path);
	auto_free struct file *file = NULL;
	size_t nr = 0, cap = 0;
	int64_t bytes = 0;
	struct dirent *entry;
	struct stat st;

	while (dir && nr < MAX_FILES && (entry = readdir(dir))) {
		if (!is_ours(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		vec_room(file, nr, cap);
		file[nr++] = (struct file){ xasprintf("%s/%s", path, entry->d_name), st.st_mtim,
					    st.st_size };
	}
	if (dir)
		closedir(dir);
	if (nr)
		qsort(file, nr, sizeof(*file), compare_files);
	for (size_t i = 0; i < nr; i++) {
		bytes += file[i].bytes;
		if (i && bytes > CACHE_MAX_BYTES)
			unlink(file[i].path);
		free(file[i].path);
	}
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	if (c->changed && c->dir) {
		save(c);
		evict(c->dir);
	}
	free(c->slot);
	free(c->entry);
	free(c->frame);
	free(c->blob);
	free(c->dir);
	free(c->name);
	free(c);
}
