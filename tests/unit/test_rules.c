// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/rules.h"
#include "tests/lib/test.h"

static struct span text(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

static struct rules *parse(const char *s, unsigned int major, unsigned int minor)
{
	struct rules *r = NULL;

	CHECK_OK(rules_parse(text(s), major, minor, &r));
	return r;
}

TEST(a_name_matches_whole_by_head_by_tail_or_by_middle)
{
	CLEANUP(rules_cleanup)
	struct rules *r = parse("allocator exact *_tail\npassthrough head_* *mid*\n", 6, 12);

	CHECK_EQ(rules_of(r, "exact"), RULE_ALLOCATOR);
	CHECK_EQ(rules_of(r, "exactly"), 0);
	CHECK_EQ(rules_of(r, "exac"), 0);
	CHECK_EQ(rules_of(r, "a_tail"), RULE_ALLOCATOR);
	CHECK_EQ(rules_of(r, "a_tail_"), 0);
	CHECK_EQ(rules_of(r, "head_x"), RULE_PASSTHROUGH);
	CHECK_EQ(rules_of(r, "ahead_x"), 0);
	CHECK_EQ(rules_of(r, "a_mid_b"), RULE_PASSTHROUGH);
	CHECK_EQ(rules_of(r, ""), 0);
}

TEST(a_compilers_suffix_is_no_part_of_a_name)
{
	CLEANUP(rules_cleanup) struct rules *r = parse("allocator exact *_tail\n", 6, 12);

	CHECK_EQ(rules_of(r, "exact.constprop.0"), RULE_ALLOCATOR);
	CHECK_EQ(rules_of(r, "a_tail.isra.0"), RULE_ALLOCATOR);
}

TEST(classes_of_several_rules_add_up_and_keep_wins)
{
	CLEANUP(rules_cleanup)
	struct rules *r = parse("allocator f g\narea f\ncaller f*\nkeep g\n", 6, 12);

	CHECK_EQ(rules_of(r, "f"), RULE_ALLOCATOR | RULE_AREA | RULE_CALLER);
	CHECK_EQ(rules_of(r, "g"), RULE_KEEP);
}

TEST(a_section_holds_for_its_versions_only)
{
	static const char s[] = "allocator before # all versions\n[6.10-]\nallocator new\n"
				"[-6.9]\nallocator old\n[5.4-5.15]\nallocator mid\n"
				"[all]\nallocator always\n";
	CLEANUP(rules_cleanup) struct rules *v69 = parse(s, 6, 9);
	CLEANUP(rules_cleanup) struct rules *v610 = parse(s, 6, 10);
	CLEANUP(rules_cleanup) struct rules *v54 = parse(s, 5, 4);

	CHECK(rules_of(v69, "old") && !rules_of(v69, "new") && !rules_of(v69, "mid"));
	CHECK(rules_of(v610, "new") && !rules_of(v610, "old"));
	CHECK(rules_of(v54, "old") && rules_of(v54, "mid"));
	CHECK(rules_of(v610, "before") && rules_of(v610, "always"));
	CHECK(!rules_of(v610, "#") && !rules_of(v610, "versions"));
}

TEST(a_line_that_does_not_parse_is_named)
{
	struct rules *r = NULL;

	CHECK_ERR(rules_parse(text("# one\n\nalocator x\n"), 6, 12, &r),
		  "line 3: \"alocator\"");
	CHECK_ERR(rules_parse(text("allocator\n"), 6, 12, &r), "line 1: \"allocator\" without");
	CHECK_ERR(rules_parse(text("allocator a*b\n"), 6, 12, &r), "\"a*b\" is no name");
	CHECK_ERR(rules_parse(text("allocator *\n"), 6, 12, &r), "\"*\" is no name");
	CHECK_ERR(rules_parse(text("[6.10]\n"), 6, 12, &r), "no range");
	CHECK_ERR(rules_parse(text("[6.10-6.9]\n"), 6, 12, &r), "no range");
	CHECK_ERR(rules_parse(text("[-]\n"), 6, 12, &r), "no range");
	CHECK_ERR(rules_parse(text("[all] x\n"), 6, 12, &r), "no range");
	/* Also where it does not hold for this kernel. */
	CHECK_ERR(rules_parse(text("[-5.0]\nallocator a*b\n"), 6, 12, &r), "line 2");
	CHECK(!r);
}

TEST(the_builtin_rules_know_allocators_by_kernel_version)
{
	struct rules *new = NULL, *old = NULL, *later = NULL;

	CHECK_OK(rules_parse(rules_builtin(), 6, 12, &new));
	CHECK_OK(rules_parse(rules_builtin(), 6, 1, &old));
	CHECK_OK(rules_parse(rules_builtin(), 6, 17, &later));
	CHECK(rules_of(new, "__kmalloc_cache_noprof") & RULE_DROP);
	CHECK(rules_of(new, "vm_area_alloc_pages") & RULE_DROP);
	CHECK(rules_of(new, "__kmalloc_node_track_caller_noprof") & RULE_CALLER);
	CHECK(!(rules_of(new, "kstrdup") & RULE_DROP));
	CHECK_EQ(rules_of(new, "alloc_slab_page"), RULE_KEEP);
	CHECK_EQ(rules_of(new, "mempool_init_node"), RULE_CALLBACK);
	/* Since 6.17 a workqueue is its user's. */
	CHECK_EQ(rules_of(new, "__alloc_workqueue"), 0);
	CHECK(rules_of(later, "__alloc_workqueue") & RULE_DROP);
	CHECK(rules_of(later, "alloc_workqueue_noprof") & RULE_DROP);
	CHECK_EQ(rules_of(later, "alloc_workqueue_attrs_noprof"), RULE_KEEP);
	CHECK(rules_of(old, "__alloc_pages") & RULE_DROP);
	CHECK(rules_of(old, "__kmalloc_node_track_caller") & RULE_CALLER);
	CHECK(!(rules_of(old, "pte_alloc_one") & RULE_DROP));
	CHECK(rules_of(old, "trace_event_raw_event_mm_page_alloc") & RULE_PLUMBING);
	/* These allocate for themselves. */
	CHECK(!(rules_of(new, "__get_vm_area_node") & RULE_DROP));
	rules_free(new);
	rules_free(old);
	rules_free(later);
}

TEST(rules_add_to_rules_and_a_bad_text_adds_none)
{
	CLEANUP(rules_cleanup) struct rules *r = parse("allocator a b_*\n", 6, 12);

	CHECK_OK(rules_add(r,
			   text("[6.10-]\npassthrough a c\nkeep b_no\n[-6.9]\nallocator d\n")));
	CHECK_EQ(rules_of(r, "a"), RULE_ALLOCATOR | RULE_PASSTHROUGH);
	CHECK_EQ(rules_of(r, "c"), RULE_PASSTHROUGH);
	CHECK_EQ(rules_of(r, "b_yes"), RULE_ALLOCATOR);
	CHECK_EQ(rules_of(r, "b_no"), RULE_KEEP);
	CHECK_EQ(rules_of(r, "d"), 0);
	CHECK_ERR(rules_add(r, text("allocator e f_*\nallocator a*b\n")), "line 2: \"a*b\"");
	CHECK_EQ(rules_of(r, "e"), 0);
	CHECK_EQ(rules_of(r, "f_g"), 0);
	CHECK_EQ(rules_of(r, "c"), RULE_PASSTHROUGH);
}
