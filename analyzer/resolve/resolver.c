// SPDX-License-Identifier: GPL-2.0-or-later
#include "resolve/resolver.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "resolve/attribute.h"

struct answer {
	const uint64_t *addr;
	size_t nr;
	uint64_t owners; /* which modules had the addresses, where that changed */
	struct callsite callsite;
};

struct resolver {
	struct pool *pool;
	struct space *space;
	struct rules *rules;
	struct attribute *attribute;
	struct answer **slot; /* open addressing, a power of two */
	size_t nr_slots, nr_answers;
	struct hash_secret secret;
};

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	attribute_free(r->attribute);
	rules_free(r->rules);
	space_close(r->space);
	free(r->slot);
	pool_free(r->pool);
	free(r);
}

/* From its symbols, for a recording without a release: rules.txt on _noprof. */
static bool has_noprof(const struct kallsyms *kallsyms)
{
	size_t nr;
	const struct ksym *sym = kallsyms_symbols(kallsyms, &nr);

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(sym[i].name, "__kmalloc_noprof"))
			return true;
	return false;
}

static void kernel_version(const char *release, const struct kallsyms *kallsyms,
			   unsigned int *major, unsigned int *minor)
{
	bool noprof = has_noprof(kallsyms);

	if (!release || sscanf(release, "%4u.%4u", major, minor) != 2) {
		*major = 6;
		*minor = noprof ? 10 : 9;
	}
	/* Distributions carry the change into older versions. */
	if (noprof && (*major < 6 || (*major == 6 && *minor < 10))) {
		*major = 6;
		*minor = 10;
	}
}

struct err *resolver_open(const struct resolver_opts *opts, struct resolver **ret)
{
	CLEANUP(resolver_cleanup) struct resolver *r = xcalloc(1, sizeof(*r));
	unsigned int major, minor;

	r->pool = pool_new();
	r->secret = hash_secret();
	TRY(space_open(opts, r->pool, &r->space));
	kernel_version(opts->release, space_kallsyms(r->space), &major, &minor);
	TRY(rules_parse(rules_builtin(), major, minor, &r->rules));
	TRY(rules_add(r->rules, opts->rules));
	r->attribute = attribute_new(r->space, r->rules, r->pool);
	*ret = take_ptr(r);
	return NULL;
}

/* A number for the modules that had these addresses; 0 where none ever changed. */
static uint64_t owners_of(const struct resolver *r, const uint64_t *addr, size_t nr)
{
	uint64_t h = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct module *owner = space_owner(r->space, addr[i] - 1);

		if (owner)
			h = (h ^ (uintptr_t)owner ^ i) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return h;
}

static uint32_t hash(struct hash_secret secret, const uint64_t *addr, size_t nr,
		     uint64_t owners)
{
	uint64_t h = owners;

	for (size_t i = 0; i < nr; i++)
		h = hash_of(secret, h ^ addr[i]);
	return hash_word(secret, h ^ nr);
}

static struct answer **find_slot(const struct resolver *r, const uint64_t *addr, size_t nr,
				 uint64_t owners)
{
	for (size_t i = hash(r->secret, addr, nr, owners);; i++) {
		struct answer **at = &r->slot[i & (r->nr_slots - 1)];

		if (!*at || ((*at)->nr == nr && (*at)->owners == owners &&
			     (!nr || !memcmp((*at)->addr, addr, nr * sizeof(*addr)))))
			return at;
	}
}

static void grow(struct resolver *r)
{
	auto_free struct answer **old = r->slot;
	size_t nr = r->nr_slots;

	r->nr_slots = nr ? nr * 2 : 1024;
	r->slot = xcalloc(r->nr_slots, sizeof(*r->slot));
	for (size_t i = 0; i < nr; i++)
		if (old[i])
			*find_slot(r, old[i]->addr, old[i]->nr, old[i]->owners) = old[i];
}

void resolver_module_event(struct resolver *r, const char *name, uint64_t ts_ns, bool loaded)
{
	space_module_event(r->space, name, ts_ns, loaded);
}

void resolver_site(struct resolver *r, const uint64_t *addr, size_t nr, struct callsite *ret)
{
	resolver_site_at(r, addr, nr, 0, UINT64_MAX, ret);
}

void resolver_site_at(struct resolver *r, const uint64_t *addr, size_t nr, uint64_t from_ns,
		      uint64_t to_ns, struct callsite *ret)
{
	space_set_time(r->space, from_ns, to_ns);
	uint64_t owners = owners_of(r, addr, nr);

	if (r->nr_answers * 2 >= r->nr_slots)
		grow(r);
	struct answer **slot = find_slot(r, addr, nr, owners);

	if (!*slot) {
		struct answer *answer = pool_alloc(r->pool, sizeof(*answer));
		uint64_t *copy = pool_alloc(r->pool, nr * sizeof(*copy));

		if (nr)
			memcpy(copy, addr, nr * sizeof(*copy));
		*answer = (struct answer){ .addr = copy, .nr = nr, .owners = owners };
		attribute_site(r->attribute, addr, nr, &answer->callsite);
		*slot = answer;
		r->nr_answers++;
	}
	*ret = (*slot)->callsite;
}

void resolver_expect(struct resolver *r, const uint64_t *addr, size_t nr)
{
	space_expect(r->space, addr, nr);
}

unsigned int resolver_rules_at(const struct resolver *r, uint64_t addr)
{
	uint64_t size;
	const struct ksym *sym = space_symbol(r->space, addr - 1, &size);

	return sym ? rules_of(r->rules, sym->name) : 0;
}

const char *resolver_vmlinux(const struct resolver *r)
{
	return space_vmlinux(r->space);
}

const char *resolver_vmlinux_build_id(const struct resolver *r)
{
	return space_vmlinux_build_id(r->space);
}

const char *resolver_note(const struct resolver *r, size_t i)
{
	return space_note(r->space, i);
}
