// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/evfilter.h"

#include "capture/caches.h"
#include "tests/lib/test.h"

/* @named: the event tells the name of its cache. */
static const char *named_text(const struct evfilter *f, enum evfilter_class class, bool named)
{
	static struct text text;
	bool none;

	text_deinit(&text);
	text = (struct text){};
	CHECK_OK(evfilter_event(f, class, named, &text, &none));
	return none ? "none" : text.data ? text.data : "";
}

static const char *text_of(const struct evfilter *f, enum evfilter_class class)
{
	return named_text(f, class, true);
}

static void refused(uint64_t n, const char *why)
{
	auto_err struct err *err = evfilter_check_sample(n);

	CHECK(err);
	CHECK_STR(err_text(err), why);
}

TEST(without_wishes_only_frees_of_nothing_are_left_out)
{
	struct evfilter f = { .page_shift = 12 };

	for (enum evfilter_class c = EVFILTER_ALWAYS; c <= EVFILTER_VMAP_ALLOC; c++)
		CHECK_STR(text_of(&f, c), c == EVFILTER_KFREE ? "ptr>16" : "");
	f.one_in = 1;
	CHECK_STR(text_of(&f, EVFILTER_KMALLOC), "");
}

TEST(a_sample_is_the_chunks_with_one_number)
{
	struct evfilter f = { .one_in = 8, .chunk = 5, .page_shift = 12 };

	CHECK_STR(text_of(&f, EVFILTER_KMALLOC),
		  "(!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000||ptr==0)");
	CHECK_STR(text_of(&f, EVFILTER_CACHE_ALLOC),
		  "(!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000||ptr==0)");
	CHECK_STR(text_of(&f, EVFILTER_KFREE),
		  "ptr>16&&!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000");
	CHECK_STR(text_of(&f, EVFILTER_CACHE_FREE), "!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000");
	CHECK_STR(text_of(&f, EVFILTER_PAGE_ALLOC),
		  "(order>3||(!(pfn&0x10)&&pfn&0x8&&pfn&0x20)||pfn==0xffffffffffffffff)");
	CHECK_STR(text_of(&f, EVFILTER_PAGE_FREE),
		  "(order>3||(!(pfn&0x10)&&pfn&0x8&&pfn&0x20))");
	/* Percpu and vmap areas are few: all of them. */
	CHECK_STR(text_of(&f, EVFILTER_PERCPU_ALLOC), "");
	CHECK_STR(text_of(&f, EVFILTER_VMAP_ALLOC), "");
	CHECK_STR(text_of(&f, EVFILTER_ALWAYS), "");
}

TEST(the_first_and_the_last_chunk_take_one_kind_of_bits)
{
	struct evfilter f = { .one_in = 4, .chunk = 0, .page_shift = 12 };

	CHECK_STR(text_of(&f, EVFILTER_KMALLOC), "!(ptr&0x18000)");
	CHECK_STR(text_of(&f, EVFILTER_KFREE), "ptr>16&&!(ptr&0x18000)");
	f.chunk = 3;
	CHECK_STR(text_of(&f, EVFILTER_CACHE_FREE), "ptr&0x8000&&ptr&0x10000");
	f.page_shift = 14;
	CHECK_STR(text_of(&f, EVFILTER_CACHE_FREE), "ptr&0x20000&&ptr&0x40000");
}

TEST(only_powers_of_two_are_sampled_by)
{
	for (uint64_t n = 1; n <= EVFILTER_MAX_SAMPLE; n *= 2)
		CHECK_OK(evfilter_check_sample(n));
	refused(6, "6 is no power of two; 4 and 8 are");
	refused(3, "3 is no power of two; 2 and 4 are");
	refused(4095, "4095 is no power of two; 2048 and 4096 are");
	refused(0, "one in 0 is nothing: a power of two is wanted, such as 8");
	refused(8192, "one in 8192 is too few: at most one in 4096");
}

#define FILTER(f) CLEANUP(evfilter_deinit) struct evfilter f = { .page_shift = 12 }

TEST(a_least_size_is_asked_of_allocations_in_their_own_words)
{
	FILTER(f);

	evfilter_sizes(&f, 65536, NULL);
	CHECK(evfilter_selects(&f));
	CHECK_STR(f.wishes.data, "of at least 65536 bytes\n");
	CHECK_STR(text_of(&f, EVFILTER_KMALLOC), "bytes_alloc>=65536");
	CHECK_STR(text_of(&f, EVFILTER_CACHE_ALLOC), "bytes_alloc>=65536");
	CHECK_STR(text_of(&f, EVFILTER_PERCPU_ALLOC), "bytes_alloc>=65536");
	CHECK_STR(text_of(&f, EVFILTER_PAGE_ALLOC), "order>=4");
	CHECK_STR(text_of(&f, EVFILTER_VMAP_ALLOC), "size>=69632");
	CHECK_STR(text_of(&f, EVFILTER_KFREE), "ptr>16");
	CHECK_STR(text_of(&f, EVFILTER_CACHE_FREE), "");
	CHECK_STR(text_of(&f, EVFILTER_PAGE_FREE), "");
	f.min_size = 4096;
	CHECK_STR(text_of(&f, EVFILTER_PAGE_ALLOC), "");
	f.min_size = 4097;
	CHECK_STR(text_of(&f, EVFILTER_PAGE_ALLOC), "order>=1");
}

TEST(tasks_are_asked_for_out_of_interrupts)
{
	FILTER(f);

	CHECK_OK(evfilter_tasks(&f, "12,345"));
	CHECK_STR(text_of(&f, EVFILTER_KMALLOC),
		  "!(common_flags&0x58)&&(common_pid==12||common_pid==345)");
	CHECK_STR(text_of(&f, EVFILTER_CACHE_FREE), "");
	CHECK_STR(text_of(&f, EVFILTER_PAGE_FREE), "");
}

TEST(what_is_no_number_of_a_task_is_refused)
{
	static const char *const wrong[] = { "",  "x",	"1,",  "1,,2",
					     "0", "-1", "1 2", "4294967296" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		FILTER(f);
		auto_err struct err *err = evfilter_tasks(&f, wrong[i]);

		CHECK(err);
	}
}

TEST(call_sites_are_ranges_or_single_addresses)
{
	static const struct evfilter_range range[] = { { 0x1000, 0x1080 }, { 0x20ff, 0x2100 } };
	FILTER(f);

	CHECK_OK(evfilter_sites(&f, "f,a.c:7", range, 2));
	CHECK_STR(text_of(&f, EVFILTER_KMALLOC),
		  "((call_site>0x1000&&call_site<=0x1080)||call_site==0x2100)");
	CHECK_STR(text_of(&f, EVFILTER_PERCPU_ALLOC),
		  "((call_site>0x1000&&call_site<=0x1080)||call_site==0x2100)");
	CHECK_STR(text_of(&f, EVFILTER_PAGE_ALLOC), "");
	CHECK_STR(text_of(&f, EVFILTER_KFREE), "ptr>16");
	CHECK_STR(f.wishes.data, "at call site f,a.c:7\n");
}

TEST(too_many_call_sites_are_refused)
{
	static struct evfilter_range range[200];
	FILTER(f);

	for (size_t i = 0; i < 200; i++)
		range[i] = (struct evfilter_range){ 0xffffffff81000000 + 512 * i,
						    0xffffffff81000080 + 512 * i };
	auto_err struct err *err = evfilter_sites(&f, "many", range, 200);

	CHECK(err);
}

TEST(caches_are_filtered_by_name_where_both_sides_tell_it)
{
	FILTER(f);

	text_printf(&f.caches, "(name==\"a\"||name==\"b\")");
	text_printf(&f.cache_sizes, "(bytes_alloc==192||bytes_alloc==256)");
	f.only_caches = true;
	CHECK_STR(text_of(&f, EVFILTER_CACHE_ALLOC), "(name==\"a\"||name==\"b\")");
	CHECK_STR(text_of(&f, EVFILTER_CACHE_FREE), "(name==\"a\"||name==\"b\")");
	CHECK_STR(text_of(&f, EVFILTER_KMALLOC), "none");
	/* kfree() frees objects of any cache. */
	CHECK_STR(text_of(&f, EVFILTER_KFREE), "ptr>16");
}

TEST(without_a_name_the_size_has_to_do_and_nothing_can_be_excluded)
{
	FILTER(f);
	auto_text text = {};
	bool none;

	text_printf(&f.caches, "(name==\"a\")");
	text_printf(&f.cache_sizes, "(bytes_alloc==192)");
	f.only_caches = true;
	CHECK_STR(named_text(&f, EVFILTER_CACHE_ALLOC, false), "(bytes_alloc==192)");
	f.only_caches = false;
	auto_err struct err *err =
		evfilter_event(&f, EVFILTER_CACHE_ALLOC, false, &text, &none);

	CHECK(err);
}

TEST(all_conditions_have_to_hold)
{
	static const struct evfilter_range range = { 0xf, 0x10 };
	FILTER(f);

	f.one_in = 2;
	f.chunk = 1;
	evfilter_sizes(&f, 100, "gfp_flags & 1 || 0");
	CHECK_OK(evfilter_tasks(&f, "7"));
	CHECK_OK(evfilter_sites(&f, "f", &range, 1));
	CHECK_STR(
		text_of(&f, EVFILTER_KMALLOC),
		"(ptr&0x8000||ptr==0)&&!(common_flags&0x58)&&(common_pid==7)&&bytes_alloc>=100&&"
		"(call_site==0x10)&&(gfp_flags & 1 || 0)");
}

TEST(caches_of_kmalloc_are_known_by_name)
{
	static const char slabinfo[] = "slabinfo - version: 2.1\n# name <active_objs>\n"
				       "dentry 10 20 192 21 1 : tunables\n"
				       "dentry2 10 20 200 21 1 : tunables\n"
				       "kmalloc-rcl-64 1 2 64 64 1\n";
	struct span text = { (const uint8_t *)slabinfo, sizeof(slabinfo) - 1 };
	uint64_t bytes;

	CHECK(caches_size(text, "dentry", &bytes));
	CHECK_EQ(bytes, 192);
	CHECK(caches_size(text, "kmalloc-rcl-64", &bytes));
	CHECK_EQ(bytes, 64);
	CHECK(!caches_size(text, "dentr", &bytes));
	CHECK(!caches_size(text, "#", &bytes));
	CHECK(caches_is_kmalloc("kmalloc-cg-1k") && caches_is_kmalloc("dma-kmalloc-8"));
	CHECK(!caches_is_kmalloc("dentry"));
}
