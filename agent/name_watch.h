/*
 * name_watch.h - the addresses of one host name, kept up to date by TTL.
 *
 * For the targets of SRV records, and for collectors that the file gives by name. What
 * is known stays when DNS fails (see dnssd_track.h).
 */
#pragma once

#include "agent/dns.h"
#include "common/parse.h"

struct name_watch;

enum name_watch_kind {
	NAME_WATCH_SRV_TARGET, /* absolute, looked up in DNS only */
	NAME_WATCH_HOST,       /* as a person wrote it: /etc/hosts, search list */
};

/** An answer came or failed: name_watch_pick() may give another address than before.
 * Not called from inside name_watch_new(). */
typedef void (*name_watch_fn)(void *user_data);

/**
 * Watch @name from now on.
 *
 * @dns     borrowed, must outlive
 * @name    copied
 * @limits  borrowed, must outlive
 * Returns  NULL with errno on failure
 */
struct name_watch *name_watch_new(struct dns *dns, const char *name,
	enum name_watch_kind kind, const struct dnssd_limits *limits, name_watch_fn fn,
	void *user_data);

/** Accepts NULL. Not from inside its own callback. */
void name_watch_free(struct name_watch *watch);

/** True once both questions (A, AAAA) had an answer or failed. */
bool name_watch_is_settled(const struct name_watch *watch);

/**
 * The address to use: the one used before if it is still there and can be reached, else
 * the first that a route leads to, IPv6 before IPv4; if there is no route to any (at
 * boot, say) the first one. Opens and closes a socket per address, sends nothing.
 * Returns false if there is none.
 */
bool name_watch_pick(struct name_watch *watch, struct parse_addr *ret_addr);
