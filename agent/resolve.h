/*
 * resolve.h - by which port will a packet leave that was sampled where it came in, in
 * which VLANs is it, and by which route? Acting module.
 *
 * Asks the kernel as the packet will: bridge forwarding database, routing table and
 * neighbours, by netlink, for the sampled packet only. Answers are kept in a cache of
 * fixed size until the kernel reports a change. Questions are limited per second, so
 * that a storm of ever new destinations costs no more than that: what is not known then
 * goes out as unknown, and is counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/fib.h"
#include "agent/iface.h"
#include "agent/packet.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/mono.h"

struct resolve; /* owned by who opened it */

enum {
	RESOLVE_LOOKUPS_PER_S = 5000, /* about 2 % of a core */
	RESOLVE_LOOKUPS_BURST = 1000,
	RESOLVE_MAX_AGE_MS = 60000, /* of an answer, should an event be missed */
	RESOLVE_RETRY_MS = 1000,    /* of "the kernel does not know" */
};

/* Since resolve_open(). */
struct resolve_stats {
	uint64_t hits;    /* answers from the cache */
	uint64_t lookups; /* questions to the kernel */
	uint64_t failed;  /* of them, without an answer */
	uint64_t limited; /* not asked because of the limit */
	uint64_t changes; /* events that made answers invalid */
	struct fib_info fib;
};

/** @ifaces is borrowed until resolve_close(). NULL with the reason in @err. */
struct resolve *resolve_open(
	struct loop *loop, struct iface_table *ifaces, struct err *err);
/** Accepts NULL. */
void resolve_close(struct resolve *r);

/** Tell next hops and prefix lengths as long as the kernel's tables have at most
 * @max_routes prefixes (fib_limit()); 0 at first: never. */
void resolve_set_max_routes(struct resolve *r, size_t max_routes);

/**
 * Fill p->output if it is unknown, p->vlan and p->router, of a packet that came in by
 * interface @ifindex.
 *
 * Bridged    the port where the destination's address was learned; multicast, broadcast
 *            and unknown addresses: multiple
 * Routed     the port of the route; behind a bridge the port of the next hop
 * For us     internal
 * Else       stays unknown: nothing that we parse, no route, no answer, limit reached
 * A VLAN interface counts as the port below it; a bond stands for its members, unless
 * packets leave by one of them only.
 * VLANs      always of a bridged packet, else if there is one: the tags on the wire, or
 *            the VLAN that the bridge puts untagged packets into
 * Router     of packets that are routed on, as long as there is a copy of the routes
 * If p->output is known and is another, only what is seen of the packet itself is told.
 * Blocks     for as long as the kernel takes to look it up (microseconds, unless
 *            somebody holds its RTNL lock)
 */
void resolve_output(
	struct resolve *r, struct packet *p, uint32_t ifindex, struct mono now);

/** Fill p->input, if it is unknown, of a packet that left by interface @ifindex: the
 * bridge port of its source, or internal if we sent it; and its VLANs if it was
 * bridged.
 */
void resolve_input(
	struct resolve *r, struct packet *p, uint32_t ifindex, struct mono now);

/** Replace p->input, an interface that the packet has climbed to, by the port that it
 * came in by: that below a VLAN interface, or that of a bridge behind which its source
 * is; unknown if the bridge has not learned it. Any other stays. */
void resolve_origin(struct resolve *r, struct packet *p, struct mono now);

/** Counts since it was opened. */
void resolve_stats(const struct resolve *r, struct resolve_stats *ret);
