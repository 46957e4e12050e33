/*
 * wbuf.h - bounded big-endian writer with sticky overflow and length patching.
 *
 * After the first write that does not fit, nothing more is written and wbuf_ok() is
 * false; the caller may check once at the end. A mark taken before a record lets the
 * caller take it back whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wbuf {
	uint8_t *data; /* borrowed from the caller for the writer's life */
	size_t size;   /* bytes available */
	size_t len;    /* bytes written */
	bool overflow; /* something did not fit; nothing was written since */
};

/** Start writing into @data of @size bytes (may be NULL when @size is 0). */
void wbuf_init(struct wbuf *w, void *data, size_t size);

/** @v in 1, 2, 4 or 8 bytes, most significant first. */
void wbuf_put_u8(struct wbuf *w, uint8_t v);
void wbuf_put_be16(struct wbuf *w, uint16_t v);
void wbuf_put_be32(struct wbuf *w, uint32_t v);
void wbuf_put_be64(struct wbuf *w, uint64_t v);
/** @n raw bytes. */
void wbuf_put_bytes(struct wbuf *w, const void *p, size_t n);
/** @n zero bytes. */
void wbuf_put_zero(struct wbuf *w, size_t n);
/** XDR opaque<>: length word, bytes, zero padding to 4. (RFC 4506 §4.10) */
void wbuf_put_opaque(struct wbuf *w, const void *p, size_t n);
/** XDR opaque[n]: bytes and padding to 4, no length word. */
void wbuf_put_opaque_fixed(struct wbuf *w, const void *p, size_t n);

/** Reserve a 32-bit length word; returns its offset for wbuf_end_len(), which does
 * nothing if the word itself did not fit. */
size_t wbuf_begin_len(struct wbuf *w);
/** Patch the word at @at with the number of bytes written since it. */
void wbuf_end_len(struct wbuf *w, size_t at);
/** Patch a 32-bit word already written at @at. No-op if @at is not inside what was
 * written. */
void wbuf_patch_be32(struct wbuf *w, size_t at, uint32_t v);

/** Go back to @len bytes (a value that w->len had before; a larger one changes nothing)
 * and forget an overflow: takes a record that did not fit back whole. */
void wbuf_rewind(struct wbuf *w, size_t len);

/** False once a write did not fit. */
static inline bool
wbuf_ok(const struct wbuf *w)
{
	return !w->overflow;
}

/** Bytes that still fit. */
static inline size_t
wbuf_room(const struct wbuf *w)
{
	return w->size - w->len;
}
