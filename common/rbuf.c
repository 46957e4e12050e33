/*
 * rbuf.c - bounded big-endian reader.
 *
 * Every read goes through take(); nothing else moves the position.
 */
#include "common/rbuf.h"

/* The next @n bytes and move past them; NULL and failed for ever if there are fewer. */
static const uint8_t *
take(struct rbuf *r, size_t n)
{
	const uint8_t *at;

	if (r->failed || n > r->len - r->pos) {
		r->failed = true;
		r->pos = r->len; /* ends every "while (rbuf_left(r))" */
		return NULL;
	}
	at = r->data + r->pos;
	r->pos += n;
	return at;
}

static uint32_t
load_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

void
rbuf_init(struct rbuf *r, const void *data, size_t len)
{
	static const uint8_t nothing; /* so that data + 0 is always a valid pointer */

	r->data = len ? data : &nothing;
	r->len = len;
	r->pos = 0;
	r->failed = false;
}

uint8_t
rbuf_get_u8(struct rbuf *r)
{
	const uint8_t *at = take(r, 1);

	return at ? at[0] : 0;
}

uint16_t
rbuf_get_be16(struct rbuf *r)
{
	const uint8_t *at = take(r, 2);

	return at ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}

uint32_t
rbuf_get_be32(struct rbuf *r)
{
	const uint8_t *at = take(r, 4);

	return at ? load_be32(at) : 0;
}

uint64_t
rbuf_get_be64(struct rbuf *r)
{
	const uint8_t *at = take(r, 8);

	return at ? (uint64_t)load_be32(at) << 32 | load_be32(at + 4) : 0;
}

const uint8_t *
rbuf_get_bytes(struct rbuf *r, size_t n)
{
	return take(r, n);
}

struct rbuf
rbuf_sub(struct rbuf *r, size_t n)
{
	const uint8_t *at = take(r, n);
	struct rbuf sub;

	rbuf_init(&sub, at, at ? n : 0);
	sub.failed = !at;
	return sub;
}
