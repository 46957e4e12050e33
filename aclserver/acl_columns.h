/*
 * acl_columns.h - one rule as the columns of "iptables -L -v": what scripts that read
 * such listings look for. Pure, but for the names of services (names.h).
 */
#pragma once

#include <stdbool.h>

#include "aclserver/policy.h"
#include "common/arena.h"

/** Texts are the arena's, or live for ever; never NULL but for comment. */
struct acl_columns {
	const char *target; /* "" = the rule only counts */
	const char *proto;  /* "all", "tcp", "!udp" */
	const char *opt;    /* "--", "-f", "!f" */
	const char *in, *out;
	const char *source, *destination;
	const char *extras;  /* all other matches and the target's options */
	const char *comment; /* of -m comment, or NULL */
};

/**
 * Take apart the canonical @text of a simple rule.
 * @numeric  show ports by number and what any packet has as "*" and "0.0.0.0/0";
 *           else ports by name, "any" and "anywhere". Addresses are never looked up
 * @ret      filled on success only; of a rule of [ebtables] only target and comment say
 *           something
 * Returns   0; -EINVAL when @text is no such rule (it was cut); -ENOMEM
 */
int acl_columns_parse(enum policy_section section, const char *text, bool numeric,
	struct arena *arena, struct acl_columns *ret);
