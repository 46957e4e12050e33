/*
 * proc_snmp_text.c - /proc/net/snmp: for each group a line of names and one of values.
 */
#include <errno.h>
#include <string.h>

#include "agent/proc_text.h"

/* A group of the file, and which column goes where. */
struct group {
	const char *prefix;       /* of both lines */
	const char *const *names; /* by index of the record */
	size_t n;
	enum host_has has;
};

/* The kernel's names; mostly those of RFC 1213 without the group's. */
static const char *const ip_names[MIB2_IP_COUNT] = {
	[MIB2_IP_FORWARDING] = "Forwarding",
	[MIB2_IP_DEFAULT_TTL] = "DefaultTTL",
	[MIB2_IP_IN_RECEIVES] = "InReceives",
	[MIB2_IP_IN_HDR_ERRORS] = "InHdrErrors",
	[MIB2_IP_IN_ADDR_ERRORS] = "InAddrErrors",
	[MIB2_IP_FORW_DATAGRAMS] = "ForwDatagrams",
	[MIB2_IP_IN_UNKNOWN_PROTOS] = "InUnknownProtos",
	[MIB2_IP_IN_DISCARDS] = "InDiscards",
	[MIB2_IP_IN_DELIVERS] = "InDelivers",
	[MIB2_IP_OUT_REQUESTS] = "OutRequests",
	[MIB2_IP_OUT_DISCARDS] = "OutDiscards",
	[MIB2_IP_OUT_NO_ROUTES] = "OutNoRoutes",
	[MIB2_IP_REASM_TIMEOUT] = "ReasmTimeout",
	[MIB2_IP_REASM_REQDS] = "ReasmReqds",
	[MIB2_IP_REASM_OKS] = "ReasmOKs",
	[MIB2_IP_REASM_FAILS] = "ReasmFails",
	[MIB2_IP_FRAG_OKS] = "FragOKs",
	[MIB2_IP_FRAG_FAILS] = "FragFails",
	[MIB2_IP_FRAG_CREATES] = "FragCreates",
};

static const char *const icmp_names[MIB2_ICMP_COUNT] = {
	[MIB2_ICMP_IN_MSGS] = "InMsgs",
	[MIB2_ICMP_IN_ERRORS] = "InErrors",
	[MIB2_ICMP_IN_DEST_UNREACHS] = "InDestUnreachs",
	[MIB2_ICMP_IN_TIME_EXCDS] = "InTimeExcds",
	[MIB2_ICMP_IN_PARAM_PROBS] = "InParmProbs",
	[MIB2_ICMP_IN_SRC_QUENCHS] = "InSrcQuenchs",
	[MIB2_ICMP_IN_REDIRECTS] = "InRedirects",
	[MIB2_ICMP_IN_ECHOS] = "InEchos",
	[MIB2_ICMP_IN_ECHO_REPS] = "InEchoReps",
	[MIB2_ICMP_IN_TIMESTAMPS] = "InTimestamps",
	[MIB2_ICMP_IN_ADDR_MASKS] = "InAddrMasks",
	[MIB2_ICMP_IN_ADDR_MASK_REPS] = "InAddrMaskReps",
	[MIB2_ICMP_OUT_MSGS] = "OutMsgs",
	[MIB2_ICMP_OUT_ERRORS] = "OutErrors",
	[MIB2_ICMP_OUT_DEST_UNREACHS] = "OutDestUnreachs",
	[MIB2_ICMP_OUT_TIME_EXCDS] = "OutTimeExcds",
	[MIB2_ICMP_OUT_PARAM_PROBS] = "OutParmProbs",
	[MIB2_ICMP_OUT_SRC_QUENCHS] = "OutSrcQuenchs",
	[MIB2_ICMP_OUT_REDIRECTS] = "OutRedirects",
	[MIB2_ICMP_OUT_ECHOS] = "OutEchos",
	[MIB2_ICMP_OUT_ECHO_REPS] = "OutEchoReps",
	[MIB2_ICMP_OUT_TIMESTAMPS] = "OutTimestamps",
	[MIB2_ICMP_OUT_TIMESTAMP_REPS] = "OutTimestampReps",
	[MIB2_ICMP_OUT_ADDR_MASKS] = "OutAddrMasks",
	[MIB2_ICMP_OUT_ADDR_MASK_REPS] = "OutAddrMaskReps",
};

static const char *const tcp_names[MIB2_TCP_COUNT] = {
	[MIB2_TCP_RTO_ALGORITHM] = "RtoAlgorithm",
	[MIB2_TCP_RTO_MIN] = "RtoMin",
	[MIB2_TCP_RTO_MAX] = "RtoMax",
	[MIB2_TCP_MAX_CONN] = "MaxConn",
	[MIB2_TCP_ACTIVE_OPENS] = "ActiveOpens",
	[MIB2_TCP_PASSIVE_OPENS] = "PassiveOpens",
	[MIB2_TCP_ATTEMPT_FAILS] = "AttemptFails",
	[MIB2_TCP_ESTAB_RESETS] = "EstabResets",
	[MIB2_TCP_CURR_ESTAB] = "CurrEstab",
	[MIB2_TCP_IN_SEGS] = "InSegs",
	[MIB2_TCP_OUT_SEGS] = "OutSegs",
	[MIB2_TCP_RETRANS_SEGS] = "RetransSegs",
	[MIB2_TCP_IN_ERRS] = "InErrs",
	[MIB2_TCP_OUT_RSTS] = "OutRsts",
	[MIB2_TCP_IN_CSUM_ERRS] = "InCsumErrors",
};

static const char *const udp_names[MIB2_UDP_COUNT] = {
	[MIB2_UDP_IN_DATAGRAMS] = "InDatagrams",
	[MIB2_UDP_NO_PORTS] = "NoPorts",
	[MIB2_UDP_IN_ERRORS] = "InErrors",
	[MIB2_UDP_OUT_DATAGRAMS] = "OutDatagrams",
	[MIB2_UDP_RCVBUF_ERRORS] = "RcvbufErrors",
	[MIB2_UDP_SNDBUF_ERRORS] = "SndbufErrors",
	[MIB2_UDP_IN_CSUM_ERRORS] = "InCsumErrors",
};

static const struct group groups[] = {
	{ "Ip:", ip_names, MIB2_IP_COUNT, HOST_HAS_IP },
	{ "Icmp:", icmp_names, MIB2_ICMP_COUNT, HOST_HAS_ICMP },
	{ "Tcp:", tcp_names, MIB2_TCP_COUNT, HOST_HAS_TCP },
	{ "Udp:", udp_names, MIB2_UDP_COUNT, HOST_HAS_UDP },
};

static uint64_t *
values_of(struct host_sample *s, enum host_has has)
{
	switch (has) {
	case HOST_HAS_IP:
		return s->ip;
	case HOST_HAS_ICMP:
		return s->icmp;
	case HOST_HAS_TCP:
		return s->tcp;
	default:
		return s->udp;
	}
}

/* MaxConn is -1 where it is dynamic, which is what unknown looks like on the wire. */
static bool
read_value(struct text word, uint64_t *ret)
{
	*ret = COUNTER_UNKNOWN;
	return text_char(&word, '-') || text_u64(&word, ret);
}

static void
put(const struct group *g, const struct text *name, uint64_t value, uint64_t *values)
{
	for (size_t i = 0; i < g->n; i++) {
		if (text_equals(name, g->names[i])) {
			values[i] = value;
			return;
		}
	}
}

/* Both lines of a group, side by side. */
static int
read_group(const struct group *g, struct text names, struct text line, uint64_t *values)
{
	struct text name, word;
	uint64_t value;

	while (text_word(&names, &name)) {
		if (!text_word(&line, &word) || !read_value(word, &value))
			return -EBADMSG;
		put(g, &name, value, values);
	}
	return 0;
}

static const struct group *
find_group(const struct text *prefix)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (text_equals(prefix, groups[i].prefix))
			return &groups[i];
	}
	return NULL;
}

int
proc_snmp_parse(struct text text, struct host_sample *ret)
{
	struct text names, values, prefix, prefix_again;
	const struct group *g;

	while (text_line(&text, &names)) {
		if (!text_line(&text, &values) || !text_word(&names, &prefix) ||
			!text_word(&values, &prefix_again) ||
			prefix.len != prefix_again.len ||
			memcmp(prefix.at, prefix_again.at, prefix.len) != 0)
			return -EBADMSG;
		g = find_group(&prefix);
		if (!g)
			continue;
		if (read_group(g, names, values, values_of(ret, g->has)) < 0)
			return -EBADMSG;
		ret->has |= g->has;
	}
	return ret->has & HOST_HAS_IP ? 0 : -EBADMSG;
}
