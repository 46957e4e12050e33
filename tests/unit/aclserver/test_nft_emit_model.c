/*
 * test_nft_emit_model.c - the emitter without a kernel: what it refuses, what it leaves
 * behind then, and the tag of a rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "aclserver/nft_emit.h"
#include "aclserver/nft_field.h"

/* Emit one term in @family, behind a message that must stay. The batch's count after it
 * tells whether anything was left. */
static int
emit_one(uint8_t family, const struct ruleset_term *term, struct err *err,
	size_t *ret_count)
{
	struct ruleset_term terms[] = { *term };
	struct ruleset_rule rule = { .terms = terms, .n_terms = 1, .text = "-A X" };
	struct nft_emit emit = { .batch = nft_batch_new(),
		.table = { family, "tg" },
		.at = { .chain = "c" } };
	int code;

	nft_batch_add_table(emit.batch, &emit.table, 1);
	code = nft_emit_rule(&emit, &rule, 2, err);
	assert_int_equal(nft_batch_status(emit.batch, NULL), 0);
	*ret_count = nft_batch_count(emit.batch);
	nft_batch_free(emit.batch);
	return code;
}

static void
assert_refused(
	uint8_t family, const struct ruleset_term *term, int code, const char *reason)
{
	struct err err = { 0 };
	size_t count;

	assert_int_equal(emit_one(family, term, &err, &count), code);
	assert_string_equal(err.text, reason);
	assert_int_equal(count, 1);
}

static struct ruleset_term
test_term(enum field field, struct ruleset_range *ranges, size_t n)
{
	return (struct ruleset_term){ .kind = TERM_TEST,
		.test = { .field = field, .ranges = ranges, .n_ranges = n } };
}

static void
malformed_tests_are_refused_by_name(void **state)
{
	struct ruleset_range range = { { 1 }, { 2 } };
	struct ruleset_term term;

	(void)state;
	term = test_term(FIELD_TH_DPORT, NULL, 0);
	assert_refused(NFPROTO_INET, &term, -EINVAL, "th dport: a test without values");
	term = test_term(FIELD_MARK, &range, 1);
	term.test.has_mask = true;
	assert_refused(NFPROTO_INET, &term, -EINVAL, "mark: a range under a mask");
	term = test_term(FIELD_IIFNAME, NULL, 0);
	assert_refused(NFPROTO_INET, &term, -EINVAL, "iifname: not an interface name");
	term.test.ifname = "sixteen_bytes_xx";
	assert_refused(NFPROTO_INET, &term, -EINVAL, "iifname: not an interface name");
	term.test.ifname = "";
	term.test.prefix = true;
	term.test.negate = true;
	assert_refused(NFPROTO_INET, &term, -EINVAL, "iifname: not an interface name");
}

static void
what_a_family_cannot_do_is_refused(void **state)
{
	struct ruleset_range local = { { 0, 0, 0, 2 }, { 0, 0, 0, 2 } };
	struct ruleset_range arp = { { 0x08, 0x06 }, { 0x08, 0x06 } };
	struct ruleset_term term;

	(void)state;
	term = test_term(FIELD_FIB_DADDR_TYPE, &local, 1);
	assert_refused(NFPROTO_BRIDGE, &term, -EOPNOTSUPP,
		"fib daddr type: not known in family bridge");
	term = test_term(FIELD_L3PROTO, &arp, 1);
	assert_refused(NFPROTO_INET, &term, -EINVAL,
		"l3proto: family inet can tell IPv4 from IPv6 only");
}

static void
impossible_statements_are_refused(void **state)
{
	struct ruleset_term term = { .kind = TERM_SET_DSCP,
		.dscp = { FIELD_IP_DSCP, 64 } };
	char prefix[200];

	(void)state;
	assert_refused(NFPROTO_INET, &term, -EINVAL, "dscp: no such value");
	term.dscp.field = FIELD_IP_TTL;
	term.dscp.value = 1;
	assert_refused(NFPROTO_INET, &term, -EINVAL, "dscp: no such value");
	memset(prefix, 'x', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	term = (struct ruleset_term){ .kind = TERM_LOG, .log = { .prefix = prefix } };
	assert_refused(NFPROTO_INET, &term, -EINVAL,
		"cannot build the kernel's rule: Invalid argument");
}

static void
refused_rule_takes_its_sets_back(void **state)
{
	struct ruleset_range ranges[] = { { { 0, 22 }, { 0, 22 } },
		{ { 0, 80 }, { 0, 80 } } };
	struct ruleset_term terms[] = { test_term(FIELD_TH_DPORT, ranges, 2),
		test_term(FIELD_TH_SPORT, NULL, 0) };
	struct ruleset_rule rule = { .terms = terms, .n_terms = 2, .text = "-A X" };
	struct nft_emit emit = { .batch = nft_batch_new(),
		.table = { NFPROTO_INET, "tg" },
		.at = { .chain = "c" } };

	(void)state;
	assert_int_equal(nft_emit_rule(&emit, &rule, 2, NULL), -EINVAL);
	assert_int_equal(nft_batch_count(emit.batch), 0);
	rule.n_terms = 1;
	assert_int_equal(nft_emit_rule(&emit, &rule, 2, NULL), 0);
	assert_int_equal(nft_batch_count(emit.batch), 3);
	nft_batch_free(emit.batch);
}

static void
failed_batch_is_not_made_good_by_a_rule(void **state)
{
	struct ruleset_rule rule = { .text = "-A X" };
	struct nft_emit emit = { .batch = nft_batch_new(),
		.table = { NFPROTO_INET, "tg" },
		.at = { .chain = "c" } };

	(void)state;
	nft_batch_add_chain(emit.batch, &emit.table, "", (struct nft_blob){ 0 }, 1);
	assert_int_equal(nft_emit_rule(&emit, &rule, 2, NULL), -EINVAL);
	assert_int_equal(nft_batch_status(emit.batch, NULL), -EINVAL);
	nft_batch_free(emit.batch);
}

static void
every_field_has_a_place(void **state)
{
	(void)state;
	for (int field = 0; field < FIELD_COUNT; field++) {
		const struct nft_field *at = nft_field((enum field)field);
		bool is_name = fold_is_name((enum field)field) ||
			       field == FIELD_BRIDGE_IN || field == FIELD_BRIDGE_OUT ||
			       field == FIELD_IN_KIND || field == FIELD_OUT_KIND;

		assert_int_equal(at->source == NFT_SOURCE_NONE, is_name);
		if (!is_name && at->bits == 0)
			assert_int_equal(at->len, field_info((enum field)field)->size);
	}
}

static struct nft_emit_tag
tag_round_trip(const char *text)
{
	struct ruleset_rule rule = { .section = POLICY_SECTION_EBTABLES,
		.hash = { { 1, 2 } },
		.line = 99,
		.text = text };
	struct nft_emit_tag tag = { 0 };
	struct nft_udata u;

	nft_emit_write_tag(&rule, &u);
	assert_true(nft_emit_read_tag(nft_udata_blob(&u), &tag));
	assert_int_equal(tag.section, POLICY_SECTION_EBTABLES);
	assert_int_equal(tag.line, 99);
	assert_int_equal(tag.hash.w[0], 1);
	assert_int_equal(tag.hash.w[1], 2);
	return tag;
}

static void
text_of_any_length_comes_back_up_to_the_limit(void **state)
{
	char text[400];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		size_t kept = len < NFT_EMIT_TEXT_SIZE ? len : NFT_EMIT_TEXT_SIZE - 1;
		struct nft_emit_tag tag;

		for (size_t i = 0; i < len; i++)
			text[i] = (char)('a' + i % 26);
		text[len] = '\0';
		tag = tag_round_trip(text);
		assert_int_equal(strlen(tag.text), kept);
		assert_memory_equal(tag.text, text, kept);
	}
}

static void
quotes_come_back_unless_there_are_both_kinds(void **state)
{
	(void)state;
	assert_string_equal(
		tag_round_trip("--log-prefix \"a b\"").text, "--log-prefix \"a b\"");
	assert_string_equal(tag_round_trip("--comment it's").text, "--comment it's");
	assert_string_equal(
		tag_round_trip("--comment \"it's\"").text, "--comment 'it's'");
}

static void
foreign_user_data_is_no_tag(void **state)
{
	struct nft_emit_tag tag = { .line = 5 };
	struct nft_udata u;

	(void)state;
	assert_false(nft_emit_read_tag((struct nft_blob){ 0 }, &tag));
	nft_udata_init(&u);
	nft_udata_put_comment(&u, "by hand");
	nft_udata_put(&u, NFT_UDATA_OWN, "short", 5);
	assert_false(nft_emit_read_tag(nft_udata_blob(&u), &tag));
	assert_int_equal(tag.line, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_tests_are_refused_by_name),
		cmocka_unit_test(what_a_family_cannot_do_is_refused),
		cmocka_unit_test(impossible_statements_are_refused),
		cmocka_unit_test(refused_rule_takes_its_sets_back),
		cmocka_unit_test(failed_batch_is_not_made_good_by_a_rule),
		cmocka_unit_test(every_field_has_a_place),
		cmocka_unit_test(text_of_any_length_comes_back_up_to_the_limit),
		cmocka_unit_test(quotes_come_back_unless_there_are_both_kinds),
		cmocka_unit_test(foreign_user_data_is_no_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
