/*
 * matches.c - the table of all matches, and what is known of those that cannot be used.
 */
#include "aclserver/match.h"

#include <string.h>

const struct match *const matches[] = {
	&match_tcp,
	&match_udp,
	&match_multiport,
	&match_icmp,
	&match_icmp6,
	&match_comment,
	&match_limit,
	&match_conntrack,
	&match_state,
	&match_dscp,
	&match_mark,
	&match_addrtype,
	&match_ttl,
	&match_hl,
	&match_mac,
	&match_iprange,
	&match_length,
	&match_sctp,
	&match_dccp,
	&match_udplite,
	&match_vlan,
	&match_eb_ip,
	&match_eb_ip6,
	&match_arp,
	&match_rarp,
	&match_802_3,
	&match_stp,
	&match_eb_mark,
	&match_eb_pkttype,
	&match_among,
	&match_hashlimit,
	&match_recent,
	&match_ecn,
	&match_tcpmss,
	&match_frag,
	&match_physdev,
	NULL,
};

/* Of iptables, and in no document on the policy language. */
static const char *const never[] = { "ah", "bpf", "cgroup", "cluster", "connbytes",
	"connlabel", "connlimit", "connmark", "cpu", "devgroup", "dst", "esp", "eui64",
	"hbh", "helper", "ipv6header", "ipvs", "mh", "nfacct", "osf", "owner",
	"pkttype", "policy", "quota", "rateest", "realm", "rpfilter", "rt", "set",
	"socket", "statistic", "string", "time", "tos", "u32", NULL };

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

const struct match *
match_find(const char *name, enum policy_section section)
{
	for (const struct match *const *m = matches; *m; m++) {
		if (!((*m)->sections & 1u << section))
			continue;
		if (strcmp(name, (*m)->module.name) == 0 ||
			((*m)->alias && strcmp(name, (*m)->alias) == 0))
			return *m;
	}
	return NULL;
}

const char *
match_why_not(const char *name)
{
	if (is_one_of(name, never))
		return "not supported";
	return NULL;
}
