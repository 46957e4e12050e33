/*
 * link_msg.h - RTM_NEWLINK and RTM_NEWADDR: bytes to structs. Pure.
 *
 * Source: linux/if_link.h, linux/if_addr.h. Attributes that we do not want are skipped.
 */
#pragma once

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/parse.h"

/* What creates the interface (IFLA_INFO_KIND), as far as it matters. */
enum link_kind {
	LINK_KIND_NONE, /* the kernel names no kind: hardware, loopback */
	LINK_KIND_BRIDGE,
	LINK_KIND_BOND,
	LINK_KIND_TEAM,
	LINK_KIND_VLAN,
	LINK_KIND_VETH,
	LINK_KIND_VXLAN,
	LINK_KIND_DUMMY,
	LINK_KIND_VRF,
	LINK_KIND_MACVLAN, /* and macvtap, ipvlan, ipvtap */
	LINK_KIND_TUN,
	LINK_KIND_TUNNEL, /* ipip, gre, sit, wireguard, … */
	LINK_KIND_DSA,
	LINK_KIND_OTHER,
};

enum {
	LINK_ALIAS_SIZE = 256, /* IFALIASZ */
	LINK_MAC_SIZE = 6,
};

/* A bond's own view (IFLA_BOND_…). */
struct link_bond {
	bool has_ad;             /* 802.3ad information is there */
	uint16_t aggregator;     /* of the active aggregator; a bond's own numbering */
	bool has_actor_system;   /* only for CAP_NET_ADMIN, and if one is set */
	uint8_t actor_system[6]; /* else the bond's MAC */
	uint8_t partner_mac[6];  /* of the active aggregator; zero = none */
};

/* A bond member's view (IFLA_BOND_SLAVE_…). */
struct link_bond_member {
	bool has_ad;              /* 802.3ad information is there */
	bool active;              /* BOND_STATE_ACTIVE */
	uint16_t aggregator;      /* that it belongs to */
	uint8_t actor_oper_state; /* bits of the LACPDU */
	uint8_t partner_oper_state;
};

/* One link. Numbers are 0, texts "" where the message has nothing. */
struct link_msg {
	uint32_t index;
	uint16_t hardware; /* ARPHRD_… */
	unsigned flags;    /* IFF_… */
	char name[IFNAMSIZ];
	char alias[LINK_ALIAS_SIZE];
	enum link_kind kind;
	bool has_mac;
	uint8_t mac[LINK_MAC_SIZE];
	uint32_t mtu;
	uint8_t oper_state; /* IF_OPER_… */
	uint32_t promiscuity;
	uint32_t master;
	uint32_t lower; /* IFLA_LINK; 0 if that is in another namespace, or a veth's
			   peer, which is beside it and not below */
	bool has_switch_id;
	uint16_t vlan_id;
	bool vlan_remarks;     /* priorities of the tag by a map of its own */
	struct link_bond bond; /* LINK_KIND_BOND */
	bool is_lag_member;    /* of a bond or team */
	bool is_bond_member;   /* then bond_member is valid */
	struct link_bond_member bond_member;
};

/* One address of this machine. */
struct link_addr {
	uint32_t ifindex;
	struct parse_addr addr; /* with its prefix length */
	uint32_t flags;         /* IFA_F_…: SECONDARY, TEMPORARY, DEPRECATED, … */
	uint8_t scope;          /* RT_SCOPE_… */
};

/**
 * Decode RTM_NEWLINK or RTM_DELLINK.
 *
 * @h       complete in memory; as netlink_fn gets it
 * Returns  0; -EBADMSG; -EAFNOSUPPORT for messages of one protocol only (such as
 *          AF_BRIDGE), which say nothing of the link itself
 */
int link_msg_decode(const struct nlmsghdr *h, struct link_msg *ret);

/** Decode RTM_NEWADDR or RTM_DELADDR. 0; -EBADMSG; -EAFNOSUPPORT if it is neither IPv4
 * nor IPv6. */
int link_addr_decode(const struct nlmsghdr *h, struct link_addr *ret);
