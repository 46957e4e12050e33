/*
 * test_poll_wheel.c - every source is due once per interval, evenly spread, and a new
 * one at once.
 */
#include "agent/poll_wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TICKS_PER_S = 1000 / POLL_TICK_MS, PORTS = 512 };

struct fixture {
	struct poll_wheel w;
	struct mono now;
};

static int
setup(void **state)
{
	static struct fixture f;

	f.now = (struct mono){ 77000000000 };
	poll_wheel_init(&f.w, f.now);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	poll_wheel_done(&f->w);
	return 0;
}

static void
set(struct fixture *f, uint32_t key, uint32_t interval_s)
{
	assert_int_equal(poll_wheel_set(&f->w, key, interval_s, f->now), 0);
}

/* One tick later; how many were due, and how often each. */
static unsigned
step(struct fixture *f, unsigned *counts)
{
	const struct poll_entry *e;
	unsigned n = 0;

	f->now = mono_add_ms(f->now, POLL_TICK_MS);
	while ((e = poll_wheel_take(&f->w, f->now))) {
		n++;
		if (counts)
			counts[e->key]++;
	}
	return n;
}

static void
new_source_is_due_in_the_next_tick(void **state)
{
	struct fixture *f = *state;
	struct mono when;

	set(f, 7, 30);
	assert_null(poll_wheel_take(&f->w, f->now));
	assert_true(poll_wheel_next(&f->w, &when));
	assert_int_equal(mono_diff_ms(f->now, when), POLL_TICK_MS);
	assert_int_equal(step(f, NULL), 1);
	assert_int_equal(step(f, NULL), 0);
}

static void
each_source_is_due_once_per_interval(void **state)
{
	unsigned counts[PORTS + 1] = { 0 };
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= PORTS; i++)
		set(f, i, 30);
	assert_int_equal(step(f, NULL), PORTS);
	/* From a multiple of the interval on, phases stand in their order. */
	while (f->w.tick % (30 * TICKS_PER_S) != 0)
		step(f, NULL);
	for (unsigned t = 0; t < 10 * 30 * TICKS_PER_S; t++)
		step(f, counts);
	for (uint32_t i = 1; i <= PORTS; i++)
		assert_int_equal(counts[i], 10);
}

static void
first_interval_is_not_longer_than_the_others(void **state)
{
	unsigned counts[PORTS + 1] = { 0 };
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= PORTS; i++)
		set(f, i, 30);
	assert_int_equal(step(f, NULL), PORTS);
	for (unsigned t = 0; t < 30 * TICKS_PER_S; t++)
		step(f, counts);
	for (uint32_t i = 1; i <= PORTS; i++)
		assert_true(counts[i] >= 1 && counts[i] <= 2);
}

static void
sources_are_spread_evenly(void **state)
{
	struct fixture *f = *state;
	unsigned even = PORTS / (30 * TICKS_PER_S), n;

	for (uint32_t i = 1; i <= PORTS; i++)
		set(f, i, 30);
	step(f, NULL);
	for (unsigned t = 0; t < 60 * TICKS_PER_S; t++) {
		n = step(f, NULL);
		assert_true(n >= even - 2 && n <= even + 3);
	}
}

static void
sources_that_come_one_by_one_are_spread_as_well(void **state)
{
	unsigned busiest = 0, n;
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= 16; i++) {
		set(f, i, 16);
		step(f, NULL);
	}
	for (unsigned t = 0; t < 16 * TICKS_PER_S; t++) {
		n = step(f, NULL);
		busiest = n > busiest ? n : busiest;
	}
	assert_true(busiest <= 2);
}

static void
same_interval_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t due;

	set(f, 7, 30);
	step(f, NULL);
	due = poll_wheel_find(&f->w, 7)->due;
	set(f, 7, 30);
	assert_int_equal(poll_wheel_find(&f->w, 7)->due, due);
}

static void
other_interval_takes_effect_within_itself(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	set(f, 7, 300);
	step(f, NULL);
	set(f, 7, 5);
	for (unsigned t = 0; t < 5 * TICKS_PER_S; t++)
		n += step(f, NULL);
	assert_int_equal(n, 1);
}

static void
interval_of_zero_ends_polling(void **state)
{
	struct fixture *f = *state;
	struct mono when;

	set(f, 7, 0);
	assert_null(poll_wheel_find(&f->w, 7));
	set(f, 7, 30);
	set(f, 7 + POLL_BUCKETS, 30);
	set(f, 7, 0);
	assert_null(poll_wheel_find(&f->w, 7));
	assert_non_null(poll_wheel_find(&f->w, 7 + POLL_BUCKETS));
	set(f, 7 + POLL_BUCKETS, 0);
	assert_false(poll_wheel_next(&f->w, &when));
	assert_int_equal(step(f, NULL), 0);
}

static void
interval_is_cut_to_the_longest(void **state)
{
	struct fixture *f = *state;

	set(f, 7, 100000);
	assert_int_equal(poll_wheel_find(&f->w, 7)->interval_s, POLL_INTERVAL_MAX_S);
}

static void
after_a_long_sleep_each_is_due_once(void **state)
{
	unsigned counts[PORTS + 1] = { 0 };
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= PORTS; i++)
		set(f, i, i % 2 ? 30 : 300);
	step(f, NULL);
	f->now = mono_add_ms(f->now, 24 * 3600 * 1000);
	assert_int_equal(step(f, counts), PORTS);
	for (uint32_t i = 1; i <= PORTS; i++)
		assert_int_equal(counts[i], 1);
	for (unsigned t = 0; t < 300 * TICKS_PER_S; t++)
		step(f, counts);
	for (uint32_t i = 2; i <= PORTS; i += 2)
		assert_int_equal(counts[i], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_source_is_due_in_the_next_tick),
		TEST(each_source_is_due_once_per_interval),
		TEST(first_interval_is_not_longer_than_the_others),
		TEST(sources_are_spread_evenly),
		TEST(sources_that_come_one_by_one_are_spread_as_well),
		TEST(same_interval_again_changes_nothing),
		TEST(other_interval_takes_effect_within_itself),
		TEST(interval_of_zero_ends_polling),
		TEST(interval_is_cut_to_the_longest),
		TEST(after_a_long_sleep_each_is_due_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
