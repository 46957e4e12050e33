/*
 * target_log.c - LOG to the kernel's log; ULOG and NFLOG to an NFLOG group. All of them
 * go on to the next rule.
 */
#include "aclserver/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <linux/netfilter/nf_log.h>

#include "common/parse.h"

enum {
	LOG_PREFIX,
	LOG_LEVEL,
	LOG_FIRST_FLAG,        /* from here on without value */
	LOG_LEVEL_DEFAULT = 4, /* warning, as iptables */
	LOG_LEVEL_MAX = 7,
	LOG_PREFIX_MAX = 29, /* bytes, as iptables */
	LOG_PER_S = 10,
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

/* Ten packets a second, unless the rule has a limit of its own: a flood must not fill
 * the log, nor the console. The counter before it counts all. */
static int
add_default_limit(struct rule *rule)
{
	struct ruleset_term term = { .kind = TERM_LIMIT };

	for (size_t i = 0; i < rule->n_terms; i++)
		if (rule->terms[i].term.kind == TERM_LIMIT)
			return 0;
	term.limit = (struct ruleset_limit){
		.rate = LOG_PER_S, .unit_s = 1, .burst = LOG_PER_S
	};
	return rule_add_statement(rule, &term);
}

static int
add_log(struct rule *rule, const struct ruleset_log *log)
{
	struct ruleset_term term = { .kind = TERM_LOG };
	int result = add_default_limit(rule);

	term.log = *log;
	return result < 0 ? result : rule_add_statement(rule, &term);
}

/* ---- LOG ---- */

static int
read_log(struct rule *rule, struct module_use *use, struct ruleset_log *ret)
{
	struct option_use *prefix = module_use_at(use, LOG_PREFIX);
	struct option_use *level = module_use_at(use, LOG_LEVEL);

	*ret = (struct ruleset_log){ .level = LOG_LEVEL_DEFAULT };
	if (prefix && strlen(prefix->args[0]) > LOG_PREFIX_MAX)
		return option_refuse(rule, prefix, "longer than 29 bytes");
	/* The kernel takes no empty prefix; it says the same as none. */
	if (prefix && *prefix->args[0])
		ret->prefix = prefix->args[0];
	return level ? parse_level(rule, level, &ret->level) : 0;
}

static int
finish_log(struct rule *rule, struct module_use *use)
{
	struct ruleset_log log;
	int result = read_log(rule, use, &log);

	for (size_t i = 0; i < sizeof(log_flags) / sizeof(log_flags[0]); i++)
		if (module_use_at(use, LOG_FIRST_FLAG + i))
			log.flags |= log_flags[i];
	return result < 0 ? result : add_log(rule, &log);
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
	.in_nat = true,
};

/* What --log-ip, --log-ip6 and --log-arp ask for the kernel writes of every frame. */
static int
finish_eb_log(struct rule *rule, struct module_use *use)
{
	struct ruleset_log log;
	int result = read_log(rule, use, &log);

	return result < 0 ? result : add_log(rule, &log);
}

static const struct rule_option eb_log_options[] = {
	{ { "log-prefix" }, 0, 1, 0, NULL },
	{ { "log-level" }, 0, 1, 0, NULL },
	{ { "log-ip" }, 0, 0, 0, NULL },
	{ { "log-ip6" }, 0, 0, 0, NULL },
	{ { "log-arp" }, 0, 0, 0, NULL },
};

const struct target target_eb_log = {
	.module = { "log", RULE_OPTIONS(eb_log_options), finish_eb_log },
	.sections = SECTION_EB,
	.in_nat = true,
};

/* ---- groups ---- */

enum {
	GROUP,
	GROUP_PREFIX,
	GROUP_SIZE,
	GROUP_THRESHOLD,
	ULOG_GROUP_DEFAULT = 1,
	ULOG_GROUP_MAX = 32,
	ULOG_PREFIX_MAX = 32,
	ULOG_THRESHOLD_MAX = 50,
	NFLOG_PREFIX_MAX = 63,
};

/** What differs between the two. */
struct group_limits {
	uint32_t group_min, group_max, group_default;
	size_t prefix_max; /* bytes */
	uint32_t threshold_max;
};

static int
read_number(
	struct rule *rule, const struct option_use *use, uint32_t max, uint32_t *ret)
{
	return use ? option_number(rule, use, 0, max, ret) : 0;
}

static int
finish_group(
	struct rule *rule, struct module_use *use, const struct group_limits *limits)
{
	struct option_use *prefix = module_use_at(use, GROUP_PREFIX);
	struct option_use *group = module_use_at(use, GROUP);
	struct ruleset_term term = { .kind = TERM_LOG };
	uint32_t number = limits->group_default, threshold = 0;
	int result = 0;

	if (group)
		result = option_number(
			rule, group, limits->group_min, limits->group_max, &number);
	if (result == 0)
		result = read_number(rule, module_use_at(use, GROUP_SIZE), UINT16_MAX,
			&term.log.snaplen);
	if (result == 0)
		result = read_number(rule, module_use_at(use, GROUP_THRESHOLD),
			limits->threshold_max, &threshold);
	if (result < 0)
		return result;
	if (prefix && strlen(prefix->args[0]) > limits->prefix_max)
		return err_set(rule->err, -EINVAL, "%s: longer than %zu bytes",
			prefix->written, limits->prefix_max);
	if (prefix && *prefix->args[0])
		term.log.prefix = prefix->args[0];
	term.log.to_group = true;
	term.log.group = (uint16_t)number;
	term.log.threshold = (uint16_t)threshold;
	return rule_add_statement(rule, &term);
}

static int
finish_ulog(struct rule *rule, struct module_use *use)
{
	static const struct group_limits limits = { 1, ULOG_GROUP_MAX,
		ULOG_GROUP_DEFAULT, ULOG_PREFIX_MAX, ULOG_THRESHOLD_MAX };

	return finish_group(rule, use, &limits);
}

static const struct rule_option ulog_options[] = {
	{ { "ulog-nlgroup" }, 0, 1, 0, NULL },
	{ { "ulog-prefix" }, 0, 1, 0, NULL },
	{ { "ulog-cprange" }, 0, 1, 0, NULL },
	{ { "ulog-qthreshold" }, 0, 1, 0, NULL },
};

const struct target target_ulog = {
	.module = { "ULOG", RULE_OPTIONS(ulog_options), finish_ulog },
	.sections = SECTION_IP,
	.in_nat = true,
};

static int
finish_nflog(struct rule *rule, struct module_use *use)
{
	static const struct group_limits limits = { 0, UINT16_MAX, 0, NFLOG_PREFIX_MAX,
		UINT16_MAX };

	return finish_group(rule, use, &limits);
}

static const struct rule_option nflog_options[] = {
	{ { "nflog-group" }, 0, 1, 0, NULL },
	{ { "nflog-prefix" }, 0, 1, 0, NULL },
	{ { "nflog-size" }, 0, 1, 0, NULL },
	{ { "nflog-threshold" }, 0, 1, 0, NULL },
};

const struct target target_nflog = {
	.module = { "NFLOG", RULE_OPTIONS(nflog_options), finish_nflog },
	.sections = SECTION_IP,
	.in_nat = true,
};
