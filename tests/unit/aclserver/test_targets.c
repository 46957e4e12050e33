/*
 * test_targets.c - what rules do: verdicts, LOG, DSCP, SETQOS, and targets refused by
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
	check_target("iptables", "-A INPUT -j LOG", "counter; log level 4 flags 0",
		"-A INPUT -j LOG");
	check_target("iptables", "-A INPUT -j LOG --log-prefix \"FW: \" --log-level 3",
		"counter; log level 3 flags 0 prefix \"FW: \"",
		"-A INPUT -j LOG --log-prefix \"FW: \" --log-level 3");
	check_target("iptables",
		"-A INPUT -j LOG --log-prefix='a b' --log-level=Warning",
		"counter; log level 4 flags 0 prefix \"a b\"",
		"-A INPUT -j LOG --log-prefix \"a b\" --log-level 4");
	check_target("ip6tables",
		"-A INPUT -j LOG --log-tcp-sequence --log-tcp-options --log-ip-options "
		"--log-uid --log-macdecode --log-level debug",
		"counter; log level 7 flags 47",
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
setqos_sets_dscp_in_both_tables(void **state)
{
	(void)state;
	check_target("iptables", "-A INPUT -j SETQOS --set-dscp 34",
		"counter; ip dscp set 34", "-A INPUT -j SETQOS --set-dscp 0x22");
	check_target("ip6tables", "-t mangle -A INPUT -j SETQOS --set-dscp-class ef",
		"counter; ip6 dscp set 46",
		"-t mangle -A INPUT -j SETQOS --set-dscp-class EF");
	check_refused("iptables", "-A INPUT -j SETQOS",
		"target SETQOS needs --set-dscp or --set-dscp-class");
	check_refused("iptables",
		"-A INPUT -j SETQOS --set-dscp 10 --set-dscp-class ef",
		"--set-dscp and --set-dscp-class exclude each other");
	check_refused("iptables", "-A INPUT -j SETQOS --set-dscp-class ef --set-cos 5",
		"option --set-cos of target SETQOS is not supported yet");
	check_refused("iptables", "-A INPUT -j SETQOS --set-cos 8",
		"--set-cos \"8\": not a number from 0 to 7");
}

static void
targets_to_come_are_refused_by_name(void **state)
{
	static const char *const names[] = { "POLICE", "TRICOLORPOLICE", "SPAN",
		"ERSPAN", "MARK", "ULOG" };
	char rule[64], reason[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(
			rule, sizeof(rule), "-A INPUT -j %s --option 1", names[i]);
		(void)snprintf(reason, sizeof(reason), "target %s is not supported yet",
			names[i]);
		check_refused("iptables", rule, reason);
	}
	check_refused(
		"iptables", "-A INPUT -j REJECT", "target REJECT is not supported");
	check_refused("iptables", "-A INPUT -j FOO", "unknown target \"FOO\"");
	check_refused("iptables", "-A INPUT -j accept", "unknown target \"accept\"");
}

static void
values_of_targets_to_come_are_checked_first(void **state)
{
	(void)state;
	check_refused("iptables", "-A FORWARD -i swp1 -j SETCLASS --class 8",
		"--class \"8\": not a number from 0 to 7");
	check_refused("iptables", "-A FORWARD -i swp1 -j SETCLASS --class 7",
		"target SETCLASS is not supported yet");
	check_refused("iptables", "-A FORWARD -i swp1 -j SETCLASS",
		"target SETCLASS needs --class");
	check_refused("ebtables", "-A INPUT -d BGA -i swp+ -j setclass --class 7",
		"target setclass is not supported yet");
	check_refused("ebtables",
		"-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 10",
		"--mark-set \"10\": marks 0 to 100 are reserved");
	check_refused("ebtables",
		"-A FORWARD -p 802_1Q --vlan-id 100 -j mark --set-mark 102",
		"target mark is not supported yet");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_end_the_rule),
		cmocka_unit_test(log_has_prefix_level_and_flags),
		cmocka_unit_test(dscp_is_set_in_mangle),
		cmocka_unit_test(setqos_sets_dscp_in_both_tables),
		cmocka_unit_test(targets_to_come_are_refused_by_name),
		cmocka_unit_test(values_of_targets_to_come_are_checked_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
