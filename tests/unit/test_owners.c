// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/owners.h"

#include "tests/lib/test.h"

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

/* b got a's room, c lies behind; the init code of b and c was at one place. */
static const char list[] = "a 8192 0 - Live 0xffffffffc0100000\n"
			   "b 8192 0 - Live 0xffffffffc0101000\n"
			   "c 8192 0 - Live 0xffffffffc0200000\n";
static const char sections[] = "b .init.text 0xffffffffc0300000\n"
			       "c .init.text 0xffffffffc0300000\n";

static struct modules *m;
static struct owners *o;

static void setup(void)
{
	m = modules_parse(text(list), text(sections), (struct span){});
	o = owners_new(m);
}

static const char *at(uint64_t addr, uint64_t from_ns, uint64_t to_ns)
{
	const struct module *owner = owners_at(o, addr, from_ns, to_ns);

	return owner ? owner->name : "-";
}

static void teardown(void)
{
	owners_free(o);
	modules_free(m);
}

TEST(without_events_no_address_had_two_owners)
{
	setup();
	CHECK_STR(at(0xffffffffc0101010, 1, 2), "-");
	teardown();
}

TEST(the_module_that_was_there_had_the_address)
{
	setup();
	owners_event(o, "a", 100, false);
	owners_event(o, "b", 200, true);
	CHECK_STR(at(0xffffffffc0101010, 10, 20), "a");
	CHECK_STR(at(0xffffffffc0101010, 210, 220), "b");
	/* It began before it went. */
	CHECK_STR(at(0xffffffffc0101010, 90, 150), "a");
	CHECK_STR(at(0xffffffffc0101010, 150, 250), "b");
	/* Only one ever had these. */
	CHECK_STR(at(0xffffffffc0100010, 10, 20), "-");
	CHECK_STR(at(0xffffffffc0200010, 10, 20), "-");
	CHECK_STR(at(0xffffffff81000000, 10, 20), "-");
	teardown();
}

TEST(a_module_that_came_back_had_it_again)
{
	setup();
	owners_event(o, "a", 100, false);
	owners_event(o, "b", 200, true);
	owners_event(o, "b", 300, false);
	owners_event(o, "a", 400, true);
	CHECK_STR(at(0xffffffffc0101010, 250, 260), "b");
	CHECK_STR(at(0xffffffffc0101010, 450, 460), "a");
	teardown();
}

TEST(of_two_modules_that_are_there_the_closer_one_has_it)
{
	setup();
	owners_event(o, "c", 100, true);
	/* a says more than it has: the sizes of all its parts together. */
	CHECK_STR(at(0xffffffffc0101010, 10, 20), "b");
	teardown();
}

TEST(init_code_is_that_of_the_module_loaded_last)
{
	setup();
	owners_event(o, "b", 100, true);
	owners_event(o, "c", 200, true);
	CHECK_STR(at(0xffffffffc0300010, 110, 120), "b");
	CHECK_STR(at(0xffffffffc0300010, 210, 220), "c");
	teardown();
}

TEST(events_of_unknown_modules_are_left_out)
{
	setup();
	owners_event(o, "zzz", 100, true);
	CHECK_STR(at(0xffffffffc0101010, 10, 20), "-");
	teardown();
}
