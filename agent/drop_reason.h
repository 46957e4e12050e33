/*
 * drop_reason.h - why was a packet dropped, in the codes of sFlow? Pure.
 *
 * One table for what the kernel calls it: a drop reason, a devlink trap or its group,
 * or the function that freed the packet. An ACL made of nftables rules, as those of
 * tapgate-aclserver, is NETFILTER_DROP, and SFLOW_REASON_ACL here.
 */
#pragma once

#include "agent/dropmon_msg.h"
#include "agent/sflow_reason.h"

enum drop_verdict {
	DROP_NONE,    /* no drop at all: control traffic, a queue that is emptied */
	DROP_UNKNOWN, /* in no table; the reason is SFLOW_REASON_UNKNOWN */
	DROP_KNOWN,
};

/** Find the code of @m. *@ret is set in any case. */
enum drop_verdict drop_reason_find(const struct dropmon_msg *m, enum sflow_reason *ret);
