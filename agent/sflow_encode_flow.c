/*
 * sflow_encode_flow.c - flow records: what is known of one packet.
 *
 * Raw header, switch, router and gateway of sFlow version 5; tunnels of sFlow Tunnel
 * Structures; queues and delays of sFlow Transit Delay Structures; what explains a drop
 * of sFlow Dropped Packet Notification Structures.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/sflow_encode_records.h"

/* Body of the raw header record in front of the bytes: protocol, two lengths, count. */
enum { HEADER_FIXED_LEN = 16, RECORD_HEAD_LEN = 8 };

/* A word of the standard for a quantity that may be larger. */
static uint32_t
saturate(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static uint32_t
min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static int
put_header(struct wbuf *w, const struct packet *p, uint32_t len)
{
	size_t start = sflow_record_begin(w, SFLOW_FLOW_HEADER);

	wbuf_put_be32(w, p->protocol);
	wbuf_put_be32(w, p->frame_len);
	wbuf_put_be32(w, p->stripped);
	wbuf_put_opaque(w, p->header, len);
	return sflow_record_end(w, start);
}

/* Bytes of the header record's body that are left for the header. */
static size_t
header_room(const struct wbuf *w)
{
	size_t room = wbuf_room(w);

	if (room < RECORD_HEAD_LEN + HEADER_FIXED_LEN)
		return 0;
	return (room - RECORD_HEAD_LEN - HEADER_FIXED_LEN) & ~(size_t)3;
}

/* The header is not optional, but any number of its bytes will do. */
static void
add_header(struct sflow_part *s, const struct sflow_options *o, const struct packet *p)
{
	uint32_t len = min_u32(p->header_len, o->header_max);
	int rc;

	if (p->stripped > p->frame_len) {
		sflow_part_fail(s, -EINVAL);
		return;
	}
	len = min_u32(len, p->frame_len - p->stripped);
	if (s->ret_cut && len > header_room(s->w)) {
		len = (uint32_t)header_room(s->w);
		(*s->ret_cut)++;
	}
	rc = put_header(s->w, p, len);
	if (rc == 0)
		s->records++;
	else
		sflow_part_fail(s, rc);
}

static int
put_switch(struct wbuf *w, const struct packet *p)
{
	size_t start = sflow_record_begin(w, SFLOW_FLOW_SWITCH);

	wbuf_put_be32(w, p->vlan.in_vlan);
	wbuf_put_be32(w, p->vlan.in_priority);
	wbuf_put_be32(w, p->vlan.out_vlan);
	wbuf_put_be32(w, p->vlan.out_priority);
	return sflow_record_end(w, start);
}

static int
put_router(struct wbuf *w, const struct packet *p)
{
	size_t start = sflow_record_begin(w, SFLOW_FLOW_ROUTER);

	sflow_put_address(w, &p->router.next_hop);
	wbuf_put_be32(w, p->router.src_prefix_len);
	wbuf_put_be32(w, p->router.dst_prefix_len);
	return sflow_record_end(w, start);
}

static void
put_as_path(struct wbuf *w, const struct packet_gateway *g)
{
	uint32_t n = min_u32(g->n_as_path, PACKET_AS_PATH_MAX);

	/* One segment, because some collectors read only the first. */
	wbuf_put_be32(w, n > 0 ? 1 : 0);
	if (n == 0)
		return;
	wbuf_put_be32(w, SFLOW_AS_PATH_SEQUENCE);
	wbuf_put_be32(w, n);
	for (uint32_t i = 0; i < n; i++)
		wbuf_put_be32(w, g->as_path[i]);
}

static int
put_gateway(struct wbuf *w, const struct packet *p)
{
	const struct packet_gateway *g = &p->gateway;
	uint32_t n = min_u32(g->n_communities, PACKET_COMMUNITIES_MAX);
	size_t start = sflow_record_begin(w, SFLOW_FLOW_GATEWAY);

	sflow_put_address(w, &g->next_hop);
	wbuf_put_be32(w, g->as);
	wbuf_put_be32(w, g->src_as);
	wbuf_put_be32(w, g->src_peer_as);
	put_as_path(w, g);
	wbuf_put_be32(w, n);
	for (uint32_t i = 0; i < n; i++)
		wbuf_put_be32(w, g->communities[i]);
	wbuf_put_be32(w, g->local_pref);
	return sflow_record_end(w, start);
}

static int
put_tunnel_l2(struct wbuf *w, uint32_t tag, const struct packet_tunnel *t)
{
	size_t start = sflow_record_begin(w, tag);

	wbuf_put_be32(w, t->l2_length);
	sflow_put_mac(w, t->l2_src);
	sflow_put_mac(w, t->l2_dst);
	wbuf_put_be32(w, t->l2_type);
	return sflow_record_end(w, start);
}

static int
put_tunnel_ip(struct wbuf *w, uint32_t tag, const struct packet_tunnel *t)
{
	size_t address_len = t->src.family == AF_INET6 ? 16 : 4;
	size_t start = sflow_record_begin(w, tag);

	wbuf_put_be32(w, t->ip_length);
	wbuf_put_be32(w, t->ip_protocol);
	wbuf_put_bytes(w, t->src.bytes, address_len);
	wbuf_put_bytes(w, t->dst.bytes, address_len);
	wbuf_put_be32(w, t->src_port);
	wbuf_put_be32(w, t->dst_port);
	wbuf_put_be32(w, t->tcp_flags);
	wbuf_put_be32(w, t->tos);
	return sflow_record_end(w, start);
}

/* Up to four records. @step is 0 for the egress and 1 for the ingress ones, which
 * always have the next number. */
static void
add_tunnel(struct sflow_part *s, const struct packet_tunnel *t, unsigned step)
{
	struct wbuf *w = s->w;
	uint32_t ip_tag = t->src.family == AF_INET6 ? SFLOW_FLOW_IPV6_TUNNEL_EGRESS
						    : SFLOW_FLOW_IPV4_TUNNEL_EGRESS;

	if (t->has & PACKET_TUNNEL_HAS_L2)
		sflow_part_add(
			s, put_tunnel_l2(w, SFLOW_FLOW_L2_TUNNEL_EGRESS + step, t));
	if (t->has & PACKET_TUNNEL_HAS_IP)
		sflow_part_add(s, put_tunnel_ip(w, ip_tag + step, t));
	if (t->has & PACKET_TUNNEL_HAS_INNER)
		sflow_part_add(s,
			sflow_put_word_record(w, SFLOW_FLOW_DECAPSULATE_EGRESS + step,
				t->inner_offset));
	if (t->has & PACKET_TUNNEL_HAS_VNI)
		sflow_part_add(s,
			sflow_put_word_record(w, SFLOW_FLOW_VNI_EGRESS + step, t->vni));
}

static int
put_symbol_record(struct wbuf *w, uint32_t tag, const char *text)
{
	size_t start = sflow_record_begin(w, tag);

	sflow_put_text(w, text, SFLOW_SYMBOL_MAX);
	return sflow_record_end(w, start);
}

static int
put_hw_trap(struct wbuf *w, const struct packet *p)
{
	size_t start = sflow_record_begin(w, SFLOW_FLOW_HW_TRAP);

	sflow_put_text(w, p->trap_group, SFLOW_SYMBOL_MAX);
	sflow_put_text(w, p->trap_name, SFLOW_SYMBOL_MAX);
	return sflow_record_end(w, start);
}

static int
put_acl(struct wbuf *w, const struct packet *p)
{
	size_t start = sflow_record_begin(w, SFLOW_FLOW_ACL);

	wbuf_put_be32(w, p->acl.number);
	sflow_put_text(w, p->acl.name, SFLOW_ACL_NAME_MAX);
	wbuf_put_be32(w, p->acl.direction);
	return sflow_record_end(w, start);
}

static int
put_timestamp(struct wbuf *w, const struct packet *p)
{
	size_t start = sflow_record_begin(w, SFLOW_FLOW_TIMESTAMP);

	wbuf_put_be64(w, p->timestamp_ns);
	return sflow_record_end(w, start);
}

/* What @p has, less the records that the standard ties to something that is missing. */
static unsigned
records_of(const struct packet *p)
{
	unsigned has = p->has;

	if (p->output.kind != PACKET_PORT_IFINDEX)
		has &= ~(unsigned)PACKET_HAS_QUEUE;
	if (!(has & PACKET_HAS_QUEUE))
		has &= ~(unsigned)PACKET_HAS_QUEUE_DEPTH;
	return has;
}

/* What explains a drop, and by which rule or code it was made. */
static void
add_explanations(struct sflow_part *s, const struct packet *p, unsigned has)
{
	struct wbuf *w = s->w;

	if (has & PACKET_HAS_HW_TRAP)
		sflow_part_add(s, put_hw_trap(w, p));
	if (has & PACKET_HAS_LINUX_REASON)
		sflow_part_add(s,
			put_symbol_record(w, SFLOW_FLOW_LINUX_REASON, p->linux_reason));
	if (has & PACKET_HAS_FUNCTION)
		sflow_part_add(
			s, put_symbol_record(w, SFLOW_FLOW_FUNCTION, p->function));
	if (has & PACKET_HAS_ACL)
		sflow_part_add(s, put_acl(w, p));
}

/* Where and how long the packet waited, and when. */
static void
add_measurements(struct sflow_part *s, const struct packet *p, unsigned has)
{
	struct wbuf *w = s->w;

	if (has & PACKET_HAS_QUEUE)
		sflow_part_add(
			s, sflow_put_word_record(w, SFLOW_FLOW_EGRESS_QUEUE, p->queue));
	if (has & PACKET_HAS_TRANSIT)
		sflow_part_add(s, sflow_put_word_record(w, SFLOW_FLOW_TRANSIT,
					  saturate(p->transit_ns)));
	if (has & PACKET_HAS_QUEUE_DEPTH)
		sflow_part_add(s, sflow_put_word_record(w, SFLOW_FLOW_QUEUE_DEPTH,
					  saturate(p->queue_depth_bytes)));
	if (has & PACKET_HAS_TIMESTAMP)
		sflow_part_add(s, put_timestamp(w, p));
}

void
sflow_add_packet(
	struct sflow_part *s, const struct sflow_options *o, const struct packet *p)
{
	unsigned has = records_of(p);

	add_header(s, o, p);
	if (has & PACKET_HAS_SWITCH)
		sflow_part_add(s, put_switch(s->w, p));
	if (has & PACKET_HAS_ROUTER)
		sflow_part_add(s, put_router(s->w, p));
	if (has & PACKET_HAS_GATEWAY)
		sflow_part_add(s, put_gateway(s->w, p));
	if (has & PACKET_HAS_EGRESS_TUNNEL)
		add_tunnel(s, &p->tunnel_out, 0);
	if (has & PACKET_HAS_INGRESS_TUNNEL)
		add_tunnel(s, &p->tunnel_in, 1);
	add_explanations(s, p, has);
	add_measurements(s, p, has);
}
