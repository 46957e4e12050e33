/*
 * fib.h - how long are the prefixes by which a packet was routed? Acting module.
 *
 * A copy of the prefixes of the kernel's routing tables (fib_table.h), read once and
 * kept up to date by the kernel's events, so that the answer for whatever source
 * address costs no question to the kernel. Deletions of which the kernel says nothing,
 * or not enough (IPv4 routes of a link that goes down, one of several routes), make the
 * tables be read anew, which takes at most about one hundredth of a core. With more
 * prefixes than the limit there is no copy, and it is tried again every ten minutes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/iface.h"
#include "common/err.h"
#include "common/loop.h"

struct fib; /* owned by who opened it */

enum {
	FIB_REREAD_MIN_MS = 500, /* between two times */
	FIB_REREAD_SHARE = 100,  /* the pause is so many times what reading took */
	FIB_RETRY_MS = 600000,   /* while there are too many */
};

struct fib_info {
	bool on;          /* there is a copy */
	uint64_t routes;  /* prefixes in it */
	uint64_t limit;   /* of them; 0 = not wanted */
	uint64_t rereads; /* times that it was read anew after the first */
};

/**
 * Without a copy at first: see fib_limit().
 *
 * @ifaces  an observer is added; borrowed until fib_close()
 * Returns  NULL with the reason
 */
struct fib *fib_open(struct loop *loop, struct iface_table *ifaces, struct err *err);
/** Accepts NULL. */
void fib_close(struct fib *f);

/** Keep at most @limit prefixes; 0: none, it is off. Reads the tables if that changes
 * anything: blocks for about 1 ms for each thousand prefixes. */
void fib_limit(struct fib *f, size_t limit);

/** False: what fib_match() says is not known. */
bool fib_is_on(const struct fib *f);

/** Length of the longest prefix of routing table @table that @addr (4 or 16 bytes by
 * @family) matches; of the main and the default table for @table 0, of the main table
 * where @table has none. 0 if there is none. */
uint32_t fib_match(
	const struct fib *f, uint32_t table, int family, const uint8_t *addr);

/** What status tells. */
void fib_info(const struct fib *f, struct fib_info *ret);
