/*
 * test_ratelimit.c - bursts, exact long-run rate, clocks that stand still or go back.
 */
#include "common/ratelimit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct mono
at_ns(int64_t ns)
{
	return (struct mono){ ns };
}

/* How many of @n attempts at the same moment pass. */
static unsigned
passes(struct ratelimit *r, unsigned n, struct mono now)
{
	unsigned count = 0;

	while (n--)
		count += ratelimit_pass(r, now);
	return count;
}

static void
burst_passes_then_nothing(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, 10, 5, at_ns(1000));
	assert_int_equal(passes(&r, 20, at_ns(1000)), 5);
	assert_int_equal(ratelimit_take_refused(&r), 15);
	assert_int_equal(ratelimit_take_refused(&r), 0);
}

static void
token_is_gained_exactly_on_time(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, 10, 1, at_ns(0));
	assert_true(ratelimit_pass(&r, at_ns(0)));
	assert_false(ratelimit_pass(&r, at_ns(99999999)));
	assert_true(ratelimit_pass(&r, at_ns(100000000)));
}

static void
odd_rate_is_exact_in_the_long_run(void **state)
{
	struct ratelimit r;
	unsigned count = 0;

	(void)state;
	ratelimit_init(&r, 7, 1, at_ns(0));
	for (int64_t ns = 0; ns < INT64_C(100000000000); ns += 1000003)
		count += ratelimit_pass(&r, at_ns(ns));
	/* The full bucket plus 7 per second for 100 s, the last token not yet there. */
	assert_int_equal(count, 700);
}

static void
long_pause_fills_the_bucket_only(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, UINT32_MAX, 3, at_ns(0));
	assert_int_equal(passes(&r, 5, at_ns(0)), 3);
	assert_int_equal(passes(&r, 5, at_ns(INT64_MAX)), 3);
}

static void
largest_bucket_does_not_wrap(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, UINT32_MAX, UINT32_MAX, at_ns(0));
	assert_int_equal(passes(&r, 1000, at_ns(0)), 1000);
	assert_int_equal(passes(&r, 1000, at_ns(INT64_MAX)), 1000);
}

static void
zero_rate_gives_the_burst_once(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, 0, 2, at_ns(0));
	assert_int_equal(passes(&r, 3, at_ns(0)), 2);
	assert_int_equal(passes(&r, 3, at_ns(INT64_MAX)), 0);
}

static void
clock_going_back_gains_nothing(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, 1000, 1, at_ns(5000000000));
	assert_true(ratelimit_pass(&r, at_ns(5000000000)));
	assert_false(ratelimit_pass(&r, at_ns(1000000000)));
	assert_false(ratelimit_pass(&r, at_ns(5000000000)));
	assert_true(ratelimit_pass(&r, at_ns(5001000000)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_passes_then_nothing),
		cmocka_unit_test(token_is_gained_exactly_on_time),
		cmocka_unit_test(odd_rate_is_exact_in_the_long_run),
		cmocka_unit_test(long_pause_fills_the_bucket_only),
		cmocka_unit_test(largest_bucket_does_not_wrap),
		cmocka_unit_test(zero_rate_gives_the_burst_once),
		cmocka_unit_test(clock_going_back_gains_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
