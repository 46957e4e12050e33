/*
 * sflow_record.c - parts that all samples and records are made of.
 */
#include "agent/sflow_record.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

size_t
sflow_record_begin(struct wbuf *w, uint32_t tag)
{
	size_t start = w->len;

	assert(wbuf_ok(w));
	wbuf_put_be32(w, tag);
	(void)wbuf_begin_len(w); /* always at start + 4 */
	return start;
}

/* Patch the length behind the tag at @start, or take everything since then back. */
static int
close_block(struct wbuf *w, size_t start)
{
	if (!wbuf_ok(w)) {
		wbuf_rewind(w, start);
		return -ENOSPC;
	}
	assert((w->len - start) % 4 == 0);
	wbuf_end_len(w, start + 4);
	return 0;
}

int
sflow_record_end(struct wbuf *w, size_t start)
{
	return close_block(w, start);
}

int
sflow_put_word_record(struct wbuf *w, uint32_t tag, uint32_t value)
{
	size_t start = sflow_record_begin(w, tag);

	wbuf_put_be32(w, value);
	return sflow_record_end(w, start);
}

void
sflow_put_counter32(struct wbuf *w, uint64_t value)
{
	/* COUNTER_UNKNOWN becomes all ones by the same truncation. */
	wbuf_put_be32(w, (uint32_t)value);
}

void
sflow_put_counter64(struct wbuf *w, uint64_t value)
{
	wbuf_put_be64(w, value);
}

void
sflow_put_counters32(struct wbuf *w, const uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sflow_put_counter32(w, values[i]);
}

void
sflow_put_gauge32(struct wbuf *w, uint64_t value)
{
	if (value == COUNTER_UNKNOWN)
		value = 0;
	wbuf_put_be32(w, value > UINT32_MAX ? UINT32_MAX : (uint32_t)value);
}

void
sflow_put_gauge64(struct wbuf *w, uint64_t value)
{
	wbuf_put_be64(w, value == COUNTER_UNKNOWN ? 0 : value);
}

void
sflow_put_mac(struct wbuf *w, const uint8_t mac[6])
{
	wbuf_put_opaque_fixed(w, mac, 6);
}

void
sflow_put_address(struct wbuf *w, const struct parse_addr *addr)
{
	if (addr->family == AF_INET6) {
		wbuf_put_be32(w, SFLOW_ADDRESS_IPV6);
		wbuf_put_bytes(w, addr->bytes, 16);
		return;
	}
	wbuf_put_be32(w, SFLOW_ADDRESS_IPV4);
	if (addr->family == AF_INET)
		wbuf_put_bytes(w, addr->bytes, 4);
	else
		wbuf_put_zero(w, 4);
}

void
sflow_put_text(struct wbuf *w, const char *text, size_t max)
{
	if (text)
		wbuf_put_opaque(w, text, strnlen(text, max));
	else
		wbuf_put_be32(w, 0);
}

void
sflow_part_init(struct sflow_part *s, struct wbuf *w, unsigned *ret_cut)
{
	*s = (struct sflow_part){ .w = w, .start = w->len, .ret_cut = ret_cut };
	if (ret_cut)
		*ret_cut = 0;
}

void
sflow_part_begin(struct sflow_part *s, uint32_t tag)
{
	s->start = sflow_record_begin(s->w, tag);
}

bool
sflow_part_begin_records(struct sflow_part *s)
{
	if (s->result != 0)
		return false;
	s->count_at = s->w->len;
	wbuf_put_be32(s->w, 0);
	if (!wbuf_ok(s->w))
		sflow_part_fail(s, -ENOSPC);
	return s->result == 0;
}

void
sflow_part_add(struct sflow_part *s, int result)
{
	if (result == 0)
		s->records++;
	else if (result == -ENOSPC && s->ret_cut)
		(*s->ret_cut)++;
	else
		sflow_part_fail(s, result);
}

void
sflow_part_fail(struct sflow_part *s, int result)
{
	if (s->result == 0)
		s->result = result;
}

int
sflow_part_end(struct sflow_part *s)
{
	/* A sample without a record says nothing, and collectors need not take it. */
	if (s->records == 0)
		sflow_part_fail(s, s->ret_cut && *s->ret_cut > 0 ? -ENOSPC : -EINVAL);
	if (s->result != 0) {
		wbuf_rewind(s->w, s->start);
		return s->result;
	}
	wbuf_patch_be32(s->w, s->count_at, s->records);
	return close_block(s->w, s->start);
}
