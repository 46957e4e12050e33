/*
 * target_qos.c - DSCP and SETQOS set the DiffServ field; SETCLASS and the mark of
 * ebtables, whose values are checked and which are refused.
 */
#include "aclserver/target.h"

#include <errno.h>

#include "aclserver/dscp_name.h"

enum { SET_DSCP, SET_DSCP_CLASS, SET_COS };

static int
add_set_dscp(struct rule *rule, uint8_t dscp)
{
	struct ruleset_term term = { .kind = TERM_SET_DSCP };

	term.dscp.field = rule_is_ip6(rule) ? FIELD_IP6_DSCP : FIELD_IP_DSCP;
	term.dscp.value = dscp;
	return rule_add_statement(rule, &term);
}

static int
finish_dscp(struct rule *rule, struct module_use *use)
{
	struct option_use *number = module_use_at(use, SET_DSCP);
	struct option_use *name = module_use_at(use, SET_DSCP_CLASS);
	uint8_t dscp;
	int result;

	if (number && name)
		return err_set(rule->err, -EINVAL,
			"--set-dscp and --set-dscp-class exclude each other");
	if (number)
		result = dscp_name_parse_number(rule, number, &dscp);
	else if (name)
		result = dscp_name_parse_class(rule, name, &dscp);
	else
		return err_set(rule->err, -EINVAL,
			"target %s needs --set-dscp or --set-dscp-class",
			use->module->name);
	return result < 0 ? result : add_set_dscp(rule, dscp);
}

static const struct rule_option dscp_options[] = {
	{ { "set-dscp" }, 0, 1, 0, NULL },
	{ { "set-dscp-class" }, 0, 1, 0, NULL },
};

const struct target target_dscp = {
	.module = { "DSCP", RULE_OPTIONS(dscp_options), finish_dscp },
	.sections = SECTION_IP,
	.table = "mangle",
};

enum { COS_MAX = 7, CLASS_MAX = 7 };

static int
finish_setqos(struct rule *rule, struct module_use *use)
{
	struct option_use *cos = module_use_at(use, SET_COS);
	uint32_t value;
	int result = 0;

	if (cos)
		result = option_number(rule, cos, 0, COS_MAX, &value);
	if (result == 0 && (module_use_at(use, SET_DSCP) || !cos ||
				   module_use_at(use, SET_DSCP_CLASS)))
		result = finish_dscp(rule, use);
	if (result == 0 && cos)
		result = err_set(rule->err, -EINVAL,
			"option --set-cos of target SETQOS is not supported yet");
	return result;
}

static const struct rule_option setqos_options[] = {
	{ { "set-dscp" }, 0, 1, 0, NULL },
	{ { "set-dscp-class" }, 0, 1, 0, NULL },
	{ { "set-cos" }, 0, 1, 0, NULL },
};

const struct target target_setqos = {
	.module = { "SETQOS", RULE_OPTIONS(setqos_options), finish_setqos },
	.sections = SECTION_IP,
};

static int
finish_setclass(struct rule *rule, struct module_use *use)
{
	struct option_use *class = module_use_at(use, 0);
	uint32_t value;
	int result;

	if (!class)
		return err_set(rule->err, -EINVAL, "target %s needs --class",
			use->module->name);
	result = option_number(rule, class, 0, CLASS_MAX, &value);
	if (result < 0)
		return result;
	return err_set(rule->err, -EINVAL, "target %s is not supported yet",
		use->module->name);
}

static const struct rule_option setclass_options[] = {
	{ { "class" }, 0, 1, 0, NULL },
};

const struct target target_setclass = {
	.module = { "SETCLASS", RULE_OPTIONS(setclass_options), finish_setclass },
	.sections = SECTION_IP,
};

const struct target target_eb_setclass = {
	.module = { "setclass", RULE_OPTIONS(setclass_options), finish_setclass },
	.sections = SECTION_EB,
};

/* Cumulus keeps the marks below for itself. */
enum { MARK_SET, MARK_TARGET, MARK_RESERVED_MAX = 100 };

static int
finish_mark(struct rule *rule, struct module_use *use)
{
	struct option_use *mark = module_use_at(use, MARK_SET);
	uint32_t value;
	int result;

	if (!mark)
		return err_set(rule->err, -EINVAL, "target mark needs --mark-set");
	result = option_number(rule, mark, 0, UINT32_MAX, &value);
	if (result < 0)
		return result;
	if (value <= MARK_RESERVED_MAX)
		return option_refuse(rule, mark, "marks 0 to 100 are reserved");
	return err_set(rule->err, -EINVAL, "target mark is not supported yet");
}

static const struct rule_option mark_options[] = {
	{ { "mark-set", "set-mark" }, 0, 1, 0, NULL },
	{ { "mark-target" }, 0, 1, 0, NULL },
};

const struct target target_eb_mark = {
	.module = { "mark", RULE_OPTIONS(mark_options), finish_mark },
	.sections = SECTION_EB,
};
