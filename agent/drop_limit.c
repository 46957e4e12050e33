/*
 * drop_limit.c - shares of a limit by token buckets; seconds of a storm.
 */
#include "agent/drop_limit.h"

enum { SHARES = 4 }; /* a reason's part of the limit, and that of the reserve */

static uint32_t
at_least_one(uint32_t n)
{
	return n > 0 ? n : 1;
}

void
drop_limit_init(struct drop_limit *l, uint32_t per_s, uint32_t share, struct mono now)
{
	/* A limit of 1 cannot be shared. */
	uint32_t reserve = per_s > 1 ? at_least_one(per_s / SHARES) : 0;

	if (share == 0)
		share = at_least_one(per_s / SHARES);
	ratelimit_init(&l->most, per_s - reserve, per_s - reserve, now);
	ratelimit_init(&l->reserve, reserve, reserve, now);
	for (int i = 0; i < DROP_LIMIT_REASONS; i++) {
		ratelimit_init(&l->reasons[i].share, share, share, now);
		ratelimit_init(&l->reasons[i].rare, 1, 1, now);
	}
}

static int
slot_of(enum sflow_reason reason)
{
	unsigned code = (unsigned)reason;

	if (code < DROP_LIMIT_ICMP)
		return (int)code;
	if (code < DROP_LIMIT_FIRST || code > SFLOW_REASON_BGP_FLOWSPEC)
		code = SFLOW_REASON_UNKNOWN;
	return (int)(DROP_LIMIT_ICMP + code - DROP_LIMIT_FIRST);
}

bool
drop_limit_pass(struct drop_limit *l, enum sflow_reason reason, struct mono now)
{
	int i = slot_of(reason);
	bool is_rare = ratelimit_pass(&l->reasons[i].rare, now);

	if (!ratelimit_pass(&l->reasons[i].share, now))
		return false;
	if (ratelimit_pass(&l->most, now))
		return true;
	return is_rare && ratelimit_pass(&l->reserve, now);
}

void
drop_breaker_init(struct drop_breaker *b, uint32_t max, uint32_t trip)
{
	*b = (struct drop_breaker){
		.max = max,
		.trip = at_least_one(trip),
		.pause_s = DROP_BREAKER_FIRST_S,
	};
}

static enum drop_breaker_event
open_breaker(struct drop_breaker *b)
{
	b->left_s = b->pause_s;
	b->pause_s = b->pause_s * 2 < DROP_BREAKER_MOST_S ? b->pause_s * 2
							  : DROP_BREAKER_MOST_S;
	b->over = 0;
	b->calm_s = 0;
	b->opened++;
	return DROP_BREAKER_OPENS;
}

enum drop_breaker_event
drop_breaker_second(struct drop_breaker *b, uint64_t packets)
{
	if (b->left_s > 0)
		return --b->left_s == 0 ? DROP_BREAKER_CLOSES : DROP_BREAKER_STAYS;
	if (b->max > 0 && packets > b->max) {
		if (++b->over >= b->trip)
			return open_breaker(b);
		return DROP_BREAKER_STAYS;
	}
	b->over = 0;
	if (b->calm_s < DROP_BREAKER_CALM_S && ++b->calm_s == DROP_BREAKER_CALM_S)
		b->pause_s = DROP_BREAKER_FIRST_S;
	return DROP_BREAKER_STAYS;
}
