/*
 * test_targets_span.c - SPAN: at which hook of the ports its copies are made, and what
 * it is refused for.
 */
#include "compile_check.h"

#define IN  "netdev/port_in: l3proto == 0x0800; "
#define OUT "netdev/port_out: l3proto == 0x0800; "

static void
copies_are_made_where_the_frame_enters(void **state)
{
	(void)state;
	check_compiles("iptables", "-A FORWARD -i swp4 -j SPAN --dport swp19",
		IN "iifname == swp4; fib daddr type != 2; iifname != swp19; counter; "
		   "dup to swp19\n");
	check_compiles("iptables", "-A INPUT -i swp+ -p tcp -j SPAN --dport bond0",
		IN "l4proto == 6; iifname == swp+; fib daddr type == 2; iifname != "
		   "bond0; counter; dup to bond0\n");
	check_compiles("iptables",
		"-t mangle -A PREROUTING -i swp1 -p tcp --dport 80 -j SPAN --dport cpu",
		IN "l4proto == 6; iifname == swp1; th dport == 80; iifname != mirror; "
		   "counter; dup to mirror\n");
}

static void
copies_are_made_where_the_frame_leaves(void **state)
{
	(void)state;
	check_compiles("iptables", "-A FORWARD -o swp4 -j SPAN --dport swp19",
		OUT "oifname == swp4; oifname != swp19; counter; dup to swp19\n");
	check_compiles("ip6tables",
		"-t mangle -A POSTROUTING -o swp4 -j SPAN --dport swp19",
		"netdev/port_out: l3proto == 0x86dd; oifname == swp4; oifname != "
		"swp19; counter; dup to swp19\n");
}

static void
copies_of_a_port_to_itself_are_warned_of(void **state)
{
	static const char warning[] =
		"2 warning: nothing is copied: packets of the port that gets the "
		"copies are not\n";

	(void)state;
	check_problems(
		"iptables", "-A FORWARD -i swp1 -j SPAN --dport swp1", 0, warning);
	check_problems(
		"iptables", "-A FORWARD -o swp1 -j SPAN --dport swp1", 0, warning);
	check_problems("iptables", "-A FORWARD ! -i swp1 -j SPAN --dport swp1", 0, "");
	check_problems("iptables", "-A FORWARD -i swp+ -j SPAN --dport swp1", 0, "");
}

static void
what_no_hook_can_do_is_refused(void **state)
{
	(void)state;
	check_refused(
		"iptables", "-A FORWARD -i swp1 -j SPAN", "target SPAN needs --dport");
	check_refused("iptables", "-A FORWARD -j SPAN --dport swp1",
		"target SPAN needs -i or -o");
	check_refused("iptables", "-A FORWARD -i swp1 -o swp2 -j SPAN --dport swp3",
		"target SPAN takes -i or -o, not both: where a packet comes in it is "
		"not known where it will leave");
	check_refused("iptables", "-A FORWARD -i swp1 -j SPAN --dport eth0",
		"--dport \"eth0\": no switch port");
	check_refused("iptables", "-A FORWARD -i swp1 -j SPAN --dport a/b",
		"--dport \"a/b\": not the name of a port, nor cpu");
	check_refused("iptables", "-A OUTPUT -o swp1 -j SPAN --dport swp2",
		"target SPAN is not for chain OUTPUT (INPUT FORWARD PREROUTING "
		"POSTROUTING)");
	check_refused("iptables",
		"-A FORWARD -i swp1 -m state --state NEW -j SPAN --dport swp2",
		"target SPAN cannot be used with a match of connection state or "
		"address type: packets are copied before they are known");
	check_refused("ebtables", "-A FORWARD -i swp1 -j span --dport swp2",
		"target span is not supported: use SPAN in [iptables] or [ip6tables]");
}

static void
erspan_copies_into_a_device_that_its_name_describes(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-A FORWARD -i swp1 -j ERSPAN --src-ip 90.0.0.1 --dst-ip 20.0.2.2 "
		"--ttl 64",
		IN "iifname == swp1; fib daddr type != 2; counter; dup to "
		   "tg.WgAAARQAAgJA\n");
	check_compiles("iptables",
		"-t mangle -A POSTROUTING -o swp1 -j ERSPAN --src-ip 90.0.0.1 --dst-ip "
		"20.0.2.2",
		OUT "oifname == swp1; l4proto != 47; counter; dup to "
		    "tg.WgAAARQAAgJA\n");
	check_refused("iptables", "-A FORWARD -i swp1 -j ERSPAN --src-ip 1.2.3.4",
		"target ERSPAN needs --dst-ip");
	check_refused("iptables",
		"-A FORWARD -i swp1 -j ERSPAN --src-ip ::1 --dst-ip 1.2.3.4",
		"--src-ip \"::1\": not an IPv4 address");
	check_refused("iptables",
		"-A FORWARD -i swp1 -j ERSPAN --src-ip 1.2.3.4 --dst-ip 1.2.3.4 --ttl "
		"0",
		"--ttl \"0\": not a number from 1 to 255");
	check_refused("iptables",
		"-A FORWARD -j ERSPAN --src-ip 1.2.3.4 --dst-ip 1.2.3.4",
		"target ERSPAN needs -i or -o");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_made_where_the_frame_enters),
		cmocka_unit_test(copies_are_made_where_the_frame_leaves),
		cmocka_unit_test(copies_of_a_port_to_itself_are_warned_of),
		cmocka_unit_test(what_no_hook_can_do_is_refused),
		cmocka_unit_test(erspan_copies_into_a_device_that_its_name_describes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
