/*
 * test_match_more.c - ecn, tcpmss, frag and physdev.
 */
#include "compile_check.h"

static void
ecn_is_a_codepoint_and_two_flags(void **state)
{
	(void)state;
	check_match("iptables", "-m ecn --ecn-ip-ect 3", "ip ecn == 3",
		"-m ecn --ecn-ip-ect 3");
	check_match("ip6tables", "-m ecn ! --ecn-ip-ect 0", "ip6 ecn != 0",
		"-m ecn ! --ecn-ip-ect 0");
	check_match("iptables", "-p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr",
		"l4proto == 6; tcp flags & 0x80 == 0x00; tcp flags & 0x40 != 0x00",
		"-p tcp -m ecn ! --ecn-tcp-cwr --ecn-tcp-ece");
	check_refused("iptables", "-A FORWARD -m ecn --ecn-tcp-ece",
		"option --ecn-tcp-ece needs -p tcp");
	check_refused("iptables", "-A FORWARD ! -p tcp -m ecn --ecn-tcp-cwr",
		"option --ecn-tcp-cwr needs -p tcp");
	check_refused("iptables", "-A FORWARD -m ecn --ecn-ip-ect 4",
		"--ecn-ip-ect \"4\": not a number from 0 to 3");
	check_refused("iptables", "-A FORWARD -m ecn",
		"-m ecn needs an option, such as --ecn-tcp-cwr");
}

static void
segment_size_is_a_range_that_a_packet_may_lack(void **state)
{
	(void)state;
	check_match("iptables", "-p tcp -m tcpmss --mss 536:1460",
		"l4proto == 6; tcp mss in 536-1460", "-p tcp -m tcpmss --mss 536:1460");
	check_match("ip6tables", "-p tcp -m tcpmss --mss :99",
		"l4proto == 6; tcp mss in 0-99", "-p tcp -m tcpmss --mss 0:99");
	check_compiles("iptables",
		"-A INPUT -p tcp -m tcpmss ! --mss 536:65535 -j DROP",
		"inet/filter_input: l3proto == 0x0800; l4proto == 6; tcp mss not in "
		"536-65535; counter; drop\n"
		"inet/filter_input: l3proto == 0x0800; l4proto == 6; tcp has mss == 0; "
		"counter; drop\n");
	check_refused("iptables", "-A FORWARD -m tcpmss --mss 5",
		"option --mss needs -p tcp");
	check_refused("iptables", "-A FORWARD -p tcp -m tcpmss --mss 5:4",
		"--mss \"5:4\": the first size is above the last");
	check_refused("iptables", "-A FORWARD -p tcp -m tcpmss --mss 65536",
		"--mss \"65536\": not a size or range of sizes, 0 to 65535");
}

static void
fragments_of_ipv6_have_a_header_of_their_own(void **state)
{
	(void)state;
	check_match("ip6tables", "-m frag", "frag exists == 1", "-m frag");
	check_match("ip6tables", "-m frag --fragid 1:0xff --fragmore --fragfirst",
		"frag id in 1-255; frag offset & 0xfff8 == 0x0000; frag offset & "
		"0x0001 == 0x0001",
		"-m frag --fragid 1:255 --fragfirst --fragmore");
	check_match("ip6tables", "-m frag ! --fragid 5 --fraglast --fragres",
		"frag id != 5; frag reserved == 0; frag offset & 0x0006 == 0x0000; "
		"frag offset & 0x0001 == 0x0000",
		"-m frag ! --fragid 5 --fragres --fraglast");
	check_refused("ip6tables", "-A FORWARD -m frag --fragmore --fraglast",
		"--fragmore and --fraglast exclude each other");
	check_refused("ip6tables", "-A FORWARD -m frag ! --fragmore",
		"option --fragmore cannot be inverted");
	check_refused("ip6tables", "-A FORWARD -m frag --fraglen 8",
		"option --fraglen is not supported");
	check_refused(
		"iptables", "-A FORWARD -m frag", "match frag is for [ip6tables] only");
}

/* "-A @rule" gives just these kernel rules. */
static void
check_rule(const char *rule, const char *expected)
{
	check_compiles("iptables", rule, expected);
}

static void
bridge_ports_are_tested_where_packets_are_bridged(void **state)
{
	(void)state;
	check_rule("-A FORWARD,INPUT -m physdev --physdev-in swp1 -j DROP",
		"inet/filter_input: l3proto == 0x0800; port == swp1; counter; drop\n"
		"inet/filter_forward: l3proto == 0x0800; port == swp1; counter; drop\n"
		"bridge/filter_forward: l3proto == 0x0800; iifname == swp1; counter; "
		"drop\n");
	check_rule("-A FORWARD -m physdev --physdev-in swp1 --physdev-out swp+ -j DROP",
		"bridge/filter_forward: l3proto == 0x0800; iifname == swp1; oifname == "
		"swp+; counter; drop\n");
	check_rule("-A FORWARD -i br0 -o br+ -m physdev --physdev-out swp1",
		"bridge/filter_forward: l3proto == 0x0800; bridge in == br0; bridge "
		"out == br+; oifname == swp1; counter\n");
	check_rule("-A FORWARD -m physdev --physdev-is-bridged -p udp -j DROP",
		"bridge/filter_forward: l3proto == 0x0800; l4proto == 17; counter; "
		"drop\n");
	check_rule("-A FORWARD -m physdev ! --physdev-is-bridged -p udp -j DROP",
		"inet/filter_forward: l3proto == 0x0800; l4proto == 17; counter; "
		"drop\n");
	check_rule("-A FORWARD ! -i br0 -m physdev ! --physdev-in swp1 -j DROP",
		"inet/filter_forward: l3proto == 0x0800; iifname != br0; port != br0; "
		"port != swp1; counter; drop\n"
		"bridge/filter_forward: l3proto == 0x0800; bridge in != br0; iifname "
		"!= swp1; counter; drop\n");
	check_problems("iptables", "-A FORWARD -m physdev --physdev-is-in", 0,
		"2 warning: of packets that are routed it is not known whether they "
		"came in by a bridge\n");
}

static void
bridge_ports_that_cannot_be_known_are_refused(void **state)
{
	(void)state;
	check_rule("-t mangle -A PREROUTING -m physdev --physdev-in swp1 -j DROP",
		"bridge/mangle_prerouting: l3proto == 0x0800; iifname == swp1; "
		"counter; drop\n");
	check_refused("iptables", "-A INPUT -m physdev --physdev-out swp1",
		"--physdev-out in chain INPUT is not supported (only in: FORWARD "
		"POSTROUTING)");
	check_refused("iptables", "-A OUTPUT -m physdev --physdev-is-in",
		"--physdev-is-in in chain OUTPUT is not supported (only in: PREROUTING "
		"FORWARD)");
	check_refused("iptables",
		"-A FORWARD -m physdev --physdev-out swp1 ! --physdev-is-bridged",
		"-m physdev: would never match together with the others");
	check_refused("iptables", "-A FORWARD -m physdev ! --physdev-in +",
		"--physdev-in \"+\": would never match");
	check_refused("iptables", "-A FORWARD -m physdev --physdev-in a:b",
		"--physdev-in \"a:b\": not an interface name (1 to 15 characters "
		"without "
		"blank, '/' or ':')");
	check_refused("iptables", "-A FORWARD -m physdev",
		"-m physdev needs an option, such as --physdev-in");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecn_is_a_codepoint_and_two_flags),
		cmocka_unit_test(segment_size_is_a_range_that_a_packet_may_lack),
		cmocka_unit_test(fragments_of_ipv6_have_a_header_of_their_own),
		cmocka_unit_test(bridge_ports_are_tested_where_packets_are_bridged),
		cmocka_unit_test(bridge_ports_that_cannot_be_known_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
