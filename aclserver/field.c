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
};

const struct field_info *
field_info(enum field field)
{
	assert(field < FIELD_COUNT);
	return &fields[field];
}
