/*
 * nl_attr.h - netlink attributes: bytes to values. Pure.
 *
 * A decoder names the attributes it wants in a table of rules; what has the wrong size,
 * comes twice or does not end inside its parent is refused, what is not in the table is
 * skipped, because kernels grow. Nothing is copied: attributes point into the message.
 * Fields of more than 32 bits are not aligned in a message, so all are read bytewise.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nlattr_kind {
	NLATTR_SKIP, /* not wanted; the value of rules that are left out */
	NLATTR_U8,   /* as for the next three: at least that many bytes */
	NLATTR_U16,
	NLATTR_U32,
	NLATTR_U64,
	NLATTR_STRING, /* at most .size bytes before its NUL, which may be missing */
	NLATTR_BINARY, /* at least .size bytes */
	NLATTR_NESTED, /* attributes again */
	NLATTR_FLAG,   /* present or not */
};

/* What a wanted attribute must look like; a table of these is indexed by number. */
struct nlattr_rule {
	enum nlattr_kind kind;
	size_t size; /* of STRING and BINARY, in bytes; else 0 */
};

/**
 * Index the attributes of one level by number.
 *
 * @rules      what is wanted; @n_rules entries
 * @ret_attrs  @n_rules pointers into @data, NULL where the attribute is absent;
 *             undefined on failure
 * Returns     0; -EBADMSG if an attribute does not end inside @data, or a wanted one
 *             has the wrong size or comes twice
 */
int nlattr_parse(const void *data, size_t len, const struct nlattr_rule *rules,
	size_t n_rules, const struct nlattr **ret_attrs);

/** As nlattr_parse(), of what is inside the nested attribute @parent. */
int nlattr_parse_nested(const struct nlattr *parent, const struct nlattr_rule *rules,
	size_t n_rules, const struct nlattr **ret_attrs);

/* A walk over attributes one by one, for lists that hold one number many times. */
struct nlattr_iter {
	const uint8_t *next; /* borrowed */
	size_t left;         /* bytes from next */
	bool failed;         /* an attribute did not end inside its parent */
};

/** Start at the first attribute of @len bytes. */
void nlattr_iter_init(struct nlattr_iter *it, const void *data, size_t len);
/** The next attribute, NULL at the end or when it.failed. */
const struct nlattr *nlattr_iter_next(struct nlattr_iter *it);

/** Number of the attribute without its flag bits. */
uint16_t nlattr_type(const struct nlattr *a);
/** Payload and its length in bytes. */
const void *nlattr_data(const struct nlattr *a);
size_t nlattr_len(const struct nlattr *a);

/** Payload as a number of the machine's byte order. 0 if it is shorter than that. */
uint8_t nlattr_u8(const struct nlattr *a);
uint16_t nlattr_u16(const struct nlattr *a);
uint32_t nlattr_u32(const struct nlattr *a);
uint64_t nlattr_u64(const struct nlattr *a);

/** Copy a string with a NUL behind it, cut to @size - 1 bytes. */
void nlattr_string(const struct nlattr *a, char *ret, size_t size);
