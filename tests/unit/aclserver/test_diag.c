/*
 * test_diag.c - problems keep file, line and rule; what is not kept is counted.
 */
#include "aclserver/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
assert_formats(const struct diag *item, const char *expected)
{
	char *text = diag_format(item);

	assert_string_equal(text, expected);
	free(text);
}

static void
problems_are_formatted_with_file_line_and_rule(void **state)
{
	struct diags d;

	(void)state;
	diags_init(&d);
	diags_add(&d, DIAG_ERROR, "a.rules", 3, "-A INPUT -x", "unknown option \"%s\"",
		"-x");
	diags_add(&d, DIAG_WARNING, "b.rules", 0, NULL, "empty file");
	assert_int_equal(d.n, 2);
	assert_int_equal(d.errors, 1);
	assert_int_equal(d.warnings, 1);
	assert_formats(&d.items[0], "a.rules:3: unknown option \"-x\": -A INPUT -x");
	assert_formats(&d.items[1], "b.rules: warning: empty file");
	diags_done(&d);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.errors, 0);
}

static void
largest_line_number_is_shown_in_full(void **state)
{
	struct diags d;

	(void)state;
	diags_init(&d);
	diags_add(&d, DIAG_ERROR, "f", INT32_MAX, NULL, "r");
	assert_formats(&d.items[0], "f:2147483647: r");
	diags_done(&d);
}

static void
control_characters_become_question_marks(void **state)
{
	struct diags d;

	(void)state;
	diags_init(&d);
	diags_add(&d, DIAG_ERROR, "a\nb", 1, "x\ty\x7f", "r\x1b[31m\xc3\xa4");
	assert_string_equal(d.items[0].file, "a?b");
	assert_string_equal(d.items[0].rule, "x?y?");
	assert_string_equal(d.items[0].reason, "r?[31m\xc3\xa4");
	diags_done(&d);
}

static void
problems_over_the_maximum_are_counted_only(void **state)
{
	struct diags d;

	(void)state;
	diags_init(&d);
	for (int i = 0; i < DIAGS_MAX + 5; i++)
		diags_add(&d, DIAG_ERROR, "f", i + 1, NULL, "problem %d", i);
	assert_int_equal(d.n, DIAGS_MAX);
	assert_int_equal(d.errors, DIAGS_MAX + 5);
	assert_int_equal(d.omitted, 5);
	assert_int_equal(d.items[DIAGS_MAX - 1].line, DIAGS_MAX);
	diags_done(&d);
}

static void
move_appends_in_order_and_empties_the_source(void **state)
{
	struct diags to, from;

	(void)state;
	diags_init(&to);
	diags_init(&from);
	diags_add(&to, DIAG_ERROR, "a", 1, NULL, "first");
	diags_add(&from, DIAG_WARNING, "b", 2, "rule", "second");
	diags_add(&from, DIAG_ERROR, "c", 3, NULL, "third");
	diags_move(&to, &from);
	assert_int_equal(to.n, 3);
	assert_int_equal(to.errors, 2);
	assert_int_equal(to.warnings, 1);
	assert_string_equal(to.items[1].reason, "second");
	assert_string_equal(to.items[2].file, "c");
	assert_int_equal(from.n, 0);
	assert_int_equal(from.errors, 0);
	assert_null(from.items);
	diags_done(&to);
	diags_done(&from);
}

static void
move_over_the_maximum_counts_what_is_lost(void **state)
{
	struct diags to, from;

	(void)state;
	diags_init(&to);
	diags_init(&from);
	for (int i = 0; i < DIAGS_MAX - 1; i++)
		diags_add(&to, DIAG_ERROR, "a", 1, NULL, "x");
	for (int i = 0; i < 4; i++)
		diags_add(&from, DIAG_WARNING, "b", i, NULL, "y");
	from.omitted = 2;
	diags_move(&to, &from);
	assert_int_equal(to.n, DIAGS_MAX);
	assert_int_equal(to.omitted, 5);
	assert_int_equal(to.warnings, 4);
	diags_done(&to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(problems_are_formatted_with_file_line_and_rule),
		cmocka_unit_test(largest_line_number_is_shown_in_full),
		cmocka_unit_test(control_characters_become_question_marks),
		cmocka_unit_test(problems_over_the_maximum_are_counted_only),
		cmocka_unit_test(move_appends_in_order_and_empties_the_source),
		cmocka_unit_test(move_over_the_maximum_counts_what_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
