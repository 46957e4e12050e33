/*
 * match_llc.c - frames with a length instead of an EtherType in [ebtables] rules: the
 * fields of 802.2 LLC and SNAP, and BPDUs of the spanning tree (IEEE 802.1D).
 */
#include "aclserver/match.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/if_ether.h>

#include "aclserver/match_parse.h"
#include "common/parse.h"

/* ---- 802.3 ---- */

/* Both access points; inverted, neither of them. */
static int
parse_sap(struct rule *rule, struct option_use *use)
{
	uint32_t sap;
	int result;

	if (match_parse_hex(use->args[0], UINT8_MAX, &sap) < 0)
		return option_refuse(
			rule, use, "not a hexadecimal number from 0 to ff");
	use->text = arena_printf(rule->arena, "0x%02x", sap);
	if (!use->text)
		return -ENOMEM;
	result = rule_add_number(rule, FIELD_LLC_DSAP, use->negate, sap, sap);
	if (result < 0)
		return result;
	return rule_add_number(rule, FIELD_LLC_SSAP, use->negate, sap, sap);
}

/* The protocol behind a SNAP header in an unnumbered frame. */
static int
parse_snap_type(struct rule *rule, struct option_use *use)
{
	enum { SNAP_HEAD = 0xaaaa03 };
	const char *name;
	uint16_t type;
	int result;

	if (match_ether_type(use->args[0], &type, &name) < 0)
		return option_refuse(rule, use, "not a hexadecimal type");
	use->text = arena_printf(rule->arena, "0x%04x", type);
	if (!use->text)
		return -ENOMEM;
	result = rule_add_number(rule, FIELD_LLC_HEAD, false, SNAP_HEAD, SNAP_HEAD);
	if (result < 0)
		return result;
	return rule_add_number(rule, FIELD_SNAP_TYPE, use->negate, type, type);
}

static const struct rule_option llc_options[] = {
	{ { "802_3-sap" }, 0, 1, OPTION_INVERTIBLE, parse_sap },
	{ { "802_3-type" }, 0, 1, OPTION_INVERTIBLE, parse_snap_type },
};

const struct match match_802_3 = {
	.module = { "802_3", RULE_OPTIONS(llc_options), NULL },
	.sections = SECTION_EB,
	.has_proto = true,
	.proto = ETH_P_802_3,
	.proto_name = "LENGTH",
	.hardware = MATCH_HARDWARE_NONE,
};

/* ---- spanning tree ---- */

enum {
	STP_TYPE,
	STP_LAST_CONFIG = 11, /* index of the last option on a configuration BPDU */
	BPDU_CONFIG = 0x00,
	BPDU_RAPID = 0x02, /* of the rapid spanning tree, with the same fields */
	BPDU_CHANGE = 0x80,
};

static int
parse_stp_type(struct rule *rule, struct option_use *use)
{
	uint32_t type;

	if (strcasecmp(use->args[0], "config") == 0)
		type = BPDU_CONFIG;
	else if (strcasecmp(use->args[0], "tcn") == 0)
		type = BPDU_CHANGE;
	else if (parse_u32(use->args[0], 0, UINT8_MAX, &type) < 0)
		return option_refuse(
			rule, use, "not a type of BPDU (config, tcn, or 0 to 255)");
	if (type == BPDU_CONFIG || type == BPDU_CHANGE)
		use->text = type == BPDU_CONFIG ? "config" : "tcn";
	else
		use->text = arena_printf(rule->arena, "%u", type);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, FIELD_STP_TYPE, use->negate, type, type);
}

static int
parse_stp_flags(struct rule *rule, struct option_use *use)
{
	uint32_t flags;

	if (strcasecmp(use->args[0], "topology-change") == 0)
		flags = 0x01;
	else if (strcasecmp(use->args[0], "topology-change-ack") == 0)
		flags = 0x80;
	else if (parse_u32(use->args[0], 0, UINT8_MAX, &flags) < 0)
		return option_refuse(rule, use,
			"not flags (topology-change, topology-change-ack, or 0 to "
			"255)");
	use->text = arena_printf(rule->arena, "%u", flags);
	if (!use->text)
		return -ENOMEM;
	return rule_add_number(rule, FIELD_STP_FLAGS, use->negate, flags, flags);
}

#define STP_RANGE(name, field, max)                                                    \
	static int parse_##name(struct rule *rule, struct option_use *use)             \
	{                                                                              \
		return match_add_range(rule, use, field, max);                         \
	}

STP_RANGE(root_prio, FIELD_STP_ROOT_PRIO, UINT16_MAX)
STP_RANGE(root_cost, FIELD_STP_ROOT_COST, UINT32_MAX)
STP_RANGE(sender_prio, FIELD_STP_SENDER_PRIO, UINT16_MAX)
STP_RANGE(port, FIELD_STP_PORT, UINT16_MAX)
STP_RANGE(msg_age, FIELD_STP_MSG_AGE, UINT16_MAX)
STP_RANGE(max_age, FIELD_STP_MAX_AGE, UINT16_MAX)
STP_RANGE(hello_time, FIELD_STP_HELLO_TIME, UINT16_MAX)
STP_RANGE(forward_delay, FIELD_STP_FORWARD_DELAY, UINT16_MAX)

static int
parse_root_addr(struct rule *rule, struct option_use *use)
{
	return match_add_mac(rule, use, FIELD_STP_ROOT_ADDR);
}

static int
parse_sender_addr(struct rule *rule, struct option_use *use)
{
	return match_add_mac(rule, use, FIELD_STP_SENDER_ADDR);
}

static bool
asks_for_config(const struct module_use *use)
{
	for (size_t i = STP_TYPE + 1; i <= STP_LAST_CONFIG; i++)
		if (module_use_at(use, i))
			return true;
	return false;
}

/* That it is a BPDU at all; the tests are true together or not at all, so their order
 * does not count. */
static int
finish_stp(struct rule *rule, struct module_use *use)
{
	static const uint8_t head[] = { 0x42, 0x42, 0x03, 0x00, 0x00 };
	static const uint8_t all_bits[] = { 0xff, 0xff, 0xff, 0xff, 0xff };
	struct ruleset_range *types;
	int result;

	/* Frames with a length; see match_ether.c. */
	result = rule_add_number(rule, FIELD_L3PROTO, false, ETH_P_802_3, ETH_P_802_2);
	if (result == 0)
		result = rule_add_bytes(rule, FIELD_STP_HEAD, false, all_bits, head);
	if (result < 0 || !asks_for_config(use))
		return result;
	types = arena_alloc(rule->arena, 2 * sizeof(*types));
	if (!types)
		return -ENOMEM;
	types[0].lo[0] = types[0].hi[0] = BPDU_CONFIG;
	types[1].lo[0] = types[1].hi[0] = BPDU_RAPID;
	return rule_add_ranges(rule, FIELD_STP_TYPE, false, types, 2);
}

static const struct rule_option stp_options[] = {
	[STP_TYPE] = { { "stp-type" }, 0, 1, OPTION_INVERTIBLE, parse_stp_type },
	{ { "stp-flags" }, 0, 1, OPTION_INVERTIBLE, parse_stp_flags },
	{ { "stp-root-prio" }, 0, 1, OPTION_INVERTIBLE, parse_root_prio },
	{ { "stp-root-addr" }, 0, 1, OPTION_INVERTIBLE, parse_root_addr },
	{ { "stp-root-cost" }, 0, 1, OPTION_INVERTIBLE, parse_root_cost },
	{ { "stp-sender-prio" }, 0, 1, OPTION_INVERTIBLE, parse_sender_prio },
	{ { "stp-sender-addr" }, 0, 1, OPTION_INVERTIBLE, parse_sender_addr },
	{ { "stp-port" }, 0, 1, OPTION_INVERTIBLE, parse_port },
	{ { "stp-msg-age" }, 0, 1, OPTION_INVERTIBLE, parse_msg_age },
	{ { "stp-max-age" }, 0, 1, OPTION_INVERTIBLE, parse_max_age },
	{ { "stp-hello-time" }, 0, 1, OPTION_INVERTIBLE, parse_hello_time },
	[STP_LAST_CONFIG] = { { "stp-forward-delay" }, 0, 1, OPTION_INVERTIBLE,
		parse_forward_delay },
};

const struct match match_stp = {
	.module = { "stp", RULE_OPTIONS(stp_options), finish_stp },
	.sections = SECTION_EB,
	.hardware = MATCH_HARDWARE_NONE,
};
