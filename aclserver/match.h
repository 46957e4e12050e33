/*
 * match.h - the contract of one match ("-m NAME", or loaded by "-p NAME").
 *
 * To add a match: a struct match with its options in a match_*.c file, and a row in
 * matches.c. Its option functions add tests to the rule, see rule.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/rule.h"

/** Sections that know a match or a target. */
enum {
	SECTION_IP4 = 1 << POLICY_SECTION_IPTABLES,
	SECTION_IP6 = 1 << POLICY_SECTION_IP6TABLES,
	SECTION_IP = SECTION_IP4 | SECTION_IP6,
	SECTION_EB = 1 << POLICY_SECTION_EBTABLES,
};

/** Where Cumulus hardware takes a match; --strict refuses it elsewhere. */
enum match_hardware {
	MATCH_HARDWARE_ANY,   /* everywhere */
	MATCH_HARDWARE_INPUT, /* by the kernel only, so only for packets to the switch
			       */
	MATCH_HARDWARE_NONE,  /* not documented for it */
};

struct match {
	struct rule_module module;
	const char *alias; /* second name after -m, or NULL */
	uint8_t sections;  /* SECTION_* */
	bool has_proto;    /* belongs to proto: "-p" loads it, and it needs that "-p" */
	uint16_t proto;    /* IP protocol; in [ebtables] the EtherType */
	const char *proto_name; /* the same for messages */
	bool single;            /* takes one option for each -m */
	bool needs_option;      /* says nothing without an option */
	enum match_hardware hardware;
};

/** All matches; ends with NULL. */
extern const struct match *const matches[];

/** Find by name or alias for @section; NULL if there is none. */
const struct match *match_find(const char *name, enum policy_section section);

/** What is known of a match that cannot be used: "not supported"; NULL if the name is
 * unknown. */
const char *match_why_not(const char *name);

extern const struct match match_tcp, match_udp, match_udplite, match_sctp, match_dccp,
	match_multiport;
extern const struct match match_icmp, match_icmp6;
extern const struct match match_dscp, match_ttl, match_hl, match_length, match_iprange;
extern const struct match match_mark, match_comment, match_limit, match_conntrack,
	match_state, match_addrtype, match_mac;
extern const struct match match_hashlimit, match_recent, match_ecn, match_tcpmss,
	match_frag, match_physdev;
extern const struct match match_vlan, match_eb_ip, match_eb_ip6, match_arp, match_rarp,
	match_802_3, match_stp, match_eb_mark, match_eb_pkttype, match_among;

/** What stands behind -p: number of an IP protocol (0 for "all"), or an EtherType and
 * its canonical name (NULL if it has none); LENGTH is ETH_P_802_3. 0, -EINVAL. */
int match_ip_protocol(const char *text, uint32_t *ret_proto);
int match_ether_type(const char *text, uint16_t *ret_type, const char **ret_name);

/** The options that every rule has; modules without a name. */
extern const struct rule_module match_basic_ip, match_basic_eb;
