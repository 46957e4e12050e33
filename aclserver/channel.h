/*
 * channel.h - what the committer (parent, CAP_NET_ADMIN) and the HTTP process (child,
 * no capability) tell each other over a SOCK_SEQPACKET socketpair.
 *
 * Child to parent: numbers only, never text or paths; anything else ends the child. The
 * parent finds out by itself, from the kernel's file events, which files changed.
 * Parent to child: numbers and the report of the commit. Encoding and decoding are
 * pure; sending and receiving live with the callers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum channel_type {
	CHANNEL_HELLO = 1, /* child -> parent, once: ready to serve; generation 0 */
	CHANNEL_DIRTY = 2, /* child -> parent: the directory shows everything up to
			      generation */
	CHANNEL_CONF = 4,  /* parent -> child, with one descriptor: the configuration
			      with what it names (trust.h), in which only the latter
			      changed */
	CHANNEL_DONE = 3,  /* parent -> child: a commit that holds everything up to
			      generation ended */
};

enum { CHANNEL_VERSION = 1, CHANNEL_REPORT_MAX = 128 << 10, CHANNEL_HEADER_SIZE = 32 };

/** One message; on the wire a fixed header in host order (one machine, one program),
 * then the report. */
struct channel_msg {
	enum channel_type type;
	uint64_t generation; /* counted by the child from 1, for each group of
				changes */
	int32_t returncode; /* DONE: 0, or as tapgate-acl would have exited: 1 policy, 3
			       kernel */
	const char *report; /* DONE: JSON as in report.h, not NUL-terminated; NULL
			       otherwise */
	size_t report_len;
};

/** Write the header of @msg into @buf (CHANNEL_HEADER_SIZE bytes); the report follows
 * it on the wire. */
void channel_encode(const struct channel_msg *msg, uint8_t buf[CHANNEL_HEADER_SIZE]);

/**
 * Decode one packet; ret->report points into @buf.
 * @from_child  accept only what a child may say (exact size, no report)
 * Returns 0, or -EBADMSG with the reason in @err.
 */
int channel_decode(const void *buf, size_t len, bool from_child,
	struct channel_msg *ret, struct err *err);
