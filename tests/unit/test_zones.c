// SPDX-License-Identifier: GPL-2.0-or-later
#include "analyzer/zones.h"

#include "tests/lib/test.h"

static const char zoneinfo[] = "Node 0, zone      DMA\n"
			       "  per-node stats\n"
			       "      nr_inactive_anon 14166\n"
			       "  pages free     2816\n"
			       "        spanned  4095\n"
			       "        present  3998\n"
			       "  start_pfn:           1\n"
			       "Node 1, zone   Normal\n"
			       "        spanned  5505024\n"
			       "        present  5505000\n"
			       "    cpu: 0\n"
			       "              count:    34\n"
			       "  start_pfn:           1048576\n"
			       "Node 1, zone  Movable\n"
			       "        spanned  0\n";

TEST(zones_are_told_by_their_first_page_and_span)
{
	struct span text = { (const uint8_t *)zoneinfo, sizeof(zoneinfo) - 1 };
	struct zone zone;

	CHECK(zones_next(&text, &zone));
	CHECK_EQ(zone.node, 0);
	CHECK_STR(zone.name, "DMA");
	CHECK_EQ(zone.start_pfn, 1);
	CHECK_EQ(zone.spanned, 4095);
	CHECK_EQ(zone.present, 3998);
	CHECK(zones_next(&text, &zone));
	CHECK_EQ(zone.node, 1);
	CHECK_STR(zone.name, "Normal");
	CHECK_EQ(zone.start_pfn, 1048576);
	CHECK_EQ(zone.spanned, 5505024);
	/* One that does not say where it begins. */
	CHECK(!zones_next(&text, &zone));
}

TEST(what_is_no_zoneinfo_has_no_zones)
{
	static const char *const texts[] = {
		"", "start_pfn: 1\n", "Node x, zone DMA\nstart_pfn: 1\n",
		"Node 0, zone DMA\n start_pfn:\n start_pfnx: 7\n"
	};
	struct zone zone;

	for (size_t i = 0; i < 4; i++) {
		struct span text = { (const uint8_t *)texts[i], strlen(texts[i]) };

		CHECK(!zones_next(&text, &zone));
	}
}
