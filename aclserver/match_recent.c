/*
 * match_recent.c - addresses that were seen lately. What the sets behind it are is
 * found out when all rules of the file are known, see recent.c.
 */
#include "aclserver/match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "common/parse.h"

enum {
	SET,
	RCHECK,
	UPDATE,
	REMOVE,
	SECONDS,
	HITCOUNT,
	REAP,
	NAME,
	RSOURCE,
	RDEST,
	MASK,
};

enum {
	SECONDS_MAX = 86400 * 365,
	HITS_MAX = 255, /* time stamps that iptables keeps of an address */
	NAME_MAX_LEN = 199,
};

static int
parse_op(struct rule *rule, struct module_use *use, struct ruleset_recent *ret)
{
	static const enum ruleset_recent_op ops[] = { RECENT_SET, RECENT_CHECK,
		RECENT_UPDATE, RECENT_REMOVE };
	const struct option_use *op = NULL;

	for (size_t i = SET; i <= REMOVE; i++) {
		if (!module_use_at(use, i))
			continue;
		if (op)
			return err_set(rule->err, -EINVAL,
				"%s and %s exclude each other", op->written,
				module_use_at(use, i)->written);
		op = module_use_at(use, i);
		ret->op = ops[i];
	}
	if (!op)
		return err_set(rule->err, -EINVAL,
			"-m recent needs one of --set, --rcheck, --update, --remove");
	if (op->negate && ret->op != RECENT_CHECK)
		return err_set(rule->err, -EINVAL,
			"option %s cannot be inverted: nftables cannot write without "
			"a match",
			op->written);
	ret->negate = op->negate;
	return 0;
}

static int
parse_numbers(struct rule *rule, struct module_use *use, struct ruleset_recent *ret)
{
	const struct option_use *seconds = module_use_at(use, SECONDS);
	const struct option_use *hits = module_use_at(use, HITCOUNT);
	const struct option_use *reap = module_use_at(use, REAP);
	bool checks = ret->op == RECENT_CHECK || ret->op == RECENT_UPDATE;
	int result = 0;

	if (reap && !seconds)
		return err_set(rule->err, -EINVAL, "option --reap needs --seconds");
	if (seconds)
		result = option_number(rule, seconds, 1, SECONDS_MAX, &ret->seconds);
	if (result == 0 && hits)
		result = option_number(rule, hits, 1, HITS_MAX, &ret->hits);
	if (result < 0)
		return result;
	if ((seconds || hits) && !checks) {
		ret->seconds = ret->hits = 0;
		return rule_warn(rule, "--seconds and --hitcount say nothing without "
				       "--rcheck or --update");
	}
	if (ret->hits <= 1)
		ret->hits = 0;
	if (ret->hits > 0)
		(void)rule_warn(rule,
			"--hitcount counts from the first packet of --seconds on, and "
			"holds who reached it until as long after the last packet");
	if (checks && !seconds)
		(void)rule_warn(rule, "an address is forgotten a day after it was "
				      "last seen");
	return 0;
}

static int
parse_mask(struct rule *rule, const struct option_use *use, uint8_t ret[FIELD_SIZE_MAX])
{
	struct parse_addr mask;
	int family = rule_is_ip6(rule) ? AF_INET6 : AF_INET;

	memset(ret, 0xff, family == AF_INET ? 4 : 16);
	if (!use)
		return 0;
	if (parse_addr(use->args[0], &mask) < 0 || mask.family != family)
		return option_refuse(rule, use, "not a mask of this family");
	memcpy(ret, mask.bytes, family == AF_INET ? 4 : 16);
	return 0;
}

static int
parse_key(struct rule *rule, struct module_use *use, struct ruleset_recent *ret)
{
	const struct option_use *name = module_use_at(use, NAME);
	bool ip6 = rule_is_ip6(rule);

	ret->name = name ? name->args[0] : "DEFAULT";
	if (!*ret->name || strlen(ret->name) > NAME_MAX_LEN || strchr(ret->name, '/'))
		return option_refuse(
			rule, name, "not a name (1 to 199 bytes without '/')");
	if (module_use_at(use, RSOURCE) && module_use_at(use, RDEST))
		return err_set(
			rule->err, -EINVAL, "--rsource and --rdest exclude each other");
	ret->ip6 = ip6;
	if (module_use_at(use, RDEST))
		ret->part.field = ip6 ? FIELD_IP6_DADDR : FIELD_IP_DADDR;
	else
		ret->part.field = ip6 ? FIELD_IP6_SADDR : FIELD_IP_SADDR;
	return parse_mask(rule, module_use_at(use, MASK), ret->part.mask);
}

static int
finish(struct rule *rule, struct module_use *use)
{
	struct ruleset_recent recent = { 0 };
	int result = 0;

	for (size_t i = 0; i < rule->n_terms; i++)
		if (rule->terms[i].term.kind == TERM_RECENT)
			return err_set(rule->err, -EINVAL,
				"more than one -m recent in a rule is not supported");
	result = parse_op(rule, use, &recent);
	if (result == 0)
		result = parse_key(rule, use, &recent);
	if (result == 0)
		result = parse_numbers(rule, use, &recent);
	return result < 0 ? result : rule_add_recent(rule, &recent);
}

static const struct rule_option options[] = {
	[SET] = { { "set" }, 0, 0, OPTION_INVERTIBLE, NULL },
	[RCHECK] = { { "rcheck" }, 0, 0, OPTION_INVERTIBLE, NULL },
	[UPDATE] = { { "update" }, 0, 0, OPTION_INVERTIBLE, NULL },
	[REMOVE] = { { "remove" }, 0, 0, OPTION_INVERTIBLE, NULL },
	[SECONDS] = { { "seconds" }, 0, 1, 0, NULL },
	[HITCOUNT] = { { "hitcount" }, 0, 1, 0, NULL },
	[REAP] = { { "reap" }, 0, 0, 0, NULL },
	[NAME] = { { "name" }, 0, 1, 0, NULL },
	[RSOURCE] = { { "rsource" }, 0, 0, 0, NULL },
	[RDEST] = { { "rdest" }, 0, 0, 0, NULL },
	[MASK] = { { "mask" }, 0, 1, 0, NULL },
	{ { "rttl" }, 0, 0, OPTION_REFUSED, NULL },
};

const struct match match_recent = {
	.module = { "recent", RULE_OPTIONS(options), finish },
	.sections = SECTION_IP,
	.needs_option = true,
	.hardware = MATCH_HARDWARE_INPUT,
};
