/*
 * test_nft_expr.c - rules and their envelopes without a kernel: what the batch holds is
 * read back with libnftnl, whose text for an expression is that of "nft --debug".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <stdlib.h>
#include <string.h>

#include "common/nft_expr.h"
#include "common/nft_internal.h"

static const struct nft_table TABLE = { NFPROTO_INET, "tg" };

struct fixture {
	struct nft_batch *batch;
	struct nft_rule *rule;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->batch = nft_batch_new();
	f->rule = nft_rule_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	nft_batch_free(f->batch);
	nft_rule_free(f->rule);
	free(f);
	return 0;
}

static const struct nlmsghdr *
message(struct fixture *f, size_t i)
{
	assert_true(i < f->batch->n_msgs);
	return (const void *)(f->batch->data + f->batch->msgs[i].offset);
}

static int
append_expr(struct nftnl_expr *expr, void *data)
{
	char *text = data;
	size_t len;

	strncat(text, nftnl_expr_get_str(expr, NFTNL_EXPR_NAME),
		1024 - strlen(text) - 1);
	strncat(text, " ", 1024 - strlen(text) - 1);
	len = strlen(text);
	nftnl_expr_snprintf(text + len, 1024 - len, expr, NFTNL_OUTPUT_DEFAULT, 0);
	strncat(text, "|", 1024 - strlen(text) - 1);
	return 0;
}

/* The rule's expressions as libnftnl reads them out of the message. */
static void
check(struct fixture *f, const char *expected)
{
	struct nftnl_rule *read = nftnl_rule_alloc();
	char text[1024] = "";

	assert_int_equal(nft_rule_status(f->rule), 0);
	nft_batch_add_rule(
		f->batch, &TABLE, &(struct nft_rule_at){ .chain = "c" }, f->rule, 1);
	assert_int_equal(nft_batch_status(f->batch, NULL), 0);
	assert_int_equal(nftnl_rule_nlmsg_parse(message(f, 0), read), 0);
	assert_string_equal(nftnl_rule_get_str(read, NFTNL_RULE_TABLE), "tg");
	assert_string_equal(nftnl_rule_get_str(read, NFTNL_RULE_CHAIN), "c");
	nftnl_expr_foreach(read, append_expr, text);
	assert_string_equal(text, expected);
	nftnl_rule_free(read);
}

/* The library prints what is in a register as a word of this machine. */
static uint32_t
word(const char bytes[4])
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static void
loads_are_written_as_given(void **state)
{
	struct fixture *f = *state;
	char expected[512];

	nft_rule_load_meta(f->rule, NFT_META_L4PROTO);
	nft_rule_load_payload(f->rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	nft_rule_load_ct(f->rule, NFT_CT_STATE);
	nft_rule_load_fib(f->rule, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR);
	nft_rule_load_numgen(f->rule, NFT_NG_RANDOM, 512);
	nft_rule_use_reg(f->rule, NFT_REG_2);
	nft_rule_load_data(f->rule, "\x01\x02\x03\x04", 4);
	snprintf(expected, sizeof(expected),
		"meta load l4proto => reg 1 |"
		"payload load 2b @ transport header + 2 => reg 1 |"
		"ct load state => reg 1 |"
		"fib daddr type => reg 1 |"
		"numgen reg 1 = random mod 512 |"
		"immediate reg 2 0x%08x |",
		word("\x01\x02\x03\x04"));
	check(f, expected);
}

static void
changes_and_tests_are_written_as_given(void **state)
{
	static const struct nft_set_ref named = { "s", 0, 4 };
	static const struct nft_set_ref map = { "m", 3, 4 };
	struct fixture *f = *state;
	char expected[512];

	nft_rule_bitwise(f->rule, "\xff\x00", "\x00\x01", 2);
	nft_rule_hton(f->rule, 4);
	nft_rule_cmp(f->rule, NFT_CMP_GTE, "\x10", 1);
	nft_rule_range(f->rule, NFT_RANGE_NEQ, "\x01", "\x09", 1);
	nft_rule_lookup(f->rule, &named, true);
	nft_rule_vmap(f->rule, &map);
	snprintf(expected, sizeof(expected),
		"bitwise reg 1 = ( reg 1 & 0x%08x ) ^ 0x%08x |"
		"byteorder reg 1 = hton(reg 1, 4, 4) |"
		"cmp gte reg 1 0x%08x |"
		"range neq reg 1 0x%08x 0x%08x |"
		"lookup reg 1 set s 0x1 |"
		"lookup reg 1 set m dreg 0 |",
		word("\xff\0\0\0"), word("\0\x01\0\0"), word("\x10\0\0\0"),
		word("\x01\0\0\0"), word("\x09\0\0\0"));
	check(f, expected);
}

static void
statements_are_written_as_given(void **state)
{
	struct fixture *f = *state;

	nft_rule_set_meta(f->rule, NFT_META_MARK);
	nft_rule_set_payload(
		f->rule, &(struct nft_payload_write){ NFT_PAYLOAD_NETWORK_HEADER, 0, 2,
				 NFT_PAYLOAD_CSUM_INET, 10, 0 });
	nft_rule_counter(f->rule, 3, 99);
	nft_rule_limit(
		f->rule, &(struct nft_limit){ 10, 60, 5, NFT_LIMIT_PKT_BYTES, true });
	nft_rule_log(f->rule, &(struct nft_log){ .prefix = "p", .level = 4 });
	nft_rule_log(f->rule, &(struct nft_log){ .to_group = true,
				      .group = 5,
				      .snaplen = 128,
				      .qthreshold = 8 });
	nft_rule_verdict(f->rule, NFT_JUMP, "other");
	check(f, "meta set mark with reg 1 |"
		 "payload write reg 1 => 2b @ network header + 0 csum_type 1 csum_off "
		 "10 csum_flags 0x0 |"
		 "counter pkts 3 bytes 99 |"
		 "limit rate 10/minute burst 5 type bytes flags 0x1 |"
		 "log prefix p level 4 |"
		 "log group 5 snaplen 128 qthreshold 8 |"
		 "immediate reg 0 jump -> other |");
}

static void
user_data_of_a_rule_is_in_its_message(void **state)
{
	struct fixture *f = *state;
	struct nftnl_rule *read = nftnl_rule_alloc();
	uint32_t len = 0;

	nft_rule_set_udata(f->rule, (struct nft_blob){ "\x40\x01z", 3 });
	nft_batch_add_rule(f->batch, &TABLE,
		&(struct nft_rule_at){
			.chain = "c", .where = NFT_WHERE_BEFORE, .ref = 77, .id = 5 },
		f->rule, 1);
	assert_int_equal(nftnl_rule_nlmsg_parse(message(f, 0), read), 0);
	assert_memory_equal(
		nftnl_rule_get_data(read, NFTNL_RULE_USERDATA, &len), "\x40\x01z", 3);
	assert_int_equal(len, 3);
	assert_int_equal(nftnl_rule_get_u64(read, NFTNL_RULE_POSITION), 77);
	assert_int_equal(nftnl_rule_get_u32(read, NFTNL_RULE_ID), 5);
	nftnl_rule_free(read);
}

static void
impossible_expressions_fail_the_rule_and_the_batch(void **state)
{
	struct fixture *f = *state;
	char prefix[NFT_LOG_PREFIX_MAX + 2];
	uint64_t cookie = 0;

	memset(prefix, 'x', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	nft_rule_log(f->rule, &(struct nft_log){ .prefix = prefix });
	assert_int_equal(nft_rule_status(f->rule), -EINVAL);
	nft_batch_add_rule(
		f->batch, &TABLE, &(struct nft_rule_at){ .chain = "c" }, f->rule, 99);
	assert_int_equal(nft_batch_status(f->batch, &cookie), -EINVAL);
	assert_int_equal(cookie, 99);
	assert_int_equal(nft_batch_count(f->batch), 0);
}

/* A fresh rule for @build, which must refuse with @code. */
#define assert_refused(code, build)                                                    \
	do {                                                                           \
		struct nft_rule *r = nft_rule_new();                                   \
		build;                                                                 \
		assert_int_equal(nft_rule_status(r), code);                            \
		nft_rule_free(r);                                                      \
	} while (0)

static void
every_limit_of_a_rule_is_kept(void **state)
{
	char name[NFT_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_refused(-EINVAL, nft_rule_cmp(r, NFT_CMP_EQ, name, 17));
	assert_refused(-EINVAL, nft_rule_cmp(r, NFT_CMP_EQ, name, 0));
	assert_refused(-EINVAL, nft_rule_verdict(r, NFT_JUMP, NULL));
	assert_refused(-EINVAL, nft_rule_verdict(r, NF_DROP, "c"));
	assert_refused(-EINVAL, nft_rule_verdict(r, NFT_GOTO, name));
	assert_refused(-EINVAL,
		nft_rule_lookup(r, &(struct nft_set_ref){ name, 0, 4 }, false));
	assert_refused(-EINVAL,
		nft_rule_set_udata(r, (struct nft_blob){ name, NFT_UDATA_MAX + 1 }));
	assert_refused(-E2BIG,
		for (int i = 0; i <= NFT_EXPRS_MAX; i++) nft_rule_counter(r, 0, 0));
}

static void
largest_rule_is_one_message(void **state)
{
	struct fixture *f = *state;
	char prefix[NFT_LOG_PREFIX_MAX + 1];
	char udata[NFT_UDATA_MAX] = "";

	memset(prefix, 'x', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	for (int i = 0; i < NFT_EXPRS_MAX; i++)
		nft_rule_log(f->rule, &(struct nft_log){ .prefix = prefix });
	nft_rule_set_udata(f->rule, (struct nft_blob){ udata, sizeof(udata) });
	nft_batch_add_rule(
		f->batch, &TABLE, &(struct nft_rule_at){ .chain = "c" }, f->rule, 1);
	assert_int_equal(nft_batch_status(f->batch, NULL), 0);
	assert_int_equal(nft_batch_count(f->batch), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(loads_are_written_as_given),
		CASE(changes_and_tests_are_written_as_given),
		CASE(statements_are_written_as_given),
		CASE(user_data_of_a_rule_is_in_its_message),
		CASE(impossible_expressions_fail_the_rule_and_the_batch),
		CASE(every_limit_of_a_rule_is_kept),
		CASE(largest_rule_is_one_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
