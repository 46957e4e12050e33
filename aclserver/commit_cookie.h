/*
 * commit_cookie.h - what a message of a commit is about, packed into its cookie: the
 * change, the kind, and the rule, place or set. Private to commit_*.c and fold_batch.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a message is about, in its cookie: change + 1 (0 = no file), kind, and: */
enum cookie_kind {
	COOKIE_OTHER,
	COOKIE_RULE,   /* index of a rule in its file, also for its element */
	COOKIE_CHAIN,  /* place */
	COOKIE_JUMP,   /* place */
	COOKIE_LOOKUP, /* index among the dirty sets */
};

enum { COOKIE_DETAIL_BITS = 24, COOKIE_CHANGE_BITS = 32 };

/** A cookie for something of the change with index @change; SIZE_MAX = of no file. */
static inline uint64_t
cookie_make(size_t change, enum cookie_kind kind, size_t detail)
{
	return (uint64_t)(change + 1) << COOKIE_CHANGE_BITS |
	       (uint64_t)kind << COOKIE_DETAIL_BITS | detail;
}

/** Index of the change; SIZE_MAX when the cookie is about no file. */
static inline size_t
cookie_change(uint64_t cookie)
{
	return (size_t)(cookie >> COOKIE_CHANGE_BITS) - 1;
}

static inline enum cookie_kind
cookie_kind(uint64_t cookie)
{
	return (enum cookie_kind)(cookie >> COOKIE_DETAIL_BITS & 0xff);
}

/** What comes behind the kind, see there. */
static inline size_t
cookie_detail(uint64_t cookie)
{
	return cookie & ((1u << COOKIE_DETAIL_BITS) - 1);
}
