// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/chain.h"

#include <string.h>

#include "base/words.h"
#include "base/xalloc.h"
#include "capture/blobs.h"

/* The number behind @name, all that @line is. */
static bool number(struct span line, const char *name, uint32_t *ret)
{
	uint64_t v;

	if (!words_after(line, name, &line) || !words_number(line, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

bool chain_index(const struct container *c, uint32_t *ret_index, bool *ret_last)
{
	struct span text, line;
	uint32_t last = 0;

	if (!container_blob(c, BLOB_CHAIN, &text) || !span_line(&text, &line) ||
	    !number(line, "index ", ret_index))
		return false;
	*ret_last = span_line(&text, &line) && number(line, "last ", &last) && last;
	return true;
}

static bool same_text(const struct container *a, const struct container *b, const char *name)
{
	struct span x, y;

	return container_text(a, name, &x) && container_text(b, name, &y) && x.len == y.len &&
	       !memcmp(x.data, y.data, x.len);
}

bool chain_same(const struct container *a, const struct container *b)
{
	if (a->meta.swap != b->meta.swap || a->long_size != b->long_size ||
	    a->page_size != b->page_size)
		return false;
	/* A file without events has no buffer. */
	if (a->nr_buffers > 1 || b->nr_buffers > 1 ||
	    (a->nr_buffers && b->nr_buffers &&
	     a->buffer->subbuf_size != b->buffer->subbuf_size))
		return false;
	return same_text(a, b, "trace_id");
}

/* Gives all of @buffer a descriptor that lives as long as @keeper. */
static void share_fd(struct container *c, struct container_buffer *buffer,
		     struct container *keeper)
{
	int fd = take_fd(c->meta.fd);

	vec_room(keeper->kept_fd, keeper->nr_kept, keeper->cap_kept);
	keeper->kept_fd[keeper->nr_kept++] = fd;
	for (size_t i = 0; i < buffer->nr_cpus; i++) {
		for (struct cpu_data *data = &buffer->cpu[i]; data; data = data->next) {
			if (data->fd >= 0)
				continue;
			data->fd = fd;
			data->shared_fd = true;
		}
	}
}

static void move_data(struct container *first, struct container *next)
{
	struct container_buffer early = *first->buffer;

	first->nr_buffers = 0;
	share_fd(first, &early, next);
	early.name = "";
	if (!next->nr_buffers) {
		container_add_buffer(next, "");
		*next->buffer = early;
		return;
	}
	struct container_buffer late = *next->buffer;

	for (size_t i = 0; i < late.nr_cpus; i++)
		container_append(&early, &late.cpu[i]);
	free(late.cpu);
	free(late.clock);
	*next->buffer = early;
}

void chain_join(struct container *first, struct container *next)
{
	for (size_t i = 0; i < first->nr_kept; i++) {
		vec_room(next->kept_fd, next->nr_kept, next->cap_kept);
		next->kept_fd[next->nr_kept++] = first->kept_fd[i];
	}
	first->nr_kept = 0;
	if (first->nr_buffers)
		move_data(first, next);
	container_deinit(first);
	*first = *next;
	*next = (struct container){ .meta.fd = -1 };
}
