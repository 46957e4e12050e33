/*
 * test_parse.c - tables of texts with the value or the refusal that each must give.
 */
#include "common/parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
u64_takes_decimal_and_hex_only(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 }, { "42", 0, 42 }, { "010", 0, 10 }, { "0x1F", 0, 31 },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "0x10000000000000000", -ERANGE, 0 },
		{ "99999999999999999999x", -EINVAL, 0 }, { "", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 }, { "1\n", -EINVAL, 0 }, { "0x", -EINVAL, 0 },
		{ "0X1", -EINVAL, 0 }, { "0x1g", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
		{ "1.0", -EINVAL, 0 }, { "1,000", -EINVAL, 0 }, { "0b1", -EINVAL, 0 },
		{ "f", -EINVAL, 0 },
		{ "\xd9\xa1", -EINVAL, 0 }, /* ARABIC-INDIC DIGIT ONE */
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		uint64_t value = 77;
		int result = parse_u64(cases[i].text, 0, UINT64_MAX, &value);

		if (result != cases[i].result)
			fail_msg("\"%s\": %d", cases[i].text, result);
		assert_int_equal(value, result == 0 ? cases[i].value : 77);
	}
}

static void
limits_are_inclusive(void **state)
{
	uint32_t v = 77;
	uint64_t big = 77;

	(void)state;
	assert_int_equal(parse_u32("9", 10, 20, &v), -ERANGE);
	assert_int_equal(parse_u32("21", 10, 20, &v), -ERANGE);
	assert_int_equal(v, 77);
	assert_int_equal(parse_u32("10", 10, 20, &v), 0);
	assert_int_equal(parse_u32("20", 10, 20, &v), 0);
	assert_int_equal(v, 20);
	assert_int_equal(parse_u32("4294967295", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, UINT32_MAX);
	assert_int_equal(parse_u32("4294967296", 0, UINT32_MAX, &v), -ERANGE);
	assert_int_equal(parse_u32("x", 0, UINT32_MAX, &v), -EINVAL);
	assert_int_equal(parse_u64_scaled("1K", 0, 999, &big), -ERANGE);
	assert_int_equal(parse_u64_scaled("1K", 1001, 2000, &big), -ERANGE);
	assert_int_equal(big, 77);
}

static void
multipliers_are_decimal(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "7", 0, 7 },
		{ "7k", 0, 7000 },
		{ "7K", 0, 7000 },
		{ "7M", 0, 7000000 },
		{ "10G", 0, UINT64_C(10000000000) },
		{ "18446744073G", 0, UINT64_C(18446744073000000000) },
		{ "18446744074G", -ERANGE, 0 },
		{ "99999999999999999999K", -ERANGE, 0 },
		{ "7T", -EINVAL, 0 },
		{ "7KB", -EINVAL, 0 },
		{ "7 K", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "0x7K", -EINVAL, 0 },
		{ "1.5K", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		uint64_t value = 77;
		int result = parse_u64_scaled(cases[i].text, 0, UINT64_MAX, &value);

		if (result != cases[i].result)
			fail_msg("\"%s\": %d", cases[i].text, result);
		assert_int_equal(value, result == 0 ? cases[i].value : 77);
	}
}

static void
booleans_have_four_spellings(void **state)
{
	static const char *const yes[] = { "on", "ON", "yes", "True", "1" };
	static const char *const no[] = { "off", "No", "false", "FALSE", "0" };
	static const char *const bad[] = { "", "2", "y", "on ", "offf", "01" };
	bool value;

	(void)state;
	for (size_t i = 0; i < N_OF(yes); i++) {
		value = false;
		assert_int_equal(parse_bool(yes[i], &value), 0);
		assert_true(value);
	}
	for (size_t i = 0; i < N_OF(no); i++) {
		value = true;
		assert_int_equal(parse_bool(no[i], &value), 0);
		assert_false(value);
	}
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(parse_bool(bad[i], &value), -EINVAL);
}

static void
durations_are_seconds_without_unit(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t ms;
	} cases[] = {
		{ "0", 0, 0 },
		{ "30", 0, 30000 },
		{ "30s", 0, 30000 },
		{ "250ms", 0, 250 },
		{ "5min", 0, 300000 },
		{ "2h", 0, 7200000 },
		{ "9223372036854775807ms", 0, INT64_MAX },
		{ "9223372036854775808ms", -ERANGE, 0 },
		{ "9223372036854776", -ERANGE, 0 },
		{ "99999999999999999999h", -ERANGE, 0 },
		{ "5m", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "-5s", -EINVAL, 0 },
		{ "ms", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "1h30min", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		int64_t ms = 77;
		int result = parse_duration_ms(cases[i].text, &ms);

		if (result != cases[i].result)
			fail_msg("\"%s\": %d", cases[i].text, result);
		assert_int_equal(ms, result == 0 ? cases[i].ms : 77);
	}
}

struct prefix_case {
	const char *text;
	int result;
	int family;
	const char *bytes; /* 4 or 16 */
	int prefix_len;
};

static void
check_prefix(const struct prefix_case *c,
	int (*parse)(const char *text, struct parse_addr *ret))
{
	struct parse_addr addr = { .family = 77 };
	int result = parse(c->text, &addr);

	if (result != c->result)
		fail_msg("\"%s\": %d", c->text, result);
	assert_int_equal(addr.family, result == 0 ? c->family : 77);
	if (result < 0)
		return;
	assert_memory_equal(addr.bytes, c->bytes, c->family == AF_INET ? 4 : 16);
	assert_int_equal(addr.prefix_len, c->prefix_len);
}

static void
address_has_no_length(void **state)
{
	static const struct prefix_case cases[] = {
		{ "192.0.2.1", 0, AF_INET, "\xc0\0\2\1", 32 },
		{ "::", 0, AF_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 128 },
		{ "2001:DB8::1", 0, AF_INET6,
			"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 128 },
		{ "::ffff:192.0.2.1", 0, AF_INET6,
			"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 128 },
		{ "192.0.2", -EINVAL, 0, NULL, 0 },
		{ "192.0.2.256", -EINVAL, 0, NULL, 0 },
		{ "192.0.2.01", -EINVAL, 0, NULL, 0 },
		{ "192.0.2.1.", -EINVAL, 0, NULL, 0 },
		{ " 192.0.2.1", -EINVAL, 0, NULL, 0 },
		{ "0xc0000201", -EINVAL, 0, NULL, 0 },
		{ "192.0.2.1/32", -EINVAL, 0, NULL, 0 },
		{ "fe80::1%eth0", -EINVAL, 0, NULL, 0 },
		{ "1::2::3", -EINVAL, 0, NULL, 0 },
		{ "1:2:3:4:5:6:7:8:9", -EINVAL, 0, NULL, 0 },
		{ "12345::", -EINVAL, 0, NULL, 0 },
		{ "[::1]", -EINVAL, 0, NULL, 0 },
		{ "localhost", -EINVAL, 0, NULL, 0 },
		{ "", -EINVAL, 0, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		check_prefix(&cases[i], parse_addr);
}

static void
prefix_has_length_or_contiguous_mask(void **state)
{
	static const struct prefix_case cases[] = {
		{ "192.0.2.1", 0, AF_INET, "\xc0\0\2\1", 32 },
		{ "192.0.2.1/24", 0, AF_INET, "\xc0\0\2\1", 24 },
		{ "0.0.0.0/0", 0, AF_INET, "\0\0\0\0", 0 },
		{ "10.1.0.0/255.255.0.0", 0, AF_INET, "\x0a\1\0\0", 16 },
		{ "10.1.0.0/0.0.0.0", 0, AF_INET, "\x0a\1\0\0", 0 },
		{ "10.1.0.0/255.255.255.255", 0, AF_INET, "\x0a\1\0\0", 32 },
		{ "10.1.0.0/128.0.0.0", 0, AF_INET, "\x0a\1\0\0", 1 },
		{ "::1/64", 0, AF_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 64 },
		{ "::/0", 0, AF_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0 },
		{ "::1/128", 0, AF_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 128 },
		{ "10.0.0.0/33", -ERANGE, 0, NULL, 0 },
		{ "::/129", -ERANGE, 0, NULL, 0 },
		{ "10.0.0.0/99999999999999999999", -ERANGE, 0, NULL, 0 },
		{ "10.0.0.0/255.0.255.0", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/0.0.0.255", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/255.255.0", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/0x10", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/+8", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/-1", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0/8/8", -EINVAL, 0, NULL, 0 },
		{ "10.0.0.0 /8", -EINVAL, 0, NULL, 0 },
		{ "/8", -EINVAL, 0, NULL, 0 },
		{ "::/ffff::", -EINVAL, 0, NULL, 0 },
		{ "::/255.0.0.0", -EINVAL, 0, NULL, 0 },
		{ "00000000000000000000000000000000000000000000000000::1/8", -EINVAL, 0,
			NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		check_prefix(&cases[i], parse_prefix);
}

static void
mac_has_six_octets(void **state)
{
	static const uint8_t golden[] = { 0x00, 0x01, 0xab, 0xcd, 0xef, 0x10 };
	static const uint8_t untouched[6] = { 0 };
	static const char *const bad[] = { "", "00:01:02:03:04", "00:01:02:03:04:05:06",
		"00:01:02:03:04:", "00:01:02:03:04:123", "00-01-02-03-04-05",
		"00:01:02:03:04:0g", ":01:02:03:04:05", "00::02:03:04:05",
		"00:01:02:03:04:05 ", " 0:01:02:03:04:05", "000102030405",
		"00:01:02:03:04:0x5", "00:01:02:03:04:99999999999999999999" };
	uint8_t mac[6] = { 0 };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		if (parse_mac(bad[i], mac) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_memory_equal(mac, untouched, 6);
	}
	assert_int_equal(parse_mac("00:1:aB:cd:EF:10", mac), 0);
	assert_memory_equal(mac, golden, 6);
}

static void
interface_names_are_what_the_kernel_takes(void **state)
{
	static const char *const good[] = { "a", "swp1", "swp1s0", "bond0.100",
		"br-1234567890ab", "123456789012345", "...", "-", "\xc3\xa4" };
	static const char *const bad[] = { "", ".", "..", "1234567890123456", "a b",
		"a/b", "eth0:1", "a\tb", "a\nb", "\x7f", " a" };

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++)
		if (!parse_is_ifname(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < N_OF(bad); i++)
		if (parse_is_ifname(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(u64_takes_decimal_and_hex_only),
		cmocka_unit_test(limits_are_inclusive),
		cmocka_unit_test(multipliers_are_decimal),
		cmocka_unit_test(booleans_have_four_spellings),
		cmocka_unit_test(durations_are_seconds_without_unit),
		cmocka_unit_test(address_has_no_length),
		cmocka_unit_test(prefix_has_length_or_contiguous_mask),
		cmocka_unit_test(mac_has_six_octets),
		cmocka_unit_test(interface_names_are_what_the_kernel_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
