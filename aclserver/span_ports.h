/*
 * span_ports.h - binds the rules that copy frames to the ports there are.
 *
 * In "netdev tapgate" the chains "port_in" and "port_out" call those of the policy
 * files, as a base does elsewhere; but a hook of netdev belongs to one device. So every
 * device has a chain "port_in.NAME" and "port_out.NAME" of its own, which jumps there,
 * and the map "span_ports" has its number, which copies are sent to. This follows the
 * devices as they come and go; rules name them and stay as they are. Acting module.
 */
#pragma once

#include <stdbool.h>

#include "aclserver/hash.h"
#include "common/err.h"
#include "common/nft.h"

/** Name of the map from names to numbers of devices. */
#define SPAN_PORTS_MAP "span_ports"

/** What was bound last. */
struct span_ports {
	struct ruleset_hash links; /* of the devices there were */
	bool bound;                /* the kernel has our hooks */
};

/** Append the map, which has to be there before the rules that look it up. */
void span_ports_build(struct nft_batch *batch, const struct nft_table *table);

/** True for the name of a device's own chain. */
bool span_ports_is_hook(const char *chain);

/**
 * Make the hooks in @table fit the devices there are; nothing when these are as last
 * time, unless @again. Returns 0, or negative errno with @err: it is then worth another
 * try.
 */
int span_ports_bind(struct span_ports *ports, struct nft *nft,
	const struct nft_table *table, bool again, struct err *err);

/** Remove tunnels of ours into which no rule of @table copies, and make those that are
 * missing. 0 or negative errno with @err. */
int span_ports_tunnels(struct nft *nft, const struct nft_table *table, struct err *err);

/** Remove @table, which has no rule any more, and all tunnels. 0 or negative errno with
 * @err. */
int span_ports_unbind(struct span_ports *ports, struct nft *nft,
	const struct nft_table *table, struct err *err);
