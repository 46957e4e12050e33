/*
 * test_match_state.c - conntrack, state, addrtype: what becomes of the half for bridged
 * packets.
 */
#include "compile_check.h"

/* @rule compiles to @expected with @problems (warnings). */
static void
check_with_warning(const char *section, const char *rule, const char *expected,
	const char *problems)
{
	struct compiled c = compile(section, rule, 0);
	char *text = compiled_problems(&c);

	assert_int_equal(c.result, 0);
	assert_string_equal(text, problems);
	free(text);
	text = compiled_dump(&c);
	assert_string_equal(text, expected);
	free(text);
	check_round_trip(section, &c);
	compiled_done(&c);
}

#define CT_WARNING                                                                     \
	"2 warning: bridged packets have no connection state; the rule is installed "  \
	"for routed packets and those of the switch itself\n"
#define TYPE_WARNING                                                                   \
	"2 warning: the type of an address is not known of packets that a bridge "     \
	"port "                                                                        \
	"receives; the rule is installed for routed ports and those of the switch "    \
	"itself\n"

static void
connection_states_are_bits(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-A INPUT -m conntrack --ctstate ESTABLISHED,related -j ACCEPT",
		"inet/filter_input: l3proto == 0x0800; ct state & 0x00000006 != "
		"0x00000000; counter; accept\n");
	check_compiles("ip6tables", "-A INPUT -m state ! --state NEW,INVALID,UNTRACKED",
		"inet/filter_input: l3proto == 0x86dd; ct state & 0x00000049 == "
		"0x00000000; counter\n");
}

static void
connection_state_of_bridged_packets_is_a_warning(void **state)
{
	(void)state;
	check_with_warning("iptables", "-A FORWARD -m state --state NEW -j DROP",
		"inet/filter_forward: l3proto == 0x0800; ct state & 0x00000008 != "
		"0x00000000; counter; drop\n",
		CT_WARNING);
	/* INPUT has no half for bridged packets. */
	check_compiles("iptables",
		"-A INPUT -i swp1 -m conntrack --ctstate NEW -j DROP",
		"inet/filter_input: l3proto == 0x0800; iifname == swp1; ct state & "
		"0x00000008 != 0x00000000; counter; drop\n"
		"inet/filter_input: l3proto == 0x0800; port == swp1; ct state & "
		"0x00000008 != 0x00000000; counter; drop\n");
}

static void
other_connection_matches_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -m conntrack --ctstate NEW,SNAT",
		"--ctstate: state \"SNAT\" is unknown or not supported");
	check_refused("iptables", "-A INPUT -m state --state FOO",
		"--state: state \"FOO\" is unknown or not supported");
	check_refused("iptables", "-A INPUT -m conntrack --ctproto tcp",
		"option --ctproto is not supported");
	check_refused("iptables", "-A INPUT --ctstate NEW",
		"option --ctstate needs -m conntrack");
	check_refused("iptables", "-A INPUT -m conntrack",
		"-m conntrack needs an option, such as --ctstate");
}

static void
bridged_packets_are_never_to_the_switch(void **state)
{
	(void)state;
	check_compiles("iptables", "-A FORWARD -m addrtype --dst-type local -j DROP",
		"inet/filter_forward: l3proto == 0x0800; fib daddr type == 2; counter; "
		"drop\n");
	check_compiles("iptables", "-A FORWARD -m addrtype ! --dst-type LOCAL -j DROP",
		"inet/filter_forward: l3proto == 0x0800; fib daddr type != 2; counter; "
		"drop\n"
		"bridge/filter_forward: l3proto == 0x0800; counter; drop\n");
	check_compiles("iptables",
		"-t mangle -A PREROUTING -m addrtype --dst-type LOCAL -j DROP",
		"inet/mangle_prerouting: l3proto == 0x0800; fib daddr type == 2; "
		"counter; drop\n");
}

static void
multicast_is_known_by_its_address(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-A FORWARD -m addrtype --dst-type LOCAL,MULTICAST -j DROP",
		"inet/filter_forward: l3proto == 0x0800; fib daddr type in 2,5; "
		"counter; drop\n"
		"bridge/filter_forward: l3proto == 0x0800; ip daddr in "
		"224.0.0.0-239.255.255.255; counter; drop\n");
	check_compiles("ip6tables",
		"-A FORWARD -m addrtype ! --src-type MULTICAST -j DROP",
		"inet/filter_forward: l3proto == 0x86dd; fib saddr type != 5; counter; "
		"drop\n"
		"bridge/filter_forward: l3proto == 0x86dd; ip6 saddr not in "
		"ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff; counter; drop\n");
}

static void
other_types_of_bridged_packets_are_a_warning(void **state)
{
	(void)state;
	check_with_warning("iptables",
		"-A FORWARD -m addrtype --src-type UNICAST --dst-type BROADCAST",
		"inet/filter_forward: l3proto == 0x0800; fib saddr type == 1; fib "
		"daddr "
		"type == 3; counter\n",
		TYPE_WARNING);
	check_with_warning("iptables",
		"-t mangle -A PREROUTING -m addrtype ! --dst-type LOCAL -j DROP",
		"inet/mangle_prerouting: l3proto == 0x0800; fib daddr type != 2; "
		"counter; drop\n",
		TYPE_WARNING);
	/* INPUT has no half for bridged packets. */
	check_compiles("iptables",
		"-A INPUT -i swp+ -m addrtype --dst-type LOCAL -j DROP",
		"inet/filter_input: l3proto == 0x0800; iifname == swp+; fib daddr type "
		"== 2; counter; drop\n"
		"inet/filter_input: l3proto == 0x0800; port == swp+; fib daddr type "
		"== 2; counter; drop\n");
	check_compiles("iptables", "-A INPUT -m addrtype --dst-type ANYCAST",
		"inet/filter_input: l3proto == 0x0800; fib daddr type == 4; counter\n");
}

static void
no_packet_has_the_type_of_unresolved_next_hops(void **state)
{
	static const char warning[] =
		"2 warning: no packet has the address type IPROUTER here: the kernel "
		"resolves next hops without a rule seeing it\n";

	(void)state;
	check_with_warning("iptables",
		"-A INPUT -m addrtype --dst-type IPROUTER -j DROP",
		"inet/filter_input: l3proto == 0x0800; fib daddr type not in "
		"0-4294967295; counter; drop\n",
		warning);
	check_with_warning("iptables",
		"-A INPUT -m addrtype ! --dst-type iprouter -j DROP",
		"inet/filter_input: l3proto == 0x0800; fib daddr type in 0-4294967295; "
		"counter; drop\n",
		warning);
	check_with_warning("iptables",
		"-A INPUT -m addrtype --dst-type LOCAL,IPROUTER -j DROP",
		"inet/filter_input: l3proto == 0x0800; fib daddr type == 2; counter; "
		"drop\n",
		warning);
	check_with_warning("iptables",
		"-A FORWARD -m addrtype --src-type IPROUTER -j DROP",
		"inet/filter_forward: l3proto == 0x0800; fib saddr type not in "
		"0-4294967295; counter; drop\n",
		warning);
}

static void
bad_types_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -m addrtype --dst-type LOCAL,FOO",
		"--dst-type: unknown address type \"FOO\"");
	check_refused("ip6tables", "-A INPUT -m addrtype --src-type broadcast",
		"--src-type: IPv6 addresses have no type BROADCAST");
	check_refused("iptables", "-A INPUT -m addrtype --limit-iface-in",
		"option --limit-iface-in is not supported");
	check_refused("iptables", "-A INPUT -m addrtype",
		"-m addrtype needs an option, such as --src-type");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_states_are_bits),
		cmocka_unit_test(connection_state_of_bridged_packets_is_a_warning),
		cmocka_unit_test(other_connection_matches_are_refused),
		cmocka_unit_test(no_packet_has_the_type_of_unresolved_next_hops),
		cmocka_unit_test(bridged_packets_are_never_to_the_switch),
		cmocka_unit_test(multicast_is_known_by_its_address),
		cmocka_unit_test(other_types_of_bridged_packets_are_a_warning),
		cmocka_unit_test(bad_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
