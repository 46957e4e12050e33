/*
 * test_link_msg.c - links and addresses as the kernel tells them.
 */
#include "agent/link_msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "nl_message.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 1, 7 };

static void
begin_link(struct nl_message *m, const char *name)
{
	struct ifinfomsg header = {
		.ifi_index = 7,
		.ifi_type = 1,
		.ifi_flags = IFF_UP | IFF_RUNNING,
	};

	nl_message_begin(m, RTM_NEWLINK, &header, sizeof(header));
	nlbuild_put_string(&m->b, IFLA_IFNAME, name);
}

/* A link of a kind, whose IFLA_INFO_DATA stays open: returns the places to close. */
struct nests {
	size_t info, data;
};

static struct nests
begin_kind(struct nl_message *m, const char *kind)
{
	struct nests n;

	n.info = nlbuild_nest(&m->b, IFLA_LINKINFO);
	nlbuild_put_string(&m->b, IFLA_INFO_KIND, kind);
	n.data = nlbuild_nest(&m->b, IFLA_INFO_DATA);
	return n;
}

static void
end_kind(struct nl_message *m, struct nests n)
{
	nlbuild_end_nest(&m->b, n.data);
	nlbuild_end_nest(&m->b, n.info);
}

static void
plain_port_has_all_its_properties(void **state)
{
	struct link_msg link;
	struct nl_message m;

	(void)state;
	begin_link(&m, "swp7");
	nlbuild_put_string(&m.b, IFLA_IFALIAS, "to the roof");
	nlbuild_put(&m.b, IFLA_ADDRESS, mac, sizeof(mac));
	nlbuild_put_u32(&m.b, IFLA_MTU, 9216);
	nlbuild_put_u8(&m.b, IFLA_OPERSTATE, IF_OPER_UP);
	nlbuild_put_u32(&m.b, IFLA_PROMISCUITY, 1);
	nlbuild_put_u32(&m.b, IFLA_MASTER, 3);
	nlbuild_put(&m.b, IFLA_PHYS_SWITCH_ID, "id", 2);
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_int_equal(link.index, 7);
	assert_string_equal(link.name, "swp7");
	assert_string_equal(link.alias, "to the roof");
	assert_true(link.has_mac);
	assert_memory_equal(link.mac, mac, sizeof(mac));
	assert_int_equal(link.mtu, 9216);
	assert_int_equal(link.flags, IFF_UP | IFF_RUNNING);
	assert_int_equal(link.oper_state, IF_OPER_UP);
	assert_int_equal(link.promiscuity, 1);
	assert_int_equal(link.master, 3);
	assert_true(link.has_switch_id);
	assert_int_equal(link.kind, LINK_KIND_NONE);
	assert_false(link.is_lag_member);
}

static void
message_of_the_bridge_family_says_nothing_of_the_link(void **state)
{
	struct ifinfomsg header = { .ifi_family = AF_BRIDGE, .ifi_index = 7 };
	struct link_msg link;
	struct nl_message m;

	(void)state;
	nl_message_begin(&m, RTM_DELLINK, &header, sizeof(header));
	nlbuild_put_string(&m.b, IFLA_IFNAME, "swp7");
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), -EAFNOSUPPORT);
}

static void
link_without_name_or_number_is_refused(void **state)
{
	struct ifinfomsg header = { .ifi_index = 7 };
	struct link_msg link;
	struct nl_message m;

	(void)state;
	nl_message_begin(&m, RTM_NEWLINK, &header, sizeof(header));
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), -EBADMSG);
	header.ifi_index = 0;
	nl_message_begin(&m, RTM_NEWLINK, &header, sizeof(header));
	nlbuild_put_string(&m.b, IFLA_IFNAME, "swp7");
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), -EBADMSG);
	begin_link(&m, "a-name-of-16-chr");
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), -EBADMSG);
}

static void
address_of_another_length_is_no_mac(void **state)
{
	static const uint8_t infiniband[20] = { 1 }, zero[6] = { 0 };
	struct link_msg link;
	struct nl_message m;

	(void)state;
	begin_link(&m, "ib0");
	nlbuild_put(&m.b, IFLA_ADDRESS, infiniband, sizeof(infiniband));
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_false(link.has_mac);
	begin_link(&m, "lo");
	nlbuild_put(&m.b, IFLA_ADDRESS, zero, sizeof(zero));
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_false(link.has_mac);
}

static void
vlan_has_its_id_and_what_is_below(void **state)
{
	struct link_msg link;
	struct nl_message m;
	struct nests n;

	(void)state;
	begin_link(&m, "swp1.5");
	nlbuild_put_u32(&m.b, IFLA_LINK, 2);
	n = begin_kind(&m, "vlan");
	nlbuild_put_u16(&m.b, IFLA_VLAN_ID, 5);
	end_kind(&m, n);
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_int_equal(link.kind, LINK_KIND_VLAN);
	assert_int_equal(link.vlan_id, 5);
	assert_int_equal(link.lower, 2);
}

static void
number_in_another_namespace_is_not_taken_for_one_of_ours(void **state)
{
	struct link_msg link;
	struct nl_message m;

	(void)state;
	begin_link(&m, "mv0");
	nlbuild_put_u32(&m.b, IFLA_LINK, 2);
	nlbuild_put_u32(&m.b, IFLA_LINK_NETNSID, 0);
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_int_equal(link.lower, 0);
}

static void
every_kind_is_told_apart(void **state)
{
	static const struct {
		const char *name;
		enum link_kind kind;
	} cases[] = {
		{ "bridge", LINK_KIND_BRIDGE },
		{ "bond", LINK_KIND_BOND },
		{ "team", LINK_KIND_TEAM },
		{ "veth", LINK_KIND_VETH },
		{ "vxlan", LINK_KIND_VXLAN },
		{ "dummy", LINK_KIND_DUMMY },
		{ "vrf", LINK_KIND_VRF },
		{ "ipvlan", LINK_KIND_MACVLAN },
		{ "tun", LINK_KIND_TUN },
		{ "wireguard", LINK_KIND_TUNNEL },
		{ "dsa", LINK_KIND_DSA },
		{ "netdevsim", LINK_KIND_OTHER },
		{ "", LINK_KIND_OTHER },
	};
	struct link_msg link;
	struct nl_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin_link(&m, "x");
		end_kind(&m, begin_kind(&m, cases[i].name));
		assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
		assert_int_equal(link.kind, cases[i].kind);
	}
}

static void
bond_tells_its_partner(void **state)
{
	struct link_msg link;
	struct nl_message m;
	struct nests n;
	size_t ad;

	(void)state;
	begin_link(&m, "bond0");
	n = begin_kind(&m, "bond");
	nlbuild_put(&m.b, IFLA_BOND_AD_ACTOR_SYSTEM, "ACTOR0", 6);
	ad = nlbuild_nest(&m.b, IFLA_BOND_AD_INFO);
	nlbuild_put_u16(&m.b, IFLA_BOND_AD_INFO_AGGREGATOR, 2);
	nlbuild_put(&m.b, IFLA_BOND_AD_INFO_PARTNER_MAC, mac, sizeof(mac));
	nlbuild_end_nest(&m.b, ad);
	end_kind(&m, n);
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_true(link.bond.has_ad && link.bond.has_actor_system);
	assert_int_equal(link.bond.aggregator, 2);
	assert_memory_equal(link.bond.actor_system, "ACTOR0", 6);
	assert_memory_equal(link.bond.partner_mac, mac, sizeof(mac));
}

static void
member_tells_the_states_of_both_ends(void **state)
{
	struct link_msg link;
	struct nl_message m;
	size_t info, data;

	(void)state;
	begin_link(&m, "swp1");
	info = nlbuild_nest(&m.b, IFLA_LINKINFO);
	nlbuild_put_string(&m.b, IFLA_INFO_SLAVE_KIND, "bond");
	data = nlbuild_nest(&m.b, IFLA_INFO_SLAVE_DATA);
	nlbuild_put_u8(&m.b, IFLA_BOND_SLAVE_STATE, 0);
	nlbuild_put_u16(&m.b, IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, 2);
	nlbuild_put_u8(&m.b, IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, 0x3d);
	nlbuild_put_u16(&m.b, IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, 0x3f);
	nlbuild_end_nest(&m.b, data);
	nlbuild_end_nest(&m.b, info);
	assert_int_equal(link_msg_decode(nl_message_header(&m), &link), 0);
	assert_true(link.is_lag_member && link.is_bond_member);
	assert_true(link.bond_member.has_ad && link.bond_member.active);
	assert_int_equal(link.bond_member.aggregator, 2);
	assert_int_equal(link.bond_member.actor_oper_state, 0x3d);
	assert_int_equal(link.bond_member.partner_oper_state, 0x3f);
}

static void
link_cut_anywhere_is_not_read_beyond_its_end(void **state)
{
	struct link_msg link;
	struct nl_message m;

	(void)state;
	begin_link(&m, "swp1.5");
	end_kind(&m, begin_kind(&m, "vlan"));
	for (size_t len = NLMSG_HDRLEN; len < m.b.len; len++) {
		struct nlmsghdr *h = nl_message_cut(&m, len);

		(void)link_msg_decode(h, &link);
		free(h);
	}
}

static void
address_is_our_own_end_of_the_link(void **state)
{
	struct ifaddrmsg header = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = 31,
		.ifa_index = 7,
		.ifa_flags = IFA_F_SECONDARY,
		.ifa_scope = RT_SCOPE_LINK,
	};
	struct link_addr addr;
	struct nl_message m;

	(void)state;
	nl_message_begin(&m, RTM_NEWADDR, &header, sizeof(header));
	nlbuild_put(&m.b, IFA_ADDRESS, "\x0a\0\0\x02", 4);
	nlbuild_put(&m.b, IFA_LOCAL, "\x0a\0\0\x01", 4);
	assert_int_equal(link_addr_decode(nl_message_header(&m), &addr), 0);
	assert_int_equal(addr.ifindex, 7);
	assert_int_equal(addr.addr.family, AF_INET);
	assert_int_equal(addr.addr.prefix_len, 31);
	assert_memory_equal(addr.addr.bytes, "\x0a\0\0\x01", 4);
	assert_int_equal(addr.flags, IFA_F_SECONDARY);
	assert_int_equal(addr.scope, RT_SCOPE_LINK);
	nlbuild_put_u32(&m.b, IFA_FLAGS, IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE);
	assert_int_equal(link_addr_decode(nl_message_header(&m), &addr), 0);
	assert_int_equal(addr.flags, IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE);
}

static void
address_of_the_wrong_length_is_refused(void **state)
{
	struct ifaddrmsg header = { .ifa_family = AF_INET6, .ifa_prefixlen = 64 };
	struct link_addr addr;
	struct nl_message m;

	(void)state;
	nl_message_begin(&m, RTM_NEWADDR, &header, sizeof(header));
	nlbuild_put(&m.b, IFA_ADDRESS, "\x0a\0\0\x02", 4);
	assert_int_equal(link_addr_decode(nl_message_header(&m), &addr), -EBADMSG);
	header.ifa_prefixlen = 129;
	nl_message_begin(&m, RTM_NEWADDR, &header, sizeof(header));
	nlbuild_put(&m.b, IFA_ADDRESS, m.data, 16);
	assert_int_equal(link_addr_decode(nl_message_header(&m), &addr), -EBADMSG);
	header.ifa_family = AF_PACKET;
	nl_message_begin(&m, RTM_NEWADDR, &header, sizeof(header));
	assert_int_equal(link_addr_decode(nl_message_header(&m), &addr), -EAFNOSUPPORT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_port_has_all_its_properties),
		cmocka_unit_test(message_of_the_bridge_family_says_nothing_of_the_link),
		cmocka_unit_test(link_without_name_or_number_is_refused),
		cmocka_unit_test(address_of_another_length_is_no_mac),
		cmocka_unit_test(vlan_has_its_id_and_what_is_below),
		cmocka_unit_test(
			number_in_another_namespace_is_not_taken_for_one_of_ours),
		cmocka_unit_test(every_kind_is_told_apart),
		cmocka_unit_test(bond_tells_its_partner),
		cmocka_unit_test(member_tells_the_states_of_both_ends),
		cmocka_unit_test(link_cut_anywhere_is_not_read_beyond_its_end),
		cmocka_unit_test(address_is_our_own_end_of_the_link),
		cmocka_unit_test(address_of_the_wrong_length_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
