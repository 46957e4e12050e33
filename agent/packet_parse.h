/*
 * packet_parse.h - the fields of a captured header by which a packet is forwarded.
 * Pure.
 *
 * Ethernet with any number of VLAN tags, IPv4, IPv6 with its extension headers, ports.
 * Captured bytes end anywhere: what is not there is not reported.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sflow_proto.h"

enum {
	PACKET_PARSE_TAGS_MAX = 4,       /* VLAN tags behind one another */
	PACKET_PARSE_EXTENSIONS_MAX = 8, /* IPv6 extension headers */
};

struct packet_parse {
	bool has_ether; /* dst_mac, src_mac, ethertype */
	uint8_t dst_mac[6];
	uint8_t src_mac[6];
	uint16_t ethertype; /* behind the tags */
	unsigned n_tags;    /* of them, the first PACKET_PARSE_TAGS_MAX */
	uint16_t tci[PACKET_PARSE_TAGS_MAX]; /* outermost first */

	uint8_t ip_version; /* 4, 6; 0: neither, or not captured */
	uint32_t ip_offset; /* of the IP header in the captured bytes */
	uint32_t ip_len;    /* length of the whole IP packet as its header has it; 0 =
			       not said (jumbogram, segmentation offload) */
	uint8_t src[16];    /* 4 or 16 bytes by ip_version */
	uint8_t dst[16];
	uint8_t tos;         /* traffic class */
	bool is_fragment;    /* a later one: no ports */
	uint8_t ip_protocol; /* behind the extension headers */
	bool has_ports;      /* TCP, UDP, SCTP, DCCP, UDP-Lite */
	uint16_t src_port;
	uint16_t dst_port;
};

/** Read @len bytes that begin with what @protocol says. Never fails: what could be read
 * is in *@ret. */
void packet_parse(enum sflow_protocol protocol, const uint8_t *data, size_t len,
	struct packet_parse *ret);

/** Length that an IPv4 or IPv6 header claims for its packet, 0 if it is none. */
uint32_t packet_parse_ip_len(const uint8_t *data, size_t len);

/** True if @mac is a group address (multicast, broadcast). */
static inline bool
packet_parse_is_group(const uint8_t mac[6])
{
	return mac[0] & 1;
}
