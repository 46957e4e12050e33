/*
 * iface_watch.h - keeps the interface table as the kernel has it. Acting module.
 *
 * Dumps links, addresses and speeds at the start, then follows the kernel's events.
 * When events were lost it dumps again and works out what changed, so that observers of
 * the table see the same as if nothing had been lost.
 */
#pragma once

#include <stdint.h>

#include "agent/iface.h"
#include "common/err.h"
#include "common/loop.h"

struct iface_watch; /* owned by who started it */

/* Since the start. */
struct iface_watch_stats {
	uint64_t events;    /* messages about links, addresses, speeds */
	uint64_t overruns;  /* times events were lost */
	uint64_t dumps;     /* complete readings */
	uint64_t malformed; /* messages that could not be decoded */
};

/** How much the event socket may hold; 0 = 4 MB, or what the system allows. */
struct iface_watch_options {
	size_t receive_bytes;
};

/**
 * Fill @table and keep it up to date from the callbacks of @loop.
 *
 * @options  NULL = defaults
 * Speeds    are unknown (0) where the kernel has no ethtool netlink; logged once
 * Returns   NULL with the reason in @err
 */
struct iface_watch *iface_watch_start(struct loop *loop, struct iface_table *table,
	const struct iface_watch_options *options, struct err *err);

/** Accepts NULL. The table keeps what it has. */
void iface_watch_stop(struct iface_watch *w);

/** Borrowed; lives as long as @w. */
const struct iface_watch_stats *iface_watch_stats(const struct iface_watch *w);
