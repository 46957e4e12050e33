/*
 * rule_strict.h - "--strict": what the hardware of a Cumulus switch would not take.
 * Pure.
 */
#pragma once

#include "aclserver/rule_options.h"

/** 0, or -EINVAL with the reason in rule->err. The rule is otherwise correct. */
int rule_strict_check(const struct rule *rule, const struct rule_options *options);
