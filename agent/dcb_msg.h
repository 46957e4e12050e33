/*
 * dcb_msg.h - data center bridging by rtnetlink, RTM_GETDCB: frames of priority flow
 * control, bytes to structs. Pure. (linux/dcbnl.h, IEEE 802.1Qaz)
 */
#pragma once

#include <linux/netlink.h>
#include <net/if.h>
#include <stdint.h>

#include "common/nl_build.h"

/* Priority flow control of an interface, summed over the eight priorities. */
struct dcb_pfc {
	char name[IF_NAMESIZE]; /* of the interface: there is no number in the answer */
	uint64_t sent;          /* frames */
	uint64_t received;
};

/** Append a request for the PFC state of interface @name. */
void dcb_build_pfc(struct nlbuild *b, const char *name);

/** Decode an answer to dcb_build_pfc(). 0; -EBADMSG; -ENOMSG if it is about something
 * else; -ENODATA: the driver has no PFC. */
int dcb_pfc_decode(const struct nlmsghdr *h, struct dcb_pfc *ret);
