/*
 * poll_wheel.h - which data source is due when. State module.
 *
 * Time is cut into ticks; a wheel of slots holds the sources by the tick in which they
 * are due, so that each costs the same however many there are. A source is due first in
 * the next tick, then at its own phase of its interval. Phases follow the golden ratio,
 * which spreads any number of sources evenly, whenever each of them came.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/if_history.h"
#include "common/mono.h"

enum {
	POLL_TICK_MS = 500,
	POLL_INTERVAL_MAX_S = 300,
	POLL_SLOTS = 1024, /* more ticks than the longest interval has */
	POLL_BUCKETS = 512,
	POLL_HOST = 0, /* key of the host; ports have their ifIndex */
};

/* One data source. */
struct poll_entry {
	uint32_t key;
	uint32_t interval_s;
	uint32_t order;            /* of its coming; decides its phase */
	uint64_t due;              /* tick */
	struct if_history history; /* for the poller */
	struct poll_entry *next;   /* in the bucket of its key */
	struct poll_entry *prev_in_slot, *next_in_slot;
};

struct poll_wheel {
	struct mono start; /* of tick 0 */
	uint64_t tick;     /* up to which all that was due was taken */
	uint32_t n_orders; /* given out */
	size_t n;          /* entries */
	struct poll_entry *slots[POLL_SLOTS];
	struct poll_entry *buckets[POLL_BUCKETS]; /* owned */
};

/** No sources; the first tick begins @now. */
void poll_wheel_init(struct poll_wheel *w, struct mono now);
/** Forget all sources. */
void poll_wheel_done(struct poll_wheel *w);

/** NULL if @key is not polled. */
struct poll_entry *poll_wheel_find(const struct poll_wheel *w, uint32_t key);

/**
 * Poll @key every @interval_s seconds, 0 = no more; longer ones than
 * POLL_INTERVAL_MAX_S are cut. Nothing happens if that is so already. Another interval
 * takes effect at its next phase, a new source in the next tick. 0 or -ENOMEM.
 */
int poll_wheel_set(
	struct poll_wheel *w, uint32_t key, uint32_t interval_s, struct mono now);

/** True if there are sources; then *@ret_when is when the next one is due. */
bool poll_wheel_next(const struct poll_wheel *w, struct mono *ret_when);

/** The next source that is due at @now, and due again later; NULL if there is none. */
struct poll_entry *poll_wheel_take(struct poll_wheel *w, struct mono now);
