/*
 * fuzz_policy.c - policy_parse() and policy_expand() on arbitrary bytes: what is kept
 * is within the limits, every refusal is reported, and the options that take lists have
 * one value in every simple rule.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy.h"
#include "tests/fuzz/fuzz.h"

/* More than the limits of the language allow for an input of 64 KiB. */
enum { ARENA_SIZE_MAX = 1 << 30 };

/* 0, or an error that is in @diags; nothing else. */
static void
check_result(int result, const struct diags *diags, size_t errors_before)
{
	require(result == 0 || result == -EINVAL || result == -E2BIG);
	require((result == 0) == (diags->errors == errors_before));
}

static void
check_parsed(const struct policy_rule *rule, size_t size)
{
	size_t bytes = 0;

	require(rule->section <= POLICY_SECTION_EBTABLES);
	require(rule->line > 0 && (size_t)rule->line <= size);
	require(strlen(rule->text) <= POLICY_LINE_MAX);
	require(rule->n_tokens > 0 && rule->n_tokens <= POLICY_TOKENS_MAX);
	for (size_t i = 0; i < rule->n_tokens; i++) {
		const char *text = rule->tokens[i].text;

		bytes += strlen(text) + 1;
		require(*text || rule->tokens[i].quoted);
		for (; *text; text++)
			require((unsigned char)*text >= 0x20 || *text == '\t');
	}
	require(bytes <= POLICY_LINE_MAX + 1);
}

/* Free text may look like "-A" as well, so one that is right is enough. */
static bool
has_chain(const struct policy_rule *rule)
{
	for (size_t i = 0; i + 1 < rule->n_tokens; i++) {
		const char *value = rule->tokens[i + 1].text;

		if (!rule->tokens[i].quoted && !strcmp(rule->tokens[i].text, "-A") &&
			*value && !strchr(value, ','))
			return true;
	}
	return false;
}

static void
check_simple(const struct policy_rule *rule, const struct policy_rule *written)
{
	require(rule->line == written->line && rule->text == written->text);
	require(has_chain(rule));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_SIZE_MAX);
	struct policy_rules rules, simple = { 0 };
	struct diags diags;

	require(arena);
	diags_init(&diags);
	check_result(policy_parse("fuzz", (const char *)data, size, NULL, arena, &rules,
			     &diags),
		&diags, 0);
	for (size_t i = 0; i < rules.n; i++) {
		size_t errors = diags.errors, before = simple.n;
		int result;

		check_parsed(&rules.items[i], size);
		result = policy_expand("fuzz", &rules.items[i], arena, &simple, &diags);
		check_result(result, &diags, errors);
		require((result == 0) == (simple.n > before));
		if (result == 0)
			check_simple(&simple.items[simple.n - 1], &rules.items[i]);
	}
	require(simple.n <= POLICY_EXPANDED_MAX);
	require(simple.n_tokens <= POLICY_EXPANDED_TOKENS_MAX);
	diags_done(&diags);
	arena_free(arena);
	return 0;
}
