/*
 * test_policy_parse.c - rule files: sections, comments, quotes, variables, limits.
 */
#include "aclserver/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_dump.h"

/* Parse @len bytes and compare all rules and all problems. */
static void
check_bytes(const char *text, size_t len, const struct policy_vars *inherited,
	const char *expected_rules, const char *expected_diags)
{
	/* An exact copy on the heap, so that a sanitizer sees a read past the end. */
	char *exact = memcpy(malloc(len ? len : 1), text, len);
	struct arena *arena = arena_new(0);
	struct policy_rules rules;
	struct diags diags;
	char *dump;
	int result;

	diags_init(&diags);
	result = policy_parse("f", exact, len, inherited, arena, &rules, &diags);
	free(exact);
	dump = dump_diags(&diags);
	assert_string_equal(dump, expected_diags);
	assert_int_equal(result, *expected_diags ? -EINVAL : 0);
	free(dump);
	dump = dump_rules(&rules);
	assert_string_equal(dump, expected_rules);
	free(dump);
	diags_done(&diags);
	arena_free(arena);
}

static void
check(const char *text, const char *expected_rules, const char *expected_diags)
{
	check_bytes(text, strlen(text), NULL, expected_rules, expected_diags);
}

static void
empty_file_has_no_rules(void **state)
{
	(void)state;
	check("", "", "");
	check("\n\n", "", "");
	check("# only a comment", "", "");
}

static void
sections_may_come_in_any_order_and_again(void **state)
{
	(void)state;
	check("[ebtables]\n-A INPUT -j DROP\n[iptables]\n-A INPUT -j DROP\n"
	      "[ip6tables]\n-A INPUT -j DROP\n[iptables]\n-A FORWARD -j DROP\n",
		"eb 2: -A|INPUT|-j|DROP\nip 4: -A|INPUT|-j|DROP\n"
		"ip6 6: -A|INPUT|-j|DROP\nip 8: -A|FORWARD|-j|DROP\n",
		"");
}

static void
section_tag_may_be_indented_and_followed_by_a_comment(void **state)
{
	(void)state;
	check("  [iptables]  # IPv4\n\t-A INPUT\n", "ip 2: -A|INPUT\n", "");
}

static void
rule_may_stand_behind_the_tag(void **state)
{
	(void)state;
	check("[iptables] -A FORWARD -j DROP\n-A INPUT\n",
		"ip 1: -A|FORWARD|-j|DROP\nip 2: -A|INPUT\n", "");
}

static void
assignment_may_stand_behind_the_tag(void **state)
{
	(void)state;
	check("[iptables] A = INPUT\n-A $A\n", "ip 2: -A|INPUT\n", "");
}

static void
unknown_section_is_an_error_and_its_rules_are_left_out(void **state)
{
	(void)state;
	check("[iptables]\n-A A\n[etables]\n-A B\n-A $X\n[ip6tables]\n-A C\n",
		"ip 2: -A|A\nip6 7: -A|C\n",
		"f:3: unknown section, not [iptables], [ip6tables] or "
		"[ebtables]: [etables]\n"
		"f:5: undefined variable \"X\": -A $X\n");
}

static void
section_tag_without_end_is_an_error(void **state)
{
	(void)state;
	check("[iptables\n-A A\n", "", "f:1: section tag without ']': [iptables\n");
}

static void
every_rule_above_the_first_section_is_an_error(void **state)
{
	(void)state;
	check("-A A\n-A B # two\n[iptables]\n-A C", "ip 4: -A|C\n",
		"f:1: rule above the first section: [iptables], [ip6tables] or "
		"[ebtables]: -A A\n"
		"f:2: rule above the first section: [iptables], [ip6tables] or "
		"[ebtables]: -A B\n");
}

static void
other_lines_are_errors(void **state)
{
	(void)state;
	check("[iptables]\niptables -A INPUT\n*filter\nCOMMIT\n", "",
		"f:2: expected [SECTION], NAME = VALUE, or a rule from its "
		"first option on (\"-A ...\" or \"-t ...\"): iptables -A INPUT\n"
		"f:3: expected [SECTION], NAME = VALUE, or a rule from its "
		"first option on (\"-A ...\" or \"-t ...\"): *filter\n"
		"f:4: expected [SECTION], NAME = VALUE, or a rule from its "
		"first option on (\"-A ...\" or \"-t ...\"): COMMIT\n");
}

static void
comments_end_a_rule_but_not_inside_a_word_or_quotes(void **state)
{
	(void)state;
	check("[iptables]\n  # indented\n-A A # DNS\n-A B#1 -j X\t# '\n"
	      "-A C --comment \"a #1\" --log-prefix '#2 #'#\n## rule-id #10: ##\n",
		"ip 3: -A|A\nip 4: -A|B#1|-j|X\n"
		"ip 5: -A|C|--comment|'a #1'|--log-prefix|'#2 ##'\n",
		"");
}

static void
rule_text_is_trimmed_and_without_comment(void **state)
{
	const char text[] = "[iptables]\n  -A  INPUT\t-j \"X #\"  # why \n";
	struct arena *arena = arena_new(0);
	struct policy_rules rules;
	struct diags diags;

	(void)state;
	diags_init(&diags);
	assert_int_equal(
		policy_parse("f", text, sizeof(text) - 1, NULL, arena, &rules, &diags),
		0);
	assert_int_equal(rules.n, 1);
	assert_string_equal(rules.items[0].text, "-A  INPUT\t-j \"X #\"");
	assert_int_equal(rules.n_tokens, 4);
	arena_free(arena);
}

static void
quotes_group_words_and_keep_everything_literal(void **state)
{
	(void)state;
	check("[iptables]\n-A A \"FW: \" 'a \"b\" \\c' x\"y z\"w \"\" --opt=\"1 2\"\n",
		"ip 2: -A|A|'FW: '|'a \"b\" \\c'|xy zw|''|--opt=1 2\n", "");
}

static void
backslash_escapes_inside_double_quotes_only(void **state)
{
	(void)state;
	check("[iptables]\n-A A \"a\\\"b\\\\c\\d\" 'a\\' a\\b\n",
		"ip 2: -A|A|'a\"b\\cd'|'a\\'|a\\b\n", "");
}

static void
quote_without_end_is_an_error(void **state)
{
	(void)state;
	check("[iptables]\n-A A \"x\n-A B 'x # y\n-A C \"x\\\"\n-A D\n", "ip 5: -A|D\n",
		"f:2: quote without end: -A A \"x\n"
		"f:3: quote without end: -A B 'x # y\n"
		"f:4: quote without end: -A C \"x\\\"\n");
}

static void
blanks_beside_commas_do_not_separate(void **state)
{
	(void)state;
	check("[iptables]\n-A INPUT, FORWARD -i a ,b , c -s 1,\t2\n",
		"ip 2: -A|INPUT,FORWARD|-i|a,b,c|-s|1,2\n", "");
}

static void
dangling_comma_does_not_swallow_an_option(void **state)
{
	(void)state;
	check("[iptables]\n-A INPUT, -j DROP\n-A ,INPUT\n-A a, ! -i x\n",
		"ip 2: -A|INPUT,|-j|DROP\nip 3: -A|,INPUT\nip 4: -A|a,|!|-i|x\n", "");
}

static void
quoted_comma_does_not_join_words(void **state)
{
	(void)state;
	check("[iptables]\n-A A --log-prefix \"x,\" y \",\" \", z\"\n",
		"ip 2: -A|A|--log-prefix|'x,'|y|','|', z'\n", "");
}

static void
variables_are_substituted_in_every_form(void **state)
{
	(void)state;
	check("INTF=swp1\nCHAIN = INPUT, FORWARD\nPORT\t=\t\"22\"  # ssh\nE= ' x '\n"
	      "[iptables]\n"
	      "-A $CHAIN -i $INTF.100 -o ${INTF}s0 --dport $PORT:${PORT} -c a$E\n",
		"ip 6: -A|INPUT,FORWARD|-i|swp1.100|-o|swp1s0|--dport|22:22|-c|a|x\n",
		"");
}

static void
variable_may_hold_several_words(void **state)
{
	(void)state;
	check("M = -p tcp --dport 80\nR = -A INPUT\n[iptables]\n$R $M\n",
		"ip 4: -A|INPUT|-p|tcp|--dport|80\n", "");
}

static void
variable_in_double_quotes_stays_one_word(void **state)
{
	(void)state;
	check("P = \"a, b \\\"c\\\" \"\n[iptables]\n-A A \"<$P>\" '$P ${Q}' "
	      "\"${P}$5\"\n",
		"ip 3: -A|A|'<a, b \"c\" >'|'$P ${Q}'|'a, b \"c\" $5'\n", "");
}

static void
nested_variables_are_substituted_when_assigned(void **state)
{
	(void)state;
	check("A = swp1\nB = $A, ${A}s0\nA = swp2\n[iptables]\n-A X -i $A -o $B\n",
		"ip 5: -A|X|-i|swp2|-o|swp1,swp1s0\n", "");
}

static void
later_assignment_holds_for_later_rules(void **state)
{
	(void)state;
	check("[iptables]\nA = 1\n-A $A\nA = 2\n-A $A\n", "ip 3: -A|1\nip 5: -A|2\n",
		"");
}

static void
single_quoted_value_is_literal(void **state)
{
	(void)state;
	check("A = 'x $B \\'\n[iptables]\n-A \"$A\"\n", "ip 3: -A|'x $B \\'\n", "");
}

static void
hash_in_a_value_is_a_comment_behind_a_blank_only(void **state)
{
	(void)state;
	check("A = a#b # c\nB = \"x # y\" # z\n[iptables]\n-A $A \"$B\"\n",
		"ip 4: -A|a#b|'x # y'\n", "");
}

static void
undefined_and_empty_variables_are_named(void **state)
{
	(void)state;
	check("E = \"\"\nF =\nG = \"  \"\n[iptables]\n-A $E\n-A $NONE ${GONE}\n-A "
	      "\"$F\"\n"
	      "-A $G\n-A ok\n",
		"ip 9: -A|ok\n",
		"f:5: variable \"E\" is empty: -A $E\n"
		"f:6: undefined variable \"NONE\": -A $NONE ${GONE}\n"
		"f:6: undefined variable \"GONE\": -A $NONE ${GONE}\n"
		"f:7: variable \"F\" is empty: -A \"$F\"\n"
		"f:8: variable \"G\" is empty: -A $G\n");
}

static void
use_above_the_assignment_names_its_line(void **state)
{
	(void)state;
	check("[iptables]\n-A $LATE\nB = 1\n  LATE = x\n-A $LATE\nLATE = y\n-A $B\n",
		"ip 5: -A|x\nip 7: -A|1\n",
		"f:2: variable \"LATE\" is used above its assignment in line 4: "
		"-A $LATE\n");
}

static void
error_in_an_assignment_is_reported_once(void **state)
{
	(void)state;
	check("A = $NONE\nB = \"x\" y\nC = 'x\nD = x'y'\n[iptables]\n"
	      "-A $A\n-A $B $C $D\n-A ok\n",
		"ip 8: -A|ok\n",
		"f:1: undefined variable \"NONE\": A = $NONE\n"
		"f:2: quotes must enclose the whole value: B = \"x\" y\n"
		"f:3: quote without end: C = 'x\n"
		"f:4: quotes must enclose the whole value: D = x'y'\n");
}

static void
dollar_without_a_name_is_an_error(void **state)
{
	(void)state;
	check("[iptables]\n-A $ x\n-A ${}\n-A ${X\n-A $1\n-A \"${X y}\"\n-A \"5 $\"\n",
		"ip 7: -A|'5 $'\n",
		"f:2: '$' without the name of a variable: -A $ x\n"
		"f:3: \"${\" without a name and '}': -A ${}\n"
		"f:4: \"${\" without a name and '}': -A ${X\n"
		"f:5: '$' without the name of a variable: -A $1\n"
		"f:6: \"${\" without a name and '}': -A \"${X y}\"\n");
}

static void
inherited_variables_are_visible_and_can_be_hidden(void **state)
{
	struct policy_var items[] = { { "A", "conf" }, { "B", "conf" } };
	const struct policy_vars inherited = { items, 2 };
	const char text[] = "B = own\n[iptables]\n-A $A -i $B\n";

	(void)state;
	check_bytes(text, sizeof(text) - 1, &inherited, "ip 3: -A|conf|-i|own\n", "");
}

static void
line_ends_of_other_systems_are_tolerated(void **state)
{
	(void)state;
	check("\xef\xbb\xbf[iptables]\r\nA = x\r\n-A $A -j DROP\r\n\r\n# c\r\n-A y\r",
		"ip 3: -A|x|-j|DROP\nip 6: -A|y\n", "");
}

static void
control_characters_are_errors(void **state)
{
	const char text[] = "[iptables]\n-A a\0b\n-A \x1b[m\n-A x\ry\n-A \x7f\n# \x01\n"
			    "-A ok\tz\n";

	(void)state;
	check_bytes(text, sizeof(text) - 1, NULL, "ip 7: -A|ok|z\n",
		"f:2: control character 0x00 in column 5\n"
		"f:3: control character 0x1b in column 4\n"
		"f:4: control character 0x0d in column 5\n"
		"f:5: control character 0x7f in column 4\n"
		"f:6: control character 0x01 in column 3\n");
}

/* "[iptables]\n" and one line: @prefix, @n times @unit. */
static char *
long_line(const char *prefix, const char *unit, size_t n, const char *suffix)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(prefix, out);
	while (n-- > 0)
		fputs(unit, out);
	fputs(suffix, out);
	fclose(out);
	return text;
}

/* Parse @text (freed) and compare the number of rules and the problems. */
static void
check_count(char *text, size_t expected_rules, const char *expected_diags)
{
	struct arena *arena = arena_new(0);
	struct policy_rules rules;
	struct diags diags;
	char *dump;

	diags_init(&diags);
	(void)policy_parse("f", text, strlen(text), NULL, arena, &rules, &diags);
	free(text);
	for (size_t i = 0; i < diags.n; i++) {
		free(diags.items[i].rule);
		diags.items[i].rule = NULL;
	}
	dump = dump_diags(&diags);
	assert_string_equal(dump, expected_diags);
	assert_int_equal(rules.n, expected_rules);
	free(dump);
	diags_done(&diags);
	arena_free(arena);
}

static void
line_of_full_length_fits_and_a_longer_one_is_an_error(void **state)
{
	(void)state;
	check_count(long_line("[iptables]\n-A ", "x", POLICY_LINE_MAX - 3, "\n-A y"), 2,
		"");
	check_count(long_line("[iptables]\n-A ", "x", POLICY_LINE_MAX - 2, "\n-A y"), 1,
		"f:2: line of 16385 bytes is longer than 16384\n");
}

static void
substitution_over_the_line_length_is_an_error(void **state)
{
	(void)state;
	check_count(long_line("A = ", "x", 4096,
			    "\n[iptables]\n-A $A$A$A\n-A $A$A$A$A\nB = $A$A$A$A\n"
			    "B = $A$A$A$A$A\n-A $B\n"),
		1,
		"f:4: longer than 16384 bytes with its variables\n"
		"f:6: longer than 16384 bytes with its variables\n");
}

static void
comma_behind_an_overflow_is_harmless(void **state)
{
	(void)state;
	check_count(long_line("A = ", "x", 16000,
			    "\n[iptables]\n-A $A$A, b ,c \"d\" , $A, $A\n-A ok\n"),
		1, "f:3: longer than 16384 bytes with its variables\n");
}

static void
too_many_words_are_an_error(void **state)
{
	(void)state;
	check_count(
		long_line("[iptables]\n-A", " x", POLICY_TOKENS_MAX - 1, ""), 1, "");
	check_count(long_line("[iptables]\n-A", " x", POLICY_TOKENS_MAX, "\n-A y"), 1,
		"f:2: more than 512 words\n");
}

static void
too_many_variables_are_an_error(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (int i = 0; i < POLICY_VARS_MAX; i++)
		fprintf(out, "V%d = %d\n", i, i);
	fputs("V7 = again\nONE_MORE = 1\n[iptables]\n-A $V7 $V4095\n", out);
	fclose(out);
	check_count(text, 1, "f:4098: more than 4096 variables\n");
}

static void
file_that_grows_too_much_is_given_up(void **state)
{
	char *text = long_line("A = ", "x", 16000, "\n[iptables]\n");
	char *rules = long_line(text, "-A $A\n", 2000, "");

	(void)state;
	free(text);
	check_count(rules, 1047,
		"f:1050: the file is longer than 16777216 bytes with its "
		"variables; what follows was not read\n");
}

static void
file_over_the_maximum_is_refused(void **state)
{
	(void)state;
	check_count(long_line("", "#xxxxxx\n", POLICY_FILE_MAX / 8, ""), 0, "");
	check_count(long_line("", "#xxxxxx\n", POLICY_FILE_MAX / 8, "\n"), 0,
		"f: file of 4194305 bytes is larger than 4194304\n");
}

static void
out_of_memory_is_reported_as_such(void **state)
{
	const char text[] =
		"A = x\n[iptables]\n-A $A -j DROP\n-A b\n-A c\n-A d\n-A e\n";
	struct policy_rules rules;
	struct diags diags;
	int result = -ENOMEM;

	(void)state;
	diags_init(&diags);
	for (size_t limit = 16; result == -ENOMEM; limit += 16) {
		struct arena *arena = arena_new(limit);

		assert_true(limit < 4096);
		result = policy_parse(
			"f", text, sizeof(text) - 1, NULL, arena, &rules, &diags);
		arena_free(arena);
	}
	assert_int_equal(result, 0);
	assert_int_equal(diags.n, 0);
}

static void
names_of_variables(void **state)
{
	(void)state;
	assert_true(policy_is_var_name("A", 1));
	assert_true(policy_is_var_name("_a1Z", 4));
	assert_false(policy_is_var_name("", 0));
	assert_false(policy_is_var_name("1A", 2));
	assert_false(policy_is_var_name("A-B", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_file_has_no_rules),
		cmocka_unit_test(sections_may_come_in_any_order_and_again),
		cmocka_unit_test(section_tag_may_be_indented_and_followed_by_a_comment),
		cmocka_unit_test(rule_may_stand_behind_the_tag),
		cmocka_unit_test(assignment_may_stand_behind_the_tag),
		cmocka_unit_test(
			unknown_section_is_an_error_and_its_rules_are_left_out),
		cmocka_unit_test(section_tag_without_end_is_an_error),
		cmocka_unit_test(every_rule_above_the_first_section_is_an_error),
		cmocka_unit_test(other_lines_are_errors),
		cmocka_unit_test(comments_end_a_rule_but_not_inside_a_word_or_quotes),
		cmocka_unit_test(rule_text_is_trimmed_and_without_comment),
		cmocka_unit_test(quotes_group_words_and_keep_everything_literal),
		cmocka_unit_test(backslash_escapes_inside_double_quotes_only),
		cmocka_unit_test(quote_without_end_is_an_error),
		cmocka_unit_test(blanks_beside_commas_do_not_separate),
		cmocka_unit_test(dangling_comma_does_not_swallow_an_option),
		cmocka_unit_test(quoted_comma_does_not_join_words),
		cmocka_unit_test(variables_are_substituted_in_every_form),
		cmocka_unit_test(variable_may_hold_several_words),
		cmocka_unit_test(variable_in_double_quotes_stays_one_word),
		cmocka_unit_test(nested_variables_are_substituted_when_assigned),
		cmocka_unit_test(later_assignment_holds_for_later_rules),
		cmocka_unit_test(single_quoted_value_is_literal),
		cmocka_unit_test(hash_in_a_value_is_a_comment_behind_a_blank_only),
		cmocka_unit_test(undefined_and_empty_variables_are_named),
		cmocka_unit_test(use_above_the_assignment_names_its_line),
		cmocka_unit_test(error_in_an_assignment_is_reported_once),
		cmocka_unit_test(dollar_without_a_name_is_an_error),
		cmocka_unit_test(inherited_variables_are_visible_and_can_be_hidden),
		cmocka_unit_test(line_ends_of_other_systems_are_tolerated),
		cmocka_unit_test(control_characters_are_errors),
		cmocka_unit_test(line_of_full_length_fits_and_a_longer_one_is_an_error),
		cmocka_unit_test(substitution_over_the_line_length_is_an_error),
		cmocka_unit_test(comma_behind_an_overflow_is_harmless),
		cmocka_unit_test(too_many_words_are_an_error),
		cmocka_unit_test(too_many_variables_are_an_error),
		cmocka_unit_test(file_that_grows_too_much_is_given_up),
		cmocka_unit_test(file_over_the_maximum_is_refused),
		cmocka_unit_test(out_of_memory_is_reported_as_such),
		cmocka_unit_test(names_of_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
