/*
 * test_iface.c - the interface table: what observers hear of each change.
 */
#include "agent/iface.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <linux/if.h>

#define GIGABIT UINT64_C(1000000000)

struct fixture {
	struct iface_table t;
	unsigned events;
	struct iface_event last;
	char old_name[IFNAMSIZ];
	char name[IFNAMSIZ]; /* when the event came */
	unsigned addr_events;
};

static void
on_event(const struct iface_event *event, void *user_data)
{
	struct fixture *f = user_data;

	f->events++;
	f->last = *event;
	snprintf(f->name, sizeof(f->name), "%s", event->iface->name);
	snprintf(f->old_name, sizeof(f->old_name), "%s",
		event->old_name ? event->old_name : "");
}

static void
on_addrs(void *user_data)
{
	((struct fixture *)user_data)->addr_events++;
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	iface_table_init(&f.t);
	assert_int_equal(iface_observe(&f.t, on_event, &f), 0);
	iface_on_addrs(&f.t, on_addrs, &f);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	iface_table_done(&f->t);
	return 0;
}

static struct link_msg
link_named(uint32_t index, const char *name)
{
	struct link_msg m = {
		.index = index,
		.flags = IFF_UP | IFF_RUNNING,
		.oper_state = IF_OPER_UP,
		.mtu = 1500,
	};

	snprintf(m.name, sizeof(m.name), "%s", name);
	return m;
}

static void
put(struct fixture *f, const struct link_msg *m)
{
	assert_int_equal(iface_update(&f->t, m, NULL), 0);
}

static void
new_interface_comes_with_its_speed(void **state)
{
	struct iface_speed speed = { GIGABIT, SFLOW_IF_DIRECTION_FULL_DUPLEX };
	struct link_msg m = link_named(7, "swp1");
	struct fixture *f = *state;

	assert_int_equal(iface_update(&f->t, &m, &speed), 0);
	assert_int_equal(f->events, 1);
	assert_int_equal(f->last.kind, IFACE_ADDED);
	assert_int_equal(f->last.iface->speed.bps, GIGABIT);
	assert_ptr_equal(iface_find(&f->t, 7), f->last.iface);
	assert_ptr_equal(iface_find_name(&f->t, "swp1"), f->last.iface);
	assert_true(f->last.iface->admin_up && f->last.iface->oper_up);
}

static void
same_again_is_no_event(void **state)
{
	struct link_msg m = link_named(7, "swp1");
	struct fixture *f = *state;

	put(f, &m);
	put(f, &m);
	assert_int_equal(f->events, 1);
}

static void
each_change_names_its_field(void **state)
{
	struct link_msg before = link_named(7, "swp1"), m = before;
	struct fixture *f = *state;

	put(f, &before);
	m.flags &= ~(unsigned)IFF_UP;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_ADMIN | IFACE_FIELD_FLAGS);
	m.oper_state = IF_OPER_DOWN;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_OPER);
	m.promiscuity = 1;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_FLAGS);
	m.has_mac = true;
	m.mac[5] = 1;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_MAC);
	m.mtu = 9000;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_MTU);
	m.master = 3;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_MASTER);
	assert_int_equal(f->last.old_master, 0);
	snprintf(m.alias, sizeof(m.alias), "uplink");
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_ALIAS);
	assert_string_equal(iface_find(&f->t, 7)->alias, "uplink");
	m.lower = 2;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_LOWER);
	m.vlan_id = 5;
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_KIND);
}

static void
renamed_interface_is_found_by_its_new_name_only(void **state)
{
	struct link_msg m = link_named(7, "eth0");
	struct fixture *f = *state;

	put(f, &m);
	m = link_named(7, "swp1");
	put(f, &m);
	assert_int_equal(f->last.fields, IFACE_FIELD_NAME);
	assert_string_equal(f->old_name, "eth0");
	assert_string_equal(f->name, "swp1");
	assert_null(iface_find_name(&f->t, "eth0"));
	assert_int_equal(iface_find_name(&f->t, "swp1")->index, 7);
}

static void
name_that_two_hold_after_a_lost_event_is_the_newer_ones(void **state)
{
	struct link_msg old = link_named(7, "swp1"), new = link_named(8, "swp1");
	struct fixture *f = *state;

	put(f, &old);
	put(f, &new);
	assert_int_equal(iface_find_name(&f->t, "swp1")->index, 8);
	iface_remove(&f->t, 7);
	assert_int_equal(iface_find_name(&f->t, "swp1")->index, 8);
}

static void
port_that_loses_its_speed_remembers_the_last_one(void **state)
{
	struct iface_speed speed = { GIGABIT, SFLOW_IF_DIRECTION_FULL_DUPLEX };
	struct iface_speed unknown = { 0, SFLOW_IF_DIRECTION_UNKNOWN };
	struct link_msg m = link_named(7, "swp1");
	struct fixture *f = *state;

	put(f, &m);
	iface_set_speed(&f->t, 7, &speed);
	assert_int_equal(f->last.fields, IFACE_FIELD_SPEED);
	iface_set_speed(&f->t, 7, &unknown);
	assert_int_equal(f->events, 3);
	assert_int_equal(iface_find(&f->t, 7)->speed.bps, 0);
	assert_int_equal(iface_find(&f->t, 7)->last_bps, GIGABIT);
	iface_set_speed(&f->t, 99, &speed);
	assert_int_equal(f->events, 3);
}

static void
removed_interface_is_shown_for_the_last_time(void **state)
{
	struct link_msg m = link_named(7, "swp1");
	struct fixture *f = *state;

	m.master = 3;
	put(f, &m);
	iface_remove(&f->t, 7);
	assert_int_equal(f->last.kind, IFACE_REMOVED);
	assert_int_equal(f->last.old_master, 3);
	assert_string_equal(f->name, "swp1");
	assert_null(iface_find(&f->t, 7));
	assert_null(iface_find_name(&f->t, "swp1"));
	assert_int_equal(f->t.n, 0);
	iface_remove(&f->t, 7);
	assert_int_equal(f->events, 2);
}

static void
what_a_dump_does_not_show_is_removed(void **state)
{
	struct fixture *f = *state;
	struct link_msg m;
	char name[IFNAMSIZ];

	for (uint32_t i = 1; i <= 5; i++) {
		snprintf(name, sizeof(name), "swp%u", i);
		m = link_named(i, name);
		put(f, &m);
	}
	iface_mark_unseen(&f->t);
	for (uint32_t i = 2; i <= 4; i += 2) {
		snprintf(name, sizeof(name), "swp%u", i);
		m = link_named(i, name);
		put(f, &m);
	}
	iface_remove_unseen(&f->t);
	assert_int_equal(f->events, 5 + 3);
	assert_int_equal(f->t.n, 2);
	assert_int_equal(f->t.first->index, 2);
	assert_int_equal(f->t.last->index, 4);
	assert_ptr_equal(f->t.first->next_all, f->t.last);
	assert_ptr_equal(f->t.last->prev_all, f->t.first);
}

static bool
is_even(const struct iface *i, void *user_data)
{
	return i->index % 2 == *(unsigned *)user_data;
}

static void
new_classifier_tells_of_those_that_it_sees_otherwise(void **state)
{
	struct link_msg a = link_named(4, "a"), b = link_named(5, "b");
	struct fixture *f = *state;
	unsigned remainder = 0;

	put(f, &a);
	put(f, &b);
	iface_classify(&f->t, is_even, &remainder);
	assert_int_equal(f->events, 3);
	assert_int_equal(f->last.fields, IFACE_FIELD_PORT);
	assert_int_equal(f->last.iface->index, 4);
	remainder = 1;
	iface_classify(&f->t, is_even, &remainder);
	assert_int_equal(f->events, 5);
	assert_false(iface_find(&f->t, 4)->is_switch_port);
	assert_true(iface_find(&f->t, 5)->is_switch_port);
}

static void
lag_is_known_by_its_members(void **state)
{
	struct link_msg port = link_named(4, "swp1"), other = link_named(5, "eth0");
	struct fixture *f = *state;
	unsigned remainder = 0;

	port.master = 9;
	other.master = 8;
	iface_classify(&f->t, is_even, &remainder);
	put(f, &port);
	put(f, &other);
	assert_true(iface_has_port_members(&f->t, 9));
	assert_false(iface_has_port_members(&f->t, 8));
}

static void
unknown_state_counts_as_up_while_it_runs(void **state)
{
	struct link_msg m = link_named(1, "lo");
	struct fixture *f = *state;

	m.oper_state = IF_OPER_UNKNOWN;
	put(f, &m);
	assert_true(iface_find(&f->t, 1)->oper_up);
	m.flags = IFF_UP;
	put(f, &m);
	assert_false(iface_find(&f->t, 1)->oper_up);
}

static void
table_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct link_msg m;
	char name[IFNAMSIZ];

	for (uint32_t i = 1; i <= IFACE_MAX; i++) {
		snprintf(name, sizeof(name), "if%u", i);
		m = link_named(i, name);
		put(f, &m);
	}
	m = link_named(IFACE_MAX + 1, "more");
	assert_int_equal(iface_update(&f->t, &m, NULL), -ENOSPC);
	assert_int_equal(f->t.refused, 1);
	assert_int_equal(f->t.n, IFACE_MAX);
	assert_int_equal(iface_find_name(&f->t, "if777")->index, 777);
}

static struct link_addr
addr_of(uint32_t ifindex, uint8_t last)
{
	return (struct link_addr){
		.ifindex = ifindex,
		.addr = { AF_INET, { 10, 0, 0, last }, 24 },
	};
}

static void
addresses_tell_of_news_only(void **state)
{
	struct link_addr a = addr_of(7, 1), b = addr_of(7, 2), c = addr_of(8, 1);
	struct fixture *f = *state;

	assert_int_equal(iface_addr_update(&f->t, &a), 0);
	assert_int_equal(iface_addr_update(&f->t, &a), 0);
	assert_int_equal(f->addr_events, 1);
	assert_int_equal(iface_addr_update(&f->t, &b), 0);
	assert_int_equal(iface_addr_update(&f->t, &c), 0);
	assert_int_equal(f->addr_events, 3);
	a.flags = 1;
	assert_int_equal(iface_addr_update(&f->t, &a), 0);
	assert_int_equal(f->addr_events, 4);
	assert_int_equal(f->t.n_addrs, 3);
	assert_int_equal(f->t.addrs[0].flags, 1);
	iface_addr_remove(&f->t, &b);
	iface_addr_remove(&f->t, &b);
	assert_int_equal(f->addr_events, 5);
	assert_int_equal(f->t.n_addrs, 2);
	assert_int_equal(f->t.addrs[1].ifindex, 8);
}

static void
addresses_go_with_their_interface(void **state)
{
	struct link_addr a = addr_of(7, 1), b = addr_of(8, 2);
	struct link_msg m = link_named(7, "swp1");
	struct fixture *f = *state;

	put(f, &m);
	assert_int_equal(iface_addr_update(&f->t, &a), 0);
	assert_int_equal(iface_addr_update(&f->t, &b), 0);
	iface_remove(&f->t, 7);
	assert_int_equal(f->t.n_addrs, 1);
	assert_int_equal(f->t.addrs[0].ifindex, 8);
	assert_int_equal(f->addr_events, 3);
}

static void
dump_of_addresses_replaces_all(void **state)
{
	struct link_addr a = addr_of(7, 1), many[IFACE_ADDRS_MAX + 1];
	struct fixture *f = *state;

	assert_int_equal(iface_addr_update(&f->t, &a), 0);
	for (uint32_t i = 0; i <= IFACE_ADDRS_MAX; i++)
		many[i] = addr_of(i, 9);
	assert_int_equal(iface_addr_replace(&f->t, many, IFACE_ADDRS_MAX + 1), -ENOSPC);
	assert_int_equal(f->t.n_addrs, 1);
	assert_int_equal(iface_addr_replace(&f->t, many, IFACE_ADDRS_MAX), 0);
	assert_int_equal(f->t.n_addrs, IFACE_ADDRS_MAX);
	assert_int_equal(iface_addr_update(&f->t, &a), -ENOSPC);
	assert_int_equal(iface_addr_replace(&f->t, NULL, 0), 0);
	assert_int_equal(f->t.n_addrs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_interface_comes_with_its_speed),
		TEST(same_again_is_no_event),
		TEST(each_change_names_its_field),
		TEST(renamed_interface_is_found_by_its_new_name_only),
		TEST(name_that_two_hold_after_a_lost_event_is_the_newer_ones),
		TEST(port_that_loses_its_speed_remembers_the_last_one),
		TEST(removed_interface_is_shown_for_the_last_time),
		TEST(what_a_dump_does_not_show_is_removed),
		TEST(new_classifier_tells_of_those_that_it_sees_otherwise),
		TEST(lag_is_known_by_its_members),
		TEST(unknown_state_counts_as_up_while_it_runs),
		TEST(table_is_bounded),
		TEST(addresses_tell_of_news_only),
		TEST(addresses_go_with_their_interface),
		TEST(dump_of_addresses_replaces_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
