/*
 * target_mark.c - MARK of iptables, which goes on, and mark of ebtables, which accepts.
 *
 * On a switch the mark of [ebtables] is how a VLAN gets into an IP rule: "-j mark
 * --mark-set 102", then "-m mark --mark 102". So it is written ahead of all IP rules,
 * in a base of its own; where the rule stands among those of [ebtables] a second kernel
 * rule takes the frame out of them.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <string.h>

#include "aclserver/mark_bits.h"
#include "common/parse.h"

/* The ways to change a mark, in the order of both options tables. */
enum mark_how {
	MARK_SET,
	MARK_AND,
	MARK_OR,
	MARK_XOR,
	MARK_XSET, /* MARK only */
	EB_MARK_TARGET = MARK_XSET,
};

/* Cumulus keeps the marks up to this one for itself. */
enum { MARK_CUMULUS_MAX = 100 };

/* "5", "0x5", or, where @masked, "0x5/0xff". */
static int
parse_value(struct rule *rule, struct option_use *use, bool masked,
	struct ruleset_mark *ret_value_and_mask)
{
	const char *text = use->args[0];
	const char *slash = masked ? strchr(text, '/') : NULL;
	char *value = arena_strndup(
		rule->arena, text, slash ? (size_t)(slash - text) : strlen(text));

	if (!value)
		return -ENOMEM;
	ret_value_and_mask->keep = UINT32_MAX;
	if (parse_u32(value, 0, UINT32_MAX, &ret_value_and_mask->flip) < 0 ||
		(slash && parse_u32(slash + 1, 0, UINT32_MAX,
				  &ret_value_and_mask->keep) < 0))
		return option_refuse(rule, use,
			masked ? "not a mark (VALUE or VALUE/MASK)" : "not a mark");
	if (ret_value_and_mask->keep == UINT32_MAX)
		use->text = arena_printf(rule->arena, "0x%x", ret_value_and_mask->flip);
	else
		use->text = arena_printf(rule->arena, "0x%x/0x%x",
			ret_value_and_mask->flip, ret_value_and_mask->keep);
	return use->text ? 0 : -ENOMEM;
}

static struct ruleset_mark
change_of(enum mark_how how, uint32_t value, uint32_t mask)
{
	switch (how) {
	case MARK_AND:
		return (struct ruleset_mark){ value, 0 };
	case MARK_OR:
		return (struct ruleset_mark){ ~value, value };
	case MARK_XOR:
		return (struct ruleset_mark){ UINT32_MAX, value };
	case MARK_XSET:
		return (struct ruleset_mark){ ~mask, value };
	case MARK_SET:
	default:
		return (struct ruleset_mark){ ~(mask | value), value };
	}
}

static int
check_value(struct rule *rule, const struct option_use *use, enum mark_how how,
	const struct ruleset_mark *given)
{
	bool sets = how == MARK_SET || how == MARK_XSET;

	if (sets && given->keep == UINT32_MAX && given->flip <= MARK_CUMULUS_MAX)
		return option_refuse(rule, use, "marks 0 to 100 are reserved");
	if (how != MARK_AND && given->flip & MARK_RESERVED)
		return err_set(rule->err, -EINVAL,
			"%s \"%s\": the bits 0x%x of the mark are reserved",
			use->written, use->args[0], MARK_RESERVED);
	return 0;
}

static int
parse_change(struct rule *rule, const struct module_use *use, size_t n_ways,
	struct ruleset_mark *ret)
{
	struct option_use *option = NULL;
	struct ruleset_mark given;
	enum mark_how how = MARK_SET;
	int result;

	for (size_t i = 0; i < n_ways; i++) {
		struct option_use *found = module_use_at(use, i);

		if (found && option)
			return err_set(rule->err, -EINVAL,
				"%s and %s exclude each other", option->written,
				found->written);
		if (found) {
			option = found;
			how = (enum mark_how)i;
		}
	}
	if (!option)
		return err_set(rule->err, -EINVAL, "target %s needs --%s",
			use->module->name, use->module->options[0].names[0]);
	result = parse_value(rule, option,
		n_ways > MARK_XSET && (how == MARK_SET || how == MARK_XSET), &given);
	if (result == 0)
		result = check_value(rule, option, how, &given);
	if (result < 0)
		return result;
	*ret = change_of(how, given.flip, given.keep);
	ret->keep |= MARK_RESERVED;
	ret->flip &= ~MARK_RESERVED;
	return 0;
}

static int
finish_mark(struct rule *rule, struct module_use *use)
{
	struct ruleset_term term = { .kind = TERM_SET_MARK };
	int result = parse_change(rule, use, MARK_XSET + 1, &term.mark);

	return result < 0 ? result : rule_add_statement(rule, &term);
}

static const struct rule_option mark_options[] = {
	{ { "set-mark" }, 0, 1, 0, NULL },
	{ { "and-mark" }, 0, 1, 0, NULL },
	{ { "or-mark" }, 0, 1, 0, NULL },
	{ { "xor-mark" }, 0, 1, 0, NULL },
	{ { "set-xmark" }, 0, 1, 0, NULL },
};

const struct target target_mark = {
	.module = { "MARK", RULE_OPTIONS(mark_options), finish_mark },
	.sections = SECTION_IP,
	.table = "mangle",
};

/* What becomes of the frame in its chain of [ebtables]. */
static int
parse_eb_target(struct rule *rule, const struct option_use *use, bool *ret_accepts)
{
	*ret_accepts = !use || strcmp(use->args[0], "ACCEPT") == 0;
	if (*ret_accepts || strcmp(use->args[0], "CONTINUE") == 0)
		return 0;
	return option_refuse(rule, use, "not ACCEPT or CONTINUE");
}

static int
finish_eb_mark(struct rule *rule, struct module_use *use)
{
	struct ruleset_term counter = { .kind = TERM_COUNTER };
	struct ruleset_term verdict = { .kind = TERM_VERDICT };
	struct ruleset_term term = { .kind = TERM_SET_MARK };
	struct rule_part *part;
	bool accepts;
	int result = parse_change(rule, use, EB_MARK_TARGET, &term.mark);

	if (result == 0)
		result = parse_eb_target(
			rule, module_use_at(use, EB_MARK_TARGET), &accepts);
	if (result < 0)
		return result;
	verdict.verdict = RULESET_VERDICT_ACCEPT;
	if (strcmp(rule->chain, "OUTPUT") == 0) {
		/* The IP rules have seen the packet already. */
		part = rule_add_part(rule, RULE_BRIDGE);
		rule_part_add(part, &counter);
		rule_part_add(part, &term);
	} else {
		part = rule_add_part(
			rule, rule->ports[1] ? RULE_EARLY_FORWARD : RULE_EARLY);
		rule_part_add(part, &counter);
		rule_part_add(part, &term);
		if (!accepts)
			return 0;
		rule_part_add(part, &verdict);
		part = rule_add_part(rule, RULE_BRIDGE);
	}
	if (accepts)
		rule_part_add(part, &verdict);
	return 0;
}

static const struct rule_option eb_mark_options[] = {
	{ { "mark-set", "set-mark" }, 0, 1, 0, NULL },
	{ { "mark-and" }, 0, 1, 0, NULL },
	{ { "mark-or" }, 0, 1, 0, NULL },
	{ { "mark-xor" }, 0, 1, 0, NULL },
	{ { "mark-target" }, 0, 1, 0, NULL },
};

const struct target target_eb_mark = {
	.module = { "mark", RULE_OPTIONS(eb_mark_options), finish_eb_mark },
	.sections = SECTION_EB,
	.in_nat = true,
};
