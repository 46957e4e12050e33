/*
 * match_icmp.c - ICMP and ICMPv6 types, with the names that iptables and ip6tables
 * know.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aclserver/match_parse.h"
#include "common/parse.h"

enum { ICMP_NAME_SIZE = 48, ICMP_ANY = 0xff };

struct icmp_name {
	const char *name;
	uint8_t type;
	uint8_t code_lo, code_hi;
};

#define ICMP_TYPE(name, type)                                                          \
	{                                                                              \
		name, type, 0, 255                                                     \
	}
#define ICMP_CODE(name, type, code)                                                    \
	{                                                                              \
		name, type, code, code                                                 \
	}

static const struct icmp_name icmp_names[] = {
	ICMP_TYPE("any", ICMP_ANY),
	ICMP_TYPE("echo-reply", 0),
	ICMP_TYPE("pong", 0),
	ICMP_TYPE("destination-unreachable", 3),
	ICMP_CODE("network-unreachable", 3, 0),
	ICMP_CODE("host-unreachable", 3, 1),
	ICMP_CODE("protocol-unreachable", 3, 2),
	ICMP_CODE("port-unreachable", 3, 3),
	ICMP_CODE("fragmentation-needed", 3, 4),
	ICMP_CODE("source-route-failed", 3, 5),
	ICMP_CODE("network-unknown", 3, 6),
	ICMP_CODE("host-unknown", 3, 7),
	ICMP_CODE("network-prohibited", 3, 9),
	ICMP_CODE("host-prohibited", 3, 10),
	ICMP_CODE("TOS-network-unreachable", 3, 11),
	ICMP_CODE("TOS-host-unreachable", 3, 12),
	ICMP_CODE("communication-prohibited", 3, 13),
	ICMP_CODE("host-precedence-violation", 3, 14),
	ICMP_CODE("precedence-cutoff", 3, 15),
	ICMP_TYPE("source-quench", 4),
	ICMP_TYPE("redirect", 5),
	ICMP_CODE("network-redirect", 5, 0),
	ICMP_CODE("host-redirect", 5, 1),
	ICMP_CODE("TOS-network-redirect", 5, 2),
	ICMP_CODE("TOS-host-redirect", 5, 3),
	ICMP_TYPE("echo-request", 8),
	ICMP_TYPE("ping", 8),
	ICMP_TYPE("router-advertisement", 9),
	ICMP_TYPE("router-solicitation", 10),
	ICMP_TYPE("time-exceeded", 11),
	ICMP_TYPE("ttl-exceeded", 11),
	ICMP_CODE("ttl-zero-during-transit", 11, 0),
	ICMP_CODE("ttl-zero-during-reassembly", 11, 1),
	ICMP_TYPE("parameter-problem", 12),
	ICMP_CODE("ip-header-bad", 12, 0),
	ICMP_CODE("required-option-missing", 12, 1),
	ICMP_TYPE("timestamp-request", 13),
	ICMP_TYPE("timestamp-reply", 14),
	ICMP_TYPE("address-mask-request", 17),
	ICMP_TYPE("address-mask-reply", 18),
};

static const struct icmp_name icmp6_names[] = {
	ICMP_TYPE("destination-unreachable", 1),
	ICMP_CODE("no-route", 1, 0),
	ICMP_CODE("communication-prohibited", 1, 1),
	ICMP_CODE("beyond-scope", 1, 2),
	ICMP_CODE("address-unreachable", 1, 3),
	ICMP_CODE("port-unreachable", 1, 4),
	ICMP_CODE("failed-policy", 1, 5),
	ICMP_CODE("reject-route", 1, 6),
	ICMP_TYPE("packet-too-big", 2),
	ICMP_TYPE("time-exceeded", 3),
	ICMP_TYPE("ttl-exceeded", 3),
	ICMP_CODE("ttl-zero-during-transit", 3, 0),
	ICMP_CODE("ttl-zero-during-reassembly", 3, 1),
	ICMP_TYPE("parameter-problem", 4),
	ICMP_CODE("bad-header", 4, 0),
	ICMP_CODE("unknown-header-type", 4, 1),
	ICMP_CODE("unknown-option", 4, 2),
	ICMP_TYPE("echo-request", 128),
	ICMP_TYPE("ping", 128),
	ICMP_TYPE("echo-reply", 129),
	ICMP_TYPE("pong", 129),
	ICMP_TYPE("router-solicitation", 133),
	ICMP_TYPE("router-advertisement", 134),
	ICMP_TYPE("neighbour-solicitation", 135),
	ICMP_TYPE("neighbor-solicitation", 135),
	ICMP_TYPE("neighbour-advertisement", 136),
	ICMP_TYPE("neighbor-advertisement", 136),
	ICMP_TYPE("redirect", 137),
};

/* One of the two protocols. */
struct icmp_kind {
	const struct icmp_name *names;
	size_t n_names;
	enum field type, code;
};

static const struct icmp_kind icmp = {
	icmp_names,
	sizeof(icmp_names) / sizeof(icmp_names[0]),
	FIELD_ICMP_TYPE,
	FIELD_ICMP_CODE,
};

static const struct icmp_kind icmp6 = {
	icmp6_names,
	sizeof(icmp6_names) / sizeof(icmp6_names[0]),
	FIELD_ICMP6_TYPE,
	FIELD_ICMP6_CODE,
};

/* "3" or "3/1". */
static int
parse_numbers(const char *text, struct icmp_name *ret)
{
	char copy[ICMP_NAME_SIZE];
	uint32_t type, code;
	char *slash;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (parse_u32(copy, 0, UINT8_MAX, &type) < 0)
		return -EINVAL;
	*ret = (struct icmp_name){ NULL, (uint8_t)type, 0, UINT8_MAX };
	if (!slash)
		return 0;
	if (parse_u32(slash, 0, UINT8_MAX, &code) < 0)
		return -EINVAL;
	ret->code_lo = ret->code_hi = (uint8_t)code;
	return 0;
}

static int
find_type(const struct icmp_kind *kind, const char *text, struct icmp_name *ret)
{
	for (size_t i = 0; i < kind->n_names; i++)
		if (strcasecmp(text, kind->names[i].name) == 0) {
			*ret = kind->names[i];
			return 0;
		}
	return parse_numbers(text, ret);
}

static int
put_test(struct rule *rule, enum field field, struct rule_branch *branch, uint8_t value)
{
	struct ruleset_test *test = &branch->tests[branch->n_tests++];

	test->field = field;
	test->n_ranges = 1;
	test->ranges = arena_alloc(rule->arena, sizeof(*test->ranges));
	if (!test->ranges)
		return -ENOMEM;
	rule_put_number(field, value, test->ranges->lo);
	rule_put_number(field, value, test->ranges->hi);
	return 0;
}

/* Another type; or this type and another code. */
static int
add_other_code(
	struct rule *rule, const struct icmp_kind *kind, const struct icmp_name *type)
{
	struct rule_split *split = arena_alloc(rule->arena, sizeof(*split));
	int result;

	if (!split)
		return -ENOMEM;
	result = put_test(rule, kind->type, &split->branches[0], type->type);
	if (result == 0)
		result = put_test(rule, kind->type, &split->branches[1], type->type);
	if (result == 0)
		result = put_test(rule, kind->code, &split->branches[1], type->code_lo);
	if (result < 0)
		return result;
	split->branches[0].tests[0].negate = true;
	split->branches[1].tests[1].negate = true;
	return rule_add_split(rule, split);
}

static int
parse_type(struct rule *rule, struct option_use *use, const struct icmp_kind *kind)
{
	struct icmp_name type;
	bool any_code;
	int result;

	if (find_type(kind, use->args[0], &type) < 0)
		return option_refuse(rule, use, "unknown type");
	/* iptables writes "any" as type 255; ICMPv6 has no such name. */
	if (kind == &icmp && type.type == ICMP_ANY)
		return use->negate ? rule_add_number(rule, kind->type, false, 1, 0) : 0;
	any_code = type.code_lo != type.code_hi;
	if (use->negate && !any_code)
		return add_other_code(rule, kind, &type);
	result = rule_add_number(rule, kind->type, use->negate, type.type, type.type);
	if (result < 0 || any_code)
		return result;
	return rule_add_number(rule, kind->code, false, type.code_lo, type.code_hi);
}

/* "5" or "5:9". */
static int
parse_bytes(char *text, uint8_t *ret_lo, uint8_t *ret_hi)
{
	char *colon = strchr(text, ':');
	uint32_t lo, hi;

	if (colon)
		*colon++ = '\0';
	if (parse_u32(text, 0, UINT8_MAX, &lo) < 0)
		return -EINVAL;
	hi = lo;
	if (colon && (parse_u32(colon, 0, UINT8_MAX, &hi) < 0 || lo > hi))
		return -EINVAL;
	*ret_lo = (uint8_t)lo;
	*ret_hi = (uint8_t)hi;
	return 0;
}

/* Types and codes as ebtables takes them. */
struct icmp_ranges {
	uint8_t type_lo, type_hi, code_lo, code_hi;
};

static int
find_ranges(const struct icmp_kind *kind, const char *text, struct icmp_ranges *ret)
{
	char copy[ICMP_NAME_SIZE];
	struct icmp_name named;
	char *slash;

	if (find_type(kind, text, &named) == 0) {
		*ret = (struct icmp_ranges){ named.type, named.type, named.code_lo,
			named.code_hi };
		if (kind == &icmp && named.type == ICMP_ANY)
			ret->type_lo = 0;
		return 0;
	}
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	ret->code_lo = 0;
	ret->code_hi = UINT8_MAX;
	if (parse_bytes(copy, &ret->type_lo, &ret->type_hi) < 0 ||
		(slash && parse_bytes(slash, &ret->code_lo, &ret->code_hi) < 0))
		return -EINVAL;
	return 0;
}

static int
put_range_test(struct rule *rule, struct rule_branch *branch, enum field field,
	uint8_t lo, uint8_t hi)
{
	struct ruleset_test *test = &branch->tests[branch->n_tests];
	int result = put_test(rule, field, branch, lo);

	if (result == 0)
		rule_put_number(field, hi, test->ranges->hi);
	return result;
}

/* Another type; or one of these and another code. */
static int
add_other_ranges(struct rule *rule, const struct icmp_kind *kind,
	const struct icmp_ranges *ranges)
{
	struct rule_split *split = arena_alloc(rule->arena, sizeof(*split));
	int result = split ? 0 : -ENOMEM;

	for (int i = 0; i < 2 && result == 0; i++)
		result = put_range_test(rule, &split->branches[i], kind->type,
			ranges->type_lo, ranges->type_hi);
	if (result == 0)
		result = put_range_test(rule, &split->branches[1], kind->code,
			ranges->code_lo, ranges->code_hi);
	if (result < 0)
		return result;
	split->branches[0].tests[0].negate = true;
	split->branches[1].tests[1].negate = true;
	return rule_add_split(rule, split);
}

int
match_add_icmp_ranges(struct rule *rule, struct option_use *use, enum field field)
{
	const struct icmp_kind *kind = field == FIELD_ICMP_TYPE ? &icmp : &icmp6;
	struct icmp_ranges ranges;
	bool any_type, any_code;
	int result = 0;

	if (find_ranges(kind, use->args[0], &ranges) < 0)
		return option_refuse(rule, use,
			"not TYPE[:TYPE][/CODE[:CODE]] or the name of a type");
	any_type = ranges.type_lo == 0 && ranges.type_hi == UINT8_MAX;
	any_code = ranges.code_lo == 0 && ranges.code_hi == UINT8_MAX;
	if (use->negate && !any_code && !any_type)
		return add_other_ranges(rule, kind, &ranges);
	if (!any_type || (any_code && use->negate))
		result = rule_add_number(
			rule, kind->type, use->negate, ranges.type_lo, ranges.type_hi);
	if (result < 0 || any_code)
		return result;
	return rule_add_number(
		rule, kind->code, use->negate, ranges.code_lo, ranges.code_hi);
}

static int
parse_icmp_type(struct rule *rule, struct option_use *use)
{
	return parse_type(rule, use, &icmp);
}

static int
parse_icmp6_type(struct rule *rule, struct option_use *use)
{
	return parse_type(rule, use, &icmp6);
}

static const struct rule_option icmp_options[] = {
	{ { "icmp-type" }, 0, 1, OPTION_INVERTIBLE, parse_icmp_type },
};

const struct match match_icmp = {
	.module = { "icmp", RULE_OPTIONS(icmp_options), NULL },
	.sections = SECTION_IP4,
	.has_proto = true,
	.proto = IPPROTO_ICMP,
	.proto_name = "icmp",
};

static const struct rule_option icmp6_options[] = {
	{ { "icmpv6-type" }, 0, 1, OPTION_INVERTIBLE, parse_icmp6_type },
};

const struct match match_icmp6 = {
	.module = { "icmp6", RULE_OPTIONS(icmp6_options), NULL },
	.alias = "icmpv6",
	.sections = SECTION_IP6,
	.has_proto = true,
	.proto = IPPROTO_ICMPV6,
	.proto_name = "ipv6-icmp",
};
