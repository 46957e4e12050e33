/*
 * span_tunnel.h - the tunnel devices of ERSPAN rules.
 *
 * The name of a device of ours says all there is to it: "tg." and its addresses and TTL
 * in base 64. So which ones are needed can be read from the rules in the kernel, by any
 * program and after any restart. Names are pure; the rest is acting (rtnetlink).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/nl_build.h"

enum {
	SPAN_TUNNEL_NAME_SIZE = 16, /* IFNAMSIZ */
	SPAN_TUNNEL_REQUEST_SIZE = 256,
};

struct span_tunnel {
	uint8_t src[4], dst[4]; /* IPv4, network order */
	uint8_t ttl;
};

/** The name of the device of @tunnel. */
void span_tunnel_name(
	const struct span_tunnel *tunnel, char ret[SPAN_TUNNEL_NAME_SIZE]);

/** Read it back; false if @name is none of ours. */
bool span_tunnel_parse(const char *name, struct span_tunnel *ret);

/** The message that makes the device @name: ERSPAN type II, session 1, up. */
void span_tunnel_put(
	struct nlbuild *b, const struct span_tunnel *tunnel, const char *name);

/** Make the device @name unless it is there, or is none of ours. 0 or negative errno
 * with @err. */
int span_tunnel_need(const char *name, struct err *err);

/** Remove the device of that number. 0 or negative errno with @err. */
int span_tunnel_remove(uint32_t index, struct err *err);
