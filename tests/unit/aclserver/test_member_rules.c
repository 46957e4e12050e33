/*
 * test_member_rules.c - which rules are said to name a member of a bond.
 */
#include "aclserver/member_rules.h"

#include "compile_check.h"

static struct link_member members[] = { { "swp5", "bond0" }, { "swp6", "bond0" } };
static const struct bridge_links links = { .members = members, .n_members = 2 };

/* Compile @text and compare the warnings, one per line: "line reason". */
static void
check_warnings(const char *section, const char *text, const char *warnings)
{
	struct compiled c = compile(section, text, COMPILE_ROUTED);
	struct diags diags;
	char all[512] = "";

	diags_init(&diags);
	assert_int_equal(c.result, 0);
	assert_int_equal(member_rules_warn(&c.file, &links, "10a.rules", &diags), 0);
	for (size_t i = 0; i < diags.n; i++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%d %s\n", diags.items[i].line,
			diags.items[i].reason);
	}
	assert_string_equal(all, warnings);
	diags_done(&diags);
	compiled_done(&c);
}

static void
each_member_is_named_once_with_its_first_rule(void **state)
{
	(void)state;
	check_warnings("iptables",
		"-A INPUT -i swp1 -j DROP\n"
		"-A INPUT -i swp1,swp5 -j DROP\n"
		"-t mangle -A PREROUTING -i swp5 -j DROP\n"
		"-A FORWARD -o swp6 -j DROP",
		"3 swp5 is a member of bond0, and packets come and go by that: name "
		"bond0 instead\n"
		"5 swp6 is a member of bond0, and packets come and go by that: name "
		"bond0 instead\n");
	check_warnings("ebtables", "-A FORWARD -i swp6 -j DROP",
		"2 swp6 is a member of bond0, and packets come and go by that: name "
		"bond0 instead\n");
}

static void
rules_that_work_are_not_named(void **state)
{
	(void)state;
	check_warnings("iptables", "-A FORWARD -i swp+ -j DROP", "");
	check_warnings("iptables", "-A FORWARD ! -i swp5 -j DROP", "");
	check_warnings("iptables", "-A FORWARD -i bond0 -j DROP", "");
	check_warnings("iptables", "-A FORWARD -i swp5 -j SPAN --dport swp9", "");
}

static void
without_bonds_nothing_is_said(void **state)
{
	const struct bridge_links none = { 0 };
	struct compiled c = compile("iptables", "-A FORWARD -i swp5 -j DROP", 0);
	struct diags diags;

	(void)state;
	diags_init(&diags);
	assert_int_equal(member_rules_warn(&c.file, &none, "10a.rules", &diags), 0);
	assert_int_equal(diags.n, 0);
	compiled_done(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_is_named_once_with_its_first_rule),
		cmocka_unit_test(rules_that_work_are_not_named),
		cmocka_unit_test(without_bonds_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
