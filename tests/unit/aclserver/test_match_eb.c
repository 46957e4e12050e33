/*
 * test_match_eb.c - matches of [ebtables] on what a frame carries: IPv4, IPv6, ARP,
 * LLC, BPDUs; and mark, pkttype, among, limit, comment.
 */
#include "compile_check.h"

#define IP4    "l3proto == 0x0800; "
#define IP6    "l3proto == 0x86dd; "
#define ARP    "l3proto == 0x0806; "
#define MACS   "arp format == 0x000108000604; "
#define BPDU   "; l3proto in 0x0001-0x0004; stp head == 0x4242030000"
#define CONFIG BPDU "; stp type in 0,2"

static void
ipv4_has_addresses_and_a_service(void **state)
{
	(void)state;
	check_eb("-p IPv4 --ip-src 10.0.0.1 --ip-destination ! 10.1/16",
		IP4 "ip saddr == 10.0.0.1; ip daddr not in 10.1.0.0-10.1.255.255",
		"-p IPv4 --ip-src 10.0.0.1/32 ! --ip-dst 10.1.0.0/16");
	check_eb("-p IPv4 --ip-source 10.0.0.0/255.0.0.0 ! --ip-tos b8",
		IP4 "ip saddr in 10.0.0.0-10.255.255.255; ip tos != 0xb8",
		"-p IPv4 --ip-src 10.0.0.0/8 ! --ip-tos 0xb8");
	check_refused("ebtables", "-A FORWARD -p IPv4 --ip-src ::1",
		"--ip-src \"::1\": an IPv6 address, IPv4 is needed");
	check_refused("ebtables", "-A FORWARD -p IPv4 --ip-tos 100",
		"--ip-tos \"100\": not a hexadecimal number from 0 to ff");
	check_refused("ebtables", "-A FORWARD --ip-src 10.0.0.1",
		"option --ip-src needs -p IPv4");
	check_refused("ebtables", "-A FORWARD -p IPv6 --ip-src 10.0.0.1",
		"option --ip-src needs -p IPv4");
	check_refused("ebtables", "-A FORWARD ! -p IPv4 --ip-src 10.0.0.1",
		"option --ip-src cannot be used with an inverted protocol");
}

static void
ports_need_a_protocol_that_has_them(void **state)
{
	(void)state;
	check_eb("-p IPv4 --ip-dport 67 --ip-proto udp",
		IP4 "l4proto == 17; th dport == 67",
		"-p IPv4 --ip-proto udp --ip-dport 67");
	check_eb("-p IPv4 --ip-protocol tcp --ip-source-port ! ssh:1024 "
		 "--ip-destination-port :80",
		IP4 "l4proto == 6; th sport not in 22-1024; th dport in 0-80",
		"-p IPv4 --ip-proto tcp ! --ip-sport ssh:1024 --ip-dport 0:80");
	check_eb("-p IPv4 --ip-proto ! 89", IP4 "l4proto != 89",
		"-p IPv4 ! --ip-proto ospf");
	check_eb("-p IPv6 --ip6-proto udp --ip6-dport 546:547",
		IP6 "l4proto == 17; th dport in 546-547",
		"-p IPv6 --ip6-proto udp --ip6-dport 546:547");
	check_refused("ebtables", "-A FORWARD -p IPv4 --ip-dport 67",
		"option --ip-dport needs --ip-proto tcp, udp, dccp, sctp or udplite");
	check_refused("ebtables", "-A FORWARD -p IPv6 ! --ip6-proto udp --ip6-sport 1",
		"option --ip6-sport needs --ip6-proto tcp, udp, dccp, sctp or udplite");
	check_refused("ebtables", "-A FORWARD -p IPv4 --ip-proto udp --ip-dport nope",
		"--ip-dport: unknown udp service \"nope\"");
	check_refused("ebtables", "-A FORWARD -p IPv4 --ip-proto foo",
		"--ip-proto \"foo\": unknown protocol");
}

static void
icmp_types_and_codes_are_ranges(void **state)
{
	(void)state;
	check_eb("-p IPv4 --ip-proto icmp --ip-icmp-type echo-request",
		IP4 "l4proto == 1; icmp type == 8",
		"-p IPv4 --ip-proto icmp --ip-icmp-type echo-request");
	check_eb("-p IPv4 --ip-proto icmp --ip-icmp-type 3:5/1:2",
		IP4 "l4proto == 1; icmp type in 3-5; icmp code in 1-2",
		"-p IPv4 --ip-proto icmp --ip-icmp-type 3:5/1:2");
	check_eb("-p IPv4 --ip-proto icmp ! --ip-icmp-type 3:5",
		IP4 "l4proto == 1; icmp type not in 3-5",
		"-p IPv4 --ip-proto icmp ! --ip-icmp-type 3:5");
	check_eb("-p IPv6 --ip6-proto ipv6-icmp --ip6-icmp-type 133:136/0",
		IP6 "l4proto == 58; icmpv6 type in 133-136; icmpv6 code == 0",
		"-p IPv6 --ip6-proto ipv6-icmp --ip6-icmp-type 133:136/0");
	check_compiles("ebtables",
		"-A FORWARD -p IPv4 --ip-proto 1 ! --ip-icmp-type 3/1:2",
		"bridge/filter_forward eb: " IP4 "l4proto == 1; icmp type != 3; "
		"counter\n"
		"bridge/filter_forward eb: " IP4 "l4proto == 1; icmp type == 3; icmp "
		"code not in 1-2; counter\n");
	check_refused("ebtables", "-A FORWARD -p IPv4 --ip-icmp-type 8",
		"option --ip-icmp-type needs --ip-proto icmp");
	check_refused("ebtables",
		"-A FORWARD -p IPv6 --ip6-proto icmp --ip6-icmp-type 8",
		"option --ip6-icmp-type needs --ip6-proto ipv6-icmp");
	check_refused("ebtables",
		"-A FORWARD -p IPv4 --ip-proto icmp --ip-icmp-type 5:3",
		"--ip-icmp-type \"5:3\": not TYPE[:TYPE][/CODE[:CODE]] or the name of "
		"a "
		"type");
	check_refused("ebtables",
		"-A FORWARD -p IPv4 --ip-proto igmp --ip-igmp-type 17",
		"option --ip-igmp-type is not supported");
}

static void
ipv6_has_addresses_and_a_class(void **state)
{
	(void)state;
	check_eb("-p IPv6 --ip6-src 2001:db8::/32 --ip6-destination ! ::1",
		IP6 "ip6 saddr in "
		    "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff; ip6 daddr != "
		    "::1",
		"-p IPv6 --ip6-src 2001:db8::/32 ! --ip6-dst ::1/128");
	check_eb("-p IPv6 --ip6-tclass 0xB8", IP6 "ip6 tclass == 0xb8",
		"-p IPv6 --ip6-tclass 0xb8");
	check_refused("ebtables", "-A FORWARD -p IPv6 --ip6-src 10.0.0.1",
		"--ip6-src \"10.0.0.1\": an IPv4 address, IPv6 is needed");
}

static void
arp_has_an_operation_and_types(void **state)
{
	(void)state;
	check_eb("-p ARP --arp-opcode request", ARP "arp operation == 1",
		"-p ARP --arp-op Request");
	check_eb("-p ARP --arp-op ! 2 --arp-htype 1 --arp-ptype 0x800",
		ARP "arp operation != 2; arp htype == 1; arp ptype == 0x0800",
		"-p ARP ! --arp-op Reply --arp-htype 1 --arp-ptype IPv4");
	check_eb("-p RARP --arp-op 3", "l3proto == 0x8035; arp operation == 3",
		"-p RARP --arp-op Request_Reverse");
	check_refused("ebtables", "-A FORWARD -p ARP --arp-op wish",
		"--arp-op \"wish\": not an ARP operation");
	check_refused("ebtables", "-A FORWARD --arp-op 1",
		"option --arp-op needs one of -p ARP, RARP");
	check_refused("ebtables", "-A FORWARD -p ARP --arp-gratuitous",
		"option --arp-gratuitous is not supported: nftables cannot compare two "
		"fields of a packet");
}

static void
addresses_of_arp_are_those_of_ethernet_and_ipv4(void **state)
{
	(void)state;
	check_eb("-p ARP --arp-ip-src 10.0.0.0/8 ! --arp-ip-dst 10.0.0.1",
		ARP MACS "arp spa in 10.0.0.0-10.255.255.255; arp tpa != 10.0.0.1",
		"-p ARP --arp-ip-src 10.0.0.0/8 ! --arp-ip-dst 10.0.0.1/32");
	check_eb("-p ARP --arp-mac-src 02:00:00:00:00:00/ff:00:00:00:00:00 "
		 "--arp-mac-dst ! Broadcast",
		ARP MACS "arp sha & 0xff0000000000 == 02:00:00:00:00:00; arp tha != "
			 "ff:ff:ff:ff:ff:ff",
		"-p ARP --arp-mac-src 02:00:00:00:00:00/ff:00:00:00:00:00 ! "
		"--arp-mac-dst Broadcast");
}

static void
frames_with_a_length_have_access_points(void **state)
{
	(void)state;
	check_eb("-p LENGTH --802_3-sap 42",
		"l3proto in 0x0001-0x0004; llc dsap == 0x42; llc ssap == 0x42",
		"-p LENGTH --802_3-sap 0x42");
	check_eb("-p LENGTH --802_3-sap ! 0x42",
		"l3proto in 0x0001-0x0004; llc dsap != 0x42; llc ssap != 0x42",
		"-p LENGTH ! --802_3-sap 0x42");
	check_eb("-p LENGTH ! --802_3-type 2000",
		"l3proto in 0x0001-0x0004; llc head == 0xaaaa03; snap type != 0x2000",
		"-p LENGTH ! --802_3-type 0x2000");
	check_refused("ebtables", "-A FORWARD -p IPv4 --802_3-sap 42",
		"option --802_3-sap needs -p LENGTH");
	check_refused("ebtables", "-A FORWARD -p LENGTH --802_3-sap 100",
		"--802_3-sap \"100\": not a hexadecimal number from 0 to ff");
}

static void
bpdus_are_matched_by_field(void **state)
{
	(void)state;
	check_eb("-d BGA --stp-type tcn",
		"ether daddr == 01:80:c2:00:00:00; stp type == 128" BPDU,
		"-d BGA --stp-type tcn");
	check_eb("--stp-type ! config", "stp type != 0" BPDU, "! --stp-type config");
	check_eb("--stp-root-prio 4096:8192 --stp-root-cost :100 --stp-port ! 5",
		"stp root prio in 4096-8192; stp root cost in 0-100; stp port != "
		"5" CONFIG,
		"--stp-root-prio 4096:8192 --stp-root-cost 0:100 ! --stp-port 5");
	check_eb("--stp-root-addr 02:00:00:00:00:01 --stp-sender-addr "
		 "2:0:0:0:0:0/ff:0:0:0:0:0 --stp-sender-prio 1",
		"stp root addr == 02:00:00:00:00:01; stp sender prio == 1; stp sender "
		"addr "
		"& 0xff0000000000 == 02:00:00:00:00:00" CONFIG,
		"--stp-root-addr 02:00:00:00:00:01 --stp-sender-prio 1 "
		"--stp-sender-addr 02:00:00:00:00:00/ff:00:00:00:00:00");
	check_eb("--stp-flags topology-change --stp-msg-age 1 --stp-max-age 2: "
		 "--stp-hello-time 3 --stp-forward-delay 4:5",
		"stp flags == 0x01; stp msg age == 1; stp max age in 2-65535; stp "
		"hello "
		"time == 3; stp forward delay in 4-5" CONFIG,
		"--stp-flags 1 --stp-msg-age 1 --stp-max-age 2:65535 --stp-hello-time "
		"3 "
		"--stp-forward-delay 4:5");
	check_refused("ebtables", "-A FORWARD --stp-port 65536",
		"--stp-port \"65536\": not a number or range of numbers from 0 to "
		"65535");
	check_refused("ebtables", "-A FORWARD --stp-port 5:4",
		"--stp-port \"5:4\": the first number is above the last");
	check_refused("ebtables", "-A FORWARD --stp-type bpdu",
		"--stp-type \"bpdu\": not a type of BPDU (config, tcn, or 0 to 255)");
	check_refused("ebtables", "-A FORWARD --stp-flags x",
		"--stp-flags \"x\": not flags (topology-change, topology-change-ack, "
		"or 0 to 255)");
}

static void
marks_may_ask_for_any_bit_of_a_mask(void **state)
{
	(void)state;
	check_eb("--mark 0x66", "mark & 0x0000ffff == 0x00000066", "--mark 0x66");
	check_eb("! --mark 102/0xff", "mark & 0x000000ff != 0x00000066",
		"! --mark 0x66/0xff");
	check_eb("--mark /0xf", "mark & 0x0000000f != 0x00000000", "--mark /0xf");
	check_eb("--mark ! /0xf", "mark & 0x0000000f == 0x00000000", "! --mark /0xf");
	check_refused("ebtables", "-A FORWARD --mark x",
		"--mark \"x\": not a mark (VALUE, VALUE/MASK or /MASK, 0 to 65535)");
	check_refused("ebtables", "-A FORWARD --mark \"\"",
		"--mark \"\": not a mark (VALUE, VALUE/MASK or /MASK, 0 to 65535)");
	check_refused("ebtables", "-A FORWARD --mark 0x10000",
		"--mark \"0x10000\": not a mark (VALUE, VALUE/MASK or /MASK, 0 to "
		"65535)");
	check_problems("ebtables", "-A FORWARD --mark 2/1", 0,
		"2 warning: never matches: --mark asks for a bit outside its mask\n");
}

static void
matches_without_a_protocol_come_with_their_options(void **state)
{
	(void)state;
	check_eb("--limit 5/min --limit-burst 3", "limit 5/60s burst 3",
		"--limit 5/min --limit-burst 3");
	check_eb("--comment rule_id:10 -p ARP", "l3proto == 0x0806",
		"-p ARP --comment rule_id:10");
	check_eb("--pkttype-type ! Multicast", "pkttype != 2",
		"! --pkttype-type multicast");
	check_refused("ebtables", "-A FORWARD --pkttype-type any",
		"--pkttype-type \"any\": not one of host, otherhost, broadcast, "
		"multicast");
	check_eb("--among-src 2:0:0:0:0:2,02:00:00:00:00:01, --among-dst ! "
		 "2:0:0:0:0:9",
		"ether saddr in 02:00:00:00:00:01-02:00:00:00:00:02; ether daddr != "
		"02:00:00:00:00:09",
		"--among-src \"2:0:0:0:0:2,02:00:00:00:00:01,\" ! --among-dst "
		"2:0:0:0:0:9");
	check_refused("ebtables", "-A FORWARD --among-src 2:0:0:0:0:2=10.0.0.1",
		"--among-src \"2:0:0:0:0:2=10.0.0.1\": pairs of MAC and IP address are "
		"not supported");
	check_refused("ebtables", "-A FORWARD --among-src 2:0:0:0:0:2,,",
		"--among-src: \"\" is not a MAC address");
	check_refused("ebtables", "-A FORWARD --among-src-file /x",
		"option --among-src-file is not supported");
	check_refused("ebtables", "-A FORWARD --limit 5 --limit 6",
		"option --limit is given twice");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_has_addresses_and_a_service),
		cmocka_unit_test(ports_need_a_protocol_that_has_them),
		cmocka_unit_test(icmp_types_and_codes_are_ranges),
		cmocka_unit_test(ipv6_has_addresses_and_a_class),
		cmocka_unit_test(arp_has_an_operation_and_types),
		cmocka_unit_test(addresses_of_arp_are_those_of_ethernet_and_ipv4),
		cmocka_unit_test(frames_with_a_length_have_access_points),
		cmocka_unit_test(bpdus_are_matched_by_field),
		cmocka_unit_test(marks_may_ask_for_any_bit_of_a_mask),
		cmocka_unit_test(matches_without_a_protocol_come_with_their_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
