/*
 * test_policy_conf.c - policy.conf: includes and variables, nothing else.
 */
#include "aclserver/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_dump.h"

/* "LINE:PATTERN" or "LINE*PATTERN" for a glob, then "NAME=VALUE", one per line. */
static char *
dump_conf(const struct policy_conf *conf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < conf->n_includes; i++) {
		const struct policy_include *include = &conf->includes[i];

		fprintf(out, "%d%c%s\n", include->line, include->is_glob ? '*' : ':',
			include->pattern);
	}
	for (size_t i = 0; i < conf->vars.n; i++)
		fprintf(out, "%s=%s\n", conf->vars.items[i].name,
			conf->vars.items[i].value);
	fclose(out);
	return text;
}

static void
check(const char *text, const char *expected_conf, const char *expected_diags)
{
	struct arena *arena = arena_new(0);
	struct policy_conf conf = { 0 };
	struct diags diags;
	char *dump;
	int result;

	diags_init(&diags);
	result = policy_conf_parse("c", text, strlen(text), arena, &conf, &diags);
	dump = dump_diags(&diags);
	assert_string_equal(dump, expected_diags);
	assert_int_equal(result, *expected_diags ? -EINVAL : 0);
	free(dump);
	dump = dump_conf(&conf);
	assert_string_equal(dump, expected_conf);
	free(dump);
	diags_done(&diags);
	arena_free(arena);
}

static void
shipped_file_includes_one_glob(void **state)
{
	(void)state;
	check("#\n# This file is a master file for acl policy file inclusion\n#\n\n"
	      "include /etc/cumulus/acl/policy.d/*.rules\n",
		"5*/etc/cumulus/acl/policy.d/*.rules\n", "");
}

static void
includes_keep_their_order(void **state)
{
	(void)state;
	check("include b\ninclude\ta # why\n  include \"with blank\"\ninclude [x]?\n"
	      "include c#d\n",
		"1:b\n2:a\n3:with blank\n4*[x]?\n5:c#d\n", "");
}

static void
variables_are_sorted_by_name_and_the_last_assignment_wins(void **state)
{
	(void)state;
	check("B = 2\nA = 1\nAB = $A$B\nB = \"x y\"\ninclude $A/*.rules",
		"5*1/*.rules\nA=1\nAB=12\nB=x y\n", "");
}

static void
empty_file_includes_nothing(void **state)
{
	(void)state;
	check("", "", "");
}

static void
every_wrong_line_is_reported(void **state)
{
	(void)state;
	check("include\ninclude a b\ninclude = x\nincludes x\n[iptables]\n-A INPUT\n"
	      "include \"x\ninclude $NO\ninclude \"\"\ninclude # x\n",
		"",
		"c:1: include without a path: include\n"
		"c:2: one path per include line; a path with blanks needs "
		"quotes: "
		"include a b\n"
		"c:3: \"include\" is followed by a path, not by '=': include = "
		"x\n"
		"c:4: expected \"include PATH\" or NAME = VALUE: includes x\n"
		"c:5: expected \"include PATH\" or NAME = VALUE: [iptables]\n"
		"c:6: expected \"include PATH\" or NAME = VALUE: -A INPUT\n"
		"c:7: quote without end: include \"x\n"
		"c:8: undefined variable \"NO\": include $NO\n"
		"c:9: include without a path: include \"\"\n"
		"c:10: include without a path: include # x\n");
}

static void
path_may_begin_with_an_equals_sign_in_quotes(void **state)
{
	(void)state;
	check("include \"=x\"\n", "1:=x\n", "");
}

static void
out_of_memory_is_reported_as_such(void **state)
{
	const char text[] = "A = x\ninclude $A\ninclude b\ninclude c\n";
	struct policy_conf conf;
	struct diags diags;
	int result = -ENOMEM;

	(void)state;
	diags_init(&diags);
	for (size_t limit = 16; result == -ENOMEM; limit += 16) {
		struct arena *arena = arena_new(limit);

		assert_true(limit < 4096);
		result = policy_conf_parse(
			"c", text, sizeof(text) - 1, arena, &conf, &diags);
		arena_free(arena);
	}
	assert_int_equal(result, 0);
	assert_int_equal(diags.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_file_includes_one_glob),
		cmocka_unit_test(includes_keep_their_order),
		cmocka_unit_test(
			variables_are_sorted_by_name_and_the_last_assignment_wins),
		cmocka_unit_test(empty_file_includes_nothing),
		cmocka_unit_test(every_wrong_line_is_reported),
		cmocka_unit_test(path_may_begin_with_an_equals_sign_in_quotes),
		cmocka_unit_test(out_of_memory_is_reported_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
