/*
 * match_ifname.h - -i and -o, the same in all sections. Pure.
 */
#pragma once

#include "aclserver/rule.h"

/** -i NAME and -o NAME; "swp+" is a prefix, "+" alone says nothing. */
int match_ifname_parse_in(struct rule *rule, struct option_use *use);
int match_ifname_parse_out(struct rule *rule, struct option_use *use);

/** Refuse an interface that a packet in the rule's chain cannot have yet or has no
 * more. A finish function. */
int match_ifname_check(struct rule *rule, struct module_use *use);
