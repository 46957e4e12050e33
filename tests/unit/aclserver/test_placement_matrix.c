/*
 * test_placement_matrix.c - the page of which chain sees which packets is that of the
 * code. With the argument "--print" it prints the page instead.
 */
#include "aclserver/placement_matrix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
the_page_is_what_the_code_does(void **state)
{
	static char want[PLACEMENT_MATRIX_SIZE], have[PLACEMENT_MATRIX_SIZE];
	FILE *f = fopen(TEST_DATA "/../aclserver/placement.md", "r");
	size_t len;

	(void)state;
	assert_non_null(f);
	len = fread(have, 1, sizeof(have) - 1, f);
	fclose(f);
	have[len] = '\0';
	assert_true(placement_matrix(want, sizeof(want)) < sizeof(want) - 1);
	assert_string_equal(have, want);
}

static void
a_page_that_does_not_fit_is_cut(void **state)
{
	char text[100];

	(void)state;
	assert_int_equal(placement_matrix(text, sizeof(text)), sizeof(text) - 1);
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

int
main(int argc, char **argv)
{
	static char page[PLACEMENT_MATRIX_SIZE];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_what_the_code_does),
		cmocka_unit_test(a_page_that_does_not_fit_is_cut),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		placement_matrix(page, sizeof(page));
		return fputs(page, stdout) < 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
