// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/snapshot.h"

#include <string.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

static const char *const files[SNAPSHOT_FILES] = {
	/* In the order of the start; see rule 2. */
	"meminfo", "vmstat", "zoneinfo", "buddyinfo", "vmallocinfo", "slabinfo", "allocinfo",
};

static const char *const moments[NR_SNAPSHOTS] = { "start", "end" };

void snapshot_deinit(struct snapshot *snapshot)
{
	for (size_t m = 0; m < NR_SNAPSHOTS; m++)
		for (size_t i = 0; i < SNAPSHOT_FILES; i++)
			text_deinit(&snapshot->text[m][i]);
}

static void read_into(struct text *text, const char *name)
{
	char path[32] = "/proc/";
	/* Not all kernels have all of them, and an absent one stays empty. */
	auto_err struct err *err = text_read_file(text, strcat(path, name));

	if (err)
		text->len = 0;
}

void snapshot_prepare(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){};
	for (size_t i = 0; i < SNAPSHOT_FILES; i++) {
		auto_text probe = {};

		read_into(&probe, files[i]);
		if (!probe.len)
			continue;
		/* Half as much again: they grow with modules, caches and areas. */
		size_t room = probe.len + probe.len / 2 + 65536;

		for (size_t m = 0; m < NR_SNAPSHOTS; m++) {
			struct text *text = &snapshot->text[m][i];

			text->data = xmalloc(room);
			text->cap = room;
			memset(text->data, 0xff, room);
		}
	}
}

void snapshot_take(struct snapshot *snapshot, enum snapshot_moment moment)
{
	for (size_t n = 0; n < SNAPSHOT_FILES; n++) {
		size_t i = moment == SNAPSHOT_START ? n : SNAPSHOT_FILES - 1 - n;
		struct text *text = &snapshot->text[moment][i];

		if (!text->cap)
			continue;
		text->len = 0;
		read_into(text, files[i]);
	}
}

void snapshot_store(struct snapshot *snapshot, enum snapshot_moment moment, struct texts *ret)
{
	for (size_t i = 0; i < SNAPSHOT_FILES; i++) {
		struct text *text = &snapshot->text[moment][i];

		if (!text->len)
			continue;
		auto_free char *name =
			xasprintf(BLOB_SNAPSHOT "%s/%s", moments[moment], files[i]);

		*texts_new(ret, name) = *text;
		*text = (struct text){};
	}
}
