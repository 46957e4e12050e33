/*
 * tc_msg.h - traffic control messages about our own sampling filters: bytes to struct
 * and back. Pure. (linux/pkt_cls.h, linux/tc_act/tc_sample.h)
 *
 * A filter of ours is, in tc's words:
 *
 *     filter PORT HOOK preference P protocol all handle 0x74670001 matchall
 * skip_sw|skip_hw action sample rate N group G trunc H continue cookie "tapgate-agent"
 *
 * "continue" lets the packet go on to the filters of others, which ends with tc's own
 * default. In software the sample would be without the packet's VLAN tag, which Linux
 * keeps beside the packet; there the action stands between two others:
 *
 *     action vlan push id 1 pipe action sample … pipe action vlan pop continue
 *
 * The first moves the tag that is there into the packet, and the last moves it back.
 * Handle and cookie together tell our filters from all others. A cookie that ends in
 * "/q" says that the clsact qdisc, too, was made by us.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/nl_build.h"

enum tc_hook { TC_HOOK_INGRESS, TC_HOOK_EGRESS, TC_HOOKS };

enum { TC_MSG_REQUEST_BYTES = 512 }; /* enough for any one request */

/* One sampling filter. */
struct tc_filter {
	uint32_t ifindex;
	enum tc_hook hook;
	uint16_t pref; /* lower ones see the packet first */
	uint32_t rate; /* 1 in N */
	uint32_t group;
	uint32_t header_bytes; /* of each packet */
	bool hardware;         /* the driver samples; else the kernel */
	bool tags;             /* in software: samples contain the packet's tag */
	bool owns_qdisc;       /* the clsact qdisc was made by us */
};

/* What one message of a dump, or an event, says. */
struct tc_msg_filter {
	bool is_ours;            /* a whole filter of ours */
	struct tc_filter filter; /* of others: ifindex, hook and pref only */
};

/** Make the clsact qdisc, unless there is one: then the kernel answers EEXIST. */
void tc_msg_build_qdisc(struct nlbuild *b, uint32_t ifindex);
/** Remove the clsact qdisc, with every filter in it. */
void tc_msg_build_qdisc_removal(struct nlbuild *b, uint32_t ifindex);
/** All qdiscs of all interfaces. */
void tc_msg_build_qdisc_dump(struct nlbuild *b);

/** Add a filter. */
void tc_msg_build_filter(struct nlbuild *b, const struct tc_filter *f);
/** Remove that one filter. */
void tc_msg_build_filter_removal(struct nlbuild *b, const struct tc_filter *f);
/** All filters of one hook of an interface. */
void tc_msg_build_filter_dump(struct nlbuild *b, uint32_t ifindex, enum tc_hook hook);

/** Make or remove a sampling action that no filter uses: has the kernel load the
 * modules that sampling takes. */
void tc_msg_build_action(struct nlbuild *b);
void tc_msg_build_action_removal(struct nlbuild *b);

/**
 * Decode RTM_NEWQDISC or RTM_DELQDISC.
 *
 * Returns  0: a qdisc with hooks for filters, clsact or ingress, of *ret_ifindex;
 *          -ENOMSG: another one; -EBADMSG: malformed
 */
int tc_msg_decode_qdisc(const struct nlmsghdr *h, uint32_t *ret_ifindex);

/**
 * Decode RTM_NEWTFILTER or RTM_DELTFILTER.
 *
 * Returns  0; -ENOMSG: of a qdisc that is not clsact or ingress; -EBADMSG: malformed
 */
int tc_msg_decode_filter(const struct nlmsghdr *h, struct tc_msg_filter *ret);
