/*
 * sflow_out.h - a buffer for encoder tests, and what can be asked of it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/rbuf.h"
#include "common/wbuf.h"

enum { OUT_RECORDS_MAX = 32 };

struct out {
	uint8_t bytes[4096];
	struct wbuf w;
};

static inline void
out_init(struct out *o, size_t size)
{
	memset(o->bytes, 0xee, sizeof(o->bytes));
	wbuf_init(&o->w, o->bytes, size);
}

static inline uint32_t
word_at(const struct out *o, size_t at)
{
	struct rbuf r;

	assert_true(at + 4 <= o->w.len);
	rbuf_init(&r, o->bytes + at, 4);
	return rbuf_get_be32(&r);
}

/* The tags of the records that begin at @at, which must end with the buffer. */
static inline size_t
tags_from(const struct out *o, size_t at, uint32_t tags[OUT_RECORDS_MAX])
{
	size_t n = 0;

	while (at < o->w.len) {
		assert_true(n < OUT_RECORDS_MAX);
		tags[n++] = word_at(o, at);
		at += 8 + word_at(o, at + 4);
	}
	assert_int_equal(at, o->w.len);
	return n;
}

static inline void
expect_tags(const struct out *o, size_t at, const uint32_t *want, size_t n)
{
	uint32_t tags[OUT_RECORDS_MAX];

	assert_int_equal(tags_from(o, at, tags), n);
	assert_int_equal(word_at(o, at - 4), n);
	assert_memory_equal(tags, want, n * sizeof(*want));
}

#define EXPECT_TAGS(o, at, ...)                                                        \
	do {                                                                           \
		static const uint32_t want_[] = { __VA_ARGS__ };                       \
		expect_tags(o, at, want_, sizeof(want_) / sizeof(want_[0]));           \
	} while (0)
