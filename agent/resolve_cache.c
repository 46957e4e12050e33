/*
 * resolve_cache.c - answers of the kernel, by question.
 */
#include "agent/resolve_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
resolve_cache_init(struct resolve_cache *c)
{
	memset(c, 0, sizeof(*c));
	c->entries = calloc(
		(size_t)RESOLVE_CACHE_SETS * RESOLVE_CACHE_WAYS, sizeof(*c->entries));
	return c->entries ? 0 : -ENOMEM;
}

void
resolve_cache_done(struct resolve_cache *c)
{
	free(c->entries);
	c->entries = NULL;
}

/* Mixes every word by a multiplication whose halves are folded. Whoever makes packets
 * collide gains misses, and those are limited. */
static struct resolve_entry *
set_of(struct resolve_cache *c, const struct resolve_key *key)
{
	uint64_t words[sizeof(*key) / 8], h = UINT64_C(0x9e3779b97f4a7c15);

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		h = (h ^ words[i]) * UINT64_C(0xd6e8feb86659fd93);
		h ^= h >> 32;
	}
	return &c->entries[h % RESOLVE_CACHE_SETS * RESOLVE_CACHE_WAYS];
}

static struct resolve_entry *
find_entry(struct resolve_cache *c, const struct resolve_key *key)
{
	struct resolve_entry *set = set_of(c, key);

	for (int i = 0; i < RESOLVE_CACHE_WAYS; i++) {
		if (memcmp(&set[i].key, key, sizeof(*key)) == 0)
			return &set[i];
	}
	return NULL;
}

const struct resolve_value *
resolve_cache_find(struct resolve_cache *c, const struct resolve_key *key,
	struct mono now, bool *ret_stale)
{
	struct resolve_entry *e = find_entry(c, key);

	*ret_stale = false;
	if (!e)
		return NULL;
	e->used = now;
	*ret_stale = e->generation != c->generations[key->kind] ||
		     mono_before(e->until, now);
	return &e->value;
}

void
resolve_cache_put(struct resolve_cache *c, const struct resolve_key *key,
	const struct resolve_value *value, struct mono now, struct mono until)
{
	struct resolve_entry *e = find_entry(c, key);

	if (!e) {
		struct resolve_entry *set = set_of(c, key);

		e = set;
		for (int i = 1; i < RESOLVE_CACHE_WAYS && e->key.kind; i++) {
			if (!set[i].key.kind || mono_before(set[i].used, e->used))
				e = &set[i];
		}
	}
	*e = (struct resolve_entry){
		.key = *key,
		.value = *value,
		.generation = c->generations[key->kind],
		.until = until,
		.used = now,
	};
}

void
resolve_cache_drop(struct resolve_cache *c, const struct resolve_key *key)
{
	struct resolve_entry *e = find_entry(c, key);

	if (e)
		memset(e, 0, sizeof(*e));
}

void
resolve_cache_expire(struct resolve_cache *c, enum resolve_kind kind)
{
	c->generations[kind]++;
}
