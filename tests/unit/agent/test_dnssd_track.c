/*
 * test_dnssd_track.c - belief, grace period and pace of a DNS question.
 */
#include "agent/dnssd_track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct dnssd_track track;
static struct mono now;

static enum dnssd_verdict
feed(enum dnssd_outcome outcome, uint32_t ttl_s)
{
	return dnssd_track_update(&track, outcome, ttl_s, now, &dnssd_default_limits);
}

static int
reset(void **state)
{
	(void)state;
	track = (struct dnssd_track){ 0 };
	now = (struct mono){ 0 };
	return 0;
}

static void
the_ttl_sets_the_pace_within_limits(void **state)
{
	(void)state;
	assert_int_equal(feed(DNSSD_FOUND, 60), DNSSD_TAKE);
	assert_int_equal(track.next_ms, 60000);
	assert_int_equal(feed(DNSSD_FOUND, 0), DNSSD_TAKE);
	assert_int_equal(track.next_ms, 10000);
	assert_int_equal(feed(DNSSD_FOUND, 604800), DNSSD_TAKE);
	assert_int_equal(track.next_ms, 86400000);
	assert_int_equal(track.news, DNSSD_NEWS_NONE);
}

static void
failures_change_nothing_for_ever_and_back_off(void **state)
{
	int64_t before = 0;

	(void)state;
	feed(DNSSD_FOUND, 60);
	assert_int_equal(feed(DNSSD_FAILED, 0), DNSSD_KEEP);
	assert_int_equal(track.news, DNSSD_NEWS_FAILING);
	assert_int_equal(track.next_ms, 2000);
	for (int i = 0; i < 1000; i++) {
		before = track.next_ms;
		now = mono_add_ms(now, track.next_ms);
		assert_int_equal(feed(DNSSD_FAILED, 0), DNSSD_KEEP);
		assert_int_equal(track.news, DNSSD_NEWS_NONE);
		assert_true(track.next_ms >= before);
	}
	assert_int_equal(track.next_ms, 300000);
	assert_int_equal(feed(DNSSD_FOUND, 60), DNSSD_TAKE);
	assert_int_equal(track.news, DNSSD_NEWS_BACK);
	assert_int_equal(feed(DNSSD_FAILED, 0), DNSSD_KEEP);
	assert_int_equal(track.next_ms, 2000);
}

static void
vanished_records_stay_for_the_grace_period(void **state)
{
	(void)state;
	feed(DNSSD_FOUND, 60);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_KEEP);
	assert_int_equal(track.news, DNSSD_NEWS_MISSING);
	assert_int_equal(track.next_ms, 30000);
	now = mono_add_ms(now, 290000);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_KEEP);
	assert_int_equal(track.news, DNSSD_NEWS_NONE);
	assert_int_equal(track.next_ms, 10000); /* just when the period ends */
	now = mono_add_ms(now, 10000);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_DROP);
	assert_int_equal(track.news, DNSSD_NEWS_GONE);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_DROP);
	assert_int_equal(track.news, DNSSD_NEWS_NONE);
	assert_int_equal(feed(DNSSD_FOUND, 60), DNSSD_TAKE);
	assert_int_equal(track.news, DNSSD_NEWS_BACK);
}

static void
a_slip_within_the_grace_period_is_forgotten(void **state)
{
	(void)state;
	feed(DNSSD_FOUND, 60);
	feed(DNSSD_ABSENT, 0);
	now = mono_add_ms(now, 200000);
	assert_int_equal(feed(DNSSD_FOUND, 60), DNSSD_TAKE);
	assert_int_equal(track.news, DNSSD_NEWS_BACK);
	now = mono_add_ms(now, 200000);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_KEEP);
	assert_int_equal(track.news, DNSSD_NEWS_MISSING);
}

static void
only_an_answer_ends_the_grace_period(void **state)
{
	(void)state;
	feed(DNSSD_FOUND, 60);
	feed(DNSSD_ABSENT, 0);
	now = mono_add_ms(now, 400000);
	assert_int_equal(feed(DNSSD_FAILED, 0), DNSSD_KEEP);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_DROP);
	assert_int_equal(track.news, DNSSD_NEWS_GONE);
}

static void
nothing_at_first_is_told_once(void **state)
{
	(void)state;
	assert_false(track.settled);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_DROP);
	assert_true(track.settled);
	assert_int_equal(track.news, DNSSD_NEWS_NEVER);
	assert_int_equal(feed(DNSSD_ABSENT, 0), DNSSD_DROP);
	assert_int_equal(track.news, DNSSD_NEWS_NONE);
	assert_int_equal(track.next_ms, 30000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_ttl_sets_the_pace_within_limits, reset),
		cmocka_unit_test_setup(
			failures_change_nothing_for_ever_and_back_off, reset),
		cmocka_unit_test_setup(
			vanished_records_stay_for_the_grace_period, reset),
		cmocka_unit_test_setup(
			a_slip_within_the_grace_period_is_forgotten, reset),
		cmocka_unit_test_setup(only_an_answer_ends_the_grace_period, reset),
		cmocka_unit_test_setup(nothing_at_first_is_told_once, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
