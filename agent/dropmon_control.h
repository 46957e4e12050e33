/*
 * dropmon_control.h - turns the kernel's drop monitor on and off. Acting module.
 *
 * There is one for the whole machine, and it has no owner: whoever comes first sets it
 * up, and the settings stay until it is stopped. We recognise ours by the length of its
 * queue, which nobody else would choose, so that what a killed agent left is found and
 * what others run is left alone. When we stop it, the kernel's own settings are put
 * back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct dropmon_control; /* owned by who opened it */

struct dropmon_wish {
	bool sw, hw;          /* what is to be monitored by us */
	bool force;           /* stop what others run */
	uint32_t trunc_bytes; /* wanted of each packet */
};

enum dropmon_owner {
	DROPMON_NOBODY,      /* it is off, or we do not know */
	DROPMON_OURS,        /* it runs as we wish */
	DROPMON_OTHERS,      /* it runs and tells packets */
	DROPMON_OTHERS_SUMS, /* it runs and tells sums only: nothing for us */
};

/** NULL with the reason: -ENOENT if the kernel has no drop monitor. */
struct dropmon_control *dropmon_control_open(struct err *err);
/** Number of the generic netlink family, in the type of its messages. */
uint16_t dropmon_control_family(const struct dropmon_control *c);
/** Accepts NULL. What was started goes on, see dropmon_control_stop(). */
void dropmon_control_close(struct dropmon_control *c);

/**
 * Make it run as @wish says, if it does not; to be called again from time to time, for
 * others may start and stop it.
 *
 * Privilege  CAP_NET_ADMIN, unless nothing is wished
 * Returns    0 and whose it is; negative errno with the reason, then DROPMON_NOBODY
 */
int dropmon_control_claim(struct dropmon_control *c, const struct dropmon_wish *wish,
	enum dropmon_owner *ret_owner, struct err *err);

/** Stop it if it is ours. 0 or negative errno with the reason. */
int dropmon_control_stop(struct dropmon_control *c, struct err *err);

/** Packets that the kernel could not tell for lack of room, since it was loaded. */
int dropmon_control_lost(struct dropmon_control *c, uint64_t *ret_lost);
