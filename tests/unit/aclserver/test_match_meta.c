/*
 * test_match_meta.c - mark, comment, limit, mac.
 */
#include "compile_check.h"

static void
marks_have_a_mask(void **state)
{
	(void)state;
	check_match("iptables", "-m mark --mark 102", "mark & 0x0000ffff == 0x00000066",
		"-m mark --mark 0x66");
	check_match("ip6tables", "-m mark ! --mark 0x5/0xff",
		"mark & 0x000000ff != 0x00000005", "-m mark ! --mark 0x5/0xff");
	check_refused("iptables", "-A INPUT -m mark --mark 0x10000",
		"--mark \"0x10000\": the bits 0xffff0000 of the mark are reserved");
	check_refused("iptables", "-A INPUT -m mark --mark 4294967296",
		"--mark \"4294967296\": not a mark (VALUE or VALUE/MASK)");
	check_refused("iptables", "-A INPUT -m mark --mark 1/",
		"--mark \"1/\": not a mark (VALUE or VALUE/MASK)");
	check_problems("iptables", "-A INPUT -m mark --mark 5/3", 0,
		"2 warning: never matches: --mark asks for a bit outside its mask\n");
}

static void
comments_are_kept_in_the_text_only(void **state)
{
	(void)state;
	check_match("iptables", "-m comment --comment rule_id:10,acl_name:X", "",
		"-m comment --comment rule_id:10,acl_name:X");
	check_match("iptables",
		"-m comment --comment \"a \\\"q\\\" \\\\ it's \\$X #1\"", "",
		"-m comment --comment \"a \\\"q\\\" \\\\ it's \\$X #1\"");
	check_match("iptables",
		"-m comment --comment 'one' -m comment --comment \"-j\"", "",
		"-m comment --comment one -m comment --comment \"-j\"");
	check_match("iptables", "-m comment --comment \"\" -m comment --comment \"a,\"",
		"", "-m comment --comment \"\" -m comment --comment \"a,\"");
}

static void
long_comments_are_refused(void **state)
{
	char rule[512];

	(void)state;
	(void)snprintf(rule, sizeof(rule), "-A INPUT -m comment --comment %0255d", 1);
	check_problems("iptables", rule, 0, "");
	(void)snprintf(rule, sizeof(rule), "-A INPUT -m comment --comment %0256d", 1);
	check_refused("iptables", rule, "--comment: longer than 255 bytes");
	check_refused("iptables", "-A INPUT -m comment",
		"-m comment needs an option, such as --comment");
}

static void
limits_have_a_rate_a_unit_and_a_burst(void **state)
{
	(void)state;
	check_match("iptables", "-m limit --limit 1/min", "limit 1/60s burst 5",
		"-m limit --limit 1/min");
	check_match("iptables", "-m limit --limit 5", "limit 5/1s burst 5",
		"-m limit --limit 5/sec");
	check_match("iptables", "-m limit --limit 5/second --limit-burst 10000",
		"limit 5/1s burst 10000", "-m limit --limit 5/sec --limit-burst 10000");
	check_match("iptables", "-m limit --limit 10000/s", "limit 10000/1s burst 5",
		"-m limit --limit 10000/sec");
	check_match("ip6tables", "-m limit --limit 7/HOUR", "limit 7/3600s burst 5",
		"-m limit --limit 7/hour");
	check_match("iptables", "-m limit --limit 7/day", "limit 7/86400s burst 5",
		"-m limit --limit 7/day");
	check_match("iptables", "-m limit", "limit 3/3600s burst 5", "-m limit");
}

static void
limit_comes_behind_the_tests_before_it(void **state)
{
	(void)state;
	check_match("iptables",
		"-m length --length 64 -m limit --limit 1/s -m dscp --dscp 1 -s "
		"1.1.1.1 "
		"-p tcp --syn",
		"l4proto == 6; ip saddr == 1.1.1.1; tcp flags & 0x17 == 0x02; ip "
		"length "
		"== 64; limit 1/1s burst 5; ip dscp == 1",
		"-s 1.1.1.1/32 -p tcp -m tcp --syn -m length --length 64 -m limit "
		"--limit 1/sec -m dscp --dscp 0x01");
}

static void
bad_limits_are_refused(void **state)
{
	static const char no_rate[] =
		"not a rate (N/second, N/minute, N/hour or N/day, "
		"N at least 1)";
	char reason[128];

	(void)state;
	(void)snprintf(reason, sizeof(reason), "--limit \"0/s\": %s", no_rate);
	check_refused("iptables", "-A INPUT -m limit --limit 0/s", reason);
	(void)snprintf(reason, sizeof(reason), "--limit \"5/week\": %s", no_rate);
	check_refused("iptables", "-A INPUT -m limit --limit 5/week", reason);
	(void)snprintf(reason, sizeof(reason), "--limit \"5/\": %s", no_rate);
	check_refused("iptables", "-A INPUT -m limit --limit 5/", reason);
	check_refused("iptables", "-A INPUT -m limit --limit 10001/s",
		"--limit \"10001/s\": more than 10000 packets per second");
	check_refused("iptables", "-A INPUT -m limit --limit 5 --limit-burst 0",
		"--limit-burst \"0\": not a number from 1 to 10000");
	check_refused("iptables", "-A INPUT -m limit ! --limit 5",
		"option --limit cannot be inverted");
	check_refused(
		"iptables", "-A INPUT --limit 5", "option --limit needs -m limit");
}

static void
source_mac_is_known_of_received_packets_only(void **state)
{
	(void)state;
	check_match("iptables", "-m mac --mac-source 00:1:2:3:4:AB",
		"ether saddr == 00:01:02:03:04:ab",
		"-m mac --mac-source 00:01:02:03:04:ab");
	check_match("ip6tables", "-m mac ! --mac-source 00:01:02:03:04:05",
		"ether saddr != 00:01:02:03:04:05",
		"-m mac ! --mac-source 00:01:02:03:04:05");
	check_refused("iptables", "-A OUTPUT -m mac --mac-source 00:01:02:03:04:05",
		"--mac-source specified with OUTPUT chain");
	check_refused("iptables",
		"-t mangle -A POSTROUTING -m mac --mac-source 00:01:02:03:04:05",
		"--mac-source specified with POSTROUTING chain");
	check_refused("iptables", "-A INPUT -m mac --mac-source 00:01:02:03:04",
		"--mac-source \"00:01:02:03:04\": not a MAC address");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_have_a_mask),
		cmocka_unit_test(comments_are_kept_in_the_text_only),
		cmocka_unit_test(long_comments_are_refused),
		cmocka_unit_test(limits_have_a_rate_a_unit_and_a_burst),
		cmocka_unit_test(limit_comes_behind_the_tests_before_it),
		cmocka_unit_test(bad_limits_are_refused),
		cmocka_unit_test(source_mac_is_known_of_received_packets_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
