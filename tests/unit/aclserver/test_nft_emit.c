/*
 * test_nft_emit.c - every field, emitted into a forward chain of a real kernel and read
 * back by the nft tool: its words, not ours, say what the rule means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aclserver/emit_fixture.h"

static void
interface_names_match_whole_or_by_prefix(void **state)
{
	struct fixture *f = *state;

	add_name(f, FIELD_IIFNAME, "swp1", false);
	check(f, "iifname \"swp1\"");
	add_name(f, FIELD_OIFNAME, "swp", true);
	check(f, "oifname \"swp*\"");
	add_name(f, FIELD_IIFNAME, "bond0", false);
	f->model.terms[0].test.negate = true;
	add_name(f, FIELD_OIFNAME, "swp", true);
	f->model.terms[1].test.negate = true;
	check(f, "iifname != \"bond0\" oifname != \"swp*\"");
	add_name(f, FIELD_IIFNAME, "", true);
	add_name(f, FIELD_OIFNAME, "fifteen_bytes_x", false);
	check(f, "oifname \"fifteen_bytes_x\"");
}

static void
network_and_transport_protocols_match(void **state)
{
	struct fixture *f = *state;

	add_ip4(f);
	check_only(f, NFPROTO_INET, "meta nfproto 2");
	add_ip6(f);
	f->model.terms[0].test.negate = true;
	check_only(f, NFPROTO_INET, "meta nfproto != 10");
	add_ip6(f);
	check_only(f, NFPROTO_BRIDGE, "meta protocol 0x86dd");
	add_equal(f, FIELD_L3PROTO, 0x0806);
	check_only(f, NFPROTO_BRIDGE, "meta protocol 0x0806");
	add_l4(f, 89);
	check(f, "meta l4proto 89");
	add_equal(f, FIELD_L4PROTO, 6)->negate = true;
	check(f, "meta l4proto != 6");
}

static void
ipv4_addresses_match_as_host_prefix_and_range(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_ip4(f);
	add_equal(f, FIELD_IP_SADDR, 0x0a000001);
	check(f, "ip saddr 10.0.0.1");
	add_ip4(f);
	add_equal(f, FIELD_IP_DADDR, 0x0a000001)->negate = true;
	check(f, "ip daddr != 10.0.0.1");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_SADDR), 0x0a000000, 0x0affffff);
	check(f, "ip saddr 10.0.0.0/8");
	add_ip4(f);
	test = add_test(f, FIELD_IP_SADDR);
	add_range(test, 0xc0a80140, 0xc0a8015f);
	test->negate = true;
	check(f, "ip saddr != 192.168.1.64/27");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_DADDR), 0x0a000001, 0x0a000009);
	check(f, "ip daddr 10.0.0.1-10.0.0.9");
	add_ip4(f);
	test = add_test(f, FIELD_IP_DADDR);
	add_range(test, 0xf0000000, 0xffffffff);
	add_range(add_test(f, FIELD_IP_SADDR), 0x0a000001, 0x0a000009);
	f->model.terms[2].test.negate = true;
	check(f, "ip daddr 240.0.0.0/4 ip saddr != 10.0.0.1-10.0.0.9");
}

static void
ipv4_header_fields_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_ip4(f);
	add_equal(f, FIELD_IP_DSCP, 46);
	check(f, "ip dscp 0x2e");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_DSCP), 1, 62);
	check(f, "ip dscp 0x01-0x3e");
	add_ip4(f);
	add_equal(f, FIELD_IP_TTL, 64)->negate = true;
	check(f, "ip ttl != 64");
	add_ip4(f);
	add_range(add_test(f, FIELD_IP_LENGTH), 100, 1500);
	check(f, "ip length 100-1500");
	add_ip4(f);
	test = add_equal(f, FIELD_IP_FRAGOFF, 0);
	set_mask(test, 0x1fff);
	test->negate = true;
	check(f, "ip frag-off & 8191 != 0\n"
		 "ip frag-off & 0x1fff != 0x0"); /* nft 1.1 */
}

static void
ipv6_fields_match(void **state)
{
	static const uint8_t lo[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	static const uint8_t hi[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t other[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 };
	struct fixture *f = *state;

	add_ip6(f);
	add_bytes(add_test(f, FIELD_IP6_SADDR), other, other);
	check(f, "ip6 saddr 2001:db8::5");
	add_ip6(f);
	add_bytes(add_test(f, FIELD_IP6_DADDR), lo, hi);
	check(f, "ip6 daddr 2001:db8::/64");
	add_ip6(f);
	add_bytes(add_test(f, FIELD_IP6_SADDR), lo, other);
	f->model.terms[1].test.negate = true;
	check(f, "ip6 saddr != 2001:db8::-2001:db8::5");
	add_ip6(f);
	add_equal(f, FIELD_IP6_DSCP, 10);
	check(f, "ip6 dscp 0x0a");
	add_ip6(f);
	add_equal(f, FIELD_IP6_DSCP, 63)->negate = true;
	check(f, "ip6 dscp != 0x3f");
	add_ip6(f);
	add_equal(f, FIELD_IP6_HOPLIMIT, 255);
	check(f, "ip6 hoplimit 255");
	add_ip6(f);
	add_equal(f, FIELD_IP6_LENGTH, 1000);
	check(f, "ip6 length 1000");
}

static void
transport_fields_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_l4(f, 6);
	add_equal(f, FIELD_TH_SPORT, 179);
	check(f, "tcp sport 179");
	add_l4(f, 17);
	add_range(add_test(f, FIELD_TH_DPORT), 67, 68);
	check(f, "udp dport 67-68");
	add_l4(f, 17);
	add_range(add_test(f, FIELD_TH_DPORT), 1024, 2047);
	f->model.terms[1].test.negate = true;
	check(f, "udp dport != 1024-2047");
	add_l4(f, 6);
	test = add_equal(f, FIELD_TCP_FLAGS, 0x02);
	set_mask(test, 0x17);
	check(f, "tcp flags 0x2 / 0x1,0x2,0x4,0x10\n"
		 "tcp flags & (0x1 | 0x2 | 0x4 | 0x10) == 0x2"); /* nft 1.1 */
	add_l4(f, 6);
	test = add_equal(f, FIELD_TCP_FLAGS, 0);
	set_mask(test, 0x3f);
	check(f, "tcp flags ! 0x1,0x2,0x4,0x8,0x10,0x20");
	add_ip4(f);
	add_l4(f, 1);
	add_equal(f, FIELD_ICMP_TYPE, 8);
	add_equal(f, FIELD_ICMP_CODE, 0);
	check(f, "icmp type 8 icmp code 0");
	add_ip6(f);
	add_l4(f, 58);
	add_equal(f, FIELD_ICMP6_TYPE, 133);
	add_equal(f, FIELD_ICMP6_CODE, 0);
	check(f, "icmpv6 type 133 icmpv6 code 0");
}

static void
link_layer_fields_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_equal(f, FIELD_ETHER_SADDR, 0x000000000012);
	add_equal(f, FIELD_ETHER_DADDR, 0x089e01cee204);
	check(f, "ether saddr 00:00:00:00:00:12 ether daddr 08:9e:01:ce:e2:04");
	test = add_equal(f, FIELD_ETHER_DADDR, 0x010000000000);
	set_mask(test, 0x010000000000);
	check(f, "ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00");
	add_equal(f, FIELD_ETHER_TYPE, 0x0806);
	check_only(f, NFPROTO_BRIDGE, "ether type 0x0806");
	add_equal(f, FIELD_ETHER_TYPE, 0x8100);
	add_equal(f, FIELD_VLAN_ID, 100);
	check_only(f, NFPROTO_BRIDGE, "vlan id 100");
	add_equal(f, FIELD_ETHER_TYPE, 0x8100);
	add_range(add_test(f, FIELD_VLAN_ID), 100, 4000);
	check_only(f, NFPROTO_BRIDGE, "vlan id 100-4000");
}

static void
mark_is_compared_as_a_number(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_equal(f, FIELD_MARK, 0x12345678);
	check(f, "meta mark 0x12345678");
	test = add_equal(f, FIELD_MARK, 0x66);
	set_mask(test, 0xff);
	test->negate = true;
	check(f, "meta mark & 0x000000ff != 0x00000066");
	add_range(add_test(f, FIELD_MARK), 0xfe, 0x101);
	check(f, "meta mark 0x000000fe-0x00000101");
	test = add_test(f, FIELD_MARK);
	add_range(test, 5, 5);
	add_range(test, 0x100, 0x100);
	check(f, "meta mark { 0x00000005, 0x00000100 }");
	test = add_test(f, FIELD_MARK);
	add_range(test, 5, 0x101);
	add_range(test, 0x10000, 0x10000);
	check(f, "meta mark { 0x00000005-0x00000101, 0x00010000 }");
}

static void
connection_state_and_address_types_match(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	test = add_equal(f, FIELD_CT_STATE, 0);
	set_mask(test, 0x06);
	test->negate = true;
	check_only(f, NFPROTO_INET, "ct state 0x2,0x4");
	test = add_equal(f, FIELD_CT_STATUS, 0);
	set_mask(test, 0x20);
	test->negate = true;
	check_only(f, NFPROTO_INET, "ct status 0x20");
	add_equal(f, FIELD_FIB_DADDR_TYPE, 2);
	check_only(f, NFPROTO_INET, "fib daddr type 2");
	test = add_test(f, FIELD_FIB_SADDR_TYPE);
	add_range(test, 1, 1);
	add_range(test, 3, 3);
	check_only(f, NFPROTO_INET, "fib saddr type { 1, 3 }");
}

static void
lists_become_anonymous_sets(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	add_l4(f, 6);
	test = add_test(f, FIELD_TH_DPORT);
	add_range(test, 22, 22);
	add_range(test, 80, 80);
	add_range(test, 443, 443);
	check(f, "tcp dport { 22, 80, 443 }");
	add_l4(f, 6);
	test = add_test(f, FIELD_TH_DPORT);
	add_range(test, 0, 1);
	add_range(test, 1050, 1051);
	add_range(test, 1055, 1055);
	add_range(test, 65000, 65535);
	test->negate = true;
	check(f, "tcp dport != { 0-1, 1050-1051, 1055, 65000-65535 }");
	add_ip4(f);
	test = add_test(f, FIELD_IP_SADDR);
	add_range(test, 0x7f000000, 0x7fffffff);
	add_range(test, 0xf0000000, 0xffffffff);
	check(f, "ip saddr { 127.0.0.0/8, 240.0.0.0/4 }");
	add_ip6(f);
	test = add_test(f, FIELD_IP6_DSCP);
	add_range(test, 1, 1);
	add_range(test, 63, 63);
	check(f, "ip6 dscp { 0x01, 0x3f }");
	add_ip4(f);
	test = add_test(f, FIELD_IP_DSCP);
	add_range(test, 0, 3);
	add_range(test, 60, 63);
	check(f, "ip dscp { 0x00-0x03, 0x3c-0x3f }");
	test = add_test(f, FIELD_L4PROTO);
	add_range(test, 6, 6);
	add_range(test, 17, 17);
	check(f, "meta l4proto { 6, 17 }");
}

static void
list_under_a_mask_is_looked_up_masked(void **state)
{
	struct fixture *f = *state;
	struct ruleset_test *test;

	test = add_test(f, FIELD_MARK);
	set_mask(test, 0xff);
	add_range(test, 1, 1);
	add_range(test, 7, 7);
	check(f, "meta mark & 0x000000ff == { 0x00000001, 0x00000007 }");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(interface_names_match_whole_or_by_prefix),
		CASE(network_and_transport_protocols_match),
		CASE(ipv4_addresses_match_as_host_prefix_and_range),
		CASE(ipv4_header_fields_match),
		CASE(ipv6_fields_match),
		CASE(transport_fields_match),
		CASE(link_layer_fields_match),
		CASE(mark_is_compared_as_a_number),
		CASE(connection_state_and_address_types_match),
		CASE(lists_become_anonymous_sets),
		CASE(list_under_a_mask_is_looked_up_masked),
	};

	return RUN_IN_NETNS(tests);
}
