/*
 * ruleset_diff.c - longest increasing subsequence over content hashes; see
 * ruleset_diff.h.
 */
#include "aclserver/ruleset_diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

struct keyed {
	struct ruleset_hash hash;
	int index; /* in the list of installed rules */
};

static int
compare_hash(const struct ruleset_hash *a, const struct ruleset_hash *b)
{
	for (int i = 0; i < 2; i++)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

static int
compare_keyed(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;
	int order = compare_hash(&a->hash, &b->hash);

	return order ? order : a->index - b->index;
}

/* First entry of @sorted that is not below @hash. */
static size_t
lower_bound(const struct keyed *sorted, size_t n, const struct ruleset_hash *hash)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_hash(&sorted[mid].hash, hash) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Pair every wanted rule with an installed one of the same content, or none: the k-th
 * of several equal rules with the k-th installed. @used counts, at the first of equal
 * entries, how many are taken. */
static void
pair_rules(const struct keyed *sorted, size_t n_old, const struct ruleset_rule *want,
	size_t n_want, int *used, int *ret)
{
	for (size_t i = 0; i < n_want; i++) {
		size_t at = lower_bound(sorted, n_old, &want[i].hash);
		size_t pick;

		ret[i] = RULESET_DIFF_NONE;
		if (at == n_old)
			continue;
		pick = at + (size_t)used[at];
		if (pick >= n_old ||
			compare_hash(&sorted[pick].hash, &want[i].hash) != 0)
			continue;
		ret[i] = sorted[pick].index;
		used[at]++;
	}
}

/* Reduce @ret to its longest increasing subsequence. @tail and @previous have n
 * entries. */
static int
keep_increasing(int *ret, size_t n, size_t *tail, size_t *previous)
{
	size_t length = 0, at = n, kept;

	for (size_t i = 0; i < n; i++) {
		size_t lo = 0, hi = length;

		if (ret[i] == RULESET_DIFF_NONE)
			continue;
		while (lo < hi) {
			size_t mid = lo + (hi - lo) / 2;

			if (ret[tail[mid]] < ret[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		previous[i] = lo > 0 ? tail[lo - 1] : n;
		tail[lo] = i;
		if (lo == length)
			length++;
	}
	kept = length;
	if (length > 0)
		at = tail[length - 1];
	for (size_t i = n; i-- > 0;) {
		if (i == at)
			at = previous[i];
		else
			ret[i] = RULESET_DIFF_NONE;
	}
	return (int)kept;
}

int
ruleset_diff(const struct ruleset_hash *old, size_t n_old,
	const struct ruleset_rule *want, size_t n_want, int *ret)
{
	AUTO_FREE struct keyed *sorted = calloc(n_old + 1, sizeof(*sorted));
	AUTO_FREE int *used = calloc(n_old + 1, sizeof(*used));
	AUTO_FREE size_t *work = calloc(2 * n_want + 1, sizeof(*work));

	if (!sorted || !used || !work)
		return -ENOMEM;
	for (size_t i = 0; i < n_old; i++)
		sorted[i] = (struct keyed){ .hash = old[i], .index = (int)i };
	qsort(sorted, n_old, sizeof(*sorted), compare_keyed);
	pair_rules(sorted, n_old, want, n_want, used, ret);
	return keep_increasing(ret, n_want, work, work + n_want);
}
