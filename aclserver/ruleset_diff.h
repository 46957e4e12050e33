/*
 * ruleset_diff.h - which rules of a chain may stay when its file changes.
 *
 * A rule that stays keeps its handle and its counters. Pure.
 */
#pragma once

#include <stddef.h>

#include "aclserver/ruleset.h"

enum { RULESET_DIFF_NONE = -1 };

/**
 * Match the rules wanted with the rules installed, by content and without crossing: the
 * longest increasing run of equal rules (O(n log n)). Of equal rules the earlier ones
 * are paired first.
 *
 * @old    hashes of the installed rules, in order
 * @want   rules wanted, in order
 * @ret    n_want entries: index of the installed rule that stays as this one, or
 * RULESET_DIFF_NONE (add it before the next one that stays). Installed rules that no
 * entry names are to be deleted. Returns number of rules that stay, or -ENOMEM
 */
int ruleset_diff(const struct ruleset_hash *old, size_t n_old,
	const struct ruleset_rule *want, size_t n_want, int *ret);
