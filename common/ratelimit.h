/*
 * ratelimit.h - token bucket, for log lines and the packet path. Pure: the caller
 * brings the time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/mono.h"

struct ratelimit {
	uint32_t per_s; /* tokens gained per second; 0 = nothing passes after the burst
			 */
	uint32_t burst; /* bucket depth */
	int64_t credit_ns; /* present content in nanoseconds of rate */
	struct mono last;  /* when credit was computed */
	uint64_t refused;  /* how many ratelimit_pass() said no since
			      ratelimit_take_refused() */
};

/** A full bucket. */
void ratelimit_init(
	struct ratelimit *r, uint32_t per_s, uint32_t burst, struct mono now);
/** Take one token; false if the bucket is empty (counted in @refused). */
bool ratelimit_pass(struct ratelimit *r, struct mono now);
/** How many were refused since the last call; for "N more suppressed". */
uint64_t ratelimit_take_refused(struct ratelimit *r);
