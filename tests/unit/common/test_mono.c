/*
 * test_mono.c - arithmetic of moments and the replaceable clock.
 */
#include "common/mono.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t
fake(void *user_data)
{
	return *(int64_t *)user_data;
}

static void
clock_can_be_replaced_and_restored(void **state)
{
	int64_t ns = 5;

	(void)state;
	mono_set_source(fake, &ns);
	assert_int_equal(mono_now().ns, 5);
	ns = 9;
	assert_int_equal(mono_now().ns, 9);
	mono_set_source(NULL, NULL);
	assert_int_not_equal(mono_now().ns, 9);
}

static void
clock_never_goes_back(void **state)
{
	struct mono before = mono_now();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct mono now = mono_now();

		assert_false(mono_before(now, before));
		before = now;
	}
}

static void
time_since_boot_follows_the_replacement_and_is_not_behind_the_clock(void **state)
{
	int64_t clock_ms = mono_now().ns / 1000000;
	int64_t ns = 7999999;

	(void)state;
	assert_true(mono_boot_ms() >= clock_ms);
	mono_set_source(fake, &ns);
	assert_int_equal(mono_boot_ms(), 7);
	mono_set_source(NULL, NULL);
}

static void
differences_round_towards_zero(void **state)
{
	struct mono a = { 1000000 }, b = { 3999999 };

	(void)state;
	assert_int_equal(mono_diff_ms(a, b), 2);
	assert_int_equal(mono_diff_ms(b, a), -2);
	assert_int_equal(mono_diff_us(a, b), 2999);
	assert_int_equal(mono_add_ms(a, 2).ns, 3000000);
	assert_int_equal(mono_add_ms(a, -2).ns, -1000000);
	assert_true(mono_before(a, b));
	assert_false(mono_before(b, a));
	assert_false(mono_before(a, a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_can_be_replaced_and_restored),
		cmocka_unit_test(clock_never_goes_back),
		cmocka_unit_test(
			time_since_boot_follows_the_replacement_and_is_not_behind_the_clock),
		cmocka_unit_test(differences_round_towards_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
