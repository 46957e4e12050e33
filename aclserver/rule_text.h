/*
 * rule_text.h - the canonical text of a parsed rule, as "iptables -S" would print it:
 * what -L shows, what the rule's hash covers, and what can be parsed again. Pure.
 */
#pragma once

#include "aclserver/rule_options.h"

/**
 * Write the text of the rule that @options were parsed from into rule->text.
 * Returns 0; -EINVAL (longer than a line may be; in rule->err); -ENOMEM
 */
int rule_text(struct rule *rule, const struct rule_options *options);
