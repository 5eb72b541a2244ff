// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/names.h"

#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

enum { MAX_NAMES = UINT16_MAX - 1 };

struct name {
	char *text; /* NUL-terminated, may hold NULs of its own */
	size_t len;
	uint32_t hash;
};

struct names {
	struct name *name; /* by id; [0] is "" */
	size_t nr, cap;	   /* in use, id 0 included */
	uint16_t *slot;	   /* open addressing: an id, or 0 when free */
	size_t mask;
	struct hash_secret secret;
	pthread_mutex_t lock;
};

struct names *names_new(void)
{
	struct names *names = xcalloc(1, sizeof(*names));

	pthread_mutex_init(&names->lock, NULL);
	vec_room(names->name, names->nr, names->cap);
	names->name[names->nr++] = (struct name){ .text = xstrdup("") };
	names->mask = 255;
	names->secret = hash_secret();
	names->slot = xcalloc(names->mask + 1, sizeof(*names->slot));
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->nr; i++)
		free(names->name[i].text);
	free(names->name);
	pthread_mutex_destroy(&names->lock);
	free(names->slot);
	free(names);
}

static void grow(struct names *names)
{
	free(names->slot);
	names->mask = names->mask * 2 + 1;
	names->slot = xcalloc(names->mask + 1, sizeof(*names->slot));
	for (size_t id = 1; id < names->nr; id++) {
		size_t i = names->name[id].hash & names->mask;

		while (names->slot[i])
			i = (i + 1) & names->mask;
		names->slot[i] = (uint16_t)id;
	}
}

static uint16_t find_or_add(struct names *names, const char *name, size_t len)
{
	uint32_t hash = hash_bytes(names->secret, name, len);
	size_t i = hash & names->mask;

	for (; names->slot[i]; i = (i + 1) & names->mask) {
		const struct name *known = &names->name[names->slot[i]];

		if (known->hash == hash && known->len == len && !memcmp(known->text, name, len))
			return names->slot[i];
	}
	if (names_count(names) == MAX_NAMES)
		return NAMES_OVERFLOW;

	uint16_t id = (uint16_t)names->nr;
	char *text = xmalloc(len + 1);

	memcpy(text, name, len);
	text[len] = '\0';
	vec_room(names->name, names->nr, names->cap);
	names->name[names->nr++] = (struct name){ text, len, hash };
	names->slot[i] = id;
	if (names->nr * 2 > names->mask)
		grow(names);
	return id;
}

uint16_t names_id(struct names *names, const char *name, size_t len)
{
	if (!len)
		return 0;
	pthread_mutex_lock(&names->lock);
	uint16_t id = find_or_add(names, name, len);

	pthread_mutex_unlock(&names->lock);
	return id;
}

const char *names_text(const struct names *names, uint16_t id)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&names->lock;

	if (id == NAMES_OVERFLOW)
		return "(other)";
	pthread_mutex_lock(lock);
	const char *text = id < names->nr ? names->name[id].text : "";

	pthread_mutex_unlock(lock);
	return text;
}

size_t names_count(const struct names *names)
{
	return names->nr - 1;
}
