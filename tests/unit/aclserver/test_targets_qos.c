/*
 * test_targets_qos.c - targets of queues and rates: SETQOS, SETCLASS, POLICE,
 * TRICOLORPOLICE.
 */
#include "compile_check.h"

#define IP4 "inet/filter_input: l3proto == 0x0800; "
#define BR  "bridge/filter_forward: l3proto == 0x0800; "
#define IN  "inet/filter_forward: l3proto == 0x0800; "
#define EB  "bridge/filter_forward eb: "

static void
setqos_sets_dscp_and_accepts(void **state)
{
	(void)state;
	check_compiles("iptables", "-A INPUT -j SETQOS --set-dscp 34",
		IP4 "counter; ip dscp set 34; accept\n");
	check_compiles("ip6tables", "-t mangle -A INPUT -j SETQOS --set-dscp-class ef",
		"inet/mangle_input: l3proto == 0x86dd; counter; ip6 dscp set 46; "
		"accept\n");
	check_refused("iptables", "-A INPUT -j SETQOS",
		"target SETQOS needs --set-dscp or --set-dscp-class");
	check_refused("iptables",
		"-A INPUT -j SETQOS --set-dscp 10 --set-dscp-class ef",
		"--set-dscp and --set-dscp-class exclude each other");
	check_refused("iptables", "-A INPUT -j SETQOS --set-cos 8",
		"--set-cos \"8\": not a number from 0 to 7");
}

static void
setqos_writes_the_tag_where_there_is_one(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-A FORWARD -j SETQOS --set-dscp-class ef --set-cos 5",
		IN "counter; priority set 5; ip dscp set 46; accept\n" BR
		   "ether type == 0x8100; counter; priority set 5; pcp set 5; ip dscp "
		   "set 46; accept\n" BR
		   "counter; priority set 5; ip dscp set 46; accept\n");
	check_compiles("ebtables", "-A FORWARD -o swp5 -j setqos --set-cos 4",
		EB "oifname == swp5; ether type == 0x8100; counter; priority set 4; "
		   "pcp set 4; accept\n" EB
		   "oifname == swp5; counter; priority set 4; accept\n");
	check_compiles("ebtables",
		"-A FORWARD -p 802_1Q --vlan-id 7 -j setqos --set-cos 0",
		EB "ether type == 0x8100; vlan id == 7; ether type == 0x8100; counter; "
		   "priority set 0; pcp set 0; accept\n");
	check_compiles("ebtables", "-A FORWARD -p ARP -j setqos --set-cos 1",
		EB "l3proto == 0x0806; counter; priority set 1; accept\n");
}

static void
ebtables_setqos_knows_both_protocols(void **state)
{
	(void)state;
	check_compiles("ebtables", "-A FORWARD -j setqos --set-dscp 8",
		EB "l3proto == 0x0800; counter; ip dscp set 8; accept\n" EB
		   "l3proto == 0x86dd; counter; ip6 dscp set 8; accept\n" EB
		   "counter; accept\n");
}

static void
setclass_sets_the_priority_and_goes_on(void **state)
{
	(void)state;
	check_compiles("iptables", "-A INPUT -j SETCLASS --class 7",
		IP4 "counter; priority set 7\n");
	check_compiles("ebtables", "-A OUTPUT -d BGA -j setclass --class 0",
		"bridge/filter_output eb: ether daddr == 01:80:c2:00:00:00; counter; "
		"priority set 0\n");
	check_refused("iptables", "-A FORWARD -i swp1 -j SETCLASS --class 8",
		"--class \"8\": not a number from 0 to 7");
	check_refused("iptables", "-A FORWARD -i swp1 -j SETCLASS",
		"target SETCLASS needs --class");
	check_refused("iptables", "-t nat -A PREROUTING -j SETCLASS --class 1",
		"target SETCLASS is not for table nat");
}

static void
police_counts_what_it_drops(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-A INPUT -j POLICE --set-mode pkt --set-rate 400 --set-burst 100",
		IP4 "counter; limit over 400/1s burst 100; counter; drop\n");
	check_compiles("iptables",
		"-A INPUT -j POLICE --set-mode kb --set-rate 100 --set-burst 300 "
		"--set-class 2",
		IP4 "counter; priority set 2; limit over 102400/1s burst 204800 bytes; "
		    "counter; drop\n");
	check_compiles("ebtables",
		"-A OUTPUT -p ARP -j police --set-mode pkt --set-rate 4 --set-burst 1",
		"bridge/filter_output eb: l3proto == 0x0806; counter; limit over "
		"4/1s burst 1; counter; drop\n");
}

static void
police_says_what_it_cannot_do(void **state)
{
	(void)state;
	check_problems("iptables",
		"-A INPUT -j POLICE --set-mode KB --set-rate 1000 --set-burst 200", 0,
		"2 warning: the burst is smaller than one second of the rate, which "
		"Linux takes instead: a byte bucket of the kernel cannot be "
		"smaller\n");
	check_problems("iptables",
		"-A INPUT -p udp -m multiport --ports 1,2 -j POLICE --set-mode pkt "
		"--set-rate 4 --set-burst 1",
		0,
		"2 warning: the limit holds for source ports (types) and destination "
		"ports (codes) separately\n");
	check_refused("iptables", "-A INPUT -j POLICE --set-rate 4 --set-burst 1",
		"target POLICE needs --set-mode");
	check_refused("iptables", "-A INPUT -j POLICE --set-mode pkt --set-burst 1",
		"target POLICE needs --set-rate");
	check_refused("iptables", "-A INPUT -j POLICE --set-mode pkt --set-rate 4",
		"target POLICE needs --set-burst");
	check_refused("iptables",
		"-A INPUT -j POLICE --set-mode bit --set-rate 4 --set-burst 1",
		"--set-mode \"bit\": not pkt or KB");
	check_refused("iptables",
		"-A INPUT -j POLICE --set-mode pkt --set-rate 0 --set-burst 1",
		"--set-rate \"0\": not a number from 1 to 50000000");
	check_refused("iptables",
		"-A INPUT -j POLICE --set-mode KB --set-rate 8000001 --set-burst 1",
		"--set-rate \"8000001\": not a number from 1 to 8000000");
	check_refused("iptables",
		"-A INPUT -j POLICE --set-mode pkt --set-rate 1 --set-burst 1 "
		"--set-class 8",
		"--set-class \"8\": not a number from 0 to 7");
}

#define TRI "-A INPUT -j TRICOLORPOLICE --set-color-mode blind "

static void
tricolorpolice_has_two_buckets(void **state)
{
	(void)state;
	check_compiles("iptables",
		TRI "--set-cir 3000 --set-cbs 500 --set-pir 10000 --set-ebs 2000 "
		    "--set-violate-action drop",
		IP4 "limit over 1250000/1s burst 798000 bytes; counter; counter; "
		    "drop\n" IP4
		    "limit 375000/1s burst 137000 bytes; counter; accept\n" IP4
		    "counter; accept\n");
	check_compiles("iptables",
		TRI "--set-cir 8 --set-cbs 10 --set-pir 16 --set-ebs 10 "
		    "--set-conform-action-dscp 46 --set-exceed-action-dscp 0x0a "
		    "--set-violate-action accept --set-violate-action-dscp 0",
		IP4 "limit over 2000/1s burst 8240 bytes; counter; ip dscp set 0; "
		    "accept\n" IP4
		    "limit 1000/1s burst 9240 bytes; counter; ip dscp set 46; "
		    "accept\n" IP4 "counter; ip dscp set 10; accept\n");
	check_compiles("ebtables",
		"-A OUTPUT -p IPv6 -j tricolorpolice --set-color-mode blind --set-cir "
		"8 --set-cbs 10 --set-pir 16 --set-ebs 10 --set-exceed-action-dscp 1",
		"bridge/filter_output eb: l3proto == 0x86dd; limit over 2000/1s "
		"burst 8240 bytes; counter; counter; drop\n"
		"bridge/filter_output eb: l3proto == 0x86dd; limit 1000/1s burst "
		"9240 bytes; counter; accept\n"
		"bridge/filter_output eb: l3proto == 0x86dd; counter; ip6 dscp set "
		"1; accept\n");
}

static void
tricolorpolice_says_what_it_cannot_do(void **state)
{
	const char *rates = "--set-cir 800 --set-cbs 500 --set-pir 900 --set-ebs 500";
	char rule[256];

	(void)state;
	(void)snprintf(rule, sizeof(rule), "-A INPUT -j TRICOLORPOLICE %s", rates);
	check_refused("iptables", rule,
		"color-aware policing, which is meant without --set-color-mode, is not "
		"supported: a packet does not tell its color; use --set-color-mode "
		"blind");
	(void)snprintf(rule, sizeof(rule),
		"-A INPUT -j TRICOLORPOLICE --set-color-mode aware %s", rates);
	check_refused("iptables", rule,
		"color-aware policing is not supported: a packet does not tell its "
		"color; use --set-color-mode blind");
	(void)snprintf(
		rule, sizeof(rule), "%s%s --set-violate-action-dscp 1", TRI, rates);
	check_refused("iptables", rule,
		"--set-violate-action-dscp needs --set-violate-action accept");
	(void)snprintf(
		rule, sizeof(rule), "%s%s --set-violate-action keep", TRI, rates);
	check_refused(
		"iptables", rule, "--set-violate-action \"keep\": not accept or drop");
	check_refused("iptables",
		TRI "--set-cir 900 --set-cbs 500 --set-pir 800 --set-ebs 500",
		"--set-pir is below --set-cir");
	check_refused("iptables", TRI "--set-cir 900 --set-cbs 5",
		"target TRICOLORPOLICE needs --set-pir");
	check_refused("ebtables",
		"-A OUTPUT -j tricolorpolice --set-color-mode blind --set-cir 8 "
		"--set-cbs 10 --set-pir 16 --set-ebs 10 --set-exceed-action-dscp 1",
		"target tricolorpolice needs -p IPv4 or -p IPv6 to set DSCP");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setqos_sets_dscp_and_accepts),
		cmocka_unit_test(setqos_writes_the_tag_where_there_is_one),
		cmocka_unit_test(ebtables_setqos_knows_both_protocols),
		cmocka_unit_test(setclass_sets_the_priority_and_goes_on),
		cmocka_unit_test(police_counts_what_it_drops),
		cmocka_unit_test(police_says_what_it_cannot_do),
		cmocka_unit_test(tricolorpolice_has_two_buckets),
		cmocka_unit_test(tricolorpolice_says_what_it_cannot_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
