/*
 * match_eb_meta.c - matches of [ebtables] on what the kernel knows about a frame beside
 * its headers, and on lists of MAC addresses: mark, pkttype, among.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/if_packet.h>

#include "aclserver/mark_bits.h"
#include "aclserver/match_parse.h"
#include "common/parse.h"

/* ---- mark ---- */

/* "VALUE", "VALUE/MASK", or "/MASK": any bit of it. */
static int
parse_mark(struct rule *rule, struct option_use *use)
{
	const char *text = use->args[0];
	size_t len = strcspn(text, "/");
	char value_text[32];
	uint32_t value = 0, mask = MARK_USER;

	if (len >= sizeof(value_text))
		return option_refuse(rule, use, "not a mark");
	memcpy(value_text, text, len);
	value_text[len] = '\0';
	if ((len > 0 && parse_u32(value_text, 0, MARK_USER, &value) < 0) ||
		(text[len] && parse_u32(text + len + 1, 0, MARK_USER, &mask) < 0) ||
		(len == 0 && !text[len]))
		return option_refuse(rule, use,
			"not a mark (VALUE, VALUE/MASK or /MASK, 0 to 65535)");
	if (value & ~mask)
		(void)rule_warn(rule, "never matches: --mark asks for a bit outside "
				      "its mask");
	if (len == 0)
		use->text = arena_printf(rule->arena, "/0x%x", mask);
	else if (mask == MARK_USER)
		use->text = arena_printf(rule->arena, "0x%x", value);
	else
		use->text = arena_printf(rule->arena, "0x%x/0x%x", value, mask);
	if (!use->text)
		return -ENOMEM;
	if (len == 0)
		return rule_add_masked(rule, FIELD_MARK, !use->negate, mask, 0);
	return rule_add_masked(rule, FIELD_MARK, use->negate, mask, value);
}

static const struct rule_option mark_options[] = {
	{ { "mark" }, 0, 1, OPTION_INVERTIBLE, parse_mark },
};

const struct match match_eb_mark = {
	.module = { "mark", RULE_OPTIONS(mark_options), NULL },
	.sections = SECTION_EB,
	.hardware = MATCH_HARDWARE_NONE,
};

/* ---- pkttype ---- */

static const struct {
	const char *name;
	uint8_t type;
} packet_types[] = {
	{ "host", PACKET_HOST },
	{ "broadcast", PACKET_BROADCAST },
	{ "multicast", PACKET_MULTICAST },
	{ "otherhost", PACKET_OTHERHOST },
};

static int
parse_packet_type(struct rule *rule, struct option_use *use)
{
	for (size_t i = 0; i < sizeof(packet_types) / sizeof(packet_types[0]); i++) {
		if (strcasecmp(use->args[0], packet_types[i].name) != 0)
			continue;
		use->text = packet_types[i].name;
		return rule_add_number(rule, FIELD_PKTTYPE, use->negate,
			packet_types[i].type, packet_types[i].type);
	}
	return option_refuse(
		rule, use, "not one of host, otherhost, broadcast, multicast");
}

static const struct rule_option pkttype_options[] = {
	{ { "pkttype-type" }, 0, 1, OPTION_INVERTIBLE, parse_packet_type },
};

const struct match match_eb_pkttype = {
	.module = { "pkttype", RULE_OPTIONS(pkttype_options), NULL },
	.sections = SECTION_EB,
	.hardware = MATCH_HARDWARE_NONE,
};

/* ---- among ---- */

/* "MAC,MAC,…"; a trailing comma is usual. */
static int
count_macs(const char *text)
{
	int n = 0;

	for (const char *p = text; *p; n++) {
		p += strcspn(p, ",");
		p += *p == ',';
	}
	return n;
}

static int
parse_one_mac(const char *text, size_t len, uint8_t ret[6])
{
	char mac[sizeof("00:00:00:00:00:00")];

	if (len >= sizeof(mac))
		return -EINVAL;
	memcpy(mac, text, len);
	mac[len] = '\0';
	return parse_mac(mac, ret);
}

static int
add_among(struct rule *rule, struct option_use *use, enum field field)
{
	const char *p = use->args[0];
	struct ruleset_range *ranges;
	size_t n = 0;

	if (strchr(p, '='))
		return option_refuse(
			rule, use, "pairs of MAC and IP address are not supported");
	ranges = arena_alloc(rule->arena, (size_t)count_macs(p) * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	while (*p) {
		size_t len = strcspn(p, ",");

		if (parse_one_mac(p, len, ranges[n].lo) < 0)
			return err_set(rule->err, -EINVAL,
				"%s: \"%.*s\" is not a MAC address", use->written,
				(int)len, p);
		memcpy(ranges[n].hi, ranges[n].lo, sizeof(ranges[n].lo));
		n++;
		p += len + (p[len] == ',');
	}
	if (n == 0)
		return option_refuse(rule, use, "an empty list");
	return rule_add_ranges(rule, field, use->negate, ranges, n);
}

static int
parse_among_src(struct rule *rule, struct option_use *use)
{
	return add_among(rule, use, FIELD_ETHER_SADDR);
}

static int
parse_among_dst(struct rule *rule, struct option_use *use)
{
	return add_among(rule, use, FIELD_ETHER_DADDR);
}

static const struct rule_option among_options[] = {
	{ { "among-src" }, 0, 1, OPTION_INVERTIBLE, parse_among_src },
	{ { "among-dst" }, 0, 1, OPTION_INVERTIBLE, parse_among_dst },
	{ { "among-src-file" }, 0, 1, OPTION_REFUSED, NULL },
	{ { "among-dst-file" }, 0, 1, OPTION_REFUSED, NULL },
};

const struct match match_among = {
	.module = { "among", RULE_OPTIONS(among_options), NULL },
	.sections = SECTION_EB,
	.hardware = MATCH_HARDWARE_NONE,
};
