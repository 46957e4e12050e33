/*
 * match_frag.c - the fragment header of IPv6 (RFC 8200, section 4.5). A packet without
 * one matches no rule with -m frag.
 */
#include "aclserver/match.h"

#include <errno.h>

#include "aclserver/match_parse.h"

enum {
	FRAG_ID,
	FRAG_RESERVED,
	FRAG_FIRST,
	FRAG_MORE,
	FRAG_LAST,
	OFFSET_MASK = 0xfff8,
	RESERVED_MASK = 0x0006,
	MORE_MASK = 0x0001,
};

static int
parse_id(struct rule *rule, struct option_use *use)
{
	return match_add_range(rule, use, FIELD_FRAG_ID, UINT32_MAX);
}

static int
parse_reserved(struct rule *rule, struct option_use *use)
{
	int result = rule_add_number(rule, FIELD_FRAG_RESERVED, false, 0, 0);

	(void)use;
	if (result < 0)
		return result;
	return rule_add_masked(rule, FIELD_FRAG_OFFSET, false, RESERVED_MASK, 0);
}

static int
parse_first(struct rule *rule, struct option_use *use)
{
	(void)use;
	return rule_add_masked(rule, FIELD_FRAG_OFFSET, false, OFFSET_MASK, 0);
}

static int
parse_more(struct rule *rule, struct option_use *use)
{
	(void)use;
	return rule_add_masked(rule, FIELD_FRAG_OFFSET, false, MORE_MASK, MORE_MASK);
}

static int
parse_last(struct rule *rule, struct option_use *use)
{
	(void)use;
	return rule_add_masked(rule, FIELD_FRAG_OFFSET, false, MORE_MASK, 0);
}

static int
finish(struct rule *rule, struct module_use *use)
{
	if (module_use_at(use, FRAG_MORE) && module_use_at(use, FRAG_LAST))
		return err_set(rule->err, -EINVAL,
			"--fragmore and --fraglast exclude each other");
	if (use->n_uses > 0)
		return 0;
	return rule_add_number(rule, FIELD_FRAG_EXISTS, false, 1, 1);
}

static const struct rule_option options[] = {
	[FRAG_ID] = { { "fragid" }, 0, 1, OPTION_INVERTIBLE, parse_id },
	[FRAG_RESERVED] = { { "fragres" }, 0, 0, 0, parse_reserved },
	[FRAG_FIRST] = { { "fragfirst" }, 0, 0, 0, parse_first },
	[FRAG_MORE] = { { "fragmore" }, 0, 0, 0, parse_more },
	[FRAG_LAST] = { { "fraglast" }, 0, 0, 0, parse_last },
	{ { "fraglen" }, 0, 1, OPTION_REFUSED, NULL },
};

const struct match match_frag = {
	.module = { "frag", RULE_OPTIONS(options), finish },
	.sections = SECTION_IP6,
};
