/*
 * test_names.c - built-in protocol names, and the replaceable source behind them.
 */
#include "aclserver/names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int
service_of_test(const char *name, const char *proto, uint16_t *ret_port)
{
	if (strcmp(name, "test") != 0 || strcmp(proto, "tcp") != 0)
		return -ENOENT;
	*ret_port = 4711;
	return 0;
}

static int
protocol_of_test(const char *name, uint8_t *ret_proto)
{
	if (strcmp(name, "test") != 0)
		return -ENOENT;
	*ret_proto = 253;
	return 0;
}

static const struct names_source source = { service_of_test, protocol_of_test, NULL };

static void
common_protocols_need_no_database(void **state)
{
	uint8_t proto = 0;

	(void)state;
	assert_int_equal(names_protocol("TCP", &proto), 0);
	assert_int_equal(proto, 6);
	assert_int_equal(names_protocol("icmp6", &proto), 0);
	assert_int_equal(proto, 58);
	assert_int_equal(names_protocol("ospf", &proto), 0);
	assert_int_equal(proto, 89);
	assert_string_equal(names_of_protocol(58), "ipv6-icmp");
	assert_null(names_of_protocol(253));
}

static void
other_names_come_from_the_source(void **state)
{
	uint16_t port = 0;
	uint8_t proto = 0;

	(void)state;
	assert_int_equal(names_protocol("test", &proto), 0);
	assert_int_equal(proto, 253);
	assert_int_equal(names_service("test", "tcp", &port), 0);
	assert_int_equal(port, 4711);
	/* Known over another protocol only. */
	port = 0;
	assert_int_equal(names_service("test", "udp", &port), 0);
	assert_int_equal(port, 4711);
	assert_int_equal(names_service("bogus", "tcp", &port), -ENOENT);
	assert_int_equal(names_protocol("bogus", &proto), -ENOENT);
	assert_int_equal(port, 4711);
}

static int
use_source(void **state)
{
	(void)state;
	names_set_source(&source);
	return 0;
}

static int
restore_source(void **state)
{
	(void)state;
	names_set_source(NULL);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_protocols_need_no_database),
		cmocka_unit_test(other_names_come_from_the_source),
	};

	return cmocka_run_group_tests(tests, use_source, restore_source);
}
