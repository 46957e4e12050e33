/*
 * nl.h - one netlink socket: events, requests and dumps. (rtnetlink, generic netlink)
 *
 * Functions are called netlink_…, because many names with nl_… belong to libnl, which
 * is included by common/nl*.c only. Requests never wait: the kernel answers before
 * send() returns, or hands a dump out piece by piece while it is read, so a missing
 * answer is an error and not a reason to wait. Use one socket for events and another
 * for requests, as events would get between the answers. Not for several threads.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/nl_build.h"

enum {
	NETLINK_BATCH_MAX = 64,          /* datagrams per system call */
	NETLINK_REQUEST_MAX = 64,        /* messages of one netlink_request() */
	NETLINK_MESSAGE_DEFAULT = 32768, /* the kernel makes no larger part of a dump */
};

struct netlink; /* owned by who opened it */

struct netlink_options {
	int protocol;         /* NETLINK_ROUTE, NETLINK_GENERIC */
	size_t receive_bytes; /* wanted receive buffer of the socket; 0 = the system's
				 default. Beyond its limit only with CAP_NET_ADMIN */
	size_t message_bytes; /* longest datagram that is read; 0 = the default above */
	unsigned batch;       /* datagrams per system call; 0 = 1 */
	bool strict;          /* the kernel checks and filters dumps strictly */
};

/* Since netlink_open(). */
struct netlink_stats {
	uint64_t messages;  /* received and valid */
	uint64_t overruns;  /* times the kernel dropped messages for lack of room */
	uint64_t truncated; /* datagrams longer than message_bytes, dropped */
	uint64_t malformed; /* lengths that make no sense; rest of datagram dropped */
	uint64_t foreign;   /* datagrams not from the kernel, dropped */
};

/**
 * Takes one message that was received; @h and what follows is borrowed for the call and
 * lies complete in memory (h->nlmsg_len is checked). Control messages (ACK, DONE) are
 * not shown. A negative result of a callback is passed on by the function that called
 * it, after the messages that were received already are dealt with.
 */
typedef int (*netlink_fn)(const struct nlmsghdr *h, void *user_data);

/** NULL with the reason in @err. */
struct netlink *netlink_open(const struct netlink_options *options, struct err *err);
/** Accepts NULL. */
void netlink_close(struct netlink *nl);

/** For loop_add_fd(); the socket is non-blocking. */
int netlink_fd(const struct netlink *nl);
const struct netlink_stats *netlink_stats(const struct netlink *nl);

/** Join the multicast group @group (RTNLGRP_…, or from netlink_group()). */
int netlink_join(struct netlink *nl, uint32_t group, struct err *err);

/**
 * Read the events that are there, up to a few hundred, without waiting, and show every
 * message to @fn.
 *
 * Returns the number of datagrams, 0 = nothing was there; -ENOBUFS: messages were lost
 *         (overrun, or longer than message_bytes), so state must be read anew; other
 *         negative errno from the socket, or the first one of @fn
 */
int netlink_receive(struct netlink *nl, netlink_fn fn, void *user_data);

/**
 * Send the message or messages of @request and take all answers: up to the end of a
 * dump, the acknowledgement (NLM_F_ACK), or the one answer of a plain request.
 *
 * @fn      called for every answer; may be NULL
 * Returns  0; -EINTR if a dump changed under the reader (ask again); -ENOBUFS if the
 *          answers did not fit; -EOVERFLOW if @request did not; -ENODATA if an answer
 *          is missing; the errno of the first message that the kernel refused, while
 *          the others are served; or that of @fn, which ends the reading at once if it
 *          is -ECANCELED
 * @err     for refusals: the kernel's own words, if it has any
 */
int netlink_request(struct netlink *nl, const struct nlbuild *request, netlink_fn fn,
	void *user_data, struct err *err);

/** As netlink_request(), for dumps: asks again, at most a few times, after -EINTR; so
 * @fn may see an object twice. */
int netlink_dump(struct netlink *nl, const struct nlbuild *request, netlink_fn fn,
	void *user_data, struct err *err);

/** Number of generic netlink family @name (NETLINK_GENERIC sockets). -ENOENT: this
 * kernel has none, or its module is not loaded. */
int netlink_family(
	struct netlink *nl, const char *name, uint16_t *ret_id, struct err *err);

/** Number of multicast group @group of family @family; -ENOENT if there is none. */
int netlink_group(struct netlink *nl, const char *family, const char *group,
	uint32_t *ret_group, struct err *err);

/** Payload behind the family's header of @header_len bytes, and its length; NULL if
 * the message is too short for the header. */
const void *netlink_attrs(const struct nlmsghdr *h, size_t header_len, size_t *ret_len);
