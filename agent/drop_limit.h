/*
 * drop_limit.h - how many discarded packets are told: a limit for all, shared so that
 * one noisy reason does not hide the others, and a breaker for storms. Pure: the caller
 * brings the time.
 *
 * A reason gets at most a share of the limit, and a quarter of it is kept for reasons
 * that have been told less than once in the last second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/sflow_reason.h"
#include "common/mono.h"
#include "common/ratelimit.h"

enum {
	DROP_LIMIT_ICMP = 16,   /* reasons 0..15 */
	DROP_LIMIT_FIRST = 256, /* then come 256..372 */
	DROP_LIMIT_REASONS =
		DROP_LIMIT_ICMP + SFLOW_REASON_BGP_FLOWSPEC - DROP_LIMIT_FIRST + 1,
};

struct drop_limit {
	struct ratelimit most;    /* three quarters of the limit, for everybody */
	struct ratelimit reserve; /* the rest, for those that are rare */
	struct {
		struct ratelimit share; /* what it may take of all */
		struct ratelimit rare;  /* one per second of the reserve */
	} reasons[DROP_LIMIT_REASONS];
};

/**
 * @per_s       all together, not 0; a second's worth may come at once
 * @share       of one reason per second; 0 = a quarter of @per_s, but at least 1
 */
void drop_limit_init(
	struct drop_limit *l, uint32_t per_s, uint32_t share, struct mono now);

/** True if a packet of @reason may be told now. */
bool drop_limit_pass(struct drop_limit *l, enum sflow_reason reason, struct mono now);

enum {
	DROP_BREAKER_FIRST_S = 5,  /* it stays open after a storm */
	DROP_BREAKER_MOST_S = 600, /* after several that followed one another */
	DROP_BREAKER_CALM_S = 60,  /* without a storm: the next one is a first one */
};

/* Opens when too much comes: then nothing is listened to for a while. */
struct drop_breaker {
	uint32_t max;     /* packets per second; 0 = it never opens */
	uint32_t trip;    /* seconds in a row */
	uint32_t over;    /* seconds in a row so far */
	uint32_t calm_s;  /* since it closed, up to DROP_BREAKER_CALM_S */
	uint32_t pause_s; /* how long it stays open the next time */
	uint32_t left_s;  /* until it closes; 0 = it is closed */
	uint64_t opened;  /* times */
};

/** Closed. */
void drop_breaker_init(struct drop_breaker *b, uint32_t max, uint32_t trip);

enum drop_breaker_event { DROP_BREAKER_STAYS, DROP_BREAKER_OPENS, DROP_BREAKER_CLOSES };

/** To be called once a second with the number of packets that came in it. */
enum drop_breaker_event drop_breaker_second(struct drop_breaker *b, uint64_t packets);
