/*
 * match_physdev.c - the bridge ports of a packet that is bridged.
 *
 * Bridged packets are seen by the bridge family, whose interfaces are the ports; so the
 * tests are those of -i and -o there. Of packets to the switch and of routed ones only
 * the port by which they came in is known, and only where a rule names it
 * (mark_bits.h); for all else that half of the rule is left out. It stays where every
 * option is inverted: a packet that was never in a bridge is not from that port. Beside
 * this match -i and -o name the bridge, as they do for iptables.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

enum {
	PHYSDEV_IN,
	PHYSDEV_OUT,
	PHYSDEV_IS_IN,
	PHYSDEV_IS_OUT,
	PHYSDEV_IS_BRIDGED,
	PHYSDEV_COUNT,
};

/* INPUT and FORWARD of the IP hooks know by which port of a bridge a packet came. */
static bool
knows_port(const struct rule *rule)
{
	return strcmp(rule->chain, "INPUT") == 0 || strcmp(rule->chain, "FORWARD") == 0;
}

static int
add_port(struct rule *rule, struct option_use *use, enum field field)
{
	const char *name = use->args[0];
	int result;

	if (!parse_is_ifname(name))
		return option_refuse(rule, use,
			"not an interface name (1 to 15 characters without blank, '/' "
			"or ':')");
	if (strcmp(name, "+") == 0 && use->negate)
		return option_refuse(rule, use, "would never match");
	result = rule_add_ifname(rule, field, use->negate, name);
	if (result < 0)
		return result;
	if (field == FIELD_OIFNAME)
		rule_restrict_last(rule, RULE_BRIDGE | RULE_ROUTED);
	else
		rule_restrict_last(rule, RULE_BRIDGE);
	if (field != FIELD_IIFNAME || !knows_port(rule) || strcmp(name, "+") == 0)
		return 0;
	result = rule_add_ifname(rule, FIELD_PORT, use->negate, name);
	if (result == 0)
		rule_restrict_last(rule, RULE_INET | RULE_ROUTED);
	return result;
}

/* Which chains show bridged packets with which of their ports. */
static int
check_chain(const struct rule *rule, const struct module_use *use)
{
	static const char *const chains[PHYSDEV_COUNT] = {
		[PHYSDEV_IN] = "PREROUTING INPUT FORWARD POSTROUTING",
		[PHYSDEV_OUT] = "FORWARD POSTROUTING",
		[PHYSDEV_IS_IN] = "PREROUTING FORWARD",
		[PHYSDEV_IS_OUT] = "FORWARD POSTROUTING",
		[PHYSDEV_IS_BRIDGED] = "FORWARD",
	};

	for (size_t i = 0; i < PHYSDEV_COUNT; i++)
		if (module_use_at(use, i) && !strstr(chains[i], rule->chain))
			return err_set(rule->err, -EINVAL,
				"%s in chain %s is not supported (only in: %s)",
				module_use_at(use, i)->written, rule->chain, chains[i]);
	return 0;
}

/* Whether the half for the IP hooks can say what @use does. */
static bool
has_inet_half(const struct rule *rule, const struct module_use *use, size_t option)
{
	const struct option_use *in = module_use_at(use, option);

	if (in->negate)
		return true;
	return option == PHYSDEV_IN && knows_port(rule) &&
	       strcmp(in->args[0], "+") != 0;
}

/* "-i br0" is the bridge that the port is in. */
static int
move_names(struct rule *rule)
{
	size_t n = rule->n_terms;
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++) {
		struct rule_term *term = &rule->terms[i];
		struct ruleset_test *test = &term->term.test;
		enum field bridge = test->field == FIELD_IIFNAME ? FIELD_BRIDGE_IN
								 : FIELD_BRIDGE_OUT;

		if (term->split || term->term.kind != TERM_TEST || !test->ifname ||
			(test->field != FIELD_IIFNAME && test->field != FIELD_OIFNAME))
			continue;
		if (term->families == RULE_BRIDGE) {
			test->field = bridge;
			continue;
		}
		if (term->families == RULE_INET)
			continue;
		term->families = RULE_INET;
		result = rule_add_test(rule, &(struct ruleset_test){ .field = bridge,
						     .negate = test->negate,
						     .ifname = test->ifname,
						     .prefix = test->prefix });
		if (result == 0)
			rule_restrict_last(rule, RULE_BRIDGE);
	}
	return result;
}

static int
add_ports(struct rule *rule, struct module_use *use)
{
	struct option_use *in = module_use_at(use, PHYSDEV_IN);
	struct option_use *out = module_use_at(use, PHYSDEV_OUT);
	int result = 0;

	if (in)
		result = add_port(rule, in, FIELD_IIFNAME);
	if (result == 0 && out)
		result = add_port(rule, out, FIELD_OIFNAME);
	return result;
}

static int
finish(struct rule *rule, struct module_use *use)
{
	int result = check_chain(rule, use);

	if (result == 0)
		result = move_names(rule);
	if (result == 0)
		result = add_ports(rule, use);
	for (size_t i = 0; i < PHYSDEV_COUNT && result == 0; i++) {
		const struct option_use *option = module_use_at(use, i);

		if (option && !has_inet_half(rule, use, i))
			rule->no_inet = true;
		if (option && option->negate && i >= PHYSDEV_IS_IN)
			rule->no_bridge = "";
	}
	if (result == 0 && module_use_at(use, PHYSDEV_IS_IN))
		(void)rule_warn(rule, "of packets that are routed it is not known "
				      "whether they came in by a bridge");
	if (result == 0 && rule->no_inet && rule->no_bridge)
		return err_set(rule->err, -EINVAL,
			"-m physdev: would never match together with the others");
	return result;
}

static const struct rule_option options[] = {
	[PHYSDEV_IN] = { { "physdev-in" }, 0, 1, OPTION_INVERTIBLE, NULL },
	[PHYSDEV_OUT] = { { "physdev-out" }, 0, 1, OPTION_INVERTIBLE, NULL },
	[PHYSDEV_IS_IN] = { { "physdev-is-in" }, 0, 0, OPTION_INVERTIBLE, NULL },
	[PHYSDEV_IS_OUT] = { { "physdev-is-out" }, 0, 0, OPTION_INVERTIBLE, NULL },
	[PHYSDEV_IS_BRIDGED] = { { "physdev-is-bridged" }, 0, 0, OPTION_INVERTIBLE,
		NULL },
};

const struct match match_physdev = {
	.module = { "physdev", RULE_OPTIONS(options), finish },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_INPUT,
};
