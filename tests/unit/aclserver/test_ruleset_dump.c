/*
 * test_ruleset_dump.c - the line for each kind of term, and lines that are too long.
 */
#include "aclserver/ruleset_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
each_kind_of_term_has_its_words(void **state)
{
	struct ruleset_range ranges[] = {
		{ { 0, 22 }, { 0, 22 } },
		{ { 0, 80 }, { 0, 90 } },
	};
	struct ruleset_term terms[] = {
		{ TERM_TEST, { .test = { .field = FIELD_IIFNAME,
				       .ifname = "swp",
				       .prefix = true } } },
		{ TERM_TEST, { .test = { .field = FIELD_TH_DPORT,
				       .negate = true,
				       .ranges = ranges,
				       .n_ranges = 2 } } },
		{ TERM_LIMIT, { .limit = { 5, 60, 10 } } },
		{ TERM_COUNTER, { .limit = { 0 } } },
		{ TERM_LOG, { .log = { "x: ", 3, 1 } } },
		{ TERM_SET_DSCP, { .dscp = { FIELD_IP_DSCP, 46 } } },
		{ TERM_VERDICT, { .verdict = RULESET_VERDICT_DROP } },
	};
	struct ruleset_rule rule = { .terms = terms, .n_terms = 7 };
	char line[RULESET_DUMP_SIZE];

	(void)state;
	rule.place = place_make(BASE_BRIDGE_FORWARD_FILTER, PLACE_GROUP_EB);
	ruleset_dump_rule(&rule, line, sizeof(line));
	assert_string_equal(line,
		"bridge/filter_forward eb: iifname == swp+; th dport not in 22,80-90; "
		"limit 5/60s burst 10; counter; log level 3 flags 1 prefix \"x: \"; ip "
		"dscp set 46; drop");
}

static void
a_line_that_does_not_fit_is_cut_and_marked(void **state)
{
	struct ruleset_term counters[8] = { { .kind = TERM_COUNTER } };
	struct ruleset_rule rule = { .terms = counters, .n_terms = 8 };
	char line[24];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		counters[i].kind = TERM_COUNTER;
	rule.place = place_make(BASE_INET_INPUT_FILTER, PLACE_GROUP_IP);
	memset(line, '#', sizeof(line));
	ruleset_dump_rule(&rule, line, sizeof(line));
	assert_string_equal(line, "inet/filter_input: c...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_term_has_its_words),
		cmocka_unit_test(a_line_that_does_not_fit_is_cut_and_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
