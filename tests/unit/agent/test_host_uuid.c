/*
 * test_host_uuid.c - which machine this is.
 */
#include "agent/host_uuid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct text
text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static void
uuid_is_in_text_order(void **state)
{
	static const uint8_t expected[16] = { 0xfd, 0x01, 0x78, 0x45, 0x93, 0x93, 0x42,
		0x03, 0xa0, 0x5a, 0xa3, 0xd7, 0x42, 0xac, 0x3c, 0xde };
	uint8_t uuid[16];

	(void)state;
	assert_int_equal(
		host_uuid_parse(
			text_of("fd017845-9393-4203-A05A-a3d742ac3cde\n"), uuid),
		0);
	assert_memory_equal(uuid, expected, 16);
	assert_int_equal(
		host_uuid_parse(text_of("fd01784593934203a05aa3d742ac3cde"), uuid), 0);
	assert_memory_equal(uuid, expected, 16);
}

static void
uuid_that_says_nothing_is_refused(void **state)
{
	static const char *const texts[] = { "", "\n", "Not Settable",
		"00000000-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff",
		"fd017845-9393-4203-a05a-a3d742ac3cd",
		"fd017845-9393-4203-a05a-a3d742ac3cde0",
		"f-d017845-9393-4203-a05a-a3d742ac3cde" };
	uint8_t uuid[16];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(host_uuid_parse(text_of(texts[i]), uuid), -EINVAL);
}

/* Expected value from Python: uuid.uuid5(name space, machine id). */
static void
machine_id_becomes_a_version_5_uuid(void **state)
{
	uint8_t expected[16], uuid[16];

	(void)state;
	assert_int_equal(
		host_uuid_parse(
			text_of("e0bfe1e3-b51d-54ff-b112-11f96da00747"), expected),
		0);
	assert_int_equal(host_uuid_from_machine_id(
				 text_of("0123456789abcdef0123456789abcdef\n"), uuid),
		0);
	assert_memory_equal(uuid, expected, 16);
}

static void
what_is_no_machine_id_is_refused(void **state)
{
	uint8_t uuid[16];

	(void)state;
	assert_int_equal(host_uuid_from_machine_id(text_of(""), uuid), -EINVAL);
	assert_int_equal(
		host_uuid_from_machine_id(text_of("uninitialized\n"), uuid), -EINVAL);
	assert_int_equal(host_uuid_from_machine_id(
				 text_of("0123456789abcdef0123456789abcdeg"), uuid),
		-EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_is_in_text_order),
		cmocka_unit_test(uuid_that_says_nothing_is_refused),
		cmocka_unit_test(machine_id_becomes_a_version_5_uuid),
		cmocka_unit_test(what_is_no_machine_id_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
