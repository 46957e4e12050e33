/*
 * target_verdict.c - ACCEPT and DROP, which end the base chain.
 */
#include "aclserver/target.h"

static int
finish_accept(struct rule *rule, struct module_use *use)
{
	struct ruleset_term verdict = { .kind = TERM_VERDICT };

	(void)use; /* has no options */
	verdict.verdict = RULESET_VERDICT_ACCEPT;
	return rule_add_statement(rule, &verdict);
}

const struct target target_accept = {
	.module = { "ACCEPT", NULL, 0, finish_accept },
	.sections = SECTION_IP | SECTION_EB,
	.in_nat = true,
};

static int
finish_drop(struct rule *rule, struct module_use *use)
{
	struct ruleset_term verdict = { .kind = TERM_VERDICT };

	(void)use; /* has no options */
	verdict.verdict = RULESET_VERDICT_DROP;
	return rule_add_statement(rule, &verdict);
}

const struct target target_drop = {
	.module = { "DROP", NULL, 0, finish_drop },
	.sections = SECTION_IP | SECTION_EB,
};
