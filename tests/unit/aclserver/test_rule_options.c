/*
 * test_rule_options.c - how options may be written, and what is said of those that may
 * not.
 */
#include "compile_check.h"

static void
options_are_short_long_or_attached(void **state)
{
	static const char *const forms[] = {
		"-A INPUT -p tcp -i swp1 -j DROP",
		"-AINPUT -ptcp -iswp1 -jDROP",
		"--append INPUT --protocol tcp --in-interface swp1 --jump DROP",
		"--append=INPUT --proto=tcp --in-interface=swp1 --jump=DROP",
		"-j DROP -i swp1 -p tcp -t filter -A INPUT",
		"-A INPUT -p tcp -m tcp -i swp1 -j DROP",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_compiles("iptables", forms[i],
			"inet/filter_input: l3proto == 0x0800; l4proto == 6; iifname "
			"== swp1; counter; drop\n"
			"inet/filter_input: l3proto == 0x0800; l4proto == 6; port == "
			"swp1; counter; drop\n");
}

static void
values_may_stand_behind_equals_in_quotes(void **state)
{
	(void)state;
	check_match("iptables", "-m comment --comment=\"a b\" -m dscp --dscp=1",
		"ip dscp == 1", "-m comment --comment \"a b\" -m dscp --dscp 0x01");
	check_match(
		"iptables", "-m comment --comment=a=b", "", "-m comment --comment a=b");
	check_match(
		"iptables", "-m comment --comment=", "", "-m comment --comment \"\"");
}

static void
options_may_stand_before_what_loads_them(void **state)
{
	(void)state;
	check_match("iptables", "--dport 80 -p tcp", "l4proto == 6; th dport == 80",
		"-p tcp -m tcp --dport 80");
	check_match(
		"iptables", "--dscp 1 -m dscp", "ip dscp == 1", "-m dscp --dscp 0x01");
	check_match("iptables",
		"-p tcp --dport 80 -m multiport --sports 1,2 -m length --length 64",
		"l4proto == 6; th dport == 80; th sport in 1-2; ip length == 64",
		"-p tcp -m tcp --dport 80 -m multiport --sports 1,2 -m length --length "
		"64");
}

static void
the_nearest_module_before_an_option_has_it(void **state)
{
	(void)state;
	check_match("iptables",
		"-m dscp --dscp 1 -m dscp ! --dscp 2 -m length --length 3",
		"ip dscp == 1; ip dscp != 2; ip length == 3",
		"-m dscp --dscp 0x01 -m dscp ! --dscp 0x02 -m length --length 3");
	check_refused("iptables", "-A INPUT -m dscp --dscp 1 --dscp 2",
		"option --dscp is given twice");
}

static void
inversion_stands_before_option_or_value(void **state)
{
	(void)state;
	check_match(
		"iptables", "! -s 1.1.1.1", "ip saddr != 1.1.1.1", "! -s 1.1.1.1/32");
	check_match(
		"iptables", "-s ! 1.1.1.1", "ip saddr != 1.1.1.1", "! -s 1.1.1.1/32");
	check_match("iptables", "-m dscp --dscp ! 5", "ip dscp != 5",
		"-m dscp ! --dscp 0x05");
	check_refused("iptables", "-A INPUT ! -m dscp --dscp 1",
		"option -m cannot be inverted");
	check_refused("iptables", "-A INPUT ! -j DROP", "option -j cannot be inverted");
	check_refused("iptables", "-A INPUT -m comment --comment ! x",
		"option --comment cannot be inverted");
	check_refused("iptables", "-A INPUT ! ! -p tcp", "\"!\" twice in a row");
	check_refused("iptables", "-A INPUT -m dscp ! --dscp ! 1",
		"\"!\" twice with option --dscp");
	check_refused("iptables", "-A INPUT -p tcp !", "nothing behind \"!\"");
}

static void
abbreviations_are_refused_with_what_was_meant(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -p tcp --dpor 80",
		"unknown option \"--dpor\", did you mean \"--dport\"?");
	check_refused("iptables", "-A INPUT -p tcp --d 80", "unknown option \"--d\"");
	check_refused("iptables", "-A INPUT -p tcp --tcp-fl SYN SYN",
		"unknown option \"--tcp-fl\", did you mean \"--tcp-flags\"?");
	check_refused("iptables", "-A INPUT -j LOG --log-pre x",
		"unknown option \"--log-pre\", did you mean \"--log-prefix\"?");
	check_refused("iptables", "-A INPUT --dprt 80", "unknown option \"--dprt\"");
	check_refused("iptables", "-A INPUT -y", "unknown option \"-y\"");
	check_refused("iptables", "-A INPUT --", "unexpected argument \"--\"");
}

static void
missing_and_surplus_values_are_refused(void **state)
{
	(void)state;
	check_refused(
		"iptables", "-A INPUT -m dscp --dscp", "option --dscp needs a value");
	check_refused("iptables", "-A INPUT -p -j DROP", "option -p needs a value");
	check_refused("iptables", "-A INPUT -m -j DROP", "option -m needs a value");
	check_refused("iptables", "-A INPUT -p tcp tcp", "unexpected argument \"tcp\"");
	check_refused("iptables", "-A INPUT -f=1", "option -f takes no value");
	check_refused("iptables", "-A INPUT \"-p\" tcp", "unexpected argument \"-p\"");
}

static void
repeated_options_are_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -p tcp -p udp", "option -p is given twice");
	check_refused("iptables", "-A INPUT -p tcp --dport 1 --destination-port 2",
		"option --destination-port is given twice");
	check_refused("iptables", "-A INPUT -j DROP -j ACCEPT", "more than one target");
	check_refused(
		"iptables", "-t mangle -t filter -A INPUT", "option -t is given twice");
}

static void
tables_and_chains_are_checked(void **state)
{
	(void)state;
	check_refused("ip6tables", "-t raw -A PREROUTING -j DROP",
		"table raw is not supported yet");
	check_refused("iptables", "-t security -A INPUT -j DROP",
		"table security is not supported yet");
	check_refused("iptables", "-t foo -A INPUT -j DROP", "unknown table \"foo\"");
	check_refused("iptables", "-A PREROUTING -j DROP",
		"table filter has no chain \"PREROUTING\"; -t mangle has");
	check_refused("iptables", "-A mychain -j DROP",
		"table filter has no chain \"mychain\"");
}

static void
matches_that_cannot_be_used_are_refused_by_name(void **state)
{
	(void)state;
	check_refused(
		"iptables", "-A INPUT -m u32 --u32 x", "match u32 is not supported");
	check_refused("iptables", "-A INPUT -m foo", "unknown match \"foo\"");
	check_refused("iptables", "-A INPUT -g FOO", "option -g is not supported");
	check_refused("iptables", "-A INPUT -c 1 2", "option -c is not supported");
	check_refused("iptables", "-A INPUT \\",
		"unexpected argument \"\\\": a rule ends with its line");
}

/* A rule with @n times @option in it. */
static void
check_too_many(const char *option, size_t n, const char *reason)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "-A INPUT");
	for (size_t i = 0; i < n; i++)
		fprintf(out, " %s", option);
	fclose(out);
	check_refused("iptables", text, reason);
	free(text);
}

static void
limits_on_a_rule_have_reasons(void **state)
{
	(void)state;
	check_too_many(
		"-m comment --comment x", 32, "more than 30 matches in one rule");
	check_too_many("-m iprange --src-range 1.1.1.1 --dst-range 1.1.1.1", 17,
		"more than 32 tests in one rule");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_short_long_or_attached),
		cmocka_unit_test(values_may_stand_behind_equals_in_quotes),
		cmocka_unit_test(options_may_stand_before_what_loads_them),
		cmocka_unit_test(the_nearest_module_before_an_option_has_it),
		cmocka_unit_test(inversion_stands_before_option_or_value),
		cmocka_unit_test(abbreviations_are_refused_with_what_was_meant),
		cmocka_unit_test(missing_and_surplus_values_are_refused),
		cmocka_unit_test(repeated_options_are_refused),
		cmocka_unit_test(tables_and_chains_are_checked),
		cmocka_unit_test(matches_that_cannot_be_used_are_refused_by_name),
		cmocka_unit_test(limits_on_a_rule_have_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
