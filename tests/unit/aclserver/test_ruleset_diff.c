/*
 * test_ruleset_diff.c - unit tests of ruleset_diff: what stays, what goes, and that
 * nothing crosses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/ruleset_diff.h"

enum { RULES_MAX = 64 };

/* Rules named by one letter each. */
struct lists {
	struct ruleset_hash old[RULES_MAX];
	struct ruleset_rule want[RULES_MAX];
	size_t n_old, n_want;
	int match[RULES_MAX];
};

static void
set_lists(struct lists *lists, const char *old, const char *want)
{
	memset(lists, 0, sizeof(*lists));
	lists->n_old = strlen(old);
	lists->n_want = strlen(want);
	for (size_t i = 0; i < lists->n_old; i++)
		lists->old[i].w[1] = (uint64_t)(unsigned char)old[i];
	for (size_t i = 0; i < lists->n_want; i++)
		lists->want[i].hash.w[1] = (uint64_t)(unsigned char)want[i];
}

static int
run(struct lists *lists)
{
	return ruleset_diff(
		lists->old, lists->n_old, lists->want, lists->n_want, lists->match);
}

/* @expected: per wanted rule the digit of the old one that stays, or '.'. */
static void
assert_diff(const char *old, const char *want, const char *expected)
{
	struct lists lists;
	int kept = 0;

	set_lists(&lists, old, want);
	for (const char *p = expected; *p; p++)
		kept += *p != '.';
	assert_int_equal(run(&lists), kept);
	for (size_t i = 0; i < lists.n_want; i++)
		assert_int_equal(lists.match[i],
			expected[i] == '.' ? RULESET_DIFF_NONE : expected[i] - '0');
}

static void
equal_lists_stay_whole(void **state)
{
	(void)state;
	assert_diff("abc", "abc", "012");
	assert_diff("", "", "");
}

static void
a_rule_added_anywhere_leaves_the_others(void **state)
{
	(void)state;
	assert_diff("abc", "xabc", ".012");
	assert_diff("abc", "axbc", "0.12");
	assert_diff("abc", "abcx", "012.");
	assert_diff("", "ab", "..");
}

static void
a_rule_removed_leaves_the_others(void **state)
{
	(void)state;
	assert_diff("abc", "ac", "02");
	assert_diff("abc", "", "");
	assert_diff("abcd", "d", "3");
}

static void
edits_at_two_places_keep_what_is_between(void **state)
{
	(void)state;
	assert_diff("abcdef", "xbcdey", ".1234.");
}

static void
a_moved_rule_is_added_again_and_the_longer_part_stays(void **state)
{
	(void)state;
	assert_diff("abcd", "bcda", "123.");
	assert_diff("abcd", "dabc", ".012");
}

static void
equal_rules_are_paired_in_order(void **state)
{
	(void)state;
	assert_diff("aa", "aaa", "01.");
	assert_diff("aba", "aa", "02");
	assert_diff("aaa", "a", "0");
}

static size_t
longest_common(const char *a, const char *b)
{
	size_t best[RULES_MAX + 1] = { 0 };

	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = 0;

		for (size_t j = 0; b[j]; j++) {
			size_t up = best[j + 1];

			if (a[i] == b[j])
				best[j + 1] = diagonal + 1;
			else if (best[j] > up)
				best[j + 1] = best[j];
			diagonal = up;
		}
	}
	return best[strlen(b)];
}

/* Letters without repetition: then the result is the longest common subsequence. */
static void
shuffle(char *text, size_t n, unsigned *seed)
{
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('A' + i);
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = (size_t)rand_r(seed) % (i + 1);
		char c = text[i];

		text[i] = text[j];
		text[j] = c;
	}
	text[n / 2 + (size_t)rand_r(seed) % (n / 2)] = '\0';
}

static void
as_many_rules_stay_as_possible(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char old[RULES_MAX] = "", want[RULES_MAX] = "";
		struct lists lists;
		int last = -1;

		shuffle(old, 24, &seed);
		shuffle(want, 24, &seed);
		set_lists(&lists, old, want);
		assert_int_equal(run(&lists), longest_common(old, want));
		for (size_t i = 0; i < lists.n_want; i++) {
			if (lists.match[i] == RULESET_DIFF_NONE)
				continue;
			assert_true(lists.match[i] > last);
			assert_int_equal(old[lists.match[i]], want[i]);
			last = lists.match[i];
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_lists_stay_whole),
		cmocka_unit_test(a_rule_added_anywhere_leaves_the_others),
		cmocka_unit_test(a_rule_removed_leaves_the_others),
		cmocka_unit_test(edits_at_two_places_keep_what_is_between),
		cmocka_unit_test(a_moved_rule_is_added_again_and_the_longer_part_stays),
		cmocka_unit_test(equal_rules_are_paired_in_order),
		cmocka_unit_test(as_many_rules_stay_as_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
