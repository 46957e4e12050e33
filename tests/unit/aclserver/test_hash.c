/*
 * test_hash.c - what changes a content hash and what does not.
 */
#include "aclserver/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ruleset_hash
hash_of(const char *a, const char *b)
{
	struct hash h;

	hash_init(&h);
	hash_add_text(&h, a);
	hash_add_text(&h, b);
	return hash_value(&h);
}

static int
equal(struct ruleset_hash a, struct ruleset_hash b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
the_same_content_has_the_same_hash(void **state)
{
	(void)state;
	assert_true(equal(hash_of("a", "b"), hash_of("a", "b")));
}

static void
other_content_has_another_hash(void **state)
{
	(void)state;
	assert_false(equal(hash_of("a", "b"), hash_of("b", "a")));
	assert_false(equal(hash_of("ab", ""), hash_of("a", "b")));
	assert_false(equal(hash_of(NULL, "a"), hash_of("", "a")));
}

static void
a_value_may_be_taken_on_the_way(void **state)
{
	struct ruleset_hash half, whole;
	struct hash h;

	(void)state;
	hash_init(&h);
	hash_add_text(&h, "a");
	half = hash_value(&h);
	hash_add_text(&h, "b");
	whole = hash_value(&h);
	assert_false(equal(half, whole));
	assert_true(equal(whole, hash_of("a", "b")));
}

static void
the_hash_of_nothing_is_not_zero(void **state)
{
	static const struct ruleset_hash zero;
	struct hash h;

	(void)state;
	hash_init(&h);
	assert_false(equal(hash_value(&h), zero));
}

/* What is installed in kernels is compared with what is computed today: a change here
 * replaces everything at the next start and wants a reason. */
static void
the_hash_is_that_of_earlier_versions(void **state)
{
	static const struct ruleset_hash known = {
		{ UINT64_C(0x474a64fd2e348d1c), UINT64_C(0xcaaa48a54d1431d8) },
	};

	(void)state;
	assert_true(equal(hash_of("-A FORWARD -j DROP", "x"), known));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_content_has_the_same_hash),
		cmocka_unit_test(other_content_has_another_hash),
		cmocka_unit_test(a_value_may_be_taken_on_the_way),
		cmocka_unit_test(the_hash_of_nothing_is_not_zero),
		cmocka_unit_test(the_hash_is_that_of_earlier_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
