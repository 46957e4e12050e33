/*
 * match_ifname.c - -i and -o.
 */
#include "aclserver/match_ifname.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

enum { PORT_IN, PORT_OUT };

static int
parse_port_name(struct rule *rule, struct option_use *use, int direction)
{
	const char *name = use->args[0];

	if (strchr(name, ','))
		return option_refuse(rule, use, "a list cannot stand here");
	if (!parse_is_ifname(name))
		return option_refuse(rule, use,
			"not an interface name (1 to 15 characters without blank, '/' "
			"or ':')");
	rule->ports[direction] = name;
	if (strcmp(name, "+") == 0) {
		use->omit = true;
		return use->negate ? option_refuse(rule, use, "would never match") : 0;
	}
	return rule_add_ifname(rule,
		direction == PORT_IN ? FIELD_IIFNAME : FIELD_OIFNAME, use->negate,
		name);
}

int
match_ifname_parse_in(struct rule *rule, struct option_use *use)
{
	int result = parse_port_name(rule, use, PORT_IN);

	rule->names_in = result == 0 && !use->negate && !use->omit;
	return result;
}

int
match_ifname_parse_out(struct rule *rule, struct option_use *use)
{
	return parse_port_name(rule, use, PORT_OUT);
}

int
match_ifname_check(struct rule *rule, struct module_use *use)
{
	(void)use; /* what counts is in the rule */
	if (rule->ports[PORT_OUT] && (strcmp(rule->chain, "INPUT") == 0 ||
					     strcmp(rule->chain, "PREROUTING") == 0))
		return err_set(rule->err, -EINVAL,
			"output interface specified with %s chain", rule->chain);
	if (rule->ports[PORT_IN] && (strcmp(rule->chain, "OUTPUT") == 0 ||
					    strcmp(rule->chain, "POSTROUTING") == 0))
		return err_set(rule->err, -EINVAL,
			"input interface specified with %s chain", rule->chain);
	return 0;
}
