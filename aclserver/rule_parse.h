/*
 * rule_parse.h - the policy language, second half: a simple rule's tokens -> struct
 * rule.
 *
 * Options as iptables and ebtables take them: short and long, "--opt=value", "-ivalue",
 * "!" before the option or before its value, in any order. Abbreviated long options are
 * refused. Pure, but for the names of services (names.h).
 */
#pragma once

#include "aclserver/policy.h"
#include "aclserver/rule.h"

/** Options and matches of one rule. */
enum { RULE_OPTIONS_MAX = 96, RULE_MODULES_MAX = 32 };

/**
 * Parse one simple rule.
 * @flags   enum compile_flags
 * @arena   owns what @ret points to
 * @ret     need not be initialised
 * Returns  0; -EINVAL with the reason in @err; -ENOMEM
 */
int rule_parse(const struct policy_rule *source, unsigned flags, struct arena *arena,
	struct rule *ret, struct err *err);
