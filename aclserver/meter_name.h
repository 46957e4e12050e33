/*
 * meter_name.h - the names of the sets that packets write into. Pure.
 *
 * "hashlimit4/NAME/HASH": the kind of table and the address family, the name that the
 * rule gives it, and a hash of all that decides whether two rules can share it. A set
 * is never changed: other settings are another set.
 */
#pragma once

#include <stdbool.h>

#include "aclserver/hash.h"
#include "common/arena.h"

/** A set name of the @arena's; NULL when out of memory. */
const char *meter_name_new(struct arena *arena, const char *kind, bool ip6,
	const char *name, const struct hash *settings);

/** True for a name that meter_name_new() could have made. */
bool meter_name_is_ours(const char *name);
