/*
 * packet.h - what is known of one sampled or discarded packet.
 *
 * The contract between the sources (psample, nflog, afpacket, dropmon, replay), which
 * fill it, and the sampler, which turns it into a flow or discard sample. A source
 * knows nothing of sFlow samples; the encoder knows nothing of the kernel. Everything
 * optional has a bit in @has, so that "not known" never looks like 0. Nothing here is
 * owned: the bytes and texts are borrowed for the call that takes the packet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sflow_proto.h"
#include "agent/sflow_reason.h"
#include "common/parse.h"

/* Where samples or counters come from: (interface, ifIndex), (physical, 1) = host. */
struct data_source {
	enum sflow_class class;
	uint32_t index;
};

enum packet_port_kind {
	PACKET_PORT_UNKNOWN,   /* sent as unknown */
	PACKET_PORT_IFINDEX,   /* value: ifIndex, not 0 */
	PACKET_PORT_INTERNAL,  /* the device itself is source or destination */
	PACKET_PORT_DISCARDED, /* output only; value: enum sflow_reason */
	PACKET_PORT_MULTIPLE,  /* output only; value: how many, 0 = more than one */
};

/* Input or output of a packet. All zero is "unknown". */
struct packet_port {
	enum packet_port_kind kind;
	uint32_t value;
};

/* What else is known; the bits stand in the order in which the records are sent:
 * those that every collector knows first, then what explains a drop, then the rest. */
enum packet_has {
	PACKET_HAS_SWITCH = 1 << 0,         /* vlan */
	PACKET_HAS_ROUTER = 1 << 1,         /* router */
	PACKET_HAS_GATEWAY = 1 << 2,        /* gateway */
	PACKET_HAS_EGRESS_TUNNEL = 1 << 3,  /* tunnel_out */
	PACKET_HAS_INGRESS_TUNNEL = 1 << 4, /* tunnel_in */
	PACKET_HAS_HW_TRAP = 1 << 5,        /* trap_group, trap_name */
	PACKET_HAS_LINUX_REASON = 1 << 6,   /* linux_reason */
	PACKET_HAS_FUNCTION = 1 << 7,       /* function */
	PACKET_HAS_ACL = 1 << 8,            /* acl */
	PACKET_HAS_QUEUE = 1 << 9,          /* queue */
	PACKET_HAS_TRANSIT = 1 << 10,       /* transit_ns */
	PACKET_HAS_QUEUE_DEPTH = 1 << 11,   /* queue_depth_bytes */
	PACKET_HAS_TIMESTAMP = 1 << 12,     /* timestamp_ns */
	PACKET_HAS_POOL = 1 << 13,          /* pool; no record of its own */
};

/* A VLAN id or priority that is not known. */
#define PACKET_VLAN_UNKNOWN UINT32_MAX

/* Tags on the wire side; untagged: those that the port assigns. (extended_switch) */
struct packet_vlan {
	uint32_t in_vlan;      /* 1..4094, PACKET_VLAN_UNKNOWN */
	uint32_t in_priority;  /* 0..7, PACKET_VLAN_UNKNOWN */
	uint32_t out_vlan;     /* as in_vlan */
	uint32_t out_priority; /* as in_priority */
};

/* Result of the longest-prefix match. (extended_router) */
struct packet_router {
	struct parse_addr next_hop; /* family 0: directly connected; sent as 0.0.0.0 */
	uint32_t src_prefix_len;    /* of the route back to the source */
	uint32_t dst_prefix_len;    /* of the route to the destination */
};

enum { PACKET_AS_PATH_MAX = 32, PACKET_COMMUNITIES_MAX = 32 };

/* BGP facts of the route. (extended_gateway) */
struct packet_gateway {
	struct parse_addr next_hop; /* BGP next hop; family 0: sent as 0.0.0.0 */
	uint32_t as;                /* of this router */
	uint32_t src_as;            /* 0 = local */
	uint32_t src_peer_as;       /* 0 = local */
	uint32_t local_pref;        /* of the route */
	uint32_t n_as_path;         /* used in as_path; without our own AS */
	uint32_t as_path[PACKET_AS_PATH_MAX]; /* one AS_SEQUENCE, nearest first */
	uint32_t n_communities;               /* used in communities */
	uint32_t communities[PACKET_COMMUNITIES_MAX]; /* high << 16 | low */
};

enum packet_tunnel_has {
	PACKET_TUNNEL_HAS_L2 = 1 << 0,    /* l2_… */
	PACKET_TUNNEL_HAS_IP = 1 << 1,    /* src, dst and the fields behind them */
	PACKET_TUNNEL_HAS_INNER = 1 << 2, /* inner_offset */
	PACKET_TUNNEL_HAS_VNI = 1 << 3,   /* vni */
};

/* Outer headers that are not part of the sampled bytes. (sFlow Tunnel Structures) */
struct packet_tunnel {
	unsigned has;          /* enum packet_tunnel_has */
	uint32_t l2_length;    /* outer frame with FCS, in bytes */
	uint8_t l2_src[6];     /* outer source MAC */
	uint8_t l2_dst[6];     /* outer destination MAC */
	uint16_t l2_type;      /* EtherType */
	uint32_t ip_length;    /* outer IP packet, in bytes */
	struct parse_addr src; /* outer addresses, both of one family: it decides */
	struct parse_addr dst; /* between the IPv4 and the IPv6 record */
	uint8_t ip_protocol;   /* 4, 17, 41, 47, … */
	uint16_t src_port;     /* UDP or TCP port, else 0 */
	uint16_t dst_port;     /* likewise */
	uint8_t tcp_flags;     /* 0 unless TCP */
	uint8_t tos;           /* type of service, or IPv6 traffic class */
	uint32_t inner_offset; /* of the inner header in the sampled bytes */
	uint32_t vni;          /* 24 bits */
};

/* The rule that decided. (extended_acl) */
struct packet_acl {
	uint32_t number;  /* of the rule */
	const char *name; /* of the list; borrowed; cut at 255 bytes */
	enum sflow_acl_direction direction;
};

struct packet {
	struct data_source source;    /* the port that took the sample */
	struct packet_port input;     /* physical port of arrival */
	struct packet_port output;    /* physical port of departure */
	uint32_t rate;                /* 1-in-N that the kernel applied; >= 1; 0 if a
					 discard, which stands for itself */
	enum sflow_reason reason;     /* why it was discarded; discards only */
	enum sflow_protocol protocol; /* what the first byte of header begins */
	uint32_t frame_len;    /* length on the wire, FCS and stripped included */
	uint32_t stripped;     /* bytes of frame_len removed before header */
	const uint8_t *header; /* first bytes of what is left; borrowed */
	uint32_t header_len;   /* bytes captured */

	unsigned has;  /* enum packet_has: which of these are known */
	uint32_t pool; /* hardware's own sample pool, modulo 2^32 */
	struct packet_vlan vlan;
	struct packet_router router;
	struct packet_gateway gateway;
	struct packet_tunnel tunnel_out; /* headers to be added, or tunnel that ends */
	struct packet_tunnel tunnel_in;  /* headers removed, or tunnel that starts */
	const char *trap_group;   /* devlink trap group; borrowed; cut at 64 bytes */
	const char *trap_name;    /* devlink trap; borrowed; cut at 64 bytes */
	const char *linux_reason; /* "QDISC_DROP"; borrowed; cut at 64 bytes */
	const char *function; /* kernel symbol without offset; borrowed; cut at 64 */
	struct packet_acl acl;
	uint32_t queue;             /* egress queue; sent if output is a known port */
	uint64_t queue_depth_bytes; /* sent with queue only; saturates at 2^32-1 */
	uint64_t transit_ns;        /* time in the device; saturates at 2^32-1 */
	uint64_t timestamp_ns;      /* since 1970, UTC */
};

/** An empty packet: nothing known, no header. Only what @has guards stays unset, so
 * that the packet path does not clear what it will not read. */
void packet_init(struct packet *p);

/** A port by ifIndex; 0 gives "unknown". */
struct packet_port packet_port_ifindex(uint32_t ifindex);

/** The data source of interface @ifindex. */
struct data_source data_source_port(uint32_t ifindex);

/** The data source of the host as a whole, 2:1. */
struct data_source data_source_host(void);

/** True if both name the same source. */
bool data_source_equal(struct data_source a, struct data_source b);

/**
 * Describe an Ethernet frame as the kernel sees it: without FCS.
 *
 * @data, @captured  the first bytes, beginning with the destination MAC; borrowed
 * @original         length of the whole frame without FCS, in bytes; raised to
 *                   @captured if it claims less
 */
void packet_set_ethernet(
	struct packet *p, const uint8_t *data, uint32_t captured, uint32_t original);

/**
 * Describe a packet of which only the IP part was seen; version by the first nibble.
 * The Ethernet header and the FCS count as stripped.
 *
 * @original  length of the IP packet, in bytes; raised to @captured if it claims less
 * Returns    0; -EPROTO if it is neither IPv4 nor IPv6, then @p is as before
 */
int packet_set_ip(
	struct packet *p, const uint8_t *data, uint32_t captured, uint32_t original);

/**
 * Describe a packet as the kernel holds it: an Ethernet frame, or on links without MAC
 * addresses an IP packet.
 *
 * @ether_type  what the kernel says that it is; 0 = nothing
 * Returns      0 or as packet_set_ip()
 */
int packet_set_frame(struct packet *p, const uint8_t *data, uint32_t captured,
	uint32_t original, uint16_t ether_type);
