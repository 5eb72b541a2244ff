// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "capture/texts.h"
#include "tests/lib/test.h"

/* Valid for the rest of the test. */
static const char *in_dir(const char *name)
{
	static char *kept[16];
	static size_t nr;

	CHECK(nr < 16);
	kept[nr] = xasprintf("%s/%s", test_dir(), name);
	return kept[nr++];
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void check_holds(const char *path, const char *text)
{
	struct text got = {};

	CHECK_OK(text_read_file(&got, path));
	CHECK_STR(got.data, text);
	text_deinit(&got);
}

TEST(the_output_changes_only_when_it_is_published)
{
	const char *output = in_dir("x.dat");
	struct part part;

	put(output, "old");
	CHECK_OK(part_open(output, &part));
	put(part.new_file, "new");
	check_holds(output, "old");
	CHECK_OK(part_publish(&part, part.output));
	check_holds(output, "new");
	part_remove(&part);
	check_holds(output, "new");
	CHECK_EQ(access(in_dir("x.dat.part"), F_OK), -1);
}

TEST(an_abandoned_recording_leaves_the_old_output_and_nothing_else)
{
	const char *output = in_dir("x.dat");
	struct part part;

	put(output, "old");
	CHECK_OK(part_open(output, &part));
	put(part.new_file, "new");
	part_remove(&part);
	check_holds(output, "old");
	CHECK_EQ(access(in_dir("x.dat.part"), F_OK), -1);
}

TEST(two_recordings_to_one_file_are_refused)
{
	const char *output = in_dir("x.dat");
	struct part first, second;

	CHECK_OK(part_open(output, &first));
	put(first.new_file, "new");
	CHECK_ERR(part_open(output, &second), "another allocprof is recording to");
	check_holds(first.new_file, "new");
	part_remove(&first);
}

TEST(what_a_killed_recorder_left_is_cleared)
{
	const char *output = in_dir("x.dat");
	struct part part;

	CHECK_EQ(mkdir(in_dir("x.dat.part"), 0700), 0);
	put(in_dir("x.dat.part/cpu0.raw"), "stale");
	put(in_dir("x.dat.part/cpu7.3.raw"), "stale");
	put(in_dir("x.dat.part/cpu7.4.zst"), "stale");
	put(in_dir("x.dat.part/meta"), "stale");
	CHECK_OK(part_open(output, &part));
	CHECK_EQ(access(in_dir("x.dat.part/cpu0.raw"), F_OK), -1);
	CHECK_EQ(access(in_dir("x.dat.part/cpu7.3.raw"), F_OK), -1);
	CHECK_EQ(access(in_dir("x.dat.part/cpu7.4.zst"), F_OK), -1);
	part_remove(&part);
	CHECK_EQ(access(in_dir("x.dat.part"), F_OK), -1);
}

TEST(files_of_others_are_not_removed)
{
	const char *output = in_dir("x.dat");
	struct part part;

	CHECK_EQ(mkdir(in_dir("x.dat.part"), 0700), 0);
	put(in_dir("x.dat.part/thesis.txt"), "precious");
	put(in_dir("x.dat.part/cpu0.raw.bak"), "precious");
	CHECK_OK(part_open(output, &part));
	part_remove(&part);
	check_holds(in_dir("x.dat.part/thesis.txt"), "precious");
	check_holds(in_dir("x.dat.part/cpu0.raw.bak"), "precious");
}

TEST(a_link_stays_and_its_target_is_replaced)
{
	const char *link = in_dir("link.dat"), *target = in_dir("target.dat");
	struct stat st;
	struct part part;

	put(target, "old");
	CHECK_EQ(symlink("target.dat", link), 0);
	CHECK_OK(part_open(link, &part));
	put(part.new_file, "new");
	CHECK_OK(part_publish(&part, part.output));
	part_remove(&part);
	CHECK_EQ(lstat(link, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	check_holds(target, "new");
}

TEST(outputs_that_are_no_files_are_refused)
{
	struct part part;

	CHECK_ERR(part_open("/dev/null", &part), "is not a regular file");
	CHECK_ERR(part_open(test_dir(), &part), "is not a regular file");
	CHECK_ERR(part_open(in_dir("absent/x.dat"), &part),
		  "absent/x.dat: No such file or directory");
}
