/*
 * dnssd_select.c - see dnssd_select.h.
 */
#include "agent/dnssd_select.h"

uint64_t
dnssd_select_seed(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	/* FNV leaves the low bits of short texts alike; fold the high ones in. */
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccd;
	return hash ^ hash >> 33;
}

/* The lowest priority with a usable candidate; above any priority if there is none. */
static unsigned
best_priority(const struct dnssd_candidate *all, unsigned n)
{
	unsigned best = UINT16_MAX + 1;

	for (unsigned i = 0; i < n; i++)
		if (all[i].usable && all[i].priority < best)
			best = all[i].priority;
	return best;
}

/* Of the chosen ones keep the one into whose share @at falls. */
static void
keep_one(struct dnssd_candidate *all, unsigned n, uint64_t at)
{
	bool kept = false;

	for (unsigned i = 0; i < n; i++) {
		if (!all[i].chosen)
			continue;
		if (kept || at >= all[i].weight) {
			all[i].chosen = false;
			at -= kept ? 0 : all[i].weight;
		} else {
			kept = true;
		}
	}
}

void
dnssd_select(struct dnssd_candidate *all, unsigned n, uint64_t seed)
{
	unsigned best = best_priority(all, n);
	uint64_t sum = 0;
	int weight = -1;
	bool equal = true;

	for (unsigned i = 0; i < n; i++) {
		all[i].chosen = all[i].usable && all[i].priority == best;
		if (!all[i].chosen)
			continue;
		if (weight >= 0 && all[i].weight != weight)
			equal = false;
		weight = all[i].weight;
		sum += all[i].weight;
	}
	if (!equal)
		keep_one(all, n, seed % sum); /* one weight at least is not 0 */
}
