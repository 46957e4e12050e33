/*
 * test_if_history.c - counters that begin anew are noticed, derived ones never go back.
 */
#include "agent/if_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct if_counters
counters(uint64_t octets, uint64_t unicast)
{
	struct if_counters c = {
		.in = { octets, unicast, 1, COUNTER_UNKNOWN, 0, 0 },
		.out = { octets, unicast, 1, COUNTER_UNKNOWN, 0, 0 },
	};

	return c;
}

static void
first_reading_and_growth_are_nothing_new(void **state)
{
	struct if_counters a = counters(1000, 10), b = counters(1000, 10),
			   c = counters(2000, 20);
	struct if_history h = { .is_valid = false };

	(void)state;
	assert_false(if_history_update(&h, &a));
	assert_false(if_history_update(&h, &b));
	assert_false(if_history_update(&h, &c));
	assert_int_equal(c.in.unicast, 20);
}

static void
fewer_octets_are_counters_that_began_anew(void **state)
{
	struct if_counters a = counters(1000, 10), b = counters(1000, 10),
			   c = counters(1000, 3);
	struct if_history h = { .is_valid = false };

	(void)state;
	(void)if_history_update(&h, &a);
	b.out.octets = 999;
	assert_true(if_history_update(&h, &b));
	c.out.octets = 999;
	c.in.octets = 5;
	assert_true(if_history_update(&h, &c));
	/* From here on the new counters are compared with each other. */
	assert_int_equal(c.in.unicast, 3);
	assert_false(if_history_update(&h, &c));
}

static void
unicast_stays_where_it_was_rather_than_going_back(void **state)
{
	struct if_counters a = counters(1000, 10), b = counters(1064, 9),
			   c = counters(1128, 11);
	struct if_history h = { .is_valid = false };

	(void)state;
	(void)if_history_update(&h, &a);
	assert_false(if_history_update(&h, &b));
	assert_int_equal(b.in.unicast, 10);
	assert_int_equal(b.out.unicast, 10);
	assert_false(if_history_update(&h, &c));
	assert_int_equal(c.in.unicast, 11);
}

static void
counter_that_becomes_known_begins_anew(void **state)
{
	struct if_counters a = counters(1000, 10), b = counters(1000, 7);
	struct if_history h = { .is_valid = false };

	(void)state;
	(void)if_history_update(&h, &a);
	b.in.broadcast = 3;
	assert_true(if_history_update(&h, &b));
	assert_int_equal(b.in.unicast, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_reading_and_growth_are_nothing_new),
		cmocka_unit_test(fewer_octets_are_counters_that_began_anew),
		cmocka_unit_test(unicast_stays_where_it_was_rather_than_going_back),
		cmocka_unit_test(counter_that_becomes_known_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
