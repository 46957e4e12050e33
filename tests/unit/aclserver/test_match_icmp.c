/*
 * test_match_icmp.c - ICMP and ICMPv6 types by name and number.
 */
#include "compile_check.h"

static void
types_are_names_or_numbers(void **state)
{
	(void)state;
	check_match("iptables", "-p icmp --icmp-type echo-request",
		"l4proto == 1; icmp type == 8",
		"-p icmp -m icmp --icmp-type echo-request");
	check_match("iptables", "-p icmp --icmp-type Ping",
		"l4proto == 1; icmp type == 8", "-p icmp -m icmp --icmp-type Ping");
	check_match("iptables", "-p icmp -m icmp --icmp-type 3/4",
		"l4proto == 1; icmp type == 3; icmp code == 4",
		"-p icmp -m icmp --icmp-type 3/4");
	check_match("iptables", "-p icmp --icmp-type fragmentation-needed",
		"l4proto == 1; icmp type == 3; icmp code == 4",
		"-p icmp -m icmp --icmp-type fragmentation-needed");
	check_match("iptables", "-p icmp --icmp-type any", "l4proto == 1",
		"-p icmp -m icmp --icmp-type any");
	check_match("ip6tables", "-p icmpv6 --icmpv6-type router-solicitation",
		"l4proto == 58; icmpv6 type == 133",
		"-p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation");
	check_match("ip6tables", "-p ipv6-icmp -m icmpv6 --icmpv6-type 1/4",
		"l4proto == 58; icmpv6 type == 1; icmpv6 code == 4",
		"-p ipv6-icmp -m icmp6 --icmpv6-type 1/4");
	check_match("ip6tables", "-p icmp6 --icmpv6-type 255",
		"l4proto == 58; icmpv6 type == 255",
		"-p ipv6-icmp -m icmp6 --icmpv6-type 255");
}

static void
types_can_be_inverted(void **state)
{
	(void)state;
	check_match("iptables", "-p icmp ! --icmp-type 8",
		"l4proto == 1; icmp type != 8", "-p icmp -m icmp ! --icmp-type 8");
	/* Never true. */
	check_match("iptables", "-p icmp ! --icmp-type any",
		"l4proto == 1; icmp type not in 0-255",
		"-p icmp -m icmp ! --icmp-type any");
	check_compiles("iptables", "-A INPUT -p icmp ! --icmp-type 3/1",
		"inet/filter_input: l3proto == 0x0800; l4proto == 1; icmp type != 3; "
		"counter\n"
		"inet/filter_input: l3proto == 0x0800; l4proto == 1; icmp type == 3; "
		"icmp code != 1; counter\n");
}

static void
unknown_types_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -p icmp --icmp-type 256",
		"--icmp-type \"256\": unknown type");
	check_refused("iptables", "-A INPUT -p icmp --icmp-type 3/256",
		"--icmp-type \"3/256\": unknown type");
	check_refused("iptables", "-A INPUT -p icmp --icmp-type echo",
		"--icmp-type \"echo\": unknown type");
	check_refused("ip6tables", "-A INPUT -p icmp6 --icmpv6-type any",
		"--icmpv6-type \"any\": unknown type");
	check_refused("iptables", "-A INPUT --icmp-type 8",
		"option --icmp-type needs -p icmp");
	check_refused("ip6tables", "-A INPUT --icmpv6-type 8",
		"option --icmpv6-type needs -p ipv6-icmp");
	check_refused("ip6tables", "-A INPUT -m icmp6 --icmpv6-type 8",
		"match icmp6 needs -p ipv6-icmp");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_names_or_numbers),
		cmocka_unit_test(types_can_be_inverted),
		cmocka_unit_test(unknown_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
