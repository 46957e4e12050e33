/*
 * counter_pfc.c - frames of priority flow control. (sFlow pfc, draft of 2026)
 *
 * Source: rtnetlink, RTM_GETDCB, DCB_ATTR_IEEE_PFC (struct ieee_pfc), the one place
 * where drivers count them under a common name; ethtool's standard statistics have no
 * such group, and the names in "ethtool -S" differ from driver to driver. How long a
 * port was paused, and what a watchdog saw, nobody tells: unknown. Off by default.
 */
#include <errno.h>
#include <string.h>

#include "agent/counter.h"
#include "agent/counter_nl.h"
#include "agent/dcb_msg.h"

enum { RECEIVE_BYTES = 256 << 10, BATCH = 8, ANSWER_BYTES = 8192 };

static int
on_answer(const struct nlmsghdr *h, void *user_data)
{
	const struct counter_nl *q = user_data;
	struct dcb_pfc pfc;
	int rc = dcb_pfc_decode(h, &pfc);

	if (rc < 0)
		return rc == -ENODATA ? 0 : rc;
	for (size_t i = 0; i < q->n; i++) {
		struct if_sample *sample = q->ports[i].sample;

		if (strcmp(q->ports[i].iface->name, pfc.name) != 0)
			continue;
		sample->has |= IF_HAS_PFC;
		sample->pfc.requests = pfc.received;
		sample->pfc.indications = pfc.sent;
	}
	return 0;
}

static void
build(struct nlbuild *b, const struct iface *iface, void *user_data)
{
	(void)user_data;
	if (iface->is_switch_port)
		dcb_build_pfc(b, iface->name);
}

static void
counter_pfc_read(void *ctx, struct counter_port *ports, size_t n)
{
	struct counter_nl q = {
		.nl = ctx,
		.ports = ports,
		.n = n,
		.build = build,
		.on_answer = on_answer,
		.user_data = &q,
	};

	/* Drivers without it refuse. */
	(void)counter_nl_ask(&q);
}

static int
counter_pfc_open(void **ret_ctx, struct err *err)
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
counter_pfc_close(void *ctx)
{
	netlink_close(ctx);
}

static bool
counter_pfc_is_wanted(const struct agent_conf *conf)
{
	return conf->pfc;
}

const struct counter_source counter_pfc = {
	.name = "counter_pfc",
	.is_wanted = counter_pfc_is_wanted,
	.open = counter_pfc_open,
	.close = counter_pfc_close,
	.read_ports = counter_pfc_read,
};
