/*
 * match_meta.c - what the kernel knows about a packet beside its headers: mark,
 * comment (known to nobody but the listing), limit, mac.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aclserver/mark_bits.h"
#include "common/parse.h"

/* "5", "0x5", "0x5/0xff". */
static int
parse_mark_value(const char *text, uint32_t *ret_value, uint32_t *ret_mask)
{
	char copy[32];
	char *slash;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	*ret_mask = UINT32_MAX;
	if (parse_u32(copy, 0, UINT32_MAX, ret_value) < 0 ||
		(slash && parse_u32(slash, 0, UINT32_MAX, ret_mask) < 0))
		return -EINVAL;
	return 0;
}

static int
parse_mark(struct rule *rule, struct option_use *use)
{
	uint32_t value, mask;

	if (parse_mark_value(use->args[0], &value, &mask) < 0)
		return option_refuse(rule, use, "not a mark (VALUE or VALUE/MASK)");
	if (value & MARK_RESERVED)
		return option_refuse(
			rule, use, "the bits 0xffff0000 of the mark are reserved");
	if (value & ~mask)
		(void)rule_warn(rule, "never matches: --mark asks for a bit outside "
				      "its mask");
	use->text = mask == UINT32_MAX
			    ? arena_printf(rule->arena, "0x%x", value)
			    : arena_printf(rule->arena, "0x%x/0x%x", value, mask);
	if (!use->text)
		return -ENOMEM;
	return rule_add_masked(rule, FIELD_MARK, use->negate, mask & MARK_USER, value);
}

static const struct rule_option mark_options[] = {
	{ { "mark" }, 0, 1, OPTION_INVERTIBLE, parse_mark },
};

const struct match match_mark = {
	.module = { "mark", RULE_OPTIONS(mark_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
};

/* As iptables: 256 bytes with the NUL. */
enum { COMMENT_MAX = 255 };

static int
parse_comment(struct rule *rule, struct option_use *use)
{
	if (strlen(use->args[0]) > COMMENT_MAX)
		return err_set(rule->err, -EINVAL, "--comment: longer than %d bytes",
			COMMENT_MAX);
	return 0;
}

static const struct rule_option comment_options[] = {
	{ { "comment" }, 0, 1, 0, parse_comment },
};

const struct match match_comment = {
	.module = { "comment", RULE_OPTIONS(comment_options), NULL },
	.sections = SECTION_IP | SECTION_EB,
	.needs_option = true,
};

enum {
	LIMIT,
	LIMIT_BURST,
	LIMIT_PER_S_MAX = 10000, /* of iptables, for every unit */
	LIMIT_BURST_MAX = 10000,
	LIMIT_BURST_DEFAULT = 5,
	LIMIT_DEFAULT = 3, /* per hour */
};

static const struct {
	const char *name;
	const char *shown; /* as iptables -S prints it */
	uint32_t seconds;
} limit_units[] = {
	{ "second", "sec", 1 },
	{ "minute", "min", 60 },
	{ "hour", "hour", 3600 },
	{ "day", "day", 86400 },
};

enum { N_LIMIT_UNITS = sizeof(limit_units) / sizeof(limit_units[0]) };

/* Index of the unit that begins with @text, as iptables takes "s", "sec", "second". */
static int
find_limit_unit(const char *text)
{
	size_t len = strlen(text);

	for (int i = 0; i < N_LIMIT_UNITS; i++)
		if (len > 0 && strncasecmp(text, limit_units[i].name, len) == 0)
			return i;
	return -1;
}

/* "5", "5/s", "5/min". */
static int
parse_rate(struct rule *rule, struct option_use *use, struct ruleset_limit *ret)
{
	char copy[32];
	char *slash;
	uint32_t rate;
	int unit = 0;

	if (strlen(use->args[0]) >= sizeof(copy))
		return option_refuse(rule, use, "not a rate");
	memcpy(copy, use->args[0], strlen(use->args[0]) + 1);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		unit = find_limit_unit(slash + 1);
	}
	if (unit < 0 || parse_u32(copy, 1, UINT32_MAX, &rate) < 0)
		return option_refuse(rule, use,
			"not a rate (N/second, N/minute, N/hour or N/day, N at least "
			"1)");
	if (rate / limit_units[unit].seconds > LIMIT_PER_S_MAX)
		return option_refuse(rule, use, "more than 10000 packets per second");
	ret->rate = rate;
	ret->unit_s = limit_units[unit].seconds;
	use->text = arena_printf(rule->arena, "%u/%s", rate, limit_units[unit].shown);
	return use->text ? 0 : -ENOMEM;
}

static int
finish_limit(struct rule *rule, struct module_use *use)
{
	struct option_use *rate = module_use_at(use, LIMIT);
	struct option_use *burst = module_use_at(use, LIMIT_BURST);
	struct ruleset_limit limit = { LIMIT_DEFAULT, 3600, LIMIT_BURST_DEFAULT };
	int result = 0;

	if (rate)
		result = parse_rate(rule, rate, &limit);
	if (result == 0 && burst)
		result = option_number(rule, burst, 1, LIMIT_BURST_MAX, &limit.burst);
	return result < 0 ? result : rule_add_limit(rule, &limit);
}

static const struct rule_option limit_options[] = {
	{ { "limit" }, 0, 1, 0, NULL },
	{ { "limit-burst" }, 0, 1, 0, NULL },
};

const struct match match_limit = {
	.module = { "limit", RULE_OPTIONS(limit_options), finish_limit },
	.sections = SECTION_IP | SECTION_EB,
	.hardware = MATCH_HARDWARE_INPUT,
};

/* Only a packet that came in by an Ethernet port has a source MAC. */
static int
parse_mac_source(struct rule *rule, struct option_use *use)
{
	static const uint8_t all_bits[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t mac[6];

	if (strcmp(rule->chain, "OUTPUT") == 0 ||
		strcmp(rule->chain, "POSTROUTING") == 0)
		return err_set(rule->err, -EINVAL,
			"--mac-source specified with %s chain", rule->chain);
	if (parse_mac(use->args[0], mac) < 0)
		return option_refuse(rule, use, "not a MAC address");
	use->text = arena_printf(rule->arena, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (!use->text)
		return -ENOMEM;
	return rule_add_bytes(rule, FIELD_ETHER_SADDR, use->negate, all_bits, mac);
}

static const struct rule_option mac_options[] = {
	{ { "mac-source" }, 0, 1, OPTION_INVERTIBLE, parse_mac_source },
};

const struct match match_mac = {
	.module = { "mac", RULE_OPTIONS(mac_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_NONE,
};
