/*
 * nflog_msg.h - packets that the kernel logs to an NFLOG group: bytes to struct, and to
 * a packet sample. Pure. (linux/netfilter/nfnetlink_log.h)
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/packet.h"

/* What our own sampling rules write in front of the rate: "tapgate:1000". */
#define NFLOG_MSG_PREFIX "tapgate:"

enum {
	NFLOG_MSG_PREFIX_SIZE = 32, /* prefixes that we look at, with NUL */
	/* Ethernet header, tag, and what a sample holds at most. */
	NFLOG_MSG_FRAME_SIZE = SFLOW_HEADER_BYTES_MAX + 32,
};

/* One logged packet. Numbers are 0 and pointers NULL where the message has nothing;
 * pointers are borrowed from the message. */
struct nflog_msg {
	uint16_t group;    /* that it was logged to */
	uint8_t family;    /* NFPROTO_NETDEV, NFPROTO_BRIDGE, NFPROTO_IPV4, … */
	uint16_t protocol; /* EtherType */
	uint8_t hook;
	bool has_prefix;
	char prefix[NFLOG_MSG_PREFIX_SIZE]; /* cut */
	uint32_t indev, outdev;
	uint32_t physindev, physoutdev; /* bridge ports */
	uint32_t mark;
	uint64_t timestamp_ns; /* since 1970 */
	bool has_seq;
	uint32_t seq; /* counts the messages of the group */
	uint16_t hw_type;
	const uint8_t *hw_header; /* link-layer header in front of the payload */
	size_t hw_header_len;
	bool has_vlan; /* the kernel took a tag out of the frame: */
	uint16_t vlan_tci;
	uint16_t vlan_protocol; /* its EtherType, 0x8100 or 0x88a8 */
	const uint8_t *payload; /* from the network header on */
	size_t payload_len;
};

/**
 * Decode one NFULNL_MSG_PACKET.
 *
 * @h       complete in memory (h->nlmsg_len was checked)
 * Returns  0; -ENOMSG if it is another message; -EBADMSG
 */
int nflog_msg_decode(const struct nlmsghdr *h, struct nflog_msg *ret);

/** The rate in the prefix of one of our own rules; 0 if it is not ours. */
uint32_t nflog_msg_rate(const struct nflog_msg *m);

/**
 * Make a packet sample: ports, frame with its link-layer header and tag, length.
 *
 * @rate         1 in N that the rule applied
 * @frame        NFLOG_MSG_FRAME_SIZE bytes where the frame is put together; borrowed by
 *               @ret
 * Frame length  from the IP header, as the kernel does not tell; of other packets what
 *               was captured, which is right if that was all
 * Returns       0; -EPROTO if neither an Ethernet header nor an IP packet is in it
 */
int nflog_msg_packet(const struct nflog_msg *m, uint32_t rate,
	uint8_t frame[NFLOG_MSG_FRAME_SIZE], struct packet *ret);
