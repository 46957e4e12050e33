/*
 * field.c - facts on the fields that a kernel rule can test: name and size.
 *
 * Where the kernel finds a field (payload offset, meta key) is known to nft_field.c
 * only.
 */
#include <assert.h>

#include "aclserver/ruleset.h"

static const struct field_info fields[FIELD_COUNT] = {
	[FIELD_IIFNAME] = { "iifname", 16 },
	[FIELD_OIFNAME] = { "oifname", 16 },
	[FIELD_PORT] = { "port", 16 },
	[FIELD_ROUTE] = { "route", 16 },
	[FIELD_MARK] = { "mark", 4 },
	[FIELD_L3PROTO] = { "l3proto", 2 },
	[FIELD_L4PROTO] = { "l4proto", 1 },
	[FIELD_IP_SADDR] = { "ip saddr", 4 },
	[FIELD_IP_DADDR] = { "ip daddr", 4 },
	[FIELD_IP_DSCP] = { "ip dscp", 1 },
	[FIELD_IP_TTL] = { "ip ttl", 1 },
	[FIELD_IP_LENGTH] = { "ip length", 2 },
	[FIELD_IP_FRAGOFF] = { "ip frag-off", 2 },
	[FIELD_IP6_SADDR] = { "ip6 saddr", 16 },
	[FIELD_IP6_DADDR] = { "ip6 daddr", 16 },
	[FIELD_IP6_DSCP] = { "ip6 dscp", 1 },
	[FIELD_IP6_HOPLIMIT] = { "ip6 hoplimit", 1 },
	[FIELD_IP6_LENGTH] = { "ip6 length", 2 },
	[FIELD_TH_SPORT] = { "th sport", 2 },
	[FIELD_TH_DPORT] = { "th dport", 2 },
	[FIELD_TCP_FLAGS] = { "tcp flags", 1 },
	[FIELD_ICMP_TYPE] = { "icmp type", 1 },
	[FIELD_ICMP_CODE] = { "icmp code", 1 },
	[FIELD_ICMP6_TYPE] = { "icmpv6 type", 1 },
	[FIELD_ICMP6_CODE] = { "icmpv6 code", 1 },
	[FIELD_ETHER_SADDR] = { "ether saddr", 6 },
	[FIELD_ETHER_DADDR] = { "ether daddr", 6 },
	[FIELD_ETHER_TYPE] = { "ether type", 2 },
	[FIELD_VLAN_ID] = { "vlan id", 2 },
	[FIELD_CT_STATE] = { "ct state", 4 },
	[FIELD_CT_STATUS] = { "ct status", 4 },
	[FIELD_FIB_SADDR_TYPE] = { "fib saddr type", 4 },
	[FIELD_FIB_DADDR_TYPE] = { "fib daddr type", 4 },
	[FIELD_BRIDGE_IN] = { "bridge in", 16 },
	[FIELD_IN_KIND] = { "in kind", 16 },
	[FIELD_OUT_KIND] = { "out kind", 16 },
	[FIELD_BRIDGE_OUT] = { "bridge out", 16 },
	[FIELD_PKTTYPE] = { "pkttype", 1 },
	[FIELD_IP_TOS] = { "ip tos", 1 },
	[FIELD_IP_ECN] = { "ip ecn", 1 },
	[FIELD_IP6_TCLASS] = { "ip6 tclass", 1 },
	[FIELD_IP6_ECN] = { "ip6 ecn", 1 },
	[FIELD_VLAN_PRIO] = { "vlan pcp", 1 },
	[FIELD_VLAN_ENCAP] = { "vlan type", 2 },
	[FIELD_ARP_FORMAT] = { "arp format", 6 },
	[FIELD_ARP_HTYPE] = { "arp htype", 2 },
	[FIELD_ARP_PTYPE] = { "arp ptype", 2 },
	[FIELD_ARP_OP] = { "arp operation", 2 },
	[FIELD_ARP_SHA] = { "arp sha", 6 },
	[FIELD_ARP_SPA] = { "arp spa", 4 },
	[FIELD_ARP_THA] = { "arp tha", 6 },
	[FIELD_ARP_TPA] = { "arp tpa", 4 },
	[FIELD_LLC_DSAP] = { "llc dsap", 1 },
	[FIELD_LLC_SSAP] = { "llc ssap", 1 },
	[FIELD_LLC_HEAD] = { "llc head", 3 },
	[FIELD_SNAP_TYPE] = { "snap type", 2 },
	[FIELD_STP_HEAD] = { "stp head", 5 },
	[FIELD_STP_TYPE] = { "stp type", 1 },
	[FIELD_STP_FLAGS] = { "stp flags", 1 },
	[FIELD_STP_ROOT_PRIO] = { "stp root prio", 2 },
	[FIELD_STP_ROOT_ADDR] = { "stp root addr", 6 },
	[FIELD_STP_ROOT_COST] = { "stp root cost", 4 },
	[FIELD_STP_SENDER_PRIO] = { "stp sender prio", 2 },
	[FIELD_STP_SENDER_ADDR] = { "stp sender addr", 6 },
	[FIELD_STP_PORT] = { "stp port", 2 },
	[FIELD_STP_MSG_AGE] = { "stp msg age", 2 },
	[FIELD_STP_MAX_AGE] = { "stp max age", 2 },
	[FIELD_STP_HELLO_TIME] = { "stp hello time", 2 },
	[FIELD_STP_FORWARD_DELAY] = { "stp forward delay", 2 },
	[FIELD_TCP_MSS] = { "tcp mss", 2 },
	[FIELD_TCP_HAS_MSS] = { "tcp has mss", 1 },
	[FIELD_FRAG_EXISTS] = { "frag exists", 1 },
	[FIELD_FRAG_RESERVED] = { "frag reserved", 1 },
	[FIELD_FRAG_OFFSET] = { "frag offset", 2 },
	[FIELD_FRAG_ID] = { "frag id", 4 },
};

const struct field_info *
field_info(enum field field)
{
	assert(field < FIELD_COUNT);
	return &fields[field];
}
