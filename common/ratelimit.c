/*
 * ratelimit.c - token bucket in exact integers.
 *
 * With credit in billionths of a token, a nanosecond at N tokens per second gains N, so
 * nothing is ever rounded away, however often the bucket is asked.
 */
#include "common/ratelimit.h"

static const uint64_t token = 1000000000;

static void
refill(struct ratelimit *r, struct mono now)
{
	uint64_t full = r->burst * token; /* 2^32 tokens still fit into 64 bit */
	uint64_t elapsed_ns;

	if (!mono_before(r->last, now))
		return;
	elapsed_ns = (uint64_t)now.ns - (uint64_t)r->last.ns;
	r->last = now;
	/* The comparison divides because the product of a long pause would overflow. */
	if (r->per_s && elapsed_ns > (full - r->credit) / r->per_s)
		r->credit = full;
	else
		r->credit += elapsed_ns * r->per_s;
}

void
ratelimit_init(struct ratelimit *r, uint32_t per_s, uint32_t burst, struct mono now)
{
	r->per_s = per_s;
	r->burst = burst;
	r->credit = burst * token;
	r->last = now;
	r->refused = 0;
}

bool
ratelimit_pass(struct ratelimit *r, struct mono now)
{
	refill(r, now);
	if (r->credit < token) {
		r->refused++;
		return false;
	}
	r->credit -= token;
	return true;
}

uint64_t
ratelimit_take_refused(struct ratelimit *r)
{
	uint64_t refused = r->refused;

	r->refused = 0;
	return refused;
}
