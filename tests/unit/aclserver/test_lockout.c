/*
 * test_lockout.c - which ACLs cut off the server that they were sent to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/lockout.h"

/* One address to listen on, or several with blanks between them. */
static struct listen_list
listens(const char *text)
{
	struct listen_list list;
	struct err err;

	if (listen_list_parse(text, &list, &err) < 0)
		fail_msg("%s", err.text);
	return list;
}

static int
find_in(const char *text, const char *addresses)
{
	const struct listen_list list = listens(addresses);

	return lockout_find(text, strlen(text), &list);
}

static const char local[] = "127.0.0.1:8080";
static const char everywhere[] = "0.0.0.0:8080";
static const char local6[] = "[::1]:8443";

/* The line that is found in rules of [iptables], counted from the first of them. */
static int
find(const char *rules, const char *addresses)
{
	char text[1024] = "[iptables]\n";
	int line;

	assert_true(strlen(text) + strlen(rules) < sizeof(text));
	memcpy(text + strlen(text), rules, strlen(rules) + 1);
	line = find_in(text, addresses);
	return line > 0 ? line - 1 : 0;
}

static void
assert_all(const char *const *rules, const char *addresses, int expected)
{
	for (; *rules; rules++)
		if (find(*rules, addresses) != expected)
			fail_msg("%s: line %d", *rules, find(*rules, addresses));
}

static void
rules_that_drop_everything_at_the_loopback_are_found(void **state)
{
	static const char *const rules[] = { "-A INPUT -j DROP",
		"-A INPUT -p tcp -j DROP", "-A INPUT -i lo -j DROP",
		"-A INPUT -i l+ -j DROP", "-A INPUT ! -i eth0 -j DROP",
		"-A INPUT -p tcp --dport 8080 -j DROP",
		"-A INPUT -p tcp --dport 8000:9000 -j DROP",
		"-A INPUT -p tcp -m multiport --dports 22,8080 -j DROP",
		"-A INPUT -p tcp ! --dport 22 -j DROP", "-A INPUT -p tcp --syn -j DROP",
		"-A INPUT -d 127.0.0.0/8 -j DROP",
		"-A INPUT -p tcp --sport 8080 -j DROP",
		"-A OUTPUT -p tcp --sport 8080 -j DROP", "-A OUTPUT -o lo -j DROP",
		"-A INPUT -m state --state NEW -j DROP", "-A INPUT,FORWARD -j DROP",
		"-t mangle -A PREROUTING -j DROP",
		"-t mangle -A POSTROUTING -o lo -j DROP", NULL };

	(void)state;
	assert_all(rules, local, 1);
}

static void
rules_for_other_packets_are_not_found(void **state)
{
	static const char *const rules[] = { "-A FORWARD -j DROP",
		"-A INPUT -i swp1 -j DROP", "-A INPUT -p udp -j DROP",
		"-A INPUT -p tcp --dport 22 -j DROP", "-A INPUT -s 10.0.0.5 -j DROP",
		"-A INPUT ! -i lo -j DROP", "-A INPUT -j ACCEPT",
		"-A INPUT -m limit --limit 1/s -j DROP",
		"-A OUTPUT -o swp1 -p tcp --sport 8080 -j DROP",
		"-A INPUT -m state --state INVALID -j DROP",
		"-t mangle -A PREROUTING -i swp+ -j DROP", "", "nonsense INPUT", NULL };

	(void)state;
	assert_all(rules, local, 0);
}

static void
the_line_of_the_first_such_rule_is_told(void **state)
{
	(void)state;
	assert_int_equal(find("-A FORWARD -j DROP\n\n# INPUT\n-A INPUT -j DROP\n"
			      "-A INPUT -j DROP\n",
				 local),
		4);
}

static void
what_is_accepted_before_counts(void **state)
{
	(void)state;
	assert_int_equal(
		find("-A INPUT -i lo -j ACCEPT\n-A INPUT -j DROP\n", local), 0);
	assert_int_equal(
		find("-A INPUT -s 10.0.0.5 -j ACCEPT\n-A INPUT -j DROP\n", local), 2);
	/* The first packet of a connection is none of it yet. */
	assert_int_equal(find("-A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
			      "-A INPUT -j DROP\n",
				 local),
		2);
}

static void
remote_clients_have_other_interfaces_and_addresses(void **state)
{
	(void)state;
	assert_int_equal(
		find("-A INPUT -i lo -j ACCEPT\n-A INPUT -j DROP\n", everywhere), 2);
	assert_int_equal(find("-A INPUT -i lo -j ACCEPT\n"
			      "-A INPUT -p tcp --dport 8080 -j ACCEPT\n"
			      "-A INPUT -j DROP\n",
				 everywhere),
		0);
	assert_int_equal(
		find("-A INPUT -i eth0 -p tcp --dport 8080 -j DROP", everywhere), 0);
}

static void
what_the_front_passes_on_comes_by_the_loopback(void **state)
{
	static const char only_the_port[] =
		"-A INPUT -m state --state ESTABLISHED -j ACCEPT\n"
		"-A INPUT -p tcp --dport 8080 -j ACCEPT\n"
		"-A INPUT -j DROP\n";
	static const char loopback_too[] = "-A INPUT -i lo -j ACCEPT\n"
					   "-A INPUT -p tcp --dport 8080 -j ACCEPT\n"
					   "-A INPUT -j DROP\n";

	(void)state;
	assert_int_equal(find(only_the_port, local), 0);
	assert_int_equal(find(only_the_port, everywhere), 3);
	assert_int_equal(find(only_the_port, "192.0.2.1:8080"), 3);
	assert_int_equal(find(only_the_port, "[::1]:8080"), 3);
	assert_int_equal(find(loopback_too, everywhere), 0);
	assert_int_equal(find(loopback_too, "[::1]:8080"), 0);
}

static void
each_family_has_its_section(void **state)
{
	static const char four[] = "[iptables]\n-A INPUT -p tcp --dport 8443 -j DROP\n";
	static const char six[] = "[ip6tables]\n-A INPUT -d ::1 -j DROP\n";

	(void)state;
	assert_int_equal(find_in(four, local6), 0);
	assert_int_equal(find_in(six, local), 0);
	assert_int_equal(find_in(six, local6), 2);
}

static void
any_of_several_addresses_counts(void **state)
{
	static const char text[] =
		"[ip6tables]\n-A INPUT -p tcp --dport 8443 -j DROP\n";
	(void)state;
	assert_int_equal(find_in(text, local), 0);
	assert_int_equal(find_in(text, "127.0.0.1:8080 [::1]:8443"), 2);
}

static void
variables_of_the_text_count_and_unknown_ones_are_not_judged(void **state)
{
	static const char own[] = "HERE = INPUT\n[iptables]\n-A $HERE -j DROP\n";

	(void)state;
	assert_int_equal(find_in(own, local), 3);
	assert_int_equal(find("-A INPUT -i $ELSEWHERE -j DROP", local), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_drop_everything_at_the_loopback_are_found),
		cmocka_unit_test(rules_for_other_packets_are_not_found),
		cmocka_unit_test(the_line_of_the_first_such_rule_is_told),
		cmocka_unit_test(what_is_accepted_before_counts),
		cmocka_unit_test(remote_clients_have_other_interfaces_and_addresses),
		cmocka_unit_test(what_the_front_passes_on_comes_by_the_loopback),
		cmocka_unit_test(each_family_has_its_section),
		cmocka_unit_test(any_of_several_addresses_counts),
		cmocka_unit_test(
			variables_of_the_text_count_and_unknown_ones_are_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
