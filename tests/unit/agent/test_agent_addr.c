/*
 * test_agent_addr.c - election of the agent address.
 */
#include "agent/agent_addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct settings settings;
static struct agent_addr_candidate all[16];
static size_t n;
static struct agent_addr current;

static int
reset(void **state)
{
	(void)state;
	settings_init(&settings);
	n = 0;
	current = (struct agent_addr){ 0 };
	return 0;
}

static struct agent_addr_candidate *
add(const char *ifname, uint32_t ifindex, const char *addr)
{
	struct agent_addr_candidate *c = &all[n++];

	*c = (struct agent_addr_candidate){ .ifname = ifname, .ifindex = ifindex };
	assert_int_equal(parse_addr(addr, &c->addr), 0);
	c->loopback = strcmp(ifname, "lo") == 0;
	c->vlan = strchr(ifname, '.') != NULL;
	return c;
}

/* Elect, keep as current, and return the address as text; "-" = none. */
static const char *
elect(void)
{
	static char text[INET6_ADDRSTRLEN];

	current = agent_addr_elect(&settings, all, n, &current);
	if (!current.addr.family)
		return "-";
	return inet_ntop(current.addr.family, current.addr.bytes, text, sizeof(text));
}

static void
set(const char *key, const char *value)
{
	assert_in_range(settings_put(&settings, key, value, NULL), 0, 1);
}

static void
better_classes_win_one_by_one(void **state)
{
	/* From the worst to the best; each newcomer must win without a current. */
	static const struct {
		const char *ifname, *addr;
	} classes[] = {
		{ "eth0", "240.0.0.1" },
		{ "lo", "::1" },
		{ "lo", "10.255.0.1" },
		{ "eth0", "169.254.1.1" },
		{ "eth0", "fe80::1" },
		{ "eth0.7", "2001:db8::7" },
		{ "eth0.7", "203.0.113.7" },
		{ "eth0", "fd00::1" },
		{ "eth0", "2001:db8::1" },
		{ "eth0", "172.31.255.255" },
		{ "eth0", "203.0.113.1" },
	};

	(void)state;
	add("eth0", 1, "224.0.0.1");
	add("eth0", 1, "ff02::1");
	assert_string_equal(elect(), "-");
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		add(classes[i].ifname, 2, classes[i].addr);
		current = (struct agent_addr){ 0 };
		assert_string_equal(elect(), classes[i].addr);
	}
}

static void
an_address_in_use_stays_while_it_exists(void **state)
{
	(void)state;
	add("eth1", 3, "2001:db8::1");
	assert_string_equal(elect(), "2001:db8::1");
	add("eth0", 2, "203.0.113.1");
	assert_string_equal(elect(), "2001:db8::1");
	all[0] = all[1];
	n = 1;
	assert_string_equal(elect(), "203.0.113.1");
	n = 0;
	assert_string_equal(elect(), "-");
}

static void
a_stop_gap_gives_way(void **state)
{
	(void)state;
	add("lo", 1, "127.0.0.1");
	assert_string_equal(elect(), "127.0.0.1");
	add("eth0", 2, "fe80::1");
	assert_string_equal(elect(), "fe80::1");
	add("eth0", 2, "10.1.1.1");
	assert_string_equal(elect(), "10.1.1.1");
}

static void
what_the_configuration_prefers_displaces_what_is_in_use(void **state)
{
	(void)state;
	set("agent.cidr", "10.255.0.0/16");
	add("eth0", 2, "203.0.113.1");
	assert_string_equal(elect(), "203.0.113.1");
	add("lo", 1, "10.255.0.1");
	assert_string_equal(elect(), "10.255.0.1");
}

static void
earlier_cidr_lines_outrank_later_ones_and_the_last_match_counts(void **state)
{
	(void)state;
	set("agent.cidr", "10.1.0.0/16");
	set("agent.cidr", "10.2.0.0/16");
	add("eth0", 2, "203.0.113.1");
	add("eth0", 2, "10.2.0.1");
	add("eth0", 2, "10.1.0.1");
	assert_string_equal(elect(), "10.1.0.1");
	set("agent.cidr", "!10.1.0.0/24"); /* later line: 10.1.0.1 is never taken */
	assert_string_equal(elect(), "10.2.0.1");
}

static void
avoided_networks_are_never_elected(void **state)
{
	(void)state;
	set("agent.cidr", "!0.0.0.0/0");
	add("eth0", 2, "203.0.113.1");
	assert_string_equal(elect(), "-");
	add("eth0", 2, "fe80::1");
	assert_string_equal(elect(), "fe80::1");
}

static void
the_agent_device_is_preferred_by_name_or_alias_but_not_required(void **state)
{
	(void)state;
	set("agent", "mgmt");
	add("eth0", 2, "203.0.113.1");
	assert_string_equal(elect(), "203.0.113.1");
	add("mgmt", 9, "fe80::9");
	assert_string_equal(elect(), "fe80::9");
	n = 1;
	add("eth5", 5, "10.5.5.5")->alias = "mgmt";
	assert_string_equal(elect(), "10.5.5.5");
	assert_string_equal(current.ifname, "eth5");
}

static void
agent_ip_wins_even_if_it_is_nowhere(void **state)
{
	(void)state;
	set("agentIP", "198.51.100.1");
	add("eth0", 2, "203.0.113.1");
	assert_string_equal(elect(), "198.51.100.1");
	assert_true(current.configured);
	assert_string_equal(current.ifname, "");
	add("eth1", 3, "198.51.100.1");
	elect();
	assert_string_equal(current.ifname, "eth1");
}

static void
ties_go_to_stable_addresses_then_to_the_lowest_ifindex(void **state)
{
	(void)state;
	add("eth0", 2, "2001:db8::2")->autoconf = true;
	add("eth9", 9, "2001:db8::9");
	add("eth5", 5, "2001:db8::5");
	assert_string_equal(elect(), "2001:db8::5");
}

static void
tentative_addresses_are_not_ours_yet(void **state)
{
	(void)state;
	add("eth0", 2, "2001:db8::2")->unusable = true;
	assert_string_equal(elect(), "-");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(better_classes_win_one_by_one, reset),
		cmocka_unit_test_setup(an_address_in_use_stays_while_it_exists, reset),
		cmocka_unit_test_setup(a_stop_gap_gives_way, reset),
		cmocka_unit_test_setup(
			what_the_configuration_prefers_displaces_what_is_in_use, reset),
		cmocka_unit_test_setup(
			earlier_cidr_lines_outrank_later_ones_and_the_last_match_counts,
			reset),
		cmocka_unit_test_setup(avoided_networks_are_never_elected, reset),
		cmocka_unit_test_setup(
			the_agent_device_is_preferred_by_name_or_alias_but_not_required,
			reset),
		cmocka_unit_test_setup(agent_ip_wins_even_if_it_is_nowhere, reset),
		cmocka_unit_test_setup(
			ties_go_to_stable_addresses_then_to_the_lowest_ifindex, reset),
		cmocka_unit_test_setup(tentative_addresses_are_not_ours_yet, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
