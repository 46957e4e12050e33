/*
 * rbuf.h - bounded big-endian reader with sticky failure: after the first read past the
 * end every read gives 0, rbuf_left() is 0 and rbuf_ok() is false. Nothing is copied:
 * all pointers that are returned point into the data and live as long as it does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rbuf {
	const uint8_t *data; /* borrowed */
	size_t len;          /* bytes in data */
	size_t pos;          /* next byte to read; <= len */
	bool failed;         /* a read went past the end */
};

/** Start reading @data (borrowed; may be NULL when @len is 0). */
void rbuf_init(struct rbuf *r, const void *data, size_t len);
/** The next 1, 2, 4 or 8 bytes as a number, first byte most significant. */
uint8_t rbuf_get_u8(struct rbuf *r);
uint16_t rbuf_get_be16(struct rbuf *r);
uint32_t rbuf_get_be32(struct rbuf *r);
uint64_t rbuf_get_be64(struct rbuf *r);
/** The next @n bytes, borrowed from the buffer; NULL (and failed) if there are fewer.
 */
const uint8_t *rbuf_get_bytes(struct rbuf *r, size_t n);
/** A reader of the next @n bytes only; failed if there are fewer. Moves @r past them.
 */
struct rbuf rbuf_sub(struct rbuf *r, size_t n);

/** False once a read went past the end. */
static inline bool
rbuf_ok(const struct rbuf *r)
{
	return !r->failed;
}

/** Bytes not read yet; 0 after a failure. */
static inline size_t
rbuf_left(const struct rbuf *r)
{
	return r->len - r->pos;
}
