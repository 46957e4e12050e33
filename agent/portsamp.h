/*
 * portsamp.h - sampling by the switch chip of a Cumulus Linux system, for the psample
 * source. Acting module.
 *
 * There switchd owns the chip, and its program portsamp sets the rate of a port; what
 * is sampled comes by PSAMPLE as from any driver. It is run for each port whose rate
 * changes, one at a time, beside the loop. It needs root. Whether it samples is only
 * known by its exit status: a port for which it fails is refused, and tried again once
 * in a while.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source.h"
#include "common/err.h"
#include "common/loop.h"

#define PORTSAMP_PROGRAM "/usr/lib/cumulus/portsamp"

enum {
	PORTSAMP_TIME_MS = 10000,  /* for one run */
	PORTSAMP_STOP_MS = 30000,  /* for all runs of portsamp_close() */
	PORTSAMP_RETRY_TICKS = 60, /* seconds until what failed is tried again */
};

struct portsamp; /* owned by who opened it */

/** True if this system has the program. */
bool portsamp_is_there(void);

/** For packets that enter ports, into psample's group @group. NULL with the reason in
 * @err. */
struct portsamp *portsamp_open(struct loop *loop, uint32_t group, struct err *err);

/** Have no port sampled any more; waits for that. Accepts NULL. */
void portsamp_close(struct portsamp *p);

/** Have exactly these ports sampled, sorted by ifindex; only differences take a run. */
void portsamp_set(struct portsamp *p, const struct source_port *ports, size_t n);

/** Once a second. */
void portsamp_tick(struct portsamp *p);

/** Ports for which the program failed. */
size_t portsamp_failed(const struct portsamp *p);

/** True if port @ifindex is sampled, or is about to be. */
bool portsamp_samples(const struct portsamp *p, uint32_t ifindex);

/** Turn sampling off on all ports, if the program is there: after a crash. 0; negative
 * errno with the reason. */
int portsamp_remove(struct err *err);
