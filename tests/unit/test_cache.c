// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/xalloc.h"
#include "tests/lib/test.h"

static const char id[] = "0123456789abcdef";
static const struct cache_key key = { { 1, 2 }, 3 };

static char *temp_dir(void)
{
	char *dir = xstrdup("/tmp/allocprof-cache-XXXXXX");

	CHECK(mkdtemp(dir));
	return dir;
}

static void remove_dir(char **dir)
{
	auto_free char *command = xasprintf("rm -rf '%s'", *dir);

	CHECK_EQ(system(command), 0);
	free(*dir);
}

/* The only file in @dir. */
static char *only_file(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char *ret = NULL;
	int nr = 0;

	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		nr++;
		free(ret);
		ret = xasprintf("%s/%s", dir, entry->d_name);
	}
	closedir(d);
	CHECK_EQ(nr, 1);
	return ret;
}

static void put_two(const char *dir, uint64_t fingerprint)
{
	CLEANUP(cache_cleanup) struct cache *c = cache_open(dir, id, fingerprint);
	const struct cache_frame frame[] = {
		{ "inner", "mm/a.c", { 4, 5 }, 6, 1 },
		{ "outer", NULL, { 0, 0 }, 7, 0 },
	};

	CHECK(cache_is_empty(c));
	cache_put(c, &key, frame, 2);
}

static bool knows(const char *dir, uint64_t fingerprint)
{
	CLEANUP(cache_cleanup) struct cache *c = cache_open(dir, id, fingerprint);
	struct cache_frame frame[2];
	size_t nr = 0;

	return cache_get(c, &key, frame, 2, &nr) && nr == 2;
}

TEST(what_is_put_is_there_the_next_time)
{
	CLEANUP(remove_dir) char *dir = temp_dir();

	put_two(dir, 9);
	CLEANUP(cache_cleanup) struct cache *c = cache_open(dir, id, 9);
	struct cache_frame frame[2];
	const struct cache_key other = { { 1, 2 }, 4 };
	size_t nr = 0;

	CHECK(cache_get(c, &key, frame, 2, &nr));
	CHECK_EQ(nr, 2);
	CHECK_STR(frame[0].func, "inner");
	CHECK_STR(frame[0].file, "mm/a.c");
	CHECK_EQ(frame[0].place.off, 5);
	CHECK_EQ(frame[0].flags, 1);
	CHECK(!frame[1].file);
	CHECK_EQ(frame[1].line, 7);
	CHECK(!cache_get(c, &key, frame, 1, &nr));
	CHECK(!cache_get(c, &other, frame, 2, &nr));
}

TEST(an_answer_counts_only_under_its_fingerprint)
{
	CLEANUP(remove_dir) char *dir = temp_dir();

	put_two(dir, 9);
	CHECK(knows(dir, 9));
	CHECK(!knows(dir, 10));
}

TEST(a_damaged_file_counts_for_nothing)
{
	CLEANUP(remove_dir) char *dir = temp_dir();

	put_two(dir, 9);
	auto_free char *path = only_file(dir);
	struct stat st;

	CHECK_EQ(stat(path, &st), 0);
	for (off_t i = 0; i < st.st_size; i++) {
		auto_fd int fd = open(path, O_RDWR);
		char c;

		CHECK_EQ(pread(fd, &c, 1, i), 1);
		c = (char)~c;
		CHECK_EQ(pwrite(fd, &c, 1, i), 1);
		CHECK(!knows(dir, 9));
		c = (char)~c;
		CHECK_EQ(pwrite(fd, &c, 1, i), 1);
	}
	CHECK(knows(dir, 9));
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		CHECK_EQ(truncate(path, len), 0);
		CHECK(!knows(dir, 9));
	}
}

TEST(a_folder_that_others_may_write_is_not_used)
{
	CLEANUP(remove_dir) char *dir = temp_dir();

	put_two(dir, 9);
	CHECK(knows(dir, 9));
	CHECK_EQ(chmod(dir, 0777), 0);
	CHECK(!knows(dir, 9));
}

TEST(a_build_id_that_is_none_is_no_file_name)
{
	CLEANUP(remove_dir) char *dir = temp_dir();
	static const char *const bad[] = { "", "../../etc/passwd", "0123", "0123456789ABCDEF" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cache *c = cache_open(dir, bad[i], 9);

		cache_put(c, &key, NULL, 0);
		cache_close(c);
		CHECK_EQ(rmdir(dir), 0);
		CHECK_EQ(mkdir(dir, 0700), 0);
	}
}

TEST(a_file_keeps_the_youngest_entries)
{
	CLEANUP(remove_dir) char *dir = temp_dir();
	const struct cache_frame frame = { .func = "f" };
	struct cache *c = cache_open(dir, id, 9);
	struct cache_frame got;
	struct cache_key k = {};
	size_t nr = 0;

	for (uint64_t i = 0; i < CACHE_MAX_ENTRIES + 10; i++) {
		k.question = i;
		cache_put(c, &k, &frame, 1);
	}
	cache_close(c);
	c = cache_open(dir, id, 9);
	CHECK(cache_get(c, &k, &got, 1, &nr));
	k.question = 9;
	CHECK(!cache_get(c, &k, &got, 1, &nr));
	k.question = 10;
	CHECK(cache_get(c, &k, &got, 1, &nr));
	cache_close(c);
}

TEST(all_files_together_are_bounded_and_the_oldest_goes)
{
	CLEANUP(remove_dir) char *dir = temp_dir();
	auto_free char *old = xasprintf("%s/old.sites", dir);
	auto_free char *other = xasprintf("%s/precious", dir);
	const struct timespec then[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	auto_fd int a = open(old, O_CREAT | O_WRONLY, 0600);
	auto_fd int b = open(other, O_CREAT | O_WRONLY, 0600);

	CHECK_EQ(ftruncate(a, CACHE_MAX_BYTES), 0);
	CHECK_EQ(ftruncate(b, CACHE_MAX_BYTES), 0);
	CHECK_EQ(utimensat(AT_FDCWD, old, then, 0), 0);
	put_two(dir, 9);
	CHECK(knows(dir, 9));
	CHECK(access(old, F_OK));
	CHECK_EQ(access(other, F_OK), 0);
}

TEST(runs_at_one_time_leave_a_whole_file)
{
	CLEANUP(remove_dir) char *dir = temp_dir();

	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (pid)
			continue;
		for (int n = 0; n < 20; n++) {
			struct cache *c = cache_open(dir, id, 9);
			struct cache_key own = { { 7, (uint64_t)i }, (uint64_t)n };

			cache_put(c, &key, (struct cache_frame[2]){ { .func = "a" } }, 2);
			cache_put(c, &own, NULL, 0);
			cache_close(c);
		}
		_exit(0);
	}
	for (int i = 0; i < 8; i++)
		CHECK(wait(NULL) > 0);
	CHECK(knows(dir, 9));
	auto_free char *path = only_file(dir);
}
