/*
 * bridge_links.h - which VLAN devices lie on a bridge: what IP routes to one of them
 * leaves by a port of that bridge. Acting module (rtnetlink).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/nl.h"

/** Numbers of the devices, ascending. A number is not used again for another device
 * soon, so a device that goes and comes is not taken for the one before. */
struct bridge_links {
	uint32_t *vlans; /* owned */
	size_t n;
};

/** Read the links there are. 0, or negative errno with @err, then @ret is as before;
 * free with bridge_links_done(). */
int bridge_links_read(struct netlink *nl, struct bridge_links *ret, struct err *err);

/** Free; fine on a zeroed struct. */
void bridge_links_done(struct bridge_links *links);

/** True if both are of the same devices. */
bool bridge_links_equal(const struct bridge_links *a, const struct bridge_links *b);
