/*
 * fib_table.h - the prefixes of the kernel's routing tables: how long is the longest
 * one that an address matches? State module.
 *
 * Only what the sample's extended_router record needs: no next hops, one entry for all
 * routes of a prefix. A hash table in which each prefix length that occurs is looked up
 * once, so a question costs at most 33 (IPv4) or 129 (IPv6) probes, about five in
 * practice, and no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FIB_LENGTHS = 129, /* prefix lengths of IPv6, 0 included */
	FIB_TABLE_START = 256,
};

/* A prefix of one routing table. */
struct fib_prefix {
	uint32_t table;  /* RT_TABLE_…, or a VRF's */
	uint8_t family;  /* AF_INET, AF_INET6; 0 = empty place */
	uint8_t len;     /* 0..32, 0..128 */
	bool several;    /* more routes than one may stand behind it */
	uint8_t zero;    /* so that there is no padding */
	uint8_t dst[16]; /* bits behind len are 0 */
};

/* Of one family, the lengths that occur. */
struct fib_lengths {
	uint32_t n_prefixes[FIB_LENGTHS]; /* by length */
	uint8_t present[FIB_LENGTHS];     /* longest first */
	unsigned n;                       /* in present */
};

struct fib_table {
	struct fib_prefix *places; /* size of them; owned */
	size_t size;               /* a power of two, at least twice n; 0 = none yet */
	uint8_t *filter; /* size bytes, 8 bits for each place: whose bit is 0 is not in
			    the table. Small enough for the processor's caches; owned */
	size_t n;
	size_t limit; /* prefixes; more are refused */
	struct fib_lengths lengths[2];
};

/** An empty table of at most @limit prefixes. */
void fib_table_init(struct fib_table *t, size_t limit);
void fib_table_done(struct fib_table *t);

/**
 * Enter a prefix.
 *
 * @p        its several: the route that it comes with has several next hops
 * @replace  the route takes the place of the one that was there; else a prefix that is
 *           there already has several routes from now on
 * Returns   0; -ENOSPC beyond the limit, -ENOMEM; then nothing changed
 */
int fib_table_add(struct fib_table *t, const struct fib_prefix *p, bool replace);

/**
 * A route to @p is gone.
 *
 * Returns  true if the table is right again; false if the prefix had several routes, of
 *          which some may be left: it stays, and the tables should be read anew
 */
bool fib_table_remove(struct fib_table *t, const struct fib_prefix *p);

/** Length of the longest prefix of @table that @addr (4 or 16 bytes by @family)
 * matches; -1 if there is none. */
int fib_table_match(
	const struct fib_table *t, uint32_t table, uint8_t family, const uint8_t *addr);
