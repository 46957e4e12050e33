/*
 * rule_strict.c - "--strict": what the hardware of a Cumulus switch would not take,
 * by the documents of Cumulus Linux.
 */
#include "aclserver/rule_strict.h"

#include <errno.h>
#include <string.h>

static int
check_inversion(const struct rule *rule, const struct rule_options *options)
{
	for (size_t i = 0; i < options->n_uses; i++)
		if (options->uses[i].negate)
			return err_set(rule->err, -EINVAL,
				"strict: inverted matches are not supported by the "
				"hardware (! %s)",
				options->uses[i].written);
	return 0;
}

static int
check_ports(const struct rule *rule, const struct rule_options *options)
{
	(void)options;
	for (size_t i = 0; i < 2; i++) {
		const char *port = rule->ports[i];
		size_t len = port ? strlen(port) : 0;

		if (len == 0)
			continue;
		if (port[len - 1] == '+' && strcmp(port, "swp+") != 0 &&
			strcmp(port, "bond+") != 0)
			return err_set(rule->err, -EINVAL,
				"strict: interface \"%s\": the only wildcards are swp+ "
				"and bond+",
				port);
		if (strncmp(port, "eth", strlen("eth")) == 0)
			return err_set(rule->err, -EINVAL,
				"strict: interface \"%s\": rules on Ethernet ports "
				"that "
				"are not switch ports are not put into the hardware",
				port);
	}
	return 0;
}

static int
check_matches(const struct rule *rule, const struct rule_options *options)
{
	for (size_t i = 1; i < options->n_loaded; i++) {
		const struct match *match = options->loaded[i].match;

		if (!match)
			continue;
		if (match->hardware == MATCH_HARDWARE_NONE)
			return err_set(rule->err, -EINVAL,
				"strict: match %s is not supported by the hardware",
				match->module.name);
		if (match->hardware == MATCH_HARDWARE_INPUT &&
			strcmp(rule->chain, "INPUT") != 0)
			return err_set(rule->err, -EINVAL,
				"strict: match %s is supported in chain INPUT only",
				match->module.name);
	}
	return 0;
}

typedef int (*check_fn)(const struct rule *rule, const struct rule_options *options);

static const check_fn checks[] = { check_inversion, check_ports, check_matches };

int
rule_strict_check(const struct rule *rule, const struct rule_options *options)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		result = checks[i](rule, options);
	return result;
}
