/*
 * test_match_basic.c - protocol, interfaces, addresses and fragments of [iptables] and
 * [ip6tables].
 */
#include "compile_check.h"

static void
protocols_are_names_or_numbers(void **state)
{
	(void)state;
	check_match("iptables", "-p tcp", "l4proto == 6", "-p tcp");
	check_match("iptables", "-p 6", "l4proto == 6", "-p tcp");
	check_match("iptables", "--protocol UDP", "l4proto == 17", "-p udp");
	check_match("iptables", "! -p ospf", "l4proto != 89", "! -p ospf");
	check_match("iptables", "-p ! 200", "l4proto != 200", "! -p 200");
	check_match("ip6tables", "-p icmp6", "l4proto == 58", "-p ipv6-icmp");
	check_match("ip6tables", "-p icmpv6", "l4proto == 58", "-p ipv6-icmp");
	check_match("iptables", "-p pim", "l4proto == 103", "-p pim");
}

static void
protocol_all_tests_nothing(void **state)
{
	(void)state;
	check_match("iptables", "-p all", "", "");
	check_match("iptables", "-p 0", "", "");
	check_refused(
		"iptables", "-A FORWARD ! -p all", "-p \"all\": would never match");
	check_refused("iptables", "-A FORWARD -p 256", "-p \"256\": unknown protocol");
	check_refused("iptables", "-A FORWARD -p foo", "-p \"foo\": unknown protocol");
}

static void
protocol_of_the_other_family_is_a_warning(void **state)
{
	(void)state;
	check_problems("ip6tables", "-A FORWARD -p icmp", 0,
		"2 warning: IPv6 packets carry ipv6-icmp, not icmp\n");
	check_problems("iptables", "-A FORWARD -p icmpv6", 0,
		"2 warning: IPv4 packets carry icmp, not ipv6-icmp\n");
	check_problems("ip6tables", "-A FORWARD -p 43", 0,
		"2 warning: never matches: an IPv6 extension header is not the "
		"protocol of a packet\n");
	check_problems("ip6tables", "-A FORWARD ! -p 43", 0, "");
}

static void
addresses_become_ranges(void **state)
{
	(void)state;
	check_match("iptables", "-s 10.0.0.0/24", "ip saddr in 10.0.0.0-10.0.0.255",
		"-s 10.0.0.0/24");
	check_match("iptables", "--source 10.1.2.3", "ip saddr == 10.1.2.3",
		"-s 10.1.2.3/32");
	check_match("iptables", "-d 10.1.2.3/8", "ip daddr in 10.0.0.0-10.255.255.255",
		"-d 10.0.0.0/8");
	check_match("iptables", "! --dst 10.0.0.0/255.255.0.0",
		"ip daddr not in 10.0.0.0-10.0.255.255", "! -d 10.0.0.0/16");
	check_match("iptables", "-s 10/8", "ip saddr in 10.0.0.0-10.255.255.255",
		"-s 10.0.0.0/8");
	check_match("iptables", "-s 1.2.3.4/255.0.255.0",
		"ip saddr & 0xff00ff00 == 1.0.3.0", "-s 1.0.3.0/255.0.255.0");
	check_match("ip6tables", "-s 2001:DB8::1/32",
		"ip6 saddr in 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"-s 2001:db8::/32");
	check_match("ip6tables", "-d ::ffff:0.0.0.0/96",
		"ip6 daddr in ::ffff:0.0.0.0-::ffff:255.255.255.255",
		"-d ::ffff:0.0.0.0/96");
}

static void
address_of_prefix_length_zero_tests_nothing(void **state)
{
	(void)state;
	check_match("iptables", "-s 0/0 -d 0.0.0.0/0", "", "");
	check_match("ip6tables", "-s ::/0", "", "");
	check_refused(
		"iptables", "-A FORWARD ! -s 0/0", "-s \"0/0\": would never match");
}

static void
addresses_that_are_none_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A FORWARD -s 10.0.0.256",
		"-s \"10.0.0.256\": not an IPv4 address (host names are not looked "
		"up)");
	check_refused("iptables", "-A FORWARD -s www.example.com",
		"-s \"www.example.com\": not an IPv4 address (host names are not "
		"looked "
		"up)");
	check_refused("ip6tables", "-A FORWARD -d fe80::g",
		"-d \"fe80::g\": not an IPv6 address (host names are not looked up)");
	check_refused("iptables", "-A FORWARD -s 10.0.0.0/33",
		"-s \"10.0.0.0/33\": bad prefix length or mask");
	check_refused("ip6tables", "-A FORWARD -s ::1/129",
		"-s \"::1/129\": bad prefix length or mask");
	check_refused("ip6tables", "-A FORWARD -s 10.0.0.1",
		"-s \"10.0.0.1\": an IPv4 address, IPv6 is needed");
	check_refused("iptables", "-A FORWARD -s ::1",
		"-s \"::1\": an IPv6 address, IPv4 is needed");
}

static void
interfaces_are_names_or_prefixes(void **state)
{
	(void)state;
	check_match("iptables", "-o swp+", "oifname == swp+", "-o swp+");
	check_match("iptables", "! -o swp1s0", "oifname != swp1s0", "! -o swp1s0");
	check_match("iptables", "-o vlan1+", "oifname == vlan1+", "-o vlan1+");
	check_match("iptables", "-o br0.100", "oifname == br0.100", "-o br0.100");
	check_match("iptables", "-i +", "", "");
	check_compiles("iptables", "-t mangle -A PREROUTING -i swp1",
		"inet/mangle_prerouting: l3proto == 0x0800; iifname == swp1; counter\n"
		"bridge/mangle_prerouting: l3proto == 0x0800; iifname == swp1; "
		"counter\n");
}

static void
an_input_interface_is_one_or_a_port_of_a_bridge(void **state)
{
	(void)state;
	check_compiles("iptables", "-A FORWARD -i swp1 -o swp2",
		"inet/filter_forward: l3proto == 0x0800; iifname == swp1; oifname == "
		"swp2; counter\n"
		"inet/filter_forward: l3proto == 0x0800; port == swp1; oifname == "
		"swp2; counter\n"
		"bridge/filter_forward: l3proto == 0x0800; iifname == swp1; oifname "
		"== swp2; counter\n");
	check_compiles("ip6tables", "-A INPUT -i swp+",
		"inet/filter_input: l3proto == 0x86dd; iifname == swp+; counter\n"
		"inet/filter_input: l3proto == 0x86dd; port == swp+; counter\n");
	check_compiles("iptables", "-A FORWARD ! -i swp1",
		"inet/filter_forward: l3proto == 0x0800; iifname != swp1; port != "
		"swp1; counter\n"
		"bridge/filter_forward: l3proto == 0x0800; iifname != swp1; "
		"counter\n");
	check_compiles("ebtables", "-A FORWARD -i swp1",
		"bridge/filter_forward eb: iifname == swp1; counter\n");
}

static void
interfaces_that_are_none_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A FORWARD -i abcdefghijklmnop",
		"-i \"abcdefghijklmnop\": not an interface name (1 to 15 characters "
		"without blank, '/' or ':')");
	check_refused("iptables", "-A FORWARD -o \"a b\"",
		"-o \"a b\": not an interface name (1 to 15 characters without blank, "
		"'/' or ':')");
	check_refused("iptables", "-A FORWARD ! -i +", "-i \"+\": would never match");
}

static void
interfaces_that_the_chain_has_not_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -o swp1",
		"output interface specified with INPUT chain");
	check_refused("iptables", "-t mangle -A PREROUTING -o swp1",
		"output interface specified with PREROUTING chain");
	check_refused("iptables", "-A OUTPUT -i swp1",
		"input interface specified with OUTPUT chain");
	check_refused("ip6tables", "-t mangle -A POSTROUTING -i swp1",
		"input interface specified with POSTROUTING chain");
	check_refused("ebtables", "-A INPUT -o swp1",
		"output interface specified with INPUT chain");
	check_refused("ebtables", "-A OUTPUT -i swp1",
		"input interface specified with OUTPUT chain");
}

static void
fragments_are_for_ipv4(void **state)
{
	(void)state;
	check_match("iptables", "-f", "ip frag-off & 0x1fff != 0x0000", "-f");
	check_match(
		"iptables", "! --fragment", "ip frag-off & 0x1fff == 0x0000", "! -f");
	check_refused("ip6tables", "-A FORWARD -f",
		"-f is for IPv4; IPv6 has -m frag instead");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_are_names_or_numbers),
		cmocka_unit_test(protocol_all_tests_nothing),
		cmocka_unit_test(protocol_of_the_other_family_is_a_warning),
		cmocka_unit_test(addresses_become_ranges),
		cmocka_unit_test(address_of_prefix_length_zero_tests_nothing),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(interfaces_are_names_or_prefixes),
		cmocka_unit_test(an_input_interface_is_one_or_a_port_of_a_bridge),
		cmocka_unit_test(interfaces_that_are_none_are_refused),
		cmocka_unit_test(interfaces_that_the_chain_has_not_are_refused),
		cmocka_unit_test(fragments_are_for_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
