/*
 * hash.h - 128-bit content hash: tells whether what is installed is what a file says.
 *
 * The only module that knows xxHash (XXH3, 128 bit). Not a defence against an attacker
 * who searches collisions; the one who writes policy files may install what he likes
 * anyway. Pure.
 */
#pragma once

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/ruleset.h"

enum { HASH_STATE_SIZE = 576, HASH_STATE_ALIGN = 64 };

/** A hash under construction; content belongs to hash.c. */
struct hash {
	alignas(HASH_STATE_ALIGN) unsigned char state[HASH_STATE_SIZE];
};

/** Start with nothing but HASH_COMPILER_VERSION, see hash.c. */
void hash_init(struct hash *h);

/** Add @len bytes. Lengths are not added: a caller that adds texts one after another
 * adds their NUL too. */
void hash_add(struct hash *h, const void *data, size_t len);

/** Add a number, independent of the machine's type sizes. */
void hash_add_u64(struct hash *h, uint64_t value);

/** Add @text and its NUL; NULL differs from "". */
void hash_add_text(struct hash *h, const char *text);

/** The hash of all that was added; more may be added afterwards. Never all zero. */
struct ruleset_hash hash_value(const struct hash *h);
