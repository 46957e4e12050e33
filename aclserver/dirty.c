/*
 * dirty.c - sorted set of file keys; see dirty.h.
 */
#include "aclserver/dirty.h"

#include <stdlib.h>
#include <string.h>

void
dirty_init(struct dirty *dirty)
{
	*dirty = (struct dirty){ 0 };
}

void
dirty_clear(struct dirty *dirty)
{
	for (size_t i = 0; i < dirty->n; i++)
		free((char *)dirty->keys[i].name);
	dirty->n = 0;
	dirty->all = false;
}

void
dirty_done(struct dirty *dirty)
{
	dirty_clear(dirty);
	free(dirty->keys);
	dirty_init(dirty);
}

static bool
make_room(struct dirty *dirty)
{
	size_t size = dirty->size ? 2 * dirty->size : 64;
	struct policy_key *grown;

	if (dirty->n < dirty->size)
		return true;
	if (dirty->n >= DIRTY_MAX)
		return false;
	grown = realloc(dirty->keys, size * sizeof(*grown));
	if (!grown)
		return false;
	dirty->keys = grown;
	dirty->size = size;
	return true;
}

void
dirty_add(struct dirty *dirty, const struct policy_key *key)
{
	size_t lo = 0, hi = dirty->n;
	char *name;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (policy_key_cmp(&dirty->keys[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (dirty->all || (lo < dirty->n && policy_key_cmp(&dirty->keys[lo], key) == 0))
		return;
	name = strdup(key->name);
	if (!name || !make_room(dirty)) {
		free(name);
		dirty->all = true;
		return;
	}
	memmove(&dirty->keys[lo + 1], &dirty->keys[lo],
		(dirty->n - lo) * sizeof(*dirty->keys));
	dirty->keys[lo] = (struct policy_key){ .include = key->include, .name = name };
	dirty->n++;
}
