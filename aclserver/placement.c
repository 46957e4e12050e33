/*
 * placement.c - the two tables of placement.h: our base chains, and which of them a
 * rule of (section, table, chain) goes to.
 *
 * What decides is where Linux shows a packet, and by which names; placement_matrix.c
 * has the paths, placement.md the result. A packet meets the rules of one chain at one
 * place, in their order, so that the first match decides and counts it once:
 *   FORWARD      bridged: bridge forward. Routed: inet forward, where "-i" also tests
 *                the port of the bridge by which the packet came in (FIELD_PORT). What
 *                is routed to a bridge has no port yet; so while some rule has "-o",
 *                all rules stand in bridge output, too ("filter_routed"), which judges
 *                these packets, and inet forward passes over them. They are told from
 *                those of the switch itself by MARK_ROUTED, and carry the names of
 *                their interfaces (FIELD_PORT, FIELD_ROUTE). Rules that the bridge
 *                cannot test are asked for such packets in inet, ahead of the others
 *                ("filter_state").
 *   INPUT        inet only: bridge input also sees frames that the switch will route,
 *                and an INPUT rule must never touch those.
 *   PREROUTING,  the bridge sees what IP sees later or saw before. The rule is for the
 *   POSTROUTING  bridge then, as its interface is the port, see add_once() of
 *                rule_parse.c.
 * Two evaluations with a note of the first one's verdict were the alternative for "-o".
 * They need the position of each rule in the mark, as a rule without "-o" may stand
 * between two that have it, and so a change of all rules behind a new one.
 */
#include "aclserver/placement.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>

/* mangle on its usual priority in inet; in bridge, just ahead of the filter tables. */
enum {
	INET_MANGLE = -150,
	INET_FILTER = 0,
	BRIDGE_MANGLE = -250,
	BRIDGE_FILTER = -200,       /* frames that come in by a port */
	BRIDGE_FILTER_OUTPUT = 200, /* frames of the switch itself */
	BRIDGE_MARK = -260,         /* ahead of all of these */
	/* NAT where iptables and ebtables have it */
	INET_DNAT = -100,
	INET_SNAT = 100,
	BRIDGE_DNAT = -300,
	BRIDGE_DNAT_OUTPUT = 100,
	BRIDGE_SNAT = 300,
};

/* clang-format off */
static const struct base_info bases[BASE_COUNT] = {
	[BASE_INET_PREROUTING_MANGLE] =
		{ "mangle_prerouting", NFPROTO_INET, NF_INET_PRE_ROUTING, INET_MANGLE, "filter" },
	[BASE_INET_INPUT_MANGLE] =
		{ "mangle_input", NFPROTO_INET, NF_INET_LOCAL_IN, INET_MANGLE, "filter" },
	[BASE_INET_INPUT_FILTER] =
		{ "filter_input", NFPROTO_INET, NF_INET_LOCAL_IN, INET_FILTER, "filter" },
	[BASE_INET_FORWARD_MANGLE] =
		{ "mangle_forward", NFPROTO_INET, NF_INET_FORWARD, INET_MANGLE, "filter", BASE_GUARD_SKIPS_ROUTED },
	[BASE_INET_FORWARD_FILTER] =
		{ "filter_forward", NFPROTO_INET, NF_INET_FORWARD, INET_FILTER, "filter", BASE_GUARD_SKIPS_ROUTED },
	/* "route": a packet whose DSCP was changed is routed again, as iptables does. */
	[BASE_INET_OUTPUT_MANGLE] =
		{ "mangle_output", NFPROTO_INET, NF_INET_LOCAL_OUT, INET_MANGLE, "route" },
	[BASE_INET_OUTPUT_FILTER] =
		{ "filter_output", NFPROTO_INET, NF_INET_LOCAL_OUT, INET_FILTER, "filter" },
	[BASE_INET_POSTROUTING_MANGLE] =
		{ "mangle_postrouting", NFPROTO_INET, NF_INET_POST_ROUTING, INET_MANGLE, "filter" },
	[BASE_BRIDGE_PREROUTING_MANGLE] =
		{ "mangle_prerouting", NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, BRIDGE_MANGLE, "filter" },
	[BASE_BRIDGE_INPUT_FILTER] =
		{ "filter_input", NFPROTO_BRIDGE, NF_BR_LOCAL_IN, BRIDGE_FILTER, "filter" },
	[BASE_BRIDGE_FORWARD_MANGLE] =
		{ "mangle_forward", NFPROTO_BRIDGE, NF_BR_FORWARD, BRIDGE_MANGLE, "filter" },
	[BASE_BRIDGE_FORWARD_FILTER] =
		{ "filter_forward", NFPROTO_BRIDGE, NF_BR_FORWARD, BRIDGE_FILTER, "filter" },
	[BASE_BRIDGE_OUTPUT_FILTER] =
		{ "filter_output", NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, BRIDGE_FILTER_OUTPUT, "filter" },
	[BASE_BRIDGE_POSTROUTING_MANGLE] =
		{ "mangle_postrouting", NFPROTO_BRIDGE, NF_BR_POST_ROUTING, BRIDGE_MANGLE, "filter" },
	[BASE_BRIDGE_PREROUTING_MARK] =
		{ "mark_prerouting", NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, BRIDGE_MARK, "filter" },
	[BASE_BRIDGE_FORWARD_MARK] =
		{ "mark_forward", NFPROTO_BRIDGE, NF_BR_FORWARD, BRIDGE_MARK, "filter" },
	[BASE_INET_PREROUTING_NAT] =
		{ "nat_prerouting", NFPROTO_INET, NF_INET_PRE_ROUTING, INET_DNAT, "nat" },
	[BASE_INET_INPUT_NAT] =
		{ "nat_input", NFPROTO_INET, NF_INET_LOCAL_IN, INET_SNAT, "nat" },
	[BASE_INET_OUTPUT_NAT] =
		{ "nat_output", NFPROTO_INET, NF_INET_LOCAL_OUT, INET_DNAT, "nat" },
	[BASE_INET_POSTROUTING_NAT] =
		{ "nat_postrouting", NFPROTO_INET, NF_INET_POST_ROUTING, INET_SNAT, "nat" },
	[BASE_BRIDGE_PREROUTING_NAT] =
		{ "nat_prerouting", NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, BRIDGE_DNAT, "filter" },
	[BASE_BRIDGE_OUTPUT_NAT] =
		{ "nat_output", NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, BRIDGE_DNAT_OUTPUT, "filter" },
	[BASE_BRIDGE_POSTROUTING_NAT] =
		{ "nat_postrouting", NFPROTO_BRIDGE, NF_BR_POST_ROUTING, BRIDGE_SNAT, "filter" },
	[BASE_NETDEV_PORT_IN] =  { "port_in", NFPROTO_NETDEV, 0, 0, "" },
	[BASE_NETDEV_PORT_OUT] = { "port_out", NFPROTO_NETDEV, 0, 0, "" },
	[BASE_INET_FORWARD_STATE_MANGLE] =
		{ "mangle_state", NFPROTO_INET, NF_INET_FORWARD, INET_MANGLE + 1, "filter", BASE_GUARD_ONLY_ROUTED },
	[BASE_INET_FORWARD_STATE] =
		{ "filter_state", NFPROTO_INET, NF_INET_FORWARD, INET_FILTER + 1, "filter", BASE_GUARD_ONLY_ROUTED },
	[BASE_BRIDGE_ROUTED_MANGLE] =
		{ "mangle_routed", NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, BRIDGE_MANGLE, "filter", BASE_GUARD_ONLY_ROUTED },
	[BASE_BRIDGE_ROUTED_FILTER] =
		{ "filter_routed", NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, BRIDGE_FILTER, "filter", BASE_GUARD_ONLY_ROUTED },
};

struct row {
	const char *table;
	const char *chain;
	enum base base;
};

/* [iptables] and [ip6tables] */
static const struct row ip_rows[] = {
	{ "filter", "INPUT",       BASE_INET_INPUT_FILTER },
	{ "filter", "INPUT",       BASE_NETDEV_PORT_IN },
	{ "filter", "FORWARD",     BASE_INET_FORWARD_FILTER },
	{ "filter", "FORWARD",     BASE_BRIDGE_FORWARD_FILTER },
	{ "filter", "FORWARD",     BASE_NETDEV_PORT_IN },
	{ "filter", "FORWARD",     BASE_NETDEV_PORT_OUT },
	{ "filter", "FORWARD",     BASE_INET_FORWARD_STATE },
	{ "filter", "FORWARD",     BASE_BRIDGE_ROUTED_FILTER },
	{ "filter", "OUTPUT",      BASE_INET_OUTPUT_FILTER },
	{ "mangle", "PREROUTING",  BASE_INET_PREROUTING_MANGLE },
	{ "mangle", "PREROUTING",  BASE_BRIDGE_PREROUTING_MANGLE },
	{ "mangle", "PREROUTING",  BASE_NETDEV_PORT_IN },
	{ "mangle", "INPUT",       BASE_INET_INPUT_MANGLE },
	{ "mangle", "INPUT",       BASE_NETDEV_PORT_IN },
	{ "mangle", "FORWARD",     BASE_INET_FORWARD_MANGLE },
	{ "mangle", "FORWARD",     BASE_BRIDGE_FORWARD_MANGLE },
	{ "mangle", "FORWARD",     BASE_NETDEV_PORT_IN },
	{ "mangle", "FORWARD",     BASE_NETDEV_PORT_OUT },
	{ "mangle", "FORWARD",     BASE_INET_FORWARD_STATE_MANGLE },
	{ "mangle", "FORWARD",     BASE_BRIDGE_ROUTED_MANGLE },
	{ "mangle", "OUTPUT",      BASE_INET_OUTPUT_MANGLE },
	{ "mangle", "POSTROUTING", BASE_INET_POSTROUTING_MANGLE },
	{ "mangle", "POSTROUTING", BASE_BRIDGE_POSTROUTING_MANGLE },
	{ "mangle", "POSTROUTING", BASE_NETDEV_PORT_OUT },
	{ "nat",    "PREROUTING",  BASE_INET_PREROUTING_NAT },
	{ "nat",    "INPUT",       BASE_INET_INPUT_NAT },
	{ "nat",    "OUTPUT",      BASE_INET_OUTPUT_NAT },
	{ "nat",    "POSTROUTING", BASE_INET_POSTROUTING_NAT },
	{ NULL, NULL, BASE_COUNT },
};

/* [ebtables] */
static const struct row eb_rows[] = {
	{ "filter", "INPUT",    BASE_BRIDGE_PREROUTING_MARK },
	{ "filter", "INPUT",    BASE_BRIDGE_INPUT_FILTER },
	{ "filter", "FORWARD",  BASE_BRIDGE_PREROUTING_MARK },
	{ "filter", "FORWARD",  BASE_BRIDGE_FORWARD_MARK },
	{ "filter", "FORWARD",  BASE_BRIDGE_FORWARD_FILTER },
	{ "filter", "OUTPUT",   BASE_BRIDGE_OUTPUT_FILTER },
	{ "nat", "PREROUTING",  BASE_BRIDGE_PREROUTING_NAT },
	{ "nat", "OUTPUT",      BASE_BRIDGE_OUTPUT_NAT },
	{ "nat", "POSTROUTING", BASE_BRIDGE_POSTROUTING_NAT },
	{ NULL, NULL, BASE_COUNT },
};
/* clang-format on */

/* Tables that exist and that no row takes yet. */
static const char *const ip_tables_later[] = { "raw", "security", NULL };
static const char *const eb_tables_later[] = { "broute", NULL };

const struct base_info *
base_info(enum base base)
{
	assert(base < BASE_COUNT);
	return &bases[base];
}

static bool
name_in(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

int
placement_find(const struct placement_query *query, enum place ret[PLACES_MAX])
{
	bool eb = query->section == POLICY_SECTION_EBTABLES;
	enum place_group group = eb ? PLACE_GROUP_EB : PLACE_GROUP_IP;
	bool table_known = false;
	int n = 0;

	for (const struct row *row = eb ? eb_rows : ip_rows; row->table; row++) {
		if (strcmp(row->table, query->table) != 0)
			continue;
		table_known = true;
		if (strcmp(row->chain, query->chain) != 0)
			continue;
		assert(n < PLACES_MAX);
		ret[n++] = place_make(row->base, group);
	}
	if (n > 0)
		return n;
	if (name_in(query->table, eb ? eb_tables_later : ip_tables_later))
		return -ENOTSUP;
	return table_known ? -ECHRNG : -ENOENT;
}
