// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/lib/test.h"

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static const char list[] = "nbd 65536 0 - Live 0xffffffffc051e000\n"
			   "dm_mod 200704 3 dm_log,dm_crypt, Live 0xffffffffc0400000 (OE)\n";
static const char sections[] = "nbd .text 0xffffffffc051e000\n"
			       "nbd .init.text 0xffffffffc0600000\n"
			       "nbd .data 0xffffffffc0620000\n"
			       "gone .text 0xffffffffc0700000\n";
static const char build_ids[] = "vmlinux e0c6bc7d\nnbd 0123abcd\n";

static struct modules *all(void)
{
	return modules_parse(text(list), text(sections), text(build_ids));
}

static const char *at(const struct modules *m, uint64_t addr)
{
	const struct module *module = modules_at(m, addr);

	return module ? module->name : "";
}

TEST(a_module_is_found_by_its_base_and_size)
{
	CLEANUP(modules_cleanup) struct modules *m = all();

	CHECK_STR(at(m, 0xffffffffc0400000), "dm_mod");
	CHECK_STR(at(m, 0xffffffffc0430fff), "dm_mod");
	CHECK_STR(at(m, 0xffffffffc0431000), "");
	CHECK_STR(at(m, 0xffffffffc03fffff), "");
}

TEST(init_text_that_lies_elsewhere_belongs_to_its_module)
{
	CLEANUP(modules_cleanup) struct modules *m = all();

	CHECK_STR(at(m, 0xffffffffc0600010), "nbd");
	CHECK_STR(at(m, 0xffffffffc0620010), "");
}

TEST(a_module_that_was_unloaded_still_has_its_sections)
{
	CLEANUP(modules_cleanup) struct modules *m = all();

	CHECK_STR(at(m, 0xffffffffc0700010), "gone");
	CHECK_EQ(modules_find(m, "gone")->base, 0);
}

TEST(sections_and_build_ids_go_to_their_module)
{
	CLEANUP(modules_cleanup) struct modules *m = all();
	const struct module *nbd = modules_find(m, "nbd");

	CHECK_EQ(nbd->nr_sections, 3);
	CHECK_STR(nbd->section[1].name, ".init.text");
	CHECK_EQ(nbd->section[1].addr, 0xffffffffc0600000);
	CHECK_STR(nbd->build_id, "0123abcd");
	CHECK_STR(modules_kernel_build_id(m), "e0c6bc7d");
	CHECK(!modules_find(m, "dm_mod")->build_id);
	CHECK(!modules_find(m, "vmlinux"));
}

TEST(broken_lines_and_no_lines_are_left_out)
{
	CLEANUP(modules_cleanup)
	struct modules *m = modules_parse(
		text("a\nb -5 0 - Live 0xffff000000000000\nc 99999999999999 0 - Live 0x10\n"
		     "d 10 0 - Live zzz\n\n"),
		text("e .text 0\nf .text\n g .text -1\n"), text("h\n"));

	CHECK(!modules_at(m, 0xffff000000000001));
	CHECK(!modules_find(m, "b"));
	CHECK_STR(modules_kernel_build_id(m), "");
	CLEANUP(modules_cleanup)
	struct modules *none = modules_parse((struct span){}, (struct span){}, (struct span){});

	CHECK(!modules_at(none, 0));
	CHECK(!modules_find(none, ""));
}

TEST(words_without_end_do_no_harm)
{
	char longer[5000];

	memset(longer, 'a', sizeof(longer));
	CLEANUP(modules_cleanup)
	struct modules *m = modules_parse((struct span){ (uint8_t *)longer, sizeof(longer) },
					  (struct span){ (uint8_t *)longer, sizeof(longer) },
					  (struct span){ (uint8_t *)longer, sizeof(longer) });

	CHECK(!modules_at(m, 1));
}

TEST(a_module_loaded_again_elsewhere_is_a_second_one)
{
	CLEANUP(modules_cleanup)
	struct modules *m = modules_parse(
		text("nbd 4096 0 - Live 0xffffffffc0100000\nnbd 4096 0 - Live 0xffffffffc0300000\n"),
		text("nbd .text 0xffffffffc0100000\nnbd .init.text 0xffffffffc0200000\n"
		     "nbd .text 0xffffffffc0300000\nnbd .init.text 0xffffffffc0400000\n"),
		text("nbd 0123abcd\nnbd 4567abcd\n"));

	CHECK_EQ(modules_nr(m), 2);
	CHECK_EQ(modules_find(m, "nbd")->base, 0xffffffffc0100000);
	CHECK_STR(modules_find_at(m, "nbd", 0xffffffffc0100010)->build_id, "0123abcd");
	CHECK_STR(modules_find_at(m, "nbd", 0xffffffffc0300010)->build_id, "4567abcd");
	CHECK_STR(modules_find_at(m, "nbd", 0xffffffffc0200010)->build_id, "0123abcd");
	CHECK_EQ(modules_find_at(m, "nbd", 0xffffffffc0400010)->section[0].addr,
		 0xffffffffc0300000);
	CHECK(!modules_find_at(m, "dm", 0xffffffffc0100010));
}

TEST(modules_that_come_back_without_end_take_no_hours)
{
	enum { TIMES = 1000, SECTIONS = 1000 };
	char *lines = malloc(TIMES * SECTIONS * 24);
	size_t len = 0;

	/* Each line asks all that came before whether it is of them. */
	for (int s = 0; s < SECTIONS; s++)
		for (int i = 0; i < TIMES; i++)
			len += (size_t)sprintf(lines + len, "x s%d 0x%x\n", s, i + 1);
	clock_t start = clock();
	CLEANUP(modules_cleanup)
	struct modules *m =
		modules_parse(text(""), (struct span){ (uint8_t *)lines, len }, text(""));

	CHECK(clock() - start < 20 * CLOCKS_PER_SEC);
	CHECK_EQ(modules_nr(m), TIMES);
	free(lines);
}

TEST(thousands_of_modules_that_come_and_go_are_all_there)
{
	enum { TIMES = 4000, SECTIONS = 30 };
	char *lines = malloc(TIMES * SECTIONS * 32);
	size_t len = 0;

	for (int i = 0; i < TIMES; i++)
		for (int s = 0; s < SECTIONS; s++)
			len += (size_t)sprintf(lines + len, "x .text.%d 0x%x\n", s,
					       (i + 1) * 0x10000 + s * 0x100);
	CLEANUP(modules_cleanup)
	struct modules *m =
		modules_parse(text(""), (struct span){ (uint8_t *)lines, len }, text(""));

	CHECK_EQ(modules_nr(m), TIMES);
	CHECK_EQ(modules_get(m, TIMES - 1)->nr_sections, SECTIONS);
	free(lines);
}
