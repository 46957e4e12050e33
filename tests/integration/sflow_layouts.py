"""Shapes of sFlow version 5: which fields in which order, and which values they may have.

Written from the documents of sFlow.org (sflow_version_5, sflow_host, sflow_host_ip, sflow_drops, sflow_transit,
sflow_tunnels, sflow_lag, sflow_optics, sflow_openflow), not from our encoder. A layout is a list of "name:type" in
wire order. Types: u32 i32 u64 f32 pct (hundredths of a percent, -1 unknown), mac (6 bytes + 2 of padding), ip4, ip6,
addr (type word and address), uuid (16 bytes), str and opq (length, bytes, padding), "T[]" and "[ ... ]" (count, then
the elements).
"""

DATAGRAM = "agent:addr sub_agent:u32 seq:u32 uptime:u32"

# Behind each of these come the count of records and the records.
SAMPLES = {
    1: ("flow_sample", "seq:u32 source:u32 rate:u32 pool:u32 drops:u32 input:u32 output:u32"),
    2: ("counters_sample", "seq:u32 source:u32"),
    3: (
        "flow_sample_expanded",
        "seq:u32 ds_class:u32 ds_index:u32 rate:u32 pool:u32 drops:u32 "
        "in_format:u32 in_value:u32 out_format:u32 out_value:u32",
    ),
    4: ("counters_sample_expanded", "seq:u32 ds_class:u32 ds_index:u32"),
    5: (
        "discarded_packet",
        "seq:u32 ds_class:u32 ds_index:u32 drops:u32 in_ifindex:u32 out_ifindex:u32 reason:u32",
    ),
}

_L2 = "length:u32 src_mac:mac dst_mac:mac type:u32"
_IPV4 = "length:u32 protocol:u32 src:ip4 dst:ip4 src_port:u32 dst_port:u32 tcp_flags:u32 tos:u32"
_IPV6 = "length:u32 protocol:u32 src:ip6 dst:ip6 src_port:u32 dst_port:u32 tcp_flags:u32 priority:u32"

FLOW_RECORDS = {
    1: ("sampled_header", "protocol:u32 frame_length:u32 stripped:u32 header:opq"),
    2: ("sampled_ethernet", _L2),
    3: ("sampled_ipv4", _IPV4),
    4: ("sampled_ipv6", _IPV6),
    1001: ("extended_switch", "src_vlan:u32 src_priority:u32 dst_vlan:u32 dst_priority:u32"),
    1002: ("extended_router", "nexthop:addr src_mask_len:u32 dst_mask_len:u32"),
    1003: (
        "extended_gateway",
        "nexthop:addr as:u32 src_as:u32 src_peer_as:u32 "
        "dst_as_path:[seg_type:u32 asn:u32[]] communities:u32[] localpref:u32",
    ),
    1006: ("extended_mpls", "nexthop:addr in_stack:u32[] out_stack:u32[]"),
    1007: ("extended_nat", "src:addr dst:addr"),
    1012: ("extended_vlantunnel", "stack:u32[]"),
    1020: ("extended_nat_port", "src_port:u32 dst_port:u32"),
    1021: ("extended_L2_tunnel_egress", _L2),
    1022: ("extended_L2_tunnel_ingress", _L2),
    1023: ("extended_ipv4_tunnel_egress", _IPV4),
    1024: ("extended_ipv4_tunnel_ingress", _IPV4),
    1025: ("extended_ipv6_tunnel_egress", _IPV6),
    1026: ("extended_ipv6_tunnel_ingress", _IPV6),
    1027: ("extended_decapsulate_egress", "inner_header_offset:u32"),
    1028: ("extended_decapsulate_ingress", "inner_header_offset:u32"),
    1029: ("extended_vni_egress", "vni:u32"),
    1030: ("extended_vni_ingress", "vni:u32"),
    1034: ("extended_vlanin", "stack:u32[]"),
    1035: ("extended_vlanout", "stack:u32[]"),
    1036: ("extended_egress_queue", "queue:u32"),
    1037: ("extended_acl", "number:u32 name:str direction:u32"),
    1038: ("extended_function", "symbol:str"),
    1039: ("extended_transit", "delay_ns:u32"),
    1040: ("extended_queue", "depth_bytes:u32"),
    1041: ("extended_hw_trap", "group:str trap:str"),
    1042: ("extended_linux_drop_reason", "reason:str"),
    1043: ("extended_timestamp", "nanoseconds:u64"),
}


def _words(names):
    return " ".join(f"{name}:u32" for name in names.split())


_LANE = (
    "index:u32 tx_bias_uA:u32 tx_power_uW:u32 tx_power_min_uW:u32 tx_power_max_uW:u32 tx_wavelength_nm:u32 "
    "rx_power_uW:u32 rx_power_min_uW:u32 rx_power_max_uW:u32 rx_wavelength_nm:u32"
)

BROADCOM = 4413 << 12

COUNTER_RECORDS = {
    1: (
        "if_counters",
        "ifIndex:u32 ifType:u32 ifSpeed:u64 ifDirection:u32 ifStatus:u32 ifInOctets:u64 ifInUcastPkts:u32 "
        "ifInMulticastPkts:u32 ifInBroadcastPkts:u32 ifInDiscards:u32 ifInErrors:u32 ifInUnknownProtos:u32 "
        "ifOutOctets:u64 ifOutUcastPkts:u32 ifOutMulticastPkts:u32 ifOutBroadcastPkts:u32 ifOutDiscards:u32 "
        "ifOutErrors:u32 ifPromiscuousMode:u32",
    ),
    2: (
        "ethernet_counters",
        _words(
            "AlignmentErrors FCSErrors SingleCollisionFrames MultipleCollisionFrames SQETestErrors "
            "DeferredTransmissions LateCollisions ExcessiveCollisions InternalMacTransmitErrors CarrierSenseErrors "
            "FrameTooLongs InternalMacReceiveErrors SymbolErrors"
        ),
    ),
    5: ("vlan_counters", "vlan_id:u32 octets:u64 ucastPkts:u32 multicastPkts:u32 broadcastPkts:u32 discards:u32"),
    7: (
        "lag_port_stats",
        "actorSystemID:mac partnerSystemID:mac attachedAggID:u32 portState:u32 "
        + _words(
            "LACPDUsRx markerPDUsRx markerResponsePDUsRx unknownRx illegalRx "
            "LACPDUsTx markerPDUsTx markerResponsePDUsTx"
        ),
    ),
    10: (
        "sfp",
        f"module_id:u32 module_num_lanes:u32 supply_voltage_mV:u32 temperature_mC:i32 lanes:[{_LANE}]",
    ),
    11: ("pfc", _words("requests indications pause_duration_us storm_detected storm_restored")),
    1001: ("processor", "cpu_5s:pct cpu_1m:pct cpu_5m:pct total_memory:u64 free_memory:u64"),
    1004: ("of_port", "datapath_id:u64 port_no:u32"),
    1005: ("port_name", "name:str"),
    2000: ("host_descr", "hostname:str uuid:uuid machine_type:u32 os_name:u32 os_release:str"),
    2001: ("host_adapters", "adapters:[ifIndex:u32 macs:mac[]]"),
    2002: ("host_parent", "container_type:u32 container_index:u32"),
    2003: (
        "host_cpu",
        "load_one:f32 load_five:f32 load_fifteen:f32 "
        + _words(
            "proc_run proc_total cpu_num cpu_speed_MHz uptime_s cpu_user cpu_nice cpu_system cpu_idle cpu_wio "
            "cpu_intr cpu_sintr interrupts contexts cpu_steal cpu_guest cpu_guest_nice"
        ),
    ),
    2004: (
        "host_memory",
        "mem_total:u64 mem_free:u64 mem_shared:u64 mem_buffers:u64 mem_cached:u64 swap_total:u64 swap_free:u64 "
        "page_in:u32 page_out:u32 swap_in:u32 swap_out:u32",
    ),
    2005: (
        "host_disk_io",
        "disk_total:u64 disk_free:u64 part_max_used:pct reads:u32 bytes_read:u64 read_time_ms:u32 "
        "writes:u32 bytes_written:u64 write_time_ms:u32",
    ),
    2006: (
        "host_net_io",
        "bytes_in:u64 pkts_in:u32 errs_in:u32 drops_in:u32 bytes_out:u64 pkts_out:u32 errs_out:u32 drops_out:u32",
    ),
    2007: (
        "mib2_ip_group",
        _words(
            "ipForwarding ipDefaultTTL ipInReceives ipInHdrErrors ipInAddrErrors ipForwDatagrams ipInUnknownProtos "
            "ipInDiscards ipInDelivers ipOutRequests ipOutDiscards ipOutNoRoutes ipReasmTimeout ipReasmReqds "
            "ipReasmOKs ipReasmFails ipFragOKs ipFragFails ipFragCreates"
        ),
    ),
    2008: (
        "mib2_icmp_group",
        _words(
            "icmpInMsgs icmpInErrors icmpInDestUnreachs icmpInTimeExcds icmpInParamProbs icmpInSrcQuenchs "
            "icmpInRedirects icmpInEchos icmpInEchoReps icmpInTimestamps icmpInAddrMasks icmpInAddrMaskReps "
            "icmpOutMsgs icmpOutErrors icmpOutDestUnreachs icmpOutTimeExcds icmpOutParamProbs icmpOutSrcQuenchs "
            "icmpOutRedirects icmpOutEchos icmpOutEchoReps icmpOutTimestamps icmpOutTimestampReps icmpOutAddrMasks "
            "icmpOutAddrMaskReps"
        ),
    ),
    2009: (
        "mib2_tcp_group",
        _words(
            "tcpRtoAlgorithm tcpRtoMin tcpRtoMax tcpMaxConn tcpActiveOpens tcpPassiveOpens tcpAttemptFails "
            "tcpEstabResets tcpCurrEstab tcpInSegs tcpOutSegs tcpRetransSegs tcpInErrs tcpOutRsts tcpInCsumErrs"
        ),
    ),
    2010: (
        "mib2_udp_group",
        _words(
            "udpInDatagrams udpNoPorts udpInErrors udpOutDatagrams udpRcvbufErrors udpSndbufErrors udpInCsumErrors"
        ),
    ),
    BROADCOM + 3: (
        "hw_tables",
        _words(
            "host host_max ipv4 ipv4_max ipv6 ipv6_max ipv4_ipv6 ipv4_ipv6_max long_ipv6 long_ipv6_max total_routes "
            "total_routes_max ecmp_nexthops ecmp_nexthops_max mac mac_max ipv4_neighbors ipv6_neighbors ipv4_routes "
            "ipv6_routes acl_ingress_entries acl_ingress_entries_max acl_ingress_counters acl_ingress_counters_max "
            "acl_ingress_meters acl_ingress_meters_max acl_ingress_slices acl_ingress_slices_max acl_egress_entries "
            "acl_egress_entries_max acl_egress_counters acl_egress_counters_max acl_egress_meters "
            "acl_egress_meters_max acl_egress_slices acl_egress_slices_max"
        ),
    ),
}

# Agents of before 2014 end the CPU record here.
HOST_CPU_OLD_BYTES = 68

# Words that are enumerations or sets of bits: (record or sample, field) -> allowed values.
ENUMS = {
    ("sampled_header", "protocol"): range(1, 19),
    ("extended_switch", "src_vlan"): (*range(0, 4096), 0xFFFFFFFF),
    ("extended_switch", "dst_vlan"): (*range(0, 4096), 0xFFFFFFFF),
    ("extended_switch", "src_priority"): (*range(0, 8), 0xFFFFFFFF),
    ("extended_switch", "dst_priority"): (*range(0, 8), 0xFFFFFFFF),
    ("extended_acl", "direction"): range(0, 3),
    ("extended_router", "src_mask_len"): range(0, 129),
    ("extended_router", "dst_mask_len"): range(0, 129),
    ("extended_vni_egress", "vni"): range(0, 1 << 24),
    ("extended_vni_ingress", "vni"): range(0, 1 << 24),
    ("if_counters", "ifDirection"): range(0, 5),
    ("if_counters", "ifStatus"): range(0, 4),
    ("if_counters", "ifPromiscuousMode"): range(0, 3),
    ("host_descr", "machine_type"): range(0, 13),
    ("host_descr", "os_name"): range(0, 13),
    ("host_parent", "container_type"): range(0, 4),
}

# Longest texts, in bytes.
LONGEST = {
    ("host_descr", "hostname"): 64,
    ("host_descr", "os_release"): 32,
    ("port_name", "name"): 255,
    ("extended_function", "symbol"): 64,
    ("extended_hw_trap", "group"): 64,
    ("extended_hw_trap", "trap"): 64,
    ("extended_linux_drop_reason", "reason"): 64,
}
