/*
 * test_resolve_msg.c - answers about routes, neighbours and bridges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/resolve_msg.h"
#include "nl_messages.h"

static void
begin(struct nl_message *m, uint16_t type, const void *header, size_t len)
{
	nlbuild_init(&m->b, m->data, sizeof(m->data));
	nlbuild_begin(&m->b, type, 0, header, len);
}

static void
begin_route(struct nl_message *m, uint8_t family, uint8_t type)
{
	const struct rtmsg header = { .rtm_family = family, .rtm_type = type };

	begin(m, RTM_NEWROUTE, &header, sizeof(header));
}

static int
decode_route(struct nl_message *m, struct resolve_route *ret)
{
	return resolve_msg_route(nl_message_done(m), ret);
}

static void
a_route_has_interface_and_gateway(void **state)
{
	struct resolve_route r;
	struct nl_message m;

	(void)state;
	begin_route(&m, AF_INET, RTN_UNICAST);
	nlbuild_put_u32(&m.b, RTA_OIF, 4);
	nlbuild_put(&m.b, RTA_GATEWAY, "\x0a\x00\x00\x01", 4);
	assert_int_equal(decode_route(&m, &r), 0);
	assert_int_equal(r.type, RTN_UNICAST);
	assert_int_equal(r.oif, 4);
	assert_false(r.multipath);
	assert_int_equal(r.gateway_family, AF_INET);
	assert_memory_equal(r.gateway, "\x0a\x00\x00\x01", 4);
}

static void
a_route_has_a_prefix_in_a_table(void **state)
{
	struct rtmsg header = { .rtm_family = AF_INET,
		.rtm_type = RTN_UNICAST,
		.rtm_table = RT_TABLE_COMPAT,
		.rtm_flags = RTM_F_CLONED,
		.rtm_dst_len = 20 };
	struct resolve_route r;
	struct nl_message m;

	(void)state;
	begin(&m, RTM_DELROUTE, &header, sizeof(header));
	nlbuild_put(&m.b, RTA_DST, "\x0a\x01\x10\x00", 4);
	nlbuild_put_u32(&m.b, RTA_TABLE, 1001);
	assert_int_equal(decode_route(&m, &r), 0);
	assert_int_equal(r.prefix_len, 20);
	assert_memory_equal(r.dst, "\x0a\x01\x10\x00", 4);
	assert_int_equal(r.table, 1001);
	assert_int_equal(r.flags, RTM_F_CLONED);

	header.rtm_dst_len = 0;
	header.rtm_table = RT_TABLE_MAIN;
	begin(&m, RTM_NEWROUTE, &header, sizeof(header));
	assert_int_equal(decode_route(&m, &r), 0);
	assert_int_equal(r.prefix_len, 0);
	assert_int_equal(r.table, RT_TABLE_MAIN);
}

static void
a_prefix_longer_than_its_address_is_rejected(void **state)
{
	struct rtmsg header = { .rtm_family = AF_INET, .rtm_dst_len = 33 };
	struct resolve_route r;
	struct nl_message m;

	(void)state;
	begin(&m, RTM_NEWROUTE, &header, sizeof(header));
	assert_int_equal(decode_route(&m, &r), -EBADMSG);
	header.rtm_family = AF_INET6;
	header.rtm_dst_len = 129;
	begin(&m, RTM_NEWROUTE, &header, sizeof(header));
	assert_int_equal(decode_route(&m, &r), -EBADMSG);
	header.rtm_dst_len = 128;
	begin(&m, RTM_NEWROUTE, &header, sizeof(header));
	nlbuild_put(&m.b, RTA_DST, "\x20\x01\x00\x00", 4);
	assert_int_equal(decode_route(&m, &r), -EBADMSG);
}

static void
a_gateway_may_be_of_another_family(void **state)
{
	uint8_t via[2 + 16] = { 0 };
	const uint16_t family = AF_INET6;
	struct resolve_route r;
	struct nl_message m;

	(void)state;
	memcpy(via, &family, sizeof(family));
	via[17] = 9;
	begin_route(&m, AF_INET, RTN_UNICAST);
	nlbuild_put_u32(&m.b, RTA_OIF, 4);
	nlbuild_put(&m.b, RTA_VIA, via, sizeof(via));
	assert_int_equal(decode_route(&m, &r), 0);
	assert_int_equal(r.gateway_family, AF_INET6);
	assert_int_equal(r.gateway[15], 9);

	begin_route(&m, AF_INET, RTN_UNICAST);
	nlbuild_put(&m.b, RTA_VIA, via, sizeof(via) - 1);
	assert_int_equal(decode_route(&m, &r), -EBADMSG);
}

static void
several_next_hops_are_noticed(void **state)
{
	struct resolve_route r;
	struct nl_message m;

	(void)state;
	begin_route(&m, AF_INET, RTN_UNICAST);
	nlbuild_put(&m.b, RTA_MULTIPATH, NULL, 0);
	assert_int_equal(decode_route(&m, &r), 0);
	assert_true(r.multipath);
	begin_route(&m, AF_INET6, RTN_UNICAST);
	nlbuild_put_u32(&m.b, RTA_NH_ID, 1);
	assert_int_equal(decode_route(&m, &r), 0);
	assert_true(r.multipath);
	nlbuild_put_u32(&m.b, RTA_OIF, 1);
	assert_int_equal(decode_route(&m, &r), 0);
	assert_false(r.multipath);
}

static void
a_gateway_that_is_too_short_is_rejected(void **state)
{
	struct resolve_route r;
	struct nl_message m;

	(void)state;
	begin_route(&m, AF_INET6, RTN_UNICAST);
	nlbuild_put(&m.b, RTA_GATEWAY, "\x0a\x00\x00\x01", 4);
	assert_int_equal(decode_route(&m, &r), -EBADMSG);
}

static void
neighbours_and_learned_addresses_are_read(void **state)
{
	const struct ndmsg header = {
		.ndm_family = AF_BRIDGE, .ndm_ifindex = 5, .ndm_state = 2
	};
	struct resolve_neigh n;
	struct nl_message m;

	(void)state;
	begin(&m, RTM_NEWNEIGH, &header, sizeof(header));
	nlbuild_put(&m.b, NDA_LLADDR, "\x02\x00\x00\x00\x00\x07", 6);
	nlbuild_put_u32(&m.b, NDA_MASTER, 2);
	nlbuild_put_u16(&m.b, NDA_VLAN, 100);
	assert_int_equal(resolve_msg_neigh(nl_message_done(&m), &n), 0);
	assert_int_equal(n.family, AF_BRIDGE);
	assert_int_equal(n.ifindex, 5);
	assert_int_equal(n.master, 2);
	assert_int_equal(n.vlan, 100);
	assert_int_equal(n.state, 2);
	assert_true(n.has_mac);
	assert_int_equal(n.mac[5], 7);
}

static void
addresses_of_other_lengths_are_no_mac(void **state)
{
	const struct ndmsg header = { .ndm_family = AF_INET };
	static const uint8_t address[20];
	struct resolve_neigh n;
	struct nl_message m;

	(void)state;
	begin(&m, RTM_NEWNEIGH, &header, sizeof(header));
	nlbuild_put(&m.b, NDA_LLADDR, address, 20);
	nlbuild_put(&m.b, NDA_DST, address, 4);
	assert_int_equal(resolve_msg_neigh(nl_message_done(&m), &n), 0);
	assert_false(n.has_mac);
	begin(&m, RTM_NEWNEIGH, &header, sizeof(header));
	nlbuild_put(&m.b, NDA_DST, address, 20);
	assert_int_equal(resolve_msg_neigh(nl_message_done(&m), &n), -EBADMSG);
}

static bool
aware(const char *kind, uint8_t filtering)
{
	const struct ifinfomsg header = { .ifi_index = 2 };
	struct nl_message m;
	size_t info, data;
	bool ret;

	begin(&m, RTM_NEWLINK, &header, sizeof(header));
	info = nlbuild_nest(&m.b, IFLA_LINKINFO);
	nlbuild_put_string(&m.b, IFLA_INFO_KIND, kind);
	data = nlbuild_nest(&m.b, IFLA_INFO_DATA);
	nlbuild_put_u8(&m.b, IFLA_BR_VLAN_FILTERING, filtering);
	nlbuild_end_nest(&m.b, data);
	nlbuild_end_nest(&m.b, info);
	assert_int_equal(resolve_msg_vlan_aware(nl_message_done(&m), &ret), 0);
	return ret;
}

static void
only_bridges_that_filter_tell_vlans_apart(void **state)
{
	(void)state;
	assert_true(aware("bridge", 1));
	assert_false(aware("bridge", 0));
	assert_false(aware("bridges", 1));
	assert_false(aware("bond", 1));
}

static void
put_vlan(struct nl_message *m, uint16_t vid, uint16_t flags)
{
	const struct bridge_vlan_info info = { .vid = vid, .flags = flags };
	size_t entry = nlbuild_nest(&m->b, BRIDGE_VLANDB_ENTRY);

	nlbuild_put(&m->b, BRIDGE_VLANDB_ENTRY_INFO, &info, sizeof(info));
	nlbuild_end_nest(&m->b, entry);
}

static void
the_vlan_of_untagged_packets_is_found(void **state)
{
	const struct br_vlan_msg header = { .family = AF_BRIDGE, .ifindex = 3 };
	struct nl_message m;
	uint16_t pvid = 9;

	(void)state;
	begin(&m, RTM_NEWVLAN, &header, sizeof(header));
	assert_int_equal(resolve_msg_pvid(nl_message_done(&m), &pvid), 0);
	assert_int_equal(pvid, 0);
	put_vlan(&m, 10, 0);
	put_vlan(&m, 20, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	put_vlan(&m, 30, 0);
	assert_int_equal(resolve_msg_pvid(nl_message_done(&m), &pvid), 0);
	assert_int_equal(pvid, 20);
	((struct nlmsghdr *)m.data)->nlmsg_len -= 4;
	assert_int_equal(resolve_msg_pvid(nl_message_done(&m), &pvid), -EBADMSG);
}

static void
rules_that_look_at_more_than_the_destination_are_noticed(void **state)
{
	struct fib_rule_hdr header = { .family = AF_INET };
	struct nl_message m;
	bool by_flow = true;

	(void)state;
	begin(&m, RTM_NEWRULE, &header, sizeof(header));
	assert_int_equal(resolve_msg_rule_by_flow(nl_message_done(&m), &by_flow), 0);
	assert_false(by_flow);
	nlbuild_put_u8(&m.b, FRA_IP_PROTO, 6);
	assert_int_equal(resolve_msg_rule_by_flow(nl_message_done(&m), &by_flow), 0);
	assert_true(by_flow);
	header.src_len = 24;
	begin(&m, RTM_NEWRULE, &header, sizeof(header));
	assert_int_equal(resolve_msg_rule_by_flow(nl_message_done(&m), &by_flow), 0);
	assert_true(by_flow);
}

static void
other_messages_are_told_apart(void **state)
{
	const struct rtmsg header = { .rtm_family = AF_INET };
	struct resolve_route route;
	struct resolve_neigh neigh;
	struct nl_message m;
	uint16_t number;
	bool flag;

	(void)state;
	begin(&m, RTM_NEWADDR, &header, sizeof(header));
	assert_int_equal(resolve_msg_route(nl_message_done(&m), &route), -ENOMSG);
	assert_int_equal(resolve_msg_neigh(nl_message_done(&m), &neigh), -ENOMSG);
	assert_int_equal(resolve_msg_vlan_aware(nl_message_done(&m), &flag), -ENOMSG);
	assert_int_equal(resolve_msg_pvid(nl_message_done(&m), &number), -ENOMSG);
	assert_int_equal(resolve_msg_rule_by_flow(nl_message_done(&m), &flag), -ENOMSG);
	begin(&m, RTM_NEWROUTE, &header, 4);
	assert_int_equal(resolve_msg_route(nl_message_done(&m), &route), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_has_interface_and_gateway),
		cmocka_unit_test(a_route_has_a_prefix_in_a_table),
		cmocka_unit_test(a_prefix_longer_than_its_address_is_rejected),
		cmocka_unit_test(a_gateway_may_be_of_another_family),
		cmocka_unit_test(several_next_hops_are_noticed),
		cmocka_unit_test(a_gateway_that_is_too_short_is_rejected),
		cmocka_unit_test(neighbours_and_learned_addresses_are_read),
		cmocka_unit_test(addresses_of_other_lengths_are_no_mac),
		cmocka_unit_test(only_bridges_that_filter_tell_vlans_apart),
		cmocka_unit_test(the_vlan_of_untagged_packets_is_found),
		cmocka_unit_test(
			rules_that_look_at_more_than_the_destination_are_noticed),
		cmocka_unit_test(other_messages_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
