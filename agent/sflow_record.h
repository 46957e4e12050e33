/*
 * sflow_record.h - parts that all samples and records are made of. Pure.
 *
 * A sample is a tag, a length, a fixed part and counted records; a record is a tag, a
 * length and a body. Both are written whole or not at all. How "unknown" looks on the
 * wire is decided here. Used by sflow_encode*.c only. (sFlow version 5, section 4)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/counters.h"
#include "common/parse.h"
#include "common/wbuf.h"

/** Begin a record; returns its place, for sflow_record_end(). @w must be ok. */
size_t sflow_record_begin(struct wbuf *w, uint32_t tag);

/** Set the length of the record begun at @start. 0, or -ENOSPC when something did not
 * fit; then the record is gone and @w is as it was before. */
int sflow_record_end(struct wbuf *w, size_t start);

/** A whole record of one 32-bit word. 0 or -ENOSPC. */
int sflow_put_word_record(struct wbuf *w, uint32_t tag, uint32_t value);

/** A counter of 32 bits: modulo 2^32, unknown all ones. */
void sflow_put_counter32(struct wbuf *w, uint64_t value);
/** A counter of 64 bits: unknown all ones. */
void sflow_put_counter64(struct wbuf *w, uint64_t value);
/** @n counters of 32 bits. */
void sflow_put_counters32(struct wbuf *w, const uint64_t *values, size_t n);
/** A gauge of 32 bits: saturates, unknown 0. */
void sflow_put_gauge32(struct wbuf *w, uint64_t value);
/** A gauge of 64 bits: unknown 0. */
void sflow_put_gauge64(struct wbuf *w, uint64_t value);
/** Six address bytes and two of padding. */
void sflow_put_mac(struct wbuf *w, const uint8_t mac[6]);
/** Type word and address. Family 0 is written as 0.0.0.0, because collectors give up
 * on a datagram that has an address of unknown type. */
void sflow_put_address(struct wbuf *w, const struct parse_addr *addr);
/** A text of at most @max bytes, cut there; NULL is the empty one. */
void sflow_put_text(struct wbuf *w, const char *text, size_t max);

/* A sample under construction. */
struct sflow_part {
	struct wbuf *w;    /* borrowed */
	size_t start;      /* of the sample's tag */
	size_t count_at;   /* where the number of records stands */
	uint32_t records;  /* written so far */
	unsigned *ret_cut; /* counts records left out or shortened; NULL: none may be */
	int result;        /* first failure; sflow_part_end() returns it */
};

/** Prepare for a sample in @w. @ret_cut as in sflow_encode.h; set to 0. */
void sflow_part_init(struct sflow_part *s, struct wbuf *w, unsigned *ret_cut);

/** Begin a sample of type @tag; its fixed part is to be written next. */
void sflow_part_begin(struct sflow_part *s, uint32_t tag);

/** The fixed part is written: reserve the word that counts the records. False if there
 * is no room for a record any more, or the sample has failed before. */
bool sflow_part_begin_records(struct sflow_part *s);

/** Account for a record by the result of its put function. -ENOSPC counts as left out
 * where that is allowed, any other failure is that of the whole sample. */
void sflow_part_add(struct sflow_part *s, int result);

/** The whole sample fails with @result, unless it already has. */
void sflow_part_fail(struct sflow_part *s, int result);

/** Set length and count. 0; the first failure; -ENOSPC if every record was left out;
 * -EINVAL if there was none. Unless 0 the sample is gone and the buffer is as it was
 * before. */
int sflow_part_end(struct sflow_part *s);
