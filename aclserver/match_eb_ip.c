/*
 * match_eb_ip.c - IPv4 and IPv6 fields in [ebtables] rules: --ip-… behind "-p IPv4",
 * --ip6-… behind "-p IPv6". Tagged packets are meant, too; see match_ether.c.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/if_ether.h>

#include "aclserver/match_parse.h"
#include "aclserver/names.h"

static int
parse_protocol(struct rule *rule, struct option_use *use)
{
	const char *name;
	uint32_t proto;

	if (match_ip_protocol(use->args[0], &proto) < 0)
		return option_refuse(rule, use, "unknown protocol");
	name = names_of_protocol((uint8_t)proto);
	use->text = name ? name : arena_printf(rule->arena, "%u", proto);
	if (!use->text)
		return -ENOMEM;
	rule->has_l4proto = !use->negate;
	rule->l4proto = (uint8_t)proto;
	return rule_add_number(rule, FIELD_L4PROTO, use->negate, proto, proto);
}

static bool
has_ports(const struct rule *rule)
{
	if (!rule->has_l4proto)
		return false;
	switch (rule->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
		return true;
	default:
		return false;
	}
}

static int
add_ports(struct rule *rule, struct option_use *use, enum field field)
{
	if (!has_ports(rule))
		return err_set(rule->err, -EINVAL,
			"option %s needs --ip%s-proto tcp, udp, dccp, sctp or udplite",
			use->written, rule->proto == ETH_P_IPV6 ? "6" : "");
	return match_add_ports(rule, use, field);
}

static int
parse_sport(struct rule *rule, struct option_use *use)
{
	return add_ports(rule, use, FIELD_TH_SPORT);
}

static int
parse_dport(struct rule *rule, struct option_use *use)
{
	return add_ports(rule, use, FIELD_TH_DPORT);
}

static int
need_protocol(
	struct rule *rule, const struct option_use *use, uint8_t proto, const char *say)
{
	if (rule->has_l4proto && rule->l4proto == proto)
		return 0;
	return err_set(rule->err, -EINVAL, "option %s needs %s", use->written, say);
}

/* ---- IPv4 ---- */

static int
parse_source(struct rule *rule, struct option_use *use)
{
	return match_add_address(rule, use, AF_INET, FIELD_IP_SADDR);
}

static int
parse_destination(struct rule *rule, struct option_use *use)
{
	return match_add_address(rule, use, AF_INET, FIELD_IP_DADDR);
}

static int
add_hex_byte(struct rule *rule, struct option_use *use, enum field field)
{
	uint32_t value;

	if (match_parse_hex(use->args[0], UINT8_MAX, &value) < 0)
		return option_refuse(
			rule, use, "not a hexadecimal number from 0 to ff");
	use->text = arena_printf(rule->arena, "0x%02x", value);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, field, use->negate, value, value);
}

static int
parse_tos(struct rule *rule, struct option_use *use)
{
	return add_hex_byte(rule, use, FIELD_IP_TOS);
}

static int
parse_icmp_type(struct rule *rule, struct option_use *use)
{
	int result = need_protocol(rule, use, IPPROTO_ICMP, "--ip-proto icmp");

	return result < 0 ? result : match_add_icmp_ranges(rule, use, FIELD_ICMP_TYPE);
}

/* The protocol stands first: what needs it is parsed after it. */
static const struct rule_option ip_options[] = {
	{ { "ip-proto", "ip-protocol" }, 0, 1, OPTION_INVERTIBLE, parse_protocol },
	{ { "ip-src", "ip-source" }, 0, 1, OPTION_INVERTIBLE, parse_source },
	{ { "ip-dst", "ip-destination" }, 0, 1, OPTION_INVERTIBLE, parse_destination },
	{ { "ip-tos" }, 0, 1, OPTION_INVERTIBLE, parse_tos },
	{ { "ip-sport", "ip-source-port" }, 0, 1, OPTION_INVERTIBLE, parse_sport },
	{ { "ip-dport", "ip-destination-port" }, 0, 1, OPTION_INVERTIBLE, parse_dport },
	{ { "ip-icmp-type" }, 0, 1, OPTION_INVERTIBLE, parse_icmp_type },
	{ { "ip-igmp-type" }, 0, 1, OPTION_REFUSED, NULL },
};

const struct match match_eb_ip = {
	.module = { "ip", RULE_OPTIONS(ip_options), NULL },
	.sections = SECTION_EB,
	.has_proto = true,
	.proto = ETH_P_IP,
	.proto_name = "IPv4",
};

/* ---- IPv6 ---- */

static int
parse_source6(struct rule *rule, struct option_use *use)
{
	return match_add_address(rule, use, AF_INET6, FIELD_IP6_SADDR);
}

static int
parse_destination6(struct rule *rule, struct option_use *use)
{
	return match_add_address(rule, use, AF_INET6, FIELD_IP6_DADDR);
}

static int
parse_class(struct rule *rule, struct option_use *use)
{
	return add_hex_byte(rule, use, FIELD_IP6_TCLASS);
}

static int
parse_icmp6_type(struct rule *rule, struct option_use *use)
{
	int result = need_protocol(rule, use, IPPROTO_ICMPV6, "--ip6-proto ipv6-icmp");

	return result < 0 ? result : match_add_icmp_ranges(rule, use, FIELD_ICMP6_TYPE);
}

static const struct rule_option ip6_options[] = {
	{ { "ip6-proto", "ip6-protocol" }, 0, 1, OPTION_INVERTIBLE, parse_protocol },
	{ { "ip6-src", "ip6-source" }, 0, 1, OPTION_INVERTIBLE, parse_source6 },
	{ { "ip6-dst", "ip6-destination" }, 0, 1, OPTION_INVERTIBLE,
		parse_destination6 },
	{ { "ip6-tclass" }, 0, 1, OPTION_INVERTIBLE, parse_class },
	{ { "ip6-sport", "ip6-source-port" }, 0, 1, OPTION_INVERTIBLE, parse_sport },
	{ { "ip6-dport", "ip6-destination-port" }, 0, 1, OPTION_INVERTIBLE,
		parse_dport },
	{ { "ip6-icmp-type" }, 0, 1, OPTION_INVERTIBLE, parse_icmp6_type },
};

const struct match match_eb_ip6 = {
	.module = { "ip6", RULE_OPTIONS(ip6_options), NULL },
	.sections = SECTION_EB,
	.has_proto = true,
	.proto = ETH_P_IPV6,
	.proto_name = "IPv6",
};
