/*
 * test_match_ports.c - ports of all protocols that have them, TCP flags, multiport.
 */
#include "compile_check.h"

static void
ports_are_numbers_names_or_ranges(void **state)
{
	(void)state;
	check_match("iptables", "-p tcp --dport bgp", "l4proto == 6; th dport == 179",
		"-p tcp -m tcp --dport bgp");
	check_match("iptables", "-p udp --dport bootps:bootpc",
		"l4proto == 17; th dport in 67-68",
		"-p udp -m udp --dport bootps:bootpc");
	check_match("ip6tables", "-p udp --source-port 1000:2000",
		"l4proto == 17; th sport in 1000-2000",
		"-p udp -m udp --sport 1000:2000");
	check_match("iptables", "-p tcp --sport :80", "l4proto == 6; th sport in 0-80",
		"-p tcp -m tcp --sport 0:80");
	check_match("iptables", "-p tcp --destination-port 1024:",
		"l4proto == 6; th dport in 1024-65535",
		"-p tcp -m tcp --dport 1024:65535");
	check_match("iptables", "-p tcp ! --dport 22 --sport : ",
		"l4proto == 6; th sport in 0-65535; th dport != 22",
		"-p tcp -m tcp --sport 0:65535 ! --dport 22");
}

static void
every_protocol_with_ports_takes_them(void **state)
{
	(void)state;
	check_match("iptables", "-p sctp --dport 1", "l4proto == 132; th dport == 1",
		"-p sctp -m sctp --dport 1");
	check_match("iptables", "-p dccp --dport 1", "l4proto == 33; th dport == 1",
		"-p dccp -m dccp --dport 1");
	check_match("iptables", "-p udplite --dport 1", "l4proto == 136; th dport == 1",
		"-p udplite -m udplite --dport 1");
	check_match("iptables", "-p 17 -m udp --sport ntp",
		"l4proto == 17; th sport == 123", "-p udp -m udp --sport ntp");
}

static void
ports_need_their_protocol(void **state)
{
	(void)state;
	check_refused("iptables", "-A FORWARD --dport 80",
		"option --dport needs one of -p tcp, udp, sctp, dccp, udplite");
	check_refused("iptables", "-A FORWARD -p icmp --dport 80",
		"option --dport needs one of -p tcp, udp, sctp, dccp, udplite");
	check_refused("iptables", "-A FORWARD ! -p tcp --dport 80",
		"option --dport cannot be used with an inverted protocol");
	check_refused("iptables", "-A FORWARD -p ! tcp --dport 80",
		"option --dport cannot be used with an inverted protocol");
	check_refused("iptables", "-A FORWARD -p udp -m tcp --dport 80",
		"match tcp needs -p tcp");
	check_refused("iptables", "-A FORWARD ! -p tcp -m tcp --dport 80",
		"match tcp needs -p tcp, not inverted");
	check_refused(
		"iptables", "-A FORWARD -p udp --syn", "option --syn needs -p tcp");
}

static void
bad_ports_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A FORWARD -p tcp --dport 90:80",
		"--dport: the first port of \"90:80\" is above the last");
	check_refused("iptables", "-A FORWARD -p tcp --dport 65536",
		"--dport: port \"65536\" is above 65535");
	check_refused("iptables", "-A FORWARD -p tcp --dport nosuch",
		"--dport: unknown tcp service \"nosuch\"");
	check_refused("iptables", "-A FORWARD -p tcp --dport \"\"",
		"--dport: unknown tcp service \"\"");
	check_refused("iptables", "-A FORWARD -p tcp --dport 80,443",
		"--dport: unknown tcp service \"80,443\"");
}

static void
tcp_flags_are_a_mask_and_a_value(void **state)
{
	(void)state;
	check_match("iptables", "-p tcp --tcp-flags SYN,RST,ACK,FIN SYN",
		"l4proto == 6; tcp flags & 0x17 == 0x02",
		"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN");
	check_match("iptables", "-p tcp ! --tcp-flags ALL none",
		"l4proto == 6; tcp flags & 0x3f != 0x00",
		"-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE");
	check_match("ip6tables", "-p tcp --syn",
		"l4proto == 6; tcp flags & 0x17 == 0x02", "-p tcp -m tcp --syn");
	check_match("iptables", "-p tcp ! --syn",
		"l4proto == 6; tcp flags & 0x17 != 0x02", "-p tcp -m tcp ! --syn");
	check_refused("iptables", "-A FORWARD -p tcp --tcp-flags SYN,FOO SYN",
		"--tcp-flags: unknown flag \"FOO\"");
	check_refused("iptables", "-A FORWARD -p tcp --tcp-flags SYN",
		"option --tcp-flags needs two values");
	check_refused("iptables", "-A FORWARD -p tcp --syn --tcp-flags SYN SYN",
		"--syn and --tcp-flags exclude each other");
	check_refused("iptables", "-A FORWARD -p tcp --tcp-option 2",
		"option --tcp-option is not supported");
	check_problems("iptables", "-A FORWARD -p tcp --tcp-flags SYN SYN,ACK", 0,
		"2 warning: never matches: --tcp-flags asks for a flag outside its "
		"mask\n");
}

static void
multiport_takes_lists_of_ports_and_ranges(void **state)
{
	(void)state;
	check_match("iptables", "-p tcp -m multiport --dports 1050:1051,1055:1056",
		"l4proto == 6; th dport in 1050-1051,1055-1056",
		"-p tcp -m multiport --dports 1050:1051,1055:1056");
	/* Sorted and merged for the kernel, as written for the reader. */
	check_match("iptables", "-m multiport --sports 80,ssh,81:90,10 -p tcp",
		"l4proto == 6; th sport in 10,22,80-90",
		"-p tcp -m multiport --sports 80,ssh,81:90,10");
	check_match("iptables", "-p udp -m multiport ! --dports 5",
		"l4proto == 17; th dport != 5", "-p udp -m multiport ! --dports 5");
	check_match("iptables",
		"-p tcp -m multiport --sports 1:2 -m multiport --dports 3:4",
		"l4proto == 6; th sport in 1-2; th dport in 3-4",
		"-p tcp -m multiport --sports 1:2 -m multiport --dports 3:4");
	check_match("iptables", "-p tcp -m multiport --dport 80,443",
		"l4proto == 6; th dport in 80,443",
		"-p tcp -m multiport --dports 80,443");
	check_match("iptables", "-p tcp -m multiport --sports 80,443 --dport 1",
		"l4proto == 6; th dport == 1; th sport in 80,443",
		"-p tcp -m tcp --dport 1 -m multiport --sports 80,443");
	check_match("iptables", "-p tcp -m multiport ! --ports 1,2",
		"l4proto == 6; th sport not in 1-2; th dport not in 1-2",
		"-p tcp -m multiport ! --ports 1,2");
}

static void
multiport_on_either_side_is_two_rules_that_exclude_each_other(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-t mangle -A INPUT -p tcp -m multiport --ports 80,443 -j ACCEPT",
		"inet/mangle_input: l3proto == 0x0800; l4proto == 6; th sport in "
		"80,443; counter; accept\n"
		"inet/mangle_input: l3proto == 0x0800; l4proto == 6; th sport not in "
		"80,443; th dport in 80,443; counter; accept\n");
	check_problems("iptables",
		"-A INPUT -p tcp -m limit --limit 1/s -m multiport --ports 80", 0,
		"2 warning: the limit holds for source ports (types) and destination "
		"ports (codes) separately\n");
	check_refused("iptables",
		"-A INPUT -p tcp -m multiport --ports 1 -m multiport --ports 2 -m "
		"multiport --ports 3",
		"more than 2 matches of the kind \"this or that\" (--ports, an "
		"inverted "
		"ICMP code) in one rule");
}

static void
bad_multiport_is_refused(void **state)
{
	(void)state;
	check_refused("iptables",
		"-A FORWARD -p tcp -m multiport --dports "
		"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16",
		"--dports: more than 15 ports (a range counts as two)");
	check_refused("iptables",
		"-A FORWARD -p tcp -m multiport --dports "
		"1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16",
		"--dports: more than 15 ports (a range counts as two)");
	check_refused("iptables", "-A FORWARD -p tcp -m multiport --dports 1,,2",
		"--dports: unknown tcp service \"\"");
	check_refused("iptables", "-A FORWARD -m multiport --dports 1",
		"--dports needs -p tcp, udp, udplite, sctp or dccp, not inverted");
	check_refused("iptables", "-A FORWARD ! -p tcp -m multiport --dports 1",
		"--dports needs -p tcp, udp, udplite, sctp or dccp, not inverted");
	check_refused("iptables", "-A FORWARD -p tcp -m multiport",
		"-m multiport needs an option, such as --sports");
	check_refused("iptables",
		"-A FORWARD -p tcp -m multiport --sports 1 --dports 2",
		"one -m multiport takes one option; give another -m multiport for "
		"--dports");
}

static void
fifteen_ports_are_not_too_many(void **state)
{
	(void)state;
	check_match("iptables",
		"-p tcp -m multiport --dports 1,3,5,7,9,11,13,15,17,19,21,23,25,27:28",
		"l4proto == 6; th dport in 1,3,5,7,9,11,13,15,17,19,21,23,25,27-28",
		"-p tcp -m multiport --dports "
		"1,3,5,7,9,11,13,15,17,19,21,23,25,27:28");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_numbers_names_or_ranges),
		cmocka_unit_test(every_protocol_with_ports_takes_them),
		cmocka_unit_test(ports_need_their_protocol),
		cmocka_unit_test(bad_ports_are_refused),
		cmocka_unit_test(tcp_flags_are_a_mask_and_a_value),
		cmocka_unit_test(multiport_takes_lists_of_ports_and_ranges),
		cmocka_unit_test(
			multiport_on_either_side_is_two_rules_that_exclude_each_other),
		cmocka_unit_test(bad_multiport_is_refused),
		cmocka_unit_test(fifteen_ports_are_not_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
