/*
 * test_placement.c - the whole placement table, and the facts on our base chains.
 */
#include "aclserver/placement.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include <linux/netfilter.h>

#include "aclserver/ruleset_dump.h"

/* Places as "family/base family/base". */
static void
check_places(enum policy_section section, const char *table, const char *chain,
	const char *expected)
{
	struct placement_query query = { section, table, chain };
	enum place places[PLACES_MAX];
	int n = placement_find(&query, places);
	char text[256] = "";
	size_t len = 0;

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		char name[64];

		ruleset_dump_place(places[i], name, sizeof(name));
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", i ? " " : "", name);
	}
	assert_string_equal(text, expected);
}

static void
ip_rules_are_placed_where_their_packets_pass(void **state)
{
	static const struct {
		const char *table, *chain;
		const char *places;
	} rows[] = {
		{ "filter", "INPUT", "inet/filter_input netdev/port_in" },
		{ "filter", "FORWARD",
			"inet/filter_forward bridge/filter_forward netdev/port_in "
			"netdev/port_out inet/filter_state bridge/filter_routed" },
		{ "filter", "OUTPUT", "inet/filter_output" },
		{ "mangle", "PREROUTING",
			"inet/mangle_prerouting bridge/mangle_prerouting "
			"netdev/port_in" },
		{ "mangle", "INPUT", "inet/mangle_input netdev/port_in" },
		{ "mangle", "FORWARD",
			"inet/mangle_forward bridge/mangle_forward netdev/port_in "
			"netdev/port_out inet/mangle_state bridge/mangle_routed" },
		{ "mangle", "OUTPUT", "inet/mangle_output" },
		{ "mangle", "POSTROUTING",
			"inet/mangle_postrouting bridge/mangle_postrouting "
			"netdev/port_out" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int section = POLICY_SECTION_IPTABLES;
			section <= POLICY_SECTION_IP6TABLES; section++)
			check_places((enum policy_section)section, rows[i].table,
				rows[i].chain, rows[i].places);
}

static void
ebtables_rules_come_behind_ip_rules_in_the_bridge(void **state)
{
	(void)state;
	check_places(POLICY_SECTION_EBTABLES, "filter", "INPUT",
		"bridge/mark_prerouting eb bridge/filter_input eb");
	check_places(POLICY_SECTION_EBTABLES, "filter", "FORWARD",
		"bridge/mark_prerouting eb bridge/mark_forward eb "
		"bridge/filter_forward eb");
	check_places(
		POLICY_SECTION_EBTABLES, "filter", "OUTPUT", "bridge/filter_output eb");
	assert_true(PLACE_GROUP_EB > PLACE_GROUP_IP);
}

static int
find(enum policy_section section, const char *table, const char *chain)
{
	struct placement_query query = { section, table, chain };
	enum place places[PLACES_MAX];

	return placement_find(&query, places);
}

static void
unknown_tables_chains_and_pairs_have_their_own_errors(void **state)
{
	(void)state;
	assert_int_equal(find(POLICY_SECTION_IPTABLES, "nat", "FORWARD"), -ECHRNG);
	assert_int_equal(find(POLICY_SECTION_IP6TABLES, "raw", "OUTPUT"), -ENOTSUP);
	assert_int_equal(find(POLICY_SECTION_IPTABLES, "security", "INPUT"), -ENOTSUP);
	assert_int_equal(find(POLICY_SECTION_EBTABLES, "nat", "INPUT"), -ECHRNG);
	assert_int_equal(find(POLICY_SECTION_EBTABLES, "broute", "BROUTING"), -ENOTSUP);
	assert_int_equal(find(POLICY_SECTION_EBTABLES, "mangle", "FORWARD"), -ENOENT);
	assert_int_equal(find(POLICY_SECTION_IPTABLES, "Filter", "FORWARD"), -ENOENT);
	assert_int_equal(find(POLICY_SECTION_IPTABLES, "filter", "forward"), -ECHRNG);
	assert_int_equal(
		find(POLICY_SECTION_IPTABLES, "filter", "PREROUTING"), -ECHRNG);
	assert_int_equal(
		find(POLICY_SECTION_EBTABLES, "filter", "PREROUTING"), -ECHRNG);
}

static void
mangle_comes_before_filter_on_every_hook(void **state)
{
	(void)state;
	for (int a = 0; a < BASE_COUNT; a++)
		for (int b = 0; b < BASE_COUNT; b++) {
			const struct base_info *x = base_info((enum base)a);
			const struct base_info *y = base_info((enum base)b);

			if (x->family != y->family || x->hook != y->hook || a == b ||
				x->family == NFPROTO_NETDEV)
				continue;
			assert_string_not_equal(x->name, y->name);
			if (strncmp(x->name, "mangle", 6) == 0 &&
				strncmp(y->name, "filter", 6) == 0)
				assert_true(x->priority < y->priority);
			if (strncmp(x->name, "mark", 4) == 0 &&
				strncmp(y->name, "nat", 3) != 0)
				assert_true(x->priority < y->priority);
		}
}

static void
every_base_has_a_name_and_a_type(void **state)
{
	(void)state;
	for (int i = 0; i < BASE_COUNT; i++) {
		const struct base_info *info = base_info((enum base)i);

		assert_non_null(info->name);
		assert_non_null(info->type);
		assert_true(info->family == NFPROTO_INET ||
			    info->family == NFPROTO_BRIDGE ||
			    info->family == NFPROTO_NETDEV);
		assert_int_equal(
			place_base(place_make((enum base)i, PLACE_GROUP_EB)), i);
		assert_int_equal(place_group(place_make((enum base)i, PLACE_GROUP_EB)),
			PLACE_GROUP_EB);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_rules_are_placed_where_their_packets_pass),
		cmocka_unit_test(ebtables_rules_come_behind_ip_rules_in_the_bridge),
		cmocka_unit_test(unknown_tables_chains_and_pairs_have_their_own_errors),
		cmocka_unit_test(mangle_comes_before_filter_on_every_hook),
		cmocka_unit_test(every_base_has_a_name_and_a_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
