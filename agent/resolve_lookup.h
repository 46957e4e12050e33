/*
 * resolve_lookup.h - single questions of resolve.c: answered by the cache, or by the
 * kernel if it may be asked. Acting module.
 *
 * Follows the kernel's events, which make answers invalid: addresses and routes one by
 * one or as a whole, everything when interfaces change or events were lost.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/iface.h"
#include "agent/packet_parse.h"
#include "agent/resolve.h"
#include "agent/resolve_cache.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/mono.h"
#include "common/ratelimit.h"

struct netlink;

struct resolve_lookup {
	struct iface_table *ifaces;   /* borrowed */
	struct netlink *nl;           /* questions; owned */
	struct netlink *events;       /* owned */
	struct loop_source *readable; /* of events; owned by the loop */
	struct resolve_cache cache;
	struct ratelimit limit;
	bool by_flow[2]; /* IPv4, IPv6: policy rules look at more than the destination
			  */
	struct resolve_stats stats;
};

/* Who asks. */
struct resolve_query {
	const struct packet_parse *parse; /* the packet; borrowed */
	struct mono now;
};

/** @ifaces is borrowed until it is closed. After a failure close it as well. */
int resolve_lookup_open(struct resolve_lookup *l, struct loop *loop,
	struct iface_table *ifaces, struct err *err);
void resolve_lookup_close(struct resolve_lookup *l);

/** The answer to @key (of any kind but a route): if the kernel may not be asked now,
 * what was true lately; else RESOLVE_NO. */
struct resolve_value resolve_look_up(struct resolve_lookup *l,
	const struct resolve_query *q, const struct resolve_key *key);

/** The route of q's packet, that reached our stack by @ifindex (0: an address of
 * ours?). Never RESOLVE_BY_FLOW. */
struct resolve_value resolve_look_up_route(
	struct resolve_lookup *l, const struct resolve_query *q, uint32_t ifindex);

/** AF_INET or AF_INET6, as the packet is. */
int resolve_family(const struct resolve_query *q);
