/*
 * rule_strict.h - "--strict": what the hardware of a Cumulus switch would not take.
 * Pure.
 */
#pragma once

#include "aclserver/rule_options.h"

/** 0, or -EINVAL with the reason in rule->err. The rule is otherwise correct. */
int rule_strict_check(const struct rule *rule, const struct rule_options *options);

/** Does @rule, as written, log packets that are forwarded? The hardware can only log
 * what it drops: not so if @next (NULL = none), the rule behind it, drops the same. */
bool rule_strict_logs_forwarded(
	const struct policy_rule *rule, const struct policy_rule *next);
