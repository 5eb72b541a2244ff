// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "capture/blobs.h"

static const char *const files[SNAPSHOT_FILES] = {
	/* In the order of the start; see rule 2. */
	"meminfo", "vmstat", "zoneinfo", "buddyinfo", "vmallocinfo", "slabinfo", "allocinfo",
};

static const char *const moments[NR_SNAPSHOTS] = { "start", "end" };

void snapshot_deinit(struct snapshot *snapshot)
{
	for (size_t i = 0; i < SNAPSHOT_FILES; i++) {
		if (snapshot->open[i])
			close(snapshot->fd[i]);
		for (size_t m = 0; m < NR_SNAPSHOTS; m++)
			text_deinit(&snapshot->text[m][i]);
	}
	*snapshot = (struct snapshot){};
}

/* What the file holds now; an error leaves nothing. */
static void read_anew(int fd, struct text *text)
{
	ssize_t n;

	text->len = 0;
	for (;;) {
		size_t room = text->cap - text->len - 1;

		n = pread(fd, text->data + text->len, room, (off_t)text->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		text->len += (size_t)n;
		if ((size_t)n == room)
			text_room(text, text->cap);
	}
	if (n < 0)
		text->len = 0;
	text->data[text->len] = '\0';
}

void snapshot_prepare(struct snapshot *snapshot)
{
	*snapshot = (struct snapshot){};
	for (size_t i = 0; i < SNAPSHOT_FILES; i++) {
		char path[32] = "/proc/";
		/* Not all kernels have all of them. */
		int fd = open(strcat(path, files[i]), O_RDONLY | O_CLOEXEC);
		auto_text probe = {};

		if (fd < 0)
			continue;
		snapshot->fd[i] = fd;
		snapshot->open[i] = true;
		text_room(&probe, 4096);
		read_anew(fd, &probe);
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

		if (snapshot->open[i])
			read_anew(snapshot->fd[i], &snapshot->text[moment][i]);
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
