/*
 * acl_known.h - the rules that the policy files say now, to be found by content.
 *
 * The kernel keeps the hash of a rule and the beginning of its text; who needs more of
 * an installed rule compiles the policy once more and looks the hash up here. Acting
 * module (reads files).
 */
#pragma once

#include <stddef.h>

#include "aclserver/ruleset.h"
#include "common/arena.h"
#include "common/err.h"

struct acl_known {
	struct arena *arena;               /* owns the rules */
	const struct ruleset_rule **rules; /* sorted by hash; owned */
	size_t n, size;
};

/**
 * Compile every file of @policy_conf. A file that no longer compiles adds nothing: what
 * it installed is then not found.
 * Returns 0; negative errno with @err, when it is unknown which files there are. @ret
 * is to be released with acl_known_done() in both cases.
 */
int acl_known_read(const char *policy_conf, struct acl_known *ret, struct err *err);

/** The rule of content @hash, or NULL. Fine on a zeroed @known. */
const struct ruleset_rule *acl_known_find(
	const struct acl_known *known, const struct ruleset_hash *hash);

/** Free all; fine on a zeroed struct. */
void acl_known_done(struct acl_known *known);
