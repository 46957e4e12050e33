/*
 * nft_fixture.h - what the tests of common/nft* against the kernel begin with: a
 * socket, an empty batch and shorthands. Include after cmocka.h.
 */
#pragma once

#include <stdlib.h>

#include "common/nft_expr.h"
#include "tests/unit/nft_env.h"

static const struct nft_table INET = { NFPROTO_INET, "tg" };
static const struct nft_table BRIDGE = { NFPROTO_BRIDGE, "tg" };
static const struct nft_blob NO_UDATA;

struct fixture {
	struct nft *nft;
	struct nft_batch *batch;
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->nft = nft_open(NULL);
	f->batch = nft_batch_new();
	*state = f;
	return f->nft && f->batch ? 0 : -1;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)nft_env_list("flush ruleset");
	nft_close(f->nft);
	nft_batch_free(f->batch);
	free(f);
	return 0;
}

/* Commit what is in the batch, which must go in, and start a new one. */
static inline void
commit(struct fixture *f)
{
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	assert_int_equal(nft_batch_status(f->batch, NULL), 0);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	assert_int_equal(result.outcome, NFT_OUTCOME_DONE);
	nft_result_done(&result);
	nft_batch_reset(f->batch);
}

/* A rule that only counts, with a start value that tells it from others. */
static inline void
add_counting(struct fixture *f, const struct nft_rule_at *at, uint64_t packets,
	uint64_t cookie)
{
	struct nft_rule *rule = nft_rule_new();

	nft_rule_counter(rule, packets, 0);
	nft_batch_add_rule(f->batch, &INET, at, rule, cookie);
	nft_rule_free(rule);
}

static inline void
add_jump(struct fixture *f, const struct nft_rule_at *at, const char *to,
	uint64_t cookie)
{
	struct nft_rule *rule = nft_rule_new();

	nft_rule_verdict(rule, NFT_JUMP, to);
	nft_batch_add_rule(f->batch, &INET, at, rule, cookie);
	nft_rule_free(rule);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Run @tests in a network namespace of their own; 77 when that is not possible. */
#define RUN_IN_NETNS(tests)                                                            \
	(nft_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : NFT_ENV_SKIP)
