/*
 * psample_msg.c - decodes PSAMPLE_CMD_SAMPLE.
 */
#include "agent/psample_msg.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/psample.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/nl_attr.h"

/* Younger than some systems' headers; the numbers are the kernel's interface. */
enum {
	ATTR_USER_COOKIE = 15,
	ATTR_SAMPLE_PROBABILITY = 16,
	ATTRS,
	TUNNEL_ATTRS = 16,
};

_Static_assert(PSAMPLE_ATTR_IIFINDEX == 0 && PSAMPLE_ATTR_SAMPLE_RATE == 5 &&
		       PSAMPLE_ATTR_TUNNEL == 8 && PSAMPLE_ATTR_PROTO == 14,
	"numbers of the kernel's interface do not change");

static const struct nlattr_rule rules[ATTRS] = {
	/* 16 bits as yet, in an interface that may grow. */
	[PSAMPLE_ATTR_IIFINDEX] = { NLATTR_U16, 0 },
	[PSAMPLE_ATTR_OIFINDEX] = { NLATTR_U16, 0 },
	[PSAMPLE_ATTR_ORIGSIZE] = { NLATTR_U32, 0 },
	[PSAMPLE_ATTR_SAMPLE_GROUP] = { NLATTR_U32, 0 },
	[PSAMPLE_ATTR_GROUP_SEQ] = { NLATTR_U32, 0 },
	[PSAMPLE_ATTR_SAMPLE_RATE] = { NLATTR_U32, 0 },
	[PSAMPLE_ATTR_DATA] = { NLATTR_BINARY, 1 },
	[PSAMPLE_ATTR_TUNNEL] = { NLATTR_NESTED, 0 },
	[PSAMPLE_ATTR_OUT_TC] = { NLATTR_U16, 0 },
	[PSAMPLE_ATTR_OUT_TC_OCC] = { NLATTR_U64, 0 },
	[PSAMPLE_ATTR_LATENCY] = { NLATTR_U64, 0 },
	[PSAMPLE_ATTR_TIMESTAMP] = { NLATTR_U64, 0 },
	[PSAMPLE_ATTR_PROTO] = { NLATTR_U16, 0 },
	[ATTR_USER_COOKIE] = { NLATTR_BINARY, 0 },
	[ATTR_SAMPLE_PROBABILITY] = { NLATTR_FLAG, 0 },
};

static const struct nlattr_rule tunnel_rules[TUNNEL_ATTRS] = {
	[PSAMPLE_TUNNEL_KEY_ATTR_ID] = { NLATTR_U64, 0 },
	[PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC] = { NLATTR_BINARY, 4 },
	[PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST] = { NLATTR_BINARY, 4 },
	[PSAMPLE_TUNNEL_KEY_ATTR_TOS] = { NLATTR_U8, 0 },
	[PSAMPLE_TUNNEL_KEY_ATTR_TP_SRC] = { NLATTR_U16, 0 },
	[PSAMPLE_TUNNEL_KEY_ATTR_TP_DST] = { NLATTR_U16, 0 },
	[PSAMPLE_TUNNEL_KEY_ATTR_IPV6_SRC] = { NLATTR_BINARY, 16 },
	[PSAMPLE_TUNNEL_KEY_ATTR_IPV6_DST] = { NLATTR_BINARY, 16 },
};

static uint32_t
ifindex_of(const struct nlattr *a)
{
	if (!a)
		return 0;
	return nlattr_len(a) >= 4 ? nlattr_u32(a) : nlattr_u16(a);
}

static uint16_t
be16(const struct nlattr *a)
{
	const uint8_t *p = a ? nlattr_data(a) : NULL;

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static void
decode_addr(const struct nlattr *a, int family, size_t len, struct parse_addr *ret)
{
	if (!a)
		return;
	ret->family = family;
	memcpy(ret->bytes, nlattr_data(a), len);
}

static int
decode_tunnel(const struct nlattr *a, struct psample_msg *ret)
{
	const struct nlattr *attrs[TUNNEL_ATTRS];
	struct packet_tunnel *t = &ret->tunnel;

	if (nlattr_parse_nested(a, tunnel_rules, TUNNEL_ATTRS, attrs) < 0)
		return -EBADMSG;
	ret->has |= PSAMPLE_MSG_HAS_TUNNEL;
	decode_addr(attrs[PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC], AF_INET, 4, &t->src);
	decode_addr(attrs[PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST], AF_INET, 4, &t->dst);
	decode_addr(attrs[PSAMPLE_TUNNEL_KEY_ATTR_IPV6_SRC], AF_INET6, 16, &t->src);
	decode_addr(attrs[PSAMPLE_TUNNEL_KEY_ATTR_IPV6_DST], AF_INET6, 16, &t->dst);
	if (attrs[PSAMPLE_TUNNEL_KEY_ATTR_TOS])
		t->tos = nlattr_u8(attrs[PSAMPLE_TUNNEL_KEY_ATTR_TOS]);
	t->src_port = be16(attrs[PSAMPLE_TUNNEL_KEY_ATTR_TP_SRC]);
	t->dst_port = be16(attrs[PSAMPLE_TUNNEL_KEY_ATTR_TP_DST]);
	/* Tunnels with a port are UDP; of others the protocol is not told. */
	t->ip_protocol = IPPROTO_UDP;
	if (t->dst_port && t->src.family && t->src.family == t->dst.family)
		t->has |= PACKET_TUNNEL_HAS_IP;
	if (attrs[PSAMPLE_TUNNEL_KEY_ATTR_ID]) {
		const uint8_t *id = nlattr_data(attrs[PSAMPLE_TUNNEL_KEY_ATTR_ID]);

		/* Eight bytes, network order: the low 24 bits are the VNI. */
		t->vni = (uint32_t)(id[5] << 16 | id[6] << 8 | id[7]);
		t->has |= PACKET_TUNNEL_HAS_VNI;
	}
	return 0;
}

/* A share of 2^32 - 1 as 1 in N, rounded. */
static uint32_t
rate_of_share(uint32_t share)
{
	uint64_t n;

	if (share == 0)
		return 0;
	n = ((uint64_t)UINT32_MAX + share / 2) / share;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void
decode_numbers(const struct nlattr *const *attrs, struct psample_msg *ret)
{
	ret->iifindex = ifindex_of(attrs[PSAMPLE_ATTR_IIFINDEX]);
	ret->oifindex = ifindex_of(attrs[PSAMPLE_ATTR_OIFINDEX]);
	ret->group = nlattr_u32(attrs[PSAMPLE_ATTR_SAMPLE_GROUP]);
	ret->rate = nlattr_u32(attrs[PSAMPLE_ATTR_SAMPLE_RATE]);
	ret->data = nlattr_data(attrs[PSAMPLE_ATTR_DATA]);
	ret->data_len = nlattr_len(attrs[PSAMPLE_ATTR_DATA]);
	ret->origsize = (uint32_t)ret->data_len;
	if (attrs[PSAMPLE_ATTR_ORIGSIZE])
		ret->origsize = nlattr_u32(attrs[PSAMPLE_ATTR_ORIGSIZE]);
	if (attrs[PSAMPLE_ATTR_GROUP_SEQ]) {
		ret->has |= PSAMPLE_MSG_HAS_SEQ;
		ret->seq = nlattr_u32(attrs[PSAMPLE_ATTR_GROUP_SEQ]);
	}
	if (attrs[ATTR_SAMPLE_PROBABILITY]) {
		ret->has |= PSAMPLE_MSG_HAS_PROBABILITY;
		ret->rate = rate_of_share(ret->rate);
	}
	if (attrs[ATTR_USER_COOKIE]) {
		ret->cookie = nlattr_data(attrs[ATTR_USER_COOKIE]);
		ret->cookie_len = nlattr_len(attrs[ATTR_USER_COOKIE]);
	}
}

static void
decode_metadata(const struct nlattr *const *attrs, struct psample_msg *ret)
{
	if (attrs[PSAMPLE_ATTR_OUT_TC]) {
		ret->has |= PSAMPLE_MSG_HAS_OUT_TC;
		ret->out_tc = nlattr_u16(attrs[PSAMPLE_ATTR_OUT_TC]);
	}
	if (attrs[PSAMPLE_ATTR_OUT_TC_OCC]) {
		ret->has |= PSAMPLE_MSG_HAS_OUT_TC_OCC;
		ret->out_tc_occ = nlattr_u64(attrs[PSAMPLE_ATTR_OUT_TC_OCC]);
	}
	if (attrs[PSAMPLE_ATTR_LATENCY]) {
		ret->has |= PSAMPLE_MSG_HAS_LATENCY;
		ret->latency_ns = nlattr_u64(attrs[PSAMPLE_ATTR_LATENCY]);
	}
	if (attrs[PSAMPLE_ATTR_TIMESTAMP]) {
		ret->has |= PSAMPLE_MSG_HAS_TIMESTAMP;
		ret->timestamp_ns = nlattr_u64(attrs[PSAMPLE_ATTR_TIMESTAMP]);
	}
	if (attrs[PSAMPLE_ATTR_PROTO]) {
		ret->has |= PSAMPLE_MSG_HAS_PROTO;
		ret->proto = nlattr_u16(attrs[PSAMPLE_ATTR_PROTO]);
	}
}

int
psample_msg_decode(const struct nlmsghdr *h, struct psample_msg *ret)
{
	const size_t skip = NLMSG_SPACE(GENL_HDRLEN);
	const struct genlmsghdr *genl = NLMSG_DATA(h);
	const struct nlattr *attrs[ATTRS];

	if (h->nlmsg_len < skip)
		return -EBADMSG;
	if (genl->cmd != PSAMPLE_CMD_SAMPLE)
		return -ENOMSG;
	if (nlattr_parse((const uint8_t *)h + skip, h->nlmsg_len - skip, rules, ATTRS,
		    attrs) < 0)
		return -EBADMSG;
	if (!attrs[PSAMPLE_ATTR_DATA] || !attrs[PSAMPLE_ATTR_SAMPLE_RATE] ||
		!attrs[PSAMPLE_ATTR_SAMPLE_GROUP])
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	decode_numbers(attrs, ret);
	if (ret->rate == 0)
		return -EBADMSG;
	decode_metadata(attrs, ret);
	return attrs[PSAMPLE_ATTR_TUNNEL]
		       ? decode_tunnel(attrs[PSAMPLE_ATTR_TUNNEL], ret)
		       : 0;
}

/* Of a packet that came out of a tunnel, or goes into one. */
static void
set_tunnel(const struct psample_msg *m, bool egress, struct packet *ret)
{
	if (!(m->has & PSAMPLE_MSG_HAS_TUNNEL) || m->tunnel.has == 0)
		return;
	ret->has |= egress ? PACKET_HAS_EGRESS_TUNNEL : PACKET_HAS_INGRESS_TUNNEL;
	if (egress)
		ret->tunnel_out = m->tunnel;
	else
		ret->tunnel_in = m->tunnel;
}

int
psample_msg_packet(const struct psample_msg *m, bool egress, struct packet *ret)
{
	uint32_t port = egress ? m->oifindex : m->iifindex;

	if (port == 0)
		return -ENODEV;
	packet_init(ret);
	ret->source = data_source_port(port);
	ret->input = packet_port_ifindex(m->iifindex);
	ret->output = packet_port_ifindex(m->oifindex);
	ret->rate = m->rate;
	if (m->has & PSAMPLE_MSG_HAS_OUT_TC) {
		ret->has |= PACKET_HAS_QUEUE;
		ret->queue = m->out_tc;
	}
	if (m->has & PSAMPLE_MSG_HAS_OUT_TC_OCC) {
		ret->has |= PACKET_HAS_QUEUE_DEPTH;
		ret->queue_depth_bytes = m->out_tc_occ;
	}
	if (m->has & PSAMPLE_MSG_HAS_LATENCY) {
		ret->has |= PACKET_HAS_TRANSIT;
		ret->transit_ns = m->latency_ns;
	}
	if (m->has & PSAMPLE_MSG_HAS_TIMESTAMP) {
		ret->has |= PACKET_HAS_TIMESTAMP;
		ret->timestamp_ns = m->timestamp_ns;
	}
	set_tunnel(m, egress, ret);
	return packet_set_frame(ret, m->data, (uint32_t)m->data_len, m->origsize,
		m->has & PSAMPLE_MSG_HAS_PROTO ? m->proto : 0);
}
