// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/modules.h"

#include "base/words.h"
#include "capture/blobs.h"

static bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

/* The @nr-th word of @line, from 0; empty if there are fewer. */
static struct span word(struct span line, unsigned int nr)
{
	struct span ret;

	return words_at(line, nr, &ret) ? ret : (struct span){};
}

/* name size refcount users state address */
#define ADDRESS_WORD 5

static bool has_module(struct span modules, struct span wanted)
{
	struct span line;

	while (span_line(&modules, &line))
		if (span_equal(word(line, 0), word(wanted, 0)) &&
		    span_equal(word(line, ADDRESS_WORD), word(wanted, ADDRESS_WORD)))
			return true;
	return false;
}

void modules_new(struct span start, struct span end, struct text *ret)
{
	struct span line;

	while (span_line(&end, &line)) {
		struct span name = word(line, 0);

		if (!name.len || has_module(start, line))
			continue;
		text_add(ret, name.data, name.len);
		text_add(ret, "\n", 1);
	}
}

static struct span module_of(struct span line, enum modules_form form)
{
	if (form == MODULES_FIRST_WORD)
		return word(line, 0);
	const uint8_t *open = memrchr(line.data, '[', line.len);

	if (!open || line.data[line.len - 1] != ']')
		return (struct span){ line.data, 0 };
	return (struct span){ open + 1, (size_t)(line.data + line.len - 1 - (open + 1)) };
}

static bool is_among(struct span names, struct span name)
{
	struct span line;

	while (span_line(&names, &line))
		if (span_equal(line, name))
			return true;
	return false;
}

void modules_append(struct text *ret, struct span from, enum modules_form form,
		    struct span names)
{
	struct span line;

	while (span_line(&from, &line)) {
		struct span name = module_of(line, form);

		if (!name.len || !is_among(names, name))
			continue;
		text_add(ret, line.data, line.len);
		text_add(ret, "\n", 1);
	}
}

void modules_merge(struct texts *to, const struct texts *from, struct text *ret_added)
{
	static const char *const names[] = { BLOB_MODULES, BLOB_SECTIONS, BLOB_BUILD_IDS };

	modules_new(text_span(texts_get(to, BLOB_MODULES)),
		    text_span(texts_find(from, BLOB_MODULES)), ret_added);
	if (!ret_added->len)
		return;
	for (size_t i = 0; i < 3; i++)
		modules_append(texts_get(to, names[i]), text_span(texts_find(from, names[i])),
			       MODULES_FIRST_WORD, text_span(ret_added));
}
