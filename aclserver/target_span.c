/*
 * target_span.c - SPAN copies packets to another port. The packet itself goes its way.
 *
 * Only the netdev family can copy a frame, so these rules stand where frames enter or
 * leave a port, ahead of all others: what another rule drops is copied all the same.
 * There a packet to the switch itself is known by its destination address alone.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "common/parse.h"

enum { SPAN_DPORT };

/** The device that "cpu" stands for, as on a switch. */
static const char cpu_device[] = "mirror";

static int
parse_dport(struct rule *rule, const struct module_use *use, const char **ret)
{
	struct option_use *option = module_use_at(use, SPAN_DPORT);

	if (!option)
		return err_set(rule->err, -EINVAL, "target %s needs --dport",
			use->module->name);
	*ret = strcmp(option->args[0], "cpu") == 0 ? cpu_device : option->args[0];
	if (strcmp(*ret, "eth0") == 0)
		return option_refuse(rule, option, "no switch port");
	return parse_is_ifname(*ret)
		       ? 0
		       : option_refuse(rule, option, "not the name of a port, nor cpu");
}

/* Which of the two hooks; only one of them knows what the rule asks for. */
static int
find_side(struct rule *rule, bool *ret_in)
{
	*ret_in = rule->ports[0] != NULL;
	if (rule->no_bridge)
		return err_set(rule->err, -EINVAL,
			"target SPAN cannot be used with a match of connection state "
			"or address type: packets are copied before they are known");
	if (!rule->ports[0] && !rule->ports[1])
		return err_set(rule->err, -EINVAL, "target SPAN needs -i or -o");
	if (rule->ports[0] && rule->ports[1])
		return err_set(rule->err, -EINVAL,
			"target SPAN takes -i or -o, not both: where a packet comes in "
			"it is not known where it will leave");
	return 0;
}

/* To the switch itself, or not. */
static int
add_destination(struct rule *rule, struct rule_part *part)
{
	bool forward = strcmp(rule->chain, "FORWARD") == 0;

	if (!forward && strcmp(rule->chain, "INPUT") != 0)
		return 0;
	if (rule_part_test(rule, part, FIELD_FIB_DADDR_TYPE, RTN_LOCAL) < 0)
		return -ENOMEM;
	part->terms[part->n_terms - 1].test.negate = forward;
	return 0;
}

/* What the copies' own port receives or sends is not copied to it again. */
static void
add_other_port(struct rule_part *part, bool in, const char *device)
{
	struct ruleset_term term = { .kind = TERM_TEST };

	term.test = (struct ruleset_test){
		.field = in ? FIELD_IIFNAME : FIELD_OIFNAME,
		.negate = true,
		.ifname = device,
	};
	rule_part_add(part, &term);
}

static int
finish_span(struct rule *rule, struct module_use *use)
{
	struct ruleset_term term = { .kind = TERM_COUNTER };
	const char *device = NULL;
	struct rule_part *part;
	bool in = false;
	int result = parse_dport(rule, use, &device);

	if (result == 0)
		result = find_side(rule, &in);
	if (result < 0)
		return result;
	part = rule_add_part(rule, in ? RULE_PORT_IN : RULE_PORT_OUT);
	if (in)
		result = add_destination(rule, part);
	add_other_port(part, in, device);
	rule_part_add(part, &term);
	term = (struct ruleset_term){ .kind = TERM_DUP };
	term.device = device;
	rule_part_add(part, &term);
	return result;
}

static const struct rule_option span_options[] = {
	{ { "dport" }, 0, 1, 0, NULL },
};

const struct target target_span = {
	.module = { "SPAN", RULE_OPTIONS(span_options), finish_span },
	.sections = SECTION_IP,
	.chains = "INPUT FORWARD PREROUTING POSTROUTING",
};
