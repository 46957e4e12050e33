/*
 * link_stats_msg.h - RTM_GETSTATS and its answers: counters of a link. Pure.
 *
 * Source: linux/if_link.h (struct rtnl_link_stats64, IFLA_STATS_…), linux/if_bonding.h.
 */
#pragma once

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/counters.h"
#include "common/nl_build.h"

/* The statistics of one link. */
struct link_stats {
	uint32_t index;
	bool has_link; /* link is valid */
	struct rtnl_link_stats64 link;
	bool has_lacp; /* the members of lag that are counters are valid */
	struct lag_port lacp;
};

/* What to ask for. */
enum link_stats_filter {
	LINK_STATS_LINK = 1 << (IFLA_STATS_LINK_64 - 1),
	LINK_STATS_MEMBER = 1 << (IFLA_STATS_LINK_XSTATS_SLAVE - 1),
};

/** Append a request for link @ifindex, or with 0 for all (a dump). */
void link_stats_build(struct nlbuild *b, uint32_t ifindex, unsigned filter);

/** Decode an answer. 0; -EBADMSG. */
int link_stats_decode(const struct nlmsghdr *h, struct link_stats *ret);
