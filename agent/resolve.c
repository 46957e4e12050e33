/*
 * resolve.c - follows a sampled packet through VLANs, bridge and routing table, one
 * question of resolve_lookup.h after another.
 */
#include "agent/resolve.h"

#include <errno.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/packet_parse.h"
#include "agent/resolve_lookup.h"

enum {
	STACK_MAX = 8, /* interfaces on top of one another */
	VLAN_MASK = 0xfff,
	VLAN_NOT_KNOWN = 0xffff,
};

struct resolve {
	struct iface_table *ifaces; /* borrowed */
	struct resolve_lookup lookup;
};

/* One packet on its way. */
struct walk {
	struct resolve *r;
	struct packet_parse parse;
	struct resolve_query query; /* about .parse */
	unsigned tag; /* of parse.tci, the first that still is on the packet */
};

/* Devices. */

static const struct iface *
vlan_on(struct walk *w, const struct iface *lower, uint16_t vlan)
{
	const struct resolve_key key = {
		.kind = RESOLVE_VLAN, .ifindex = lower->index, .vlan = vlan
	};
	struct resolve_value v = resolve_look_up(&w->r->lookup, &w->query, &key);

	return v.ifindex ? iface_find(w->r->ifaces, v.ifindex) : NULL;
}

static const struct iface *
master_of(const struct walk *w, const struct iface *dev)
{
	return dev->master ? iface_find(w->r->ifaces, dev->master) : NULL;
}

static bool
is_group(const struct iface *dev)
{
	return dev->kind == LINK_KIND_BOND || dev->kind == LINK_KIND_TEAM;
}

/* The interface that deals with a packet that came in by @dev: VLAN interfaces and
 * bonds on top of it, up to a bridge, which decides by itself. */
static const struct iface *
climb(struct walk *w, const struct iface *dev)
{
	for (int i = 0; i < STACK_MAX; i++) {
		const struct iface *up = NULL;

		if (w->tag < w->parse.n_tags)
			up = vlan_on(w, dev, w->parse.tci[w->tag] & VLAN_MASK);
		if (up) {
			w->tag++;
			dev = up;
			continue;
		}
		up = master_of(w, dev);
		if (!up || !is_group(up))
			break;
		dev = up;
	}
	return dev;
}

/* The port below @dev: VLAN interfaces are none. A bond stands for its members. */
static const struct iface *
descend(const struct walk *w, const struct iface *dev)
{
	for (int i = 0; i < STACK_MAX && dev && dev->kind == LINK_KIND_VLAN; i++)
		dev = iface_find(w->r->ifaces, dev->lower);
	return dev;
}

/* The VLAN that @bridge puts a packet into that came in by its port @dev; 0 if it does
 * not tell them apart. Not known: untagged where that is not allowed, so that probably
 * somebody has taken the tag away. */
static uint16_t
bridge_vlan(struct walk *w, const struct iface *bridge, const struct iface *dev)
{
	const struct resolve_key aware = { .kind = RESOLVE_AWARE,
		.ifindex = bridge->index };
	const struct resolve_key pvid = { .kind = RESOLVE_PVID, .ifindex = dev->index };
	uint16_t vlan = 0;

	if (resolve_look_up(&w->r->lookup, &w->query, &aware).ifindex == 0)
		return 0;
	if (w->tag < w->parse.n_tags)
		vlan = w->parse.tci[w->tag] & VLAN_MASK;
	if (vlan == 0)
		vlan = (uint16_t)resolve_look_up(&w->r->lookup, &w->query, &pvid)
			       .ifindex;
	return vlan ? vlan : VLAN_NOT_KNOWN;
}

static struct resolve_value
look_up_fdb(
	struct walk *w, const struct iface *bridge, const uint8_t mac[6], uint16_t vlan)
{
	struct resolve_key key = {
		.kind = RESOLVE_FDB, .ifindex = bridge->index, .vlan = vlan
	};

	if (vlan == VLAN_NOT_KNOWN)
		return (struct resolve_value){ .answer = RESOLVE_NO };
	memcpy(key.dst, mac, 6);
	return resolve_look_up(&w->r->lookup, &w->query, &key);
}

static struct packet_port
port_of(const struct walk *w, const struct iface *dev)
{
	dev = descend(w, dev);
	return packet_port_ifindex(dev ? dev->index : 0);
}

/* The other port, or none: a bridge does not send a packet back. */
static struct packet_port
bridge_port(
	const struct walk *w, const struct resolve_value *v, const struct iface *from)
{
	if (v->answer == RESOLVE_MULTIPLE)
		return (struct packet_port){ PACKET_PORT_MULTIPLE, 0 };
	if (v->answer != RESOLVE_PORT || (from && v->ifindex == from->index))
		return (struct packet_port){ PACKET_PORT_UNKNOWN, 0 };
	return port_of(w, iface_find(w->r->ifaces, v->ifindex));
}

/* Behind a bridge: the port of the next hop's address. @l3 is the bridge, or the VLAN
 * interface on top of it. */
static struct packet_port
leave_by_bridge(struct walk *w, const struct iface *bridge, const struct iface *l3,
	const struct resolve_value *route)
{
	struct resolve_key key = { .kind = RESOLVE_NEIGH, .ifindex = l3->index };
	struct resolve_value v;
	uint16_t vlan = l3->kind == LINK_KIND_VLAN ? l3->vlan_id : 0;

	key.family = route->gateway_family ? route->gateway_family
					   : (uint8_t)resolve_family(&w->query);
	memcpy(key.dst, route->gateway_family ? route->gateway : w->parse.dst,
		sizeof(key.dst));
	v = resolve_look_up(&w->r->lookup, &w->query, &key);
	if (v.answer != RESOLVE_MAC)
		return (struct packet_port){ PACKET_PORT_UNKNOWN, 0 };
	/* Untagged on the bridge itself: the VLAN that it puts its own packets into. */
	w->tag = w->parse.n_tags;
	if (vlan == 0)
		vlan = bridge_vlan(w, bridge, bridge);
	v = look_up_fdb(w, bridge, v.gateway, vlan);
	return bridge_port(w, &v, NULL);
}

/* The interface of the route, down to a port. */
static struct packet_port
leave(struct walk *w, const struct resolve_value *route)
{
	const struct iface *l3 = iface_find(w->r->ifaces, route->ifindex);
	const struct iface *dev = descend(w, l3);

	if (!dev)
		return (struct packet_port){ PACKET_PORT_UNKNOWN, 0 };
	if (dev->kind == LINK_KIND_BRIDGE)
		return leave_by_bridge(w, dev, l3, route);
	return packet_port_ifindex(dev->index);
}

static const struct packet_port internal = { PACKET_PORT_INTERNAL, 0 };
static const struct packet_port multiple = { PACKET_PORT_MULTIPLE, 0 };
static const struct packet_port unknown = { PACKET_PORT_UNKNOWN, 0 };

/* 224.0.0.0/24, ff02::/16 and the like never leave their link. */
static bool
stays_on_link(const struct packet_parse *p)
{
	if (p->ip_version == 4)
		return p->dst[0] == 224 && p->dst[1] == 0 && p->dst[2] == 0;
	return p->ip_version == 6 && (p->dst[1] & 15) <= 2;
}

/* Sent to a group, at a port that no bridge has. */
static struct packet_port
receive_group(const struct walk *w)
{
	static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

	if (w->parse.ip_version == 0 || stays_on_link(&w->parse) ||
		memcmp(w->parse.dst_mac, broadcast, 6) == 0)
		return internal;
	return multiple;
}

/* The packet has reached our own stack at @l3. */
static struct packet_port
route(struct walk *w, const struct iface *l3)
{
	struct resolve_value v;

	if (w->parse.ip_version == 0)
		return w->parse.ethertype == ETHERTYPE_ARP ? internal : unknown;
	v = resolve_look_up_route(&w->r->lookup, &w->query, l3->index);
	switch (v.answer) {
	case RESOLVE_INTERNAL:
		return internal;
	case RESOLVE_MULTIPLE:
		return multiple;
	case RESOLVE_PORT:
		return leave(w, &v);
	default:
		return unknown;
	}
}

static struct packet_port
cross_bridge(struct walk *w, const struct iface *bridge, const struct iface *dev)
{
	const struct iface *l3 = NULL;
	uint16_t vlan;
	struct resolve_value v;

	if (packet_parse_is_group(w->parse.dst_mac))
		return multiple;
	vlan = bridge_vlan(w, bridge, dev);
	v = look_up_fdb(w, bridge, w->parse.dst_mac, vlan);
	if (v.answer != RESOLVE_INTERNAL &&
		memcmp(w->parse.dst_mac, bridge->mac, 6) != 0)
		return bridge_port(w, &v, dev);
	/* A bridge that does not tell VLANs apart leaves the tag on the packet. */
	if (vlan == 0 && w->tag < w->parse.n_tags)
		vlan = w->parse.tci[w->tag] & VLAN_MASK;
	if (vlan != 0 && vlan != VLAN_NOT_KNOWN)
		l3 = vlan_on(w, bridge, vlan);
	return route(w, l3 ? l3 : bridge);
}

static struct packet_port
way_out(struct walk *w, uint32_t ifindex)
{
	const struct iface *dev = iface_find(w->r->ifaces, ifindex), *master;

	if (!dev)
		return unknown;
	dev = climb(w, dev);
	if (!w->parse.has_ether)
		return route(w, dev);
	master = master_of(w, dev);
	if (master && master->kind == LINK_KIND_BRIDGE)
		return cross_bridge(w, master, dev);
	if (packet_parse_is_group(w->parse.dst_mac))
		return receive_group(w);
	/* For somebody else: the stack drops it. */
	if (!dev->has_mac || memcmp(w->parse.dst_mac, dev->mac, 6) != 0)
		return unknown;
	return route(w, dev);
}

static void
walk_init(struct walk *w, struct resolve *r, const struct packet *p, struct mono now)
{
	w->r = r;
	w->query = (struct resolve_query){ &w->parse, now };
	w->tag = 0;
	packet_parse(p->protocol, p->header, p->header_len, &w->parse);
}

void
resolve_output(struct resolve *r, struct packet *p, uint32_t ifindex, struct mono now)
{
	struct walk w;

	walk_init(&w, r, p, now);
	p->output = way_out(&w, ifindex);
}

/* Is the packet's source address one of ours? */
static bool
is_from_us(struct walk *w)
{
	struct packet_parse *p = &w->parse;
	uint8_t src[16];

	if (p->ip_version == 0)
		return true;
	memcpy(src, p->src, sizeof(src));
	memcpy(p->src, p->dst, sizeof(src));
	memcpy(p->dst, src, sizeof(src));
	return resolve_look_up_route(&w->r->lookup, &w->query, 0).answer ==
	       RESOLVE_INTERNAL;
}

void
resolve_input(struct resolve *r, struct packet *p, uint32_t ifindex, struct mono now)
{
	const struct iface *dev = iface_find(r->ifaces, ifindex), *bridge;
	struct resolve_value v;
	struct walk w;

	if (!dev)
		return;
	walk_init(&w, r, p, now);
	dev = climb(&w, dev);
	bridge = master_of(&w, dev);
	if (w.parse.has_ether && bridge && bridge->kind == LINK_KIND_BRIDGE) {
		v = look_up_fdb(
			&w, bridge, w.parse.src_mac, bridge_vlan(&w, bridge, dev));
		if (v.answer == RESOLVE_PORT) {
			p->input = bridge_port(&w, &v, dev);
			return;
		}
	}
	if (is_from_us(&w))
		p->input = internal;
}

struct resolve *
resolve_open(struct loop *loop, struct iface_table *ifaces, struct err *err)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (!r) {
		(void)err_sys(err, -ENOMEM, "resolve");
		return NULL;
	}
	r->ifaces = ifaces;
	if (resolve_lookup_open(&r->lookup, loop, ifaces, err) == 0)
		return r;
	resolve_close(r);
	return NULL;
}

void
resolve_close(struct resolve *r)
{
	if (!r)
		return;
	resolve_lookup_close(&r->lookup);
	free(r);
}

const struct resolve_stats *
resolve_stats(const struct resolve *r)
{
	return &r->lookup.stats;
}
