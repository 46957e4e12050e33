/*
 * counter_host_net.c - traffic of all ports together. (sFlow host_net_io)
 *
 * Source: one dump of RTM_GETSTATS, IFLA_STATS_LINK_64, summed over the switch ports
 * and the other physical ports. What lies on top of them (bonds, bridges, VLANs) would
 * count the same packets again. Columns as in counter_if.c.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <stdlib.h>

#include "agent/counter.h"
#include "agent/link_stats_msg.h"
#include "common/nl.h"

struct reading {
	const struct iface_table *ifaces; /* borrowed */
	struct host_net sum;
};

static bool
is_port(const struct iface *i)
{
	return i->is_switch_port ||
	       (i->hardware == ARPHRD_ETHER &&
		       (i->kind == LINK_KIND_NONE || i->kind == LINK_KIND_DSA));
}

static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	struct reading *r = user_data;
	const struct iface *i;
	struct link_stats s;
	int rc = link_stats_decode(h, &s);

	if (rc < 0 || !s.has_link)
		return rc;
	i = iface_find(r->ifaces, s.index);
	if (!i || !is_port(i))
		return 0;
	r->sum.in.octets += s.link.rx_bytes;
	r->sum.in.packets += s.link.rx_packets;
	r->sum.in.errors += s.link.rx_errors;
	r->sum.in.drops += s.link.rx_dropped + s.link.rx_missed_errors;
	r->sum.out.octets += s.link.tx_bytes;
	r->sum.out.packets += s.link.tx_packets;
	r->sum.out.errors += s.link.tx_errors;
	r->sum.out.drops += s.link.tx_dropped;
	return 0;
}

static void
counter_host_net_read(
	void *ctx, const struct iface_table *ifaces, struct host_sample *sample)
{
	_Alignas(4) uint8_t memory[64];
	struct reading r = { .ifaces = ifaces };
	struct nlbuild b;

	nlbuild_init(&b, memory, sizeof(memory));
	link_stats_build(&b, 0, LINK_STATS_LINK);
	/* Not netlink_dump(): asking again would add ports twice. A dump that changed
	 * under the reader leaves the record out this time. */
	if (netlink_request(ctx, &b, on_answer, &r, NULL) < 0)
		return;
	sample->net = r.sum;
	sample->has |= HOST_HAS_NET;
}

static int
counter_host_net_open(void **ret_ctx, struct err *err)
{
	struct netlink_options o = { .protocol = NETLINK_ROUTE, .strict = true };

	*ret_ctx = netlink_open(&o, err);
	return *ret_ctx ? 0 : err->code;
}

static void
counter_host_net_close(void *ctx)
{
	netlink_close(ctx);
}

const struct counter_source counter_host_net = {
	.name = "counter_host_net",
	.open = counter_host_net_open,
	.close = counter_host_net_close,
	.read_host = counter_host_net_read,
};
