/*
 * match_ifname.c - -i and -o.
 */
#include "aclserver/match_ifname.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

enum { PORT_IN, PORT_OUT };

/* The IP hooks that see what came in by a port of a bridge, too, by the name of the
 * bridge or of its VLAN device. */
static bool
has_hidden_port(const struct rule *rule)
{
	return rule->section != POLICY_SECTION_EBTABLES &&
	       (strcmp(rule->chain, "INPUT") == 0 ||
		       strcmp(rule->chain, "FORWARD") == 0);
}

/* "By this interface, or by this port of a bridge". */
static int
add_either(struct rule *rule, const char *name)
{
	struct rule_split *split = arena_alloc(rule->arena, sizeof(*split));
	struct ruleset_test *in, *port;
	int result;

	if (!split)
		return -ENOMEM;
	memset(split, 0, sizeof(*split));
	split->alternates = true;
	split->branches[0].n_tests = split->branches[1].n_tests = 1;
	in = &split->branches[0].tests[0];
	port = &split->branches[1].tests[0];
	result = rule_make_ifname(rule, FIELD_IIFNAME, name, in);
	if (result < 0)
		return result;
	*port = *in;
	port->field = FIELD_PORT;
	result = rule_add_split(rule, split);
	if (result == 0)
		rule_restrict_last(rule, RULE_INET);
	return result;
}

static int
add_in(struct rule *rule, bool negate, const char *name)
{
	bool hidden = has_hidden_port(rule);
	int result = 0;

	if (hidden && !negate)
		result = add_either(rule, name);
	if (result == 0)
		result = rule_add_ifname(rule, FIELD_IIFNAME, negate, name);
	if (result < 0 || !hidden)
		return result;
	if (!negate) {
		rule_restrict_last(rule, RULE_BRIDGE);
		return 0;
	}
	result = rule_add_ifname(rule, FIELD_PORT, true, name);
	if (result == 0)
		rule_restrict_last(rule, RULE_INET);
	return result;
}

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
	if (direction == PORT_OUT)
		return rule_add_ifname(rule, FIELD_OIFNAME, use->negate, name);
	return add_in(rule, use->negate, name);
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
