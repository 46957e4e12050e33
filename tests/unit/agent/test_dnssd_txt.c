/*
 * test_dnssd_txt.c - settings in TXT records.
 */
#include "agent/dnssd_txt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char problems[2048];
static struct settings settings;

static void
add_problem(enum dnssd_txt_fault fault, const char *reason, void *user_data)
{
	size_t len = strlen(problems);

	(void)user_data, (void)fault;
	snprintf(problems + len, sizeof(problems) - len, "%s\n", reason);
}

static unsigned
apply(const void *rdata, size_t len)
{
	problems[0] = '\0';
	settings_init(&settings);
	return dnssd_txt_apply(rdata, len, &settings, add_problem, NULL);
}

/* Strings separated by '|' as RDATA. */
static unsigned
apply_strings(const char *text)
{
	uint8_t rdata[1024];
	size_t len = 0;

	while (*text) {
		size_t n = strcspn(text, "|");

		rdata[len++] = (uint8_t)n;
		memcpy(rdata + len, text, n);
		len += n;
		text += n + (text[n] == '|');
	}
	return apply(rdata, len);
}

/* The bytes of the example in the project's wire reference. */
static void
the_documented_record_is_read(void **state)
{
	static const uint8_t rdata[] = { 0x09, 0x74, 0x78, 0x74, 0x76, 0x65, 0x72, 0x73,
		0x3d, 0x31, 0x11, 0x73, 0x61, 0x6d, 0x70, 0x6c, 0x69, 0x6e, 0x67, 0x2e,
		0x31, 0x30, 0x47, 0x3d, 0x32, 0x30, 0x30, 0x30, 0x0a, 0x70, 0x6f, 0x6c,
		0x6c, 0x69, 0x6e, 0x67, 0x3d, 0x32, 0x30 };

	(void)state;
	assert_int_equal(apply(rdata, sizeof(rdata)), 3);
	assert_string_equal(problems, "");
	assert_int_equal(settings_rate(&settings, 10000000000), 2000);
	assert_int_equal(settings.polling_s, 20);
}

static void
the_zone_that_switch_vendors_document_is_read(void **state)
{
	(void)state;
	assert_int_equal(apply_strings("txtvers=1|sampling.100M=100|sampling.1G=1000|"
				       "sampling.10G=10000|sampling.40G=40000|"
				       "sampling.100G=100000|polling=20"),
		7);
	assert_string_equal(problems, "");
	assert_int_equal(settings.n_speeds, 5);
	assert_int_equal(settings_rate(&settings, 40000000000), 40000);
}

static void
bad_strings_are_named_and_spoil_nothing(void **state)
{
	(void)state;
	assert_int_equal(apply_strings("sampling=-1|polling=20|nonsense|=x|"
				       "colour=blue|sampling.http=5|dropLimit=10|"
				       "headerBytes=300|POLLING=999|"
				       "sampling.1G=1000"),
		2);
	assert_string_equal(problems,
		"sampling: \"-1\" is not a number\n"
		"\"nonsense\" is not of the form key=value\n"
		"\"=x\" is not of the form key=value\n"
		"unknown keyword \"colour\"\n"
		"sampling.http: sampling of application transactions is not done here\n"
		"dropLimit: use dropmon { limit= } in the configuration file\n"
		"headerBytes: 300 is not in 0..256\n"
		"polling: 999 is not in 0..300\n");
	assert_int_equal(settings.polling_s, 20);
	assert_int_equal(settings.sampling, 400);
	assert_int_equal(settings_rate(&settings, 1000000000), 1000);
}

static void
a_later_string_wins_and_is_named(void **state)
{
	(void)state;
	assert_int_equal(apply_strings("polling=20|polling=25"), 2);
	assert_string_equal(problems, "polling is given more than once\n");
	assert_int_equal(settings.polling_s, 25);
}

static void
another_version_is_named_and_read(void **state)
{
	(void)state;
	assert_int_equal(apply_strings("txtvers=2|polling=25"), 1);
	assert_string_equal(problems, "txtvers=2 is not 1\n");
	assert_int_equal(settings.polling_s, 25);
}

static void
binary_and_cut_strings_are_left_out(void **state)
{
	static const char binary[] = "\x0bpolling=2\x00\x01\x0apolling=26";
	static const char cut[] = "\x0apolling=26\xffpolling=27";

	(void)state;
	assert_int_equal(apply(binary, sizeof(binary) - 1), 1);
	assert_string_equal(problems, "a string holds binary data\n");
	assert_int_equal(settings.polling_s, 26);
	assert_int_equal(apply(cut, sizeof(cut) - 1), 1);
	assert_string_equal(problems, "the last string is cut off\n");
	assert_int_equal(settings.polling_s, 26);
}

static void
empty_strings_are_nothing(void **state)
{
	(void)state;
	assert_int_equal(apply("\0\0\0", 3), 0);
	assert_int_equal(apply(NULL, 0), 0);
	assert_string_equal(problems, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documented_record_is_read),
		cmocka_unit_test(the_zone_that_switch_vendors_document_is_read),
		cmocka_unit_test(bad_strings_are_named_and_spoil_nothing),
		cmocka_unit_test(a_later_string_wins_and_is_named),
		cmocka_unit_test(another_version_is_named_and_read),
		cmocka_unit_test(binary_and_cut_strings_are_left_out),
		cmocka_unit_test(empty_strings_are_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
