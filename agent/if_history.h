/*
 * if_history.h - what the counters of a port were when they were read last. Pure.
 *
 * Tells when counters began anew (another driver, another device), which the sequence
 * of samples must show, and keeps counters that are differences of others from going
 * backwards.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/counters.h"

struct if_history {
	bool is_valid;  /* there was an earlier reading */
	unsigned known; /* which counters of packets were known */
	uint64_t in_octets;
	uint64_t out_octets;
	uint64_t in_unicast;
	uint64_t out_unicast;
};

/**
 * Compare a new reading with the last one and remember it.
 *
 * @c       unicast may be raised: it is the difference of counters that the kernel does
 *          not read at the same moment, and a step back would look like 2^32 packets
 * Returns  true if the counters began anew, or others than before are known
 */
bool if_history_update(struct if_history *h, struct if_counters *c);
