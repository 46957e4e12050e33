/*
 * wbuf.c - bounded big-endian writer.
 *
 * Every write first claims its room with grow(); a claim that does not fit sets the
 * sticky flag, so that the functions above need no checks of their own.
 */
#include "common/wbuf.h"

#include <string.h>

static size_t
padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Claim @n bytes; NULL if they do not fit or an earlier write did not. */
static uint8_t *
grow(struct wbuf *w, size_t n)
{
	uint8_t *at;

	if (w->overflow || n > w->size - w->len) {
		w->overflow = true;
		return NULL;
	}
	at = w->data + w->len;
	w->len += n;
	return at;
}

static void
store_be32(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

/* memcpy() may not be given NULL, even for no bytes. */
static void
copy(uint8_t *to, const void *from, size_t n)
{
	if (n)
		memcpy(to, from, n);
}

void
wbuf_init(struct wbuf *w, void *data, size_t size)
{
	static uint8_t nothing; /* so that data + 0 is always a valid pointer */

	w->data = size ? data : &nothing;
	w->size = size;
	w->len = 0;
	w->overflow = false;
}

void
wbuf_put_u8(struct wbuf *w, uint8_t v)
{
	uint8_t *at = grow(w, 1);

	if (at)
		at[0] = v;
}

void
wbuf_put_be16(struct wbuf *w, uint16_t v)
{
	uint8_t *at = grow(w, 2);

	if (!at)
		return;
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

void
wbuf_put_be32(struct wbuf *w, uint32_t v)
{
	uint8_t *at = grow(w, 4);

	if (at)
		store_be32(at, v);
}

void
wbuf_put_be64(struct wbuf *w, uint64_t v)
{
	uint8_t *at = grow(w, 8);

	if (!at)
		return;
	store_be32(at, (uint32_t)(v >> 32));
	store_be32(at + 4, (uint32_t)v);
}

void
wbuf_put_bytes(struct wbuf *w, const void *p, size_t n)
{
	uint8_t *at = grow(w, n);

	if (at)
		copy(at, p, n);
}

void
wbuf_put_zero(struct wbuf *w, size_t n)
{
	uint8_t *at = grow(w, n);

	if (at)
		memset(at, 0, n);
}

void
wbuf_put_opaque(struct wbuf *w, const void *p, size_t n)
{
	uint8_t *at;

	/* Larger than the buffer never fits; and 4 + padded(n) below cannot wrap. */
	if (n > w->size || n > UINT32_MAX) {
		w->overflow = true;
		return;
	}
	at = grow(w, 4 + padded(n));
	if (!at)
		return;
	store_be32(at, (uint32_t)n);
	copy(at + 4, p, n);
	memset(at + 4 + n, 0, padded(n) - n);
}

void
wbuf_put_opaque_fixed(struct wbuf *w, const void *p, size_t n)
{
	uint8_t *at;

	if (n > w->size) {
		w->overflow = true;
		return;
	}
	at = grow(w, padded(n));
	if (!at)
		return;
	copy(at, p, n);
	memset(at + n, 0, padded(n) - n);
}

size_t
wbuf_begin_len(struct wbuf *w)
{
	size_t at = w->len;

	wbuf_put_be32(w, 0);
	return at;
}

void
wbuf_end_len(struct wbuf *w, size_t at)
{
	if (w->len < 4 || at > w->len - 4)
		return;
	store_be32(w->data + at, (uint32_t)(w->len - at - 4));
}

void
wbuf_patch_be32(struct wbuf *w, size_t at, uint32_t v)
{
	if (w->len < 4 || at > w->len - 4)
		return;
	store_be32(w->data + at, v);
}

void
wbuf_rewind(struct wbuf *w, size_t len)
{
	if (len < w->len)
		w->len = len;
	w->overflow = false;
}
