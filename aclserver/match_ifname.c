/*
 * match_ifname.c - -i and -o.
 */
#include "aclserver/match_ifname.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

enum { PORT_IN, PORT_OUT };

/* Where an interface may have another name than the one that the hook knows: what came
 * in by a port of a bridge is seen by IP under the name of the bridge or of its VLAN
 * device, and what IP routed to these is seen by the bridge under that of a port. */
static bool
is_chain(const struct rule *rule, const char *chain)
{
	return rule->section != POLICY_SECTION_EBTABLES &&
	       strcmp(rule->chain, chain) == 0;
}

/* "@field or @other is this interface". */
static int
add_either(struct rule *rule, enum field field, enum field other, const char *name)
{
	struct rule_split *split = arena_alloc(rule->arena, sizeof(*split));
	struct ruleset_test *first, *second;
	int result;

	if (!split)
		return -ENOMEM;
	memset(split, 0, sizeof(*split));
	split->alternates = true;
	split->branches[0].n_tests = split->branches[1].n_tests = 1;
	first = &split->branches[0].tests[0];
	second = &split->branches[1].tests[0];
	result = rule_make_ifname(rule, field, name, first);
	if (result < 0)
		return result;
	*second = *first;
	second->field = other;
	return rule_add_split(rule, split);
}

/* @field is (not) this interface, in places of @families. */
static int
add_name(struct rule *rule, uint8_t families, enum field field,
	const struct option_use *use)
{
	int result = rule_add_ifname(rule, field, use->negate, use->args[0]);

	if (result == 0)
		rule_restrict_last(rule, families);
	return result;
}

/* Neither, where it is inverted. */
static int
add_both(struct rule *rule, uint8_t families, const enum field fields[2],
	const struct option_use *use)
{
	int result;

	if (use->negate) {
		result = add_name(rule, families, fields[0], use);
		return result < 0 ? result : add_name(rule, families, fields[1], use);
	}
	result = add_either(rule, fields[0], fields[1], use->args[0]);
	if (result == 0)
		rule_restrict_last(rule, families);
	return result;
}

static int
add_in(struct rule *rule, const struct option_use *use)
{
	static const enum field fields[2] = { FIELD_IIFNAME, FIELD_PORT };
	int result;

	if (!is_chain(rule, "INPUT") && !is_chain(rule, "FORWARD"))
		return rule_add_ifname(rule, FIELD_IIFNAME, use->negate, use->args[0]);
	result = add_both(rule, RULE_INET, fields, use);
	if (result == 0)
		result = add_name(rule, RULE_BRIDGE, FIELD_IIFNAME, use);
	/* What was routed carries its interface in any case. */
	return result < 0 ? result : add_name(rule, RULE_ROUTED, FIELD_PORT, use);
}

static int
add_out(struct rule *rule, const struct option_use *use)
{
	static const enum field fields[2] = { FIELD_OIFNAME, FIELD_ROUTE };
	int result = rule_add_ifname(rule, FIELD_OIFNAME, use->negate, use->args[0]);

	if (result < 0 || !is_chain(rule, "FORWARD"))
		return result;
	rule_restrict_last(rule, RULE_INET | RULE_BRIDGE);
	return add_both(rule, RULE_ROUTED, fields, use);
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
	return direction == PORT_OUT ? add_out(rule, use) : add_in(rule, use);
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
	int result = parse_port_name(rule, use, PORT_OUT);

	rule->names_out = result == 0 && !use->negate && !use->omit;
	return result;
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
