/*
 * test_match_header.c - dscp, ttl, hl, length, iprange.
 */
#include "compile_check.h"

static void
dscp_is_a_number_or_a_class(void **state)
{
	(void)state;
	check_match("iptables", "-m dscp --dscp 46", "ip dscp == 46",
		"-m dscp --dscp 0x2e");
	check_match("iptables", "-m dscp --dscp 0x2e", "ip dscp == 46",
		"-m dscp --dscp 0x2e");
	check_match("iptables", "-m dscp ! --dscp-class cs1", "ip dscp != 8",
		"-m dscp ! --dscp-class CS1");
	check_match("ip6tables", "-m dscp --dscp-class AF43", "ip6 dscp == 38",
		"-m dscp --dscp-class AF43");
	check_refused("iptables", "-A INPUT -m dscp --dscp 64",
		"--dscp \"64\": not a number from 0 to 63");
	check_refused("iptables", "-A INPUT -m dscp --dscp-class af14",
		"--dscp-class \"af14\": unknown DSCP class (EF, BE, CS0 to CS7, AF11 "
		"to "
		"AF43)");
	check_refused("iptables", "-A INPUT -m dscp --dscp 1 --dscp-class ef",
		"the options of -m dscp exclude each other");
	check_refused("iptables", "-A INPUT -m dscp",
		"-m dscp needs an option, such as --dscp");
}

static void
ttl_and_hop_limit_are_compared(void **state)
{
	(void)state;
	check_match(
		"iptables", "-m ttl --ttl-eq 1", "ip ttl == 1", "-m ttl --ttl-eq 1");
	check_match(
		"iptables", "-m ttl ! --ttl 1", "ip ttl != 1", "-m ttl ! --ttl-eq 1");
	check_match(
		"iptables", "-m ttl --ttl-lt 5", "ip ttl in 0-4", "-m ttl --ttl-lt 5");
	check_match("iptables", "-m ttl --ttl-gt 5", "ip ttl in 6-255",
		"-m ttl --ttl-gt 5");
	check_match("ip6tables", "-m hl --hl-eq 255", "ip6 hoplimit == 255",
		"-m hl --hl-eq 255");
	check_match(
		"ip6tables", "-m hl --hl-lt 1", "ip6 hoplimit == 0", "-m hl --hl-lt 1");
	/* Never true. */
	check_match("iptables", "-m ttl --ttl-gt 255", "ip ttl not in 0-255",
		"-m ttl --ttl-gt 255");
	check_match("iptables", "-m ttl --ttl-lt 0", "ip ttl not in 0-255",
		"-m ttl --ttl-lt 0");
}

static void
bad_ttl_is_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -m ttl --ttl-eq 256",
		"--ttl-eq \"256\": not a number from 0 to 255");
	check_refused("iptables", "-A INPUT -m ttl ! --ttl-gt 5",
		"option --ttl-gt cannot be inverted");
	check_refused("iptables", "-A INPUT -m ttl --ttl-gt 5 --ttl-lt 7",
		"the options of -m ttl exclude each other");
	check_refused("iptables", "-A INPUT -m hl --hl-eq 5",
		"match hl is for [ip6tables] only");
	check_refused("ip6tables", "-A INPUT -m ttl --ttl-eq 5",
		"match ttl is for [iptables] only");
}

static void
length_is_that_of_the_whole_packet(void **state)
{
	(void)state;
	check_match("iptables", "-m length --length 64", "ip length == 64",
		"-m length --length 64");
	check_match("iptables", "-m length ! --length 64:128",
		"ip length not in 64-128", "-m length ! --length 64:128");
	check_match("iptables", "-m length --length :128", "ip length in 0-128",
		"-m length --length 0:128");
	check_match("iptables", "-m length --length 1500:", "ip length in 1500-65535",
		"-m length --length 1500:65535");
	check_match("ip6tables", "-m length --length 64:128", "ip6 length in 24-88",
		"-m length --length 64:128");
	check_match("ip6tables", "-m length --length :40", "ip6 length == 0",
		"-m length --length 0:40");
	check_match("ip6tables", "-m length --length 39", "ip6 length not in 0-65535",
		"-m length --length 39");
	check_refused("iptables", "-A INPUT -m length --length 65536",
		"--length \"65536\": not a length or range of lengths, 0 to 65535");
	check_refused("iptables", "-A INPUT -m length --length \"\"",
		"--length \"\": not a length or range of lengths, 0 to 65535");
	check_problems("iptables", "-A INPUT -m length --length 9:8", 0,
		"2 warning: never matches: the first length is above the last\n");
}

static void
ranges_of_addresses_are_taken_as_they_are(void **state)
{
	(void)state;
	check_match("iptables", "-m iprange --src-range 10.0.0.9-10.0.1.3",
		"ip saddr in 10.0.0.9-10.0.1.3",
		"-m iprange --src-range 10.0.0.9-10.0.1.3");
	check_match("iptables",
		"-m iprange --src-range 10.0.0.9 ! --dst-range 1.1.1.1-1.1.1.2",
		"ip saddr == 10.0.0.9; ip daddr not in 1.1.1.1-1.1.1.2",
		"-m iprange --src-range 10.0.0.9-10.0.0.9 ! --dst-range "
		"1.1.1.1-1.1.1.2");
	check_match("ip6tables", "-m iprange --dst-range ::1-::2",
		"ip6 daddr in ::1-::2", "-m iprange --dst-range ::1-::2");
	check_refused("iptables", "-A INPUT -m iprange --src-range 10.0.0.9-10.0.0.1",
		"--src-range \"10.0.0.9-10.0.0.1\": the first address is above the "
		"last");
	check_refused("iptables", "-A INPUT -m iprange --src-range ::1-::2",
		"--src-range \"::1-::2\": IPv6 addresses in [iptables]");
	check_refused("ip6tables", "-A INPUT -m iprange --src-range 1.1.1.1-::2",
		"--src-range \"1.1.1.1-::2\": not a range of addresses (FIRST-LAST)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dscp_is_a_number_or_a_class),
		cmocka_unit_test(ttl_and_hop_limit_are_compared),
		cmocka_unit_test(bad_ttl_is_refused),
		cmocka_unit_test(length_is_that_of_the_whole_packet),
		cmocka_unit_test(ranges_of_addresses_are_taken_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
