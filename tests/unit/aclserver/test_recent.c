/*
 * test_recent.c - -m recent as sets that packets write into.
 */
#include "compile_check.h"

#include <ctype.h>

#define SET "-A INPUT -m recent --set --name h\n"

/* Take the hashes out of @line. */
static void
drop_hashes(char *line)
{
	char *slash;

	while ((slash = strstr(line, "/h/")) && isxdigit((unsigned char)slash[3])) {
		slash[1] = '#';
		memmove(slash + 2, slash + 19, strlen(slash + 19) + 1);
	}
}

static void
check_recent(const char *rules, const char *expected)
{
	struct compiled c = compile("iptables", rules, 0);
	char *dump = compiled_dump(&c);

	assert_int_equal(c.result, 0);
	drop_hashes(dump);
	assert_string_equal(dump, expected);
	free(dump);
	compiled_done(&c);
}

static void
rules_write_into_every_set_that_one_asks_for(void **state)
{
	(void)state;
	check_recent(SET "-A INPUT -m recent --rcheck --seconds 60 --name h -j DROP",
		"inet/filter_input: l3proto == 0x0800; update @recent4/# ip saddr & "
		"0xffffffff; update @recent4/# ip saddr & 0xffffffff; counter\n"
		"inet/filter_input: l3proto == 0x0800; find @recent4/# ip saddr & "
		"0xffffffff; counter; drop\n");
	check_recent("-A INPUT -m recent ! --rcheck --seconds 60 --name h --rdest "
		     "--mask 255.0.0.0",
		"inet/filter_input: l3proto == 0x0800; miss @recent4/# ip daddr & "
		"0xff000000; counter\n");
	check_recent("-A INPUT -m recent --remove --name h -p tcp",
		"inet/filter_input: l3proto == 0x0800; l4proto == 6; find @recent4/# "
		"ip saddr & 0xffffffff; delete @recent4/# ip saddr & 0xffffffff; "
		"counter\n");
}

static void
hits_are_counted_by_a_rule_in_front(void **state)
{
	struct compiled c = compile("iptables",
		"-A INPUT -m recent --update --seconds 60 --hitcount 5 --name h -j "
		"DROP",
		0);
	char *dump = compiled_dump(&c);

	(void)state;
	assert_int_equal(c.result, 0);
	drop_hashes(dump);
	assert_string_equal(dump,
		"inet/filter_input: l3proto == 0x0800; find @recent4/# ip saddr & "
		"0xffffffff; add @recent4/# ip saddr & 0xffffffff limit over 1/604800s "
		"burst 4; update @recent4/# ip saddr & 0xffffffff\n"
		"inet/filter_input: l3proto == 0x0800; find @recent4/# ip saddr & "
		"0xffffffff; counter; drop\n");
	assert_false(c.file.rules[0].is_part);
	assert_true(c.file.rules[1].is_part);
	free(dump);
	compiled_done(&c);
}

static void
what_differs_from_iptables_is_said(void **state)
{
	(void)state;
	check_problems("iptables", "-A INPUT -m recent --rcheck --hitcount 2", 0,
		"2 warning: --hitcount counts from the first packet of --seconds on, "
		"and holds who reached it until as long after the last packet\n"
		"2 warning: an address is forgotten a day after it was last seen\n");
	check_problems("iptables", "-A INPUT -m recent --set --hitcount 2", 0,
		"2 warning: --seconds and --hitcount say nothing without --rcheck or "
		"--update\n");
}

static void
what_cannot_be_is_refused(void **state)
{
	(void)state;
	check_refused("iptables", "-A INPUT -m recent --name x",
		"-m recent needs one of --set, --rcheck, --update, --remove");
	check_refused("iptables", "-A INPUT -m recent --set --remove",
		"--set and --remove exclude each other");
	check_refused("iptables", "-A INPUT -m recent ! --update --seconds 5",
		"option --update cannot be inverted: nftables cannot write without a "
		"match");
	check_refused("iptables", "-A INPUT -m recent --rcheck --rttl",
		"option --rttl is not supported");
	check_refused("iptables", "-A INPUT -m recent --rcheck --reap",
		"option --reap needs --seconds");
	check_refused("iptables", "-A INPUT -m recent --rcheck --seconds 0",
		"--seconds \"0\": not a number from 1 to 31536000");
	check_refused("iptables", "-A INPUT -m recent --rcheck --hitcount 256",
		"--hitcount \"256\": not a number from 1 to 255");
	check_refused("iptables", "-A INPUT -m recent --set --rsource --rdest",
		"--rsource and --rdest exclude each other");
	check_refused("ip6tables", "-A INPUT -m recent --set --mask 255.0.0.0",
		"--mask \"255.0.0.0\": not a mask of this family");
	check_refused("iptables", "-A INPUT -m recent --set -m recent --remove",
		"more than one -m recent in a rule is not supported");
}

static void
a_table_is_asked_for_so_many_numbers_only(void **state)
{
	char rules[1024] = "";
	size_t len = 0;

	(void)state;
	for (int i = 1; i <= 9; i++)
		len += (size_t)snprintf(rules + len, sizeof(rules) - len,
			"-A INPUT -m recent --rcheck --seconds %d\n", i);
	check_problems("iptables", rules, 0,
		"10 the rules of one --name ask for more than 8 different --seconds "
		"and --hitcount\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_write_into_every_set_that_one_asks_for),
		cmocka_unit_test(hits_are_counted_by_a_rule_in_front),
		cmocka_unit_test(what_differs_from_iptables_is_said),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_table_is_asked_for_so_many_numbers_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
