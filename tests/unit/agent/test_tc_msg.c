/*
 * test_tc_msg.c - messages about sampling filters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_sample.h>
#include <linux/tc_act/tc_vlan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tc_msg.h"
#include "common/nl_attr.h"
#include "nl_messages.h"

static const struct tc_filter example = {
	.ifindex = 7,
	.hook = TC_HOOK_EGRESS,
	.pref = 3,
	.rate = 400000,
	.group = 2,
	.header_bytes = 128,
	.hardware = true,
	.owns_qdisc = true,
};

/* The kernel lists a filter in the form in which it was made, with more around it. */
static void
build(struct nl_message *m, const struct tc_filter *f)
{
	nlbuild_init(&m->b, m->data, sizeof(m->data));
	tc_msg_build_filter(&m->b, f);
	assert_true(nlbuild_ok(&m->b));
}

static void
assert_same(const struct tc_filter *a, const struct tc_filter *b)
{
	assert_int_equal(a->ifindex, b->ifindex);
	assert_int_equal(a->hook, b->hook);
	assert_int_equal(a->pref, b->pref);
	assert_int_equal(a->rate, b->rate);
	assert_int_equal(a->group, b->group);
	assert_int_equal(a->header_bytes, b->header_bytes);
	assert_int_equal(a->hardware, b->hardware);
	assert_int_equal(a->tags, b->tags);
	assert_int_equal(a->owns_qdisc, b->owns_qdisc);
}

static void
a_filter_of_ours_is_known_again(void **state)
{
	struct tc_filter f = example;
	struct tc_msg_filter got;
	struct nl_message m;

	(void)state;
	for (unsigned bits = 0; bits < 16; bits++) {
		f.hook = bits & 1 ? TC_HOOK_EGRESS : TC_HOOK_INGRESS;
		f.hardware = bits & 2;
		f.owns_qdisc = bits & 4;
		f.tags = bits & 8;
		build(&m, &f);
		assert_int_equal(tc_msg_decode_filter(nl_message_done(&m), &got), 0);
		assert_true(got.is_ours);
		assert_same(&got.filter, &f);
	}
}

/* Recorded on Linux 6.1 with tc: statistics and numbers of the kernel's own in it. */
static void
what_the_kernel_lists_is_understood(void **state)
{
	static const struct tc_filter expected = {
		.ifindex = 3, .pref = 1, .rate = 400, .group = 1, .header_bytes = 128
	};
	FILE *file = fopen(TEST_DATA "/fuzz/corpus/tc_msg/filter1", "rb");
	struct tc_msg_filter got;
	struct nl_message m;

	(void)state;
	assert_non_null(file);
	assert_true(fread(m.data, 1, sizeof(m.data), file) > NLMSG_HDRLEN);
	fclose(file);
	assert_int_equal(tc_msg_decode_filter(nl_message_done(&m), &got), 0);
	assert_true(got.is_ours);
	assert_same(&got.filter, &expected);
}

static void
what_is_sampled_goes_on_to_the_next_filter(void **state)
{
	static const struct tc_sample parms = { .action = TC_ACT_UNSPEC };
	struct nl_message m;

	(void)state;
	build(&m, &example);
	assert_non_null(memmem(m.data, m.b.len, &parms, sizeof(parms)));
}

static void
a_tag_is_in_the_packet_while_it_is_sampled_and_beside_it_again_afterwards(void **state)
{
	static const struct tc_vlan push = { .action = TC_ACT_PIPE,
		.v_action = TCA_VLAN_ACT_PUSH };
	static const struct tc_sample sample = { .action = TC_ACT_PIPE };
	static const struct tc_vlan pop = { .action = TC_ACT_UNSPEC,
		.v_action = TCA_VLAN_ACT_POP };
	struct tc_filter f = example;
	const uint8_t *first, *second, *third;
	struct nl_message m;

	(void)state;
	f.hardware = false;
	f.tags = true;
	build(&m, &f);
	first = memmem(m.data, m.b.len, &push, sizeof(push));
	assert_non_null(first);
	second = memmem(first, m.b.len - (size_t)(first - m.data), "sample", 6);
	assert_non_null(second);
	second = memmem(
		second, m.b.len - (size_t)(second - m.data), &sample, sizeof(sample));
	assert_non_null(second);
	third = memmem(second, m.b.len - (size_t)(second - m.data), &pop, sizeof(pop));
	assert_non_null(third);
}

static void
without_the_second_vlan_action_it_is_not_ours(void **state)
{
	struct tc_filter f = example;
	struct tc_msg_filter got;
	struct nl_message m;
	uint8_t *last;

	(void)state;
	f.tags = true;
	build(&m, &f);
	/* The action of place 3, with its header in front of the kind's. */
	last = memmem(m.data, m.b.len, "sample", 6);
	last = memmem(last, m.b.len - (size_t)(last - m.data), "vlan", 4);
	assert_non_null(last);
	last[2 - 8] = 9;
	assert_int_equal(tc_msg_decode_filter(nl_message_done(&m), &got), 0);
	assert_false(got.is_ours);
}

/* Change the first place where @from stands; of the same length. */
static void
swap(struct nl_message *m, const void *from, const void *to, size_t len)
{
	uint8_t *at = memmem(m->data, m->b.len, from, len);

	assert_non_null(at);
	memcpy(at, to, len);
}

static void
assert_of_others(const struct nl_message *m)
{
	struct tc_msg_filter got;

	assert_int_equal(
		tc_msg_decode_filter((const struct nlmsghdr *)m->data, &got), 0);
	assert_false(got.is_ours);
	assert_int_equal(got.filter.ifindex, example.ifindex);
	assert_int_equal(got.filter.hook, example.hook);
	assert_int_equal(got.filter.pref, example.pref);
	assert_int_equal(got.filter.rate, 0);
}

static void
a_filter_is_ours_only_if_all_of_it_is(void **state)
{
	struct nl_message m;

	(void)state;
	build(&m, &example);
	swap(&m, "tapgate-agent", "tapgate_agent", 13);
	assert_of_others(&m);
	build(&m, &example);
	swap(&m, "tapgate-agent/q", "tapgate-agent/x", 15);
	assert_of_others(&m);
	build(&m, &example);
	swap(&m, "matchall", "matchone", 8);
	assert_of_others(&m);
	build(&m, &example);
	swap(&m, "sample", "police", 6);
	assert_of_others(&m);
	build(&m, &example);
	((struct tcmsg *)NLMSG_DATA(m.data))->tcm_handle = 1;
	assert_of_others(&m);
}

/* The kernel lists each preference once without a filter. */
static void
a_preference_alone_is_of_others(void **state)
{
	struct tcmsg tc = { .tcm_ifindex = 7,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
		.tcm_info = 3 << 16 };
	struct nl_message m;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	nlbuild_begin(&m.b, RTM_NEWTFILTER, 0, &tc, sizeof(tc));
	nlbuild_put_string(&m.b, TCA_KIND, "matchall");
	assert_of_others(&m);
}

static void
filters_of_other_qdiscs_are_not_looked_at(void **state)
{
	struct tc_msg_filter got;
	struct nl_message m;

	(void)state;
	build(&m, &example);
	((struct tcmsg *)NLMSG_DATA(m.data))->tcm_parent = 0x10000;
	assert_int_equal(tc_msg_decode_filter(nl_message_done(&m), &got), -ENOMSG);
}

static void
every_cut_of_a_filter_is_refused_or_of_others(void **state)
{
	struct tc_msg_filter got;
	struct nl_message m;

	(void)state;
	build(&m, &example);
	for (uint32_t len = NLMSG_HDRLEN; len < m.b.len; len++) {
		struct nlmsghdr *h = malloc(len);

		assert_non_null(h);
		memcpy(h, m.data, len);
		h->nlmsg_len = len;
		if (tc_msg_decode_filter(h, &got) == 0)
			assert_false(got.is_ours);
		free(h);
	}
}

static int
decode_qdisc(const char *kind, uint32_t *ret_ifindex)
{
	const struct tcmsg tc = { .tcm_ifindex = 9 };
	struct nl_message m;

	nlbuild_init(&m.b, m.data, sizeof(m.data));
	nlbuild_begin(&m.b, RTM_NEWQDISC, 0, &tc, sizeof(tc));
	nlbuild_put_string(&m.b, TCA_KIND, kind);
	return tc_msg_decode_qdisc(nl_message_done(&m), ret_ifindex);
}

static void
only_clsact_and_ingress_have_hooks(void **state)
{
	uint32_t ifindex = 0;

	(void)state;
	assert_int_equal(decode_qdisc("clsact", &ifindex), 0);
	assert_int_equal(ifindex, 9);
	assert_int_equal(decode_qdisc("ingress", &ifindex), 0);
	assert_int_equal(decode_qdisc("fq_codel", &ifindex), -ENOMSG);
	assert_int_equal(decode_qdisc("", &ifindex), -ENOMSG);
}

/* Nobody else's filter or qdisc may be hit. */
static void
a_removal_names_exactly_one_filter(void **state)
{
	const struct tcmsg *tc;
	struct nl_message m;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	tc_msg_build_filter_removal(&m.b, &example);
	assert_int_equal(nl_message_done(&m)->nlmsg_type, RTM_DELTFILTER);
	tc = NLMSG_DATA(m.data);
	assert_int_equal(tc->tcm_ifindex, 7);
	assert_int_equal(tc->tcm_handle, 0x74670001);
	assert_int_equal(tc->tcm_parent, 0xfffffff3);
	assert_int_equal(tc->tcm_info, 3 << 16 | htons(0x0003));
}

static void
every_request_fits(void **state)
{
	uint8_t buffer[TC_MSG_REQUEST_BYTES] __attribute__((aligned(8)));
	struct nlbuild b;

	(void)state;
	nlbuild_init(&b, buffer, sizeof(buffer));
	tc_msg_build_filter(&b, &example);
	assert_true(nlbuild_ok(&b));
	nlbuild_init(&b, buffer, sizeof(buffer));
	tc_msg_build_action(&b);
	assert_true(nlbuild_ok(&b));
	nlbuild_init(&b, buffer, sizeof(buffer));
	tc_msg_build_action_removal(&b);
	tc_msg_build_qdisc(&b, 1);
	tc_msg_build_qdisc_removal(&b, 1);
	tc_msg_build_qdisc_dump(&b);
	tc_msg_build_filter_dump(&b, 1, TC_HOOK_INGRESS);
	assert_true(nlbuild_ok(&b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_of_ours_is_known_again),
		cmocka_unit_test(what_the_kernel_lists_is_understood),
		cmocka_unit_test(what_is_sampled_goes_on_to_the_next_filter),
		cmocka_unit_test(
			a_tag_is_in_the_packet_while_it_is_sampled_and_beside_it_again_afterwards),
		cmocka_unit_test(without_the_second_vlan_action_it_is_not_ours),
		cmocka_unit_test(a_filter_is_ours_only_if_all_of_it_is),
		cmocka_unit_test(a_preference_alone_is_of_others),
		cmocka_unit_test(filters_of_other_qdiscs_are_not_looked_at),
		cmocka_unit_test(every_cut_of_a_filter_is_refused_or_of_others),
		cmocka_unit_test(only_clsact_and_ingress_have_hooks),
		cmocka_unit_test(a_removal_names_exactly_one_filter),
		cmocka_unit_test(every_request_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
