/*
 * test_nft_batch.c - tables, chains and rules against the running kernel, in a network
 * namespace of the test's own. What is in the kernel is told by the nft tool, not by
 * our own reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "tests/unit/common/nft_fixture.h"

#include <linux/netfilter_bridge.h>

static void
one_batch_creates_tables_of_two_families(void **state)
{
	struct fixture *f = *state;
	struct nft_base_chain inet = { .name = "filter_forward",
		.type = "filter",
		.hook = NF_INET_FORWARD,
		.priority = -5 };
	struct nft_base_chain bridge = { .name = "filter_forward",
		.type = "filter",
		.hook = NF_BR_FORWARD,
		.priority = -201 };

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_base_chain(f->batch, &INET, &inet, 2);
	nft_batch_add_table(f->batch, &BRIDGE, 3);
	nft_batch_add_base_chain(f->batch, &BRIDGE, &bridge, 4);
	commit(f);
	assert_string_equal(nft_env_list("list ruleset"),
		"table inet tg {\n"
		"	chain filter_forward {\n"
		"		type filter hook forward priority filter - 5; policy "
		"accept;\n"
		"	}\n"
		"}\n"
		"table bridge tg {\n"
		"	chain filter_forward {\n"
		"		type filter hook forward priority filter - 1; policy "
		"accept;\n"
		"	}\n"
		"}\n");
}

static void
netdev_chain_is_bound_to_its_devices(void **state)
{
	struct fixture *f = *state;
	const struct nft_table netdev = { NFPROTO_NETDEV, "tg" };
	const char *devices[] = { "lo", "veth0" };
	struct nft_base_chain chain = { .name = "in",
		.type = "filter",
		.hook = NF_NETDEV_INGRESS,
		.devices = devices,
		.n_devices = 2 };
	const char *text;

	assert_int_equal(
		nft_env_run("ip link add veth0 type veth peer name veth1", &text), 0);
	nft_batch_add_table(f->batch, &netdev, 1);
	nft_batch_add_base_chain(f->batch, &netdev, &chain, 2);
	commit(f);
	text = nft_env_list("list ruleset");
	assert_non_null(strstr(text, "hook ingress devices = { lo, veth0 }"));
	assert_int_equal(nft_env_run("nft flush ruleset; ip link del veth0", &text), 0);
}

static void
deleting_a_table_is_fine_whether_it_is_there_or_not(void **state)
{
	struct fixture *f = *state;

	nft_batch_delete_table(f->batch, &INET, 1);
	commit(f);
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	commit(f);
	assert_int_equal(nft_table_exists(f->nft, &INET, NULL), 1);
	nft_batch_delete_table(f->batch, &INET, 1);
	commit(f);
	assert_int_equal(nft_table_exists(f->nft, &INET, NULL), 0);
}

struct handles {
	size_t n;
	uint64_t cookies[8];
	uint64_t handles[8];
};

static void
on_handle(uint64_t cookie, uint64_t handle, void *user_data)
{
	struct handles *h = user_data;

	assert_true(h->n < 8);
	h->cookies[h->n] = cookie;
	h->handles[h->n++] = handle;
}

static void
commit_with_handles(struct fixture *f, struct handles *ret)
{
	struct nft_commit_how how = {
		.mode = NFT_MODE_COMMIT, .on_handle = on_handle, .user_data = ret
	};
	struct nft_result result;

	ret->n = 0;
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	nft_batch_reset(f->batch);
}

static void
handles_come_back_for_the_rules_that_asked(void **state)
{
	struct fixture *f = *state;
	struct handles h;
	char expected[256];

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 1, 10);
	add_counting(
		f, &(struct nft_rule_at){ .chain = "c", .want_handle = true }, 2, 11);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 3, 12);
	add_counting(
		f, &(struct nft_rule_at){ .chain = "c", .want_handle = true }, 4, 13);
	commit_with_handles(f, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.cookies[0], 11);
	assert_int_equal(h.cookies[1], 13);
	snprintf(expected, sizeof(expected), "packets 2 bytes 0 # handle %u\n",
		(unsigned)h.handles[0]);
	assert_non_null(strstr(nft_env_list("-a list ruleset"), expected));
	snprintf(expected, sizeof(expected), "packets 4 bytes 0 # handle %u\n",
		(unsigned)h.handles[1]);
	assert_non_null(strstr(nft_env_list("-a list ruleset"), expected));
}

static const char *
list_chain(void)
{
	return nft_env_list("list chain inet tg c | grep -o 'packets [0-9]*' | tr -d "
			    "'a-z\\n'");
}

static void
rules_go_where_they_are_told(void **state)
{
	struct fixture *f = *state;
	uint32_t id = nft_batch_new_id(f->batch);
	struct nft_rule_at at = { .chain = "c", .id = id, .want_handle = true };
	struct handles h;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &at, 5, 5);
	at = (struct nft_rule_at){ .chain = "c" };
	add_counting(f, &at, 9, 1);
	at.where = NFT_WHERE_PREPEND;
	add_counting(f, &at, 1, 1);
	at.ref = id;
	at.where = NFT_WHERE_BEFORE_ID;
	add_counting(f, &at, 4, 1);
	at.where = NFT_WHERE_AFTER_ID;
	add_counting(f, &at, 6, 1);
	commit_with_handles(f, &h);
	assert_string_equal(list_chain(), " 1 4 5 6 9");

	at.ref = h.handles[0];
	at.where = NFT_WHERE_BEFORE;
	add_counting(f, &at, 41, 1);
	at.where = NFT_WHERE_AFTER;
	add_counting(f, &at, 51, 1);
	commit(f);
	assert_string_equal(list_chain(), " 1 4 41 5 51 6 9");

	at.where = NFT_WHERE_REPLACE;
	at.want_handle = true;
	add_counting(f, &at, 50, 77);
	commit_with_handles(f, &h);
	assert_string_equal(list_chain(), " 1 4 41 50 51 6 9");
	assert_int_equal(h.n, 1);
	assert_int_equal(h.cookies[0], 77);
	assert_int_equal(h.handles[0], at.ref);

	nft_batch_delete_rule(
		f->batch, &INET, &(struct nft_rule_ref){ "c", h.handles[0] }, 1);
	commit(f);
	assert_string_equal(list_chain(), " 1 4 41 51 6 9");
	nft_batch_flush_chain(f->batch, &INET, "c", 1);
	commit(f);
	assert_string_equal(list_chain(), "");
}

static void
regular_chain_that_exists_is_refused(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 2);
	commit(f);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 3);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EEXIST);
	nft_result_done(&result);
}

/* The old chain, which a rule still calls, gives way to one of the same name. */
static void
chain_can_be_exchanged_in_one_batch(void **state)
{
	struct fixture *f = *state;
	struct handles h;
	struct nft_rule_at jump = { .chain = "b", .want_handle = true };

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "b", NO_UDATA, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 1, 1);
	add_jump(f, &jump, "c", 9);
	commit_with_handles(f, &h);

	nft_batch_delete_rule(
		f->batch, &INET, &(struct nft_rule_ref){ "b", h.handles[0] }, 1);
	nft_batch_delete_chain(f->batch, &INET, "c", 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 2, 1);
	add_jump(f, &jump, "c", 9);
	commit(f);
	assert_string_equal(list_chain(), " 2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_batch_creates_tables_of_two_families),
		CASE(netdev_chain_is_bound_to_its_devices),
		CASE(deleting_a_table_is_fine_whether_it_is_there_or_not),
		CASE(handles_come_back_for_the_rules_that_asked),
		CASE(rules_go_where_they_are_told),
		CASE(regular_chain_that_exists_is_refused),
		CASE(chain_can_be_exchanged_in_one_batch),
	};

	return RUN_IN_NETNS(tests);
}
