/*
 * emit_fixture.h - for tests of the emitter: builds a rule of the model term by term,
 * installs it in a forward chain of a real kernel and compares what the nft tool lists.
 * Include after cmocka.h.
 */
#pragma once

#include <stdlib.h>

#include "aclserver/nft_emit.h"
#include "tests/unit/nft_env.h"

#include <linux/netfilter_bridge.h>

enum { TERMS_MAX = 8, RANGES_MAX = 8, TESTS_MAX = 4 };

/* A rule under construction, with the memory of its parts. */
struct model {
	struct ruleset_rule rule;
	struct ruleset_term terms[TERMS_MAX];
	struct ruleset_range ranges[TESTS_MAX][RANGES_MAX];
	size_t n_tests;
};

struct fixture {
	struct nft *nft;
	struct nft_batch *batch;
	struct model model;
	struct err err;
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->nft = nft_open(NULL);
	f->batch = nft_batch_new();
	f->model.rule.terms = f->model.terms;
	f->model.rule.text = "-A FORWARD";
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

static inline struct ruleset_term *
add_term(struct fixture *f, enum term_kind kind)
{
	struct ruleset_term *term = &f->model.terms[f->model.rule.n_terms++];

	assert_true(f->model.rule.n_terms <= TERMS_MAX);
	*term = (struct ruleset_term){ .kind = kind };
	return term;
}

/* A test of @field, without values yet. */
static inline struct ruleset_test *
add_test(struct fixture *f, enum field field)
{
	struct ruleset_test *test = &add_term(f, TERM_TEST)->test;

	test->field = field;
	test->ranges = f->model.ranges[f->model.n_tests++];
	assert_true(f->model.n_tests <= TESTS_MAX);
	return test;
}

/* @number as a value of @field: its last bytes, big endian. */
static inline void
put_number(enum field field, uint64_t number, uint8_t ret[FIELD_SIZE_MAX])
{
	uint8_t size = field_info(field)->size;

	for (size_t i = size; i-- > 0; number >>= 8)
		ret[i] = (uint8_t)number;
}

static inline void
add_range(struct ruleset_test *test, uint64_t lo, uint64_t hi)
{
	struct ruleset_range *range = &test->ranges[test->n_ranges++];

	assert_true(test->n_ranges <= RANGES_MAX);
	put_number(test->field, lo, range->lo);
	put_number(test->field, hi, range->hi);
}

/* "field == value". */
static inline struct ruleset_test *
add_equal(struct fixture *f, enum field field, uint64_t value)
{
	struct ruleset_test *test = add_test(f, field);

	add_range(test, value, value);
	return test;
}

static inline void
set_mask(struct ruleset_test *test, uint64_t mask)
{
	test->has_mask = true;
	put_number(test->field, mask, test->mask);
}

static inline void
add_bytes(struct ruleset_test *test, const void *lo, const void *hi)
{
	struct ruleset_range *range = &test->ranges[test->n_ranges++];

	memcpy(range->lo, lo, field_info(test->field)->size);
	memcpy(range->hi, hi, field_info(test->field)->size);
}

static inline void
add_ip4(struct fixture *f)
{
	add_equal(f, FIELD_L3PROTO, 0x0800);
}

static inline void
add_ip6(struct fixture *f)
{
	add_equal(f, FIELD_L3PROTO, 0x86dd);
}

static inline void
add_l4(struct fixture *f, uint8_t protocol)
{
	add_equal(f, FIELD_L4PROTO, protocol);
}

static inline int
emit_into(struct fixture *f, uint8_t family)
{
	struct nft_emit emit = {
		.batch = f->batch, .table = { family, "tg" }, .at = { .chain = "c" }
	};
	struct nft_base_chain chain = { .name = "c",
		.type = "filter",
		.hook = family == NFPROTO_BRIDGE ? NF_BR_FORWARD : NF_INET_FORWARD };

	nft_batch_reset(f->batch);
	nft_batch_add_table(f->batch, &emit.table, 1);
	nft_batch_add_base_chain(f->batch, &emit.table, &chain, 1);
	return nft_emit_rule(&emit, &f->model.rule, 2, &f->err);
}

/* True if @text is one of the lines of @lines. */
static inline bool
is_line_of(const char *text, const char *lines)
{
	size_t len = strlen(text);

	for (; lines; lines = strchr(lines, '\n'), lines += lines != NULL)
		if (strcspn(lines, "\n") == len && memcmp(lines, text, len) == 0)
			return true;
	return false;
}

/* Emit the rule, commit, and check the one rule that the tool then lists; @expected has
 * a line for each wording that versions of the tool have. */
static inline void
check_family(struct fixture *f, uint8_t family, const char *expected)
{
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	char command[256];
	const char *text = "";

	assert_int_equal(emit_into(f, family), 0);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	snprintf(command, sizeof(command),
		"nft -n list chain %s tg c | grep comment | sed 's/^\t*//; s/ comment "
		".*//' | tr -d '\\n'",
		family == NFPROTO_BRIDGE ? "bridge" : "inet");
	assert_int_equal(nft_env_run(command, &text), 0);
	if (!is_line_of(text, expected))
		assert_string_equal(text, expected);
	(void)nft_env_list("flush ruleset");
}

/* The same words in both families; then the model is new. */
static inline void
check(struct fixture *f, const char *expected)
{
	check_family(f, NFPROTO_INET, expected);
	check_family(f, NFPROTO_BRIDGE, expected);
	f->model.rule.n_terms = 0;
	f->model.n_tests = 0;
}

static inline void
check_only(struct fixture *f, uint8_t family, const char *expected)
{
	check_family(f, family, expected);
	f->model.rule.n_terms = 0;
	f->model.n_tests = 0;
}

static inline void
add_name(struct fixture *f, enum field field, const char *name, bool prefix)
{
	struct ruleset_test *test = &add_term(f, TERM_TEST)->test;

	*test = (struct ruleset_test){
		.field = field, .ifname = name, .prefix = prefix
	};
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Run @tests in a network namespace of their own; 77 when that is not possible. */
#define RUN_IN_NETNS(tests)                                                            \
	(nft_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : NFT_ENV_SKIP)
