/*
 * test_nflog_msg.c - messages of an NFLOG group, and the samples made of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/nflog_msg.h"
#include "nl_messages.h"

static const uint8_t ipv4[28] = { 0x45, 0, 0x05, 0xdc, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0,
	1, 1, 10, 0, 2, 2, 0, 1, 0, 2, 0, 8, 0, 0 };

static int
sample(struct nl_message *m, uint8_t *frame, struct packet *ret)
{
	struct nflog_msg decoded;
	int rc = nflog_msg_decode(nl_message_done(m), &decoded);

	return rc < 0 ? rc
		      : nflog_msg_packet(
				&decoded, nflog_msg_rate(&decoded), frame, ret);
}

static void
all_fields_are_decoded(void **state)
{
	struct nl_message m;
	struct nflog_msg d;

	(void)state;
	nl_message_ingress(&m, 0x800, ipv4, sizeof(ipv4));
	nl_message_tag(&m, 0x8100, 100);
	nlbuild_put_u32(&m.b, NFULA_MARK, htonl(5));
	nlbuild_put_u32(&m.b, NFULA_IFINDEX_OUTDEV, htonl(7));
	assert_int_equal(nflog_msg_decode(nl_message_done(&m), &d), 0);
	assert_int_equal(d.group, NL_GROUP);
	assert_int_equal(d.family, 5);
	assert_int_equal(d.protocol, 0x800);
	assert_string_equal(d.prefix, "tapgate:1000");
	assert_int_equal(d.indev, 3);
	assert_int_equal(d.outdev, 7);
	assert_int_equal(d.mark, 5);
	assert_true(d.has_seq);
	assert_int_equal(d.seq, 77);
	assert_int_equal(d.hw_header_len, 14);
	assert_true(d.has_vlan);
	assert_int_equal(d.vlan_tci, 100);
	assert_int_equal(d.vlan_protocol, 0x8100);
	assert_int_equal(d.payload_len, sizeof(ipv4));
	assert_memory_equal(d.payload, ipv4, sizeof(ipv4));
}

static void
the_length_comes_from_the_ip_header(void **state)
{
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	nl_message_ingress(&m, 0x800, ipv4, sizeof(ipv4));
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.rate, 1000);
	assert_int_equal(p.source.index, 3);
	assert_int_equal(p.input.kind, PACKET_PORT_IFINDEX);
	assert_int_equal(p.input.value, 3);
	assert_int_equal(p.output.kind, PACKET_PORT_UNKNOWN);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_ETHERNET);
	assert_int_equal(p.frame_len, 14 + 1500 + 4);
	assert_int_equal(p.stripped, 4);
	assert_int_equal(p.header_len, 14 + sizeof(ipv4));
	assert_memory_equal(p.header + 14, ipv4, sizeof(ipv4));
}

static void
a_vlan_tag_is_put_back(void **state)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0,
		0x60, 100, 8, 0, 0x45 };
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	nl_message_ingress(&m, 0x800, ipv4, sizeof(ipv4));
	nl_message_tag(&m, 0x8100, 0x6064);
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_memory_equal(p.header, head, sizeof(head));
	assert_int_equal(p.frame_len, 18 + 1500 + 4);
	assert_int_equal(p.stripped, 4);
}

static void
behind_an_inner_tag_the_length_is_found_too(void **state)
{
	uint8_t payload[4 + sizeof(ipv4)] = { 0, 7, 8, 0 };
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	memcpy(payload + 4, ipv4, sizeof(ipv4));
	nl_message_ingress(&m, 0x8100, payload, sizeof(payload));
	nl_message_tag(&m, 0x88a8, 100);
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.frame_len, 22 + 1500 + 4);
}

static void
other_packets_are_as_long_as_what_was_captured(void **state)
{
	/* The first nibble of MPLS labels may look like an IP version. */
	static const uint8_t mpls[40] = { 0x45, 0, 0x05, 0xdc };
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	nl_message_ingress(&m, 0x8847, mpls, sizeof(mpls));
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.frame_len, 14 + 40 + 4);
}

static void
padding_behind_a_short_ip_packet_counts(void **state)
{
	uint8_t padded[46] = { 0 };
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	memcpy(padded, ipv4, sizeof(ipv4));
	padded[2] = 0;
	padded[3] = sizeof(ipv4);
	nl_message_ingress(&m, 0x800, padded, sizeof(padded));
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.frame_len, 64);
}

static void
bridge_ports_are_preferred_to_the_bridge(void **state)
{
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	nl_message_ingress(&m, 0x800, ipv4, sizeof(ipv4));
	nlbuild_put_u32(&m.b, NFULA_IFINDEX_PHYSINDEV, htonl(11));
	nlbuild_put_u32(&m.b, NFULA_IFINDEX_OUTDEV, htonl(4));
	nlbuild_put_u32(&m.b, NFULA_IFINDEX_PHYSOUTDEV, htonl(12));
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.source.index, 11);
	assert_int_equal(p.input.value, 11);
	assert_int_equal(p.output.value, 12);
}

static void
without_a_link_layer_header_it_is_an_ip_packet(void **state)
{
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	nl_message_nflog(&m, 2);
	nlbuild_put_u32(&m.b, NFULA_IFINDEX_OUTDEV, htonl(4));
	nlbuild_put(&m.b, NFULA_PAYLOAD, ipv4, sizeof(ipv4));
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_IPV4);
	assert_int_equal(p.frame_len, 1518);
	assert_int_equal(p.stripped, 18);
	assert_int_equal(p.source.index, 4);

	nl_message_nflog(&m, 2);
	nlbuild_put(&m.b, NFULA_PAYLOAD, "\x12\x34", 2);
	assert_int_equal(sample(&m, frame, &p), -EPROTO);
}

static void
a_long_packet_is_cut_to_the_frame_buffer(void **state)
{
	uint8_t payload[600] = { 0x45, 0, 0x02, 0x58 };
	uint8_t frame[NFLOG_MSG_FRAME_SIZE];
	struct nl_message m;
	struct packet p;

	(void)state;
	nl_message_ingress(&m, 0x800, payload, sizeof(payload));
	assert_int_equal(sample(&m, frame, &p), 0);
	assert_int_equal(p.header_len, NFLOG_MSG_FRAME_SIZE);
	assert_int_equal(p.frame_len, 14 + 600 + 4);
}

static uint32_t
rate_of(const char *prefix)
{
	struct nl_message m;
	struct nflog_msg d;

	nl_message_nflog(&m, 5);
	nlbuild_put_string(&m.b, NFULA_PREFIX, prefix);
	assert_int_equal(nflog_msg_decode(nl_message_done(&m), &d), 0);
	return nflog_msg_rate(&d);
}

static void
only_our_own_prefix_names_a_rate(void **state)
{
	(void)state;
	assert_int_equal(rate_of("tapgate:1"), 1);
	assert_int_equal(rate_of("tapgate:4294967295"), UINT32_MAX);
	assert_int_equal(rate_of("tapgate:4294967296"), 0);
	assert_int_equal(rate_of("tapgate:99999999999999999999999999999999"), 0);
	assert_int_equal(rate_of("tapgate:"), 0);
	assert_int_equal(rate_of("tapgate:12x"), 0);
	assert_int_equal(rate_of("tapgate"), 0);
	assert_int_equal(rate_of("dropped: "), 0);
	assert_int_equal(rate_of(""), 0);
}

static void
other_messages_are_told_apart_from_damaged_ones(void **state)
{
	struct nl_message m;
	struct nflog_msg d;
	struct nlmsghdr *h = (struct nlmsghdr *)m.data;

	(void)state;
	nl_message_ingress(&m, 0x800, ipv4, sizeof(ipv4));
	h->nlmsg_type++;
	assert_int_equal(nflog_msg_decode(h, &d), -ENOMSG);
	h->nlmsg_type--;
	h->nlmsg_len -= 8;
	assert_int_equal(nflog_msg_decode(h, &d), -EBADMSG);
	h->nlmsg_len = NLMSG_HDRLEN + 2;
	assert_int_equal(nflog_msg_decode(h, &d), -EBADMSG);
	nl_message_ingress(&m, 0x800, ipv4, sizeof(ipv4));
	nlbuild_put_u32(&m.b, NFULA_SEQ, 1);
	assert_int_equal(nflog_msg_decode(h, &d), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_are_decoded),
		cmocka_unit_test(the_length_comes_from_the_ip_header),
		cmocka_unit_test(a_vlan_tag_is_put_back),
		cmocka_unit_test(behind_an_inner_tag_the_length_is_found_too),
		cmocka_unit_test(other_packets_are_as_long_as_what_was_captured),
		cmocka_unit_test(padding_behind_a_short_ip_packet_counts),
		cmocka_unit_test(bridge_ports_are_preferred_to_the_bridge),
		cmocka_unit_test(without_a_link_layer_header_it_is_an_ip_packet),
		cmocka_unit_test(a_long_packet_is_cut_to_the_frame_buffer),
		cmocka_unit_test(only_our_own_prefix_names_a_rate),
		cmocka_unit_test(other_messages_are_told_apart_from_damaged_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
