/*
 * nl_build.h - netlink requests: values to bytes, in memory of the caller. Pure.
 *
 * Bounded like wbuf: after the first thing that does not fit nothing more is written
 * and nlbuild_ok() is false. One buffer takes several messages behind one another,
 * which netlink_request() sends in one system call.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlbuild {
	uint8_t *data;   /* borrowed; aligned to 4 bytes */
	size_t size;     /* bytes available */
	size_t len;      /* bytes written */
	size_t start;    /* where the open message begins */
	unsigned n_msgs; /* messages in it */
	bool overflow;   /* something did not fit */
};

/** Nothing in it. @data must be aligned to 4 bytes. */
void nlbuild_init(struct nlbuild *b, void *data, size_t size);

/**
 * Begin a message. NLM_F_REQUEST is added; the sequence number is set on sending.
 *
 * @flags    NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE, …
 * @header   the family's own header (struct ifinfomsg, genlmsghdr, …), @len bytes
 */
void nlbuild_begin(struct nlbuild *b, uint16_t type, uint16_t flags, const void *header,
	size_t len);

/** As nlbuild_begin(), for generic netlink: family @family, command @cmd. */
void nlbuild_begin_genl(struct nlbuild *b, uint16_t family, uint16_t flags, uint8_t cmd,
	uint8_t version);

/** Append one attribute: bytes, a number, a string with its NUL. */
void nlbuild_put(struct nlbuild *b, uint16_t type, const void *data, size_t len);
void nlbuild_put_u8(struct nlbuild *b, uint16_t type, uint8_t v);
void nlbuild_put_u16(struct nlbuild *b, uint16_t type, uint16_t v);
void nlbuild_put_u32(struct nlbuild *b, uint16_t type, uint32_t v);
void nlbuild_put_u64(struct nlbuild *b, uint16_t type, uint64_t v);
void nlbuild_put_string(struct nlbuild *b, uint16_t type, const char *v);

/** Open a nested attribute (NLA_F_NESTED is set); returns its place for
 * nlbuild_end_nest(). */
size_t nlbuild_nest(struct nlbuild *b, uint16_t type);
/** Close it: patches its length. */
void nlbuild_end_nest(struct nlbuild *b, size_t at);

/** False once something did not fit. */
static inline bool
nlbuild_ok(const struct nlbuild *b)
{
	return !b->overflow;
}
