/*
 * counter_if.c - the generic counters of a port, and its name. (sFlow if_counters)
 *
 * Status, speed and direction come from the interface table, which events keep true;
 * the numbers from RTM_GETSTATS, IFLA_STATS_LINK_64 (struct rtnl_link_stats64), where
 * drivers of switch chips mirror the hardware's:
 *
 *     in octets   rx_bytes                        out octets   tx_bytes
 *     in unicast  rx_packets - multicast          out unicast  tx_packets
 *     multicast   multicast                       multicast, broadcast  unknown
 *     discards    rx_dropped + rx_missed_errors   discards     tx_dropped
 *     errors      rx_errors                       errors       tx_errors
 *
 * Broadcasts are in unicast as long as nobody counts them apart (counter_ethtool.c does
 * where the MAC can). Unknown protocols are among the drops on Linux, so they are not
 * known. Only the ports that are due are asked about, in one system call: a dump of all
 * would be made for the 17 of 512 that are due in a second.
 */
#include <net/if_arp.h>
#include <stdlib.h>

#include "agent/counter.h"
#include "agent/counter_nl.h"
#include "agent/link_stats_msg.h"

enum { RECEIVE_BYTES = 256 << 10, BATCH = 16, ANSWER_BYTES = 4096 };

static enum sflow_if_type
type_of(const struct iface *i)
{
	switch (i->kind) {
	case LINK_KIND_BRIDGE:
		return SFLOW_IF_TYPE_BRIDGE;
	case LINK_KIND_BOND:
	case LINK_KIND_TEAM:
		return SFLOW_IF_TYPE_LAG;
	case LINK_KIND_VLAN:
		return SFLOW_IF_TYPE_L2VLAN;
	case LINK_KIND_VXLAN:
	case LINK_KIND_TUNNEL:
		return SFLOW_IF_TYPE_TUNNEL;
	case LINK_KIND_DUMMY:
	case LINK_KIND_VRF:
		return SFLOW_IF_TYPE_VIRTUAL;
	default:
		break;
	}
	if (i->hardware == ARPHRD_LOOPBACK)
		return SFLOW_IF_TYPE_LOOPBACK;
	return i->hardware == ARPHRD_ETHER ? SFLOW_IF_TYPE_ETHERNET
					   : SFLOW_IF_TYPE_OTHER;
}

static void
fill_state(const struct iface *i, struct if_sample *s)
{
	s->generic.type = type_of(i);
	s->generic.speed_bps = i->speed.bps ? i->speed.bps : COUNTER_UNKNOWN;
	s->generic.direction = i->speed.duplex;
	s->generic.admin_up = i->admin_up;
	s->generic.oper_up = i->oper_up;
	s->generic.promiscuous = i->promiscuous;
	s->has |= IF_HAS_NAME;
	s->name = i->name;
}

/* Some devices count multicast in hardware and packets in software. */
static uint64_t
less(uint64_t all, uint64_t part)
{
	return part < all ? all - part : 0;
}

static void
fill_numbers(const struct rtnl_link_stats64 *l, struct if_counters *c)
{
	c->in.octets = l->rx_bytes;
	c->in.unicast = less(l->rx_packets, l->multicast);
	c->in.multicast = l->multicast;
	c->in.discards = l->rx_dropped + l->rx_missed_errors;
	c->in.errors = l->rx_errors;
	c->out.octets = l->tx_bytes;
	c->out.unicast = l->tx_packets;
	c->out.discards = l->tx_dropped;
	c->out.errors = l->tx_errors;
}

static void
build(struct nlbuild *b, const struct iface *iface, void *user_data)
{
	(void)user_data;
	link_stats_build(b, iface->index, LINK_STATS_LINK);
}

static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	const struct counter_nl *q = user_data;
	struct counter_port *port;
	struct link_stats stats;
	int rc = link_stats_decode(h, &stats);

	if (rc < 0 || !stats.has_link)
		return rc;
	port = counter_nl_find(q->ports, q->n, stats.index);
	if (!port)
		return 0;
	fill_numbers(&stats.link, &port->sample->generic);
	port->ok = true;
	return 0;
}

static void
counter_if_read(void *ctx, struct counter_port *ports, size_t n)
{
	struct counter_nl q = {
		.nl = ctx,
		.ports = ports,
		.n = n,
		.build = build,
		.on_answer = on_answer,
		.user_data = &q,
	};

	for (size_t i = 0; i < n; i++)
		fill_state(ports[i].iface, ports[i].sample);
	/* A port without an answer is not ok, which is all that matters. */
	(void)counter_nl_ask(&q);
}

static int
counter_if_open(void **ret_ctx, struct err *err)
{
	struct netlink_options o = {
		.protocol = NETLINK_ROUTE,
		.receive_bytes = RECEIVE_BYTES,
		.message_bytes = ANSWER_BYTES,
		.batch = BATCH,
	};

	*ret_ctx = netlink_open(&o, err);
	return *ret_ctx ? 0 : err->code;
}

static void
counter_if_close(void *ctx)
{
	netlink_close(ctx);
}

const struct counter_source counter_if = {
	.name = "counter_if",
	.is_required = true,
	.open = counter_if_open,
	.close = counter_if_close,
	.read_ports = counter_if_read,
};
