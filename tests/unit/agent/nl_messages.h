/*
 * nl_messages.h - netlink messages as the kernel sends them, for tests of decoders.
 */
#pragma once

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/psample.h>
#include <stdint.h>
#include <string.h>

#include "common/nl_build.h"

enum { NL_MESSAGE_BYTES = 1024, NL_PSAMPLE_FAMILY = 27, NL_GROUP = 6343 };

/* One message under construction. */
struct nl_message {
	uint8_t data[NL_MESSAGE_BYTES] __attribute__((aligned(8)));
	struct nlbuild b;
};

static inline const struct nlmsghdr *
nl_message_done(struct nl_message *m)
{
	return (const struct nlmsghdr *)m->data;
}

static inline void
nl_message_nflog(struct nl_message *m, uint8_t family)
{
	const struct nfgenmsg header = { .nfgen_family = family,
		.res_id = htons(NL_GROUP) };

	nlbuild_init(&m->b, m->data, sizeof(m->data));
	nlbuild_begin(&m->b, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, 0, &header,
		sizeof(header));
}

/* What our own rules at the ingress of port 3 give for @payload of @protocol. */
static inline void
nl_message_ingress(
	struct nl_message *m, uint16_t protocol, const void *payload, size_t len)
{
	static const uint8_t ether[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	const struct nfulnl_msg_packet_hdr packet = { .hw_protocol = htons(protocol) };
	uint8_t header[14];

	memcpy(header, ether, sizeof(header));
	header[12] = (uint8_t)(protocol >> 8);
	header[13] = (uint8_t)protocol;
	nl_message_nflog(m, 5);
	nlbuild_put(&m->b, NFULA_PACKET_HDR, &packet, sizeof(packet));
	nlbuild_put_string(&m->b, NFULA_PREFIX, "tapgate:1000");
	nlbuild_put_u32(&m->b, NFULA_IFINDEX_INDEV, htonl(3));
	nlbuild_put_u16(&m->b, NFULA_HWTYPE, htons(1));
	nlbuild_put(&m->b, NFULA_HWHEADER, header, sizeof(header));
	nlbuild_put_u32(&m->b, NFULA_SEQ, htonl(77));
	nlbuild_put(&m->b, NFULA_L2HDR, header, sizeof(header));
	nlbuild_put(&m->b, NFULA_PAYLOAD, payload, len);
}

static inline void
nl_message_tag(struct nl_message *m, uint16_t type, uint16_t tci)
{
	size_t nest = nlbuild_nest(&m->b, NFULA_VLAN);

	nlbuild_put_u16(&m->b, NFULA_VLAN_TCI, htons(tci));
	nlbuild_put_u16(&m->b, NFULA_VLAN_PROTO, htons(type));
	nlbuild_end_nest(&m->b, nest);
}

/* A sample of group 1 at rate 100 without its data. */
static inline void
nl_message_psample(struct nl_message *m)
{
	nlbuild_init(&m->b, m->data, sizeof(m->data));
	nlbuild_begin_genl(&m->b, NL_PSAMPLE_FAMILY, 0, PSAMPLE_CMD_SAMPLE, 1);
	nlbuild_put_u16(&m->b, PSAMPLE_ATTR_IIFINDEX, 3);
	nlbuild_put_u16(&m->b, PSAMPLE_ATTR_OIFINDEX, 5);
	nlbuild_put_u32(&m->b, PSAMPLE_ATTR_SAMPLE_RATE, 100);
	nlbuild_put_u32(&m->b, PSAMPLE_ATTR_SAMPLE_GROUP, 1);
	nlbuild_put_u32(&m->b, PSAMPLE_ATTR_GROUP_SEQ, 9);
	nlbuild_put_u32(&m->b, PSAMPLE_ATTR_ORIGSIZE, 1514);
}
