/*
 * dirty.h - the set of policy files that changed since the last commit. State module.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/policy_load.h"

/** More names than this are not told apart: everything counts as changed. */
enum { DIRTY_MAX = 4096 };

struct dirty {
	struct policy_key *keys; /* sorted, each once; names owned */
	size_t n, size;
	bool all; /* anything may have changed */
};

/** Nothing changed. */
void dirty_init(struct dirty *dirty);

/** Free all; @dirty is as after dirty_init(). */
void dirty_done(struct dirty *dirty);

/** Remember @key, once. When that is not possible (DIRTY_MAX, out of memory) all is
 * set. */
void dirty_add(struct dirty *dirty, const struct policy_key *key);

/** Nothing changed any more. */
void dirty_clear(struct dirty *dirty);
