/*
 * test_strict_count.c - how many entries of hardware memory a policy takes.
 */
#include "aclserver/strict_count.h"

#include "compile_check.h"

/* Count the rules of a section. */
static struct strict_count
count_rules(struct compiled *c, const char *section, const char *rules)
{
	struct strict_count count = { 0 };

	*c = compile(section, rules, 0);
	assert_int_equal(c->result, 0);
	assert_int_equal(strict_count_add(&count, &c->file), 0);
	return count;
}

static void
check_count(const char *section, const char *rules, const size_t expected[3])
{
	struct compiled c;
	struct strict_count count = count_rules(&c, section, rules);

	assert_int_equal(count.ip_in, expected[0]);
	assert_int_equal(count.ip6_in, expected[1]);
	assert_int_equal(count.out, expected[2]);
	compiled_done(&c);
}

static void
each_simple_rule_takes_one_entry_of_its_side(void **state)
{
	(void)state;
	check_count("iptables", "-A FORWARD -i swp1,swp2 -s 1.1.1.1,1.1.1.2 -j DROP",
		(const size_t[]){ 4, 0, 0 });
	check_count("iptables", "-A FORWARD -i swp1 -o swp2 -j DROP",
		(const size_t[]){ 1, 0, 0 });
	check_count(
		"iptables", "-A FORWARD -o swp2 -j DROP", (const size_t[]){ 0, 0, 1 });
	check_count("iptables", "-t mangle -A POSTROUTING -j DROP",
		(const size_t[]){ 0, 0, 1 });
	check_count(
		"ip6tables", "-A INPUT,FORWARD -j DROP", (const size_t[]){ 0, 2, 0 });
	check_count("ebtables", "-A FORWARD -s 0:0:0:0:0:1 -j DROP",
		(const size_t[]){ 1, 0, 0 });
}

static void
lists_of_ports_take_one_for_each_element(void **state)
{
	(void)state;
	check_count("iptables",
		"-A FORWARD -p tcp -m multiport --dports 1050:1051,1055:1056 -j ACCEPT",
		(const size_t[]){ 2, 0, 0 });
	check_count("iptables",
		"-A FORWARD -p tcp -m multiport --sports 1,2,3 -m multiport --dports "
		"4,5 "
		"-j DROP",
		(const size_t[]){ 6, 0, 0 });
	check_count("iptables", "-A FORWARD -p tcp -m multiport --ports 1,2 -j DROP",
		(const size_t[]){ 4, 0, 0 });
}

static void
what_only_the_kernel_matches_takes_none(void **state)
{
	(void)state;
	check_count("iptables", "-A INPUT -p udp -m limit --limit 1/min -j LOG",
		(const size_t[]){ 0, 0, 0 });
}

static void
the_room_of_switches_is_compared(void **state)
{
	const struct strict_switch together = { "", 500, 0, 10, true };
	const struct strict_switch apart = { "", 500, 250, 0, false };
	struct strict_count count = { .ip_in = 400, .ip6_in = 100, .out = 10 };

	(void)state;
	assert_true(strict_count_fits(&count, &together));
	assert_true(strict_count_fits(&count, &apart));
	count.ip6_in = 101;
	assert_false(strict_count_fits(&count, &together));
	assert_true(strict_count_fits(&count, &apart));
	count.ip6_in = 251;
	assert_false(strict_count_fits(&count, &apart));
	count = (struct strict_count){ .out = 11 };
	assert_false(strict_count_fits(&count, &together));
}

static void
mirrors_are_counted_by_destination(void **state)
{
	struct compiled c;
	struct strict_count count = count_rules(&c, "iptables",
		"-A FORWARD -i swp1,swp2 -j SPAN --dport swp9\n"
		"-A FORWARD -i swp3 -j SPAN --dport swp91\n"
		"-A FORWARD -i swp1,swp2 -j ERSPAN --src-ip 1.1.1.1 --dst-ip 2.2.2.2\n"
		"-A FORWARD -i swp3 -j ERSPAN --src-ip 1.1.1.1 --dst-ip 2.2.2.3");

	(void)state;
	assert_int_equal(count.n_spans, 2);
	assert_int_equal(count.n_erspans, 2);
	assert_null(strict_count_mirrors(&count));
	count.n_spans = 9;
	assert_string_equal(
		strict_count_mirrors(&count), "strict: SPAN to more than 8 ports");
	count.n_spans = 8;
	count.n_erspans = 3;
	assert_non_null(strict_count_mirrors(&count));
	compiled_done(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_simple_rule_takes_one_entry_of_its_side),
		cmocka_unit_test(lists_of_ports_take_one_for_each_element),
		cmocka_unit_test(what_only_the_kernel_matches_takes_none),
		cmocka_unit_test(the_room_of_switches_is_compared),
		cmocka_unit_test(mirrors_are_counted_by_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
