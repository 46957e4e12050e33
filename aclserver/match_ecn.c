/*
 * match_ecn.c - explicit congestion notification (RFC 3168): the codepoint of the IP
 * header and the two flags of TCP.
 */
#include "aclserver/match.h"

#include <errno.h>
#include <netinet/in.h>

enum { TCP_FLAG_ECE = 0x40, TCP_FLAG_CWR = 0x80, ECT_MAX = 3 };

static int
add_flag(struct rule *rule, const struct option_use *use, uint8_t flag)
{
	if (!rule->has_l4proto || rule->l4proto != IPPROTO_TCP)
		return err_set(
			rule->err, -EINVAL, "option %s needs -p tcp", use->written);
	/* The flag is set: masked with it, the flags are not zero. */
	return rule_add_masked(rule, FIELD_TCP_FLAGS, !use->negate, flag, 0);
}

static int
parse_cwr(struct rule *rule, struct option_use *use)
{
	return add_flag(rule, use, TCP_FLAG_CWR);
}

static int
parse_ece(struct rule *rule, struct option_use *use)
{
	return add_flag(rule, use, TCP_FLAG_ECE);
}

static int
parse_ect(struct rule *rule, struct option_use *use)
{
	uint32_t ect;
	int result = option_number(rule, use, 0, ECT_MAX, &ect);

	if (result < 0)
		return result;
	return rule_add_number(rule, rule_is_ip6(rule) ? FIELD_IP6_ECN : FIELD_IP_ECN,
		use->negate, ect, ect);
}

static const struct rule_option options[] = {
	{ { "ecn-tcp-cwr" }, 0, 0, OPTION_INVERTIBLE, parse_cwr },
	{ { "ecn-tcp-ece" }, 0, 0, OPTION_INVERTIBLE, parse_ece },
	{ { "ecn-ip-ect" }, 0, 1, OPTION_INVERTIBLE, parse_ect },
};

const struct match match_ecn = {
	.module = { "ecn", RULE_OPTIONS(options), NULL },
	.sections = SECTION_IP,
	.needs_option = true,
};
