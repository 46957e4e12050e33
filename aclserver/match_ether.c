/*
 * match_ether.c - the options of every [ebtables] rule, and those of a VLAN tag.
 *
 * Which EtherType "-p" means on a tagged frame: 802_1Q and 802_1ad are the outermost
 * one on the wire; every other type is that of the packet behind the outermost tag. So
 * "-p IPv4" matches IPv4 whether it is tagged or not, as on a switch: on a VLAN-aware
 * bridge the kernel tags every frame at its port, and ebtables would find no IPv4
 * there. The kernel always takes the outermost tag out of the frame, so both are read
 * at fixed places (nft_field.c).
 */
#include "aclserver/match.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <linux/if_ether.h>

#include "aclserver/match_ifname.h"
#include "aclserver/match_parse.h"
#include "common/parse.h"

enum { MAC_SIZE = 6 };

/* As ebtables and /etc/ethertypes name them; the first name of a type is canonical. */
static const struct {
	const char *name;
	uint16_t type;
} ether_types[] = {
	{ "IPv4", ETH_P_IP }, { "IPv6", ETH_P_IPV6 }, { "ARP", ETH_P_ARP },
	{ "802_1Q", ETH_P_8021Q }, { "RARP", ETH_P_RARP }, { "LLDP", 0x88cc },
	{ "EAPOL", ETH_P_PAE }, { "802_1ad", ETH_P_8021AD }, { "S-TAG", ETH_P_8021AD },
	{ "MPLS", ETH_P_MPLS_UC }, { "MPLS_MULTI", ETH_P_MPLS_MC },
	{ "PPP_DISC", ETH_P_PPP_DISC }, { "PPP_SES", ETH_P_PPP_SES },
	{ "PTP", ETH_P_1588 }, { "MACSEC", ETH_P_MACSEC }, { "FCOE", ETH_P_FCOE },
	{ "FIP", ETH_P_FIP }, { "X25", ETH_P_X25 }, { "IPX", ETH_P_IPX },
	{ "ATALK", ETH_P_ATALK }, { "AARP", ETH_P_AARP },
	{ "LENGTH", ETH_P_802_3 }, /* no EtherType; the number is the kernel's */
};

enum { N_ETHER_TYPES = sizeof(ether_types) / sizeof(ether_types[0]) };

int
match_parse_hex(const char *text, uint32_t max, uint32_t *ret)
{
	char hex[16];
	int n = snprintf(hex, sizeof(hex), "0x%s",
		strncasecmp(text, "0x", 2) == 0 ? text + 2 : text);

	if (n < 0 || (size_t)n >= sizeof(hex) || parse_u32(hex, 0, max, ret) < 0)
		return -EINVAL;
	return 0;
}

int
match_ether_type(const char *text, uint16_t *ret_type, const char **ret_name)
{
	uint32_t number;

	*ret_name = NULL;
	for (size_t i = 0; i < N_ETHER_TYPES; i++)
		if (strcasecmp(text, ether_types[i].name) == 0) {
			*ret_type = ether_types[i].type;
			*ret_name = ether_types[i].name;
			return 0;
		}
	if (match_parse_hex(text, UINT16_MAX, &number) < 0)
		return -EINVAL;
	*ret_type = (uint16_t)number;
	for (size_t i = 0; i < N_ETHER_TYPES && !*ret_name; i++)
		if (*ret_type == ether_types[i].type)
			*ret_name = ether_types[i].name;
	return 0;
}

static int
parse_ether_type(struct rule *rule, struct option_use *use)
{
	uint16_t type;

	if (match_ether_type(use->args[0], &type, &use->text) < 0)
		return option_refuse(rule, use, "unknown EtherType");
	if (type < ETH_P_802_3_MIN && type != ETH_P_802_3)
		return option_refuse(
			rule, use, "EtherTypes begin at 0x0600 (or LENGTH)");
	if (!use->text)
		use->text = arena_printf(rule->arena, "0x%04x", type);
	if (!use->text)
		return -ENOMEM;
	rule->has_proto = true;
	rule->proto_negated = use->negate;
	rule->proto = type;
	if (type == ETH_P_8021Q || type == ETH_P_8021AD)
		return rule_add_number(rule, FIELD_ETHER_TYPE, use->negate, type, type);
	/* The kernel gives frames with a length one of two low numbers. */
	return rule_add_number(rule, FIELD_L3PROTO, use->negate, type,
		type == ETH_P_802_3 ? ETH_P_802_2 : type);
}

static const struct mac_name {
	const char *name;
	uint8_t mac[MAC_SIZE];
	uint8_t mask[MAC_SIZE];
} mac_names[] = {
	{ "Unicast", { 0 }, { 0x01 } },
	{ "Multicast", { 0x01 }, { 0x01 } },
	{ "Broadcast", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ "BGA", { 0x01, 0x80, 0xc2 }, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
};

/* MAC or MAC/MASK. */
static int
parse_mac_and_mask(const char *text, struct mac_name *ret)
{
	char copy[2 * sizeof("00:00:00:00:00:00") + 1];
	char *slash;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	memset(ret, 0, sizeof(*ret));
	memset(ret->mask, 0xff, sizeof(ret->mask));
	if (parse_mac(copy, ret->mac) < 0 || (slash && parse_mac(slash, ret->mask) < 0))
		return -EINVAL;
	for (size_t i = 0; i < MAC_SIZE; i++)
		ret->mac[i] &= ret->mask[i];
	return 0;
}

static int
find_mac(const char *text, struct mac_name *ret)
{
	for (size_t i = 0; i < sizeof(mac_names) / sizeof(mac_names[0]); i++)
		if (strcasecmp(text, mac_names[i].name) == 0) {
			*ret = mac_names[i];
			return 0;
		}
	return parse_mac_and_mask(text, ret);
}

static void
format_mac(const uint8_t mac[MAC_SIZE], char ret[sizeof("00:00:00:00:00:00")])
{
	(void)snprintf(ret, sizeof("00:00:00:00:00:00"),
		"%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

static const char *
mac_text(struct arena *arena, const struct mac_name *mac)
{
	static const uint8_t all_bits[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff };
	char address[sizeof("00:00:00:00:00:00")], mask[sizeof(address)];

	if (mac->name)
		return mac->name;
	format_mac(mac->mac, address);
	format_mac(mac->mask, mask);
	if (memcmp(mac->mask, all_bits, MAC_SIZE) == 0)
		return arena_strdup(arena, address);
	return arena_printf(arena, "%s/%s", address, mask);
}

int
match_add_mac(struct rule *rule, struct option_use *use, enum field field)
{
	static const uint8_t no_bits[MAC_SIZE];
	struct mac_name mac;

	if (find_mac(use->args[0], &mac) < 0)
		return option_refuse(rule, use,
			"not a MAC address (or Unicast, Multicast, Broadcast, BGA)");
	if (memcmp(mac.mask, no_bits, MAC_SIZE) == 0) {
		use->omit = true;
		return use->negate ? option_refuse(rule, use, "would never match") : 0;
	}
	use->text = mac_text(rule->arena, &mac);
	if (!use->text)
		return -ENOMEM;
	return rule_add_bytes(rule, field, use->negate, mac.mask, mac.mac);
}

static int
parse_source(struct rule *rule, struct option_use *use)
{
	return match_add_mac(rule, use, FIELD_ETHER_SADDR);
}

static int
parse_destination(struct rule *rule, struct option_use *use)
{
	return match_add_mac(rule, use, FIELD_ETHER_DADDR);
}

/* The bridge that a port is in. */
static int
add_bridge(struct rule *rule, struct option_use *use, enum field field)
{
	if (!parse_is_ifname(use->args[0]))
		return option_refuse(rule, use,
			"not an interface name (1 to 15 characters without blank, '/' "
			"or ':')");
	if (strcmp(use->args[0], "+") == 0) {
		use->omit = true;
		return use->negate ? option_refuse(rule, use, "would never match") : 0;
	}
	return rule_add_ifname(rule, field, use->negate, use->args[0]);
}

static int
parse_logical_in(struct rule *rule, struct option_use *use)
{
	if (strcmp(rule->chain, "OUTPUT") == 0 ||
		strcmp(rule->chain, "POSTROUTING") == 0)
		return err_set(rule->err, -EINVAL,
			"input bridge specified with %s chain", rule->chain);
	return add_bridge(rule, use, FIELD_BRIDGE_IN);
}

static int
parse_logical_out(struct rule *rule, struct option_use *use)
{
	if (strcmp(rule->chain, "INPUT") == 0 || strcmp(rule->chain, "PREROUTING") == 0)
		return err_set(rule->err, -EINVAL,
			"output bridge specified with %s chain", rule->chain);
	return add_bridge(rule, use, FIELD_BRIDGE_OUT);
}

/* The first ones are parsed in this order, which is the kernel's. */
static const struct rule_option options[] = {
	{ { "protocol", "proto" }, 'p', 1, OPTION_INVERTIBLE, parse_ether_type },
	{ { "in-interface", "in-if" }, 'i', 1, OPTION_INVERTIBLE,
		match_ifname_parse_in },
	{ { "out-interface", "out-if" }, 'o', 1, OPTION_INVERTIBLE,
		match_ifname_parse_out },
	{ { "source", "src" }, 's', 1, OPTION_INVERTIBLE, parse_source },
	{ { "destination", "dest", "dst" }, 'd', 1, OPTION_INVERTIBLE,
		parse_destination },
	{ { "logical-in" }, 0, 1, OPTION_INVERTIBLE, parse_logical_in },
	{ { "logical-out" }, 0, 1, OPTION_INVERTIBLE, parse_logical_out },
	{ { "append" }, 'A', 1, 0, NULL },
	{ { "table" }, 't', 1, 0, NULL },
	{ { "jump" }, 'j', 1, 0, NULL },
	{ { "insert" }, 'I', 1, OPTION_REFUSED, NULL },
	{ { "delete" }, 'D', 1, OPTION_REFUSED, NULL },
	{ { "change-counters" }, 'C', 1, OPTION_REFUSED, NULL },
	{ { "new-chain" }, 'N', 1, OPTION_REFUSED, NULL },
	{ { "delete-chain" }, 'X', 1, OPTION_REFUSED, NULL },
	{ { "rename-chain" }, 'E', 1, OPTION_REFUSED, NULL },
	{ { "policy" }, 'P', 1, OPTION_REFUSED, NULL },
	{ { "flush" }, 'F', 1, OPTION_REFUSED, NULL },
	{ { "zero" }, 'Z', 1, OPTION_REFUSED, NULL },
	{ { "list" }, 'L', 1, OPTION_REFUSED, NULL },
	{ { "set-counters" }, 'c', 2, OPTION_REFUSED, NULL },
};

const struct rule_module match_basic_eb = { "", RULE_OPTIONS(options),
	match_ifname_check };

enum { VLAN_ID_MAX = 4094, VLAN_PRIO_MAX = 7 };

static int
parse_vlan_id(struct rule *rule, struct option_use *use)
{
	uint32_t id;
	int result = option_number(rule, use, 0, VLAN_ID_MAX, &id);

	if (result < 0)
		return result;
	return rule_add_number(rule, FIELD_VLAN_ID, use->negate, id, id);
}

static int
parse_vlan_prio(struct rule *rule, struct option_use *use)
{
	uint32_t prio;
	int result = option_number(rule, use, 0, VLAN_PRIO_MAX, &prio);

	if (result < 0)
		return result;
	return rule_add_number(rule, FIELD_VLAN_PRIO, use->negate, prio, prio);
}

/* What stands behind the outermost tag, as an EtherType. */
static int
parse_vlan_encap(struct rule *rule, struct option_use *use)
{
	uint16_t type;

	if (match_ether_type(use->args[0], &type, &use->text) < 0)
		return option_refuse(rule, use, "unknown EtherType");
	if (type < ETH_P_802_3_MIN)
		return option_refuse(rule, use, "EtherTypes begin at 0x0600");
	if (!use->text)
		use->text = arena_printf(rule->arena, "0x%04x", type);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, FIELD_VLAN_ENCAP, use->negate, type, type);
}

static const struct rule_option vlan_options[] = {
	{ { "vlan-id" }, 0, 1, OPTION_INVERTIBLE, parse_vlan_id },
	{ { "vlan-prio" }, 0, 1, OPTION_INVERTIBLE, parse_vlan_prio },
	{ { "vlan-encap" }, 0, 1, OPTION_INVERTIBLE, parse_vlan_encap },
};

const struct match match_vlan = {
	.module = { "vlan", RULE_OPTIONS(vlan_options), NULL },
	.sections = SECTION_EB,
	.has_proto = true,
	.proto = ETH_P_8021Q,
	.proto_name = "802_1Q",
};
