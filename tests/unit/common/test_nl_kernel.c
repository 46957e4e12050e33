/*
 * test_nl_kernel.c - requests, dumps, events and overrun with the real kernel, in a
 * network namespace of the test's own.
 */
#include "common/nl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/nl_attr.h"

enum { SKIP = 77, LOOPBACK = 1, MANY = 100 };

struct fixture {
	struct netlink *nl;
	_Alignas(4) uint8_t memory[8192];
	struct nlbuild b;
	struct err err;
	unsigned links;
};

static struct netlink *
open_route(size_t receive_bytes, size_t message_bytes)
{
	struct netlink_options o = {
		.protocol = NETLINK_ROUTE,
		.receive_bytes = receive_bytes,
		.message_bytes = message_bytes,
		.batch = 4,
	};
	struct err err = { 0 };
	struct netlink *nl = netlink_open(&o, &err);

	if (!nl)
		print_error("%s\n", err.text);
	assert_non_null(nl);
	return nl;
}

static int
setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.nl = open_route(0, 0);
	nlbuild_init(&f.b, f.memory, sizeof(f.memory));
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	netlink_close(f->nl);
	return 0;
}

static int
count_link(const struct nlmsghdr *h, void *user_data)
{
	struct fixture *f = user_data;

	assert_int_equal(h->nlmsg_type, RTM_NEWLINK);
	f->links++;
	return 0;
}

static void
put_get_link(struct fixture *f, int ifindex, uint16_t flags)
{
	struct ifinfomsg header = { .ifi_index = ifindex };

	nlbuild_begin(&f->b, RTM_GETLINK, flags, &header, sizeof(header));
}

static void
dump_shows_the_loopback(void **state)
{
	struct fixture *f = *state;

	put_get_link(f, 0, NLM_F_DUMP);
	assert_int_equal(netlink_dump(f->nl, &f->b, count_link, f, &f->err), 0);
	assert_true(f->links >= 1);
}

static void
refusal_carries_the_errno(void **state)
{
	struct fixture *f = *state;

	put_get_link(f, 9999, 0);
	assert_int_equal(
		netlink_request(f->nl, &f->b, count_link, f, &f->err), -ENODEV);
	assert_int_equal(f->err.code, -ENODEV);
	assert_int_equal(f->links, 0);
}

static void
refusal_carries_the_words_of_the_kernel(void **state)
{
	struct ifinfomsg header = { .ifi_index = 0 };
	struct fixture *f = *state;
	size_t at;

	nlbuild_begin(&f->b, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
		&header, sizeof(header));
	at = nlbuild_nest(&f->b, IFLA_LINKINFO);
	nlbuild_put_string(&f->b, IFLA_INFO_KIND, "no-such-kind");
	nlbuild_end_nest(&f->b, at);
	assert_int_equal(
		netlink_request(f->nl, &f->b, NULL, NULL, &f->err), -EOPNOTSUPP);
	assert_non_null(strstr(f->err.text, "Unknown device type"));
}

static void
one_refusal_among_many_requests_leaves_the_others(void **state)
{
	struct fixture *f = *state;

	put_get_link(f, LOOPBACK, 0);
	put_get_link(f, 9999, 0);
	put_get_link(f, LOOPBACK, 0);
	assert_int_equal(
		netlink_request(f->nl, &f->b, count_link, f, &f->err), -ENODEV);
	assert_int_equal(f->links, 2);
}

static void
request_without_answer_is_an_error_and_does_not_wait(void **state)
{
	struct ifinfomsg header = { .ifi_index = LOOPBACK };
	struct fixture *f = *state;

	/* Succeeds; without NLM_F_ACK the kernel says nothing to that. */
	nlbuild_begin(&f->b, RTM_NEWLINK, 0, &header, sizeof(header));
	assert_int_equal(netlink_request(f->nl, &f->b, NULL, NULL, &f->err), -ENODATA);
	nlbuild_init(&f->b, f->memory, sizeof(f->memory));
	put_get_link(f, LOOPBACK, 0);
	assert_int_equal(netlink_request(f->nl, &f->b, count_link, f, &f->err), 0);
	assert_int_equal(f->links, 1);
}

static void
answer_longer_than_the_buffer_is_reported(void **state)
{
	struct fixture *f = *state;

	netlink_close(f->nl);
	f->nl = open_route(0, 64);
	put_get_link(f, LOOPBACK, 0);
	assert_int_equal(
		netlink_request(f->nl, &f->b, count_link, f, &f->err), -ENOBUFS);
	assert_int_equal(netlink_stats(f->nl)->truncated, 1);
}

static void
set_mtu(struct fixture *f, uint32_t mtu)
{
	struct ifinfomsg header = { .ifi_index = LOOPBACK };

	nlbuild_init(&f->b, f->memory, sizeof(f->memory));
	nlbuild_begin(&f->b, RTM_NEWLINK, NLM_F_ACK, &header, sizeof(header));
	nlbuild_put_u32(&f->b, IFLA_MTU, mtu);
	assert_int_equal(netlink_request(f->nl, &f->b, NULL, NULL, &f->err), 0);
}

static void
event_arrives_and_then_there_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct netlink *events = open_route(0, 0);

	assert_int_equal(netlink_join(events, RTNLGRP_LINK, &f->err), 0);
	assert_int_equal(netlink_receive(events, count_link, f), 0);
	set_mtu(f, 2000);
	assert_int_equal(netlink_receive(events, count_link, f), 1);
	assert_int_equal(f->links, 1);
	assert_int_equal(netlink_receive(events, count_link, f), 0);
	netlink_close(events);
}

static void
overrun_is_reported_once_and_events_go_on(void **state)
{
	struct fixture *f = *state;
	struct netlink *events = open_route(4096, 0);

	assert_int_equal(netlink_join(events, RTNLGRP_LINK, &f->err), 0);
	for (uint32_t i = 0; i < MANY; i++)
		set_mtu(f, 3000 + i);
	assert_int_equal(netlink_receive(events, count_link, f), -ENOBUFS);
	assert_int_equal(netlink_stats(events)->overruns, 1);
	while (netlink_receive(events, count_link, f) > 0)
		;
	assert_true(f->links < MANY);
	f->links = 0;
	set_mtu(f, 1500);
	assert_int_equal(netlink_receive(events, count_link, f), 1);
	assert_int_equal(f->links, 1);
	netlink_close(events);
}

static void
generic_netlink_names_become_numbers(void **state)
{
	struct netlink_options o = { .protocol = NETLINK_GENERIC };
	struct fixture *f = *state;
	struct netlink *nl = netlink_open(&o, &f->err);
	uint32_t group = 0;
	uint16_t id = 0;

	assert_non_null(nl);
	assert_int_equal(netlink_family(nl, "nlctrl", &id, &f->err), 0);
	assert_int_equal(id, 0x10);
	assert_int_equal(netlink_group(nl, "nlctrl", "notify", &group, &f->err), 0);
	assert_true(group > 0);
	assert_int_equal(netlink_family(nl, "nobody", &id, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "nobody"));
	assert_int_equal(
		netlink_group(nl, "nlctrl", "nobody", &group, &f->err), -ENOENT);
	netlink_close(nl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			dump_shows_the_loopback, setup, teardown),
		cmocka_unit_test_setup_teardown(
			refusal_carries_the_errno, setup, teardown),
		cmocka_unit_test_setup_teardown(
			refusal_carries_the_words_of_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_refusal_among_many_requests_leaves_the_others, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			request_without_answer_is_an_error_and_does_not_wait, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			answer_longer_than_the_buffer_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(
			event_arrives_and_then_there_is_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			overrun_is_reported_once_and_events_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			generic_netlink_names_become_numbers, setup, teardown),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return SKIP;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
