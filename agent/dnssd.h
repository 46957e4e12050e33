/*
 * dnssd.h - finds collectors and settings by DNS: SRV and TXT of _sflow._udp in the
 * configured domain, or in the first domain of the search list that has them.
 *
 * Asks again when the TTL is over. Failures and vanished records do not change what is
 * in use at once (dnssd_track.h); priority and weight as in dnssd_select.h. Nothing
 * waits: all of it happens in callbacks of the loop.
 */
#pragma once

#include "agent/dns.h"
#include "agent/dnssd_result.h"
#include "agent/dnssd_track.h"

/** Called when the result differs from the last one; @result is valid until the next
 * call. Not from inside dnssd_new(). Must not free @dnssd. */
typedef void (*dnssd_change_fn)(const struct dnssd_result *result, void *user_data);

struct dnssd_options {
	const char *domain; /* without leading dot; NULL = search list; borrowed */
	const char
		*identity; /* host name or the like, for the share by weight; copied */
	struct dnssd_limits limits;
};

struct dnssd;

/**
 * Start asking, after a random part of a second, so that a rack that gets power does
 * not ask as one.
 * @dns     borrowed, must outlive
 * Returns  NULL with errno on failure
 */
struct dnssd *dnssd_new(struct dns *dns, const struct dnssd_options *options,
	dnssd_change_fn fn, void *user_data);

/** Accepts NULL. */
void dnssd_free(struct dnssd *dnssd);

/** Ask now: a link came up, resolv.conf changed. */
void dnssd_refresh(struct dnssd *dnssd);

/** The last result given to the callback; empty before the first. Borrowed until the
 * next one. */
const struct dnssd_result *dnssd_current(const struct dnssd *dnssd);

/** How the SRV question stands, for status. */
enum dnssd_state {
	DNSSD_STATE_ASKING, /* no answer yet */
	DNSSD_STATE_FOUND,
	DNSSD_STATE_FAILING, /* no usable answers; what is known is in use */
	DNSSD_STATE_MISSING, /* vanished; what is known is in use for the grace period
			      */
	DNSSD_STATE_ABSENT,  /* there is none */
};

/** See enum dnssd_state. */
enum dnssd_state dnssd_state(const struct dnssd *dnssd);

/** Why the last whole round of SRV questions failed, for people; "" if it did not.
 * Borrowed until the next turn of the loop. */
const char *dnssd_failure(const struct dnssd *dnssd);
