/*
 * test_resolve_cache.c - answers that are kept, become stale and give way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "agent/resolve_cache.h"

static struct resolve_key
key_of(enum resolve_kind kind, uint32_t number)
{
	struct resolve_key key = { .kind = (uint8_t)kind };

	memcpy(key.dst, &number, sizeof(number));
	return key;
}

static struct mono
at(int64_t ms)
{
	return (struct mono){ ms * 1000000 };
}

static void
put(struct resolve_cache *c, const struct resolve_key *key, uint32_t ifindex,
	int64_t ms)
{
	const struct resolve_value v = { .answer = RESOLVE_PORT, .ifindex = ifindex };

	resolve_cache_put(c, key, &v, at(ms), at(ms + 1000));
}

static void
an_answer_is_found_until_its_time_is_over(void **state)
{
	const struct resolve_key key = key_of(RESOLVE_ROUTE, 1);
	const struct resolve_value *v;
	struct resolve_cache c;
	bool stale;

	(void)state;
	assert_int_equal(resolve_cache_init(&c), 0);
	assert_null(resolve_cache_find(&c, &key, at(0), &stale));
	put(&c, &key, 7, 0);
	v = resolve_cache_find(&c, &key, at(1000), &stale);
	assert_non_null(v);
	assert_int_equal(v->ifindex, 7);
	assert_false(stale);
	v = resolve_cache_find(&c, &key, at(1001), &stale);
	assert_non_null(v);
	assert_true(stale);
	resolve_cache_done(&c);
}

static void
a_change_makes_answers_of_its_kind_stale(void **state)
{
	const struct resolve_key route = key_of(RESOLVE_ROUTE, 1);
	const struct resolve_key fdb = key_of(RESOLVE_FDB, 1);
	struct resolve_cache c;
	bool stale;

	(void)state;
	assert_int_equal(resolve_cache_init(&c), 0);
	put(&c, &route, 7, 0);
	put(&c, &fdb, 8, 0);
	resolve_cache_expire(&c, RESOLVE_ROUTE);
	assert_int_equal(resolve_cache_find(&c, &route, at(1), &stale)->ifindex, 7);
	assert_true(stale);
	assert_int_equal(resolve_cache_find(&c, &fdb, at(1), &stale)->ifindex, 8);
	assert_false(stale);
	put(&c, &route, 9, 1);
	assert_int_equal(resolve_cache_find(&c, &route, at(2), &stale)->ifindex, 9);
	assert_false(stale);
	resolve_cache_drop(&c, &route);
	assert_null(resolve_cache_find(&c, &route, at(2), &stale));
	resolve_cache_done(&c);
}

/* More answers than there are places: those in use stay. */
static void
the_least_used_answer_gives_way(void **state)
{
	const uint32_t n = 4 * RESOLVE_CACHE_SETS * RESOLVE_CACHE_WAYS;
	const struct resolve_key used = key_of(RESOLVE_FDB, UINT32_MAX);
	struct resolve_cache c;
	uint32_t found = 0;
	bool stale;

	(void)state;
	assert_int_equal(resolve_cache_init(&c), 0);
	put(&c, &used, 1, 0);
	for (uint32_t i = 0; i < n; i++) {
		const struct resolve_key key = key_of(RESOLVE_FDB, i);

		put(&c, &key, i, i + 1);
		assert_non_null(resolve_cache_find(&c, &used, at(i + 1), &stale));
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct resolve_key key = key_of(RESOLVE_FDB, i);
		const struct resolve_value *v =
			resolve_cache_find(&c, &key, at(n), &stale);

		if (v)
			assert_int_equal(v->ifindex, i);
		found += v != NULL;
	}
	assert_in_range(found, n / 4 * 9 / 10, n / 4 - 1);
	resolve_cache_done(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_until_its_time_is_over),
		cmocka_unit_test(a_change_makes_answers_of_its_kind_stale),
		cmocka_unit_test(the_least_used_answer_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
