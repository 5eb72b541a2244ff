// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/xalloc.h"

void text_deinit(struct text *text)
{
	free(text->data);
	*text = (struct text){};
}

void text_room(struct text *text, size_t len)
{
	if (text->cap - text->len > len)
		return;
	size_t cap = text->cap ? text->cap * 2 : 256;

	if (cap < text->len + len + 1)
		cap = text->len + len + 1;
	text->data = xreallocarray(text->data, cap, 1);
	text->cap = cap;
}

void text_add(struct text *text, const void *data, size_t len)
{
	text_room(text, len);
	if (len)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_printf(struct text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	auto_free char *s = xvasprintf(fmt, ap);
	va_end(ap);
	text_add(text, s, strlen(s));
}

void text_u16(struct text *text, uint16_t v)
{
	text_add(text, &v, sizeof(v));
}

void text_u32(struct text *text, uint32_t v)
{
	text_add(text, &v, sizeof(v));
}

void text_u64(struct text *text, uint64_t v)
{
	text_add(text, &v, sizeof(v));
}

struct err *text_read_file(struct text *text, const char *path)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%s", path);
	text_room(text, 4096);
	for (;;) {
		size_t room = text->cap - text->len - 1;
		ssize_t n = read(fd, text->data + text->len, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(errno, "%s", path);
		text->len += (size_t)n;
		text->data[text->len] = '\0';
		if (!n)
			return NULL;
		if ((size_t)n == room)
			text_room(text, text->cap);
	}
}

void texts_deinit(struct texts *texts)
{
	for (size_t i = 0; i < texts->nr; i++) {
		free(texts->v[i].name);
		text_deinit(&texts->v[i].text);
	}
	free(texts->v);
	*texts = (struct texts){};
}

struct text *texts_new(struct texts *texts, const char *name)
{
	vec_room(texts->v, texts->nr, texts->cap);
	struct named_text *t = &texts->v[texts->nr++];

	*t = (struct named_text){ .name = xstrdup(name) };
	return &t->text;
}

struct text *texts_get(struct texts *texts, const char *name)
{
	for (size_t i = 0; i < texts->nr; i++)
		if (!strcmp(texts->v[i].name, name))
			return &texts->v[i].text;
	return texts_new(texts, name);
}

bool texts_file(struct texts *texts, const char *name, const char *path)
{
	auto_text text = {};
	auto_err struct err *err = text_read_file(&text, path);

	if (err)
		return false;
	*texts_new(texts, name) = text;
	text = (struct text){};
	return true;
}

const struct text *texts_find(const struct texts *texts, const char *name)
{
	for (size_t i = 0; i < texts->nr; i++)
		if (!strcmp(texts->v[i].name, name))
			return &texts->v[i].text;
	return NULL;
}

void texts_copy(const struct texts *from, struct texts *ret)
{
	for (size_t i = 0; i < from->nr; i++)
		text_add(texts_new(ret, from->v[i].name), from->v[i].text.data,
			 from->v[i].text.len);
}

void texts_encode(const struct texts *texts, struct text *ret)
{
	for (size_t i = 0; i < texts->nr; i++) {
		const struct named_text *t = &texts->v[i];

		text_add(ret, t->name, strlen(t->name) + 1);
		text_u64(ret, t->text.len);
		text_add(ret, t->text.data, t->text.len);
	}
}
