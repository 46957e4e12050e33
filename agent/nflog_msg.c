/*
 * nflog_msg.c - decodes NFULNL_MSG_PACKET.
 */
#include "agent/nflog_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <net/if_arp.h>
#include <string.h>

#include "agent/packet_parse.h"
#include "common/nl_attr.h"

enum {
	ATTRS = NFULA_L2HDR + 1,
	VLAN_ATTRS = NFULA_VLAN_TCI + 1,
	TAG_BYTES = 4,
};

static const struct nlattr_rule rules[ATTRS] = {
	[NFULA_PACKET_HDR] = { NLATTR_BINARY, sizeof(struct nfulnl_msg_packet_hdr) },
	[NFULA_MARK] = { NLATTR_U32, 0 },
	[NFULA_TIMESTAMP] = { NLATTR_BINARY,
		sizeof(struct nfulnl_msg_packet_timestamp) },
	[NFULA_IFINDEX_INDEV] = { NLATTR_U32, 0 },
	[NFULA_IFINDEX_OUTDEV] = { NLATTR_U32, 0 },
	[NFULA_IFINDEX_PHYSINDEV] = { NLATTR_U32, 0 },
	[NFULA_IFINDEX_PHYSOUTDEV] = { NLATTR_U32, 0 },
	[NFULA_PAYLOAD] = { NLATTR_BINARY, 0 },
	[NFULA_PREFIX] = { NLATTR_BINARY, 0 },
	[NFULA_SEQ] = { NLATTR_U32, 0 },
	[NFULA_HWTYPE] = { NLATTR_U16, 0 },
	[NFULA_HWHEADER] = { NLATTR_BINARY, 0 },
	[NFULA_VLAN] = { NLATTR_NESTED, 0 },
	[NFULA_L2HDR] = { NLATTR_BINARY, 0 },
};

static const struct nlattr_rule vlan_rules[VLAN_ATTRS] = {
	[NFULA_VLAN_PROTO] = { NLATTR_U16, 0 },
	[NFULA_VLAN_TCI] = { NLATTR_U16, 0 },
};

/* All numbers of this family are in network order. */
static uint32_t
be32(const struct nlattr *a)
{
	return a ? ntohl(nlattr_u32(a)) : 0;
}

static uint64_t
timestamp_ns(const struct nlattr *a)
{
	struct nfulnl_msg_packet_timestamp t;

	if (!a)
		return 0;
	memcpy(&t, nlattr_data(a), sizeof(t));
	return (be64toh(t.sec) * 1000000 + be64toh(t.usec)) * 1000;
}

static int
decode_vlan(const struct nlattr *a, struct nflog_msg *ret)
{
	const struct nlattr *attrs[VLAN_ATTRS];

	if (nlattr_parse_nested(a, vlan_rules, VLAN_ATTRS, attrs) < 0)
		return -EBADMSG;
	if (!attrs[NFULA_VLAN_PROTO] || !attrs[NFULA_VLAN_TCI])
		return 0;
	ret->has_vlan = true;
	ret->vlan_tci = ntohs(nlattr_u16(attrs[NFULA_VLAN_TCI]));
	ret->vlan_protocol = ntohs(nlattr_u16(attrs[NFULA_VLAN_PROTO]));
	return 0;
}

/* The header that ends where the payload begins is the better one: the other is as
 * long as the device type's headers are. */
static void
decode_hw_header(const struct nlattr *const *attrs, struct nflog_msg *ret)
{
	const struct nlattr *a =
		attrs[NFULA_L2HDR] ? attrs[NFULA_L2HDR] : attrs[NFULA_HWHEADER];

	if (attrs[NFULA_HWTYPE])
		ret->hw_type = ntohs(nlattr_u16(attrs[NFULA_HWTYPE]));
	if (!a)
		return;
	ret->hw_header = nlattr_data(a);
	ret->hw_header_len = nlattr_len(a);
}

static void
decode_payload(const struct nlattr *const *attrs, struct nflog_msg *ret)
{
	if (attrs[NFULA_PREFIX]) {
		ret->has_prefix = true;
		nlattr_string(attrs[NFULA_PREFIX], ret->prefix, sizeof(ret->prefix));
	}
	if (attrs[NFULA_PAYLOAD]) {
		ret->payload = nlattr_data(attrs[NFULA_PAYLOAD]);
		ret->payload_len = nlattr_len(attrs[NFULA_PAYLOAD]);
	}
}

int
nflog_msg_decode(const struct nlmsghdr *h, struct nflog_msg *ret)
{
	const size_t skip = NLMSG_SPACE(sizeof(struct nfgenmsg));
	const struct nlattr *attrs[ATTRS];
	const struct nfulnl_msg_packet_hdr *packet;
	const struct nfgenmsg *family = NLMSG_DATA(h);

	if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return -ENOMSG;
	if (h->nlmsg_len < skip ||
		nlattr_parse((const uint8_t *)h + skip, h->nlmsg_len - skip, rules,
			ATTRS, attrs) < 0)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	ret->family = family->nfgen_family;
	ret->group = ntohs(family->res_id);
	if (attrs[NFULA_PACKET_HDR]) {
		packet = nlattr_data(attrs[NFULA_PACKET_HDR]);
		ret->protocol = ntohs(packet->hw_protocol);
		ret->hook = packet->hook;
	}
	ret->indev = be32(attrs[NFULA_IFINDEX_INDEV]);
	ret->outdev = be32(attrs[NFULA_IFINDEX_OUTDEV]);
	ret->physindev = be32(attrs[NFULA_IFINDEX_PHYSINDEV]);
	ret->physoutdev = be32(attrs[NFULA_IFINDEX_PHYSOUTDEV]);
	ret->mark = be32(attrs[NFULA_MARK]);
	ret->timestamp_ns = timestamp_ns(attrs[NFULA_TIMESTAMP]);
	ret->has_seq = attrs[NFULA_SEQ];
	ret->seq = be32(attrs[NFULA_SEQ]);
	decode_hw_header(attrs, ret);
	decode_payload(attrs, ret);
	return attrs[NFULA_VLAN] ? decode_vlan(attrs[NFULA_VLAN], ret) : 0;
}

uint32_t
nflog_msg_rate(const struct nflog_msg *m)
{
	const size_t skip = sizeof(NFLOG_MSG_PREFIX) - 1;
	uint64_t rate = 0;

	if (!m->has_prefix || memcmp(m->prefix, NFLOG_MSG_PREFIX, skip) != 0)
		return 0;
	for (const char *p = m->prefix + skip; *p; p++) {
		if (*p < '0' || *p > '9' || rate > UINT32_MAX)
			return 0;
		rate = rate * 10 + (uint64_t)(*p - '0');
	}
	return rate > UINT32_MAX ? 0 : (uint32_t)rate;
}

/* Where the bytes of the frame are gathered. */
struct frame {
	uint8_t *data; /* NFLOG_MSG_FRAME_SIZE bytes */
	size_t len;
};

static void
append(struct frame *f, const void *data, size_t len)
{
	size_t room = NFLOG_MSG_FRAME_SIZE - f->len;

	if (len > room)
		len = room;
	if (len == 0)
		return;
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

/* Ethernet header with the tag back in its place. Returns how long it is. */
static size_t
append_ether(struct frame *f, const struct nflog_msg *m)
{
	const uint16_t tag[2] = { htons(m->vlan_protocol), htons(m->vlan_tci) };

	append(f, m->hw_header, 2 * ETH_ALEN);
	if (m->has_vlan)
		append(f, tag, TAG_BYTES);
	append(f, m->hw_header + 2 * ETH_ALEN, ETH_HLEN - 2 * ETH_ALEN);
	return f->len;
}

static void
set_ports(const struct nflog_msg *m, struct packet *ret)
{
	uint32_t in = m->physindev ? m->physindev : m->indev;
	uint32_t out = m->physoutdev ? m->physoutdev : m->outdev;

	ret->input = packet_port_ifindex(in);
	ret->output = packet_port_ifindex(out);
	ret->source = data_source_port(in ? in : out);
}

/* Length of the frame without FCS: what the kernel does not tell, the IP header does.
 */
static uint32_t
frame_len(const struct nflog_msg *m, const struct frame *f, size_t ether_len)
{
	struct packet_parse parsed;

	if (m->protocol == ETH_P_IP || m->protocol == ETH_P_IPV6 || ether_len == 0)
		return (uint32_t)ether_len +
		       packet_parse_ip_len(m->payload, m->payload_len);
	packet_parse(SFLOW_PROTOCOL_ETHERNET, f->data, f->len, &parsed);
	return parsed.ip_len ? parsed.ip_offset + parsed.ip_len : 0;
}

int
nflog_msg_packet(const struct nflog_msg *m, uint32_t rate,
	uint8_t frame[NFLOG_MSG_FRAME_SIZE], struct packet *ret)
{
	struct frame f = { frame, 0 };
	size_t ether_len = 0;
	uint32_t len;

	packet_init(ret);
	ret->rate = rate;
	set_ports(m, ret);
	if (m->hw_type == ARPHRD_ETHER && m->hw_header_len >= ETH_HLEN)
		ether_len = append_ether(&f, m);
	append(&f, m->payload, m->payload_len);
	len = frame_len(m, &f, ether_len);
	if (len < ether_len + m->payload_len)
		len = (uint32_t)(ether_len + m->payload_len);
	if (ether_len == 0)
		return packet_set_ip(ret, frame, (uint32_t)f.len, len);
	packet_set_ethernet(ret, frame, (uint32_t)f.len, len);
	return 0;
}
