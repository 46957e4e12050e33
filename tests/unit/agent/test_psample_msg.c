/*
 * test_psample_msg.c - messages of the PSAMPLE family, and the samples made of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/psample_msg.h"
#include "nl_messages.h"

static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };

static int
decode(struct nl_message *m, struct psample_msg *ret)
{
	return psample_msg_decode(nl_message_done(m), ret);
}

static void
put_data(struct nl_message *m)
{
	nlbuild_put(&m->b, PSAMPLE_ATTR_DATA, frame, sizeof(frame));
}

static void
a_sample_has_ports_rate_and_true_length(void **state)
{
	struct nl_message m;
	struct psample_msg d;
	struct packet p;

	(void)state;
	nl_message_psample(&m);
	put_data(&m);
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(d.group, 1);
	assert_int_equal(d.seq, 9);
	assert_int_equal(psample_msg_packet(&d, false, &p), 0);
	assert_int_equal(p.source.index, 3);
	assert_int_equal(p.input.value, 3);
	assert_int_equal(p.output.value, 5);
	assert_int_equal(p.rate, 100);
	assert_int_equal(p.frame_len, 1518);
	assert_int_equal(p.stripped, 4);
	assert_int_equal(p.header_len, sizeof(frame));
	assert_int_equal(p.has, 0);
	assert_int_equal(psample_msg_packet(&d, true, &p), 0);
	assert_int_equal(p.source.index, 5);
}

static void
metadata_is_passed_on(void **state)
{
	struct nl_message m;
	struct psample_msg d;
	struct packet p;

	(void)state;
	nl_message_psample(&m);
	put_data(&m);
	nlbuild_put_u16(&m.b, PSAMPLE_ATTR_OUT_TC, 7);
	nlbuild_put_u64(&m.b, PSAMPLE_ATTR_OUT_TC_OCC, UINT64_C(5000000000));
	nlbuild_put_u64(&m.b, PSAMPLE_ATTR_LATENCY, 1234);
	nlbuild_put_u64(&m.b, PSAMPLE_ATTR_TIMESTAMP, UINT64_C(1700000000000000001));
	nlbuild_put(&m.b, 15, "cookie", 6);
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(d.cookie_len, 6);
	assert_memory_equal(d.cookie, "cookie", 6);
	assert_int_equal(psample_msg_packet(&d, false, &p), 0);
	assert_int_equal(p.has, PACKET_HAS_QUEUE | PACKET_HAS_QUEUE_DEPTH |
					PACKET_HAS_TRANSIT | PACKET_HAS_TIMESTAMP);
	assert_int_equal(p.queue, 7);
	assert_int_equal(p.queue_depth_bytes, UINT64_C(5000000000));
	assert_int_equal(p.transit_ns, 1234);
	assert_int_equal(p.timestamp_ns, UINT64_C(1700000000000000001));
}

static void
a_port_number_of_32_bits_is_read(void **state)
{
	struct nl_message m;
	struct psample_msg d;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	nlbuild_begin_genl(&m.b, NL_PSAMPLE_FAMILY, 0, PSAMPLE_CMD_SAMPLE, 1);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_IIFINDEX, 70000);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_RATE, 1);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_GROUP, 1);
	put_data(&m);
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(d.iifindex, 70000);
	assert_int_equal(d.oifindex, 0);
	assert_int_equal(d.origsize, sizeof(frame));
	assert_int_equal(d.has, 0);
}

static void
a_probability_becomes_a_rate(void **state)
{
	struct nl_message m;
	struct psample_msg d;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	nlbuild_begin_genl(&m.b, NL_PSAMPLE_FAMILY, 0, PSAMPLE_CMD_SAMPLE, 1);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_RATE, UINT32_MAX / 1000);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_GROUP, 1);
	nlbuild_put(&m.b, 16, NULL, 0);
	put_data(&m);
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(d.rate, 1000);
}

static void
without_rate_group_or_data_it_is_rejected(void **state)
{
	for (int left_out = 0; left_out < 4; left_out++) {
		struct nl_message m;
		struct psample_msg d;

		(void)state;
		nlbuild_init(&m.b, m.data, sizeof(m.data));
		nlbuild_begin_genl(&m.b, NL_PSAMPLE_FAMILY, 0, PSAMPLE_CMD_SAMPLE, 1);
		if (left_out != 0)
			nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_RATE, 10);
		if (left_out != 1)
			nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_GROUP, 1);
		if (left_out != 2)
			put_data(&m);
		assert_int_equal(decode(&m, &d), left_out == 3 ? 0 : -EBADMSG);
	}
}

static void
a_rate_of_0_is_rejected(void **state)
{
	struct nl_message m;
	struct psample_msg d;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	nlbuild_begin_genl(&m.b, NL_PSAMPLE_FAMILY, 0, PSAMPLE_CMD_SAMPLE, 1);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_RATE, 0);
	nlbuild_put_u32(&m.b, PSAMPLE_ATTR_SAMPLE_GROUP, 1);
	put_data(&m);
	assert_int_equal(decode(&m, &d), -EBADMSG);
}

static void
a_sample_of_no_port_is_refused(void **state)
{
	struct psample_msg d = { .rate = 1, .data = frame, .data_len = sizeof(frame) };
	struct packet p;

	(void)state;
	assert_int_equal(psample_msg_packet(&d, false, &p), -ENODEV);
}

static void
links_without_mac_header_give_ip_packets(void **state)
{
	static const uint8_t ip[20] = { 0x45, 0, 0, 20 };
	struct psample_msg d = { .rate = 1,
		.iifindex = 3,
		.has = PSAMPLE_MSG_HAS_PROTO,
		.proto = 0x800,
		.data = ip,
		.data_len = sizeof(ip),
		.origsize = 100 };
	struct packet p;

	(void)state;
	assert_int_equal(psample_msg_packet(&d, false, &p), 0);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_IPV4);
	assert_int_equal(p.frame_len, 118);
	d.data = frame;
	d.data_len = sizeof(frame);
	assert_int_equal(psample_msg_packet(&d, false, &p), 0);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_ETHERNET);
}

static void
a_tunnel_is_passed_on_for_its_side(void **state)
{
	static const uint8_t id[8] = { 0, 0, 0, 0, 0, 0x12, 0x34, 0x56 };
	struct nl_message m;
	struct psample_msg d;
	struct packet p;
	size_t nest;

	(void)state;
	nl_message_psample(&m);
	nest = nlbuild_nest(&m.b, PSAMPLE_ATTR_TUNNEL);
	nlbuild_put(&m.b, PSAMPLE_TUNNEL_KEY_ATTR_ID, id, sizeof(id));
	nlbuild_put(&m.b, PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC, "\x0a\x00\x00\x01", 4);
	nlbuild_put(&m.b, PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST, "\x0a\x00\x00\x02", 4);
	nlbuild_put_u16(&m.b, PSAMPLE_TUNNEL_KEY_ATTR_TP_DST, htons(4789));
	nlbuild_end_nest(&m.b, nest);
	put_data(&m);
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(psample_msg_packet(&d, false, &p), 0);
	assert_int_equal(p.has, PACKET_HAS_INGRESS_TUNNEL);
	assert_int_equal(p.tunnel_in.vni, 0x123456);
	assert_int_equal(p.tunnel_in.has, PACKET_TUNNEL_HAS_IP | PACKET_TUNNEL_HAS_VNI);
	assert_int_equal(p.tunnel_in.dst_port, 4789);
	assert_int_equal(p.tunnel_in.src.family, AF_INET);
	assert_int_equal(psample_msg_packet(&d, true, &p), 0);
	assert_int_equal(p.has, PACKET_HAS_EGRESS_TUNNEL);
}

static void
other_commands_are_told_apart_from_damaged_ones(void **state)
{
	struct nl_message m;
	struct psample_msg d;
	struct nlmsghdr *h = (struct nlmsghdr *)m.data;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	nlbuild_begin_genl(&m.b, NL_PSAMPLE_FAMILY, 0, PSAMPLE_CMD_NEW_GROUP, 1);
	assert_int_equal(decode(&m, &d), -ENOMSG);
	nl_message_psample(&m);
	put_data(&m);
	h->nlmsg_len -= 4;
	assert_int_equal(decode(&m, &d), -EBADMSG);
	h->nlmsg_len = NLMSG_HDRLEN;
	assert_int_equal(decode(&m, &d), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_has_ports_rate_and_true_length),
		cmocka_unit_test(metadata_is_passed_on),
		cmocka_unit_test(a_port_number_of_32_bits_is_read),
		cmocka_unit_test(a_probability_becomes_a_rate),
		cmocka_unit_test(without_rate_group_or_data_it_is_rejected),
		cmocka_unit_test(a_rate_of_0_is_rejected),
		cmocka_unit_test(a_sample_of_no_port_is_refused),
		cmocka_unit_test(links_without_mac_header_give_ip_packets),
		cmocka_unit_test(a_tunnel_is_passed_on_for_its_side),
		cmocka_unit_test(other_commands_are_told_apart_from_damaged_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
