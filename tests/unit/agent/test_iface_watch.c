/*
 * test_iface_watch.c - the interface table follows the kernel: events, speeds, overrun.
 * In a network namespace of the test's own; the ip tool makes the changes.
 */
#include "agent/iface_watch.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { SKIP = 77, DEADLINE_MS = 5000, MANY = 512, TINY_BYTES = 4096 };

struct fixture {
	struct loop *loop;
	struct iface_table t;
	struct iface_watch *watch;
	struct err err;
	unsigned added, changed, removed;
	uint64_t added_bps; /* speed that the last new interface came with */
	char old_name[IFNAMSIZ];
};

static void
on_event(const struct iface_event *event, void *user_data)
{
	struct fixture *f = user_data;

	f->added += event->kind == IFACE_ADDED;
	f->changed += event->kind == IFACE_CHANGED;
	f->removed += event->kind == IFACE_REMOVED;
	if (event->kind == IFACE_ADDED)
		f->added_bps = event->iface->speed.bps;
	if (event->fields & IFACE_FIELD_NAME)
		snprintf(f->old_name, sizeof(f->old_name), "%s", event->old_name);
}

static void
ip(const char *arguments)
{
	char command[256];
	int status;

	snprintf(command, sizeof(command), "ip %s", arguments);
	status = system(command);
	if (status != 0)
		print_error("%s: status %d\n", command, status);
	assert_int_equal(status, 0);
}

static void
start(struct fixture *f, size_t receive_bytes)
{
	struct iface_watch_options o = { .receive_bytes = receive_bytes };

	f->watch = iface_watch_start(f->loop, &f->t, &o, &f->err);
	if (!f->watch)
		print_error("%s\n", f->err.text);
	assert_non_null(f->watch);
	assert_int_equal(iface_observe(&f->t, on_event, f), 0);
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	iface_table_init(&f.t);
	f.loop = loop_new();
	assert_non_null(f.loop);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	iface_watch_stop(f->watch);
	iface_table_done(&f->t);
	loop_free(f->loop);
	return 0;
}

/* Run the loop until something holds; the kernel reports carrier and IPv6 addresses
 * from a work queue of its own. */
#define WAIT_UNTIL(f, condition)                                                       \
	do {                                                                           \
		struct mono deadline_ = mono_add_ms(mono_now(), DEADLINE_MS);          \
                                                                                       \
		while (!(condition) && mono_before(mono_now(), deadline_))             \
			assert_true(loop_turn((f)->loop, 100) >= 0);                   \
		assert_true(condition);                                                \
	} while (0)

static void
what_is_there_already_is_in_the_table(void **state)
{
	struct fixture *f = *state;
	const struct iface *i;

	ip("link set lo up");
	ip("link add swp1 mtu 9000 type veth peer name host1");
	ip("link set swp1 alias uplink");
	ip("link set swp1 up");
	ip("addr add 192.0.2.1/24 dev swp1");
	start(f, 0);
	i = iface_find_name(&f->t, "swp1");
	assert_non_null(i);
	assert_int_equal(i->kind, LINK_KIND_VETH);
	assert_int_equal(i->mtu, 9000);
	assert_string_equal(i->alias, "uplink");
	assert_true(i->admin_up);
	WAIT_UNTIL(f, !i->oper_up);
	assert_int_equal(i->lower, 0);
	assert_true(i->has_mac);
	/* What the veth driver claims. */
	assert_int_equal(i->speed.bps, UINT64_C(10000000000));
	assert_int_equal(i->speed.duplex, SFLOW_IF_DIRECTION_FULL_DUPLEX);
	assert_true(iface_find(&f->t, 1)->oper_up);
	assert_false(iface_find(&f->t, 1)->has_mac);
	/* 127.0.0.1, ::1 and ours. */
	assert_int_equal(f->t.n_addrs, 3);
}

static void
interface_that_appears_comes_with_its_speed(void **state)
{
	struct fixture *f = *state;

	start(f, 0);
	ip("link add swp1 type veth peer name host1");
	WAIT_UNTIL(f, f->added == 2);
	assert_int_equal(f->added_bps, UINT64_C(10000000000));
	ip("link del swp1");
	WAIT_UNTIL(f, f->removed == 2);
	assert_null(iface_find_name(&f->t, "swp1"));
}

static void
states_follow_both_ends_of_a_cable(void **state)
{
	struct fixture *f = *state;
	const struct iface *i;

	ip("link add swp1 type veth peer name host1");
	start(f, 0);
	i = iface_find_name(&f->t, "swp1");
	assert_false(i->admin_up || i->oper_up);
	ip("link set swp1 up");
	WAIT_UNTIL(f, i->admin_up);
	WAIT_UNTIL(f, !i->oper_up);
	ip("link set host1 up");
	WAIT_UNTIL(f, i->oper_up);
	ip("link set host1 down");
	WAIT_UNTIL(f, !i->oper_up);
	assert_true(i->admin_up);
}

static void
renaming_and_bridging_are_followed(void **state)
{
	struct fixture *f = *state;
	const struct iface *i;

	ip("link add old type veth peer name host1");
	ip("link add br0 type bridge");
	start(f, 0);
	i = iface_find_name(&f->t, "old");
	ip("link set old name swp1");
	WAIT_UNTIL(f, strcmp(i->name, "swp1") == 0);
	assert_string_equal(f->old_name, "old");
	ip("link set swp1 master br0");
	WAIT_UNTIL(f, i->master == iface_find_name(&f->t, "br0")->index);
	assert_int_equal(iface_find_name(&f->t, "br0")->kind, LINK_KIND_BRIDGE);
	WAIT_UNTIL(f, i->promiscuous);
	/* Leaving a bridge sends RTM_DELLINK of the bridge's family. */
	ip("link set swp1 nomaster");
	WAIT_UNTIL(f, i->master == 0 && !i->promiscuous);
	assert_int_equal(f->removed, 0);
}

static void
vlan_knows_its_id_and_what_is_below(void **state)
{
	struct fixture *f = *state;
	const struct iface *i;

	ip("link add swp1 type veth peer name host1");
	if (system("ip link add link swp1 name v5 type vlan id 5 2>/dev/null") != 0) {
		print_message("skipped: this kernel has no VLAN devices\n");
		skip();
	}
	start(f, 0);
	i = iface_find_name(&f->t, "v5");
	assert_int_equal(i->kind, LINK_KIND_VLAN);
	assert_int_equal(i->vlan_id, 5);
	assert_int_equal(i->lower, iface_find_name(&f->t, "swp1")->index);
}

static void
addresses_follow(void **state)
{
	struct fixture *f = *state;

	ip("link add swp1 type veth peer name host1");
	start(f, 0);
	ip("addr add 192.0.2.1/24 dev swp1");
	ip("addr add 2001:db8::1/64 dev swp1 nodad");
	WAIT_UNTIL(f, f->t.n_addrs == 2);
	assert_int_equal(f->t.addrs[1].addr.family, AF_INET6);
	assert_int_equal(f->t.addrs[1].addr.prefix_len, 64);
	ip("addr del 192.0.2.1/24 dev swp1");
	WAIT_UNTIL(f, f->t.n_addrs == 1);
}

/* Add or delete the pairs swp1 … with one run of ip. */
static void
batch(const char *verb, int n)
{
	char path[] = "/tmp/iface-watch-XXXXXX", arguments[64];
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	assert_non_null(file);
	for (int i = 1; i <= n; i++) {
		if (strcmp(verb, "add") == 0)
			fprintf(file, "link add swp%d type veth peer name h%d\n", i, i);
		else
			fprintf(file, "link del swp%d\n", i);
	}
	fclose(file);
	snprintf(arguments, sizeof(arguments), "-batch %s", path);
	ip(arguments);
	remove(path);
}

static bool
has_all(const struct fixture *f, int first, int n)
{
	char name[IFNAMSIZ];

	for (int i = first; i <= n; i++) {
		snprintf(name, sizeof(name), "swp%d", i);
		if (!iface_find_name(&f->t, name))
			return false;
	}
	return true;
}

static void
lost_events_are_made_up_for(void **state)
{
	struct fixture *f = *state;

	start(f, TINY_BYTES);
	batch("add", MANY);
	WAIT_UNTIL(f, has_all(f, 1, MANY));
	assert_true(iface_watch_stats(f->watch)->overruns > 0);
	WAIT_UNTIL(f, f->t.n == 2 * MANY + 1);
	assert_int_equal(f->added, 2 * MANY);
	assert_int_equal(f->added_bps, UINT64_C(10000000000));

	ip("link add last type veth peer name last-peer");
	batch("del", MANY / 2);
	WAIT_UNTIL(f, f->t.n == MANY + 3);
	assert_true(has_all(f, MANY / 2 + 1, MANY));
	assert_int_equal(f->removed, MANY);
	assert_non_null(iface_find_name(&f->t, "last"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_already_is_in_the_table),
		TEST(interface_that_appears_comes_with_its_speed),
		TEST(states_follow_both_ends_of_a_cable),
		TEST(renaming_and_bridging_are_followed),
		TEST(vlan_knows_its_id_and_what_is_below),
		TEST(addresses_follow),
		TEST(lost_events_are_made_up_for),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
