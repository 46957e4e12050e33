/*
 * bridge_links.h - which links stand on others, as far as rules have to know: VLAN
 * devices that lie on a bridge, as what IP routes to one of them leaves by a port of
 * that bridge; and members of bonds and teams, as their packets come in by the bond.
 * Acting module (rtnetlink).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/nl.h"

enum { LINK_NAME_SIZE = 16 }; /* IFNAMSIZ */

/** A member of a bond or a team. */
struct link_member {
	char name[LINK_NAME_SIZE];
	char bond[LINK_NAME_SIZE];
};

struct bridge_links {
	uint32_t *vlans; /* numbers of the devices, ascending; owned. A number is not
			    used again for another device soon, so a device that goes
			    and comes is not taken for the one before */
	size_t n;
	struct link_member *members; /* by name; owned */
	size_t n_members;
};

/** Read the links there are. 0, or negative errno with @err, then @ret is as before;
 * free with bridge_links_done(). */
int bridge_links_read(struct netlink *nl, struct bridge_links *ret, struct err *err);

/** Free; fine on a zeroed struct. */
void bridge_links_done(struct bridge_links *links);

/** The one of members that is called @name, or NULL. */
const struct link_member *bridge_links_member(
	const struct bridge_links *links, const char *name);

/** True if both are of the same VLAN devices. */
bool bridge_links_equal(const struct bridge_links *a, const struct bridge_links *b);
