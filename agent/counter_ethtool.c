/*
 * counter_ethtool.c - what the MAC and the PHY of a port count. (sFlow
 * ethernet_counters, and multicast and broadcast of if_counters)
 *
 * Source: ethtool netlink, ETHTOOL_MSG_STATS_GET, groups eth-mac and eth-phy, whose
 * statistics are named after IEEE 802.3 clause 30. Drivers without them leave
 * everything unknown, and no ethernet record is sent.
 */
#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <stdlib.h>

#include "agent/counter.h"
#include "agent/counter_nl.h"
#include "agent/ethtool_msg.h"

enum { RECEIVE_BYTES = 256 << 10, BATCH = 8, ANSWER_BYTES = 8192 };

struct counter_ethtool {
	struct netlink *nl; /* owned */
	uint16_t family;
};

/* A batch on its way. */
struct question {
	const struct counter_ethtool *ctx;
	struct counter_nl q;
};

/* Fills the record; false if the driver knows nothing of it. */
static bool
fill_ethernet(const struct ethtool_counters *from, struct ethernet_counters *ret)
{
	const uint64_t *mac = from->values[ETHTOOL_GROUP_MAC];
	const uint64_t *phy = from->values[ETHTOOL_GROUP_PHY];
	const uint64_t *all = (const uint64_t *)ret;

	ret->alignment_errors = mac[ETHTOOL_A_STATS_ETH_MAC_7_ALIGN_ERR];
	ret->fcs_errors = mac[ETHTOOL_A_STATS_ETH_MAC_6_FCS_ERR];
	ret->single_collisions = mac[ETHTOOL_A_STATS_ETH_MAC_3_SINGLE_COL];
	ret->multiple_collisions = mac[ETHTOOL_A_STATS_ETH_MAC_4_MULTI_COL];
	ret->deferred_transmissions = mac[ETHTOOL_A_STATS_ETH_MAC_9_TX_DEFER];
	ret->late_collisions = mac[ETHTOOL_A_STATS_ETH_MAC_10_LATE_COL];
	ret->excessive_collisions = mac[ETHTOOL_A_STATS_ETH_MAC_11_XS_COL];
	ret->mac_transmit_errors = mac[ETHTOOL_A_STATS_ETH_MAC_12_TX_INT_ERR];
	ret->carrier_sense_errors = mac[ETHTOOL_A_STATS_ETH_MAC_13_CS_ERR];
	ret->frames_too_long = mac[ETHTOOL_A_STATS_ETH_MAC_25_TOO_LONG_ERR];
	ret->mac_receive_errors = mac[ETHTOOL_A_STATS_ETH_MAC_15_RX_INT_ERR];
	ret->symbol_errors = phy[ETHTOOL_A_STATS_ETH_PHY_5_SYM_ERR];
	for (size_t i = 0; i < sizeof(*ret) / sizeof(*all); i++) {
		if (all[i] != COUNTER_UNKNOWN)
			return true;
	}
	return false;
}

/* Take multicast and broadcast, as far as known, out of what was unicast so far. */
static void
split_packets(struct if_direction *d, uint64_t multicast, uint64_t broadcast)
{
	uint64_t all = d->unicast;

	if (multicast == COUNTER_UNKNOWN || all == COUNTER_UNKNOWN)
		return;
	if (d->multicast != COUNTER_UNKNOWN)
		all += d->multicast;
	d->multicast = multicast;
	d->broadcast = broadcast;
	if (broadcast != COUNTER_UNKNOWN)
		multicast += broadcast;
	d->unicast = multicast < all ? all - multicast : 0;
}

static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	const struct question *question = user_data;
	struct ethtool_counters counters;
	struct counter_port *port;
	const uint64_t *mac;
	int rc = ethtool_counters_decode(h, &counters);

	if (rc < 0)
		return rc;
	port = counter_nl_find(question->q.ports, question->q.n, counters.ifindex);
	if (!port)
		return 0;
	if (fill_ethernet(&counters, &port->sample->ethernet))
		port->sample->has |= IF_HAS_ETHERNET;
	mac = counters.values[ETHTOOL_GROUP_MAC];
	split_packets(&port->sample->generic.in,
		mac[ETHTOOL_A_STATS_ETH_MAC_21_RX_MCAST],
		mac[ETHTOOL_A_STATS_ETH_MAC_22_RX_BCAST]);
	split_packets(&port->sample->generic.out,
		mac[ETHTOOL_A_STATS_ETH_MAC_18_TX_MCAST],
		mac[ETHTOOL_A_STATS_ETH_MAC_19_TX_BCAST]);
	return 0;
}

/* Software devices have no MAC to ask. */
static void
build(struct nlbuild *b, const struct iface *iface, void *user_data)
{
	const struct question *question = user_data;

	if (iface->kind == LINK_KIND_NONE || iface->kind == LINK_KIND_DSA ||
		iface->kind == LINK_KIND_OTHER)
		ethtool_build_counters(b, question->ctx->family, iface->index);
}

static void
counter_ethtool_read(void *data, struct counter_port *ports, size_t n)
{
	struct counter_ethtool *ctx = data;
	struct question question = {
		.ctx = ctx,
		.q = {
			.nl = ctx->nl,
			.ports = ports,
			.n = n,
			.build = build,
			.on_answer = on_answer,
			.user_data = &question,
		},
	};

	/* Drivers without statistics refuse, which leaves them unknown. */
	(void)counter_nl_ask(&question.q);
}

static void
counter_ethtool_close(void *data)
{
	struct counter_ethtool *ctx = data;

	if (ctx)
		netlink_close(ctx->nl);
	free(ctx);
}

static int
counter_ethtool_open(void **ret_ctx, struct err *err)
{
	struct counter_ethtool *ctx = calloc(1, sizeof(*ctx));
	struct netlink_options o = {
		.protocol = NETLINK_GENERIC,
		.receive_bytes = RECEIVE_BYTES,
		.message_bytes = ANSWER_BYTES,
		.batch = BATCH,
	};

	if (!ctx)
		return err_sys(err, -ENOMEM, "statistics of the MAC");
	ctx->nl = netlink_open(&o, err);
	if (ctx->nl && netlink_family(ctx->nl, "ethtool", &ctx->family, err) == 0) {
		*ret_ctx = ctx;
		return 0;
	}
	counter_ethtool_close(ctx);
	return err->code;
}

const struct counter_source counter_ethtool = {
	.name = "counter_ethtool",
	.open = counter_ethtool_open,
	.close = counter_ethtool_close,
	.read_ports = counter_ethtool_read,
};
