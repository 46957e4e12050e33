/*
 * test_settings.c - keys shared by file and TXT record, overlaying, the rate rule.
 */
#include "agent/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int
put(struct settings *s, const char *key, const char *value)
{
	struct err err = { 0 };
	int rc = settings_put(s, key, value, &err);

	assert_int_equal(rc < 0, err.text[0] != '\0');
	return rc;
}

static void
rates_follow_exact_speed_then_flat_then_ratio_then_default(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(settings_rate(&s, 100000000000), 100000);
	put(&s, "sampling.bps_ratio", "2000000");
	assert_int_equal(settings_rate(&s, 10000000000), 5000);
	assert_int_equal(settings_rate(&s, 1000000), 1);
	assert_int_equal(settings_rate(&s, 0), 400);
	put(&s, "sampling.flat", "77");
	assert_int_equal(settings_rate(&s, 10000000000), 77);
	assert_int_equal(settings_rate(&s, 0), 77);
	put(&s, "sampling.10G", "3");
	assert_int_equal(settings_rate(&s, 10000000000), 3);
	put(&s, "sampling.1G", "0");
	assert_int_equal(settings_rate(&s, 1000000000), 0);
}

static void
ratio_zero_makes_the_plain_rate_hold_for_all_speeds(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	put(&s, "sampling", "1000");
	assert_int_equal(settings_rate(&s, 10000000000), 10000);
	put(&s, "sampling.bps_ratio", "0");
	assert_int_equal(settings_rate(&s, 10000000000), 1000);
}

static void
a_speed_matches_exactly_and_is_not_truncated(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	put(&s, "sampling.2G", "5");
	put(&s, "sampling.2.5G", "6");
	put(&s, "SAMPLING.1.6t", "7");
	assert_int_equal(settings_rate(&s, 2500000000), 6);
	assert_int_equal(settings_rate(&s, 1600000000000), 7);
	assert_int_equal(settings_rate(&s, 1000000000000), 1000000);
}

static void
a_second_value_replaces_the_first_and_says_so(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(put(&s, "polling", "10"), 0);
	assert_int_equal(put(&s, "counterPollingInterval", "20"), 1);
	assert_int_equal(s.polling_s, 20);
	assert_int_equal(put(&s, "sampling.1G", "10"), 0);
	assert_int_equal(put(&s, "sampling.1000M", "11"), 1);
	assert_int_equal(s.n_speeds, 1);
	assert_int_equal(s.speeds[0].rate, 11);
}

static void
bad_keys_and_values_change_nothing(void **state)
{
	static const struct {
		const char *key, *value;
		int rc;
	} cases[] = {
		{ "polling", "301", -ERANGE },
		{ "polling", "-1", -EINVAL },
		{ "polling", "", -EINVAL },
		{ "polling", "010", -EINVAL },
		{ "polling", "5 ", -EINVAL },
		{ "sampling", "10000001", -ERANGE },
		{ "sampling", "99999999999999999999999", -ERANGE },
		{ "headerBytes", "257", -ERANGE },
		{ "sampling.", "1", -ENOENT },
		{ "sampling.1", "x", -EINVAL },
		{ "sampling.0G", "1", -EINVAL },
		{ "sampling.1.2.3G", "1", -EINVAL },
		{ "sampling.1.5", "1", -EINVAL },
		{ "sampling.99999999P", "1", -EINVAL },
		{ "sampling.http", "1", -EOPNOTSUPP },
		{ "polling.http", "1", -EOPNOTSUPP },
		{ "dropLimit", "10", -EOPNOTSUPP },
		{ "agentIP", "10.0.0", -EINVAL },
		{ "agent", "", -EINVAL },
		{ "agent.cidr", "!", -EINVAL },
		{ "speling", "1", -ENOENT },
		{ "", "", -ENOENT },
	};
	struct settings s, before;

	(void)state;
	settings_init(&s);
	before = s;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (put(&s, cases[i].key, cases[i].value) != cases[i].rc)
			fail_msg("%s=%s", cases[i].key, cases[i].value);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void
lists_have_limits(void **state)
{
	struct settings s;
	char key[32];

	(void)state;
	settings_init(&s);
	for (int i = 0; i < SETTINGS_SPEEDS_MAX; i++) {
		snprintf(key, sizeof(key), "sampling.%dM", 100 - i);
		assert_int_equal(put(&s, key, "5"), 0);
	}
	assert_int_equal(put(&s, "sampling.1G", "5"), -ENOSPC);
	assert_int_equal(s.speeds[0].speed_bps, 69000000);
	for (int i = 0; i < SETTINGS_CIDRS_MAX; i++)
		assert_int_equal(put(&s, "agent.cidr", "10.0.0.0/8"), 0);
	assert_int_equal(put(&s, "agent.cidr", "10.0.0.0/8"), -ENOSPC);
}

static void
an_overlay_replaces_what_it_sets_and_keeps_the_rest(void **state)
{
	struct settings file, txt;

	(void)state;
	settings_init(&file);
	settings_init(&txt);
	put(&file, "sampling.flat", "500");
	put(&file, "sampling.1G", "11");
	put(&file, "sampling.10G", "12");
	put(&file, "polling", "15");
	put(&file, "headerBytes", "64");
	put(&file, "agent.cidr", "10.0.0.0/8");
	put(&txt, "sampling.bps_ratio", "1000000");
	put(&txt, "sampling.10G", "13");
	put(&txt, "polling", "25");
	put(&txt, "agent.cidr", "!2001:db8::1/32");
	settings_overlay(&file, &txt);
	assert_int_equal(settings_rate(&file, 40000000000), 40000);
	assert_int_equal(settings_rate(&file, 1000000000), 11);
	assert_int_equal(settings_rate(&file, 10000000000), 13);
	assert_int_equal(file.polling_s, 25);
	assert_int_equal(file.header_bytes, 64);
	assert_int_equal(file.n_cidrs, 1);
	assert_true(file.cidrs[0].avoid);
	assert_int_equal(file.cidrs[0].prefix.bytes[15], 0);
}

static void
an_empty_overlay_changes_nothing(void **state)
{
	struct settings file, txt, before;

	(void)state;
	settings_init(&file);
	settings_init(&txt);
	put(&file, "sampling.flat", "500");
	put(&file, "agentIP", "192.0.2.1");
	before = file;
	settings_overlay(&file, &txt);
	assert_true(settings_equal(&file, &before));
	put(&txt, "agentIP", "192.0.2.2");
	settings_overlay(&file, &txt);
	assert_false(settings_equal(&file, &before));
}

static void
speeds_are_printed_as_they_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bps;
		const char *printed;
	} cases[] = {
		{ "100M", 100000000, "100M" },
		{ "2.5G", 2500000000, "2.5G" },
		{ "1600G", 1600000000000, "1.6T" },
		{ "1000000000", 1000000000, "1G" },
		{ "1.000000001G", 1000000001, "1.000000001G" },
		{ "7", 7, "7" },
		{ "18446P", 18446000000000000000u, "18446P" },
	};
	char text[SETTINGS_SPEED_TEXT_SIZE];
	uint64_t bps;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(settings_parse_speed(cases[i].text, &bps), 0);
		assert_int_equal(bps, cases[i].bps);
		settings_format_speed(bps, text);
		assert_string_equal(text, cases[i].printed);
	}
	settings_format_speed(UINT64_MAX, text);
	assert_int_equal(settings_parse_speed(text, &bps), 0);
	assert_true(bps == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			rates_follow_exact_speed_then_flat_then_ratio_then_default),
		cmocka_unit_test(ratio_zero_makes_the_plain_rate_hold_for_all_speeds),
		cmocka_unit_test(a_speed_matches_exactly_and_is_not_truncated),
		cmocka_unit_test(a_second_value_replaces_the_first_and_says_so),
		cmocka_unit_test(bad_keys_and_values_change_nothing),
		cmocka_unit_test(lists_have_limits),
		cmocka_unit_test(an_overlay_replaces_what_it_sets_and_keeps_the_rest),
		cmocka_unit_test(an_empty_overlay_changes_nothing),
		cmocka_unit_test(speeds_are_printed_as_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
