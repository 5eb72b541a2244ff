// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter.h"

#include "tests/lib/test.h"

static const char *text_of(const struct filter *f, enum filter_class class)
{
	static struct text text;

	text_deinit(&text);
	text = (struct text){};
	CHECK_OK(filter_event(f, class, &text));
	return text.data ? text.data : "";
}

static void refused(uint64_t n, const char *why)
{
	auto_err struct err *err = filter_check_sample(n);

	CHECK(err);
	CHECK_STR(err_text(err), why);
}

TEST(without_wishes_only_frees_of_nothing_are_left_out)
{
	struct filter f = { .page_shift = 12 };

	for (enum filter_class c = FILTER_ALWAYS; c <= FILTER_VMAP_ALLOC; c++)
		CHECK_STR(text_of(&f, c), c == FILTER_KFREE ? "ptr>16" : "");
	f.one_in = 1;
	CHECK_STR(text_of(&f, FILTER_KMALLOC), "");
}

TEST(a_sample_is_the_chunks_with_one_number)
{
	struct filter f = { .one_in = 8, .chunk = 5, .page_shift = 12 };

	CHECK_STR(text_of(&f, FILTER_KMALLOC),
		  "(!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000||ptr==0)");
	CHECK_STR(text_of(&f, FILTER_CACHE_ALLOC),
		  "(!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000||ptr==0)");
	CHECK_STR(text_of(&f, FILTER_KFREE), "ptr>16&&!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000");
	CHECK_STR(text_of(&f, FILTER_CACHE_FREE), "!(ptr&0x10000)&&ptr&0x8000&&ptr&0x20000");
	CHECK_STR(text_of(&f, FILTER_PAGE_ALLOC),
		  "(order>3||(!(pfn&0x10)&&pfn&0x8&&pfn&0x20)||pfn==0xffffffffffffffff)");
	CHECK_STR(text_of(&f, FILTER_PAGE_FREE), "(order>3||(!(pfn&0x10)&&pfn&0x8&&pfn&0x20))");
	/* Percpu and vmap areas are few: all of them. */
	CHECK_STR(text_of(&f, FILTER_PERCPU_ALLOC), "");
	CHECK_STR(text_of(&f, FILTER_VMAP_ALLOC), "");
	CHECK_STR(text_of(&f, FILTER_ALWAYS), "");
}

TEST(the_first_and_the_last_chunk_take_one_kind_of_bits)
{
	struct filter f = { .one_in = 4, .chunk = 0, .page_shift = 12 };

	CHECK_STR(text_of(&f, FILTER_KMALLOC), "!(ptr&0x18000)");
	CHECK_STR(text_of(&f, FILTER_KFREE), "ptr>16&&!(ptr&0x18000)");
	f.chunk = 3;
	CHECK_STR(text_of(&f, FILTER_CACHE_FREE), "ptr&0x8000&&ptr&0x10000");
	f.page_shift = 14;
	CHECK_STR(text_of(&f, FILTER_CACHE_FREE), "ptr&0x20000&&ptr&0x40000");
}

TEST(only_powers_of_two_are_sampled_by)
{
	for (uint64_t n = 1; n <= FILTER_MAX_SAMPLE; n *= 2)
		CHECK_OK(filter_check_sample(n));
	refused(6, "6 is no power of two; 4 and 8 are");
	refused(3, "3 is no power of two; 2 and 4 are");
	refused(4095, "4095 is no power of two; 2048 and 4096 are");
	refused(0, "one in 0 is nothing: a power of two is wanted, such as 8");
	refused(8192, "one in 8192 is too few: at most one in 4096");
}
