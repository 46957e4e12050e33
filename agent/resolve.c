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
	PRIORITY_SHIFT = 13,
	VLAN_NOT_KNOWN = 0xffff,
};

struct resolve {
	struct iface_table *ifaces; /* borrowed */
	struct fib *fib;            /* owned */
	struct resolve_lookup lookup;
};

/* One packet on its way. */
struct walk {
	struct resolve *r;
	struct packet_parse parse;
	struct resolve_query query; /* about .parse */
	unsigned tag; /* of parse.tci, the first that still is on the packet */
	struct packet_vlan vlan;
	bool is_bridged; /* a bridge takes it from port to port, or to the stack */
	struct packet_router router;
	bool is_routed; /* then .router is known */
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

/* VLAN 0: there is a priority only. */
static void
leave_in(struct walk *w, uint32_t vlan, uint32_t priority)
{
	w->vlan.out_vlan = vlan ? vlan : PACKET_VLAN_UNKNOWN;
	w->vlan.out_priority = priority;
}

/* The port below @dev: VLAN interfaces are none. A bond stands for its members, unless
 * only one is in use. */
static const struct iface *
descend(struct walk *w, const struct iface *dev)
{
	struct resolve_key key = { .kind = RESOLVE_MEMBER };

	for (int i = 0; i < STACK_MAX && dev && dev->kind == LINK_KIND_VLAN; i++) {
		leave_in(w, dev->vlan_id, dev->vlan_remarks ? PACKET_VLAN_UNKNOWN : 0);
		dev = iface_find(w->r->ifaces, dev->lower);
	}
	if (!dev || !is_group(dev))
		return dev;
	key.ifindex = dev->index;
	key.ifindex = resolve_look_up(&w->r->lookup, &w->query, &key).ifindex;
	return key.ifindex ? iface_find(w->r->ifaces, key.ifindex) : dev;
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
port_of(struct walk *w, const struct iface *dev)
{
	dev = descend(w, dev);
	return packet_port_ifindex(dev ? dev->index : 0);
}

/* The other port, or none: a bridge does not send a packet back. */
static struct packet_port
bridge_port(struct walk *w, const struct resolve_value *v, const struct iface *from)
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
	if (vlan == 0) {
		vlan = bridge_vlan(w, bridge, bridge);
		if (vlan != 0 && vlan != VLAN_NOT_KNOWN)
			leave_in(w, vlan, 0);
	}
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

/* Next hop and prefixes; the source's is that of the way back. */
static void
note_route(struct walk *w, const struct resolve_value *v)
{
	const struct fib *fib = w->r->fib;
	const int family = resolve_family(&w->query);

	w->is_routed = fib_is_on(fib);
	if (!w->is_routed)
		return;
	w->router.next_hop = (struct parse_addr){ .family = v->gateway_family };
	memcpy(w->router.next_hop.bytes, v->gateway, sizeof(v->gateway));
	w->router.dst_prefix_len =
		v->prefix_len != RESOLVE_PREFIX_UNKNOWN
			? v->prefix_len
			: fib_match(fib, v->table, family, w->parse.dst);
	w->router.src_prefix_len = fib_match(fib, v->table, family, w->parse.src);
}

/* The route of a packet that has reached our stack at @l3. One into a VRF is followed
 * there. */
static struct resolve_value
look_up_route(struct walk *w, const struct iface *l3)
{
	struct resolve_value v =
		resolve_look_up_route(&w->r->lookup, &w->query, l3->index);
	const struct iface *out =
		v.answer == RESOLVE_PORT ? iface_find(w->r->ifaces, v.ifindex) : NULL;

	if (out && out->kind == LINK_KIND_VRF)
		v = resolve_look_up_route(&w->r->lookup, &w->query, out->index);
	return v;
}

/* The packet has reached our own stack at @l3. */
static struct packet_port
route(struct walk *w, const struct iface *l3)
{
	struct resolve_value v;

	if (w->parse.ip_version == 0)
		return w->parse.ethertype == ETHERTYPE_ARP ? internal : unknown;
	v = look_up_route(w, l3);
	if (v.answer == RESOLVE_PORT)
		note_route(w, &v);
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

/* VLANs of a packet that crosses a bridge in @vlan, as bridge_vlan() says. */
static void
note_bridge_vlan(struct walk *w, uint16_t vlan)
{
	const bool has_tag = w->tag < w->parse.n_tags;
	const uint16_t tci = has_tag ? w->parse.tci[w->tag] : 0;

	w->is_bridged = true;
	if (vlan == VLAN_NOT_KNOWN)
		return;
	if (vlan == 0) {
		/* A tag that is still there stays on the packet. */
		if (has_tag)
			leave_in(w, tci & VLAN_MASK, tci >> PRIORITY_SHIFT);
		return;
	}
	if (w->vlan.in_vlan == PACKET_VLAN_UNKNOWN)
		w->vlan.in_vlan = vlan;
	if (w->vlan.in_priority == PACKET_VLAN_UNKNOWN)
		w->vlan.in_priority = 0;
	leave_in(w, vlan, tci >> PRIORITY_SHIFT);
}

static struct packet_port
cross_bridge(struct walk *w, const struct iface *bridge, const struct iface *dev)
{
	const struct iface *l3 = NULL;
	uint16_t vlan = bridge_vlan(w, bridge, dev);
	struct resolve_value v;

	note_bridge_vlan(w, vlan);
	if (packet_parse_is_group(w->parse.dst_mac))
		return multiple;
	v = look_up_fdb(w, bridge, w->parse.dst_mac, vlan);
	if (v.answer != RESOLVE_INTERNAL &&
		memcmp(w->parse.dst_mac, bridge->mac, 6) != 0)
		return bridge_port(w, &v, dev);
	/* A bridge that does not tell VLANs apart leaves the tag on the packet. */
	if (vlan == 0 && w->tag < w->parse.n_tags)
		vlan = w->parse.tci[w->tag] & VLAN_MASK;
	if (vlan != 0 && vlan != VLAN_NOT_KNOWN)
		l3 = vlan_on(w, bridge, vlan);
	leave_in(w, PACKET_VLAN_UNKNOWN, PACKET_VLAN_UNKNOWN);
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
	w->is_bridged = w->is_routed = false;
	w->vlan = (struct packet_vlan){ PACKET_VLAN_UNKNOWN, PACKET_VLAN_UNKNOWN,
		PACKET_VLAN_UNKNOWN, PACKET_VLAN_UNKNOWN };
	packet_parse(p->protocol, p->header, p->header_len, &w->parse);
}

/* The tag of the packet as it was seen. */
static void
read_tag(const struct walk *w, uint32_t *ret_vlan, uint32_t *ret_priority)
{
	if (w->parse.n_tags == 0)
		return;
	if (w->parse.tci[0] & VLAN_MASK)
		*ret_vlan = w->parse.tci[0] & VLAN_MASK;
	*ret_priority = w->parse.tci[0] >> PRIORITY_SHIFT;
}

static bool
is_vlan_known(const struct packet_vlan *v)
{
	return v->in_vlan != PACKET_VLAN_UNKNOWN ||
	       v->in_priority != PACKET_VLAN_UNKNOWN ||
	       v->out_vlan != PACKET_VLAN_UNKNOWN;
}

/* Enter what was learned of the packet. */
static void
tell(const struct walk *w, struct packet *p)
{
	if (w->is_bridged || is_vlan_known(&w->vlan)) {
		p->vlan = w->vlan;
		p->has |= PACKET_HAS_SWITCH;
	}
	if (w->is_routed && !(p->has & PACKET_HAS_ROUTER)) {
		p->router = w->router;
		p->has |= PACKET_HAS_ROUTER;
	}
}

/* The source said where @p leaves; is that where the walk ended? It may know of a bond
 * what we do not. */
static bool
agrees(const struct walk *w, const struct packet *p, struct packet_port out)
{
	const struct iface *dev;

	if (p->output.kind != out.kind)
		return false;
	if (out.kind != PACKET_PORT_IFINDEX || p->output.value == out.value)
		return true;
	dev = iface_find(w->r->ifaces, p->output.value);
	return dev && dev->is_lag_member && dev->master == out.value;
}

void
resolve_output(struct resolve *r, struct packet *p, uint32_t ifindex, struct mono now)
{
	struct packet_port out;
	struct walk w;

	walk_init(&w, r, p, now);
	read_tag(&w, &w.vlan.in_vlan, &w.vlan.in_priority);
	out = way_out(&w, ifindex);
	if (p->output.kind == PACKET_PORT_UNKNOWN) {
		p->output = out;
	} else if (!agrees(&w, p, out)) {
		leave_in(&w, PACKET_VLAN_UNKNOWN, PACKET_VLAN_UNKNOWN);
		w.is_routed = false;
	}
	tell(&w, p);
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

/* The port of @bridge by which a packet came in that leaves by its port @dev. */
static struct packet_port
way_in(struct walk *w, const struct iface *bridge, const struct iface *dev)
{
	const uint16_t vlan = bridge_vlan(w, bridge, dev);
	struct resolve_value v = look_up_fdb(w, bridge, w->parse.src_mac, vlan);
	struct packet_vlan *t = &w->vlan;
	const struct packet_vlan seen = *t;
	struct packet_port port;

	if (v.answer != RESOLVE_PORT)
		return unknown;
	/* Down to the port it came in by, as if it were to leave there. */
	leave_in(w, PACKET_VLAN_UNKNOWN, PACKET_VLAN_UNKNOWN);
	note_bridge_vlan(w, vlan);
	leave_in(w, t->out_vlan, PACKET_VLAN_UNKNOWN);
	port = bridge_port(w, &v, dev);
	*t = (struct packet_vlan){ t->out_vlan, PACKET_VLAN_UNKNOWN, seen.out_vlan,
		seen.out_priority };
	if (t->out_vlan == PACKET_VLAN_UNKNOWN && vlan != VLAN_NOT_KNOWN && vlan != 0)
		t->out_vlan = vlan;
	return port;
}

void
resolve_input(struct resolve *r, struct packet *p, uint32_t ifindex, struct mono now)
{
	const struct iface *dev = iface_find(r->ifaces, ifindex), *bridge;
	struct packet_port in = unknown;
	struct walk w;

	if (!dev)
		return;
	walk_init(&w, r, p, now);
	read_tag(&w, &w.vlan.out_vlan, &w.vlan.out_priority);
	dev = climb(&w, dev);
	bridge = master_of(&w, dev);
	if (w.parse.has_ether && bridge && bridge->kind == LINK_KIND_BRIDGE)
		in = way_in(&w, bridge, dev);
	if (p->input.kind == PACKET_PORT_UNKNOWN)
		p->input = in;
	else if (p->input.kind != in.kind || p->input.value != in.value)
		w.vlan.in_vlan = w.vlan.in_priority = PACKET_VLAN_UNKNOWN;
	if (p->input.kind == PACKET_PORT_UNKNOWN && is_from_us(&w))
		p->input = internal;
	tell(&w, p);
}

void
resolve_origin(struct resolve *r, struct packet *p, struct mono now)
{
	const struct iface *l3 = iface_find(r->ifaces, p->input.value), *dev;
	struct resolve_value v;
	struct walk w;
	uint16_t vlan;

	if (p->input.kind != PACKET_PORT_IFINDEX || !l3)
		return;
	walk_init(&w, r, p, now);
	dev = descend(&w, l3);
	if (!dev || dev->kind != LINK_KIND_BRIDGE) {
		p->input = dev ? packet_port_ifindex(dev->index) : unknown;
		return;
	}
	p->input = unknown;
	if (!w.parse.has_ether)
		return;
	w.tag = w.parse.n_tags;
	vlan = l3->kind == LINK_KIND_VLAN ? l3->vlan_id : bridge_vlan(&w, dev, dev);
	v = look_up_fdb(&w, dev, w.parse.src_mac, vlan);
	if (v.answer == RESOLVE_PORT)
		p->input = bridge_port(&w, &v, NULL);
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
	r->fib = fib_open(loop, ifaces, err);
	if (r->fib && resolve_lookup_open(&r->lookup, loop, ifaces, err) == 0)
		return r;
	resolve_close(r);
	return NULL;
}

void
resolve_close(struct resolve *r)
{
	if (!r)
		return;
	if (r->fib)
		resolve_lookup_close(&r->lookup);
	fib_close(r->fib);
	free(r);
}

void
resolve_set_max_routes(struct resolve *r, size_t max_routes)
{
	fib_limit(r->fib, max_routes);
}

void
resolve_stats(const struct resolve *r, struct resolve_stats *ret)
{
	*ret = r->lookup.stats;
	fib_info(r->fib, &ret->fib);
}
