/*
 * fold.h - rules of one shape as elements of one set: what can be folded, and how.
 *
 * A rule that compares some fields with one value or one prefix each, and then drops,
 * is a shape (which fields, which bits of them) and a key (the values). All rules of
 * one shape become one set of keys and one rule that looks the packet's own key up, so
 * that thousands of them cost a packet what one does. What is not of that form stays a
 * rule in a chain. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/ruleset.h"
#include "common/nft_udata.h"

enum {
	FOLD_PARTS_MAX = 5,      /* more fields the nft tool cannot list as one key */
	FOLD_KEY_MAX = 64,       /* bytes of a key: all registers there are */
	FOLD_SET_NAME_SIZE = 64, /* with its NUL */
	FOLD_RUN_MAX = 1 << 30,  /* a higher number is not of ours */
	FOLD_L4PROTO_NONE = -1,
	FOLD_NAME_SIZE =
		16, /* IFNAMSIZ: bytes of an interface name, in the register too */
};

/** One field of a key. */
struct fold_part {
	enum field field;
	uint8_t mask[FIELD_SIZE_MAX]; /* of the bits that count, as the register has
					 them; fold_part_len() bytes, zeros behind */
};

/** What rules have in common. */
struct fold_shape {
	enum place place;
	uint16_t l3proto; /* EtherType that all of them test first; 0 = none */
	int l4proto;      /* transport protocol likewise; FOLD_L4PROTO_NONE */
	/* What names of the input and of the output interface begin with, "swp" for
	   swp+; "" = not tested. No part of the key: the nft tool dies of a masked
	   name. */
	char in_prefix[FOLD_NAME_SIZE], out_prefix[FOLD_NAME_SIZE];
	/* Names as in the map of port_marks.h, "swp1" or "swp+"; "" = not tested. No
	   part of a key with others: the nft tool dies of that, too. */
	char port_name[FOLD_NAME_SIZE], route_name[FOLD_NAME_SIZE];
	struct fold_part parts[FOLD_PARTS_MAX]; /* by ascending field */
	size_t n_parts;                         /* at least 1 */
};

/** What tells rules of one shape apart: each part padded with zeros to 4 bytes, but a
 * single one stands as it is. */
struct fold_key {
	uint8_t bytes[FOLD_KEY_MAX];
	size_t len;
};

/** Bytes of @field in the register: 16 for an interface name. */
uint8_t fold_part_len(enum field field);

/** True for an interface name. */
bool fold_is_name(enum field field);

/** True when all bits of the part count, so that no mask is needed. */
bool fold_part_is_whole(const struct fold_part *part);

/** Bytes of a key of @shape, padding included. */
size_t fold_key_len(const struct fold_shape *shape);

/**
 * Shape and key of @rule. False for a rule that has to stay one: another verdict than
 * drop, statements beside the counter, a negation, a list, a range that is no prefix, a
 * field that no set can hold, no field at all, or too many.
 */
bool fold_rule(const struct ruleset_rule *rule, struct fold_shape *ret_shape,
	struct fold_key *ret_key);

/** True when @file has rules at @place and every one of them can be folded. */
bool fold_place(const struct ruleset_file *file, enum place place);

/** True when it matters whether the rules of @file at @place come before or behind
 * rules that drop: one of them does something else than test, count and drop. */
bool fold_divides(const struct ruleset_file *file, enum place place);

/** Content hash of a shape: the same for the same shape, also after an upgrade that
 * numbers the fields anew. */
uint64_t fold_shape_hash(const struct fold_shape *shape);

/** User data of the set of @shape: byte order for the nft tool, and the shape. */
void fold_shape_encode(const struct fold_shape *shape, struct nft_udata *ret);

/** The shape in the user data of a set at @place. False when there is none, or none
 * that this version could have written. */
bool fold_shape_decode(struct nft_blob udata, enum place place, struct fold_shape *ret);

/** Type of the key of @shape, for the nft tool's listing. */
uint32_t fold_key_type(const struct fold_shape *shape);

/** What the name of a set says. */
struct fold_name {
	enum place place;
	uint32_t run;   /* number of the run of files it serves */
	uint64_t shape; /* fold_shape_hash() */
};

/** "filter_forward.RUN.SHAPE", "eb_filter_forward.RUN.SHAPE". */
void fold_set_name(char buf[FOLD_SET_NAME_SIZE], const struct fold_name *name);

/** Read the name of a set in a table of @family; false when it is none of ours. */
bool fold_set_parse(uint8_t family, const char *name, struct fold_name *ret);
