/*
 * match_tcpmss.c - the maximum segment size that a TCP packet announces in its options.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "aclserver/match_parse.h"

/* A test of one value or range. */
static int
put_test(struct rule *rule, struct ruleset_test *ret, enum field field, uint32_t lo,
	uint32_t hi)
{
	*ret = (struct ruleset_test){ .field = field, .n_ranges = 1 };
	ret->ranges = arena_alloc(rule->arena, sizeof(*ret->ranges));
	if (!ret->ranges)
		return -ENOMEM;
	rule_put_number(field, lo, ret->ranges->lo);
	rule_put_number(field, hi, ret->ranges->hi);
	return 0;
}

/* Another size, or none at all. */
static int
add_other_mss(struct rule *rule, uint32_t lo, uint32_t hi)
{
	struct rule_split *split = arena_alloc(rule->arena, sizeof(*split));
	int result = split ? 0 : -ENOMEM;

	if (result == 0)
		result = put_test(
			rule, &split->branches[0].tests[0], FIELD_TCP_MSS, lo, hi);
	if (result == 0)
		result = put_test(
			rule, &split->branches[1].tests[0], FIELD_TCP_HAS_MSS, 0, 0);
	if (result < 0)
		return result;
	split->branches[0].tests[0].negate = true;
	split->branches[0].n_tests = split->branches[1].n_tests = 1;
	return rule_add_split(rule, split);
}

static int
parse_mss(struct rule *rule, struct option_use *use)
{
	uint32_t lo, hi;

	if (!rule->has_l4proto || rule->l4proto != IPPROTO_TCP)
		return err_set(
			rule->err, -EINVAL, "option %s needs -p tcp", use->written);
	if (match_parse_range(use->args[0], UINT16_MAX, &lo, &hi) < 0)
		return option_refuse(
			rule, use, "not a size or range of sizes, 0 to 65535");
	if (lo > hi)
		return option_refuse(rule, use, "the first size is above the last");
	use->text = lo == hi ? arena_printf(rule->arena, "%u", lo)
			     : arena_printf(rule->arena, "%u:%u", lo, hi);
	if (!use->text)
		return -ENOMEM;
	if (use->negate)
		return add_other_mss(rule, lo, hi);
	return rule_add_number(rule, FIELD_TCP_MSS, false, lo, hi);
}

static const struct rule_option options[] = {
	{ { "mss" }, 0, 1, OPTION_INVERTIBLE, parse_mss },
};

const struct match match_tcpmss = {
	.module = { "tcpmss", RULE_OPTIONS(options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_INPUT,
};
