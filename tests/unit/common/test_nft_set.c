/*
 * test_nft_set.c - sets, maps and elements against the running kernel; the nft tool
 * says what is in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "tests/unit/common/nft_fixture.h"

static void
sets_of_many_elements_are_complete(void **state)
{
	struct fixture *f = *state;
	enum { N = 5000 };
	struct nft_set_spec spec = { .name = "s",
		.id = nft_batch_new_id(f->batch),
		.key_type = 7,
		.key_len = 4,
		.counters = true };
	struct nft_set_ref ref = { "s", spec.id, 4 };
	struct nft_elem *elems = calloc(N, sizeof(*elems));
	uint32_t keys[N];
	const char *text;

	for (uint32_t i = 0; i < N; i++) {
		keys[i] = htobe32(0x0a000000 + i * 2);
		elems[i].key = &keys[i];
	}
	elems[7].has_counter = true;
	elems[7].packets = 70;
	elems[7].bytes = 7000;
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_elems(f->batch, &INET, &ref, elems, N, 3);
	assert_true(nft_batch_count(f->batch) > 3);
	commit(f);
	assert_int_equal(nft_env_run("nft list set inet tg s | grep -o '10[.0-9]* "
				     "counter' | wc -l | tr -d '\\n'",
				 &text),
		0);
	assert_string_equal(text, "5000");
	assert_non_null(strstr(nft_env_list("list set inet tg s"),
		"10.0.0.14 counter packets 70 bytes 7000"));

	ref.id = 0;
	nft_batch_delete_elems(f->batch, &INET, &ref, elems + 1, N - 1, 4);
	commit(f);
	assert_non_null(strstr(nft_env_list("list set inet tg s"),
		"elements = { 10.0.0.0 counter packets 0 bytes 0 }"));
	nft_batch_delete_set(f->batch, &INET, "s", 5);
	commit(f);
	assert_string_equal(nft_env_list("list ruleset"), "table inet tg {\n}\n");
	free(elems);
}

static void
error_names_the_element(void **state)
{
	struct fixture *f = *state;
	enum { N = 3000, BAD = 2345 };
	struct nft_set_spec spec = { .name = "s", .key_type = 7, .key_len = 4 };
	struct nft_set_ref ref = { "s", 0, 4 };
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_elem *elems = calloc(N, sizeof(*elems));
	struct nft_result result;
	uint32_t keys[N];

	for (uint32_t i = 0; i < N; i++) {
		keys[i] = htobe32(i);
		elems[i].key = &keys[i];
	}
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_elems(f->batch, &INET, &ref, elems, BAD, 3);
	nft_batch_add_elems(f->batch, &INET, &ref, elems + BAD + 1, N - BAD - 1, 3);
	commit(f);
	nft_batch_delete_elems(f->batch, &INET, &ref, elems, N, 4);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.n_errors, 1);
	assert_int_equal(result.errors[0].cookie, 4);
	assert_int_equal(result.errors[0].elem, BAD);
	nft_result_done(&result);
	free(elems);
}

static void
ranges_reach_to_both_ends_of_the_key_space(void **state)
{
	struct fixture *f = *state;
	struct nft_set_spec spec = { .name = "s",
		.id = nft_batch_new_id(f->batch),
		.flags = NFT_SET_INTERVAL,
		.key_type = 13,
		.key_len = 2 };
	struct nft_set_ref ref = { "s", spec.id, 2 };
	const struct nft_range ranges[] = {
		{ "\x00\x00", "\x00\x09" },
		{ "\x00\x50", "\x00\x50" },
		{ "\x01\x00", "\x01\xff" },
		{ "\xff\x00", "\xff\xff" },
	};

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_ranges(f->batch, &INET, &ref, ranges, 4, 3);
	commit(f);
	assert_non_null(strstr(nft_env_list("-n list set inet tg s"),
		"elements = { 0-9, 80, 256-511, 65280-65535 }"));
}

static void
verdict_map_jumps_to_chains(void **state)
{
	struct fixture *f = *state;
	struct nft_set_spec spec = { .name = "m",
		.id = nft_batch_new_id(f->batch),
		.flags = NFT_SET_MAP,
		.key_type = 7,
		.key_len = 4,
		.data_type = NFT_DATA_VERDICT };
	struct nft_set_ref ref = { "m", spec.id, 4 };
	const struct nft_elem elems[] = {
		{ .key = "\x0a\0\0\x01",
			.has_verdict = true,
			.verdict = NFT_JUMP,
			.chain = "c" },
		{ .key = "\x0a\0\0\x02", .has_verdict = true, .verdict = NF_DROP },
	};
	struct nft_rule *rule = nft_rule_new();

	nft_rule_load_meta(rule, NFT_META_NFPROTO);
	nft_rule_cmp(rule, NFT_CMP_EQ, "\x02", 1);
	nft_rule_load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
	nft_rule_vmap(rule, &ref);
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	nft_batch_add_chain(f->batch, &INET, "d", NO_UDATA, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_elems(f->batch, &INET, &ref, elems, 2, 3);
	nft_batch_add_rule(
		f->batch, &INET, &(struct nft_rule_at){ .chain = "d" }, rule, 4);
	nft_rule_free(rule);
	commit(f);
	/* nft 1.1 breaks the line between the two. */
	assert_non_null(strstr(
		nft_env_list("list ruleset"), "elements = { 10.0.0.1 : jump c,"));
	assert_non_null(strstr(nft_env_list("list ruleset"), " 10.0.0.2 : drop }"));
	assert_non_null(strstr(nft_env_list("list ruleset"), "ip saddr vmap @m"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sets_of_many_elements_are_complete),
		CASE(error_names_the_element),
		CASE(ranges_reach_to_both_ends_of_the_key_space),
		CASE(verdict_map_jumps_to_chains),
	};

	return RUN_IN_NETNS(tests);
}
