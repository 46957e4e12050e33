/*
 * test_drop_limit.c - limits and the breaker, with a clock that the test sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/drop_limit.h"

static const struct mono start = { 1000000000 };

static unsigned
pass_many(struct drop_limit *l, enum sflow_reason reason, unsigned n, struct mono now)
{
	unsigned passed = 0;

	while (n-- > 0)
		passed += drop_limit_pass(l, reason, now);
	return passed;
}

static void
a_reason_gets_its_share_and_no_more(void **state)
{
	struct drop_limit l;

	(void)state;
	drop_limit_init(&l, 100, 0, start);
	assert_int_equal(pass_many(&l, SFLOW_REASON_ACL, 1000, start), 25);
	assert_int_equal(
		pass_many(&l, SFLOW_REASON_ACL, 1000, mono_add_ms(start, 1000)), 25);
	drop_limit_init(&l, 100, 60, start);
	assert_int_equal(pass_many(&l, SFLOW_REASON_ACL, 1000, start), 60);
}

static void
all_together_keep_the_limit(void **state)
{
	struct drop_limit l;
	unsigned passed = 0;

	(void)state;
	drop_limit_init(&l, 100, 0, start);
	for (int code = 256; code <= 372; code++)
		passed += pass_many(&l, (enum sflow_reason)code, 50, start);
	assert_int_equal(passed, 100);
}

static void
a_rare_reason_is_told_in_a_storm_of_others(void **state)
{
	struct drop_limit l;
	struct mono now = start;

	(void)state;
	drop_limit_init(&l, 100, 100, start);
	for (int second = 0; second < 5; second++) {
		pass_many(&l, SFLOW_REASON_ACL, 5000, now);
		pass_many(&l, SFLOW_REASON_UNKNOWN_L3, 5000, now);
		assert_true(drop_limit_pass(&l, SFLOW_REASON_PORT_UNREACHABLE, now));
		assert_true(drop_limit_pass(&l, SFLOW_REASON_TTL_EXCEEDED, now));
		now = mono_add_ms(now, 1000);
	}
}

static void
a_limit_of_one_lets_one_pass(void **state)
{
	struct drop_limit l;

	(void)state;
	drop_limit_init(&l, 1, 0, start);
	assert_int_equal(pass_many(&l, SFLOW_REASON_ACL, 9, start), 1);
	assert_int_equal(pass_many(&l, SFLOW_REASON_RED, 9, start), 0);
	assert_int_equal(
		pass_many(&l, SFLOW_REASON_RED, 9, mono_add_ms(start, 1000)), 1);
}

static void
codes_that_do_not_exist_share_one_place(void **state)
{
	struct drop_limit l;

	(void)state;
	drop_limit_init(&l, 8, 0, start);
	assert_int_equal(pass_many(&l, (enum sflow_reason)100, 9, start), 2);
	assert_int_equal(pass_many(&l, (enum sflow_reason)100000, 9, start), 0);
	assert_int_equal(pass_many(&l, SFLOW_REASON_UNKNOWN, 9, start), 0);
	assert_int_equal(pass_many(&l, SFLOW_REASON_BGP_FLOWSPEC, 9, start), 2);
}

static void
the_breaker_opens_after_seconds_in_a_row_and_closes_again(void **state)
{
	struct drop_breaker b;

	(void)state;
	drop_breaker_init(&b, 100, 2);
	assert_int_equal(drop_breaker_second(&b, 101), DROP_BREAKER_STAYS);
	assert_int_equal(drop_breaker_second(&b, 100), DROP_BREAKER_STAYS);
	assert_int_equal(drop_breaker_second(&b, 101), DROP_BREAKER_STAYS);
	assert_int_equal(drop_breaker_second(&b, 101), DROP_BREAKER_OPENS);
	assert_int_equal(b.opened, 1);
	for (int i = 1; i < DROP_BREAKER_FIRST_S; i++)
		assert_int_equal(drop_breaker_second(&b, 0), DROP_BREAKER_STAYS);
	assert_int_equal(drop_breaker_second(&b, 0), DROP_BREAKER_CLOSES);
	assert_int_equal(b.left_s, 0);
}

/* How many seconds it stays open when it opens now. */
static unsigned
storm(struct drop_breaker *b)
{
	unsigned s = 1;

	assert_int_equal(drop_breaker_second(b, 1000), DROP_BREAKER_OPENS);
	while (drop_breaker_second(b, 0) != DROP_BREAKER_CLOSES)
		s++;
	return s;
}

static void
storms_that_follow_one_another_stop_it_longer_and_longer(void **state)
{
	struct drop_breaker b;

	(void)state;
	drop_breaker_init(&b, 100, 1);
	assert_int_equal(storm(&b), DROP_BREAKER_FIRST_S);
	assert_int_equal(storm(&b), 2 * DROP_BREAKER_FIRST_S);
	for (int i = 0; i < 10; i++)
		(void)storm(&b);
	assert_int_equal(storm(&b), DROP_BREAKER_MOST_S);
	for (int i = 0; i < DROP_BREAKER_CALM_S; i++)
		assert_int_equal(drop_breaker_second(&b, 10), DROP_BREAKER_STAYS);
	assert_int_equal(storm(&b), DROP_BREAKER_FIRST_S);
}

static void
without_a_maximum_it_never_opens(void **state)
{
	struct drop_breaker b;

	(void)state;
	drop_breaker_init(&b, 0, 1);
	assert_int_equal(drop_breaker_second(&b, UINT64_MAX), DROP_BREAKER_STAYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reason_gets_its_share_and_no_more),
		cmocka_unit_test(all_together_keep_the_limit),
		cmocka_unit_test(a_rare_reason_is_told_in_a_storm_of_others),
		cmocka_unit_test(a_limit_of_one_lets_one_pass),
		cmocka_unit_test(codes_that_do_not_exist_share_one_place),
		cmocka_unit_test(
			the_breaker_opens_after_seconds_in_a_row_and_closes_again),
		cmocka_unit_test(
			storms_that_follow_one_another_stop_it_longer_and_longer),
		cmocka_unit_test(without_a_maximum_it_never_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
