/*
 * test_policy_compile.c - whole files: the lines that a parser of the policy language
 * must take, what is refused, order, places, hashes, problems.
 */
#include "compile_check.h"

/* The problems of one line, "" if there are none. Heap. */
static char *
problems_of(const char *section, const char *rule)
{
	struct compiled c = compile(section, rule, 0);
	char *problems = compiled_problems(&c);

	check_round_trip(section, &c);
	compiled_done(&c);
	return problems;
}

/* Lines that stand in public policy files. */
static const struct {
	const char *section;
	const char *rule;
	const char *reason; /* why it is refused, NULL = it is not */
} public_lines[] = {
	{ "iptables", "-A INPUT,FORWARD --in-interface swp+ -s 240.0.0.0/5,127.0.0.0/8 "
		      "-j DROP" },
	{ "iptables", "-A INPUT --in-interface swp+ -p tcp --dport bgp -j SETCLASS "
		      "--class 7" },
	{ "iptables", "-A INPUT -p udp --dport bootps:bootpc -j POLICE --set-mode pkt "
		      "--set-rate 100 --set-burst 100" },
	{ "iptables", "-A INPUT -p udp --dport bootps:bootpc -j ACCEPT" },
	{ "iptables", "-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT" },
	{ "iptables", "-A INPUT -i swp+ -m addrtype --dst-type IPROUTER -j ACCEPT",
		"warning: no packet has the address type IPROUTER here: the kernel "
		"resolves next hops without a rule seeing it" },
	{ "iptables", "-A INPUT -i mgmt -s 10.0.14.2/32 -p tcp --dport ssh -j ACCEPT" },
	{ "iptables",
		"-A FORWARD -i swp1s0,swp1s1 -o swp1s2,swp1s3 -p icmp -j ACCEPT" },
	{ "iptables", "-A FORWARD -i swp+ -p tcp -m multiport --dports "
		      "1050:1051,1055:1056 -j "
		      "ACCEPT" },
	{ "iptables",
		"-A FORWARD -i swp1 -p tcp --tcp-flags SYN,RST,ACK,FIN SYN -j DROP" },
	{ "iptables",
		"-A FORWARD -i swp31 -m mark --mark 102 -m dscp --dscp-class CS1 -j "
		"ACCEPT" },
	{ "iptables",
		"-A OUTPUT,FORWARD -o swp+ -p tcp --sport 123 --dport 123 -j DROP" },
	{ "iptables", "-t mangle -A PREROUTING -i swp1 -p tcp -m ecn --ecn-tcp-ece -j "
		      "ACCEPT" },
	{ "iptables", "-t mangle -A PREROUTING -i swp+ -p tcp -m multiport --sports "
		      "10000:20000 -m multiport --dports 10000:20000 -j SETQOS "
		      "--set-dscp 34" },
	{ "iptables",
		"-t mangle -A POSTROUTING -o swp1 -p tcp -m multiport --dports 200 -j "
		"DROP" },
	{ "iptables", "-t mangle -A FORWARD -i swp+ -p tcp --dport bgp -j SETQOS "
		      "--set-dscp-class ef --set-cos 5" },
	{ "iptables", "-A FORWARD -i swp4 -j SPAN --dport swp19" },
	{ "iptables",
		"-A FORWARD -i swp1 -j ERSPAN --src-ip 90.0.0.1 --dst-ip 20.0.2.2 "
		"--ttl "
		"64" },
	{ "iptables",
		"-A INPUT -p tcp -m comment --comment rule_id:10,acl_name:EXAMPLE1 -j "
		"ACCEPT" },
	{ "iptables",
		"-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix \"FW: \" "
		"--log-level 3" },
	{ "iptables", "-t nat -A POSTROUTING -s 10.0.0.0/24 -p tcp -j SNAT --to-source "
		      "172.30.58.0-172.30.58.80:1024-1200" },
	{ "ip6tables", "-A INPUT -i swp+ -p ipv6-icmp -m icmp6 --icmpv6-type "
		       "router-solicitation -j ACCEPT" },
	{ "ip6tables", "-A FORWARD -o vlan100 -p icmp6 -j ACCEPT" },
	{ "ebtables", "-A INPUT -d BGA -i swp+ -j ACCEPT" },
	{ "ebtables", "-A INPUT -p ARP -j police --set-mode pkt --set-rate 400 "
		      "--set-burst 100" },
	{ "ebtables", "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102" },
	{ "ebtables", "-A FORWARD -p IPv4 --ip-proto udp --ip-dport 67 -j DROP" },
	{ "ebtables", "-A FORWARD -o swp5 -j setqos --set-cos 4" },
	{ "ebtables", "-A FORWARD -s 00:00:00:00:00:12 -d 08:9e:01:ce:e2:04 -j DROP" },
	/* What has to be refused for ever. */
	{ "iptables", "-A FORWARD,INPUT -i swp1 -o swp2 -p tcp -j ACCEPT",
		"output interface specified with INPUT chain" },
	{ "iptables", "-A INPUT -i $UNDEFINED -j DROP",
		"undefined variable \"UNDEFINED\"" },
	{ "ebtables", "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 10",
		"--mark-set \"10\": marks 0 to 100 are reserved" },
	{ "iptables", "-A FORWARD -i swp1 -j SETQOS --set-dscp 10 --set-dscp-class ef",
		"--set-dscp and --set-dscp-class exclude each other" },
	{ "iptables", "-A FORWARD -i swp1 -j SETCLASS --class 8",
		"--class \"8\": not a number from 0 to 7" },
};

static void
lines_of_public_files_compile_or_are_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(public_lines) / sizeof(public_lines[0]); i++) {
		char *problems =
			problems_of(public_lines[i].section, public_lines[i].rule);
		char expected[256] = "";

		if (public_lines[i].reason)
			(void)snprintf(expected, sizeof(expected), "2 %s\n",
				public_lines[i].reason);
		assert_string_equal(problems, expected);
		free(problems);
	}
}

static void
lists_become_rules_in_the_order_written(void **state)
{
	(void)state;
	check_compiles("iptables",
		"-A OUTPUT -o swp1,swp2 -j DROP\n-A OUTPUT -d 1.1.1.1,2.2.2.2 -j "
		"ACCEPT",
		"inet/filter_output: l3proto == 0x0800; oifname == swp1; counter; "
		"drop\n"
		"inet/filter_output: l3proto == 0x0800; oifname == swp2; counter; "
		"drop\n"
		"inet/filter_output: l3proto == 0x0800; ip daddr == 1.1.1.1; counter; "
		"accept\n"
		"inet/filter_output: l3proto == 0x0800; ip daddr == 2.2.2.2; counter; "
		"accept\n");
}

static void
rules_are_grouped_by_place(void **state)
{
	static const enum place first = BASE_INET_INPUT_FILTER * PLACE_GROUP_COUNT;
	static const enum place forward = BASE_INET_FORWARD_FILTER * PLACE_GROUP_COUNT;
	struct compiled c = compile("iptables",
		"-A FORWARD -s 1.1.1.1 -j DROP\n"
		"-A INPUT -s 2.2.2.2 -j DROP\n"
		"-A FORWARD -s 3.3.3.3 -j DROP\n"
		"[ebtables]\n"
		"-A FORWARD -j DROP\n"
		"[ip6tables]\n"
		"-A FORWARD -s ::1 -j DROP\n",
		0);
	const struct ruleset_rule *rules = c.file.rules;
	size_t n = 0;

	(void)state;
	assert_int_equal(c.result, 0);
	assert_int_equal(c.file.n_rules, 8);
	for (int place = 0; place < PLACE_COUNT; place++) {
		assert_int_equal(c.file.first[place], n);
		for (size_t i = 0; i < c.file.count[place]; i++)
			assert_int_equal(rules[n++].place, place);
	}
	assert_int_equal(n, 8);
	assert_int_equal(c.file.count[first], 1);
	assert_int_equal(c.file.count[forward], 3);
	assert_int_equal(rules[c.file.first[forward]].line, 2);
	assert_int_equal(rules[c.file.first[forward] + 1].line, 4);
	assert_int_equal(rules[c.file.first[forward] + 2].line, 8);
	assert_int_equal(
		rules[c.file.first[forward] + 2].section, POLICY_SECTION_IP6TABLES);
	assert_string_equal(
		rules[c.file.first[first]].written, "-A INPUT -s 2.2.2.2 -j DROP");
	compiled_done(&c);
}

static void
both_halves_share_one_text(void **state)
{
	struct compiled c = compile("iptables", "-A FORWARD -o swp1 -j DROP", 0);

	(void)state;
	assert_int_equal(c.file.n_rules, 2);
	assert_ptr_equal(c.file.rules[0].text, c.file.rules[1].text);
	assert_memory_not_equal(&c.file.rules[0].hash, &c.file.rules[1].hash,
		sizeof(c.file.rules[0].hash));
	compiled_done(&c);
}

/* Hash of the only place of @rules, which are in [iptables] OUTPUT. */
static struct ruleset_hash
output_hash(const char *rules)
{
	struct compiled c = compile("iptables", rules, 0);
	struct ruleset_hash hash =
		c.file.hash[BASE_INET_OUTPUT_FILTER * PLACE_GROUP_COUNT];

	assert_int_equal(c.result, 0);
	compiled_done(&c);
	return hash;
}

static bool
same_hash(const char *a, const char *b)
{
	struct ruleset_hash ha = output_hash(a), hb = output_hash(b);

	return memcmp(&ha, &hb, sizeof(ha)) == 0;
}

static void
hashes_are_of_the_meaning_and_the_text(void **state)
{
	(void)state;
	assert_true(same_hash("-A OUTPUT -p tcp --dport 80 -s 1.1.1.1",
		"# comment\n\n-A OUTPUT -s 1.1.1.1/32 -p 6 -m tcp --destination-port "
		"80"));
	assert_false(same_hash(
		"-A OUTPUT -p tcp --dport 80", "-A OUTPUT -p tcp --dport 81"));
	assert_false(same_hash(
		"-A OUTPUT -p tcp --dport 22", "-A OUTPUT -p tcp --dport ssh"));
	assert_false(same_hash("-A OUTPUT -j DROP", "-A OUTPUT -j ACCEPT"));
	assert_false(same_hash("-A OUTPUT -s 1.1.1.1\n-A OUTPUT -d 1.1.1.1",
		"-A OUTPUT -d 1.1.1.1\n-A OUTPUT -s 1.1.1.1"));
	assert_false(same_hash("-A OUTPUT", "-A OUTPUT\n-A OUTPUT"));
	assert_false(same_hash("-A OUTPUT ! -s 1.1.1.1", "-A OUTPUT -s 1.1.1.1"));
}

static void
an_empty_file_has_no_rules_and_no_hash(void **state)
{
	static const struct ruleset_hash zero;
	struct compiled c = compile("iptables", "# nothing", 0);

	(void)state;
	assert_int_equal(c.result, 0);
	assert_int_equal(c.file.n_rules, 0);
	for (int place = 0; place < PLACE_COUNT; place++)
		assert_memory_equal(&c.file.hash[place], &zero, sizeof(zero));
	compiled_done(&c);
}

static void
all_errors_of_a_file_are_reported_once_each(void **state)
{
	(void)state;
	check_problems("iptables",
		"-A FORWARD -i swp1,swp2 -s 1.1.1.1,2.2.2.2 -m foo\n"
		"-A FORWARD -j DROP\n"
		"-A INPUT,OUTPUT,FORWARD -i swp1 -o swp2\n"
		"-A FORWARD -s 1.1.1.1,bogus,wrong -j DROP\n"
		"-A FORWARD -m foo",
		0,
		"2 unknown match \"foo\"\n"
		"4 output interface specified with INPUT chain\n"
		"4 input interface specified with OUTPUT chain\n"
		"5 -s \"bogus\": not an IPv4 address (host names are not looked up)\n"
		"5 -s \"wrong\": not an IPv4 address (host names are not looked up)\n"
		"6 unknown match \"foo\"\n");
}

static void
warnings_do_not_stop_a_file_and_are_given_once(void **state)
{
	struct compiled c = compile(
		"iptables", "-A FORWARD,INPUT -i swp1,swp2 -m state --state NEW", 0);

	(void)state;
	assert_int_equal(c.result, 0);
	assert_int_equal(c.file.n_rules, 8); /* as an interface and as a port */
	assert_int_equal(c.diags.warnings, 1);
	assert_int_equal(c.diags.errors, 0);
	compiled_done(&c);
}

static void
problems_show_the_rule_as_written(void **state)
{
	struct compiled c = compile(
		"iptables", "IF = swp1,swp2\n-A FORWARD   -i $IF -j FOO  # why", 0);
	const struct diag *d = &c.diags.items[0];

	(void)state;
	assert_int_equal(c.diags.n, 1);
	assert_string_equal(d->file, "f");
	assert_int_equal(d->line, 3);
	assert_string_equal(d->reason, "unknown target \"FOO\"");
	assert_string_equal(d->rule, "-A FORWARD   -i $IF -j FOO");
	compiled_done(&c);
}

static void
running_out_of_memory_is_reported(void **state)
{
	static const char text[] = "[iptables]\n-A FORWARD -s 1.1.1.1 -j DROP\n";
	size_t limit = 0;
	int result;

	(void)state;
	do {
		struct arena *arena = arena_new(limit += 64);
		struct ruleset_file file;
		struct diags diags;

		diags_init(&diags);
		result = policy_compile(
			"f", text, sizeof(text) - 1, NULL, 0, arena, &file, &diags);
		assert_true(result == 0 || result == -ENOMEM);
		assert_int_equal(diags.n, 0);
		diags_done(&diags);
		arena_free(arena);
	} while (result < 0 && limit < 1 << 20);
	assert_int_equal(result, 0);
	assert_true(limit > 1024);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_public_files_compile_or_are_refused_by_name),
		cmocka_unit_test(lists_become_rules_in_the_order_written),
		cmocka_unit_test(rules_are_grouped_by_place),
		cmocka_unit_test(both_halves_share_one_text),
		cmocka_unit_test(hashes_are_of_the_meaning_and_the_text),
		cmocka_unit_test(an_empty_file_has_no_rules_and_no_hash),
		cmocka_unit_test(all_errors_of_a_file_are_reported_once_each),
		cmocka_unit_test(warnings_do_not_stop_a_file_and_are_given_once),
		cmocka_unit_test(problems_show_the_rule_as_written),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
