/*
 * match_arp.c - fields of ARP and RARP packets in [ebtables] rules (RFC 826).
 *
 * The addresses have a place only where they are MAC and IPv4 addresses, so a test of
 * one also tests that; inverted, too: an ARP packet of another kind matches no rule
 * that asks for an address.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <linux/if_ether.h>

#include "aclserver/match_parse.h"
#include "common/parse.h"

/* Numbers 1 to 9 as ebtables calls them. */
static const char *const operations[] = { "Request", "Reply", "Request_Reverse",
	"Reply_Reverse", "DRARP_Request", "DRARP_Reply", "DRARP_Error", "InARP_Request",
	"ARP_NAK" };

enum { N_OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

static int
parse_operation(struct rule *rule, struct option_use *use)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < N_OPERATIONS && value == 0; i++)
		if (strcasecmp(use->args[0], operations[i]) == 0)
			value = i + 1;
	if (value == 0 && parse_u32(use->args[0], 0, UINT16_MAX, &value) < 0)
		return option_refuse(rule, use, "not an ARP operation");
	use->text = value >= 1 && value <= N_OPERATIONS
			    ? operations[value - 1]
			    : arena_printf(rule->arena, "%u", value);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, FIELD_ARP_OP, use->negate, value, value);
}

static int
parse_hardware(struct rule *rule, struct option_use *use)
{
	uint32_t value;

	if (strcasecmp(use->args[0], "Ethernet") == 0)
		value = 1;
	else if (parse_u32(use->args[0], 0, UINT16_MAX, &value) < 0)
		return option_refuse(
			rule, use, "not a hardware type (Ethernet, or 0 to 65535)");
	use->text = arena_printf(rule->arena, "%u", value);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, FIELD_ARP_HTYPE, use->negate, value, value);
}

static int
parse_protocol(struct rule *rule, struct option_use *use)
{
	uint16_t type;

	if (match_ether_type(use->args[0], &type, &use->text) < 0)
		return option_refuse(rule, use, "unknown EtherType");
	if (!use->text)
		use->text = arena_printf(rule->arena, "0x%04x", type);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, FIELD_ARP_PTYPE, use->negate, type, type);
}

/* MAC and IPv4 addresses of their usual lengths. Once per rule. */
static int
add_format(struct rule *rule)
{
	static const uint8_t format[] = { 0x00, 0x01, 0x08, 0x00, 6, 4 };
	static const uint8_t all_bits[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	for (size_t i = 0; i < rule->n_terms; i++)
		if (!rule->terms[i].split && rule->terms[i].term.kind == TERM_TEST &&
			rule->terms[i].term.test.field == FIELD_ARP_FORMAT)
			return 0;
	return rule_add_bytes(rule, FIELD_ARP_FORMAT, false, all_bits, format);
}

static int
add_ip(struct rule *rule, struct option_use *use, enum field field)
{
	int result = add_format(rule);

	return result < 0 ? result : match_add_address(rule, use, AF_INET, field);
}

static int
add_mac(struct rule *rule, struct option_use *use, enum field field)
{
	int result = add_format(rule);

	return result < 0 ? result : match_add_mac(rule, use, field);
}

static int
parse_ip_source(struct rule *rule, struct option_use *use)
{
	return add_ip(rule, use, FIELD_ARP_SPA);
}

static int
parse_ip_target(struct rule *rule, struct option_use *use)
{
	return add_ip(rule, use, FIELD_ARP_TPA);
}

static int
parse_mac_source(struct rule *rule, struct option_use *use)
{
	return add_mac(rule, use, FIELD_ARP_SHA);
}

static int
parse_mac_target(struct rule *rule, struct option_use *use)
{
	return add_mac(rule, use, FIELD_ARP_THA);
}

/* Sender and target address are the same. */
static int
refuse_gratuitous(struct rule *rule, struct option_use *use)
{
	return err_set(rule->err, -EINVAL,
		"option %s is not supported: nftables cannot compare two fields of a "
		"packet",
		use->written);
}

static const struct rule_option options[] = {
	{ { "arp-op", "arp-opcode" }, 0, 1, OPTION_INVERTIBLE, parse_operation },
	{ { "arp-htype" }, 0, 1, OPTION_INVERTIBLE, parse_hardware },
	{ { "arp-ptype" }, 0, 1, OPTION_INVERTIBLE, parse_protocol },
	{ { "arp-ip-src" }, 0, 1, OPTION_INVERTIBLE, parse_ip_source },
	{ { "arp-ip-dst" }, 0, 1, OPTION_INVERTIBLE, parse_ip_target },
	{ { "arp-mac-src" }, 0, 1, OPTION_INVERTIBLE, parse_mac_source },
	{ { "arp-mac-dst" }, 0, 1, OPTION_INVERTIBLE, parse_mac_target },
	{ { "arp-gratuitous" }, 0, 0, OPTION_INVERTIBLE, refuse_gratuitous },
};

const struct match match_arp = {
	.module = { "arp", RULE_OPTIONS(options), NULL },
	.sections = SECTION_EB,
	.has_proto = true,
	.proto = ETH_P_ARP,
	.proto_name = "ARP",
	.hardware = MATCH_HARDWARE_NONE,
};

const struct match match_rarp = {
	.module = { "rarp", RULE_OPTIONS(options), NULL },
	.sections = SECTION_EB,
	.has_proto = true,
	.proto = ETH_P_RARP,
	.proto_name = "RARP",
	.hardware = MATCH_HARDWARE_NONE,
};
