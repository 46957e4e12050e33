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
	check_problems("iptables",
		"-A INPUT,FORWARD --in-interface swp+ -s 240.0.0.0/5,127.0.0.0/8 -j "
		"DROP\n"
		"-A FORWARD -i swp1s0,swp1s1 -o swp1s2,bond+ -p icmp -j ACCEPT\n"
		"-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix \"FW: \"\n"
		"-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
		"-A INPUT -i mgmt -p tcp --dport ssh -j ACCEPT",
		COMPILE_STRICT, "");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
