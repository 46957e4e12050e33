/*
 * counter_lag.c - members of a bond or team. (sFlow lag_port_stats)
 *
 * Source: RTM_GETLINK of the member (IFLA_BOND_SLAVE_AD_…: aggregator and the states of
 * both ends as in the LACPDU), RTM_GETLINK of the bond (IFLA_BOND_AD_INFO: the partner;
 * IFLA_BOND_AD_ACTOR_SYSTEM or its MAC: we), RTM_GETSTATS of the member
 * (BOND_XSTATS_3AD: packets). The administrative states are not shown by the kernel and
 * are sent as 0. Of a team only the membership is known, as its states are teamd's.
 * They are read when due and not taken from the interface table, because the kernel
 * sends no event when a state of the partner changes.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "agent/counter.h"
#include "agent/counter_nl.h"
#include "agent/link_msg.h"
#include "agent/link_stats_msg.h"

enum { RECEIVE_BYTES = 512 << 10, BATCH = 8, ANSWER_BYTES = 16384 };

/* A batch on its way. */
struct batch {
	struct counter_port *ports; /* borrowed */
	size_t n;
	struct link_msg members[COUNTER_PORTS_MAX]; /* as ports; index 0 = unknown */
	struct link_msg masters[COUNTER_PORTS_MAX]; /* each once; likewise */
	uint32_t master_indexes[COUNTER_PORTS_MAX];
	size_t n_masters;
	bool is_member[COUNTER_PORTS_MAX]; /* of a LAG; as ports */
};

struct counter_lag {
	struct netlink *nl; /* owned */
	struct batch batch; /* too large for the stack */
};

static void
put_get_link(struct nlbuild *b, uint32_t ifindex)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex };

	nlbuild_begin(b, RTM_GETLINK, 0, &header, sizeof(header));
	nlbuild_put_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static int
on_link(const struct nlmsghdr *h, void *user_data)
{
	struct batch *batch = user_data;
	struct link_msg m;
	int rc = link_msg_decode(h, &m);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < batch->n; i++) {
		if (batch->is_member[i] && batch->ports[i].iface->index == m.index)
			batch->members[i] = m;
	}
	for (size_t i = 0; i < batch->n_masters; i++) {
		if (batch->master_indexes[i] == m.index)
			batch->masters[i] = m;
	}
	return 0;
}

static int
on_stats(const struct nlmsghdr *h, void *user_data)
{
	struct batch *batch = user_data;
	struct counter_port *port;
	struct link_stats stats;
	int rc = link_stats_decode(h, &stats);

	if (rc < 0 || !stats.has_lacp)
		return rc;
	port = counter_nl_find(batch->ports, batch->n, stats.index);
	/* Only counters are in it, and the rest is filled in afterwards. */
	if (port)
		port->sample->lag = stats.lacp;
	return 0;
}

static void
add_master(struct batch *batch, uint32_t ifindex)
{
	for (size_t i = 0; i < batch->n_masters; i++) {
		if (batch->master_indexes[i] == ifindex)
			return;
	}
	batch->master_indexes[batch->n_masters++] = ifindex;
}

static const struct link_msg *
find_master(const struct batch *batch, uint32_t ifindex)
{
	for (size_t i = 0; i < batch->n_masters; i++) {
		if (batch->masters[i].index == ifindex)
			return &batch->masters[i];
	}
	return NULL;
}

/* What both ends of LACP are. */
static void
fill_lacp(const struct link_msg *member, const struct link_msg *bond,
	struct lag_port *ret)
{
	const struct link_bond_member *m = &member->bond_member;
	bool is_attached = m->aggregator == bond->bond.aggregator;

	memcpy(ret->actor_system,
		bond->bond.has_actor_system ? bond->bond.actor_system : bond->mac,
		sizeof(ret->actor_system));
	/* The bond tells the partner of its active aggregator only. */
	if (is_attached)
		memcpy(ret->partner_system, bond->bond.partner_mac,
			sizeof(ret->partner_system));
	ret->attached_aggregator = is_attached ? bond->index : 0;
	ret->actor_oper_state = m->actor_oper_state;
	ret->partner_oper_state = m->partner_oper_state;
}

static void
fill(const struct batch *batch, size_t i)
{
	struct counter_port *port = &batch->ports[i];
	const struct link_msg *member = &batch->members[i];
	const struct link_msg *master = find_master(batch, port->iface->master);

	if (!master ||
		(master->kind != LINK_KIND_BOND && master->kind != LINK_KIND_TEAM))
		return;
	port->sample->has |= IF_HAS_LAG;
	port->sample->lag.attached_aggregator = master->index;
	if (member->is_bond_member && member->bond_member.has_ad && master->bond.has_ad)
		fill_lacp(member, master, &port->sample->lag);
}

static void
begin(struct batch *batch, struct counter_port *ports, size_t n)
{
	memset(batch, 0, sizeof(*batch));
	batch->ports = ports;
	batch->n = n;
}

static void
counter_lag_read(void *data, struct counter_port *ports, size_t n)
{
	_Alignas(4) uint8_t memory[NETLINK_REQUEST_MAX * 64];
	struct counter_lag *ctx = data;
	struct batch *batch = &ctx->batch;
	struct nlbuild b;

	begin(batch, ports, n);
	nlbuild_init(&b, memory, sizeof(memory));
	for (size_t i = 0; i < n; i++) {
		batch->is_member[i] = ports[i].iface->is_lag_member;
		if (!batch->is_member[i])
			continue;
		put_get_link(&b, ports[i].iface->index);
		add_master(batch, ports[i].iface->master);
	}
	if (batch->n_masters == 0)
		return;
	for (size_t i = 0; i < batch->n_masters; i++)
		put_get_link(&b, batch->master_indexes[i]);
	/* What is not answered stays unknown. */
	(void)netlink_request(ctx->nl, &b, on_link, batch, NULL);
	nlbuild_init(&b, memory, sizeof(memory));
	for (size_t i = 0; i < n; i++) {
		if (batch->is_member[i])
			link_stats_build(&b, ports[i].iface->index, LINK_STATS_MEMBER);
	}
	(void)netlink_request(ctx->nl, &b, on_stats, batch, NULL);
	for (size_t i = 0; i < n; i++) {
		if (batch->is_member[i])
			fill(batch, i);
	}
}

static void
counter_lag_close(void *data)
{
	struct counter_lag *ctx = data;

	if (ctx)
		netlink_close(ctx->nl);
	free(ctx);
}

static int
counter_lag_open(void **ret_ctx, struct err *err)
{
	struct counter_lag *ctx = calloc(1, sizeof(*ctx));
	struct netlink_options o = {
		.protocol = NETLINK_ROUTE,
		.receive_bytes = RECEIVE_BYTES,
		.message_bytes = ANSWER_BYTES,
		.batch = BATCH,
	};

	if (!ctx)
		return err_sys(err, -ENOMEM, "statistics of LAGs");
	ctx->nl = netlink_open(&o, err);
	if (!ctx->nl) {
		counter_lag_close(ctx);
		return err->code;
	}
	*ret_ctx = ctx;
	return 0;
}

const struct counter_source counter_lag = {
	.name = "counter_lag",
	.open = counter_lag_open,
	.close = counter_lag_close,
	.read_ports = counter_lag_read,
};
