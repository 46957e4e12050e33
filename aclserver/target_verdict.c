/*
 * target_verdict.c - ACCEPT and DROP, which end the base chain, and LOG, which does
 * not.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/netfilter/nf_log.h>

#include "common/parse.h"

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

enum {
	LOG_PREFIX,
	LOG_LEVEL,
	LOG_FIRST_FLAG,        /* from here on without value */
	LOG_LEVEL_DEFAULT = 4, /* warning, as iptables */
	LOG_LEVEL_MAX = 7,
	LOG_PREFIX_MAX = 29, /* bytes, as iptables */
};

/* Options without value, in the order of the options table. */
static const uint32_t log_flags[] = { NF_LOG_TCPSEQ, NF_LOG_TCPOPT, NF_LOG_IPOPT,
	NF_LOG_UID, NF_LOG_MACDECODE };

static const struct {
	const char *name;
	uint32_t level;
} log_levels[] = {
	{ "emerg", 0 },
	{ "panic", 0 },
	{ "alert", 1 },
	{ "crit", 2 },
	{ "err", 3 },
	{ "error", 3 },
	{ "warning", 4 },
	{ "warn", 4 },
	{ "notice", 5 },
	{ "info", 6 },
	{ "debug", 7 },
};

static int
parse_level(struct rule *rule, struct option_use *use, uint32_t *ret)
{
	int result = parse_u32(use->args[0], 0, LOG_LEVEL_MAX, ret);

	for (size_t i = 0; result < 0 && i < sizeof(log_levels) / sizeof(log_levels[0]);
		i++)
		if (strcasecmp(use->args[0], log_levels[i].name) == 0) {
			*ret = log_levels[i].level;
			result = 0;
		}
	if (result < 0)
		return option_refuse(
			rule, use, "unknown log level (0 to 7, or emerg to debug)");
	use->text = arena_printf(rule->arena, "%u", *ret);
	return use->text ? 0 : -ENOMEM;
}

static int
finish_log(struct rule *rule, struct module_use *use)
{
	struct option_use *prefix = module_use_at(use, LOG_PREFIX);
	struct option_use *level = module_use_at(use, LOG_LEVEL);
	struct ruleset_term term = { .kind = TERM_LOG };
	int result = 0;

	if (prefix && strlen(prefix->args[0]) > LOG_PREFIX_MAX)
		return option_refuse(rule, prefix, "longer than 29 bytes");
	/* The kernel takes no empty prefix; it says the same as none. */
	if (prefix && *prefix->args[0])
		term.log.prefix = prefix->args[0];
	term.log.level = LOG_LEVEL_DEFAULT;
	if (level)
		result = parse_level(rule, level, &term.log.level);
	for (size_t i = 0; i < sizeof(log_flags) / sizeof(log_flags[0]); i++)
		if (module_use_at(use, LOG_FIRST_FLAG + i))
			term.log.flags |= log_flags[i];
	return result < 0 ? result : rule_add_statement(rule, &term);
}

static const struct rule_option log_options[] = {
	{ { "log-prefix" }, 0, 1, 0, NULL },
	{ { "log-level" }, 0, 1, 0, NULL },
	{ { "log-tcp-sequence" }, 0, 0, 0, NULL },
	{ { "log-tcp-options" }, 0, 0, 0, NULL },
	{ { "log-ip-options" }, 0, 0, 0, NULL },
	{ { "log-uid" }, 0, 0, 0, NULL },
	{ { "log-macdecode" }, 0, 0, 0, NULL },
};

const struct target target_log = {
	.module = { "LOG", RULE_OPTIONS(log_options), finish_log },
	.sections = SECTION_IP,
};
