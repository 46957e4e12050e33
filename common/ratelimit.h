/*
 * ratelimit.h - token bucket, for log lines and the packet path. Pure: the caller
 * brings the time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/mono.h"

/** A bucket; its members are for ratelimit.c only. */
struct ratelimit {
	uint32_t per_s;  /* tokens gained per second; 0 = none after the burst */
	uint32_t burst;  /* bucket depth in tokens */
	uint64_t credit; /* present content in 10^-9 tokens, so that no rounding adds up
			  */
	struct mono last; /* when credit was computed */
	uint64_t refused; /* not passed since ratelimit_take_refused() */
};

/** Start with a full bucket of @burst tokens that gains @per_s tokens per second. */
void ratelimit_init(
	struct ratelimit *r, uint32_t per_s, uint32_t burst, struct mono now);

/** Take one token; false if the bucket is empty (counted in @refused). A @now before
 * that of an earlier call gains nothing. */
bool ratelimit_pass(struct ratelimit *r, struct mono now);

/** How many were refused since the last call; for "N more suppressed". */
uint64_t ratelimit_take_refused(struct ratelimit *r);
