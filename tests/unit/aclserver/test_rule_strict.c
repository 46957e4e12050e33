/*
 * test_rule_strict.c - what --strict refuses is accepted without it.
 */
#include "compile_check.h"

/* @rule is an error only with COMPILE_STRICT. */
static void
check_strict(const char *section, const char *rule, const char *reason)
{
	struct compiled c = compile(section, rule, 0);
	char *problems;

	assert_int_equal(c.result, 0);
	compiled_done(&c);
	assert_true(asprintf(&problems, "2 strict: %s\n", reason) > 0);
	check_problems(section, rule, COMPILE_STRICT, problems);
	free(problems);
}

static void
inversion_is_refused(void **state)
{
	(void)state;
	check_strict("iptables", "-A FORWARD ! -s 10.0.0.1 -j DROP",
		"inverted matches are not supported by the hardware (! -s)");
	check_strict("iptables", "-A FORWARD -p tcp ! --syn -j DROP",
		"inverted matches are not supported by the hardware (! --syn)");
	check_strict("ebtables", "-A FORWARD ! -d BGA -j DROP",
		"inverted matches are not supported by the hardware (! -d)");
}

static void
wildcards_other_than_those_of_switch_ports_are_refused(void **state)
{
	(void)state;
	check_strict("iptables", "-A FORWARD -i vlan+ -j DROP",
		"interface \"vlan+\": the only wildcards are swp+ and bond+");
	check_strict("iptables", "-A FORWARD -o swp1+ -j DROP",
		"interface \"swp1+\": the only wildcards are swp+ and bond+");
	check_strict("iptables", "-A INPUT -i eth0 -j DROP",
		"interface \"eth0\": rules on Ethernet ports that are not switch ports "
		"are not put into the hardware");
}

static void
matches_of_the_kernel_are_for_input(void **state)
{
	(void)state;
	check_strict("iptables", "-A FORWARD -m limit --limit 1/s -j ACCEPT",
		"match limit is supported in chain INPUT only");
	check_strict("iptables", "-A OUTPUT -m state --state NEW -j ACCEPT",
		"match state is supported in chain INPUT only");
	check_strict("iptables", "-A INPUT -m length --length 64 -j ACCEPT",
		"match length is not supported by the hardware");
	check_strict("iptables", "-A INPUT -m iprange --src-range 1.1.1.1-1.1.1.2",
		"match iprange is not supported by the hardware");
}

static void
rules_of_the_documents_pass(void **state)
{
	(void)state;
	check_problems("ebtables",
		"-A FORWARD -o swp5 -j setqos --set-cos 4\n"
		"-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102\n"
		"-A INPUT -p ARP -j police --set-mode pkt --set-rate 400 --set-burst "
		"100",
		COMPILE_STRICT, "");
	check_problems("iptables",
		"-A INPUT,FORWARD --in-interface swp+ -s 240.0.0.0/5,127.0.0.0/8 -j "
		"DROP\n"
		"-A FORWARD -i swp1s0,swp1s1 -o swp1s2,bond+ -p icmp -j ACCEPT\n"
		"-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix \"FW: \"\n"
		"-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
		"-A INPUT -i mgmt -p tcp --dport ssh -j ACCEPT\n"
		"-A INPUT -p tcp --syn -m tcpmss ! --mss 536:65535 -j DROP\n"
		"-A FORWARD -p tcp -m ecn ! --ecn-tcp-ece -j ACCEPT\n"
		"-A FORWARD -i swp1 -o swp2 -p tcp --dport 1:2 -j DROP\n"
		"-A FORWARD -m mark --mark 102 -j SETCLASS --class 2\n"
		"-A FORWARD -i swp4 -j SPAN --dport swp19",
		COMPILE_STRICT, "");
}

/* Each row: section, rule, what --strict says of it. */
static const char *const refused[][3] = {
	{ "iptables", "-t mangle -A INPUT -j DROP",
		"chain INPUT of table mangle is not supported by the hardware" },
	{ "iptables", "-t nat -A OUTPUT -p tcp -j DNAT --to-destination 1.1.1.1",
		"chain OUTPUT of table nat is not supported by the hardware" },
	{ "iptables", "-A FORWARD -i vlan10 -o vlan20 -j DROP",
		"-i and -o cannot both be VLAN interfaces in the hardware" },
	{ "iptables", "-A FORWARD -o swp49s1.100 -j DROP",
		"interface \"swp49s1.100\": the hardware matches no sub-interface as "
		"-o; name its parent" },
	{ "iptables", "-A FORWARD -o swp1 -p tcp -m multiport --dports 1:2 -j DROP",
		"ranges of ports are for ingress rules only (--dports)" },
	{ "iptables", "-t mangle -A POSTROUTING -o swp1 -p udp --sport 1:2 -j DROP",
		"ranges of ports are for ingress rules only (--sport)" },
	{ "iptables", "-A FORWARD -m mark --mark 0x66/0xff -j DROP",
		"marks have no mask in the hardware (--mark)" },
	{ "iptables", "-A FORWARD -m mark --mark 4197 -j DROP",
		"marks of the hardware are 101 to 4196 (4197)" },
	{ "ebtables", "-A FORWARD -j mark --mark-set 5000",
		"marks of the hardware are 101 to 4196 (5000)" },
	{ "ebtables", "-A FORWARD -j mark --mark-or 0x100",
		"option --mark-or is not supported by the hardware" },
	{ "ebtables", "-A FORWARD -p LENGTH -j DROP",
		"frames without an EtherType are not known to the hardware (-p "
		"LENGTH)" },
	{ "ebtables", "-A FORWARD -p ARP --arp-op Request -j DROP",
		"match arp is not supported by the hardware" },
	{ "ebtables", "-A FORWARD --logical-in br0 -j DROP",
		"option --logical-in is not supported by the hardware" },
	{ "ebtables", "-A FORWARD -p IPv4 --ip-proto icmp --ip-icmp-type 8 -j DROP",
		"option --ip-icmp-type is not supported by the hardware" },
	{ "ebtables", "-A FORWARD -i swp1 -j setqos --set-cos 4",
		"target setqos needs chain FORWARD and a switch port (-o swp1)" },
	{ "iptables", "-A FORWARD -p sctp --dport 5 -j DROP",
		"match sctp is not supported by the hardware" },
	{ "iptables", "-A INPUT -j LOG --log-uid",
		"option --log-uid is not supported by the hardware" },
	{ "iptables", "-A INPUT -j LOG --log-ip-options",
		"option --log-ip-options is not supported by the hardware" },
	{ "iptables", "-A INPUT -j NFLOG",
		"target NFLOG is not supported by the hardware" },
	{ "iptables",
		"-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.1.1.1 --random",
		"option --random is not supported by the hardware" },
	{ "ip6tables", "-A FORWARD -i swp1 -j SPAN --dport swp2",
		"target SPAN is for [iptables] only" },
	{ "iptables",
		"-t mangle -A FORWARD -j TRICOLORPOLICE --set-color-mode blind "
		"--set-cir 3000 --set-cbs 500 --set-pir 10000 --set-ebs 1500 "
		"--set-violate-action drop",
		"target TRICOLORPOLICE is for table filter only" },
};

static void
what_no_switch_takes_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check_strict(refused[i][0], refused[i][1], refused[i][2]);
}

static void
what_is_logged_has_to_be_dropped(void **state)
{
	static const char reason[] = "2 strict: the hardware logs only what it drops: "
				     "the same rule with -j DROP has to follow\n";
	static const char *const bad[] = {
		"-A FORWARD -i swp1 -p tcp -j LOG",
		"-A FORWARD -i swp1 -p tcp -j LOG\n-A FORWARD -i swp1 -j DROP",
		"-A FORWARD -i swp1 -p tcp -j LOG\n-A FORWARD -i swp1 -p tcp -s "
		"1.1.1.1 "
		"-j DROP",
		"-A FORWARD -i swp1 -p tcp -j LOG\n-A FORWARD -i swp1 -p tcp -j ACCEPT",
		"-A INPUT,FORWARD -i swp1 -j LOG",
	};
	static const char *const good[] = {
		"-A FORWARD -i swp1 -p tcp -j LOG --log-prefix \"a b\"\n"
		"-A FORWARD -i swp1 -p tcp -j DROP",
		"-A INPUT,FORWARD -i swp1,swp2 -j LOG\n-A INPUT,FORWARD -i swp1,swp2 "
		"-j "
		"DROP",
		"-A FORWARD -j LOG --log-level 3 -i swp1\n-A FORWARD -i swp1 -j DROP",
		"-A INPUT -p tcp -j LOG",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_problems("iptables", bad[i], COMPILE_STRICT, reason);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_problems("iptables", good[i], COMPILE_STRICT, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inversion_is_refused),
		cmocka_unit_test(
			wildcards_other_than_those_of_switch_ports_are_refused),
		cmocka_unit_test(matches_of_the_kernel_are_for_input),
		cmocka_unit_test(rules_of_the_documents_pass),
		cmocka_unit_test(what_no_switch_takes_is_refused),
		cmocka_unit_test(what_is_logged_has_to_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
