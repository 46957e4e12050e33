/*
 * test_targets.c - what rules do: verdicts, logs, DSCP, marks, and targets refused by
 * name.
 */
#include "compile_check.h"

/* "@rule" in INPUT has the statements @expected and is written out as @text. */
static void
check_target(
	const char *section, const char *rule, const char *expected, const char *text)
{
	struct compiled c = compile(section, rule, 0);
	const char *dump;
	char line[RULESET_DUMP_SIZE];

	assert_int_equal(c.result, 0);
	assert_int_equal(c.diags.n, 0);
	ruleset_dump_rule(&c.file.rules[0], line, sizeof(line));
	dump = strstr(line, "counter");
	assert_non_null(dump);
	assert_string_equal(dump, expected);
	assert_string_equal(c.file.rules[0].text, text);
	check_round_trip(section, &c);
	compiled_done(&c);
}

static void
verdicts_end_the_rule(void **state)
{
	(void)state;
	check_target("iptables", "-A INPUT", "counter", "-A INPUT");
	check_target("iptables", "-A INPUT -j ACCEPT", "counter; accept",
		"-A INPUT -j ACCEPT");
	check_target("ip6tables", "--jump DROP -A INPUT", "counter; drop",
		"-A INPUT -j DROP");
	check_target("iptables", "-j DROP -t mangle -A INPUT -p tcp", "counter; drop",
		"-t mangle -A INPUT -p tcp -j DROP");
}

static void
log_has_prefix_level_and_flags(void **state)
{
	(void)state;
	check_target("iptables", "-A INPUT -j LOG",
		"counter; limit 10/1s burst 10; log level 4 flags 0",
		"-A INPUT -j LOG");
	check_target("iptables", "-A INPUT -j LOG --log-prefix \"FW: \" --log-level 3",
		"counter; limit 10/1s burst 10; log level 3 flags 0 prefix \"FW: \"",
		"-A INPUT -j LOG --log-prefix \"FW: \" --log-level 3");
	check_target("iptables",
		"-A INPUT -j LOG --log-prefix='a b' --log-level=Warning",
		"counter; limit 10/1s burst 10; log level 4 flags 0 prefix \"a b\"",
		"-A INPUT -j LOG --log-prefix \"a b\" --log-level 4");
	check_target("ip6tables",
		"-A INPUT -j LOG --log-tcp-sequence --log-tcp-options --log-ip-options "
		"--log-uid --log-macdecode --log-level debug",
		"counter; limit 10/1s burst 10; log level 7 flags 47",
		"-A INPUT -j LOG --log-level 7 --log-tcp-sequence --log-tcp-options "
		"--log-ip-options --log-uid --log-macdecode");
	check_refused("iptables", "-A INPUT -j LOG --log-level 8",
		"--log-level \"8\": unknown log level (0 to 7, or emerg to debug)");
	check_refused("iptables",
		"-A INPUT -j LOG --log-prefix 123456789012345678901234567890",
		"--log-prefix \"123456789012345678901234567890\": longer than 29 "
		"bytes");
	check_refused("iptables", "-A INPUT --log-level 3",
		"option --log-level needs -j LOG");
}

static void
dscp_is_set_in_mangle(void **state)
{
	(void)state;
	check_target("iptables", "-t mangle -A INPUT -j DSCP --set-dscp 46",
		"counter; ip dscp set 46",
		"-t mangle -A INPUT -j DSCP --set-dscp 0x2e");
	check_target("ip6tables", "-t mangle -A INPUT -j DSCP --set-dscp-class af11",
		"counter; ip6 dscp set 10",
		"-t mangle -A INPUT -j DSCP --set-dscp-class AF11");
	check_refused("iptables", "-A INPUT -j DSCP --set-dscp 46",
		"target DSCP is for table mangle only");
	check_refused("iptables", "-t mangle -A INPUT -j DSCP",
		"target DSCP needs --set-dscp or --set-dscp-class");
	check_refused("iptables", "-t mangle -A INPUT -j DSCP --set-dscp 64",
		"--set-dscp \"64\": not a number from 0 to 63");
}

static void
a_limit_of_the_rule_replaces_that_of_the_log(void **state)
{
	(void)state;
	check_compiles("iptables", "-A INPUT -m limit --limit 1/min -j LOG",
		"inet/filter_input: l3proto == 0x0800; limit 1/60s burst 5; counter; "
		"log level 4 flags 0\n");
}

static void
ulog_and_nflog_go_to_a_group(void **state)
{
	(void)state;
	check_target("iptables", "-A INPUT -j ULOG",
		"counter; log group 1 threshold 0 size 0", "-A INPUT -j ULOG");
	check_target("iptables",
		"-A INPUT -j ULOG --ulog-nlgroup 32 --ulog-prefix x --ulog-cprange 64 "
		"--ulog-qthreshold 50",
		"counter; log group 32 threshold 50 size 64 prefix \"x\"",
		"-A INPUT -j ULOG --ulog-nlgroup 32 --ulog-prefix x --ulog-cprange 64 "
		"--ulog-qthreshold 50");
	check_target("ip6tables", "-A INPUT -j NFLOG --nflog-group 700",
		"counter; log group 700 threshold 0 size 0",
		"-A INPUT -j NFLOG --nflog-group 700");
	check_refused("iptables", "-A INPUT -j ULOG --ulog-nlgroup 33",
		"--ulog-nlgroup \"33\": not a number from 1 to 32");
	check_refused("iptables", "-A INPUT -j ULOG --ulog-qthreshold 51",
		"--ulog-qthreshold \"51\": not a number from 0 to 50");
	check_refused("iptables",
		"-A INPUT -j ULOG --ulog-prefix 123456789012345678901234567890123",
		"--ulog-prefix: longer than 32 bytes");
}

static void
ebtables_log_in_lower_case(void **state)
{
	(void)state;
	check_target("ebtables",
		"-A OUTPUT -j log --log-prefix \"L2 \" --log-level debug --log-ip "
		"--log-arp",
		"counter; limit 10/1s burst 10; log level 7 flags 0 prefix \"L2 \"",
		"-A OUTPUT -j log --log-prefix \"L2 \" --log-level 7 --log-ip "
		"--log-arp");
	check_refused("ebtables", "-A OUTPUT -j LOG",
		"unknown target \"LOG\"; in this section it is called log");
}

static void
mark_leaves_what_is_not_the_users(void **state)
{
	(void)state;
	check_target("iptables", "-t mangle -A INPUT -j MARK --set-mark 102",
		"counter; mark set & 0xffff0000 ^ 0x00000066",
		"-t mangle -A INPUT -j MARK --set-mark 0x66");
	check_target("iptables", "-t mangle -A INPUT -j MARK --set-mark 0x10/0xf0",
		"counter; mark set & 0xffffff0f ^ 0x00000010",
		"-t mangle -A INPUT -j MARK --set-mark 0x10/0xf0");
	check_target("ip6tables", "-t mangle -A INPUT -j MARK --set-xmark 0x31/0xf0",
		"counter; mark set & 0xffffff0f ^ 0x00000031",
		"-t mangle -A INPUT -j MARK --set-xmark 0x31/0xf0");
	check_target("iptables", "-t mangle -A INPUT -j MARK --and-mark 0xff",
		"counter; mark set & 0xffff00ff ^ 0x00000000",
		"-t mangle -A INPUT -j MARK --and-mark 0xff");
	check_target("iptables", "-t mangle -A INPUT -j MARK --or-mark 3",
		"counter; mark set & 0xfffffffc ^ 0x00000003",
		"-t mangle -A INPUT -j MARK --or-mark 0x3");
	check_target("iptables", "-t mangle -A INPUT -j MARK --xor-mark 3",
		"counter; mark set & 0xffffffff ^ 0x00000003",
		"-t mangle -A INPUT -j MARK --xor-mark 0x3");
	check_refused("iptables", "-t mangle -A INPUT -j MARK --set-mark 100",
		"--set-mark \"100\": marks 0 to 100 are reserved");
	check_refused("iptables", "-t mangle -A INPUT -j MARK --set-mark 0x10000",
		"--set-mark \"0x10000\": the bits 0xffff0000 of the mark are reserved");
	check_refused("iptables", "-t mangle -A INPUT -j MARK --or-mark 0x80000000",
		"--or-mark \"0x80000000\": the bits 0xffff0000 of the mark are "
		"reserved");
	check_refused("iptables",
		"-t mangle -A INPUT -j MARK --or-mark 1 --set-mark 200",
		"--set-mark and --or-mark exclude each other");
	check_refused("iptables", "-t mangle -A INPUT -j MARK",
		"target MARK needs --set-mark");
	check_refused("iptables", "-A INPUT -j MARK --set-mark 200",
		"target MARK is for table mangle only");
	check_refused("iptables", "-t mangle -A INPUT -j MARK --set-mark x",
		"--set-mark \"x\": not a mark (VALUE or VALUE/MASK)");
}

static void
ebtables_marks_are_written_ahead_of_ip_rules(void **state)
{
	(void)state;
	check_compiles("ebtables",
		"-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102",
		"bridge/filter_forward eb: ether type == 0x8100; vlan id == 100; "
		"accept\n"
		"bridge/mark_prerouting eb: ether type == 0x8100; vlan id == 100; "
		"counter; mark set & 0xffff0000 ^ 0x00000066; accept\n");
	check_compiles("ebtables",
		"-A FORWARD -o swp1 -j mark --set-mark 102 --mark-target CONTINUE",
		"bridge/mark_forward eb: oifname == swp1; counter; mark set & "
		"0xffff0000 ^ 0x00000066\n");
	check_compiles("ebtables", "-A OUTPUT -j mark --mark-or 1",
		"bridge/filter_output eb: counter; mark set & 0xfffffffe ^ 0x00000001; "
		"accept\n");
	check_refused("ebtables",
		"-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 10",
		"--mark-set \"10\": marks 0 to 100 are reserved");
	check_refused("ebtables", "-A FORWARD -j mark --mark-set 200/0xff",
		"--mark-set \"200/0xff\": not a mark");
	check_refused("ebtables",
		"-A FORWARD -j mark --mark-set 200 --mark-target RETURN",
		"--mark-target \"RETURN\": not ACCEPT or CONTINUE");
}

static void
what_is_not_supported_is_refused_by_name(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -j REJECT",
		"target REJECT is not supported: DROP drops packets without an answer");
	check_refused("ebtables", "-A INPUT -j CONTINUE",
		"target CONTINUE is not supported: without -j the next rule sees the "
		"packet, too");
	check_refused(
		"iptables", "-A INPUT -j TPROXY", "target TPROXY is not supported");
	check_refused("iptables", "-A INPUT -j FOO", "unknown target \"FOO\"");
	check_refused("iptables", "-A INPUT -j accept",
		"unknown target \"accept\"; in this section it is called ACCEPT");
	check_refused("ebtables", "-A INPUT -j LOG",
		"unknown target \"LOG\"; in this section it is called log");
	check_refused("iptables", "-t nat -A PREROUTING -j DROP",
		"target DROP is not for table nat");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_end_the_rule),
		cmocka_unit_test(log_has_prefix_level_and_flags),
		cmocka_unit_test(dscp_is_set_in_mangle),
		cmocka_unit_test(a_limit_of_the_rule_replaces_that_of_the_log),
		cmocka_unit_test(ulog_and_nflog_go_to_a_group),
		cmocka_unit_test(ebtables_log_in_lower_case),
		cmocka_unit_test(mark_leaves_what_is_not_the_users),
		cmocka_unit_test(ebtables_marks_are_written_ahead_of_ip_rules),
		cmocka_unit_test(what_is_not_supported_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
