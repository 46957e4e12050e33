/*
 * resolve_lookup.c - the cache of the kernel's answers, and the kernel behind it.
 */
#include "agent/resolve_lookup.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/resolve_msg.h"
#include "common/nl.h"

enum {
	REQUEST_BYTES = 256,
	ANSWER_BYTES = 32768, /* a dump's part, too */
	EVENT_BYTES = 8192,
	EVENT_QUEUE_BYTES = 1 << 20,
	EVENT_BATCH = 16,
};

int
resolve_family(const struct resolve_query *q)
{
	return q->parse->ip_version == 4 ? AF_INET : AF_INET6;
}

/* Answers of the kernel. */

struct answer {
	const struct resolve_key *key;
	struct resolve_value value;
};

static void
take_route(const struct resolve_route *route, struct resolve_value *ret)
{
	switch (route->type) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		ret->answer = RESOLVE_INTERNAL;
		return;
	case RTN_MULTICAST:
		ret->answer = RESOLVE_MULTIPLE;
		return;
	case RTN_UNICAST:
		break;
	default:
		return;
	}
	ret->table = route->table;
	ret->prefix_len = route->prefix_len;
	if (route->multipath) {
		ret->answer = RESOLVE_BY_FLOW;
	} else if (route->oif) {
		ret->answer = RESOLVE_PORT;
		ret->ifindex = route->oif;
		ret->gateway_family = (uint8_t)route->gateway_family;
		memcpy(ret->gateway, route->gateway, sizeof(ret->gateway));
	}
}

static void
take_neigh(const struct resolve_neigh *neigh, struct resolve_value *ret)
{
	if (!neigh->has_mac || neigh->state & (NUD_INCOMPLETE | NUD_FAILED))
		return;
	ret->answer = RESOLVE_MAC;
	memcpy(ret->gateway, neigh->mac, sizeof(neigh->mac));
}

static void
take_fdb(const struct resolve_neigh *entry, struct resolve_value *ret)
{
	/* Addresses of the bridge itself and of its ports. */
	if (entry->state & NUD_PERMANENT) {
		ret->answer = RESOLVE_INTERNAL;
		return;
	}
	ret->answer = RESOLVE_PORT;
	ret->ifindex = entry->ifindex;
}

static void
take_number(uint32_t number, struct resolve_value *ret)
{
	ret->answer = RESOLVE_NUMBER;
	ret->ifindex = number;
}

/* What is not the answer, or damaged, leaves "the kernel does not know". */
static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	struct answer *a = user_data;
	struct resolve_route route;
	struct resolve_neigh neigh;
	uint16_t pvid;
	bool aware;

	switch ((enum resolve_kind)a->key->kind) {
	case RESOLVE_ROUTE:
	case RESOLVE_FLOW:
		if (resolve_msg_route(h, &route) == 0)
			take_route(&route, &a->value);
		/* To the exact question it names the address itself. */
		if (a->key->kind == RESOLVE_FLOW)
			a->value.prefix_len = RESOLVE_PREFIX_UNKNOWN;
		break;
	case RESOLVE_NEIGH:
		if (resolve_msg_neigh(h, &neigh) == 0)
			take_neigh(&neigh, &a->value);
		break;
	case RESOLVE_FDB:
		if (resolve_msg_neigh(h, &neigh) == 0)
			take_fdb(&neigh, &a->value);
		break;
	case RESOLVE_AWARE:
		if (resolve_msg_vlan_aware(h, &aware) == 0)
			take_number(aware, &a->value);
		break;
	case RESOLVE_PVID:
		if (resolve_msg_pvid(h, &pvid) == 0 && pvid)
			take_number(pvid, &a->value);
		break;
	default:
		break;
	}
	return 0;
}

static void
fill_flow(const struct resolve_query *q, const struct resolve_key *key,
	struct resolve_flow *ret)
{
	const struct packet_parse *p = q->parse;

	*ret = (struct resolve_flow){ .family = key->family, .ifindex = key->ifindex };
	memcpy(ret->dst, key->dst, sizeof(ret->dst));
	memcpy(ret->src, p->src, sizeof(ret->src));
	if (key->kind != RESOLVE_FLOW || !p->has_ports)
		return;
	ret->protocol = p->ip_protocol;
	ret->src_port = p->src_port;
	ret->dst_port = p->dst_port;
}

static void
build_question(
	const struct resolve_query *q, const struct resolve_key *key, struct nlbuild *b)
{
	struct resolve_flow flow;

	switch ((enum resolve_kind)key->kind) {
	case RESOLVE_ROUTE:
	case RESOLVE_FLOW:
		fill_flow(q, key, &flow);
		resolve_msg_ask_route(b, &flow, key->kind == RESOLVE_FLOW);
		break;
	case RESOLVE_NEIGH:
		resolve_msg_ask_neigh(b, key->family, key->ifindex, key->dst);
		break;
	case RESOLVE_FDB:
		resolve_msg_ask_fdb(b, key->ifindex, key->dst, (uint16_t)key->vlan);
		break;
	case RESOLVE_AWARE:
		resolve_msg_ask_link(b, key->ifindex);
		break;
	case RESOLVE_PVID:
		resolve_msg_ask_vlans(b, key->ifindex);
		break;
	default:
		break;
	}
}

/* The VLAN interface that the kernel hands packets of @vlan on @lower to. */
static uint32_t
search_vlan(const struct resolve_lookup *l, uint32_t lower, uint32_t vlan)
{
	for (const struct iface *f = l->ifaces->first; f; f = f->next_all) {
		if (f->kind == LINK_KIND_VLAN && f->lower == lower &&
			f->vlan_id == vlan)
			return f->index;
	}
	return 0;
}

/* The member of a LAG by which all packets leave, if there is one only. */
static uint32_t
search_member(const struct resolve_lookup *l, uint32_t lag)
{
	uint32_t found = 0;

	for (const struct iface *f = l->ifaces->first; f; f = f->next_all) {
		if (f->master != lag || !f->is_lag_active || !f->oper_up)
			continue;
		if (found)
			return 0;
		found = f->index;
	}
	return found;
}

static struct resolve_value
ask(struct resolve_lookup *l, const struct resolve_query *q,
	const struct resolve_key *key)
{
	uint8_t buffer[REQUEST_BYTES] __attribute__((aligned(8)));
	struct answer a = { .key = key };
	struct nlbuild b;
	int rc;

	l->stats.lookups++;
	if (key->kind == RESOLVE_VLAN) {
		take_number(search_vlan(l, key->ifindex, key->vlan), &a.value);
		return a.value;
	}
	if (key->kind == RESOLVE_MEMBER) {
		take_number(search_member(l, key->ifindex), &a.value);
		return a.value;
	}
	nlbuild_init(&b, buffer, sizeof(buffer));
	build_question(q, key, &b);
	rc = netlink_request(l->nl, &b, on_answer, &a, NULL);
	/* A bridge floods what it has not learned. */
	if (rc == -ENOENT && key->kind == RESOLVE_FDB)
		a.value.answer = RESOLVE_MULTIPLE;
	if (a.value.answer == RESOLVE_NO)
		l->stats.failed++;
	return a.value;
}

static struct resolve_value
ask_and_keep(struct resolve_lookup *l, const struct resolve_query *q,
	const struct resolve_key *key)
{
	struct resolve_value value = ask(l, q, key);
	bool known = value.answer != RESOLVE_NO;

	resolve_cache_put(&l->cache, key, &value, q->now,
		mono_add_ms(q->now, known ? RESOLVE_MAX_AGE_MS : RESOLVE_RETRY_MS));
	return value;
}

static bool
may_ask(struct resolve_lookup *l, const struct resolve_query *q)
{
	if (ratelimit_pass(&l->limit, q->now))
		return true;
	l->stats.limited++;
	return false;
}

/* From the cache, or from the kernel if it may be asked; else what was true lately. */
struct resolve_value
resolve_look_up(struct resolve_lookup *l, const struct resolve_query *q,
	const struct resolve_key *key)
{
	const struct resolve_value none = { .answer = RESOLVE_NO };
	const struct resolve_value *v;
	bool stale;

	v = resolve_cache_find(&l->cache, key, q->now, &stale);
	if (v && !stale) {
		l->stats.hits++;
		return *v;
	}
	if (!may_ask(l, q))
		return v ? *v : none;
	return ask_and_keep(l, q, key);
}

/* Routes. */

static struct resolve_key
flow_key(const struct resolve_query *q, uint32_t ifindex)
{
	const struct packet_parse *p = q->parse;
	struct resolve_key key = {
		.kind = RESOLVE_FLOW,
		.family = (uint8_t)resolve_family(q),
		.protocol = p->ip_protocol,
		.ifindex = ifindex,
		.src_port = p->src_port,
		.dst_port = p->dst_port,
	};

	memcpy(key.dst, p->dst, sizeof(key.dst));
	memcpy(key.src, p->src, sizeof(key.src));
	return key;
}

/* Which of several next hops; the answer does not tell the prefix of @route. */
static struct resolve_value
look_up_next_hop(struct resolve_lookup *l, const struct resolve_query *q,
	const struct resolve_key *flow, const struct resolve_value *route)
{
	struct resolve_value value = resolve_look_up(l, q, flow);

	value.prefix_len = route->prefix_len;
	value.table = route->table;
	return value;
}

/*
 * The route of the packet that reached us by @ifindex. Normally it is the same for all
 * packets to its destination, which is what a flood to one victim from invented sources
 * asks for; only where there are several next hops each flow has its own. A refusal may
 * be due to the source address, so it is remembered for the flow only.
 */
struct resolve_value
resolve_look_up_route(
	struct resolve_lookup *l, const struct resolve_query *q, uint32_t ifindex)
{
	const struct resolve_key flow = flow_key(q, ifindex);
	struct resolve_key key = {
		.kind = RESOLVE_ROUTE, .family = flow.family, .ifindex = ifindex
	};
	struct resolve_value value = { .answer = RESOLVE_NO };
	const struct resolve_value *v;
	bool stale;

	if (l->by_flow[flow.family == AF_INET6])
		return resolve_look_up(l, q, &flow);
	memcpy(key.dst, flow.dst, sizeof(key.dst));
	v = resolve_cache_find(&l->cache, &key, q->now, &stale);
	if (v)
		value = *v;
	if (!v || stale) {
		v = resolve_cache_find(&l->cache, &flow, q->now, &stale);
		if (v && !stale)
			return *v;
		if (!may_ask(l, q))
			return value;
		value = ask(l, q, &key);
		resolve_cache_put(&l->cache, value.answer == RESOLVE_NO ? &flow : &key,
			&value, q->now,
			mono_add_ms(q->now, value.answer == RESOLVE_NO
						    ? RESOLVE_RETRY_MS
						    : RESOLVE_MAX_AGE_MS));
	} else {
		l->stats.hits++;
	}
	return value.answer == RESOLVE_BY_FLOW ? look_up_next_hop(l, q, &flow, &value)
					       : value;
}

/* Changes. */

static void
expire_all(struct resolve_lookup *l)
{
	l->stats.changes++;
	for (int kind = RESOLVE_NONE + 1; kind < RESOLVE_KINDS; kind++)
		resolve_cache_expire(&l->cache, (enum resolve_kind)kind);
}

static void
expire_routes(struct resolve_lookup *l)
{
	l->stats.changes++;
	resolve_cache_expire(&l->cache, RESOLVE_ROUTE);
	resolve_cache_expire(&l->cache, RESOLVE_FLOW);
}

static int
on_rule(const struct nlmsghdr *h, void *user_data)
{
	bool *by_flow = user_data, this_one;

	if (resolve_msg_rule_by_flow(h, &this_one) == 0)
		*by_flow |= this_one;
	return 0;
}

static void
read_rules(struct resolve_lookup *l)
{
	static const int families[2] = { AF_INET, AF_INET6 };

	for (int i = 0; i < 2; i++) {
		uint8_t buffer[REQUEST_BYTES] __attribute__((aligned(8)));
		struct nlbuild b;
		bool by_flow = false;

		nlbuild_init(&b, buffer, sizeof(buffer));
		resolve_msg_ask_rules(&b, families[i]);
		/* Kernels without policy routing have no rules. */
		(void)netlink_dump(l->nl, &b, on_rule, &by_flow, NULL);
		l->by_flow[i] = by_flow;
	}
}

static void
forget_neigh(struct resolve_lookup *l, const struct nlmsghdr *h)
{
	struct resolve_neigh neigh;
	struct resolve_key key = { 0 };

	if (resolve_msg_neigh(h, &neigh) < 0)
		return;
	l->stats.changes++;
	if (neigh.family == AF_BRIDGE) {
		key.kind = RESOLVE_FDB;
		key.ifindex = neigh.master;
		key.vlan = neigh.vlan;
		memcpy(key.dst, neigh.mac, sizeof(neigh.mac));
	} else {
		key.kind = RESOLVE_NEIGH;
		key.family = (uint8_t)neigh.family;
		key.ifindex = neigh.ifindex;
		memcpy(key.dst, neigh.dst, sizeof(key.dst));
	}
	resolve_cache_drop(&l->cache, &key);
}

static int
on_event(const struct nlmsghdr *h, void *user_data)
{
	struct resolve_lookup *l = user_data;

	switch (h->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		forget_neigh(l, h);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		read_rules(l);
		expire_routes(l);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		expire_routes(l);
		break;
	case RTM_NEWVLAN:
	case RTM_DELVLAN:
		resolve_cache_expire(&l->cache, RESOLVE_PVID);
		break;
	case RTM_NEWLINK:
		resolve_cache_expire(&l->cache, RESOLVE_AWARE);
		break;
	default:
		break;
	}
	return 0;
}

static void
on_readable(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct resolve_lookup *l = user_data;

	(void)loop;
	(void)fd;
	(void)events;
	/* Whatever was lost may concern anything. */
	if (netlink_receive(l->events, on_event, l) < 0) {
		read_rules(l);
		expire_all(l);
	}
}

static void
on_iface(const struct iface_event *event, void *user_data)
{
	const unsigned relevant = IFACE_FIELD_ADMIN | IFACE_FIELD_OPER |
				  IFACE_FIELD_MAC | IFACE_FIELD_MASTER |
				  IFACE_FIELD_LOWER | IFACE_FIELD_KIND |
				  IFACE_FIELD_LAG;

	if (event->kind != IFACE_CHANGED || event->fields & relevant)
		expire_all(user_data);
}

/* Opening. */

static int
open_events(struct resolve_lookup *l, struct loop *loop, struct err *err)
{
	static const uint32_t groups[] = { RTNLGRP_NEIGH, RTNLGRP_LINK,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP, RTNLGRP_BRVLAN };
	const struct netlink_options options = {
		.protocol = NETLINK_ROUTE,
		.receive_bytes = EVENT_QUEUE_BYTES,
		.batch = EVENT_BATCH,
		.message_bytes = 8192,
	};

	l->events = netlink_open(&options, err);
	if (!l->events)
		return -EIO;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		int rc = netlink_join(l->events, groups[i], err);

		if (rc < 0)
			return rc;
	}
	l->readable =
		loop_add_fd(loop, netlink_fd(l->events), LOOP_READ, on_readable, l);
	return l->readable ? 0 : err_sys(err, -errno, "resolve: watching a socket");
}

static int
start(struct resolve_lookup *l, struct loop *loop, struct err *err)
{
	const struct netlink_options options = {
		.protocol = NETLINK_ROUTE,
		.message_bytes = ANSWER_BYTES,
		.strict = true,
	};
	int rc;

	ratelimit_init(
		&l->limit, RESOLVE_LOOKUPS_PER_S, RESOLVE_LOOKUPS_BURST, mono_now());
	if (resolve_cache_init(&l->cache) < 0)
		return err_sys(err, -ENOMEM, "resolve: cache");
	l->nl = netlink_open(&options, err);
	if (!l->nl)
		return -EIO;
	rc = open_events(l, loop, err);
	if (rc < 0)
		return rc;
	rc = iface_observe(l->ifaces, on_iface, l);
	if (rc < 0)
		return err_sys(err, rc, "resolve: observing interfaces");
	read_rules(l);
	return 0;
}

int
resolve_lookup_open(struct resolve_lookup *l, struct loop *loop,
	struct iface_table *ifaces, struct err *err)
{
	memset(l, 0, sizeof(*l));
	l->ifaces = ifaces;
	return start(l, loop, err);
}

void
resolve_lookup_close(struct resolve_lookup *l)
{
	iface_unobserve(l->ifaces, on_iface, l);
	loop_remove(l->readable);
	netlink_close(l->events);
	netlink_close(l->nl);
	resolve_cache_done(&l->cache);
}
