/*
 * target_span.c - SPAN copies packets to another port, ERSPAN into a tunnel. The packet
 * itself goes its way.
 *
 * Only the netdev family can copy a frame, so these rules stand where frames enter or
 * leave a port, ahead of all others: what another rule drops is copied all the same.
 * There a packet to the switch itself is known by its destination address alone.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "aclserver/span_tunnel.h"
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
find_side(struct rule *rule, const struct module_use *use, bool *ret_in)
{
	*ret_in = rule->ports[0] != NULL;
	if (rule->no_bridge)
		return err_set(rule->err, -EINVAL,
			"target %s cannot be used with a match of connection state "
			"or address type: packets are copied before they are known",
			use->module->name);
	if (!rule->ports[0] && !rule->ports[1])
		return err_set(rule->err, -EINVAL, "target %s needs -i or -o",
			use->module->name);
	if (rule->ports[0] && rule->ports[1])
		return err_set(rule->err, -EINVAL,
			"target %s takes -i or -o, not both: where a packet comes in "
			"it is not known where it will leave",
			use->module->name);
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

static void
add_copy(struct rule_part *part, const char *device)
{
	struct ruleset_term term = { .kind = TERM_COUNTER };

	rule_part_add(part, &term);
	term = (struct ruleset_term){ .kind = TERM_DUP };
	term.device = device;
	rule_part_add(part, &term);
}

/* In a list of ports it may be meant; alone it is a mistake. */
static void
warn_of_itself(struct rule *rule, bool in, const char *device)
{
	static const char text[] =
		"nothing is copied: packets of the port that gets the copies are not";

	if ((in ? rule->names_in : rule->names_out) &&
		strcmp(rule->ports[in ? 0 : 1], device) == 0)
		(void)rule_warn(rule, text);
}

static int
finish_span(struct rule *rule, struct module_use *use)
{
	const char *device = NULL;
	struct rule_part *part;
	bool in = false;
	int result = parse_dport(rule, use, &device);

	if (result == 0)
		result = find_side(rule, use, &in);
	if (result < 0)
		return result;
	part = rule_add_part(rule, in ? RULE_PORT_IN : RULE_PORT_OUT);
	if (in)
		result = add_destination(rule, part);
	add_other_port(part, in, device);
	add_copy(part, device);
	warn_of_itself(rule, in, device);
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

/* ---- ERSPAN ---- */

enum { ERSPAN_SRC, ERSPAN_DST, ERSPAN_TTL, TTL_DEFAULT = 64, TTL_MAX = 255 };

static int
parse_ip4(struct rule *rule, const struct module_use *use, size_t at, uint8_t ret[4])
{
	struct option_use *option = module_use_at(use, at);
	struct parse_addr addr;

	if (!option)
		return err_set(rule->err, -EINVAL, "target %s needs --%s",
			use->module->name, use->module->options[at].names[0]);
	if (parse_addr(option->args[0], &addr) < 0 || addr.family != AF_INET)
		return option_refuse(rule, option, "not an IPv4 address");
	memcpy(ret, addr.bytes, 4);
	return 0;
}

static int
parse_tunnel(struct rule *rule, const struct module_use *use, struct span_tunnel *ret)
{
	struct option_use *option = module_use_at(use, ERSPAN_TTL);
	uint32_t ttl = TTL_DEFAULT;
	int result = parse_ip4(rule, use, ERSPAN_SRC, ret->src);

	if (result == 0)
		result = parse_ip4(rule, use, ERSPAN_DST, ret->dst);
	if (result == 0 && option)
		result = option_number(rule, option, 1, TTL_MAX, &ttl);
	ret->ttl = (uint8_t)ttl;
	return result;
}

/* What carries copies is not copied again. */
static int
add_not_gre(struct rule *rule, struct rule_part *part)
{
	if (rule_part_test(rule, part, FIELD_L4PROTO, IPPROTO_GRE) < 0)
		return -ENOMEM;
	part->terms[part->n_terms - 1].test.negate = true;
	return 0;
}

static int
finish_erspan(struct rule *rule, struct module_use *use)
{
	char name[SPAN_TUNNEL_NAME_SIZE];
	struct span_tunnel tunnel;
	struct rule_part *part;
	const char *device;
	bool in = false;
	int result = parse_tunnel(rule, use, &tunnel);

	if (result == 0)
		result = find_side(rule, use, &in);
	if (result < 0)
		return result;
	span_tunnel_name(&tunnel, name);
	device = arena_strdup(rule->arena, name);
	if (!device)
		return -ENOMEM;
	part = rule_add_part(rule, in ? RULE_PORT_IN : RULE_PORT_OUT);
	result = in ? add_destination(rule, part) : add_not_gre(rule, part);
	add_copy(part, device);
	return result;
}

static const struct rule_option erspan_options[] = {
	{ { "src-ip" }, 0, 1, 0, NULL },
	{ { "dst-ip" }, 0, 1, 0, NULL },
	{ { "ttl" }, 0, 1, 0, NULL },
};

const struct target target_erspan = {
	.module = { "ERSPAN", RULE_OPTIONS(erspan_options), finish_erspan },
	.sections = SECTION_IP,
	.chains = "INPUT FORWARD PREROUTING POSTROUTING",
};
