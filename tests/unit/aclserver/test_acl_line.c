/*
 * test_acl_line.c - rules of the kernel that are one rule of the policy become one
 * line, and rules that only read the same do not.
 */
#include "aclserver/acl_line.h"

#include <stdio.h>
#include <stdlib.h>

#include "compile_check.h"

enum { RULES_MAX = 8 };

struct given {
	enum place place;
	const char *text;
	int line;
	bool is_part;
};

/* The lines of the rules @given, which stand in the kernel in that order; the n-th of
 * them has counted 10^n packets. */
static size_t
lines_of(const struct given *given, size_t n, struct acl_line **ret)
{
	static struct kernel_rule_info items[RULES_MAX];
	struct kernel_rules rules = { .items = items, .n = n };
	const struct acl_known known = { 0 };
	size_t n_lines = 0;
	uint64_t packets = 1;

	for (size_t i = 0; i < n; i++, packets *= 10) {
		items[i] = (struct kernel_rule_info){
			.place = given[i].place,
			.id = "10a",
			.order = i,
			.packets = packets,
		};
		items[i].tag.section = POLICY_SECTION_IPTABLES;
		items[i].tag.line = given[i].line;
		items[i].tag.is_part = given[i].is_part;
		snprintf(items[i].tag.text, sizeof(items[i].tag.text), "%s",
			given[i].text);
	}
	assert_int_equal(
		acl_lines_make(&rules, POLICY_SECTION_IPTABLES, &known, ret, &n_lines),
		0);
	return n_lines;
}

static void
a_rule_in_several_places_is_one_line(void **state)
{
	const struct given given[] = {
		{ 0, "-A FORWARD -j DROP", 2, false },
		{ 0, "-A FORWARD -j DROP", 2, true },
		{ 1, "-A FORWARD -j DROP", 2, false },
		{ 1, "-A FORWARD -j DROP", 2, true },
	};
	struct acl_line *lines;

	(void)state;
	assert_int_equal(lines_of(given, 4, &lines), 1);
	assert_int_equal(lines[0].packets, 1111);
	free(lines);
}

static void
rules_that_read_the_same_keep_their_counters_apart(void **state)
{
	/* As after a line was inserted above: what stayed has the old numbers. */
	const struct given given[] = {
		{ 0, "-A FORWARD -p tcp", 3, false },
		{ 0, "-A FORWARD -p tcp", 3, true },
		{ 0, "-A FORWARD -p udp", 3, false },
		{ 0, "-A FORWARD -p tcp", 3, false },
		{ 0, "-A FORWARD -p tcp", 4, true },
		{ 1, "-A FORWARD -p tcp", 5, false },
		{ 1, "-A FORWARD -p tcp", 3, false },
	};
	struct acl_line *lines;

	(void)state;
	assert_int_equal(lines_of(given, 7, &lines), 3);
	assert_int_equal(lines[0].packets, 100011);
	assert_string_equal(lines[1].text, "-A FORWARD -p udp");
	assert_int_equal(lines[1].packets, 100);
	assert_int_equal(lines[2].packets, 1011000);
	free(lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_in_several_places_is_one_line),
		cmocka_unit_test(rules_that_read_the_same_keep_their_counters_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
