/*
 * test_nft_message.c - the batch without a kernel: limits, sticky failure, rewind, and
 * sets and elements read back with libnftnl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libnftnl/set.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nft_expr.h"
#include "common/nft_internal.h"

static const struct nft_table TABLE = { NFPROTO_BRIDGE, "tg" };
static const struct nft_blob NO_UDATA;

static int
setup(void **state)
{
	*state = nft_batch_new();
	return *state ? 0 : -1;
}

static int
teardown(void **state)
{
	nft_batch_free(*state);
	return 0;
}

static const struct nlmsghdr *
message(const struct nft_batch *batch, size_t i)
{
	assert_true(i < batch->n_msgs);
	return (const void *)(batch->data + batch->msgs[i].offset);
}

static void
first_failure_sticks_and_later_messages_are_ignored(void **state)
{
	struct nft_batch *batch = *state;
	uint64_t cookie = 0;

	nft_batch_add_table(batch, &TABLE, 1);
	nft_batch_add_chain(batch, &TABLE, "", NO_UDATA, 2);
	nft_batch_delete_rule(batch, &TABLE, &(struct nft_rule_ref){ "c", 0 }, 3);
	nft_batch_add_table(batch, &TABLE, 4);
	assert_int_equal(nft_batch_status(batch, &cookie), -EINVAL);
	assert_int_equal(cookie, 2);
	assert_int_equal(nft_batch_count(batch), 1);
}

static void
rewind_takes_back_messages_and_failure(void **state)
{
	struct nft_batch *batch = *state;
	size_t bytes;

	nft_batch_add_table(batch, &TABLE, 1);
	bytes = nft_batch_bytes(batch);
	nft_batch_add_chain(batch, &TABLE, "c", NO_UDATA, 2);
	nft_batch_add_chain(batch, &TABLE, "", NO_UDATA, 3);
	nft_batch_rewind(batch, 1);
	assert_int_equal(nft_batch_status(batch, NULL), 0);
	assert_int_equal(nft_batch_count(batch), 1);
	assert_int_equal(nft_batch_bytes(batch), bytes);
	nft_batch_add_chain(batch, &TABLE, "d", NO_UDATA, 4);
	assert_int_equal(nft_batch_count(batch), 2);
	assert_int_equal(batch->msgs[1].cookie, 4);
}

static void
names_and_user_data_have_limits(void **state)
{
	struct nft_batch *batch = *state;
	char name[NFT_NAME_MAX + 2];
	struct nft_blob udata = { name, NFT_UDATA_MAX + 1 };

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	nft_batch_add_chain(batch, &TABLE, name, NO_UDATA, 1);
	assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
	nft_batch_reset(batch);
	nft_batch_add_chain(batch, &TABLE, name + 1, NO_UDATA, 1);
	assert_int_equal(nft_batch_status(batch, NULL), 0);
	nft_batch_add_chain(batch, &TABLE, "c", udata, 1);
	assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
	nft_batch_reset(batch);
	nft_batch_add_table(batch, &(struct nft_table){ NFPROTO_INET, name }, 1);
	assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
}

static void
base_chain_has_a_limit_of_devices(void **state)
{
	struct nft_batch *batch = *state;
	const char *devices[NFT_DEVICES_MAX + 1];
	struct nft_base_chain chain = { .name = "c",
		.type = "filter",
		.devices = devices,
		.n_devices = NFT_DEVICES_MAX };

	for (size_t i = 0; i <= NFT_DEVICES_MAX; i++)
		devices[i] = "fifteen_bytes_x";
	nft_batch_add_base_chain(batch, &TABLE, &chain, 1);
	assert_int_equal(nft_batch_status(batch, NULL), 0);
	chain.n_devices++;
	nft_batch_add_base_chain(batch, &TABLE, &chain, 1);
	assert_int_equal(nft_batch_status(batch, NULL), -E2BIG);
}

static void
position_needs_its_reference_and_no_other_has_one(void **state)
{
	struct nft_batch *batch = *state;
	struct nft_rule_at before = { .chain = "c", .where = NFT_WHERE_BEFORE };
	struct nft_rule_at append = { .chain = "c", .ref = 5 };
	struct nft_rule *rule = nft_rule_new();

	nft_batch_add_rule(batch, &TABLE, &before, rule, 1);
	assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
	nft_batch_reset(batch);
	nft_batch_add_rule(batch, &TABLE, &append, rule, 1);
	assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
	nft_rule_free(rule);
}

static void
batch_has_a_limit_of_bytes(void **state)
{
	enum { KEYS = 200000 };
	struct nft_batch *batch = *state;
	struct nft_set_ref set = { "s", 0, 64 };
	struct nft_elem *elems = calloc(KEYS, sizeof(*elems));
	static const uint8_t key[64];

	for (size_t i = 0; i < KEYS; i++)
		elems[i].key = key;
	for (int i = 0; i < 10; i++)
		nft_batch_add_elems(batch, &TABLE, &set, elems, KEYS, 7);
	assert_int_equal(nft_batch_status(batch, NULL), -EMSGSIZE);
	assert_true(nft_batch_bytes(batch) >= NFT_BATCH_BYTES_MAX);
	free(elems);
}

static void
set_is_written_as_given(void **state)
{
	struct nft_batch *batch = *state;
	struct nft_set_spec spec = { .name = "__map%d",
		.id = 9,
		.flags = NFT_SET_ANONYMOUS | NFT_SET_MAP,
		.key_type = 13,
		.key_len = 2,
		.data_type = NFT_DATA_VERDICT,
		.size = 3,
		.counters = true,
		.udata = { "\x40\x00", 2 } };
	struct nftnl_set *read = nftnl_set_alloc();
	uint32_t len = 0;

	nft_batch_add_set(batch, &TABLE, &spec, 1);
	assert_int_equal(nftnl_set_nlmsg_parse(message(batch, 0), read), 0);
	assert_string_equal(nftnl_set_get_str(read, NFTNL_SET_TABLE), "tg");
	assert_string_equal(nftnl_set_get_str(read, NFTNL_SET_NAME), "__map%d");
	assert_int_equal(nftnl_set_get_u32(read, NFTNL_SET_ID), 9);
	assert_int_equal(nftnl_set_get_u32(read, NFTNL_SET_FLAGS), spec.flags);
	assert_int_equal(nftnl_set_get_u32(read, NFTNL_SET_KEY_TYPE), 13);
	assert_int_equal(nftnl_set_get_u32(read, NFTNL_SET_KEY_LEN), 2);
	assert_int_equal(
		nftnl_set_get_u32(read, NFTNL_SET_DATA_TYPE), NFT_DATA_VERDICT);
	assert_int_equal(nftnl_set_get_u32(read, NFTNL_SET_DESC_SIZE), 3);
	assert_memory_equal(
		nftnl_set_get_data(read, NFTNL_SET_USERDATA, &len), "\x40\x00", 2);
	assert_true(nftnl_set_is_set(read, NFTNL_SET_EXPR));
	nftnl_set_free(read);
}

/* Keys of an element message, one byte each; 'e' behind interval ends. */
static int
append_elem(struct nftnl_set_elem *elem, void *data)
{
	char *text = data;
	uint32_t len = 0;
	const uint8_t *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &len);
	bool is_end = nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_FLAGS);

	assert_int_equal(len, 1);
	snprintf(text + strlen(text), 64, "%u%s ", key[0], is_end ? "e" : "");
	return 0;
}

static void
ranges_become_pairs_and_the_highest_has_no_end(void **state)
{
	static const uint8_t values[] = { 0, 0, 10, 20, 254, 255 };
	const struct nft_range ranges[] = { { &values[0], &values[1] },
		{ &values[2], &values[3] }, { &values[4], &values[5] } };
	struct nft_batch *batch = *state;
	struct nftnl_set *read = nftnl_set_alloc();
	char text[256] = "";

	nft_batch_add_ranges(
		batch, &TABLE, &(struct nft_set_ref){ "s", 4, 1 }, ranges, 3, 1);
	assert_int_equal(nftnl_set_elems_nlmsg_parse(message(batch, 0), read), 0);
	nftnl_set_elem_foreach(read, append_elem, text);
	assert_string_equal(text, "0 1e 10 21e 254 ");
	nftnl_set_free(read);
}

static void
many_elements_take_several_messages_that_know_their_first(void **state)
{
	enum { N = 5000 };
	struct nft_batch *batch = *state;
	struct nft_elem *elems = calloc(N, sizeof(*elems));
	size_t n = 0;

	for (size_t i = 0; i < N; i++)
		elems[i].key = "abcd";
	nft_batch_add_elems(
		batch, &TABLE, &(struct nft_set_ref){ "s", 0, 4 }, elems, N, 1);
	assert_int_equal(nft_batch_status(batch, NULL), 0);
	assert_true(nft_batch_count(batch) > 1);
	for (size_t i = 0; i < nft_batch_count(batch); i++) {
		uint32_t last = message(batch, i)->nlmsg_len - 1;

		assert_int_equal(batch->msgs[i].first_elem, n);
		n += (size_t)nft_decode_elem_at(message(batch, i), last, false) + 1;
	}
	assert_int_equal(n, N);
	free(elems);
}

static void
elements_are_checked(void **state)
{
	const struct nft_elem bad[] = {
		{ .key = NULL },
		{ .key = "k", .has_verdict = true, .verdict = NFT_JUMP },
		{ .key = "k", .has_verdict = true, .verdict = NF_DROP, .chain = "c" },
		{ .key = "k", .data = "d", .data_len = NFT_KEY_MAX + 1 },
		{ .key = "k", .udata = { "u", NFT_UDATA_MAX + 1 } },
	};
	struct nft_batch *batch = *state;
	struct nft_set_ref set = { "s", 0, 1 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		nft_batch_reset(batch);
		nft_batch_add_elems(batch, &TABLE, &set, &bad[i], 1, 5);
		assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
		assert_int_equal(nft_batch_count(batch), 0);
	}
	nft_batch_reset(batch);
	set.key_len = NFT_KEY_MAX + 1;
	nft_batch_add_elems(
		batch, &TABLE, &set, &(struct nft_elem){ .key = "k" }, 1, 5);
	assert_int_equal(nft_batch_status(batch, NULL), -EINVAL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_failure_sticks_and_later_messages_are_ignored),
		CASE(rewind_takes_back_messages_and_failure),
		CASE(names_and_user_data_have_limits),
		CASE(base_chain_has_a_limit_of_devices),
		CASE(position_needs_its_reference_and_no_other_has_one),
		CASE(batch_has_a_limit_of_bytes),
		CASE(set_is_written_as_given),
		CASE(ranges_become_pairs_and_the_highest_has_no_end),
		CASE(many_elements_take_several_messages_that_know_their_first),
		CASE(elements_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
