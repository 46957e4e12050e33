/*
 * test_targets_nat.c - SNAT, DNAT and their namesakes for MAC addresses.
 */
#include "compile_check.h"

static void
addresses_and_ports_become_ranges(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-t nat -A POSTROUTING -s 10.0.0.0/24 -p tcp -j SNAT --to-source "
		"172.30.58.0-172.30.58.80:1024-1200",
		"inet/nat_postrouting: l3proto == 0x0800; l4proto == 6; ip saddr in "
		"10.0.0.0-10.0.0.255; counter; snat "
		"172.30.58.0-172.30.58.80 port 1024-1200 flags 0\n");
	check_compiles("iptables",
		"-t nat -A PREROUTING -p udp -j DNAT --to-destination 1.2.3.4:53 "
		"--random --persistent",
		"inet/nat_prerouting: l3proto == 0x0800; l4proto == 17; counter; dnat "
		"1.2.3.4-1.2.3.4 port 53-53 flags 12\n");
	check_compiles("iptables",
		"-t nat -A OUTPUT -p tcp -j DNAT --to-destination :80",
		"inet/nat_output: l3proto == 0x0800; l4proto == 6; counter; dnat port "
		"80-80 flags 0\n");
	check_compiles("ip6tables",
		"-t nat -A POSTROUTING -p tcp -j SNAT --to-source "
		"[2001:db8::1-2001:db8::9]:1-9",
		"inet/nat_postrouting: l3proto == 0x86dd; l4proto == 6; counter; snat "
		"2001:db8::1-2001:db8::9 port 1-9 flags 0\n");
	check_compiles("ip6tables",
		"-t nat -A POSTROUTING -j SNAT --to-source 2001:db8::1 --random-fully",
		"inet/nat_postrouting: l3proto == 0x86dd; counter; snat "
		"2001:db8::1-2001:db8::1 flags 16\n");
}

static void
nat_is_refused_where_it_means_nothing(void **state)
{
	(void)state;
	check_refused("iptables", "-A FORWARD -j SNAT --to-source 1.2.3.4",
		"target SNAT is for table nat only");
	check_refused("iptables", "-t nat -A PREROUTING -j SNAT --to-source 1.2.3.4",
		"target SNAT is not for chain PREROUTING (POSTROUTING INPUT)");
	check_refused("iptables",
		"-t nat -A POSTROUTING -j DNAT --to-destination 1.2.3.4",
		"target DNAT is not for chain POSTROUTING (PREROUTING OUTPUT)");
	check_refused("iptables", "-t nat -A POSTROUTING -j SNAT",
		"target SNAT needs --to-source");
	check_refused("iptables", "-t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4:5",
		"--to-source \"1.2.3.4:5\": ports need -p tcp, udp, sctp, dccp or "
		"udplite");
	check_refused("iptables",
		"-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:9-5",
		"--to-source \"1.2.3.4:9-5\": the range ends before it begins");
	check_refused("iptables",
		"-t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4-1.2.3.3",
		"--to-source \"1.2.3.4-1.2.3.3\": the range ends before it begins");
	check_refused("iptables", "-t nat -A POSTROUTING -j SNAT --to-source x",
		"--to-source \"x\": not an IPv4 address or range "
		"(A[-B][:PORT[-PORT]])");
	check_refused("iptables", "-t nat -A POSTROUTING -j SNAT --to-source :",
		"--to-source \":\": ports need -p tcp, udp, sctp, dccp or udplite");
	check_refused("iptables",
		"-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4:70000",
		"--to-source \"1.2.3.4:70000\": not a port (1 to 65535) or range");
}

static void
mac_addresses_are_rewritten_in_the_bridge(void **state)
{
	(void)state;
	check_compiles("ebtables",
		"-t nat -A POSTROUTING -o swp1 -j snat --to-src 00:11:22:33:44:55",
		"bridge/nat_postrouting eb: oifname == swp1; counter; ether saddr set "
		"00:11:22:33:44:55; accept\n");
	check_compiles("ebtables",
		"-t nat -A PREROUTING -i swp1 -j dnat --to-destination "
		"00:11:22:33:44:55 --dnat-target CONTINUE",
		"bridge/nat_prerouting eb: iifname == swp1; counter; ether daddr set "
		"00:11:22:33:44:55\n");
	check_refused("ebtables", "-A FORWARD -j snat --to-source 00:11:22:33:44:55",
		"target snat is for table nat only");
	check_refused("ebtables", "-t nat -A PREROUTING -j dnat --to-dst 1.2.3.4",
		"--to-dst \"1.2.3.4\": not a MAC address");
	check_refused("ebtables",
		"-t nat -A PREROUTING -j dnat --to-dst 00:11:22:33:44:55 --dnat-target "
		"DROP",
		"--dnat-target \"DROP\": not ACCEPT or CONTINUE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_ports_become_ranges),
		cmocka_unit_test(nat_is_refused_where_it_means_nothing),
		cmocka_unit_test(mac_addresses_are_rewritten_in_the_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
