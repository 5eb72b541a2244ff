// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hash.h"

#include <stdio.h>
#include <time.h>

#include "analyzer/tasks.h"
#include "capture/blobs.h"
#include "decode/names.h"
#include "match/account.h"
#include "match/sitetab.h"
#include "resolve/cache.h"
#include "resolve/dwtables.h"
#include "resolve/pool.h"
#include "resolve/resolver.h"
#include "tests/lib/mkdat.h"
#include "tests/lib/test.h"

/*
 * What a file holds is anyone's to choose, so that no choice may want one slot only. The
 * keys here all have one slot by a function without a secret: the one named.
 */
enum { NR = 20000 };

/* Its inverse, of 64 bits and of 32. */
static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t golden_inverse = UINT64_C(0xf1de83e19937733d);
static const uint32_t golden32 = UINT32_C(2654435769);
static const uint32_t golden32_inverse = UINT32_C(340573321);

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Any keys, as good as random. */
static uint64_t any(uint64_t i)
{
	i = (i + 1) * UINT64_C(0xbf58476d1ce4e5b9);
	i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
	return i ^ i >> 31;
}

typedef void fill_fn(const uint64_t *key, size_t nr);

static double time_of(fill_fn *fill, const uint64_t *key, size_t nr)
{
	double start = seconds();

	fill(key, nr);
	return seconds() - start;
}

/*
 * Where each key is looked for among all that came before, chosen ones take hundreds of
 * times as long as others, and eight times as many of any take 64 times as long.
 */
static void check(fill_fn *fill, uint64_t (*chosen)(uint64_t i))
{
	static uint64_t random[NR], key[NR];

	for (uint64_t i = 0; i < NR; i++) {
		random[i] = any(i);
		key[i] = chosen(i);
	}
	double few = time_of(fill, random, NR / 8);
	double usual = time_of(fill, random, NR);
	double took = time_of(fill, key, NR);

	if (usual > 30 * few || took > 20 * usual)
		test_fail(__FILE__, __LINE__, "%f s, any others %f s, %d of them %f s", took,
			  usual, NR / 8, few);
}

TEST(bytes_differ_by_length_and_by_each_of_them)
{
	struct hash_secret secret = hash_secret();
	char key[24] = {}, other[24] = {};

	for (size_t len = 0; len < sizeof(key); len++) {
		CHECK(hash_bytes(secret, key, len) == hash_bytes(secret, other, len));
		CHECK(hash_bytes(secret, key, len) != hash_bytes(secret, key, len + 1));
		for (size_t i = 0; i < len; i++) {
			other[i] = 1;
			CHECK(hash_bytes(secret, key, len) != hash_bytes(secret, other, len));
			other[i] = 0;
		}
	}
}

TEST(secrets_differ)
{
	struct hash_secret a = hash_secret(), b = hash_secret();

	CHECK(a.add != b.add && a.mul != b.mul);
	CHECK(a.mul & 1 && b.mul & 1);
}

static void fill_names(const uint64_t *key, size_t nr)
{
	struct names *names = names_new();

	for (int again = 0; again < 2; again++)
		for (uint64_t i = 0; i < nr; i++) {
			uint64_t name[2] = { i | UINT64_C(1) << 63, key[i] };

			CHECK_EQ(names_id(names, (char *)name, sizeof(name)), i + 1);
		}
	names_free(names);
}

/* Two bytes more bring FNV-1a to 0 in the bits of a slot, from some states that it has. */
static uint64_t fnv32(uint64_t i)
{
	enum { BITS = 17, MASK = (1 << BITS) - 1 };
	static uint32_t *ends; /* the two bytes, plus one, by the state before them */
	uint64_t word[2] = { i | UINT64_C(1) << 63, 0 };
	const uint32_t prime = 16777619;
	const uint8_t *p = (uint8_t *)word;

	if (!ends) {
		ends = calloc(MASK + 1, sizeof(*ends));
		for (uint32_t state = 0; state <= MASK; state++)
			for (uint32_t a = 0; a < 256 && !ends[state]; a++) {
				uint32_t h = ((state ^ a) * prime) & MASK;

				if (h < 256)
					ends[state] = (a | h << 8) + 1;
			}
	}
	for (;; word[1]++) {
		uint32_t h = 2166136261u;

		for (size_t n = 0; n < sizeof(word) - 2; n++)
			h = (h ^ p[n]) * prime;
		if (ends[h & MASK])
			return word[1] | (uint64_t)(ends[h & MASK] - 1) << 48;
	}
}

TEST(no_names_can_be_chosen_that_want_one_slot)
{
	check(fill_names, fnv32);
}

/* Fewer, since each is searched for. */
enum { FEWER = 5, HEAD = 4, TEXT = HEAD + 8 };

static void fill_pool(const uint64_t *key, size_t nr)
{
	struct pool *pool = pool_new();
	const char *kept[NR / FEWER];

	for (int again = 0; again < 4; again++)
		for (unsigned int i = 0; i < nr / FEWER; i++) {
			char text[TEXT + 1] = {};

			snprintf(text, HEAD + 1, "%04u", i);
			memcpy(text + HEAD, &key[i], TEXT - HEAD);
			if (!again)
				kept[i] = pool_str(pool, text);
			CHECK(pool_str(pool, text) == kept[i]);
			CHECK_STR(kept[i], text);
		}
	pool_free(pool);
}

static uint64_t fnv64(uint64_t i)
{
	enum { MASK = (1 << 13) - 1, TRIED = 3 };
	const uint64_t prime = 0x100000001b3;
	uint64_t h = 0xcbf29ce484222325, ret;
	char text[TEXT + 1];

	if (i >= NR / FEWER)
		return 0;
	snprintf(text, sizeof(text), "%04uaaaaaaaa", (unsigned int)i);
	for (int n = 0; n < TEXT - TRIED; n++)
		h = (h ^ (unsigned char)text[n]) * prime;
	for (uint32_t end = 0x010101;; end++) {
		uint64_t last = ((h ^ (end & 255)) * prime ^ (end >> 8 & 255)) * prime;

		last = (last ^ end >> 16) * prime;
		if ((last ^ last >> 32) & MASK || !(end & 255) || !(end >> 8 & 255))
			continue;
		for (int n = 0; n < TRIED; n++)
			text[TEXT - TRIED + n] = (char)(end >> 8 * n);
		memcpy(&ret, text + HEAD, sizeof(ret));
		return ret;
	}
}

TEST(no_texts_can_be_chosen_that_want_one_slot)
{
	check(fill_pool, fnv64);
}

static void fill_resolver(const uint64_t *key, size_t nr)
{
	static const char kallsyms[] = "ffffffff81000000 T _stext\n";
	const struct resolver_opts opts = {
		.kallsyms = { (const uint8_t *)kallsyms, strlen(kallsyms) },
	};
	struct resolver *r;

	CHECK_OK(resolver_open(&opts, &r));
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t addr = key[i];
		struct callsite site;

		resolver_site(r, &addr, 1, &site);
		CHECK_EQ(site.frame[0].addr, addr);
	}
	resolver_close(r);
}

/* ((1 ^ addr) * golden) ^ itself >> 32 */
static uint64_t lone_address(uint64_t i)
{
	return 1 ^ (i << 32 | i) * golden_inverse;
}

/* addr * golden >> 20 */
static uint64_t middle(uint64_t i)
{
	return (i << 44 | 1) * golden_inverse;
}

TEST(no_addresses_can_be_chosen_that_want_one_slot)
{
	CHECK(golden * golden_inverse == 1);
	check(fill_resolver, lone_address);
	check(fill_resolver, middle);
}

static void fill_dwtables(const uint64_t *key, size_t nr)
{
	struct dwtables tables;

	dwtables_init(&tables, (struct span){ NULL, 0 });
	for (int again = 0; again < 2; again++)
		for (uint64_t i = 0; i < nr; i++)
			CHECK_EQ(dwtables_of(&tables, key[i], (struct dwparams){})->off,
				 key[i]);
	CHECK_EQ(tables.nr, nr);
	dwtables_deinit(&tables);
}

/* off * golden >> 24 */
static uint64_t high_and_low(uint64_t i)
{
	return (i % 4096 << 52 | i / 4096) * golden_inverse;
}

TEST(no_abbreviation_tables_can_be_put_where_all_want_one_slot)
{
	check(fill_dwtables, high_and_low);
}

static void fill_cache(const uint64_t *key, size_t nr)
{
	static uint64_t fingerprint;
	struct cache *c = cache_open(test_dir(), "0123456789abcdef", fingerprint++);
	struct cache_frame frame[1];
	size_t nr_frames;

	for (uint64_t i = 0; i < nr; i++) {
		struct cache_key k = { { 0, 0 }, key[i] };

		cache_put(c, &k, NULL, 0);
		CHECK(cache_get(c, &k, frame, 1, &nr_frames));
	}
	cache_close(c);
}

/* Of the question times golden, which is ^ itself >> 29, then ^ itself >> 32. */
static uint64_t folded_twice(uint64_t i)
{
	uint64_t h = (i + 1) << 32 | (i + 1);

	return (h ^ h >> 29 ^ h >> 58) * golden_inverse;
}

TEST(no_answers_can_be_kept_that_want_one_slot)
{
	check(fill_cache, folded_twice);
}

static void fill_tasks(const uint64_t *key, size_t nr)
{
	static char text[NR * 32];
	size_t len = 0;
	char path[512];
	struct mkdat *m = mkdat_new(&(struct mkdat_opts){});
	struct tracefile *file;

	for (uint64_t i = 0; i < nr; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u 1 x\n",
					(uint32_t)key[i] & INT32_MAX);
	snprintf(path, sizeof(path), "%s/tasks.dat", test_dir());
	mkdat_blob(m, BLOB_TASKS "start", text, len);
	mkdat_write(m, path);
	mkdat_free(m);
	CHECK_OK(tracefile_open(path, &file));
	struct names *names = names_new();
	struct tasks *tasks = tasks_new(file, names);

	for (uint64_t i = 0; i < nr; i++)
		CHECK(tasks_find(tasks, (int32_t)((uint32_t)key[i] & INT32_MAX)));
	tasks_free(tasks);
	names_free(names);
	tracefile_close(file);
}

/* pid * golden32 >> 7, of 31 bits */
static uint64_t high_and_low32(uint64_t i)
{
	uint32_t n = (uint32_t)i * 2, pid;

	do {
		pid = (n >> 7 << 23 | (n & 127)) * golden32_inverse;
		n++;
	} while (pid > INT32_MAX);
	return pid;
}

TEST(no_tasks_can_be_chosen_that_want_one_slot)
{
	CHECK(golden32 * golden32_inverse == 1);
	check(fill_tasks, high_and_low32);
}

static void fill_sites(const uint64_t *key, size_t nr)
{
	const struct event ev = { 0 };
	struct sitetab tab;

	sitetab_init(&tab);
	tab.ev = &ev;
	for (int again = 0; again < 2; again++)
		for (uint32_t i = 0; i < nr; i++)
			CHECK_EQ(sitetab_get(&tab, SITE_SLAB, key[i], i), i);
	sitetab_deinit(&tab);
}

/* call_site ^ stack << 32 */
static uint64_t site_of_stack(uint64_t i)
{
	return i << 32;
}

TEST(no_sites_can_be_chosen_that_want_one_slot)
{
	check(fill_sites, site_of_stack);
}

static void fill_accounts(const uint64_t *key, size_t nr)
{
	struct account_table tab;

	account_init(&tab);
	for (int again = 0; again < 2; again++)
		for (uint64_t i = 0; i < nr; i++)
			CHECK_EQ(account_get(&tab, (struct account_key){ key[i], i, 0 }), i);
	account_deinit(&tab);
}

/* who ^ how * a known factor */
static uint64_t who_of_how(uint64_t i)
{
	return i * UINT64_C(0xd6e8feb86659fd93);
}

TEST(no_accounts_can_be_chosen_that_want_one_slot)
{
	check(fill_accounts, who_of_how);
}
