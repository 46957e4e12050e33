/*
 * packet.c - helpers that fill struct packet. Pure.
 *
 * The rules for frame length and stripped bytes stand here once, for every source:
 * sFlow version 5, sampled_header: the length counts the FCS that Linux never shows.
 */
#include "agent/packet.h"

#include <errno.h>
#include <net/ethernet.h>
#include <string.h>

void
packet_init(struct packet *p)
{
	memset(p, 0, offsetof(struct packet, pool));
}

struct packet_port
packet_port_ifindex(uint32_t ifindex)
{
	if (ifindex == 0)
		return (struct packet_port){ PACKET_PORT_UNKNOWN, 0 };
	return (struct packet_port){ PACKET_PORT_IFINDEX, ifindex };
}

struct data_source
data_source_port(uint32_t ifindex)
{
	return (struct data_source){ SFLOW_CLASS_INTERFACE, ifindex };
}

struct data_source
data_source_host(void)
{
	return (struct data_source){ SFLOW_CLASS_PHYSICAL, SFLOW_HOST_INDEX };
}

bool
data_source_equal(struct data_source a, struct data_source b)
{
	return a.class == b.class && a.index == b.index;
}

/* A length near 2^32 can only be hostile; it must not wrap to a small one. */
static uint32_t
add_sat(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void
set_header(struct packet *p, const uint8_t *data, uint32_t captured, uint32_t original)
{
	p->header = data;
	p->header_len = captured;
	p->frame_len = add_sat(original > captured ? original : captured, p->stripped);
}

void
packet_set_ethernet(
	struct packet *p, const uint8_t *data, uint32_t captured, uint32_t original)
{
	p->protocol = SFLOW_PROTOCOL_ETHERNET;
	p->stripped = ETHER_CRC_LEN;
	set_header(p, data, captured, original);
}

int
packet_set_ip(
	struct packet *p, const uint8_t *data, uint32_t captured, uint32_t original)
{
	unsigned version = captured > 0 ? data[0] >> 4 : 0;

	if (version != 4 && version != 6)
		return -EPROTO;
	p->protocol = version == 4 ? SFLOW_PROTOCOL_IPV4 : SFLOW_PROTOCOL_IPV6;
	p->stripped = ETHER_HDR_LEN + ETHER_CRC_LEN;
	set_header(p, data, captured, original);
	return 0;
}

/* The kernel names the EtherType in any case; in a frame it stands behind the
 * addresses. */
static bool
begins_with_ip(const uint8_t *data, uint32_t captured, uint16_t ether_type)
{
	if (captured < ETHER_HDR_LEN)
		return true;
	if (ether_type == 0 || (data[12] << 8 | data[13]) == ether_type)
		return false;
	return (ether_type == ETHERTYPE_IP && data[0] >> 4 == 4) ||
	       (ether_type == ETHERTYPE_IPV6 && data[0] >> 4 == 6);
}

int
packet_set_frame(struct packet *p, const uint8_t *data, uint32_t captured,
	uint32_t original, uint16_t ether_type)
{
	if (begins_with_ip(data, captured, ether_type))
		return packet_set_ip(p, data, captured, original);
	packet_set_ethernet(p, data, captured, original);
	return 0;
}
