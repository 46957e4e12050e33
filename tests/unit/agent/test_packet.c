/*
 * test_packet.c - frame length and stripped bytes for the ways in which Linux shows a
 * packet.
 */
#include "agent/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t bytes[64] = { 0x45 };

static void
ethernet_frame_gains_the_fcs(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_set_ethernet(&p, bytes, 60, 1514);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_ETHERNET);
	assert_int_equal(p.frame_len, 1518);
	assert_int_equal(p.stripped, 4);
	assert_ptr_equal(p.header, bytes);
	assert_int_equal(p.header_len, 60);
}

static void
ip_packet_gains_mac_header_and_fcs(void **state)
{
	static const uint8_t v6[40] = { 0x60 };
	struct packet p;

	(void)state;
	packet_init(&p);
	assert_int_equal(packet_set_ip(&p, bytes, 64, 1500), 0);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_IPV4);
	assert_int_equal(p.frame_len, 1518);
	assert_int_equal(p.stripped, 18);
	assert_int_equal(packet_set_ip(&p, v6, 40, 1500), 0);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_IPV6);
}

static void
what_is_not_ip_is_refused_and_the_packet_stays(void **state)
{
	static const uint8_t other[4] = { 0x50 };
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_set_ethernet(&p, bytes, 60, 1514);
	assert_int_equal(packet_set_ip(&p, other, 4, 4), -EPROTO);
	assert_int_equal(packet_set_ip(&p, other, 0, 0), -EPROTO);
	assert_int_equal(p.frame_len, 1518);
}

static void
length_below_what_was_captured_is_raised_and_never_wraps(void **state)
{
	struct packet p;

	(void)state;
	packet_init(&p);
	packet_set_ethernet(&p, bytes, 60, 10);
	assert_int_equal(p.frame_len, 64);
	packet_set_ethernet(&p, bytes, 60, UINT32_MAX);
	assert_int_equal(p.frame_len, UINT32_MAX);
}

static void
ifindex_zero_is_an_unknown_port(void **state)
{
	(void)state;
	assert_int_equal(packet_port_ifindex(0).kind, PACKET_PORT_UNKNOWN);
	assert_int_equal(packet_port_ifindex(5).kind, PACKET_PORT_IFINDEX);
	assert_int_equal(packet_port_ifindex(5).value, 5);
}

static void
initialised_packet_knows_nothing(void **state)
{
	struct packet p;

	(void)state;
	memset(&p, 0xff, sizeof(p));
	packet_init(&p);
	assert_int_equal(p.has, 0);
	assert_int_equal(p.rate, 0);
	assert_int_equal(p.header_len, 0);
	assert_int_equal(p.input.kind, PACKET_PORT_UNKNOWN);
	assert_int_equal(p.output.kind, PACKET_PORT_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet_frame_gains_the_fcs),
		cmocka_unit_test(ip_packet_gains_mac_header_and_fcs),
		cmocka_unit_test(what_is_not_ip_is_refused_and_the_packet_stays),
		cmocka_unit_test(
			length_below_what_was_captured_is_raised_and_never_wraps),
		cmocka_unit_test(ifindex_zero_is_an_unknown_port),
		cmocka_unit_test(initialised_packet_knows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
