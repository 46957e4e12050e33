/*
 * placement.h - which rule goes to which hook and family: the one table.
 *
 * A base is a base chain of ours; a place is a base and the group inside it. In a base
 * the chains of the policy files are called group by group (iptables and ip6tables
 * before ebtables), and in byte order of the file names inside a group. ACCEPT ends a
 * base, so an iptables ACCEPT also ends the ebtables rules of the same hook. mangle and
 * filter are separate bases, mangle first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/policy.h"

enum base {
	BASE_INET_PREROUTING_MANGLE,
	BASE_INET_INPUT_MANGLE,
	BASE_INET_INPUT_FILTER,
	BASE_INET_FORWARD_MANGLE,
	BASE_INET_FORWARD_FILTER,
	BASE_INET_OUTPUT_MANGLE,
	BASE_INET_OUTPUT_FILTER,
	BASE_INET_POSTROUTING_MANGLE,
	BASE_BRIDGE_PREROUTING_MANGLE,
	BASE_BRIDGE_INPUT_FILTER,
	BASE_BRIDGE_FORWARD_MANGLE,
	BASE_BRIDGE_FORWARD_FILTER,
	BASE_BRIDGE_OUTPUT_FILTER,
	BASE_BRIDGE_POSTROUTING_MANGLE,
	BASE_BRIDGE_PREROUTING_MARK, /* marks of [ebtables], ahead of the IP rules */
	BASE_BRIDGE_FORWARD_MARK,
	BASE_INET_PREROUTING_NAT,
	BASE_INET_INPUT_NAT,
	BASE_INET_OUTPUT_NAT,
	BASE_INET_POSTROUTING_NAT,
	BASE_BRIDGE_PREROUTING_NAT,
	BASE_BRIDGE_OUTPUT_NAT,
	BASE_BRIDGE_POSTROUTING_NAT,
	BASE_NETDEV_PORT_IN, /* of every device: see span_ports.h */
	BASE_NETDEV_PORT_OUT,
	/* FORWARD of packets that are routed and leave by a bridge */
	BASE_INET_FORWARD_STATE_MANGLE, /* rules that the bridge cannot have */
	BASE_INET_FORWARD_STATE,
	BASE_BRIDGE_ROUTED_MANGLE, /* all others */
	BASE_BRIDGE_ROUTED_FILTER,
	BASE_COUNT,
};

enum place_group {
	PLACE_GROUP_IP, /* from [iptables] and [ip6tables] */
	PLACE_GROUP_EB, /* from [ebtables]; bridge family only */
	PLACE_GROUP_COUNT,
};

/** base * PLACE_GROUP_COUNT + group; not every combination is used. */
enum place { PLACE_COUNT = BASE_COUNT * PLACE_GROUP_COUNT };

/** Which packets a base does not judge. */
enum base_guard {
	BASE_GUARD_NONE,
	BASE_GUARD_SKIPS_ROUTED, /* those with MARK_ROUTED, while there are some */
	BASE_GUARD_ONLY_ROUTED,  /* those without */
};

struct base_info {
	const char *name; /* of the chain: "filter_forward" */
	uint8_t family; /* NFPROTO_INET, NFPROTO_BRIDGE; NFPROTO_NETDEV: no hook of its
			   own, then the three below mean nothing */
	uint8_t hook;   /* NF_INET_* or NF_BR_* number */
	int32_t priority;
	const char *type; /* "filter", "route" or "nat" */
	enum base_guard guard;
};

/** Facts on @base; never NULL for a valid member. */
const struct base_info *base_info(enum base base);

static inline enum base
place_base(enum place place)
{
	return (enum base)(place / PLACE_GROUP_COUNT);
}

static inline enum place_group
place_group(enum place place)
{
	return (enum place_group)(place % PLACE_GROUP_COUNT);
}

static inline enum place
place_make(enum base base, enum place_group group)
{
	return (enum place)(base * PLACE_GROUP_COUNT + group);
}

/** True for the places of packets that are routed and leave by a bridge: rules stand
 * there only while one of FORWARD names an output interface. */
static inline bool
place_is_routed(enum place place)
{
	return base_info(place_base(place))->guard == BASE_GUARD_ONLY_ROUTED;
}

enum { PLACES_MAX = 6 };

/** What placement depends on. */
struct placement_query {
	enum policy_section section;
	const char *table; /* "filter", "mangle", … */
	const char *chain; /* "FORWARD", … */
};

/**
 * The places of a rule. Returns how many were written to @ret (at most PLACES_MAX);
 * -ENOENT for an unknown table, -ECHRNG for a chain that this table does not have,
 * -ENOTSUP for a table not supported yet.
 */
int placement_find(const struct placement_query *query, enum place ret[PLACES_MAX]);
