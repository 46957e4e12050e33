/*
 * test_identity.c - addresses of the interface table as candidates for the agent
 * address.
 */
#include "agent/identity.h"

#include <linux/if_addr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct iface_table table;
static struct settings settings;

static void
add_iface(uint32_t index, const char *name, unsigned flags, enum link_kind kind)
{
	struct link_msg msg = { .index = index, .flags = flags, .kind = kind };

	snprintf(msg.name, sizeof(msg.name), "%s", name);
	snprintf(msg.alias, sizeof(msg.alias), "alias of %s", name);
	assert_int_equal(iface_update(&table, &msg, NULL), 0);
}

static void
add_addr(uint32_t ifindex, const char *text, uint32_t flags)
{
	struct link_addr addr = { .ifindex = ifindex, .flags = flags };

	assert_int_equal(parse_addr(text, &addr.addr), 0);
	assert_int_equal(iface_addr_update(&table, &addr), 0);
}

static int
reset(void **state)
{
	(void)state;
	settings_init(&settings);
	iface_table_init(&table);
	add_iface(1, "lo", IFF_UP | IFF_LOOPBACK, LINK_KIND_NONE);
	add_iface(2, "eth0", IFF_UP, LINK_KIND_NONE);
	add_iface(3, "vlan7", IFF_UP, LINK_KIND_VLAN);
	return 0;
}

static int
release(void **state)
{
	(void)state;
	iface_table_done(&table);
	return 0;
}

static void
expect(const char *address, const char *name)
{
	struct agent_addr elected;
	struct parse_addr addr;

	assert_int_equal(identity_elect(&settings, &table, NULL, &elected), 0);
	assert_int_equal(parse_addr(address, &addr), 0);
	assert_int_equal(elected.addr.family, addr.family);
	assert_memory_equal(elected.addr.bytes, addr.bytes, sizeof(addr.bytes));
	assert_string_equal(elected.ifname, name);
}

static void
no_address_elects_none(void **state)
{
	struct agent_addr elected = { .addr.family = 2 };

	(void)state;
	assert_int_equal(identity_elect(&settings, &table, NULL, &elected), 0);
	assert_int_equal(elected.addr.family, 0);
}

static void
a_loopback_device_ranks_last(void **state)
{
	(void)state;
	add_addr(1, "192.0.2.1", IFA_F_PERMANENT);
	expect("192.0.2.1", "lo");
	add_addr(2, "10.0.0.1", IFA_F_PERMANENT);
	expect("10.0.0.1", "eth0");
}

static void
a_vlan_device_ranks_below_others(void **state)
{
	(void)state;
	add_addr(3, "192.0.2.1", IFA_F_PERMANENT);
	add_addr(2, "10.0.0.1", IFA_F_PERMANENT);
	expect("10.0.0.1", "eth0");
}

static void
a_tentative_address_is_not_ours_yet(void **state)
{
	(void)state;
	add_addr(2, "2001:db8::1", IFA_F_PERMANENT | IFA_F_TENTATIVE);
	add_addr(2, "fd00::1", IFA_F_PERMANENT);
	expect("fd00::1", "eth0");
	add_addr(
		2, "2001:db8::2", IFA_F_PERMANENT | IFA_F_TENTATIVE | IFA_F_OPTIMISTIC);
	expect("2001:db8::2", "eth0");
}

static void
a_permanent_address_is_preferred_to_an_automatic_one(void **state)
{
	(void)state;
	add_addr(2, "2001:db8::1", 0);
	add_addr(2, "2001:db8::2", IFA_F_PERMANENT);
	expect("2001:db8::2", "eth0");
}

static void
an_interface_is_preferred_by_its_alias(void **state)
{
	(void)state;
	add_addr(1, "192.0.2.1", IFA_F_PERMANENT);
	add_addr(2, "10.0.0.1", IFA_F_PERMANENT);
	settings.set |= SETTINGS_AGENT_DEVICE;
	snprintf(settings.agent_device, sizeof(settings.agent_device), "alias of lo");
	expect("192.0.2.1", "lo");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_address_elects_none, reset, release),
		cmocka_unit_test_setup_teardown(
			a_loopback_device_ranks_last, reset, release),
		cmocka_unit_test_setup_teardown(
			a_vlan_device_ranks_below_others, reset, release),
		cmocka_unit_test_setup_teardown(
			a_tentative_address_is_not_ours_yet, reset, release),
		cmocka_unit_test_setup_teardown(
			a_permanent_address_is_preferred_to_an_automatic_one, reset,
			release),
		cmocka_unit_test_setup_teardown(
			an_interface_is_preferred_by_its_alias, reset, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
