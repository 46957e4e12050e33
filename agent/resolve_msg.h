/*
 * resolve_msg.h - questions to the kernel about routes, neighbours and bridges, and its
 * answers and events: bytes to structs. Pure. (linux/rtnetlink.h, linux/neighbour.h,
 * linux/if_bridge.h)
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/nl_build.h"

/* What a packet is routed by. */
struct resolve_flow {
	int family;       /* AF_INET, AF_INET6 */
	uint32_t ifindex; /* that it came in by; 0 = none, it is ours */
	uint8_t dst[16];
	uint8_t src[16];
	uint8_t protocol; /* IP protocol; 0 = leave it and the ports out */
	uint16_t src_port, dst_port;
};

/* RTM_NEWROUTE */
struct resolve_route {
	int family;         /* of the question */
	uint8_t type;       /* RTN_… */
	unsigned flags;     /* RTM_F_… */
	uint32_t table;     /* RT_TABLE_…, or a VRF's */
	uint8_t prefix_len; /* of dst; of an exact question's answer: all bits */
	uint8_t dst[16];    /* zero for a default route */
	uint32_t oif;       /* 0 = none */
	bool multipath;     /* several next hops: which one depends on the flow */
	int gateway_family; /* 0 = none: directly connected */
	uint8_t gateway[16];
};

/* RTM_NEWNEIGH or RTM_DELNEIGH: neighbour (AF_INET, AF_INET6) or address that a bridge
 * learned (AF_BRIDGE). */
struct resolve_neigh {
	int family;
	uint32_t ifindex; /* interface, or bridge port */
	uint32_t master;  /* bridge; 0 = none */
	uint16_t state;   /* NUD_… */
	uint16_t vlan;    /* 0 = none */
	bool has_mac;
	uint8_t mac[6];
	uint8_t dst[16];
};

/* Append the question. @b has room for one message; what does not fit shows there. */

/** Which route? @exact: as this very flow goes; else the entry of the table, with all
 * its next hops. */
void resolve_msg_ask_route(
	struct nlbuild *b, const struct resolve_flow *flow, bool exact);
/** Which address has the neighbour @dst of @family on @ifindex? */
void resolve_msg_ask_neigh(
	struct nlbuild *b, int family, uint32_t ifindex, const uint8_t *dst);
/** Behind which port of @bridge is @mac, in @vlan (0 = none)? */
void resolve_msg_ask_fdb(
	struct nlbuild *b, uint32_t bridge, const uint8_t mac[6], uint16_t vlan);
/** What kind of bridge is @bridge? */
void resolve_msg_ask_link(struct nlbuild *b, uint32_t ifindex);
/** Which VLANs has bridge port @ifindex? A dump. */
void resolve_msg_ask_vlans(struct nlbuild *b, uint32_t ifindex);
/** Which policy rules has @family? A dump. */
void resolve_msg_ask_rules(struct nlbuild *b, int family);

/* All decoders: 0; -ENOMSG if it is another message; -EBADMSG. */

/** RTM_NEWROUTE or RTM_DELROUTE. */
int resolve_msg_route(const struct nlmsghdr *h, struct resolve_route *ret);
/** RTM_NEWNEIGH or RTM_DELNEIGH. */
int resolve_msg_neigh(const struct nlmsghdr *h, struct resolve_neigh *ret);
/** RTM_NEWLINK of a bridge: does it tell VLANs apart? False for other links. */
int resolve_msg_vlan_aware(const struct nlmsghdr *h, bool *ret);
/** RTM_NEWVLAN: the VLAN of untagged packets; 0 = none in this message. */
int resolve_msg_pvid(const struct nlmsghdr *h, uint16_t *ret);
/** RTM_NEWRULE: does it look at more than the destination and the input interface? */
int resolve_msg_rule_by_flow(const struct nlmsghdr *h, bool *ret);
