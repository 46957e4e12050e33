/*
 * sflow_proto.h - numbers of the sFlow version 5 standard.
 *
 * Sources: "sFlow Version 5" (sflow_version_5.txt) and the structure documents that
 * followed it: sFlow Host Structures, sFlow Dropped Packet Notification Structures,
 * sFlow Transit Delay Structures, sFlow Tunnel Structures, sFlow LAG Counter Structure,
 * sFlow Optical Interface Structures and sFlow Host IP Structures. A number stands here
 * only if we send it.
 */
#pragma once

#include <stdint.h>

enum {
	SFLOW_VERSION = 5,
	SFLOW_PORT = 6343, /* registered UDP port of collectors */
	/* sFlowRcvrMaximumDatagramSize, chosen so that no IP fragments arise */
	SFLOW_DATAGRAM_BYTES = 1400,
	/* A sample may wait in the agent no longer than this. */
	SFLOW_MAX_DELAY_MS = 1000,
	SFLOW_HEADER_BYTES = 128,     /* default of sFlowFsMaximumHeaderSize */
	SFLOW_HEADER_BYTES_MAX = 256, /* enough for an outer and an inner header */
	SFLOW_SUB_AGENT = 100000,     /* as Host sFlow agents use */
};

/* data_format words: enterprise << 12 | format; enterprise 0 is sFlow.org. */
enum {
	SFLOW_ENTERPRISE_SHIFT = 12,
	SFLOW_ENTERPRISE_BROADCOM = 4413,
};

/* struct sample_datagram_v5: enum address_type. 0 (unknown) makes collectors give up
 * and is never sent. */
enum sflow_address_type {
	SFLOW_ADDRESS_IPV4 = 1,
	SFLOW_ADDRESS_IPV6 = 2,
};

/* Sample types (struct sample_record). */
enum sflow_sample {
	SFLOW_SAMPLE_FLOW = 1,
	SFLOW_SAMPLE_COUNTERS = 2,
	SFLOW_SAMPLE_FLOW_EXPANDED = 3,
	SFLOW_SAMPLE_COUNTERS_EXPANDED = 4,
	SFLOW_SAMPLE_DISCARD = 5, /* exists in expanded form only */
};

/* sflow_data_source: the class of the index behind it. */
enum sflow_class {
	SFLOW_CLASS_INTERFACE = 0, /* ifIndex; 0 = all ports as one source */
	SFLOW_CLASS_VLAN = 1,      /* VLAN id 1..4094 */
	SFLOW_CLASS_PHYSICAL = 2,  /* entPhysicalEntry; the host itself is 2:1 */
	SFLOW_CLASS_LOGICAL = 3,   /* virtual machine, container, application */
};

enum {
	SFLOW_COMPACT_INDEX_MAX = 0xffffff,  /* index of a compact data source */
	SFLOW_COMPACT_PORT_MAX = 0x3ffffffe, /* value of a compact interface */
	SFLOW_COMPACT_INTERNAL = 0x3fffffff, /* the device itself */
	SFLOW_HOST_INDEX = 1,                /* of the host in SFLOW_CLASS_PHYSICAL */
};

/* interface_expanded: the format of the value behind it. */
enum sflow_port_format {
	SFLOW_PORT_SINGLE = 0,
	SFLOW_PORT_DISCARDED = 1, /* value is a drop reason code */
	SFLOW_PORT_MULTIPLE = 2,  /* value is a number of ports; 0 = not known */
};

/* enum header_protocol of sampled_header. */
enum sflow_protocol {
	SFLOW_PROTOCOL_ETHERNET = 1,
	SFLOW_PROTOCOL_IPV4 = 11,
	SFLOW_PROTOCOL_IPV6 = 12,
	SFLOW_PROTOCOL_MPLS = 13,
};

/* Flow records (struct flow_record). "Egress" tunnel records tell of headers that will
 * be added or tunnels that end on output, "ingress" records of the input side. */
enum sflow_flow_record {
	SFLOW_FLOW_HEADER = 1,
	SFLOW_FLOW_SWITCH = 1001,
	SFLOW_FLOW_ROUTER = 1002,
	SFLOW_FLOW_GATEWAY = 1003,
	SFLOW_FLOW_L2_TUNNEL_EGRESS = 1021,
	SFLOW_FLOW_L2_TUNNEL_INGRESS = 1022,
	SFLOW_FLOW_IPV4_TUNNEL_EGRESS = 1023,
	SFLOW_FLOW_IPV4_TUNNEL_INGRESS = 1024,
	SFLOW_FLOW_IPV6_TUNNEL_EGRESS = 1025,
	SFLOW_FLOW_IPV6_TUNNEL_INGRESS = 1026,
	SFLOW_FLOW_DECAPSULATE_EGRESS = 1027,
	SFLOW_FLOW_DECAPSULATE_INGRESS = 1028,
	SFLOW_FLOW_VNI_EGRESS = 1029,
	SFLOW_FLOW_VNI_INGRESS = 1030,
	SFLOW_FLOW_EGRESS_QUEUE = 1036,
	SFLOW_FLOW_ACL = 1037,
	SFLOW_FLOW_FUNCTION = 1038,
	SFLOW_FLOW_TRANSIT = 1039,
	SFLOW_FLOW_QUEUE_DEPTH = 1040,
	SFLOW_FLOW_HW_TRAP = 1041,
	SFLOW_FLOW_LINUX_REASON = 1042,
	SFLOW_FLOW_TIMESTAMP = 1043,
};

/* Counter records (struct counter_record). */
enum sflow_counter_record {
	SFLOW_COUNTER_GENERIC = 1,
	SFLOW_COUNTER_ETHERNET = 2,
	SFLOW_COUNTER_LAG = 7,
	SFLOW_COUNTER_OPTICS = 10,
	SFLOW_COUNTER_PFC = 11,
	SFLOW_COUNTER_PROCESSOR = 1001,
	SFLOW_COUNTER_OPENFLOW_PORT = 1004,
	SFLOW_COUNTER_PORT_NAME = 1005,
	SFLOW_COUNTER_HOST_DESCR = 2000,
	SFLOW_COUNTER_HOST_ADAPTERS = 2001,
	SFLOW_COUNTER_HOST_PARENT = 2002,
	SFLOW_COUNTER_HOST_CPU = 2003,
	SFLOW_COUNTER_HOST_MEMORY = 2004,
	SFLOW_COUNTER_HOST_DISK = 2005,
	SFLOW_COUNTER_HOST_NET = 2006,
	SFLOW_COUNTER_MIB2_IP = 2007,
	SFLOW_COUNTER_MIB2_ICMP = 2008,
	SFLOW_COUNTER_MIB2_TCP = 2009,
	SFLOW_COUNTER_MIB2_UDP = 2010,
	SFLOW_COUNTER_HW_TABLES =
		SFLOW_ENTERPRISE_BROADCOM << SFLOW_ENTERPRISE_SHIFT | 3,
};

/* AS path segment types of extended_gateway. */
enum sflow_as_path {
	SFLOW_AS_PATH_SET = 1,
	SFLOW_AS_PATH_SEQUENCE = 2,
};

/* Direction word of extended_acl. */
enum sflow_acl_direction {
	SFLOW_ACL_UNKNOWN = 0,
	SFLOW_ACL_INGRESS = 1,
	SFLOW_ACL_EGRESS = 2,
};

/* ifType words (IANAifType-MIB) that a Linux switch has. */
enum sflow_if_type {
	SFLOW_IF_TYPE_OTHER = 1,
	SFLOW_IF_TYPE_ETHERNET = 6,
	SFLOW_IF_TYPE_LOOPBACK = 24,
	SFLOW_IF_TYPE_VIRTUAL = 53,
	SFLOW_IF_TYPE_TUNNEL = 131,
	SFLOW_IF_TYPE_L2VLAN = 135,
	SFLOW_IF_TYPE_L3VLAN = 136,
	SFLOW_IF_TYPE_LAG = 161,
	SFLOW_IF_TYPE_BRIDGE = 209,
};

/* ifDirection of the generic interface counters. */
enum sflow_if_direction {
	SFLOW_IF_DIRECTION_UNKNOWN = 0,
	SFLOW_IF_DIRECTION_FULL_DUPLEX = 1,
	SFLOW_IF_DIRECTION_HALF_DUPLEX = 2,
	SFLOW_IF_DIRECTION_IN = 3,
	SFLOW_IF_DIRECTION_OUT = 4,
};

/* ifStatus bits of the generic interface counters. */
enum {
	SFLOW_IF_STATUS_ADMIN_UP = 1,
	SFLOW_IF_STATUS_OPER_UP = 2,
};

/* machine_type of host_descr. */
enum sflow_machine {
	SFLOW_MACHINE_UNKNOWN = 0,
	SFLOW_MACHINE_OTHER = 1,
	SFLOW_MACHINE_X86 = 2,
	SFLOW_MACHINE_X86_64 = 3,
	SFLOW_MACHINE_IA64 = 4,
	SFLOW_MACHINE_SPARC = 5,
	SFLOW_MACHINE_ALPHA = 6,
	SFLOW_MACHINE_POWERPC = 7,
	SFLOW_MACHINE_M68K = 8,
	SFLOW_MACHINE_MIPS = 9,
	SFLOW_MACHINE_ARM = 10,
	SFLOW_MACHINE_HPPA = 11,
	SFLOW_MACHINE_S390 = 12,
};

/* os_name of host_descr; we run on one of them. */
enum {
	SFLOW_OS_LINUX = 2,
};

/* Longest texts that the standards allow, in bytes. */
enum {
	SFLOW_HOSTNAME_MAX = 64,
	SFLOW_OS_RELEASE_MAX = 32,
	SFLOW_PORT_NAME_MAX = 255,
	SFLOW_SYMBOL_MAX = 64, /* function, trap, trap group, drop reason */
	SFLOW_ACL_NAME_MAX = 255,
};
