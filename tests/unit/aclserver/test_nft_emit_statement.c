/*
 * test_nft_emit_statement.c - every statement, emitted and read back by the nft tool,
 * and the tag that a rule carries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/nft_dump.h"
#include "tests/unit/aclserver/emit_fixture.h"

static void
statements_follow_the_tests_in_order(void **state)
{
	struct fixture *f = *state;

	add_term(f, TERM_LIMIT)->limit = (struct ruleset_limit){ 10, 60, 7 };
	add_term(f, TERM_COUNTER);
	add_term(f, TERM_LOG)->log =
		(struct ruleset_log){ .prefix = "FW: ", .level = 3 };
	add_term(f, TERM_VERDICT)->verdict = RULESET_VERDICT_DROP;
	check(f, "limit rate 10/minute burst 7 packets counter packets 0 bytes 0 log "
		 "prefix \"FW: \" level err drop");
	add_term(f, TERM_COUNTER);
	add_term(f, TERM_VERDICT)->verdict = RULESET_VERDICT_ACCEPT;
	check(f, "counter packets 0 bytes 0 accept");
	add_term(f, TERM_LIMIT)->limit = (struct ruleset_limit){ 1000000, 1, 100000 };
	add_term(f, TERM_LOG)->log = (struct ruleset_log){ .level = 6, .flags = 1 };
	check(f, "limit rate 1000000/second burst 100000 packets log level info flags "
		 "tcp sequence");
}

static void
dscp_is_set_beside_its_neighbours(void **state)
{
	struct fixture *f = *state;
	struct ruleset_term *term;

	add_ip4(f);
	term = add_term(f, TERM_SET_DSCP);
	term->dscp.field = FIELD_IP_DSCP;
	term->dscp.value = 34;
	check(f, "ip dscp set 0x22");
	add_ip6(f);
	term = add_term(f, TERM_SET_DSCP);
	term->dscp.field = FIELD_IP6_DSCP;
	term->dscp.value = 63;
	check(f, "ip6 dscp set 0x3f");
}

/* The tool's own program for the same statement writes the same bytes with the same
 * checksum: compared at the level of expressions, which the listing hides. */
static void
dscp_is_set_as_the_tool_does_it(void **state)
{
	struct fixture *f = *state;
	const char *text = "";

	assert_int_equal(
		nft_env_run("nft add table inet x; nft add chain inet x c; "
			    "nft --debug=netlink add rule inet x c ip dscp set "
			    "0x22 | grep -c 'csum_type 1 csum_off 10 csum_flags "
			    "0x0' | tr -d '\\n'",
			&text),
		0);
	assert_string_equal(text, "1");
	add_ip4(f);
	add_term(f, TERM_SET_DSCP)->dscp.field = FIELD_IP_DSCP;
	assert_int_equal(emit_into(f, NFPROTO_INET), 0);
	nft_commit(f->nft, f->batch,
		&(struct nft_commit_how){ .mode = NFT_MODE_COMMIT },
		&(struct nft_result){ 0 });
	assert_int_equal(
		nft_env_run("nft --debug=netlink list chain inet tg c | grep "
			    "-c 'payload write reg 1 => 2b @ network header + "
			    "0 csum_type 1 csum_off 10 csum_flags 0x0' | tr -d "
			    "'\\n'",
			&text),
		0);
	assert_string_equal(text, "1");
}

static void
counter_starts_where_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct nft_emit emit = { .batch = f->batch,
		.table = { NFPROTO_INET, "tg" },
		.at = { .chain = "c" },
		.packets = 12,
		.bytes = 3456 };

	nft_batch_add_table(f->batch, &emit.table, 1);
	nft_batch_add_chain(f->batch, &emit.table, "c", (struct nft_blob){ 0 }, 1);
	add_term(f, TERM_COUNTER);
	assert_int_equal(nft_emit_rule(&emit, &f->model.rule, 2, &f->err), 0);
	nft_commit(f->nft, f->batch,
		&(struct nft_commit_how){ .mode = NFT_MODE_COMMIT },
		&(struct nft_result){ 0 });
	assert_non_null(strstr(nft_env_list("list chain inet tg c"),
		"counter packets 12 bytes 3456 comment \"-A FORWARD\""));
}

static int
read_tag(const struct nft_rule_info *rule, void *user_data)
{
	assert_true(nft_emit_read_tag(rule->udata, user_data));
	return 0;
}

static void
tag_comes_back_from_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct nft_emit_tag tag;
	struct nft_reader reader = { .rule = read_tag, .user_data = &tag };
	struct nft_table table = { NFPROTO_INET, "tg" };

	f->model.rule.hash = (struct ruleset_hash){ { 0x0123456789abcdef, ~0ULL } };
	f->model.rule.line = 4711;
	f->model.rule.section = POLICY_SECTION_IP6TABLES;
	f->model.rule.text = "-A FORWARD -m comment --comment \"a b\" -j DROP";
	assert_int_equal(emit_into(f, NFPROTO_INET), 0);
	assert_int_equal(nft_commit(f->nft, f->batch,
				 &(struct nft_commit_how){ .mode = NFT_MODE_COMMIT },
				 &(struct nft_result){ 0 }),
		0);
	assert_non_null(strstr(nft_env_list("list chain inet tg c"),
		"comment \"-A FORWARD -m comment --comment 'a b' -j DROP\""));
	assert_int_equal(nft_list_rules(f->nft, &table, "c", &reader, NULL), 0);
	assert_true(tag.hash.w[0] == 0x0123456789abcdef && tag.hash.w[1] == ~0ULL);
	assert_int_equal(tag.line, 4711);
	assert_int_equal(tag.section, POLICY_SECTION_IP6TABLES);
	assert_string_equal(tag.text, f->model.rule.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(statements_follow_the_tests_in_order),
		CASE(dscp_is_set_beside_its_neighbours),
		CASE(dscp_is_set_as_the_tool_does_it),
		CASE(counter_starts_where_it_is_told),
		CASE(tag_comes_back_from_the_kernel),
	};

	return RUN_IN_NETNS(tests);
}
