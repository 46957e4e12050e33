/*
 * test_match_ether.c - [ebtables] rules.
 */
#include "compile_check.h"

static void
macs_have_masks_and_names(void **state)
{
	(void)state;
	check_eb("-s 00:00:00:00:00:12 -d 08:9E:1:ce:e2:4",
		"ether saddr == 00:00:00:00:00:12; ether daddr == 08:9e:01:ce:e2:04",
		"-s 00:00:00:00:00:12 -d 08:9e:01:ce:e2:04");
	check_eb("--source 00:11:22:33:44:55/ff:ff:ff:00:00:00",
		"ether saddr & 0xffffff000000 == 00:11:22:00:00:00",
		"-s 00:11:22:00:00:00/ff:ff:ff:00:00:00");
	check_eb("-d BGA", "ether daddr == 01:80:c2:00:00:00", "-d BGA");
	check_eb(
		"! -d broadcast", "ether daddr != ff:ff:ff:ff:ff:ff", "! -d Broadcast");
	check_eb("-d ! Multicast", "ether daddr & 0x010000000000 != 01:00:00:00:00:00",
		"! -d Multicast");
	check_eb("-s UNICAST", "ether saddr & 0x010000000000 == 00:00:00:00:00:00",
		"-s Unicast");
}

static void
ether_types_are_names_or_hexadecimal(void **state)
{
	(void)state;
	check_eb("-p ipv4", "l3proto == 0x0800", "-p IPv4");
	check_eb("-p ARP", "l3proto == 0x0806", "-p ARP");
	check_eb("--protocol 0x888e", "l3proto == 0x888e", "-p EAPOL");
	check_eb("-p 86DD", "l3proto == 0x86dd", "-p IPv6");
	check_eb("-p 9000", "l3proto == 0x9000", "-p 0x9000");
	check_eb("! -p IPv6", "l3proto != 0x86dd", "! -p IPv6");
	check_eb("-p 802_1AD", "ether type == 0x88a8", "-p 802_1ad");
	check_eb("-p length", "l3proto in 0x0001-0x0004", "-p LENGTH");
	check_eb("! -p LENGTH", "l3proto not in 0x0001-0x0004", "! -p LENGTH");
	check_refused("ebtables", "-A INPUT -p 0x5ff",
		"-p \"0x5ff\": EtherTypes begin at 0x0600 (or LENGTH)");
	check_refused(
		"ebtables", "-A INPUT -p 0x10000", "-p \"0x10000\": unknown EtherType");
	check_refused(
		"ebtables", "-A INPUT -p bogus", "-p \"bogus\": unknown EtherType");
}

static void
vlan_id_needs_its_ether_type(void **state)
{
	(void)state;
	check_eb("-p 802_1Q --vlan-id 100", "ether type == 0x8100; vlan id == 100",
		"-p 802_1Q --vlan-id 100");
	check_eb("--vlan-id ! 0x64 -p 8100", "ether type == 0x8100; vlan id != 100",
		"-p 802_1Q ! --vlan-id 0x64");
	check_refused("ebtables", "-A INPUT --vlan-id 100",
		"option --vlan-id needs -p 802_1Q");
	check_refused("ebtables", "-A INPUT ! -p 802_1Q --vlan-id 100",
		"option --vlan-id cannot be used with an inverted protocol");
	check_refused("ebtables", "-A INPUT -p 802_1Q --vlan-id 4095",
		"--vlan-id \"4095\": not a number from 0 to 4094");
}

static void
a_vlan_tag_has_priority_and_type(void **state)
{
	(void)state;
	check_eb("-p 802_1Q --vlan-prio 5 --vlan-encap ipv4 --vlan-id 3",
		"ether type == 0x8100; vlan id == 3; vlan pcp == 5; vlan type == "
		"0x0800",
		"-p 802_1Q --vlan-id 3 --vlan-prio 5 --vlan-encap IPv4");
	check_eb("-p 802_1Q ! --vlan-prio 7 --vlan-encap ! 9000",
		"ether type == 0x8100; vlan pcp != 7; vlan type != 0x9000",
		"-p 802_1Q ! --vlan-prio 7 ! --vlan-encap 0x9000");
	check_refused("ebtables", "-A INPUT -p 802_1Q --vlan-prio 8",
		"--vlan-prio \"8\": not a number from 0 to 7");
	check_refused("ebtables", "-A INPUT -p 802_1Q --vlan-encap LENGTH",
		"--vlan-encap \"LENGTH\": EtherTypes begin at 0x0600");
	check_refused("ebtables", "-A INPUT --vlan-prio 8",
		"option --vlan-prio needs -p 802_1Q");
}

static void
bridges_have_names_like_their_ports(void **state)
{
	(void)state;
	check_eb("--logical-in br0 ! --logical-out br+",
		"bridge in == br0; bridge out != br+",
		"--logical-in br0 ! --logical-out br+");
	check_eb("--logical-in + -d BGA", "ether daddr == 01:80:c2:00:00:00", "-d BGA");
	check_refused("ebtables", "-A INPUT --logical-out br0",
		"output bridge specified with INPUT chain");
	check_refused("ebtables", "-A OUTPUT --logical-in br0",
		"input bridge specified with OUTPUT chain");
	check_refused("ebtables", "-A FORWARD --logical-in a/b",
		"--logical-in \"a/b\": not an interface name (1 to 15 characters "
		"without blank, '/' or ':')");
}

static void
interfaces_and_chains_are_those_of_the_bridge(void **state)
{
	(void)state;
	check_compiles("ebtables",
		"-A INPUT -i swp+ -j DROP\n-A OUTPUT --out-if swp1 -j ACCEPT",
		"bridge/filter_input eb: iifname == swp+; counter; drop\n"
		"bridge/filter_output eb: oifname == swp1; counter; accept\n");
	check_refused("ebtables", "-t broute -A BROUTING -j ACCEPT",
		"table broute is not supported yet");
	check_refused("ebtables", "-t mangle -A FORWARD -j ACCEPT",
		"unknown table \"mangle\"");
	check_refused("ebtables", "-A PREROUTING -j ACCEPT",
		"table filter has no chain \"PREROUTING\"; -t nat has");
}

static void
what_is_not_compiled_yet_is_refused_by_name(void **state)
{
	(void)state;
	check_refused("ebtables", "-A FORWARD -j CONTINUE",
		"target CONTINUE is not supported: without -j the next rule sees the "
		"packet, too");
	check_refused(
		"ebtables", "-A FORWARD -m mark --mark 1", "unknown option \"-m\"");
	check_refused("ebtables", "-A FORWARD --foo", "unknown option \"--foo\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_have_masks_and_names),
		cmocka_unit_test(ether_types_are_names_or_hexadecimal),
		cmocka_unit_test(vlan_id_needs_its_ether_type),
		cmocka_unit_test(a_vlan_tag_has_priority_and_type),
		cmocka_unit_test(bridges_have_names_like_their_ports),
		cmocka_unit_test(interfaces_and_chains_are_those_of_the_bridge),
		cmocka_unit_test(what_is_not_compiled_yet_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
