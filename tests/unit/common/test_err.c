/*
 * test_err.c - one line of text with an error code: formatting, cutting, prefixes.
 */
#include "common/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
text_and_code_are_kept(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "rule %d: %s", 7, "bad"), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "rule 7: bad");
}

static void
system_reason_is_added(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_sys(&err, -ENOENT, "cannot open %s", "/x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "cannot open /x: No such file or directory");
}

static void
prefix_stands_in_front(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, -EINVAL, "no port");
	assert_int_equal(err_prefix(&err, "%s:%d", "a.rules", 3), -EINVAL);
	assert_string_equal(err.text, "a.rules:3: no port");
	assert_int_equal(err.code, -EINVAL);
}

static void
prefix_of_no_error_changes_nothing(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_prefix(&err, "swp1"), 0);
	assert_string_equal(err.text, "");
}

static void
null_gives_only_the_code(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EPERM, "x"), -EPERM);
	assert_int_equal(err_sys(NULL, -EPERM, "x"), -EPERM);
	assert_true(err_prefix(NULL, "x") < 0);
	err_clear(NULL);
}

static void
long_text_is_cut_with_its_nul(void **state)
{
	char big[2 * ERR_TEXT_SIZE];
	struct err err;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
	err_sys(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
	err_prefix(&err, "front");
	assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
	assert_memory_equal(err.text, "front: xxx", 10);
	err_prefix(&err, "%s", big);
	assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
}

static void
control_characters_are_replaced(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, -EINVAL, "a\nb\x1b[31m\x7f%c", '\t');
	assert_string_equal(err.text, "a?b?[31m??");
}

static void
cleared_error_is_none(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, -EINVAL, "x");
	err_clear(&err);
	assert_int_equal(err.code, 0);
	assert_string_equal(err.text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_code_are_kept),
		cmocka_unit_test(system_reason_is_added),
		cmocka_unit_test(prefix_stands_in_front),
		cmocka_unit_test(prefix_of_no_error_changes_nothing),
		cmocka_unit_test(null_gives_only_the_code),
		cmocka_unit_test(long_text_is_cut_with_its_nul),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(cleared_error_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
