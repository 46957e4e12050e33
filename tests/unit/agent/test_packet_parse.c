/*
 * test_packet_parse.c - fields of captured headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "agent/packet_parse.h"

#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define IPV4(protocol, fragment)                                                       \
	0x45, 0xb8, 0, 40, 0, 1, (fragment) >> 8, (fragment)&255, 64, protocol, 0, 0,  \
		10, 0, 1, 1, 10, 0, 2, 2

static struct packet_parse
parse_ether(const uint8_t *data, size_t len)
{
	struct packet_parse p;

	packet_parse(SFLOW_PROTOCOL_ETHERNET, data, len, &p);
	return p;
}

static void
ipv4_and_its_ports_are_read(void **state)
{
	static const uint8_t frame[] = { MACS, 8, 0, IPV4(6, 0x4000), 0x12, 0x34, 0,
		80 };
	static const uint8_t dst[] = { 10, 0, 2, 2 };
	struct packet_parse p = parse_ether(frame, sizeof(frame));

	(void)state;
	assert_true(p.has_ether);
	assert_memory_equal(p.dst_mac, frame, 6);
	assert_memory_equal(p.src_mac, frame + 6, 6);
	assert_int_equal(p.ethertype, 0x800);
	assert_int_equal(p.ip_version, 4);
	assert_int_equal(p.ip_offset, 14);
	assert_int_equal(p.ip_len, 40);
	assert_int_equal(p.tos, 0xb8);
	assert_int_equal(p.ip_protocol, 6);
	assert_memory_equal(p.dst, dst, 4);
	assert_false(p.is_fragment);
	assert_true(p.has_ports);
	assert_int_equal(p.src_port, 0x1234);
	assert_int_equal(p.dst_port, 80);
}

static void
options_of_ipv4_are_skipped(void **state)
{
	uint8_t frame[] = { MACS, 8, 0, IPV4(17, 0), 1, 1, 1, 0, 0, 7, 0, 8 };
	struct packet_parse p;

	(void)state;
	frame[14] = 0x46;
	p = parse_ether(frame, sizeof(frame));
	assert_true(p.has_ports);
	assert_int_equal(p.src_port, 7);
	assert_int_equal(p.dst_port, 8);
}

static void
a_later_fragment_has_no_ports(void **state)
{
	static const uint8_t frame[] = { MACS, 8, 0, IPV4(17, 0x2001), 0, 7, 0, 8 };
	struct packet_parse p = parse_ether(frame, sizeof(frame));

	(void)state;
	assert_true(p.is_fragment);
	assert_false(p.has_ports);
}

static void
a_header_length_that_is_too_small_is_no_ipv4(void **state)
{
	uint8_t frame[] = { MACS, 8, 0, IPV4(17, 0) };

	(void)state;
	frame[14] = 0x44;
	assert_int_equal(parse_ether(frame, sizeof(frame)).ip_version, 0);
}

static void
tags_are_read_outermost_first(void **state)
{
	static const uint8_t frame[] = { MACS, 0x88, 0xa8, 0, 100, 0x81, 0, 0x60, 7, 8,
		0, IPV4(1, 0) };
	struct packet_parse p = parse_ether(frame, sizeof(frame));

	(void)state;
	assert_int_equal(p.n_tags, 2);
	assert_int_equal(p.tci[0], 100);
	assert_int_equal(p.tci[1], 0x6007);
	assert_int_equal(p.ethertype, 0x800);
	assert_int_equal(p.ip_offset, 22);
	assert_false(p.has_ports);
}

static void
more_tags_than_we_read_end_the_parsing(void **state)
{
	uint8_t frame[64] = { MACS };
	struct packet_parse p;

	(void)state;
	for (size_t i = 12; i + 4 <= sizeof(frame); i += 4)
		frame[i] = 0x81;
	p = parse_ether(frame, sizeof(frame));
	assert_int_equal(p.n_tags, PACKET_PARSE_TAGS_MAX);
	assert_int_equal(p.ip_version, 0);
}

static size_t
ipv6_header(uint8_t *p, uint8_t next, uint16_t payload)
{
	memset(p, 0, 40);
	p[0] = 0x6b;
	p[1] = 0x80;
	p[4] = (uint8_t)(payload >> 8);
	p[5] = (uint8_t)payload;
	p[6] = next;
	p[23] = 1;
	p[39] = 2;
	return 40;
}

static void
extension_headers_of_ipv6_are_skipped(void **state)
{
	uint8_t data[128] = { 0 };
	struct packet_parse p;
	size_t at = ipv6_header(data, 0, 60);

	(void)state;
	data[at] = 44; /* hop by hop, 8 bytes, then fragment */
	data[at + 8] = 6;
	data[at + 16] = 1;
	data[at + 19] = 53;
	packet_parse(SFLOW_PROTOCOL_IPV6, data, sizeof(data), &p);
	assert_int_equal(p.ip_version, 6);
	assert_int_equal(p.ip_len, 100);
	assert_int_equal(p.tos, 0xb8);
	assert_int_equal(p.ip_protocol, 6);
	assert_int_equal(p.dst[15], 2);
	assert_true(p.has_ports);
	assert_int_equal(p.src_port, 256);
	assert_int_equal(p.dst_port, 53);
}

static void
a_later_fragment_of_ipv6_has_no_ports(void **state)
{
	uint8_t data[64] = { 0 };
	struct packet_parse p;
	size_t at = ipv6_header(data, 44, 20);

	(void)state;
	data[at] = 17;
	data[at + 3] = 8;
	packet_parse(SFLOW_PROTOCOL_IPV6, data, sizeof(data), &p);
	assert_true(p.is_fragment);
	assert_false(p.has_ports);
}

static void
a_jumbogram_does_not_say_its_length(void **state)
{
	uint8_t data[40];
	struct packet_parse p;

	(void)state;
	packet_parse(SFLOW_PROTOCOL_IPV6, data, ipv6_header(data, 59, 0), &p);
	assert_int_equal(p.ip_len, 0);
	assert_int_equal(packet_parse_ip_len(data, sizeof(data)), 0);
}

static void
whatever_is_cut_off_is_not_reported(void **state)
{
	static const uint8_t frame[] = { MACS, 8, 0, IPV4(6, 0), 0, 1, 0, 2 };

	(void)state;
	for (size_t len = 0; len < sizeof(frame); len++) {
		struct packet_parse p = parse_ether(frame, len);

		assert_int_equal(p.has_ether, len >= 14);
		assert_int_equal(p.ip_version, len >= 34 ? 4 : 0);
		assert_false(p.has_ports);
	}
}

static void
other_protocols_are_not_taken_for_ip(void **state)
{
	/* 802.3 length field, then what looks like IPv4 */
	static const uint8_t frame[] = { MACS, 0, 40, IPV4(6, 0) };
	struct packet_parse p = parse_ether(frame, sizeof(frame));

	(void)state;
	assert_int_equal(p.ip_version, 0);
	packet_parse(SFLOW_PROTOCOL_MPLS, frame + 14, 20, &p);
	assert_int_equal(p.ip_version, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_and_its_ports_are_read),
		cmocka_unit_test(options_of_ipv4_are_skipped),
		cmocka_unit_test(a_later_fragment_has_no_ports),
		cmocka_unit_test(a_header_length_that_is_too_small_is_no_ipv4),
		cmocka_unit_test(tags_are_read_outermost_first),
		cmocka_unit_test(more_tags_than_we_read_end_the_parsing),
		cmocka_unit_test(extension_headers_of_ipv6_are_skipped),
		cmocka_unit_test(a_later_fragment_of_ipv6_has_no_ports),
		cmocka_unit_test(a_jumbogram_does_not_say_its_length),
		cmocka_unit_test(whatever_is_cut_off_is_not_reported),
		cmocka_unit_test(other_protocols_are_not_taken_for_ip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
