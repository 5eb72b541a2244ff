// SPDX-License-Identifier: GPL-2.0-or-later
#include "view/leaks.h"

#include <inttypes.h>
#include <string.h>

#include "base/xalloc.h"
#include "view/place.h"
#include "view/text.h"

/* Columns in front of a place. */
enum { FIGURES = 60 };

static const struct cell *get(struct query *query, const struct cell *row, const char *column)
{
	return &row[query_find_column(query, column)];
}

static void print_why(const struct cell *why, FILE *out, unsigned int width)
{
	auto_free char *text = text_printable(why->text, why->len);
	size_t room = width > 40 ? width - 12 : 1000;
	const char *at = text;

	/* Between words, into as many lines as it takes. */
	while (*at) {
		size_t len = strlen(at);

		if (len > room) {
			len = room;
			while (len && at[len] != ' ')
				len--;
			len = len ? len : room;
		}
		fprintf(out, "%-12s%.*s\n", "", (int)len, at);
		at += len;
		at += strspn(at, " ");
	}
}

static void print_suspect(struct query *query, const struct cell *row, FILE *out,
			  const struct view_layout *layout)
{
	auto_free char *place = place_text(query, row);
	const struct cell *verdict = get(query, row, "verdict");
	char net[TEXT_MAX], growth[TEXT_MAX];
	auto_free char *rate = NULL;

	text_iec(net, get(query, row, "net_bytes")->i);
	text_iec(growth, get(query, row, "growth_per_s")->i);
	rate = xasprintf("%s/s", growth);
	if (layout->width > FIGURES + 20)
		text_shorten(place, layout->width - FIGURES);
	fprintf(out, "%-12.*s%5.2f  %9s  %8" PRId64 "  %11s  %-7.*s  %s\n", (int)verdict->len,
		verdict->text, get(query, row, "evidence")->real, net,
		get(query, row, "net_calls")->i, rate, (int)get(query, row, "kind")->len,
		get(query, row, "kind")->text, place);
	print_why(get(query, row, "why"), out, layout->width);
}

struct err *leaks_print(struct query *query, uint64_t limit, FILE *out,
			const struct view_layout *layout)
{
	const struct cell *row;
	uint64_t nr = 0;

	for (;; nr++) {
		TRY(query_next(query, &row));
		if (!row || (limit && nr == limit))
			break;
		if (!nr)
			fprintf(out, "%-12s%5s  %9s  %8s  %11s  %-7s  %s\n", "VERDICT", "EVID.",
				"NET", "CALLS", "GROWTH", "KIND", "SITE");
		print_suspect(query, row, out, layout);
	}
	if (!nr)
		fputs("No suspect: nothing that the kernel would not free by itself, or with a "
		      "process, grows to the end. --all shows what else lives.\n",
		      out);
	return NULL;
}
