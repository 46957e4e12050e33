/*
 * counters.h - what is measured of a port and of the host.
 *
 * The contract between the counter sources (counter_*.c), which fill it, and the
 * encoder. Every number is 64 bits wide and COUNTER_UNKNOWN where nothing is known; the
 * encoder turns that into what the standard wants: all ones for a counter, 0 for a
 * gauge, -1 for a percentage. Counters whose record has 32 bits are sent modulo 2^32;
 * gauges saturate. Begin with the *_init() of the struct, which makes all unknown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/packet.h"
#include "agent/sflow_proto.h"

#define COUNTER_UNKNOWN        UINT64_MAX

/* A signed value that is not known. */
#define COUNTER_UNKNOWN_SIGNED INT64_MIN

/* One direction of an interface. Counters. */
struct if_direction {
	uint64_t octets;    /* bytes, without FCS as Linux counts them */
	uint64_t unicast;   /* packets */
	uint64_t multicast; /* packets */
	uint64_t broadcast; /* packets */
	uint64_t discards;  /* packets */
	uint64_t errors;    /* packets */
};

/* if_counters of sFlow version 5. */
struct if_counters {
	uint32_t index;                    /* ifIndex */
	enum sflow_if_type type;           /* IANAifType */
	uint64_t speed_bps;                /* gauge, bit/s */
	enum sflow_if_direction direction; /* duplex */
	bool admin_up;                     /* IFF_UP */
	bool oper_up;                      /* operational state is up */
	bool promiscuous;                  /* IFF_PROMISC */
	struct if_direction in;
	struct if_direction out;
	uint64_t in_unknown_protos; /* counter, packets */
};

/* ethernet_counters of sFlow version 5 (RFC 3635). Counters. */
struct ethernet_counters {
	uint64_t alignment_errors;
	uint64_t fcs_errors;
	uint64_t single_collisions;
	uint64_t multiple_collisions;
	uint64_t sqe_test_errors;
	uint64_t deferred_transmissions;
	uint64_t late_collisions;
	uint64_t excessive_collisions;
	uint64_t mac_transmit_errors;
	uint64_t carrier_sense_errors;
	uint64_t frames_too_long;
	uint64_t mac_receive_errors;
	uint64_t symbol_errors;
};

/* lag_port_stats: a member of a LAG. State bytes in the bit order of the LACPDU. */
struct lag_port {
	uint8_t actor_system[6];      /* MAC; zero = not known */
	uint8_t partner_system[6];    /* MAC; zero = not known */
	uint32_t attached_aggregator; /* ifIndex of the bond; 0 = not attached */
	uint8_t actor_admin_state;
	uint8_t actor_oper_state;
	uint8_t partner_admin_state;
	uint8_t partner_oper_state;
	uint64_t lacpdu_rx; /* counters from here */
	uint64_t marker_rx;
	uint64_t marker_response_rx;
	uint64_t unknown_rx;
	uint64_t illegal_rx;
	uint64_t lacpdu_tx;
	uint64_t marker_tx;
	uint64_t marker_response_tx;
};

enum { OPTICS_LANES_MAX = 32 };

/* One lane of an optical module. Gauges; min and max are the alarm thresholds. */
struct optics_lane {
	uint32_t index; /* from 1; 0 = not known */
	uint64_t tx_bias_ua;
	uint64_t tx_power_uw;
	uint64_t tx_power_min_uw;
	uint64_t tx_power_max_uw;
	uint64_t tx_wavelength_nm;
	uint64_t rx_power_uw;
	uint64_t rx_power_min_uw;
	uint64_t rx_power_max_uw;
	uint64_t rx_wavelength_nm;
};

/* sfp: an optical module. */
struct optics {
	uint32_t module_id;     /* lowest ifIndex of the ports that share it */
	uint32_t module_lanes;  /* lanes that the module has */
	uint64_t supply_mv;     /* gauge */
	int64_t temperature_mc; /* 1/1000 degree Celsius; COUNTER_UNKNOWN_SIGNED */
	size_t n_lanes;         /* used in lanes; at most OPTICS_LANES_MAX */
	struct optics_lane lanes[OPTICS_LANES_MAX];
};

/* pfc (draft of 2026): priority flow control, summed over the priorities. Counters. */
struct pfc_counters {
	uint64_t requests;    /* PFC frames received */
	uint64_t indications; /* PFC frames sent */
	uint64_t pause_us;
	uint64_t storm_detected;
	uint64_t storm_restored;
};

/* of_port: the port as OpenFlow knows it. */
struct openflow_port {
	uint64_t datapath_id;
	uint32_t port_no;
};

enum if_has {
	IF_HAS_ETHERNET = 1 << 0,
	IF_HAS_LAG = 1 << 1,
	IF_HAS_OPTICS = 1 << 2,
	IF_HAS_PFC = 1 << 3,
	IF_HAS_NAME = 1 << 4,
	IF_HAS_OPENFLOW = 1 << 5,
};

/* All that one counters sample says of a port; source is (interface, generic.index). */
struct if_sample {
	uint32_t seq;               /* of this port's counters samples */
	struct if_counters generic; /* always sent */
	unsigned has;               /* enum if_has: which of these follow */
	struct ethernet_counters ethernet;
	struct lag_port lag;
	const struct optics *optics; /* borrowed: kept per module, it is large */
	struct pfc_counters pfc;
	const char *name; /* ifName; borrowed; cut at 255 bytes */
	struct openflow_port openflow;
};

/* host_descr. */
struct host_descr {
	const char *hostname;       /* borrowed; cut at 64 bytes */
	uint8_t uuid[16];           /* in text order; zero = not known */
	enum sflow_machine machine; /* os_name is always Linux */
	const char *os_release;     /* borrowed; cut at 32 bytes */
};

enum { HOST_MACS_MAX = 4 };

/* One element of host_adapters. */
struct host_adapter {
	uint32_t ifindex;
	size_t n_macs; /* used in macs; at most HOST_MACS_MAX */
	uint8_t macs[HOST_MACS_MAX][6];
};

/* host_cpu. Times in milliseconds. */
struct host_cpu {
	float load_one; /* -1 = not known, as for the next two */
	float load_five;
	float load_fifteen;
	uint64_t proc_run; /* gauges */
	uint64_t proc_total;
	uint64_t cpu_num;
	uint64_t cpu_speed_mhz;
	uint64_t uptime_s;
	uint64_t user_ms; /* counters from here */
	uint64_t nice_ms;
	uint64_t system_ms;
	uint64_t idle_ms;
	uint64_t wait_ms; /* waiting for I/O */
	uint64_t intr_ms;
	uint64_t softintr_ms;
	uint64_t interrupts;
	uint64_t contexts;
	uint64_t steal_ms;
	uint64_t guest_ms;
	uint64_t guest_nice_ms;
};

/* host_memory. Gauges in bytes, then counters in pages. */
struct host_memory {
	uint64_t total_bytes;
	uint64_t free_bytes;
	uint64_t shared_bytes;
	uint64_t buffers_bytes;
	uint64_t cached_bytes;
	uint64_t swap_total_bytes;
	uint64_t swap_free_bytes;
	uint64_t page_in; /* counters from here */
	uint64_t page_out;
	uint64_t swap_in;
	uint64_t swap_out;
};

/* host_disk_io. */
struct host_disk {
	uint64_t total_bytes;       /* gauge */
	uint64_t free_bytes;        /* gauge */
	int32_t fullest_percent100; /* hundredths of a percent; -1 = not known */
	uint64_t reads;             /* counters from here */
	uint64_t read_bytes;
	uint64_t read_ms;
	uint64_t writes;
	uint64_t written_bytes;
	uint64_t write_ms;
};

/* One direction of host_net_io. Counters. */
struct host_net_direction {
	uint64_t octets;
	uint64_t packets;
	uint64_t errors;
	uint64_t drops;
};

/* host_net_io: sums over the physical ports. */
struct host_net {
	struct host_net_direction in;
	struct host_net_direction out;
};

/* host_parent: the data source that contains this one. */
struct host_parent {
	struct data_source container;
};

/* processor: summary for collectors that read no host records. */
struct processor {
	int32_t cpu_5s_percent100; /* hundredths of a percent; -1 = not known */
	int32_t cpu_1m_percent100;
	int32_t cpu_5m_percent100;
	uint64_t total_bytes; /* gauge */
	uint64_t free_bytes;  /* gauge */
};

/* The groups of RFC 1213 as /proc/net/snmp has them: an array each, in wire order,
 * because they are found by name. A missing column is sent as all ones, whatever its
 * kind. */
enum mib2_ip {
	MIB2_IP_FORWARDING, /* 1 forwarding, 2 not */
	MIB2_IP_DEFAULT_TTL,
	MIB2_IP_IN_RECEIVES,
	MIB2_IP_IN_HDR_ERRORS,
	MIB2_IP_IN_ADDR_ERRORS,
	MIB2_IP_FORW_DATAGRAMS,
	MIB2_IP_IN_UNKNOWN_PROTOS,
	MIB2_IP_IN_DISCARDS,
	MIB2_IP_IN_DELIVERS,
	MIB2_IP_OUT_REQUESTS,
	MIB2_IP_OUT_DISCARDS,
	MIB2_IP_OUT_NO_ROUTES,
	MIB2_IP_REASM_TIMEOUT, /* s */
	MIB2_IP_REASM_REQDS,
	MIB2_IP_REASM_OKS,
	MIB2_IP_REASM_FAILS,
	MIB2_IP_FRAG_OKS,
	MIB2_IP_FRAG_FAILS,
	MIB2_IP_FRAG_CREATES,
	MIB2_IP_COUNT
};

enum mib2_icmp {
	MIB2_ICMP_IN_MSGS,
	MIB2_ICMP_IN_ERRORS,
	MIB2_ICMP_IN_DEST_UNREACHS,
	MIB2_ICMP_IN_TIME_EXCDS,
	MIB2_ICMP_IN_PARAM_PROBS,
	MIB2_ICMP_IN_SRC_QUENCHS,
	MIB2_ICMP_IN_REDIRECTS,
	MIB2_ICMP_IN_ECHOS,
	MIB2_ICMP_IN_ECHO_REPS,
	MIB2_ICMP_IN_TIMESTAMPS,
	MIB2_ICMP_IN_ADDR_MASKS,
	MIB2_ICMP_IN_ADDR_MASK_REPS,
	MIB2_ICMP_OUT_MSGS,
	MIB2_ICMP_OUT_ERRORS,
	MIB2_ICMP_OUT_DEST_UNREACHS,
	MIB2_ICMP_OUT_TIME_EXCDS,
	MIB2_ICMP_OUT_PARAM_PROBS,
	MIB2_ICMP_OUT_SRC_QUENCHS,
	MIB2_ICMP_OUT_REDIRECTS,
	MIB2_ICMP_OUT_ECHOS,
	MIB2_ICMP_OUT_ECHO_REPS,
	MIB2_ICMP_OUT_TIMESTAMPS,
	MIB2_ICMP_OUT_TIMESTAMP_REPS,
	MIB2_ICMP_OUT_ADDR_MASKS,
	MIB2_ICMP_OUT_ADDR_MASK_REPS,
	MIB2_ICMP_COUNT
};

enum mib2_tcp {
	MIB2_TCP_RTO_ALGORITHM,
	MIB2_TCP_RTO_MIN,  /* ms */
	MIB2_TCP_RTO_MAX,  /* ms */
	MIB2_TCP_MAX_CONN, /* all ones: dynamic, the kernel's -1 */
	MIB2_TCP_ACTIVE_OPENS,
	MIB2_TCP_PASSIVE_OPENS,
	MIB2_TCP_ATTEMPT_FAILS,
	MIB2_TCP_ESTAB_RESETS,
	MIB2_TCP_CURR_ESTAB,
	MIB2_TCP_IN_SEGS,
	MIB2_TCP_OUT_SEGS,
	MIB2_TCP_RETRANS_SEGS,
	MIB2_TCP_IN_ERRS,
	MIB2_TCP_OUT_RSTS,
	MIB2_TCP_IN_CSUM_ERRS,
	MIB2_TCP_COUNT
};

enum mib2_udp {
	MIB2_UDP_IN_DATAGRAMS,
	MIB2_UDP_NO_PORTS,
	MIB2_UDP_IN_ERRORS,
	MIB2_UDP_OUT_DATAGRAMS,
	MIB2_UDP_RCVBUF_ERRORS,
	MIB2_UDP_SNDBUF_ERRORS,
	MIB2_UDP_IN_CSUM_ERRORS,
	MIB2_UDP_COUNT
};

/* Entries in use in the tables of the ASIC, and how many there is room for. Gauges;
 * not known: 0 in both. (Broadcom's hw_tables) */
enum hw_table {
	HW_TABLE_HOST,
	HW_TABLE_HOST_MAX,
	HW_TABLE_IPV4,
	HW_TABLE_IPV4_MAX,
	HW_TABLE_IPV6,
	HW_TABLE_IPV6_MAX,
	HW_TABLE_IPV4_IPV6,
	HW_TABLE_IPV4_IPV6_MAX,
	HW_TABLE_LONG_IPV6,
	HW_TABLE_LONG_IPV6_MAX,
	HW_TABLE_TOTAL_ROUTES,
	HW_TABLE_TOTAL_ROUTES_MAX,
	HW_TABLE_ECMP_NEXTHOPS,
	HW_TABLE_ECMP_NEXTHOPS_MAX,
	HW_TABLE_MAC,
	HW_TABLE_MAC_MAX,
	HW_TABLE_IPV4_NEIGHBORS,
	HW_TABLE_IPV6_NEIGHBORS,
	HW_TABLE_IPV4_ROUTES,
	HW_TABLE_IPV6_ROUTES,
	HW_TABLE_ACL_INGRESS_ENTRIES,
	HW_TABLE_ACL_INGRESS_ENTRIES_MAX,
	HW_TABLE_ACL_INGRESS_COUNTERS,
	HW_TABLE_ACL_INGRESS_COUNTERS_MAX,
	HW_TABLE_ACL_INGRESS_METERS,
	HW_TABLE_ACL_INGRESS_METERS_MAX,
	HW_TABLE_ACL_INGRESS_SLICES,
	HW_TABLE_ACL_INGRESS_SLICES_MAX,
	HW_TABLE_ACL_EGRESS_ENTRIES,
	HW_TABLE_ACL_EGRESS_ENTRIES_MAX,
	HW_TABLE_ACL_EGRESS_COUNTERS,
	HW_TABLE_ACL_EGRESS_COUNTERS_MAX,
	HW_TABLE_ACL_EGRESS_METERS,
	HW_TABLE_ACL_EGRESS_METERS_MAX,
	HW_TABLE_ACL_EGRESS_SLICES,
	HW_TABLE_ACL_EGRESS_SLICES_MAX,
	HW_TABLE_COUNT
};

enum host_has {
	HOST_HAS_DESCR = 1 << 0,
	HOST_HAS_ADAPTERS = 1 << 1,
	HOST_HAS_PARENT = 1 << 2,
	HOST_HAS_CPU = 1 << 3,
	HOST_HAS_MEMORY = 1 << 4,
	HOST_HAS_DISK = 1 << 5,
	HOST_HAS_NET = 1 << 6,
	HOST_HAS_IP = 1 << 7,
	HOST_HAS_ICMP = 1 << 8,
	HOST_HAS_TCP = 1 << 9,
	HOST_HAS_UDP = 1 << 10,
	HOST_HAS_HW_TABLES = 1 << 11,
	HOST_HAS_PROCESSOR = 1 << 12,
};

/* All that one counters sample says of a host. */
struct host_sample {
	struct data_source source; /* data_source_host() for this machine */
	uint32_t seq;              /* of this host's counters samples */
	unsigned has;              /* enum host_has: which of these follow */
	struct host_descr descr;
	const struct host_adapter *adapters; /* borrowed; cut to what fits */
	size_t n_adapters;
	struct host_parent parent;
	struct host_cpu cpu;
	struct host_memory memory;
	struct host_disk disk;
	struct host_net net;
	uint64_t ip[MIB2_IP_COUNT];
	uint64_t icmp[MIB2_ICMP_COUNT];
	uint64_t tcp[MIB2_TCP_COUNT];
	uint64_t udp[MIB2_UDP_COUNT];
	uint64_t hw_tables[HW_TABLE_COUNT];
	struct processor processor;
};

/** Port @ifindex: Ethernet, down, every number unknown, no further record. */
void if_sample_init(struct if_sample *s, uint32_t ifindex);

/** A module with no lane and nothing known. */
void optics_init(struct optics *o, uint32_t module_id);

/** Lane @index of a module, nothing known. */
void optics_lane_init(struct optics_lane *l, uint32_t index);

/** This machine, every number unknown, no record. */
void host_sample_init(struct host_sample *s);
