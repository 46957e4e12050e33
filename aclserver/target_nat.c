/*
 * target_nat.c - SNAT and DNAT of addresses and ports, for routed packets; snat and
 * dnat of MAC addresses, for bridged ones.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter/nf_nat.h>

#include "common/parse.h"

/* ---- SNAT, DNAT ---- */

enum { NAT_TO, NAT_RANDOM, NAT_RANDOM_FULLY, NAT_PERSISTENT };

/* What stands behind --to-source, taken apart: "A[-B][:P[-Q]]", IPv6 with ports in
 * brackets. Pieces are the arena's, NULL where absent. */
struct nat_text {
	char *first, *last;           /* addresses */
	char *first_port, *last_port; /* or numbers */
};

/* Cut @text at @at and return what is behind it. */
static char *
cut(char *text, char at)
{
	char *found = text ? strchr(text, at) : NULL;

	if (!found)
		return NULL;
	*found = '\0';
	return found + 1;
}

static bool
split_nat(char *text, bool ip6, struct nat_text *ret)
{
	char *ports = NULL;

	*ret = (struct nat_text){ .first = text };
	if (ip6 && text[0] == '[') {
		ret->first = text + 1;
		ports = cut(ret->first, ']');
		if (!ports || (*ports != '\0' && *ports != ':'))
			return false;
		ports = *ports == ':' ? ports + 1 : NULL;
	} else if (!ip6) {
		ports = cut(text, ':');
	}
	ret->last = cut(ret->first, '-');
	ret->first_port = ports;
	ret->last_port = cut(ports, '-');
	if (*ret->first == '\0')
		ret->first = NULL;
	return ret->first || (ports && !ret->last);
}

static int
parse_address(const char *text, bool ip6, uint8_t ret[FIELD_SIZE_MAX])
{
	struct parse_addr addr;

	if (parse_addr(text, &addr) < 0 || addr.family != (ip6 ? AF_INET6 : AF_INET))
		return -EINVAL;
	memset(ret, 0, FIELD_SIZE_MAX);
	memcpy(ret, addr.bytes, ip6 ? 16 : 4);
	return 0;
}

static int
parse_addresses(struct rule *rule, const struct option_use *use,
	const struct nat_text *text, struct ruleset_nat *ret)
{
	if (!text->first)
		return 0;
	if (parse_address(text->first, ret->ip6, ret->lo) < 0 ||
		parse_address(
			text->last ? text->last : text->first, ret->ip6, ret->hi) < 0)
		return option_refuse(rule, use,
			ret->ip6 ? "not an IPv6 address or range (A[-B] or "
				   "[A[-B]]:PORT[-PORT])"
				 : "not an IPv4 address or range "
				   "(A[-B][:PORT[-PORT]])");
	if (memcmp(ret->lo, ret->hi, FIELD_SIZE_MAX) > 0)
		return option_refuse(rule, use, "the range ends before it begins");
	ret->has_address = true;
	return 0;
}

static int
parse_ports(struct rule *rule, const struct option_use *use,
	const struct nat_text *text, struct ruleset_nat *ret)
{
	bool has_ports =
		rule->has_proto && !rule->proto_negated &&
		(rule->proto == IPPROTO_TCP || rule->proto == IPPROTO_UDP ||
			rule->proto == IPPROTO_SCTP || rule->proto == IPPROTO_DCCP ||
			rule->proto == IPPROTO_UDPLITE);
	uint32_t lo, hi;

	if (!text->first_port)
		return 0;
	if (!has_ports)
		return option_refuse(
			rule, use, "ports need -p tcp, udp, sctp, dccp or udplite");
	if (parse_u32(text->first_port, 1, UINT16_MAX, &lo) < 0 ||
		parse_u32(text->last_port ? text->last_port : text->first_port, 1,
			UINT16_MAX, &hi) < 0)
		return option_refuse(rule, use, "not a port (1 to 65535) or range");
	if (lo > hi)
		return option_refuse(rule, use, "the range ends before it begins");
	ret->has_port = true;
	ret->port_lo = (uint16_t)lo;
	ret->port_hi = (uint16_t)hi;
	return 0;
}

static int
finish_nat(struct rule *rule, struct module_use *use, bool source)
{
	struct option_use *to = module_use_at(use, NAT_TO);
	struct ruleset_term term = { .kind = TERM_NAT };
	struct nat_text text;
	char *copy;
	int result;

	if (!to)
		return err_set(rule->err, -EINVAL, "target %s needs --%s",
			use->module->name, use->module->options[NAT_TO].names[0]);
	copy = arena_strdup(rule->arena, to->args[0]);
	if (!copy)
		return -ENOMEM;
	term.nat = (struct ruleset_nat){ .source = source, .ip6 = rule_is_ip6(rule) };
	if (!split_nat(copy, term.nat.ip6, &text))
		return option_refuse(rule, to, "neither an address nor a port");
	result = parse_addresses(rule, to, &text, &term.nat);
	if (result == 0)
		result = parse_ports(rule, to, &text, &term.nat);
	if (module_use_at(use, NAT_RANDOM))
		term.nat.flags |= NF_NAT_RANGE_PROTO_RANDOM;
	if (module_use_at(use, NAT_RANDOM_FULLY))
		term.nat.flags |= NF_NAT_RANGE_PROTO_RANDOM_FULLY;
	if (module_use_at(use, NAT_PERSISTENT))
		term.nat.flags |= NF_NAT_RANGE_PERSISTENT;
	return result < 0 ? result : rule_add_statement(rule, &term);
}

static int
finish_snat(struct rule *rule, struct module_use *use)
{
	return finish_nat(rule, use, true);
}

static int
finish_dnat(struct rule *rule, struct module_use *use)
{
	return finish_nat(rule, use, false);
}

static const struct rule_option snat_options[] = {
	{ { "to-source" }, 0, 1, 0, NULL },
	{ { "random" }, 0, 0, 0, NULL },
	{ { "random-fully" }, 0, 0, 0, NULL },
	{ { "persistent" }, 0, 0, 0, NULL },
};

const struct target target_snat = {
	.module = { "SNAT", RULE_OPTIONS(snat_options), finish_snat },
	.sections = SECTION_IP,
	.table = "nat",
	.chains = "POSTROUTING INPUT",
	.in_nat = true,
};

static const struct rule_option dnat_options[] = {
	{ { "to-destination" }, 0, 1, 0, NULL },
	{ { "random" }, 0, 0, 0, NULL },
	{ { "random-fully" }, 0, 0, OPTION_REFUSED, NULL },
	{ { "persistent" }, 0, 0, 0, NULL },
};

const struct target target_dnat = {
	.module = { "DNAT", RULE_OPTIONS(dnat_options), finish_dnat },
	.sections = SECTION_IP,
	.table = "nat",
	.chains = "PREROUTING OUTPUT",
	.in_nat = true,
};

/* ---- snat, dnat ---- */

enum { EB_NAT_TO, EB_NAT_TARGET };

static int
finish_eb_nat(struct rule *rule, struct module_use *use, enum field field)
{
	struct option_use *to = module_use_at(use, EB_NAT_TO);
	struct option_use *target = module_use_at(use, EB_NAT_TARGET);
	struct ruleset_term term = { .kind = TERM_SET_ETHER };
	bool accepts = !target || strcmp(target->args[0], "ACCEPT") == 0;
	int result;

	if (!to)
		return err_set(rule->err, -EINVAL, "target %s needs --%s",
			use->module->name, use->module->options[EB_NAT_TO].names[0]);
	if (parse_mac(to->args[0], term.ether.address) < 0)
		return option_refuse(rule, to, "not a MAC address");
	if (!accepts && strcmp(target->args[0], "CONTINUE") != 0)
		return option_refuse(rule, target, "not ACCEPT or CONTINUE");
	term.ether.field = field;
	result = rule_add_statement(rule, &term);
	if (result < 0 || !accepts)
		return result;
	term = (struct ruleset_term){ .kind = TERM_VERDICT };
	term.verdict = RULESET_VERDICT_ACCEPT;
	return rule_add_statement(rule, &term);
}

static int
finish_eb_snat(struct rule *rule, struct module_use *use)
{
	return finish_eb_nat(rule, use, FIELD_ETHER_SADDR);
}

static int
finish_eb_dnat(struct rule *rule, struct module_use *use)
{
	return finish_eb_nat(rule, use, FIELD_ETHER_DADDR);
}

static const struct rule_option eb_snat_options[] = {
	{ { "to-source", "to-src" }, 0, 1, 0, NULL },
	{ { "snat-target" }, 0, 1, 0, NULL },
	{ { "snat-arp" }, 0, 0, OPTION_REFUSED, NULL },
};

const struct target target_eb_snat = {
	.module = { "snat", RULE_OPTIONS(eb_snat_options), finish_eb_snat },
	.sections = SECTION_EB,
	.table = "nat",
	.chains = "POSTROUTING",
	.in_nat = true,
};

static const struct rule_option eb_dnat_options[] = {
	{ { "to-destination", "to-dst" }, 0, 1, 0, NULL },
	{ { "dnat-target" }, 0, 1, 0, NULL },
};

const struct target target_eb_dnat = {
	.module = { "dnat", RULE_OPTIONS(eb_dnat_options), finish_eb_dnat },
	.sections = SECTION_EB,
	.table = "nat",
	.chains = "PREROUTING OUTPUT",
	.in_nat = true,
};
