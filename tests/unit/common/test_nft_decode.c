/*
 * test_nft_decode.c - the kernel's messages, well-formed and not, to values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "common/nft_internal.h"

/* A message under construction, zeroed. */
struct message {
	uint8_t bytes[2048] __attribute__((aligned(8)));
	struct nlmsghdr *nlh;
};

static void
begin(struct message *m, uint16_t type)
{
	struct nfgenmsg *nfg;

	memset(m->bytes, 0, sizeof(m->bytes));
	m->nlh = mnl_nlmsg_put_header(m->bytes);
	m->nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nfg = mnl_nlmsg_put_extra_header(m->nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
}

static void
put_be64(struct message *m, uint16_t type, uint64_t value)
{
	mnl_attr_put_u64(m->nlh, type, htobe64(value));
}

static void
put_counter(struct message *m, uint64_t packets)
{
	struct nlattr *expr = mnl_attr_nest_start(m->nlh, NFTA_LIST_ELEM);
	struct nlattr *data;

	mnl_attr_put_strz(m->nlh, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(m->nlh, NFTA_EXPR_DATA);
	put_be64(m, NFTA_COUNTER_PACKETS, packets);
	put_be64(m, NFTA_COUNTER_BYTES, packets * 100);
	mnl_attr_nest_end(m->nlh, data);
	mnl_attr_nest_end(m->nlh, expr);
}

static void
put_unknown(struct message *m)
{
	struct nlattr *expr = mnl_attr_nest_start(m->nlh, NFTA_LIST_ELEM);

	mnl_attr_put_strz(m->nlh, NFTA_EXPR_NAME, "from_the_future");
	mnl_attr_put(m->nlh, NFTA_EXPR_DATA, 3, "\x01\x02\x03");
	mnl_attr_nest_end(m->nlh, expr);
}

static void
put_jump(struct message *m, const char *chain)
{
	struct nlattr *expr = mnl_attr_nest_start(m->nlh, NFTA_LIST_ELEM);
	struct nlattr *imm, *data, *verdict;

	mnl_attr_put_strz(m->nlh, NFTA_EXPR_NAME, "immediate");
	imm = mnl_attr_nest_start(m->nlh, NFTA_EXPR_DATA);
	data = mnl_attr_nest_start(m->nlh, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(m->nlh, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(m->nlh, NFTA_VERDICT_CODE, htobe32((uint32_t)NFT_JUMP));
	mnl_attr_put_strz(m->nlh, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(m->nlh, verdict);
	mnl_attr_nest_end(m->nlh, data);
	mnl_attr_nest_end(m->nlh, imm);
	mnl_attr_nest_end(m->nlh, expr);
}

static void
rule_with_an_unknown_expression_is_still_read(void **state)
{
	struct nft_rule_info info;
	struct message m;
	struct nlattr *list;

	(void)state;
	begin(&m, NFT_MSG_NEWRULE);
	mnl_attr_put_strz(m.nlh, NFTA_RULE_TABLE, "tg");
	mnl_attr_put_strz(m.nlh, NFTA_RULE_CHAIN, "c");
	put_be64(&m, NFTA_RULE_HANDLE, 12);
	list = mnl_attr_nest_start(m.nlh, NFTA_RULE_EXPRESSIONS);
	put_unknown(&m);
	put_counter(&m, 5);
	put_counter(&m, 6);
	put_jump(&m, "target");
	mnl_attr_nest_end(m.nlh, list);
	assert_int_equal(nft_decode_rule(m.nlh, &info), 0);
	assert_string_equal(info.chain, "c");
	assert_int_equal(info.handle, 12);
	assert_true(info.has_counter);
	assert_int_equal(info.packets, 5);
	assert_int_equal(info.bytes, 500);
	assert_string_equal(info.target, "target");
	assert_null(info.udata.data);
}

static void
rule_without_its_names_is_malformed(void **state)
{
	struct nft_rule_info info;
	struct message m;

	(void)state;
	begin(&m, NFT_MSG_NEWRULE);
	mnl_attr_put_strz(m.nlh, NFTA_RULE_TABLE, "tg");
	assert_int_equal(nft_decode_rule(m.nlh, &info), -EBADMSG);
}

static void
attribute_of_another_size_is_malformed(void **state)
{
	struct nft_rule_info rule;
	struct nft_set_info set;
	struct message m;

	(void)state;
	begin(&m, NFT_MSG_NEWRULE);
	mnl_attr_put_strz(m.nlh, NFTA_RULE_TABLE, "tg");
	mnl_attr_put_strz(m.nlh, NFTA_RULE_CHAIN, "c");
	mnl_attr_put_u32(m.nlh, NFTA_RULE_HANDLE, 1);
	assert_int_equal(nft_decode_rule(m.nlh, &rule), -EBADMSG);
	begin(&m, NFT_MSG_NEWSET);
	mnl_attr_put_strz(m.nlh, NFTA_SET_TABLE, "tg");
	mnl_attr_put_strz(m.nlh, NFTA_SET_NAME, "s");
	mnl_attr_put_u8(m.nlh, NFTA_SET_FLAGS, 1);
	assert_int_equal(nft_decode_set(m.nlh, &set), -EBADMSG);
}

static void
name_without_nul_is_malformed(void **state)
{
	struct nft_chain_info info;
	struct message m;

	(void)state;
	begin(&m, NFT_MSG_NEWCHAIN);
	mnl_attr_put_strz(m.nlh, NFTA_CHAIN_TABLE, "tg");
	mnl_attr_put(m.nlh, NFTA_CHAIN_NAME, 3, "abc");
	assert_int_equal(nft_decode_chain(m.nlh, &info), -EBADMSG);
}

static void
base_chain_needs_hook_and_priority(void **state)
{
	struct nft_chain_info info;
	struct nlattr *hook;
	struct message m;

	(void)state;
	begin(&m, NFT_MSG_NEWCHAIN);
	mnl_attr_put_strz(m.nlh, NFTA_CHAIN_TABLE, "tg");
	mnl_attr_put_strz(m.nlh, NFTA_CHAIN_NAME, "c");
	hook = mnl_attr_nest_start(m.nlh, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(m.nlh, NFTA_HOOK_HOOKNUM, htobe32(2));
	mnl_attr_nest_end(m.nlh, hook);
	assert_int_equal(nft_decode_chain(m.nlh, &info), -EBADMSG);
	mnl_attr_put_u32(m.nlh, NFTA_HOOK_PRIORITY, htobe32((uint32_t)-200));
	mnl_attr_nest_end(m.nlh, hook);
	assert_int_equal(nft_decode_chain(m.nlh, &info), 0);
	assert_true(info.is_base);
	assert_int_equal(info.priority, -200);
}

static int
count_elem(const struct nft_elem_info *elem, void *user_data)
{
	(void)elem;
	return ++*(int *)user_data == 3 ? 17 : 0;
}

static void
reading_elements_ends_when_the_callback_says_so(void **state)
{
	struct message m;
	struct nlattr *list, *elem;
	int n = 0;

	(void)state;
	begin(&m, NFT_MSG_NEWSETELEM);
	list = mnl_attr_nest_start(m.nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (int i = 0; i < 5; i++) {
		elem = mnl_attr_nest_start(m.nlh, NFTA_LIST_ELEM);
		mnl_attr_nest_end(m.nlh, elem);
	}
	mnl_attr_nest_end(m.nlh, list);
	assert_int_equal(nft_decode_elems(m.nlh, count_elem, &n), 17);
	assert_int_equal(n, 3);
}

/* An NLMSG_ERROR about a message of @body bytes behind its header, which it carries
 * unless @capped. */
static struct nlmsgerr *
begin_ack(struct message *m, int code, uint32_t body, bool capped)
{
	struct nlmsgerr *error;

	memset(m->bytes, 0, sizeof(m->bytes));
	m->nlh = mnl_nlmsg_put_header(m->bytes);
	m->nlh->nlmsg_type = NLMSG_ERROR;
	m->nlh->nlmsg_flags = (uint16_t)(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
	error = mnl_nlmsg_put_extra_header(m->nlh, sizeof(*error));
	error->error = code;
	error->msg.nlmsg_len = (uint32_t)sizeof(struct nlmsghdr) + body;
	if (!capped)
		mnl_nlmsg_put_extra_header(m->nlh, body);
	return error;
}

static void
reason_is_found_with_and_without_the_failing_message(void **state)
{
	struct nft_ack ack;
	struct message m;

	(void)state;
	for (int capped = 0; capped < 2; capped++) {
		begin_ack(&m, -EEXIST, 36, capped);
		mnl_attr_put_strz(m.nlh, NLMSGERR_ATTR_MSG, "no such luck");
		mnl_attr_put_u32(m.nlh, NLMSGERR_ATTR_OFFS, 40);
		assert_int_equal(nft_decode_ack(m.nlh, &ack), 0);
		assert_int_equal(ack.code, -EEXIST);
		assert_string_equal(ack.text, "no such luck");
		assert_true(ack.has_offset);
		assert_int_equal(ack.offset, 40);
	}
}

static void
answer_that_claims_more_than_it_holds_is_malformed(void **state)
{
	struct nft_ack ack;
	struct message m;
	struct nlmsgerr *error;

	(void)state;
	error = begin_ack(&m, -EEXIST, 36, false);
	error->msg.nlmsg_len = 5000;
	assert_int_equal(nft_decode_ack(m.nlh, &ack), -EBADMSG);
	error->msg.nlmsg_len = UINT32_MAX;
	assert_int_equal(nft_decode_ack(m.nlh, &ack), -EBADMSG);
	begin_ack(&m, -EEXIST, 0, true);
	m.nlh->nlmsg_len = MNL_NLMSG_HDRLEN + 4;
	assert_int_equal(nft_decode_ack(m.nlh, &ack), -EBADMSG);
}

static void
message_longer_than_the_datagram_is_not_read(void **state)
{
	static const uint32_t lengths[] = { 0, 15, 17 + MNL_NLMSG_HDRLEN, 0x80000000,
		UINT32_MAX };
	struct nlmsghdr nlh[2] = { { .nlmsg_len = sizeof(nlh[0]) } };
	size_t pos = 0;

	(void)state;
	assert_ptr_equal(nft_next_message(nlh, sizeof(nlh), &pos), &nlh[0]);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		nlh[1].nlmsg_len = lengths[i];
		assert_null(nft_next_message(nlh, sizeof(nlh), &pos));
		assert_int_equal(pos, sizeof(nlh[0]));
	}
	/* Padding is part of a message. */
	nlh[1].nlmsg_len = sizeof(nlh[1]) - 1;
	assert_null(nft_next_message(nlh, sizeof(nlh) - 1, &pos));
	nlh[1].nlmsg_len = sizeof(nlh[1]);
	assert_ptr_equal(nft_next_message(nlh, sizeof(nlh), &pos), &nlh[1]);
	assert_null(nft_next_message(nlh, sizeof(nlh), &pos));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_longer_than_the_datagram_is_not_read),
		cmocka_unit_test(rule_with_an_unknown_expression_is_still_read),
		cmocka_unit_test(rule_without_its_names_is_malformed),
		cmocka_unit_test(attribute_of_another_size_is_malformed),
		cmocka_unit_test(name_without_nul_is_malformed),
		cmocka_unit_test(base_chain_needs_hook_and_priority),
		cmocka_unit_test(reading_elements_ends_when_the_callback_says_so),
		cmocka_unit_test(reason_is_found_with_and_without_the_failing_message),
		cmocka_unit_test(answer_that_claims_more_than_it_holds_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
