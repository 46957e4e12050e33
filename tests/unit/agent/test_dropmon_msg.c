/*
 * test_dropmon_msg.c - messages of the drop monitor, and the packets made of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/net_dropmon.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dropmon_msg.h"
#include "golden.h"
#include "nl_message.h"

enum { FAMILY = 36, ATTR_COOKIE = 22, ATTR_REASON = 23 };

static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
static const char flow_drop[] = "ingress_flow_action_drop";

/* A recorded message; the numbers in it have the order of the machine it came from. */
static const struct nlmsghdr *
recorded(const char *name, struct golden *ret)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	skip();
#endif
	golden_read(name, ret);
	return (const struct nlmsghdr *)ret->data;
}

static void
begin(struct nl_message *m, uint8_t cmd)
{
	const struct genlmsghdr genl = { .cmd = cmd, .version = 2 };

	nl_message_begin(m, FAMILY, &genl, sizeof(genl));
}

static void
begin_alert(struct nl_message *m, uint16_t origin)
{
	begin(m, NET_DM_CMD_PACKET_ALERT);
	nlbuild_put_u16(&m->b, NET_DM_ATTR_ORIGIN, origin);
}

static int
decode(const struct nl_message *m, struct dropmon_msg *ret)
{
	return dropmon_msg_decode(nl_message_header(m), ret);
}

static void
a_drop_by_an_acl_is_read_from_a_recorded_message(void **state)
{
	char cookie[DROPMON_COOKIE_SIZE];
	struct golden g;
	struct dropmon_msg m;
	struct packet p;

	(void)state;
	assert_int_equal(dropmon_msg_decode(recorded("dropmon_acl", &g), &m), 0);
	assert_false(m.hardware);
	assert_string_equal(m.function, "nft_do_chain");
	assert_string_equal(m.reason, "NETFILTER_DROP");
	assert_string_equal(m.trap_name, "");
	assert_int_equal(m.in_ifindex, 2);
	assert_int_equal(m.proto, 0x0800);
	assert_int_equal(m.data_len, 64);
	assert_int_equal(m.timestamp_ns, UINT64_C(1795186547782318849));
	assert_int_equal(dropmon_msg_packet(&m, SFLOW_REASON_ACL, cookie, &p), 0);
	assert_int_equal(p.has,
		PACKET_HAS_FUNCTION | PACKET_HAS_LINUX_REASON | PACKET_HAS_TIMESTAMP);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_ETHERNET);
	assert_int_equal(p.frame_len, 72 + 4);
	assert_int_equal(p.header_len, 64);
	assert_int_equal(p.input.value, 2);
	assert_int_equal(p.output.kind, PACKET_PORT_UNKNOWN);
	assert_int_equal(p.reason, SFLOW_REASON_ACL);
}

static void
a_trap_is_read_from_a_recorded_message(void **state)
{
	char cookie[DROPMON_COOKIE_SIZE];
	struct golden g;
	struct dropmon_msg m;
	struct packet p;

	(void)state;
	assert_int_equal(dropmon_msg_decode(recorded("dropmon_trap", &g), &m), 0);
	assert_true(m.hardware);
	assert_string_equal(m.trap_group, "l3_drops");
	assert_string_equal(m.trap_name, "blackhole_route");
	assert_string_equal(m.function, "");
	assert_int_equal(m.in_ifindex, 4);
	assert_int_equal(m.original, 142);
	assert_int_equal(
		dropmon_msg_packet(&m, SFLOW_REASON_BLACKHOLE_ROUTE, cookie, &p), 0);
	assert_int_equal(p.has, PACKET_HAS_HW_TRAP | PACKET_HAS_TIMESTAMP);
	assert_string_equal(p.trap_name, "blackhole_route");
}

static void
losses_are_read_from_a_recorded_message(void **state)
{
	struct golden g;
	uint64_t lost = 9;

	(void)state;
	assert_int_equal(
		dropmon_msg_decode_stats(recorded("dropmon_stats", &g), &lost), 0);
	assert_int_equal(lost, 0);
}

static void
losses_of_software_and_hardware_add_up(void **state)
{
	struct nl_message m;
	uint64_t lost;
	size_t at;

	(void)state;
	begin(&m, NET_DM_CMD_STATS_NEW);
	at = nlbuild_nest(&m.b, NET_DM_ATTR_STATS);
	nlbuild_put_u64(&m.b, NET_DM_ATTR_STATS_DROPPED, 70);
	nlbuild_end_nest(&m.b, at);
	at = nlbuild_nest(&m.b, NET_DM_ATTR_HW_STATS);
	nlbuild_put_u64(&m.b, NET_DM_ATTR_STATS_DROPPED, 7);
	nlbuild_end_nest(&m.b, at);
	assert_int_equal(dropmon_msg_decode_stats(nl_message_header(&m), &lost), 0);
	assert_int_equal(lost, 77);
}

static void
the_configuration_is_read_whole_or_not_at_all(void **state)
{
	struct dropmon_config config;
	struct nl_message m;

	(void)state;
	begin(&m, NET_DM_CMD_CONFIG_NEW);
	nlbuild_put_u8(&m.b, NET_DM_ATTR_ALERT_MODE, NET_DM_ALERT_MODE_PACKET);
	nlbuild_put_u32(&m.b, NET_DM_ATTR_TRUNC_LEN, 128);
	assert_int_equal(
		dropmon_msg_decode_config(nl_message_header(&m), &config), -EBADMSG);
	nlbuild_put_u32(&m.b, NET_DM_ATTR_QUEUE_LEN, 1000);
	assert_int_equal(dropmon_msg_decode_config(nl_message_header(&m), &config), 0);
	assert_true(config.packets);
	assert_int_equal(config.trunc_bytes, 128);
	assert_int_equal(config.queue_len, 1000);
}

static void
the_cookie_of_a_rule_becomes_the_name_of_an_acl(void **state)
{
	const uint8_t bytes[] = { 0xc0, 0xff, 0xee };
	char cookie[DROPMON_COOKIE_SIZE];
	struct dropmon_msg d;
	struct nl_message m;
	struct packet p;

	(void)state;
	begin_alert(&m, NET_DM_ORIGIN_HW);
	nlbuild_put_string(&m.b, NET_DM_ATTR_HW_TRAP_NAME, flow_drop);
	nlbuild_put(&m.b, ATTR_COOKIE, bytes, sizeof(bytes));
	nlbuild_put(&m.b, NET_DM_ATTR_PAYLOAD, frame, sizeof(frame));
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(dropmon_msg_packet(&d, SFLOW_REASON_ACL, cookie, &p), 0);
	assert_int_equal(p.has, PACKET_HAS_HW_TRAP | PACKET_HAS_ACL);
	assert_string_equal(p.acl.name, "c0ffee");
	assert_int_equal(p.acl.direction, SFLOW_ACL_INGRESS);
	assert_int_equal(p.frame_len, sizeof(frame) + 4);
}

static void
a_cookie_that_is_too_long_is_cut(void **state)
{
	char cookie[DROPMON_COOKIE_SIZE];
	uint8_t bytes[40];
	struct dropmon_msg d;
	struct nl_message m;
	struct packet p;

	(void)state;
	memset(bytes, 0xab, sizeof(bytes));
	begin_alert(&m, NET_DM_ORIGIN_HW);
	nlbuild_put(&m.b, ATTR_COOKIE, bytes, sizeof(bytes));
	nlbuild_put(&m.b, NET_DM_ATTR_PAYLOAD, frame, sizeof(frame));
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(dropmon_msg_packet(&d, SFLOW_REASON_ACL, cookie, &p), 0);
	assert_int_equal(strlen(p.acl.name), 32);
	assert_int_equal(p.acl.direction, SFLOW_ACL_UNKNOWN);
}

static void
a_long_name_is_cut_to_what_sflow_takes(void **state)
{
	struct dropmon_msg d;
	struct nl_message m;
	char name[200];

	(void)state;
	memset(name, 'f', sizeof(name));
	memcpy(name + sizeof(name) - 6, "+0x1/2", 6);
	begin_alert(&m, NET_DM_ORIGIN_SW);
	nlbuild_put(&m.b, NET_DM_ATTR_SYMBOL, name, sizeof(name));
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(strlen(d.function), 64);
}

static void
a_packet_without_mac_header_is_an_ip_packet(void **state)
{
	char cookie[DROPMON_COOKIE_SIZE];
	uint8_t ip[40] = { 0x45 };
	struct dropmon_msg d;
	struct nl_message m;
	struct packet p;

	(void)state;
	begin_alert(&m, NET_DM_ORIGIN_SW);
	nlbuild_put_u16(&m.b, NET_DM_ATTR_PROTO, 0x0800);
	nlbuild_put(&m.b, NET_DM_ATTR_PAYLOAD, ip, sizeof(ip));
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(dropmon_msg_packet(&d, SFLOW_REASON_UNKNOWN, cookie, &p), 0);
	assert_int_equal(p.protocol, SFLOW_PROTOCOL_IPV4);
}

static void
an_alert_without_bytes_makes_no_packet(void **state)
{
	char cookie[DROPMON_COOKIE_SIZE];
	struct dropmon_msg d;
	struct nl_message m;
	struct packet p;

	(void)state;
	begin_alert(&m, NET_DM_ORIGIN_SW);
	nlbuild_put_string(&m.b, ATTR_REASON, "NO_SOCKET");
	assert_int_equal(decode(&m, &d), 0);
	assert_null(d.data);
	assert_int_equal(
		dropmon_msg_packet(&d, SFLOW_REASON_UNKNOWN, cookie, &p), -ENODATA);
}

static void
what_is_no_alert_is_not_decoded(void **state)
{
	struct dropmon_msg d;
	struct nl_message m;

	(void)state;
	begin(&m, NET_DM_CMD_ALERT);
	assert_int_equal(decode(&m, &d), -ENOMSG);
	begin(&m, NET_DM_CMD_PACKET_ALERT);
	assert_int_equal(decode(&m, &d), -EBADMSG); /* no origin */
	nlbuild_put(&m.b, NET_DM_ATTR_ORIGIN, "x", 1);
	assert_int_equal(decode(&m, &d), -EBADMSG);
}

/* In memory of just that size, so that a sanitizer sees what is read behind it. */
static void
a_message_that_is_cut_anywhere_is_no_danger(void **state)
{
	struct dropmon_msg d;
	struct nl_message m;
	size_t at;

	(void)state;
	begin_alert(&m, NET_DM_ORIGIN_SW);
	nlbuild_put(&m.b, NET_DM_ATTR_PAYLOAD, frame, sizeof(frame));
	at = nlbuild_nest(&m.b, NET_DM_ATTR_IN_PORT);
	nlbuild_put_u32(&m.b, NET_DM_ATTR_PORT_NETDEV_IFINDEX, 7);
	nlbuild_end_nest(&m.b, at);
	assert_int_equal(decode(&m, &d), 0);
	assert_int_equal(d.in_ifindex, 7);
	for (size_t len = NLMSG_HDRLEN; len < m.b.len; len++) {
		struct nlmsghdr *h = nl_message_cut(&m, len);

		if (dropmon_msg_decode(h, &d) == 0) {
			assert_int_equal(d.in_ifindex, 0);
			assert_true(!d.data || d.data_len == sizeof(frame));
		}
		free(h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drop_by_an_acl_is_read_from_a_recorded_message),
		cmocka_unit_test(a_trap_is_read_from_a_recorded_message),
		cmocka_unit_test(losses_are_read_from_a_recorded_message),
		cmocka_unit_test(losses_of_software_and_hardware_add_up),
		cmocka_unit_test(the_configuration_is_read_whole_or_not_at_all),
		cmocka_unit_test(the_cookie_of_a_rule_becomes_the_name_of_an_acl),
		cmocka_unit_test(a_cookie_that_is_too_long_is_cut),
		cmocka_unit_test(a_long_name_is_cut_to_what_sflow_takes),
		cmocka_unit_test(a_packet_without_mac_header_is_an_ip_packet),
		cmocka_unit_test(an_alert_without_bytes_makes_no_packet),
		cmocka_unit_test(what_is_no_alert_is_not_decoded),
		cmocka_unit_test(a_message_that_is_cut_anywhere_is_no_danger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
