/*
 * ruleset.h - the compiler's output: kernel rules as values, not as netlink messages.
 *
 * A policy file compiles to a list of struct ruleset_rule, each belonging to one place
 * (a base chain of ours and the group inside it) and made of terms: tests of header or
 * meta fields, then statements. nft_emit.c turns terms into nftables expressions for
 * the family of the place, or fold.c makes rules of one shape elements of one set. Pure
 * values; all memory is the arena's of the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/diag.h"
#include "aclserver/placement.h"
#include "aclserver/policy.h"
#include "common/arena.h"

/** What can be tested. The table in field.c gives size and where the kernel finds it.
 */
enum field {
	FIELD_IIFNAME, /* interface name, text; see ruleset_test.prefix for "swp+" */
	FIELD_OIFNAME,
	FIELD_PORT,  /* the port of a bridge by which the packet came in, as the hooks
			of IP know it: a name, likewise; see port_marks.h */
	FIELD_ROUTE, /* the interface to which IP routed the packet, as the bridge knows
			it */
	FIELD_MARK,  /* skb mark; 4 bytes, host order in the kernel, big endian here */
	FIELD_L3PROTO,  /* EtherType of the network header (0x0800, 0x86dd); 2 bytes. In
			   inet:  meta nfproto; in bridge: meta protocol (right on tagged
			   frames too) */
	FIELD_L4PROTO,  /* transport protocol behind extension headers (meta l4proto); 1
			   byte */
	FIELD_IP_SADDR, /* 4 bytes */
	FIELD_IP_DADDR,
	FIELD_IP_DSCP, /* 6 bits, as the byte value 0..63 */
	FIELD_IP_TTL,
	FIELD_IP_LENGTH,  /* total length, 2 bytes */
	FIELD_IP_FRAGOFF, /* 2 bytes, flags included: tests use a mask */
	FIELD_IP6_SADDR,  /* 16 bytes */
	FIELD_IP6_DADDR,
	FIELD_IP6_DSCP,
	FIELD_IP6_HOPLIMIT,
	FIELD_IP6_LENGTH, /* payload length, 2 bytes */
	FIELD_TH_SPORT,   /* 2 bytes */
	FIELD_TH_DPORT,
	FIELD_TCP_FLAGS, /* 1 byte */
	FIELD_ICMP_TYPE,
	FIELD_ICMP_CODE,
	FIELD_ICMP6_TYPE,
	FIELD_ICMP6_CODE,
	FIELD_ETHER_SADDR, /* 6 bytes */
	FIELD_ETHER_DADDR,
	FIELD_ETHER_TYPE, /* as on the wire: 0x8100 on a tagged frame */
	FIELD_VLAN_ID,  /* 12 bits as 0..4095, 2 bytes; only behind ETHER_TYPE == 0x8100
			 */
	FIELD_CT_STATE, /* bits of enum ip_conntrack_info as nft has them; 4 bytes */
	FIELD_CT_STATUS,      /* IPS_* bits; 4 bytes */
	FIELD_FIB_SADDR_TYPE, /* RTN_*; 4 bytes */
	FIELD_FIB_DADDR_TYPE,
	/* New ones stand at the end: numbers are part of content hashes. */
	FIELD_BRIDGE_IN, /* name of the bridge that the input port is in; like the names
			    above */
	FIELD_BRIDGE_OUT,
	FIELD_PKTTYPE,    /* PACKET_* of linux/if_packet.h; 1 byte */
	FIELD_IP_TOS,     /* the whole byte */
	FIELD_IP_ECN,     /* 2 bits */
	FIELD_IP6_TCLASS, /* 8 bits */
	FIELD_IP6_ECN,    /* 2 bits */
	FIELD_VLAN_PRIO,  /* 3 bits; like VLAN_ID behind ETHER_TYPE */
	FIELD_VLAN_ENCAP, /* EtherType inside the tag; likewise */
	FIELD_ARP_FORMAT, /* types and lengths of the addresses; 6 bytes */
	FIELD_ARP_HTYPE,
	FIELD_ARP_PTYPE,
	FIELD_ARP_OP,
	FIELD_ARP_SHA, /* only of the format Ethernet/IPv4, as are the next */
	FIELD_ARP_SPA,
	FIELD_ARP_THA,
	FIELD_ARP_TPA,
	FIELD_LLC_DSAP, /* of an 802.3 frame with a length, as are the next */
	FIELD_LLC_SSAP,
	FIELD_LLC_HEAD, /* both SAPs and the control byte; 3 bytes */
	FIELD_SNAP_TYPE,
	FIELD_STP_HEAD, /* LLC and protocol of a BPDU; 5 bytes */
	FIELD_STP_TYPE,
	FIELD_STP_FLAGS, /* of a configuration BPDU, as are the next */
	FIELD_STP_ROOT_PRIO,
	FIELD_STP_ROOT_ADDR,
	FIELD_STP_ROOT_COST,
	FIELD_STP_SENDER_PRIO,
	FIELD_STP_SENDER_ADDR,
	FIELD_STP_PORT,
	FIELD_STP_MSG_AGE, /* times in 1/256 s */
	FIELD_STP_MAX_AGE,
	FIELD_STP_HELLO_TIME,
	FIELD_STP_FORWARD_DELAY,
	FIELD_TCP_MSS,       /* of the TCP option; without it no test of it is true */
	FIELD_TCP_HAS_MSS,   /* 1 or 0 */
	FIELD_FRAG_EXISTS,   /* is there a fragment header of IPv6: 1 or 0 */
	FIELD_FRAG_RESERVED, /* in that header, as are the next */
	FIELD_FRAG_OFFSET,   /* 2 bytes with flags: tests use a mask */
	FIELD_FRAG_ID,
	FIELD_IN_KIND, /* what the input interface is, "bridge"; like the names */
	FIELD_OUT_KIND,
	FIELD_COUNT,
};

enum { FIELD_SIZE_MAX = 16 };

struct field_info {
	const char *name; /* for messages and tests: "ip saddr" */
	uint8_t size;     /* bytes of a value */
};

/** Facts on @field; never NULL for a valid member. */
const struct field_info *field_info(enum field field);

/** Inclusive; network byte order; the first size bytes count. lo == hi for a single
 * value. */
struct ruleset_range {
	uint8_t lo[FIELD_SIZE_MAX];
	uint8_t hi[FIELD_SIZE_MAX];
};

/** "field (& mask) is (not) in one of the ranges". */
struct ruleset_test {
	enum field field;
	bool negate;
	bool has_mask;                /* then every range is a single value */
	uint8_t mask[FIELD_SIZE_MAX]; /* like the values */
	const char *ifname; /* for the name fields, instead of ranges; "swp" for swp+ */
	bool prefix;        /* ifname is a prefix ("swp+") */
	struct ruleset_range
		*ranges; /* sorted, not overlapping, not adjacent; n_ranges >= 1 */
	size_t n_ranges;
};

enum ruleset_verdict {
	RULESET_VERDICT_ACCEPT,
	RULESET_VERDICT_DROP,
};

/** A bucket: passes at most rate per unit. The rule matches while it passes, or, with
 * over, what does not pass. */
struct ruleset_limit {
	uint64_t rate;   /* packets or bytes */
	uint64_t unit_s; /* per so many seconds: 1, 60, 3600, 86400 */
	uint32_t burst;  /* packets: depth of the bucket; bytes: what its depth is more
			    than one unit's worth of the rate, which the kernel always
			    adds */
	bool bytes;      /* of the packet from its network header on */
	bool over;
};

/** A table of packets in the kernel: a named set whose elements packets make. It has no
 * other state than its elements; rules that name the same one share it. */
struct ruleset_meter_set {
	const char *name;    /* in the kernel; says all of what follows, too */
	uint64_t timeout_ms; /* an element lives so long after the last packet */
	uint32_t gc_ms; /* how often the dead are collected; 0 = the kernel's choice */
	uint32_t size;  /* most elements */
};

/** One field of the key of a meter. */
struct ruleset_meter_part {
	enum field field;
	uint8_t mask[FIELD_SIZE_MAX]; /* of the bits that count */
};

enum ruleset_meter_op {
	METER_UPDATE, /* make the element of the packet, or let its time begin anew */
	METER_ADD,    /* make it, or leave its time as it is */
	METER_DELETE, /* remove it, if it is there */
	METER_FIND,   /* is it there? */
	METER_MISS,   /* is it not there? */
};

enum { METER_PARTS_MAX = 4 };

struct ruleset_meter {
	const struct ruleset_meter_set *set; /* the arena's */
	enum ruleset_meter_op op;
	struct ruleset_meter_part parts[METER_PARTS_MAX]; /* by ascending field */
	size_t n_parts;                                   /* at least 1 */
	const struct ruleset_limit *limit; /* METER_UPDATE, METER_ADD: a bucket of each
					      element; the rule goes on while it
					      matches. NULL = goes on */
};

enum ruleset_recent_op {
	RECENT_SET,
	RECENT_CHECK,
	RECENT_UPDATE,
	RECENT_REMOVE,
};

/** -m recent, until all rules of the file are known; see recent.h. */
struct ruleset_recent {
	const char *name;
	bool ip6;
	enum ruleset_recent_op op;
	bool negate;      /* RECENT_CHECK only */
	uint32_t seconds; /* 0 = ever */
	uint32_t hits;    /* 0 = seen at all, else at least 2 */
	struct ruleset_meter_part part;
};

struct ruleset_log {
	const char *prefix; /* or NULL */
	uint32_t level;     /* 0..7, syslog */
	uint32_t flags;     /* NF_LOG_* of linux/netfilter/nf_log.h */
	bool to_group;      /* to an NFLOG group instead of the kernel's log: */
	uint16_t group;
	uint16_t threshold; /* packets sent together; 0 = the kernel's default */
	uint32_t snaplen;   /* bytes copied; 0 = all */
};

/** New value of the skb mark: (mark & keep) ^ flip. */
struct ruleset_mark {
	uint32_t keep;
	uint32_t flip;
};

/** What TERM_NAT writes; the family is that of the rule's section. */
struct ruleset_nat {
	bool source;                /* SNAT; else DNAT */
	bool ip6;                   /* addresses of 16 bytes; else of 4 */
	bool has_address;           /* lo..hi */
	bool has_port;              /* port_lo..port_hi */
	uint8_t lo[FIELD_SIZE_MAX]; /* network order */
	uint8_t hi[FIELD_SIZE_MAX];
	uint16_t port_lo, port_hi;
	uint32_t flags; /* NF_NAT_RANGE_* of linux/netfilter/nf_nat.h: how to choose */
};

enum term_kind {
	TERM_TEST,     /* .test */
	TERM_LIMIT,    /* .limit; a test with state */
	TERM_METER,    /* .meter; a test with state */
	TERM_RECENT,   /* .recent; inside the compiler only */
	TERM_COUNTER,  /* counts what matched so far; every rule has one behind all
			  tests, and a second one ahead of the drop of a policer: what
			  that dropped */
	TERM_LOG,      /* .log */
	TERM_SET_DSCP, /* .dscp; field says IPv4 or IPv6 (FIELD_IP_DSCP, FIELD_IP6_DSCP)
			*/
	TERM_SET_PRIORITY, /* .number: priority of the skb, by which queues choose */
	TERM_SET_PCP,  /* .number 0..7: 802.1p bits; only behind ETHER_TYPE == 0x8100 */
	TERM_SET_MARK, /* .mark */
	TERM_SET_ETHER, /* .ether: a MAC address, FIELD_ETHER_SADDR or _DADDR */
	TERM_DUP,       /* .device receives a copy; netdev only */
	TERM_NAT,       /* .nat; last */
	TERM_VERDICT,   /* .verdict; last, if at all */
};

struct ruleset_term {
	enum term_kind kind;
	union {
		struct ruleset_test test;
		struct ruleset_limit limit;
		struct ruleset_meter meter;
		struct ruleset_recent recent;
		struct ruleset_log log;
		struct {
			enum field field;
			uint8_t value; /* 0..63 */
		} dscp;
		struct {
			enum field field;
			uint8_t address[6];
		} ether;
		uint32_t number;
		struct ruleset_mark mark;
		struct ruleset_nat nat;
		const char *device;
		enum ruleset_verdict verdict;
	};
};

/** 128-bit content hash. */
struct ruleset_hash {
	uint64_t w[2];
};

/** One kernel rule. */
struct ruleset_rule {
	enum place place;
	enum policy_section section; /* for -L, -F and -Z by kind */
	struct ruleset_term *terms;  /* in kernel order */
	size_t n_terms;
	bool is_part; /* counts with the rule before it in the same place: both are one
			 rule as written */
	struct ruleset_hash hash; /* of place, terms and text */
	int line;                 /* where it comes from */
	const char *written;      /* the rule as written, for messages */
	const char *text; /* the simple rule in iptables -S form, lists expanded:
			     "-A FORWARD -i swp1 -p tcp -j DROP"; for -L. Rules of one
			     simple rule in several places share the same pointer */
};

/** One policy file, compiled. */
struct ruleset_file {
	struct ruleset_rule *rules; /* grouped by place, in file order inside each */
	size_t n_rules;
	size_t first[PLACE_COUNT]; /* index of the first rule of each place */
	size_t count[PLACE_COUNT]; /* how many it has */
	struct ruleset_hash
		hash[PLACE_COUNT]; /* over the rules of that place; 0 when none */
};

enum compile_flags {
	COMPILE_ROUTED = 2, /* also for places of packets that leave by a bridge */
	COMPILE_STRICT = 1, /* report what Cumulus hardware would not take, as errors */
};

/**
 * Compile the text of one rule file: policy_parse, policy_expand, rule_parse,
 * placement.
 * @file   name for messages
 * @vars   of policy.conf, or NULL
 * @arena  owns the result
 * @ret    filled on success only
 * Returns 0; -EINVAL when errors were added to @diags (all of the file); -ENOMEM.
 *         Warnings may be added in either case.
 */
int policy_compile(const char *file, const char *text, size_t len,
	const struct policy_vars *vars, unsigned flags, struct arena *arena,
	struct ruleset_file *ret, struct diags *diags);
