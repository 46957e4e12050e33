/*
 * drop_reason.c - the table of names and the codes of sFlow.
 *
 * What is not told by name is told as closely as is known: an unknown trap by its
 * group, a drop without reason by the part of the kernel that freed the packet.
 */
#include "agent/drop_reason.h"

#include <stdlib.h>
#include <string.h>

/* Beyond all codes: what is traced, but is no drop. */
#define NO_DROP UINT16_MAX

struct row {
	const char *name;
	uint16_t code; /* enum sflow_reason, NO_DROP */
};

/* skb drop reasons, without SKB_DROP_REASON_; sorted, as are the next three. */
static const struct row reasons[] = {
	{ "ARP_PVLAN_DISABLE", SFLOW_REASON_UNKNOWN_L2 },
	{ "BPF_CGROUP_EGRESS", SFLOW_REASON_BPF_CGROUP_EGRESS },
	{ "BRIDGE_INGRESS_STP_STATE", SFLOW_REASON_INGRESS_SPANNING_TREE_FILTER },
	{ "CAKE_FLOOD", SFLOW_REASON_RED },
	{ "CPU_BACKLOG", SFLOW_REASON_CPU_BACKLOG },
	{ "DEV_HDR", SFLOW_REASON_DEV_HDR },
	{ "DEV_READY", SFLOW_REASON_DEV_READY },
	{ "DUALPI2_STEP_DROP", SFLOW_REASON_RED },
	{ "DUP_FRAG", SFLOW_REASON_DUP_FRAG },
	{ "FQ_BAND_LIMIT", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "FQ_FLOW_LIMIT", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "FQ_HORIZON_LIMIT", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "FRAG_REASM_TIMEOUT", SFLOW_REASON_FRAG_NEEDED },
	{ "FRAG_TOO_FAR", SFLOW_REASON_FRAG_NEEDED },
	{ "FULL_RING", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "HDR_TRUNC", SFLOW_REASON_PKT_TOO_SMALL },
	{ "ICMP_CSUM", SFLOW_REASON_ICMP_PARSING },
	{ "INVALID_PROTO", SFLOW_REASON_INVALID_PROTO },
	{ "IPV6DISABLED", SFLOW_REASON_IPV6DISABLED },
	{ "IPV6_BAD_EXTHDR", SFLOW_REASON_IPV6_BAD_EXTHDR },
	{ "IPV6_NDISC_BAD_CODE", SFLOW_REASON_IPV6_NDISC_BAD_CODE },
	{ "IPV6_NDISC_BAD_OPTIONS", SFLOW_REASON_IPV6_NDISC_BAD_OPTIONS },
	{ "IPV6_NDISC_FRAG", SFLOW_REASON_IPV6_NDISC_FRAG },
	{ "IPV6_NDISC_HOP_LIMIT", SFLOW_REASON_IPV6_NDISC_HOP_LIMIT },
	{ "IPV6_NDISC_NS_OTHERHOST", SFLOW_REASON_IPV6_NDISC_NS_OTHERHOST },
	{ "IP_CSUM", SFLOW_REASON_IP_1_PARSING },
	{ "IP_INADDRERRORS", SFLOW_REASON_HOST_UNREACHABLE },
	{ "IP_INHDR", SFLOW_REASON_IP_1_PARSING },
	{ "IP_INNOROUTES", SFLOW_REASON_NET_UNREACHABLE },
	{ "IP_INVALID_DEST", SFLOW_REASON_UNKNOWN_L3_EXCEPTION },
	{ "IP_INVALID_SOURCE", SFLOW_REASON_UNKNOWN_L3_EXCEPTION },
	{ "IP_LOCALNET", SFLOW_REASON_UNKNOWN_L3_EXCEPTION },
	{ "IP_LOCAL_SOURCE", SFLOW_REASON_UNKNOWN_L3_EXCEPTION },
	{ "IP_NOPROTO", SFLOW_REASON_PROTOCOL_UNREACHABLE },
	{ "IP_OUTNOROUTES", SFLOW_REASON_DST_NET_UNKNOWN },
	{ "IP_RPFILTER", SFLOW_REASON_REVERSE_PATH_FORWARDING },
	{ "IP_TUNNEL_ECN", SFLOW_REASON_DECAP_ERROR },
	{ "LOCAL_MAC", SFLOW_REASON_UNKNOWN_L2 },
	{ "MAC_IEEE_MAC_CONTROL", SFLOW_REASON_DMAC_IS_RESERVED },
	{ "MAC_INVALID_SOURCE", SFLOW_REASON_UNKNOWN_L2 },
	{ "NEIGH_CREATEFAIL", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "NEIGH_DEAD", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "NEIGH_FAILED", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "NEIGH_QUEUEFULL", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "NETFILTER_DROP", SFLOW_REASON_ACL },
	{ "NOMEM", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "NO_SOCKET", SFLOW_REASON_PORT_UNREACHABLE },
	{ "NO_TX_TARGET", SFLOW_REASON_PORT_LIST_IS_EMPTY },
	{ "OTHERHOST", SFLOW_REASON_DST_HOST_UNKNOWN },
	{ "OVS_DROP_EXPLICIT", SFLOW_REASON_ACL },
	{ "OVS_DROP_FRAG_L2_TOO_LONG", SFLOW_REASON_PKT_TOO_BIG },
	{ "OVS_DROP_IP_TTL", SFLOW_REASON_TTL_EXCEEDED },
	{ "OVS_DROP_LAST_ACTION", SFLOW_REASON_ACL },
	{ "OVS_DROP_METER", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "PFMEMALLOC", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "PKT_TOO_BIG", SFLOW_REASON_PKT_TOO_BIG },
	{ "PKT_TOO_SMALL", SFLOW_REASON_PKT_TOO_SMALL },
	{ "PROTO_MEM", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "QDISC_CONGESTED", SFLOW_REASON_RED },
	{ "QDISC_DROP", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "QDISC_OVERLIMIT", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "QUEUE_PURGE", NO_DROP },
	{ "SECURITY_HOOK", SFLOW_REASON_COMM_ADMIN_PROHIBITED },
	{ "SKB_CSUM", SFLOW_REASON_SKB_CSUM },
	{ "SKB_GSO_SEG", SFLOW_REASON_SKB_GSO_SEG },
	{ "SKB_UCOPY_FAULT", SFLOW_REASON_SKB_UCOPY_FAULT },
	{ "SOCKET_BACKLOG", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "SOCKET_FILTER", SFLOW_REASON_SOCKET_FILTER },
	{ "SOCKET_RCVBUFF", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "TAP_FILTER", SFLOW_REASON_TAP_FILTER },
	{ "TAP_TXFILTER", SFLOW_REASON_TAP_TXFILTER },
	{ "TCP_ABORT_ON_DATA", SFLOW_REASON_TCP_RESET },
	{ "TCP_ACK_UNSENT_DATA", SFLOW_REASON_TCP_ACK_UNSENT_DATA },
	{ "TCP_AOFAILURE", SFLOW_REASON_UNKNOWN_L4 },
	{ "TCP_AOKEYNOTFOUND", SFLOW_REASON_UNKNOWN_L4 },
	{ "TCP_AONOTFOUND", SFLOW_REASON_UNKNOWN_L4 },
	{ "TCP_AOUNEXPECTED", SFLOW_REASON_UNKNOWN_L4 },
	{ "TCP_AUTH_HDR", SFLOW_REASON_TCP_PARSING },
	{ "TCP_CLOSE", SFLOW_REASON_TCP_CLOSE },
	{ "TCP_CSUM", SFLOW_REASON_TCP_PARSING },
	{ "TCP_FASTOPEN", SFLOW_REASON_TCP_FASTOPEN },
	{ "TCP_FLAGS", SFLOW_REASON_TCP_FLAGS },
	{ "TCP_INVALID_ACK_SEQUENCE", SFLOW_REASON_TCP_INVALID_SEQUENCE },
	{ "TCP_INVALID_END_SEQUENCE", SFLOW_REASON_TCP_INVALID_SEQUENCE },
	{ "TCP_INVALID_SEQUENCE", SFLOW_REASON_TCP_INVALID_SEQUENCE },
	{ "TCP_INVALID_SYN", SFLOW_REASON_TCP_INVALID_SYN },
	{ "TCP_LISTEN_OVERFLOW", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "TCP_MD5FAILURE", SFLOW_REASON_TCP_MD5FAILURE },
	{ "TCP_MD5NOTFOUND", SFLOW_REASON_TCP_MD5NOTFOUND },
	{ "TCP_MD5UNEXPECTED", SFLOW_REASON_TCP_MD5UNEXPECTED },
	{ "TCP_MINTTL", SFLOW_REASON_TCP_MINTTL },
	{ "TCP_OFOMERGE", SFLOW_REASON_TCP_OFOMERGE },
	{ "TCP_OFO_DROP", SFLOW_REASON_TCP_OFO_DROP },
	{ "TCP_OFO_QUEUE_PRUNE", SFLOW_REASON_TCP_OFO_QUEUE_PRUNE },
	{ "TCP_OLD_ACK", SFLOW_REASON_TCP_OLD_ACK },
	{ "TCP_OLD_DATA", SFLOW_REASON_TCP_OLD_DATA },
	{ "TCP_OLD_SEQUENCE", SFLOW_REASON_TCP_INVALID_SEQUENCE },
	{ "TCP_OVERWINDOW", SFLOW_REASON_TCP_OVERWINDOW },
	{ "TCP_REQQ_FULL_DROP", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "TCP_RESET", SFLOW_REASON_TCP_RESET },
	{ "TCP_RFC7323_PAWS", SFLOW_REASON_TCP_RFC7323_PAWS },
	{ "TCP_RFC7323_PAWS_ACK", SFLOW_REASON_TCP_RFC7323_PAWS },
	{ "TCP_RFC7323_TW_PAWS", SFLOW_REASON_TCP_RFC7323_PAWS },
	{ "TCP_TOO_OLD_ACK", SFLOW_REASON_TCP_TOO_OLD_ACK },
	{ "TCP_ZEROWINDOW", SFLOW_REASON_TCP_ZEROWINDOW },
	{ "TC_CHAIN_NOTFOUND", SFLOW_REASON_TC_INGRESS },
	{ "TC_COOKIE_ERROR", SFLOW_REASON_TC_INGRESS },
	{ "TC_EGRESS", SFLOW_REASON_TC_EGRESS },
	{ "TC_INGRESS", SFLOW_REASON_TC_INGRESS },
	{ "TC_RECLASSIFY_LOOP", SFLOW_REASON_TC_INGRESS },
	{ "TUNNEL_TXINFO", SFLOW_REASON_UNKNOWN_TUNNEL },
	{ "UDP_CSUM", SFLOW_REASON_UDP_PARSING },
	{ "UNHANDLED_PROTO", SFLOW_REASON_UNHANDLED_PROTO },
	{ "UNICAST_IN_L2_MULTICAST", SFLOW_REASON_UC_DIP_OVER_MC_DMAC },
	{ "VXLAN_ENTRY_EXISTS", SFLOW_REASON_UNKNOWN_L2 },
	{ "VXLAN_INVALID_HDR", SFLOW_REASON_VXLAN_PARSING },
	{ "VXLAN_VNI_NOT_FOUND", SFLOW_REASON_DECAP_ERROR },
	{ "XDP", SFLOW_REASON_XDP },
	{ "XFRM_POLICY", SFLOW_REASON_XFRM_POLICY },
};

/* devlink traps. */
static const struct row traps[] = {
	{ "arp_parsing", SFLOW_REASON_ARP_PARSING },
	{ "blackhole_arp_neigh", SFLOW_REASON_BLACKHOLE_ARP_NEIGH },
	{ "blackhole_nexthop", SFLOW_REASON_BLACKHOLE_NEXTHOP },
	{ "blackhole_route", SFLOW_REASON_BLACKHOLE_ROUTE },
	{ "dccp_parsing", SFLOW_REASON_DCCP_PARSING },
	{ "decap_error", SFLOW_REASON_DECAP_ERROR },
	{ "dip_is_link_local", SFLOW_REASON_DIP_IS_LINK_LOCAL },
	{ "dip_is_local_network", SFLOW_REASON_DIP_IS_LOCAL_NETWORK },
	{ "dip_is_loopback_address", SFLOW_REASON_DIP_IS_LOOPBACK_ADDRESS },
	{ "dmac_filter", SFLOW_REASON_DMAC_FILTER },
	{ "dmac_is_reserved", SFLOW_REASON_DMAC_IS_RESERVED },
	{ "early_drop", SFLOW_REASON_RED },
	{ "egress_flow_action_drop", SFLOW_REASON_ACL },
	{ "esp_parsing", SFLOW_REASON_ESP_PARSING },
	{ "gre_parsing", SFLOW_REASON_GRE_PARSING },
	{ "gtp_parsing", SFLOW_REASON_GTP_PARSING },
	{ "ingress_flow_action_drop", SFLOW_REASON_ACL },
	{ "ingress_spanning_tree_filter", SFLOW_REASON_INGRESS_SPANNING_TREE_FILTER },
	{ "ingress_vlan_filter", SFLOW_REASON_INGRESS_VLAN_FILTER },
	{ "ip_1_parsing", SFLOW_REASON_IP_1_PARSING },
	{ "ip_header_corrupted", SFLOW_REASON_IP_HEADER_CORRUPTED },
	{ "ip_n_parsing", SFLOW_REASON_IP_N_PARSING },
	{ "ipsec_parsing", SFLOW_REASON_IPSEC_PARSING },
	{ "ipv4_lpm_miss", SFLOW_REASON_DST_NET_UNKNOWN },
	{ "ipv4_sip_is_limited_bc", SFLOW_REASON_IPV4_SIP_IS_LIMITED_BC },
	{ "ipv6_lpm_miss", SFLOW_REASON_DST_NET_UNKNOWN },
	{ "ipv6_mc_dip_interface_local_scope",
		SFLOW_REASON_IPV6_MC_DIP_INTERFACE_LOCAL_SCOPE },
	{ "ipv6_mc_dip_reserved_scope", SFLOW_REASON_IPV6_MC_DIP_RESERVED_SCOPE },
	{ "llc_snap_parsing", SFLOW_REASON_LLC_SNAP_PARSING },
	{ "locked_port", SFLOW_REASON_LOCKED_PORT },
	{ "mc_dmac_mismatch", SFLOW_REASON_MC_DMAC_MISMATCH },
	{ "mc_reverse_path_forwarding", SFLOW_REASON_MC_REVERSE_PATH_FORWARDING },
	{ "mlag_port_isolation", SFLOW_REASON_MLAG_PORT_ISOLATION },
	{ "mpls_parsing", SFLOW_REASON_MPLS_PARSING },
	{ "mtu_value_is_too_small", SFLOW_REASON_PKT_TOO_BIG },
	{ "non_ip", SFLOW_REASON_NON_IP },
	{ "non_routable_packet", SFLOW_REASON_NON_ROUTABLE_PACKET },
	{ "overlay_smac_is_dmac", SFLOW_REASON_OVERLAY_SMAC_IS_DMAC },
	{ "overlay_smac_is_mc", SFLOW_REASON_OVERLAY_SMAC_IS_MC },
	{ "port_list_is_empty", SFLOW_REASON_PORT_LIST_IS_EMPTY },
	{ "port_loopback_filter", SFLOW_REASON_PORT_LOOPBACK_FILTER },
	{ "pppoe_ppp_parsing", SFLOW_REASON_PPPOE_PPP_PARSING },
	{ "reject_route", SFLOW_REASON_DST_NET_PROHIBITED },
	{ "sctp_parsing", SFLOW_REASON_SCTP_PARSING },
	{ "sip_is_class_e", SFLOW_REASON_SIP_IS_CLASS_E },
	{ "sip_is_dip", SFLOW_REASON_SIP_IS_DIP },
	{ "sip_is_loopback_address", SFLOW_REASON_SIP_IS_LOOPBACK_ADDRESS },
	{ "sip_is_mc", SFLOW_REASON_SIP_IS_MC },
	{ "sip_is_unspecified", SFLOW_REASON_SIP_IS_UNSPECIFIED },
	{ "source_mac_is_multicast", SFLOW_REASON_SRC_MAC_IS_MULTICAST },
	{ "src_mac_is_dmac", SFLOW_REASON_SRC_MAC_IS_DMAC },
	{ "tail_drop", SFLOW_REASON_NO_BUFFER_SPACE },
	{ "tcp_parsing", SFLOW_REASON_TCP_PARSING },
	{ "ttl_value_is_too_small", SFLOW_REASON_TTL_EXCEEDED },
	{ "uc_dip_over_mc_dmac", SFLOW_REASON_UC_DIP_OVER_MC_DMAC },
	{ "udp_parsing", SFLOW_REASON_UDP_PARSING },
	{ "unresolved_neigh", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "vlan_parsing", SFLOW_REASON_VLAN_PARSING },
	{ "vlan_tag_mismatch", SFLOW_REASON_VLAN_TAG_MISMATCH },
	{ "vxlan_parsing", SFLOW_REASON_VXLAN_PARSING },
};

/* devlink trap groups; control traffic is no drop. */
static const struct row groups[] = {
	{ "acl_drops", SFLOW_REASON_ACL },
	{ "acl_sample", NO_DROP },
	{ "acl_trap", NO_DROP },
	{ "bfd", NO_DROP },
	{ "bgp", NO_DROP },
	{ "buffer_drops", SFLOW_REASON_UNKNOWN_BUFFER },
	{ "dhcp", NO_DROP },
	{ "eapol", NO_DROP },
	{ "external_delivery", NO_DROP },
	{ "ipv6", NO_DROP },
	{ "l2_drops", SFLOW_REASON_UNKNOWN_L2 },
	{ "l3_drops", SFLOW_REASON_UNKNOWN_L3 },
	{ "l3_exceptions", SFLOW_REASON_UNKNOWN_L3_EXCEPTION },
	{ "lacp", NO_DROP },
	{ "lldp", NO_DROP },
	{ "local_delivery", NO_DROP },
	{ "mc_snooping", NO_DROP },
	{ "neigh_discovery", NO_DROP },
	{ "ospf", NO_DROP },
	{ "parser_error_drops", SFLOW_REASON_UNKNOWN_PARSING },
	{ "pim", NO_DROP },
	{ "ptp_event", NO_DROP },
	{ "ptp_general", NO_DROP },
	{ "stp", NO_DROP },
	{ "tunnel_drops", SFLOW_REASON_UNKNOWN_TUNNEL },
	{ "uc_loopback", NO_DROP },
	{ "vrrp", NO_DROP },
};

/* Functions that free packets without a reason, whole names; emptying a queue is no
 * drop. */
static const struct row functions[] = {
	{ "__dev_queue_xmit", SFLOW_REASON_TRAFFIC_SHAPING },
	{ "__neigh_event_send", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "__netif_receive_skb_core", SFLOW_REASON_UNHANDLED_PROTO },
	{ "arp_error_report", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "arpt_do_table", SFLOW_REASON_ACL },
	{ "ebt_do_table", SFLOW_REASON_ACL },
	{ "enqueue_to_backlog", SFLOW_REASON_CPU_BACKLOG },
	{ "ip6t_do_table", SFLOW_REASON_ACL },
	{ "ipt_do_table", SFLOW_REASON_ACL },
	{ "ndisc_error_report", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "neigh_event_send", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "neigh_invalidate", SFLOW_REASON_UNRESOLVED_NEIGH },
	{ "nf_hook_slow", SFLOW_REASON_ACL },
	{ "nf_hook_slow_list", SFLOW_REASON_ACL },
	{ "nft_do_chain", SFLOW_REASON_ACL },
	{ "sk_stream_kill_queues", NO_DROP },
	{ "skb_queue_purge", NO_DROP },
	{ "skb_queue_purge_reason", NO_DROP },
	{ "skb_release_data", NO_DROP },
};

/* Beginnings of names of others; the first one that fits. */
static const struct row families[] = {
	{ "tcp_", SFLOW_REASON_UNKNOWN_L4 },
	{ "udp_", SFLOW_REASON_UNKNOWN_L4 },
	{ "udpv6_", SFLOW_REASON_UNKNOWN_L4 },
	{ "__udp4_", SFLOW_REASON_UNKNOWN_L4 },
	{ "__udp6_", SFLOW_REASON_UNKNOWN_L4 },
	{ "ip_", SFLOW_REASON_UNKNOWN_L3 },
	{ "ipv4_", SFLOW_REASON_UNKNOWN_L3 },
	{ "ip6_", SFLOW_REASON_UNKNOWN_L3 },
	{ "ipv6_", SFLOW_REASON_UNKNOWN_L3 },
	{ "icmp_", SFLOW_REASON_UNKNOWN_L3 },
	{ "icmpv6_", SFLOW_REASON_UNKNOWN_L3 },
	{ "raw_", SFLOW_REASON_UNKNOWN_L3 },
	{ "rawv6_", SFLOW_REASON_UNKNOWN_L3 },
	{ "br_", SFLOW_REASON_UNKNOWN_L2 },
	{ "__br_", SFLOW_REASON_UNKNOWN_L2 },
};

/* Where the kernel has one reason for several things, and the function tells more. */
static const struct {
	const char *reason, *function;
	uint16_t code;
} refined[] = {
	{ "IP_INHDR", "ip_forward", SFLOW_REASON_TTL_EXCEEDED },
	{ "IP_INHDR", "ip6_forward", SFLOW_REASON_TTL_EXCEEDED },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int
by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct row *)row)->name);
}

static const struct row *
find(const struct row *table, size_t n, const char *name)
{
	return name[0] ? bsearch(name, table, n, sizeof(*table), by_name) : NULL;
}

/* What the compiler made of a function is part of its name: "ip_forward.part.0". */
static void
plain_function(const struct dropmon_msg *m, char ret[DROPMON_TEXT_SIZE])
{
	size_t len = strcspn(m->function, ".");

	memcpy(ret, m->function, len);
	ret[len] = '\0';
}

static enum drop_verdict
tell(uint16_t code, enum sflow_reason *ret)
{
	if (code == NO_DROP)
		return DROP_NONE;
	*ret = (enum sflow_reason)code;
	return DROP_KNOWN;
}

static enum drop_verdict
by_function(const char *function, enum sflow_reason *ret)
{
	const struct row *row = find(functions, COUNT(functions), function);

	if (row)
		return tell(row->code, ret);
	for (size_t i = 0; i < COUNT(families); i++) {
		const char *name = families[i].name;

		if (strncmp(function, name, strlen(name)) == 0)
			return tell(families[i].code, ret);
	}
	return DROP_UNKNOWN;
}

static enum drop_verdict
by_trap(const struct dropmon_msg *m, enum sflow_reason *ret)
{
	const struct row *row = find(traps, COUNT(traps), m->trap_name);

	if (!row)
		row = find(groups, COUNT(groups), m->trap_group);
	return row ? tell(row->code, ret) : DROP_UNKNOWN;
}

enum drop_verdict
drop_reason_find(const struct dropmon_msg *m, enum sflow_reason *ret)
{
	char function[DROPMON_TEXT_SIZE];
	const struct row *row;

	*ret = SFLOW_REASON_UNKNOWN;
	if (m->trap_name[0] || m->trap_group[0])
		return by_trap(m, ret);
	plain_function(m, function);
	for (size_t i = 0; i < COUNT(refined); i++) {
		if (strcmp(m->reason, refined[i].reason) == 0 &&
			strcmp(function, refined[i].function) == 0)
			return tell(refined[i].code, ret);
	}
	row = find(reasons, COUNT(reasons), m->reason);
	return row ? tell(row->code, ret) : by_function(function, ret);
}
