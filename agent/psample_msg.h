/*
 * psample_msg.h - messages of the kernel's PSAMPLE family: bytes to struct, and to a
 * packet sample. Pure. (linux/psample.h)
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/packet.h"

enum psample_msg_has {
	PSAMPLE_MSG_HAS_SEQ = 1 << 0,
	PSAMPLE_MSG_HAS_OUT_TC = 1 << 1,
	PSAMPLE_MSG_HAS_OUT_TC_OCC = 1 << 2,
	PSAMPLE_MSG_HAS_LATENCY = 1 << 3,
	PSAMPLE_MSG_HAS_TIMESTAMP = 1 << 4,
	PSAMPLE_MSG_HAS_PROTO = 1 << 5,
	PSAMPLE_MSG_HAS_TUNNEL = 1 << 6,
	PSAMPLE_MSG_HAS_PROBABILITY = 1 << 7, /* rate is a share of 2^32 - 1 */
};

/* One sampled packet. Pointers are borrowed from the message. */
struct psample_msg {
	unsigned has;      /* enum psample_msg_has */
	uint32_t iifindex; /* 0 = not known, as for the next */
	uint32_t oifindex;
	uint32_t origsize; /* of the packet without FCS, in bytes */
	uint32_t group;
	uint32_t seq;  /* of the group */
	uint32_t rate; /* 1 in N; from a probability too */
	const uint8_t *data;
	size_t data_len;
	uint16_t proto;      /* EtherType */
	uint16_t out_tc;     /* egress traffic class */
	uint64_t out_tc_occ; /* bytes in its queue */
	uint64_t latency_ns;
	uint64_t timestamp_ns; /* since 1970 */
	const uint8_t *cookie; /* of the user; NULL = none */
	size_t cookie_len;
	struct packet_tunnel tunnel; /* only with PSAMPLE_MSG_HAS_TUNNEL */
};

/**
 * Decode one PSAMPLE_CMD_SAMPLE.
 *
 * @h       complete in memory (h->nlmsg_len was checked)
 * Returns  0; -ENOMSG if it is another command; -EBADMSG: malformed, or without data,
 *          rate or group
 */
int psample_msg_decode(const struct nlmsghdr *h, struct psample_msg *ret);

/**
 * Make a packet sample.
 *
 * @egress  it was taken where the packet left: the source is the output port
 * Returns  0; -ENODEV if the port that took it is not known; -EPROTO if it is neither
 *          an Ethernet frame nor an IP packet
 */
int psample_msg_packet(const struct psample_msg *m, bool egress, struct packet *ret);
