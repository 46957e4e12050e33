/*
 * packet_parse.c - the fields of a captured header by which a packet is forwarded.
 */
#include "agent/packet_parse.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

enum {
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	TAG_BYTES = 4,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
	IPV4_OFFSET_MASK = 0x1fff,
	IPV6_OFFSET_MASK = 0xfff8,
	PROTOCOL_DCCP = 33,
	PROTOCOL_UDPLITE = 136,
};

/* Plain loads instead of struct rbuf: this runs for every sample. */
static uint16_t
load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
parse_ports(const uint8_t *data, size_t len, struct packet_parse *ret)
{
	switch (ret->ip_protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case PROTOCOL_DCCP:
	case PROTOCOL_UDPLITE:
		break;
	default:
		return;
	}
	if (len < 4 || ret->is_fragment)
		return;
	ret->has_ports = true;
	ret->src_port = load_be16(data);
	ret->dst_port = load_be16(data + 2);
}

static void
parse_ipv4(const uint8_t *data, size_t len, struct packet_parse *ret)
{
	size_t header_len = (data[0] & 15) * 4u;

	if (len < IPV4_BYTES || header_len < IPV4_BYTES)
		return;
	ret->ip_version = 4;
	ret->ip_len = load_be16(data + 2);
	ret->tos = data[1];
	ret->is_fragment = load_be16(data + 6) & IPV4_OFFSET_MASK;
	ret->ip_protocol = data[9];
	memcpy(ret->src, data + 12, 4);
	memcpy(ret->dst, data + 16, 4);
	if (header_len < len)
		parse_ports(data + header_len, len - header_len, ret);
}

/* Length of the extension header of type @type that begins at @data; 0 if that is none,
 * or not captured. */
static size_t
extension_len(uint8_t type, const uint8_t *data, size_t len)
{
	if (len < 8)
		return 0;
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (data[1] + 1u) * 8u;
	case IPPROTO_AH:
		return (data[1] + 2u) * 4u;
	case IPPROTO_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

static void
parse_ipv6(const uint8_t *data, size_t len, struct packet_parse *ret)
{
	size_t at = IPV6_BYTES;

	if (len < IPV6_BYTES)
		return;
	ret->ip_version = 6;
	ret->ip_len = load_be16(data + 4);
	if (ret->ip_len > 0)
		ret->ip_len += IPV6_BYTES;
	ret->tos = (uint8_t)(load_be16(data) >> 4);
	ret->ip_protocol = data[6];
	memcpy(ret->src, data + 8, 16);
	memcpy(ret->dst, data + 24, 16);
	for (int i = 0; i < PACKET_PARSE_EXTENSIONS_MAX && at < len; i++) {
		size_t step = extension_len(ret->ip_protocol, data + at, len - at);

		if (step == 0)
			break;
		if (ret->ip_protocol == IPPROTO_FRAGMENT)
			ret->is_fragment = load_be16(data + at + 2) & IPV6_OFFSET_MASK;
		ret->ip_protocol = data[at];
		at += step;
	}
	if (at < len)
		parse_ports(data + at, len - at, ret);
}

/* The fields of an IP header at @data + @offset. */
static void
parse_ip_at(const uint8_t *data, size_t len, size_t offset, struct packet_parse *ret)
{
	if (offset >= len)
		return;
	ret->ip_offset = (uint32_t)offset;
	if (data[offset] >> 4 == 4)
		parse_ipv4(data + offset, len - offset, ret);
	else if (data[offset] >> 4 == 6)
		parse_ipv6(data + offset, len - offset, ret);
}

static bool
is_tag(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_8021AD ||
	       ethertype == ETHERTYPE_QINQ_OLD;
}

static void
parse_ether(const uint8_t *data, size_t len, struct packet_parse *ret)
{
	size_t at = ETHER_HDR_LEN;

	if (len < ETHER_HDR_LEN)
		return;
	ret->has_ether = true;
	memcpy(ret->dst_mac, data, 6);
	memcpy(ret->src_mac, data + 6, 6);
	ret->ethertype = load_be16(data + 12);
	while (is_tag(ret->ethertype) && at + TAG_BYTES <= len &&
		ret->n_tags < PACKET_PARSE_TAGS_MAX) {
		ret->tci[ret->n_tags++] = load_be16(data + at);
		ret->ethertype = load_be16(data + at + 2);
		at += TAG_BYTES;
	}
	if (ret->ethertype == ETHERTYPE_IP || ret->ethertype == ETHERTYPE_IPV6)
		parse_ip_at(data, len, at, ret);
}

void
packet_parse(enum sflow_protocol protocol, const uint8_t *data, size_t len,
	struct packet_parse *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (protocol == SFLOW_PROTOCOL_ETHERNET)
		parse_ether(data, len, ret);
	else if (protocol == SFLOW_PROTOCOL_IPV4 || protocol == SFLOW_PROTOCOL_IPV6)
		parse_ip_at(data, len, 0, ret);
}

uint32_t
packet_parse_ip_len(const uint8_t *data, size_t len)
{
	uint32_t ip_len;

	if (len >= IPV4_BYTES && data[0] >> 4 == 4)
		return load_be16(data + 2);
	if (len < IPV6_BYTES || data[0] >> 4 != 6)
		return 0;
	ip_len = load_be16(data + 4);
	return ip_len > 0 ? ip_len + IPV6_BYTES : 0;
}
