/*
 * fuzz_policy_conf.c - policy_conf_parse() on arbitrary bytes: includes have a pattern
 * and a line, variables are sorted and named as they must be.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy.h"
#include "tests/fuzz/fuzz.h"

static void
check(const struct policy_conf *conf)
{
	int line = 0;

	for (size_t i = 0; i < conf->n_includes; i++) {
		require(conf->includes[i].pattern[0] != '\0');
		require(conf->includes[i].line > line);
		line = conf->includes[i].line;
	}
	require(conf->vars.n <= POLICY_VARS_MAX);
	for (size_t i = 0; i < conf->vars.n; i++) {
		const struct policy_var *var = &conf->vars.items[i];

		require(policy_is_var_name(var->name, strlen(var->name)));
		require(var->value && strlen(var->value) <= POLICY_LINE_MAX);
		require(i == 0 || strcmp(var[-1].name, var->name) < 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct policy_conf conf;
	struct diags diags;
	int result;

	require(arena);
	diags_init(&diags);
	result = policy_conf_parse(
		"fuzz", (const char *)data, size, arena, &conf, &diags);
	require(result == (diags.errors ? -EINVAL : 0));
	if (result == 0)
		check(&conf);
	diags_done(&diags);
	arena_free(arena);
	return 0;
}
