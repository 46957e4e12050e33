/*
 * test_counter_msg.c - statistics of links and of their MACs: requests and answers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/if_bonding.h>
#include <linux/rtnetlink.h>

#include "agent/ethtool_msg.h"
#include "agent/link_stats_msg.h"
#include "nl_message.h"

enum { FAMILY = 21 };

static void
begin_stats(struct nl_message *m)
{
	struct if_stats_msg header = { .ifindex = 7 };

	nl_message_begin(m, RTM_NEWSTATS, &header, sizeof(header));
}

static void
link_statistics_are_those_of_the_kernel(void **state)
{
	struct rtnl_link_stats64 in = { .rx_bytes = UINT64_MAX - 1, .tx_dropped = 9 };
	struct link_stats out;
	struct nl_message m;

	(void)state;
	begin_stats(&m);
	nlbuild_put(&m.b, IFLA_STATS_LINK_64, &in, sizeof(in));
	assert_int_equal(link_stats_decode(nl_message_header(&m), &out), 0);
	assert_int_equal(out.index, 7);
	assert_true(out.has_link);
	assert_false(out.has_lacp);
	assert_memory_equal(&out.link, &in, sizeof(in));
}

static void
statistics_of_older_and_newer_kernels_are_read(void **state)
{
	uint8_t in[sizeof(struct rtnl_link_stats64) + 16];
	struct link_stats out;
	struct nl_message m;

	(void)state;
	memset(in, 1, sizeof(in));
	begin_stats(&m);
	nlbuild_put(&m.b, IFLA_STATS_LINK_64, in,
		offsetof(struct rtnl_link_stats64, rx_nohandler));
	assert_int_equal(link_stats_decode(nl_message_header(&m), &out), 0);
	assert_int_equal(out.link.rx_nohandler, 0);
	assert_true(out.link.tx_compressed == UINT64_C(0x0101010101010101));
	begin_stats(&m);
	nlbuild_put(&m.b, IFLA_STATS_LINK_64, in, sizeof(in));
	assert_int_equal(link_stats_decode(nl_message_header(&m), &out), 0);
	begin_stats(&m);
	nlbuild_put(&m.b, IFLA_STATS_LINK_64, in, 64);
	assert_int_equal(link_stats_decode(nl_message_header(&m), &out), -EBADMSG);
}

static void
lacp_packets_of_a_member_are_counted(void **state)
{
	struct link_stats out;
	struct nl_message m;
	size_t member, bond, ad;

	(void)state;
	begin_stats(&m);
	member = nlbuild_nest(&m.b, IFLA_STATS_LINK_XSTATS_SLAVE);
	bond = nlbuild_nest(&m.b, LINK_XSTATS_TYPE_BOND);
	ad = nlbuild_nest(&m.b, BOND_XSTATS_3AD);
	for (uint16_t i = 0; i <= BOND_3AD_STAT_MARKER_RX; i++)
		nlbuild_put_u64(&m.b, i, 100 + i);
	nlbuild_put(&m.b, BOND_3AD_STAT_PAD, NULL, 0);
	nlbuild_end_nest(&m.b, ad);
	nlbuild_end_nest(&m.b, bond);
	nlbuild_end_nest(&m.b, member);
	assert_int_equal(link_stats_decode(nl_message_header(&m), &out), 0);
	assert_true(out.has_lacp);
	assert_int_equal(out.lacp.lacpdu_rx, 100 + BOND_3AD_STAT_LACPDU_RX);
	assert_int_equal(out.lacp.lacpdu_tx, 100 + BOND_3AD_STAT_LACPDU_TX);
	assert_int_equal(out.lacp.unknown_rx, 100 + BOND_3AD_STAT_LACPDU_UNKNOWN_RX);
	assert_int_equal(out.lacp.illegal_rx, 100 + BOND_3AD_STAT_LACPDU_ILLEGAL_RX);
	assert_int_equal(out.lacp.marker_rx, 100 + BOND_3AD_STAT_MARKER_RX);
	assert_true(out.lacp.marker_tx == COUNTER_UNKNOWN);
	assert_int_equal(out.lacp.attached_aggregator, 0);
}

static void
request_for_one_link_is_no_dump(void **state)
{
	struct nl_message m;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	link_stats_build(&m.b, 7, LINK_STATS_LINK);
	assert_int_equal(nl_message_header(&m)->nlmsg_flags, NLM_F_REQUEST);
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	link_stats_build(&m.b, 0, LINK_STATS_LINK);
	assert_int_equal(
		nl_message_header(&m)->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
}

/* An answer or notification of the ethtool family about interface 7. */
static void
begin_ethtool(struct nl_message *m, uint8_t cmd, uint16_t header_type)
{
	size_t at;

	nlbuild_init(&m->b, m->data, sizeof(m->data));
	nlbuild_begin_genl(&m->b, FAMILY, 0, cmd, 1);
	at = nlbuild_nest(&m->b, header_type);
	nlbuild_put_u32(&m->b, ETHTOOL_A_HEADER_DEV_INDEX, 7);
	nlbuild_put_string(&m->b, ETHTOOL_A_HEADER_DEV_NAME, "swp7");
	nlbuild_end_nest(&m->b, at);
}

static void
begin_link_modes(struct nl_message *m, uint8_t cmd)
{
	begin_ethtool(m, cmd, ETHTOOL_A_LINKMODES_HEADER);
}

static void
speed_and_duplex_are_read_from_answers_and_notifications(void **state)
{
	static const uint8_t commands[] = { ETHTOOL_MSG_LINKMODES_GET_REPLY,
		ETHTOOL_MSG_LINKMODES_NTF };
	struct ethtool_link link;
	struct nl_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(commands); i++) {
		begin_link_modes(&m, commands[i]);
		nlbuild_put_u32(&m.b, ETHTOOL_A_LINKMODES_SPEED, 400000);
		nlbuild_put_u8(&m.b, ETHTOOL_A_LINKMODES_DUPLEX, DUPLEX_FULL);
		assert_int_equal(ethtool_link_decode(nl_message_header(&m), &link), 0);
		assert_int_equal(link.ifindex, 7);
		assert_int_equal(link.speed_bps, UINT64_C(400000000000));
		assert_int_equal(link.duplex, SFLOW_IF_DIRECTION_FULL_DUPLEX);
	}
}

static void
speed_that_is_not_known_is_zero(void **state)
{
	static const uint32_t unknown[] = { UINT32_MAX, 0xffff, 0 };
	struct ethtool_link link;
	struct nl_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		begin_link_modes(&m, ETHTOOL_MSG_LINKMODES_GET_REPLY);
		nlbuild_put_u32(&m.b, ETHTOOL_A_LINKMODES_SPEED, unknown[i]);
		nlbuild_put_u8(&m.b, ETHTOOL_A_LINKMODES_DUPLEX, DUPLEX_UNKNOWN);
		assert_int_equal(ethtool_link_decode(nl_message_header(&m), &link), 0);
		assert_int_equal(link.speed_bps, 0);
		assert_int_equal(link.duplex, SFLOW_IF_DIRECTION_UNKNOWN);
	}
}

static void
other_notifications_are_told_apart(void **state)
{
	struct ethtool_counters counters;
	struct ethtool_link link;
	struct nl_message m;

	(void)state;
	begin_link_modes(&m, ETHTOOL_MSG_FEATURES_NTF);
	assert_int_equal(ethtool_link_decode(nl_message_header(&m), &link), -ENOMSG);
	assert_int_equal(
		ethtool_counters_decode(nl_message_header(&m), &counters), -ENOMSG);
}

static void
put_stat(struct nl_message *m, uint16_t number, uint64_t value, bool padded)
{
	size_t at = nlbuild_nest(&m->b, ETHTOOL_A_STATS_GRP_STAT);

	if (padded)
		nlbuild_put(&m->b, ETHTOOL_A_STATS_GRP_PAD, NULL, 0);
	nlbuild_put_u64(&m->b, number, value);
	nlbuild_end_nest(&m->b, at);
}

static size_t
begin_group(struct nl_message *m, uint32_t group)
{
	size_t at = nlbuild_nest(&m->b, ETHTOOL_A_STATS_GRP);

	nlbuild_put_u32(&m->b, ETHTOOL_A_STATS_GRP_ID, group);
	nlbuild_put_u32(&m->b, ETHTOOL_A_STATS_GRP_SS_ID, 99);
	return at;
}

static void
statistics_of_mac_and_phy_are_found_by_number(void **state)
{
	struct ethtool_counters c;
	struct nl_message m;
	size_t at;

	(void)state;
	begin_ethtool(&m, ETHTOOL_MSG_STATS_GET_REPLY, ETHTOOL_A_STATS_HEADER);
	at = begin_group(&m, ETHTOOL_STATS_ETH_PHY);
	put_stat(&m, ETHTOOL_A_STATS_ETH_PHY_5_SYM_ERR, 13, true);
	nlbuild_end_nest(&m.b, at);
	at = begin_group(&m, ETHTOOL_STATS_ETH_MAC);
	put_stat(&m, ETHTOOL_A_STATS_ETH_MAC_6_FCS_ERR, 2, false);
	put_stat(&m, ETHTOOL_A_STATS_ETH_MAC_25_TOO_LONG_ERR, 11, true);
	put_stat(&m, ETHTOOL_STATS_MAX, 1, false);
	nlbuild_end_nest(&m.b, at);
	at = begin_group(&m, ETHTOOL_STATS_RMON);
	put_stat(&m, 0, 77, false);
	nlbuild_end_nest(&m.b, at);
	assert_int_equal(ethtool_counters_decode(nl_message_header(&m), &c), 0);
	assert_int_equal(c.ifindex, 7);
	assert_int_equal(
		c.values[ETHTOOL_GROUP_PHY][ETHTOOL_A_STATS_ETH_PHY_5_SYM_ERR], 13);
	assert_int_equal(
		c.values[ETHTOOL_GROUP_MAC][ETHTOOL_A_STATS_ETH_MAC_6_FCS_ERR], 2);
	assert_int_equal(
		c.values[ETHTOOL_GROUP_MAC][ETHTOOL_A_STATS_ETH_MAC_25_TOO_LONG_ERR],
		11);
	assert_true(c.values[ETHTOOL_GROUP_MAC][ETHTOOL_A_STATS_ETH_MAC_2_TX_PKT] ==
		    COUNTER_UNKNOWN);
}

static void
statistic_without_a_value_is_refused(void **state)
{
	struct ethtool_counters c;
	struct nl_message m;
	size_t at;

	(void)state;
	begin_ethtool(&m, ETHTOOL_MSG_STATS_GET_REPLY, ETHTOOL_A_STATS_HEADER);
	at = begin_group(&m, ETHTOOL_STATS_ETH_MAC);
	nlbuild_put(&m.b, ETHTOOL_A_STATS_GRP_STAT | NLA_F_NESTED, NULL, 0);
	nlbuild_end_nest(&m.b, at);
	assert_int_equal(ethtool_counters_decode(nl_message_header(&m), &c), -EBADMSG);
}

static void
piece_of_an_eeprom_is_asked_for_and_found(void **state)
{
	const struct ethtool_eeprom_range range = { 0x50, 1, 0x11, 154, 48 };
	const uint8_t *data;
	struct nl_message m;
	size_t len;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	ethtool_build_eeprom(&m.b, FAMILY, 7, &range);
	assert_true(nlbuild_ok(&m.b));
	assert_int_equal(
		ethtool_eeprom_decode(nl_message_header(&m), &data, &len), -ENOMSG);
	begin_ethtool(&m, ETHTOOL_MSG_MODULE_EEPROM_GET_REPLY,
		ETHTOOL_A_MODULE_EEPROM_HEADER);
	nlbuild_put(&m.b, ETHTOOL_A_MODULE_EEPROM_DATA, "\3\4\7", 3);
	assert_int_equal(ethtool_eeprom_decode(nl_message_header(&m), &data, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "\3\4\7", 3);
	begin_ethtool(&m, ETHTOOL_MSG_MODULE_EEPROM_GET_REPLY,
		ETHTOOL_A_MODULE_EEPROM_HEADER);
	assert_int_equal(
		ethtool_eeprom_decode(nl_message_header(&m), &data, &len), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_statistics_are_those_of_the_kernel),
		cmocka_unit_test(statistics_of_older_and_newer_kernels_are_read),
		cmocka_unit_test(lacp_packets_of_a_member_are_counted),
		cmocka_unit_test(request_for_one_link_is_no_dump),
		cmocka_unit_test(
			speed_and_duplex_are_read_from_answers_and_notifications),
		cmocka_unit_test(speed_that_is_not_known_is_zero),
		cmocka_unit_test(other_notifications_are_told_apart),
		cmocka_unit_test(statistics_of_mac_and_phy_are_found_by_number),
		cmocka_unit_test(statistic_without_a_value_is_refused),
		cmocka_unit_test(piece_of_an_eeprom_is_asked_for_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
