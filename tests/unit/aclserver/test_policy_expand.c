/*
 * test_policy_expand.c - lists become their cross product, in a fixed order.
 */
#include "aclserver/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_dump.h"

/* Parse @text, expand every rule, compare all simple rules and all problems. */
static void
check_file(const char *text, const char *expected_rules, const char *expected_diags)
{
	struct arena *arena = arena_new(0);
	struct policy_rules rules, simple = { 0 };
	struct diags diags;
	size_t n_tokens = 0;
	char *dump;

	diags_init(&diags);
	(void)policy_parse("f", text, strlen(text), NULL, arena, &rules, &diags);
	for (size_t i = 0; i < rules.n; i++) {
		size_t errors = diags.errors;
		int result =
			policy_expand("f", &rules.items[i], arena, &simple, &diags);

		assert_int_equal(result, diags.errors > errors ? -EINVAL : 0);
	}
	for (size_t i = 0; i < simple.n; i++)
		n_tokens += simple.items[i].n_tokens;
	assert_int_equal(n_tokens, simple.n_tokens);
	dump = dump_diags(&diags);
	assert_string_equal(dump, expected_diags);
	free(dump);
	dump = dump_rules(&simple);
	assert_string_equal(dump, expected_rules);
	free(dump);
	diags_done(&diags);
	arena_free(arena);
}

/* One line below @section that expands without a problem. */
static void
check_rule(const char *section, const char *rule, const char *expected)
{
	char *text;

	assert_true(asprintf(&text, "[%s]\n%s\n", section, rule) > 0);
	check_file(text, expected, "");
	free(text);
}

/* One line that is refused. */
static void
check_refused(const char *section, const char *rule, const char *reason)
{
	char *text, *expected;

	assert_true(asprintf(&text, "[%s]\n%s\n", section, rule) > 0);
	assert_true(asprintf(&expected, "f:2: %s: %s\n", reason, rule) > 0);
	check_file(text, "", expected);
	free(text);
	free(expected);
}

static void
rule_without_lists_passes_unchanged(void **state)
{
	(void)state;
	check_rule("iptables", "-t mangle -A FORWARD -p tcp -j DROP",
		"ip 2: -t|mangle|-A|FORWARD|-p|tcp|-j|DROP\n");
}

static void
leftmost_list_varies_slowest(void **state)
{
	(void)state;
	check_rule("iptables", "-A A,B -s 1,2 -i x,y",
		"ip 2: -A|A|-s|1|-i|x\nip 2: -A|A|-s|1|-i|y\n"
		"ip 2: -A|A|-s|2|-i|x\nip 2: -A|A|-s|2|-i|y\n"
		"ip 2: -A|B|-s|1|-i|x\nip 2: -A|B|-s|1|-i|y\n"
		"ip 2: -A|B|-s|2|-i|x\nip 2: -A|B|-s|2|-i|y\n");
}

static void
order_follows_the_rule_not_the_option(void **state)
{
	(void)state;
	check_rule("ip6tables", "-j DROP -d 1,2 -o o -A A,B",
		"ip6 2: -j|DROP|-d|1|-o|o|-A|A\nip6 2: -j|DROP|-d|1|-o|o|-A|B\n"
		"ip6 2: -j|DROP|-d|2|-o|o|-A|A\nip6 2: -j|DROP|-d|2|-o|o|-A|B\n");
}

static void
all_forms_of_an_option_become_the_short_one(void **state)
{
	(void)state;
	check_rule("iptables", "--append A --in-interface=x,y -oz --source=1 --dst 2",
		"ip 2: -A|A|-i|x|-o|z|-s|1|-d|2\nip 2: -A|A|-i|y|-o|z|-s|1|-d|2\n");
	check_rule("iptables", "-AA --out-interface z --src 1 --destination=2",
		"ip 2: -A|A|-o|z|-s|1|-d|2\n");
	check_rule("ebtables", "--append=A --in-if x,y --out-if=z",
		"eb 2: -A|A|-i|x|-o|z\neb 2: -A|A|-i|y|-o|z\n");
}

static void
ebtables_addresses_and_other_options_pass_as_they_are(void **state)
{
	(void)state;
	check_rule("ebtables", "-A A -s 1,2 --dst=3,4 --in-interfaces x,y",
		"eb 2: -A|A|-s|1,2|--dst=3,4|--in-interfaces|x,y\n");
	check_rule("iptables",
		"-A A --in-if x,y --dports 1,2 -m multiport --sportx=1,2",
		"ip 2: -A|A|--in-if|x,y|--dports|1,2|-m|multiport|--sportx=1,2\n");
}

static void
quoted_lists_are_split_and_trimmed(void **state)
{
	(void)state;
	check_rule("iptables", "-A \"A, B\" -i ' x '",
		"ip 2: -A|A|-i|x\nip 2: -A|B|-i|x\n");
}

static void
quoted_words_are_no_options(void **state)
{
	(void)state;
	check_rule("iptables", "-A A \"-i\" x,y '!' -o z \"-I\" w",
		"ip 2: -A|A|'-i'|x,y|'!'|-o|z|'-I'|w\n");
}

static void
free_text_may_look_like_an_option(void **state)
{
	(void)state;
	check_rule("iptables",
		"-A A -m comment --comment -i --log-prefix -A --comment ! -o x",
		"ip 2: "
		"-A|A|-m|comment|--comment|-i|--log-prefix|-A|--comment|!|-o|x\n");
}

static void
negation_stands_in_front_of_the_option(void **state)
{
	(void)state;
	check_rule("iptables", "-A A,B ! -i x ! --src=1",
		"ip 2: -A|A|!|-i|x|!|-s|1\nip 2: -A|B|!|-i|x|!|-s|1\n");
	check_rule("ebtables", "! -o y -A A -i ! x", "eb 2: !|-o|y|-A|A|!|-i|x\n");
	check_rule("iptables", "-A A ! -p tcp -s ! 1", "ip 2: -A|A|!|-p|tcp|!|-s|1\n");
}

static void
negated_lists_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A A ! -s 1,2", "'!' with a list after -s");
	check_refused("iptables", "-A A -i ! x,y", "'!' with a list after -i");
	check_refused("iptables", "! -A A", "'!' with -A");
	check_refused("iptables", "-A A ! -i ! x", "'!' both before and behind -i");
}

static void
repeated_options_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -A FORWARD", "-A is given twice");
	check_refused("iptables", "-A A -i x --in-interface y", "-i is given twice");
}

static void
empty_items_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT, -j DROP", "empty list item after -A");
	check_refused("iptables", "-A A -i ,x", "empty list item after -i");
	check_refused("iptables", "-A A -s 1,,2", "empty list item after -s");
	check_refused("iptables", "-A A -o \"\"", "empty list item after -o");
	check_refused("iptables", "-A A --dst=", "empty list item after -d");
	check_refused("ebtables", "-A \" \"", "empty list item after -A");
}

static void
missing_values_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A A -i", "-i needs a value");
	check_refused("iptables", "-A A -i !", "-i needs a value");
	check_refused("iptables", "-A A -i -j DROP", "-i needs a value, not \"-j\"");
	check_refused("iptables", "-A A -i=x", "write \"-i VALUE\", not \"-i=VALUE\"");
}

static void
only_appending_is_accepted(void **state)
{
	(void)state;
	check_refused("iptables", "-I INPUT -j DROP",
		"-I: a policy file may only append rules (-A)");
	check_refused("ebtables", "--delete=INPUT",
		"--delete=INPUT: a policy file may only append rules (-A)");
	check_refused("iptables", "-PINPUT DROP",
		"-PINPUT: a policy file may only append rules (-A)");
	check_refused(
		"iptables", "-N chain", "-N: a policy file may only append rules (-A)");
	check_refused("iptables", "-t nat -j DROP", "no -A CHAIN");
}

static void
failed_rule_leaves_the_others(void **state)
{
	(void)state;
	check_file("[iptables]\n-A A\n-A B,\n-A C,D\n",
		"ip 2: -A|A\nip 4: -A|C\nip 4: -A|D\n",
		"f:3: empty list item after -A: -A B,\n");
}

static void
simple_rules_keep_line_and_text_of_the_rule(void **state)
{
	struct policy_token tokens[] = { { "-A" }, { "A,B" } };
	struct policy_rule rule = { POLICY_SECTION_EBTABLES, 7, "as written", tokens,
		2 };
	struct arena *arena = arena_new(0);
	struct policy_rules simple = { 0 };
	struct diags diags;

	(void)state;
	diags_init(&diags);
	assert_int_equal(policy_expand("f", &rule, arena, &simple, &diags), 0);
	assert_int_equal(simple.n, 2);
	for (size_t i = 0; i < simple.n; i++) {
		assert_int_equal(simple.items[i].section, POLICY_SECTION_EBTABLES);
		assert_int_equal(simple.items[i].line, 7);
		assert_ptr_equal(simple.items[i].text, rule.text);
	}
	arena_free(arena);
}

/* "0,1,2,…" with @n items; heap. */
static char *
numbers(size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%zu", i ? "," : "", i);
	fclose(out);
	return text;
}

static void
too_many_rules_are_refused_as_a_whole(void **state)
{
	char *list = numbers(1000);
	struct policy_token fits[] = { { "-A" }, { list }, { "-i" },
		{ "0,1,2,3,4,5,6,7,8,9" } };
	struct policy_token huge[] = { { "-A" }, { list }, { "-i" }, { list }, { "-o" },
		{ list }, { "-s" }, { list }, { "-d" }, { list } };
	struct policy_rule rule = { .line = 1, .text = "r", .tokens = huge };
	struct arena *arena = arena_new(0);
	struct policy_rules simple = { 0 };
	struct diags diags;

	(void)state;
	diags_init(&diags);
	rule.n_tokens = 10;
	assert_int_equal(policy_expand("f", &rule, arena, &simple, &diags), -E2BIG);
	assert_int_equal(simple.n, 0);
	rule.tokens = fits;
	rule.n_tokens = 4;
	for (int i = 0; i < 10; i++)
		assert_int_equal(policy_expand("f", &rule, arena, &simple, &diags), 0);
	assert_int_equal(simple.n, POLICY_EXPANDED_MAX);
	assert_int_equal(policy_expand("f", &rule, arena, &simple, &diags), -E2BIG);
	assert_int_equal(simple.n, POLICY_EXPANDED_MAX);
	assert_int_equal(diags.errors, 2);
	assert_string_equal(diags.items[1].reason,
		"more than 100000 rules in the file with all lists expanded");
	diags_done(&diags);
	arena_free(arena);
	free(list);
}

static void
too_many_words_are_refused_as_a_whole(void **state)
{
	char *list = numbers(10000);
	struct policy_token tokens[POLICY_TOKENS_MAX];
	struct policy_rule rule = {
		.line = 1, .text = "r", .tokens = tokens, .n_tokens = POLICY_TOKENS_MAX
	};
	struct arena *arena = arena_new(0);
	struct policy_rules simple = { 0 };
	struct diags diags;

	(void)state;
	diags_init(&diags);
	for (size_t i = 0; i < POLICY_TOKENS_MAX; i++)
		tokens[i] = (struct policy_token){ "x", false };
	tokens[0].text = "-A";
	tokens[1].text = list;
	assert_int_equal(policy_expand("f", &rule, arena, &simple, &diags), -E2BIG);
	assert_int_equal(simple.n, 0);
	assert_string_equal(diags.items[0].reason,
		"more than 4194304 words in the file with all lists expanded");
	diags_done(&diags);
	arena_free(arena);
	free(list);
}

static void
out_of_memory_leaves_the_result_as_before(void **state)
{
	struct policy_token tokens[] = { { "-A" }, { "A,B,C" }, { "-i" }, { "x,y" } };
	struct policy_rule rule = {
		.line = 1, .text = "r", .tokens = tokens, .n_tokens = 4
	};
	int result = -ENOMEM;

	(void)state;
	for (size_t limit = 16; result == -ENOMEM; limit += 16) {
		struct arena *arena = arena_new(limit);
		struct policy_rules simple = { 0 };
		struct diags diags;

		diags_init(&diags);
		result = policy_expand("f", &rule, arena, &simple, &diags);
		assert_int_equal(simple.n, result == 0 ? 6 : 0);
		assert_int_equal(diags.n, 0);
		arena_free(arena);
		assert_true(limit < 4096);
	}
	assert_int_equal(result, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_without_lists_passes_unchanged),
		cmocka_unit_test(leftmost_list_varies_slowest),
		cmocka_unit_test(order_follows_the_rule_not_the_option),
		cmocka_unit_test(all_forms_of_an_option_become_the_short_one),
		cmocka_unit_test(ebtables_addresses_and_other_options_pass_as_they_are),
		cmocka_unit_test(quoted_lists_are_split_and_trimmed),
		cmocka_unit_test(quoted_words_are_no_options),
		cmocka_unit_test(free_text_may_look_like_an_option),
		cmocka_unit_test(negation_stands_in_front_of_the_option),
		cmocka_unit_test(negated_lists_are_refused),
		cmocka_unit_test(repeated_options_are_refused),
		cmocka_unit_test(empty_items_are_refused),
		cmocka_unit_test(missing_values_are_refused),
		cmocka_unit_test(only_appending_is_accepted),
		cmocka_unit_test(failed_rule_leaves_the_others),
		cmocka_unit_test(simple_rules_keep_line_and_text_of_the_rule),
		cmocka_unit_test(too_many_rules_are_refused_as_a_whole),
		cmocka_unit_test(too_many_words_are_refused_as_a_whole),
		cmocka_unit_test(out_of_memory_leaves_the_result_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
