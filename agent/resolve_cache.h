/*
 * resolve_cache.h - answers of the kernel, by question: a cache of fixed size. State
 * module.
 *
 * Each question has a set of four places; the answer used least recently gives way. An
 * answer that a change made doubtful stays readable as "stale", for when the kernel may
 * not be asked again at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/mono.h"

enum {
	RESOLVE_CACHE_SETS = 1024, /* power of two */
	RESOLVE_CACHE_WAYS = 4,
};

enum resolve_kind {
	RESOLVE_NONE,   /* place is empty */
	RESOLVE_ROUTE,  /* ifindex in, dst → route */
	RESOLVE_FLOW,   /* … of one flow: src and ports too */
	RESOLVE_NEIGH,  /* ifindex, dst → MAC */
	RESOLVE_FDB,    /* bridge, vlan, MAC in dst → port */
	RESOLVE_AWARE,  /* bridge → does it tell VLANs apart */
	RESOLVE_PVID,   /* bridge port → VLAN of untagged packets */
	RESOLVE_VLAN,   /* ifindex, vlan → VLAN interface on top of it */
	RESOLVE_MEMBER, /* bond or team → its only active member, 0 = there are several
			 */
	RESOLVE_KINDS,
};

/* In place of a prefix length. */
enum { RESOLVE_PREFIX_UNKNOWN = 255 };

/* A question. Unused bytes are zero: it is compared as a whole. */
struct resolve_key {
	uint8_t kind;     /* enum resolve_kind */
	uint8_t family;   /* AF_INET, AF_INET6; else 0 */
	uint8_t protocol; /* RESOLVE_FLOW */
	uint8_t zero;
	uint32_t ifindex;
	uint8_t dst[16];
	uint8_t src[16];
	uint16_t src_port, dst_port; /* RESOLVE_FLOW */
	uint32_t vlan;
};

_Static_assert(sizeof(struct resolve_key) == 48, "no padding, a multiple of 8");

enum resolve_answer {
	RESOLVE_NO,       /* the kernel does not know */
	RESOLVE_PORT,     /* ifindex; routes: gateway */
	RESOLVE_INTERNAL, /* for this machine */
	RESOLVE_MULTIPLE, /* to several ports */
	RESOLVE_BY_FLOW,  /* several next hops: ask for the flow */
	RESOLVE_MAC,      /* mac in gateway */
	RESOLVE_NUMBER,   /* a plain number in ifindex */
};

struct resolve_value {
	enum resolve_answer answer;
	uint32_t ifindex;
	uint8_t gateway_family; /* 0 = none */
	uint8_t prefix_len;     /* routes: of the prefix that the destination matches;
				   RESOLVE_PREFIX_UNKNOWN */
	uint8_t gateway[16];
	uint32_t table; /* routes: that it is in; 0 = not known */
};

struct resolve_entry {
	struct resolve_key key;
	struct resolve_value value;
	uint32_t generation; /* of the kind, when it was asked */
	struct mono until;   /* then it is stale */
	struct mono used;
};

struct resolve_cache {
	struct resolve_entry *entries; /* sets of ways; owned */
	uint32_t generations[RESOLVE_KINDS];
};

/** 0 or -ENOMEM. */
int resolve_cache_init(struct resolve_cache *c);
void resolve_cache_done(struct resolve_cache *c);

/** The answer to @key, *@ret_stale if it should be asked again; NULL if there is none.
 * Borrowed until the next put. */
const struct resolve_value *resolve_cache_find(struct resolve_cache *c,
	const struct resolve_key *key, struct mono now, bool *ret_stale);

/** Keep an answer until @until, in place of an older one or of the least used. */
void resolve_cache_put(struct resolve_cache *c, const struct resolve_key *key,
	const struct resolve_value *value, struct mono now, struct mono until);

/** One answer is not true any more. */
void resolve_cache_drop(struct resolve_cache *c, const struct resolve_key *key);

/** All answers of @kind are stale. */
void resolve_cache_expire(struct resolve_cache *c, enum resolve_kind kind);
