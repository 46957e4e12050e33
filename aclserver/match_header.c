/*
 * match_header.c - fields of the IP header: dscp, ttl, hl, length, iprange.
 */
#include "aclserver/match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aclserver/dscp_name.h"
#include "aclserver/match_parse.h"
#include "common/parse.h"

enum { TTL_MAX = 255, IP6_HEADER_SIZE = 40 };

/* For modules whose options exclude each other. */
static int
finish_one_option(struct rule *rule, struct module_use *use)
{
	if (use->n_uses > 1)
		return err_set(rule->err, -EINVAL,
			"the options of -m %s exclude each other", use->module->name);
	return 0;
}

static int
add_dscp(struct rule *rule, bool negate, uint8_t dscp)
{
	return rule_add_number(rule, rule_is_ip6(rule) ? FIELD_IP6_DSCP : FIELD_IP_DSCP,
		negate, dscp, dscp);
}

static int
parse_dscp(struct rule *rule, struct option_use *use)
{
	uint8_t dscp;
	int result = dscp_name_parse_number(rule, use, &dscp);

	return result < 0 ? result : add_dscp(rule, use->negate, dscp);
}

static int
parse_dscp_class(struct rule *rule, struct option_use *use)
{
	uint8_t dscp;
	int result = dscp_name_parse_class(rule, use, &dscp);

	return result < 0 ? result : add_dscp(rule, use->negate, dscp);
}

static const struct rule_option dscp_options[] = {
	{ { "dscp" }, 0, 1, OPTION_INVERTIBLE, parse_dscp },
	{ { "dscp-class" }, 0, 1, OPTION_INVERTIBLE, parse_dscp_class },
};

const struct match match_dscp = {
	.module = { "dscp", RULE_OPTIONS(dscp_options), finish_one_option },
	.sections = SECTION_IP,
	.needs_option = true,
};

static enum field
ttl_field(const struct rule *rule)
{
	return rule_is_ip6(rule) ? FIELD_IP6_HOPLIMIT : FIELD_IP_TTL;
}

static int
parse_ttl_eq(struct rule *rule, struct option_use *use)
{
	uint32_t ttl;
	int result = option_number(rule, use, 0, TTL_MAX, &ttl);

	if (result < 0)
		return result;
	return rule_add_number(rule, ttl_field(rule), use->negate, ttl, ttl);
}

static int
parse_ttl_lt(struct rule *rule, struct option_use *use)
{
	uint32_t ttl;
	int result = option_number(rule, use, 0, TTL_MAX, &ttl);

	if (result < 0)
		return result;
	if (ttl == 0)
		return rule_add_number(rule, ttl_field(rule), false, 1, 0);
	return rule_add_number(rule, ttl_field(rule), false, 0, ttl - 1);
}

static int
parse_ttl_gt(struct rule *rule, struct option_use *use)
{
	uint32_t ttl;
	int result = option_number(rule, use, 0, TTL_MAX, &ttl);

	if (result < 0)
		return result;
	return rule_add_number(rule, ttl_field(rule), false, ttl + 1, TTL_MAX);
}

static const struct rule_option ttl_options[] = {
	{ { "ttl-eq", "ttl" }, 0, 1, OPTION_INVERTIBLE, parse_ttl_eq },
	{ { "ttl-lt" }, 0, 1, 0, parse_ttl_lt },
	{ { "ttl-gt" }, 0, 1, 0, parse_ttl_gt },
};

const struct match match_ttl = {
	.module = { "ttl", RULE_OPTIONS(ttl_options), finish_one_option },
	.sections = SECTION_IP4,
	.needs_option = true,
};

static const struct rule_option hl_options[] = {
	{ { "hl-eq" }, 0, 1, OPTION_INVERTIBLE, parse_ttl_eq },
	{ { "hl-lt" }, 0, 1, 0, parse_ttl_lt },
	{ { "hl-gt" }, 0, 1, 0, parse_ttl_gt },
};

const struct match match_hl = {
	.module = { "hl", RULE_OPTIONS(hl_options), finish_one_option },
	.sections = SECTION_IP6,
	.needs_option = true,
};

/* The length of the whole packet; the IPv6 header has only that of its payload. */
static int
parse_length(struct rule *rule, struct option_use *use)
{
	uint32_t lo, hi;

	if (match_parse_range(use->args[0], UINT16_MAX, &lo, &hi) < 0)
		return option_refuse(
			rule, use, "not a length or range of lengths, 0 to 65535");
	if (lo > hi)
		(void)rule_warn(rule, "never matches: the first length is above the "
				      "last");
	use->text = lo == hi ? arena_printf(rule->arena, "%u", lo)
			     : arena_printf(rule->arena, "%u:%u", lo, hi);
	if (!use->text)
		return -ENOMEM;
	if (!rule_is_ip6(rule))
		return rule_add_number(rule, FIELD_IP_LENGTH, use->negate, lo, hi);
	if (hi < IP6_HEADER_SIZE)
		return rule_add_number(rule, FIELD_IP6_LENGTH, use->negate, 1, 0);
	lo = lo < IP6_HEADER_SIZE ? 0 : lo - IP6_HEADER_SIZE;
	return rule_add_number(
		rule, FIELD_IP6_LENGTH, use->negate, lo, hi - IP6_HEADER_SIZE);
}

static const struct rule_option length_options[] = {
	{ { "length" }, 0, 1, OPTION_INVERTIBLE, parse_length },
};

const struct match match_length = {
	.module = { "length", RULE_OPTIONS(length_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_NONE,
};

/* "a-b", or "a" for one address. */
static int
parse_two_addrs(const char *text, struct parse_addr *ret_lo, struct parse_addr *ret_hi)
{
	char copy[2 * INET6_ADDRSTRLEN + 2];
	char *dash;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (parse_addr(copy, ret_lo) < 0)
		return -EINVAL;
	*ret_hi = *ret_lo;
	if (dash && (parse_addr(dash, ret_hi) < 0 || ret_hi->family != ret_lo->family))
		return -EINVAL;
	return 0;
}

static const char *
iprange_text(
	struct arena *arena, const struct parse_addr *lo, const struct parse_addr *hi)
{
	char lo_text[INET6_ADDRSTRLEN], hi_text[INET6_ADDRSTRLEN];

	if (!inet_ntop(lo->family, lo->bytes, lo_text, sizeof(lo_text)) ||
		!inet_ntop(hi->family, hi->bytes, hi_text, sizeof(hi_text)))
		return NULL;
	return arena_printf(arena, "%s-%s", lo_text, hi_text);
}

static int
parse_iprange(struct rule *rule, struct option_use *use, enum field field)
{
	int family = rule_is_ip6(rule) ? AF_INET6 : AF_INET;
	struct ruleset_range *range;
	struct parse_addr lo, hi;

	if (parse_two_addrs(use->args[0], &lo, &hi) < 0)
		return option_refuse(
			rule, use, "not a range of addresses (FIRST-LAST)");
	if (lo.family != family)
		return option_refuse(rule, use,
			family == AF_INET6 ? "IPv4 addresses in [ip6tables]"
					   : "IPv6 addresses in [iptables]");
	if (memcmp(lo.bytes, hi.bytes, sizeof(lo.bytes)) > 0)
		return option_refuse(rule, use, "the first address is above the last");
	use->text = iprange_text(rule->arena, &lo, &hi);
	range = arena_alloc(rule->arena, sizeof(*range));
	if (!use->text || !range)
		return -ENOMEM;
	memcpy(range->lo, lo.bytes, field_info(field)->size);
	memcpy(range->hi, hi.bytes, field_info(field)->size);
	return rule_add_ranges(rule, field, use->negate, range, 1);
}

static int
parse_src_range(struct rule *rule, struct option_use *use)
{
	return parse_iprange(
		rule, use, rule_is_ip6(rule) ? FIELD_IP6_SADDR : FIELD_IP_SADDR);
}

static int
parse_dst_range(struct rule *rule, struct option_use *use)
{
	return parse_iprange(
		rule, use, rule_is_ip6(rule) ? FIELD_IP6_DADDR : FIELD_IP_DADDR);
}

static const struct rule_option iprange_options[] = {
	{ { "src-range" }, 0, 1, OPTION_INVERTIBLE, parse_src_range },
	{ { "dst-range" }, 0, 1, OPTION_INVERTIBLE, parse_dst_range },
};

const struct match match_iprange = {
	.module = { "iprange", RULE_OPTIONS(iprange_options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_NONE,
};
