/*
 * test_wbuf.c - golden bytes, overflow at every length, length words, taking back.
 */
#include "common/wbuf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
numbers_are_big_endian(void **state)
{
	static const uint8_t golden[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	uint8_t data[32];
	struct wbuf w;

	(void)state;
	wbuf_init(&w, data, sizeof(data));
	wbuf_put_u8(&w, 0x01);
	wbuf_put_be16(&w, 0x0203);
	wbuf_put_be32(&w, 0x04050607);
	wbuf_put_be64(&w, UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(wbuf_ok(&w));
	assert_int_equal(w.len, sizeof(golden));
	assert_memory_equal(data, golden, sizeof(golden));
	assert_int_equal(wbuf_room(&w), sizeof(data) - sizeof(golden));
}

static void
opaque_has_length_and_zero_padding(void **state)
{
	static const uint8_t golden[] = { 0, 0, 0, 5, 'a', 'b', 'c', 'd', 'e', 0, 0, 0,
		'x', 'y', 0, 0, 0, 0, 0, 0 };
	uint8_t data[32];
	struct wbuf w;

	(void)state;
	memset(data, 0xee, sizeof(data));
	wbuf_init(&w, data, sizeof(data));
	wbuf_put_opaque(&w, "abcde", 5);
	wbuf_put_opaque_fixed(&w, "xy", 2);
	wbuf_put_opaque(&w, NULL, 0);
	wbuf_put_opaque_fixed(&w, NULL, 0);
	wbuf_put_bytes(&w, NULL, 0);
	assert_int_equal(w.len, sizeof(golden));
	assert_memory_equal(data, golden, sizeof(golden));
}

/* One write of each kind, for the overflow test. */
static void
put_kind(struct wbuf *w, int kind)
{
	switch (kind) {
	case 0:
		wbuf_put_u8(w, 1);
		break;
	case 1:
		wbuf_put_be16(w, 1);
		break;
	case 2:
		wbuf_put_be32(w, 1);
		break;
	case 3:
		wbuf_put_be64(w, 1);
		break;
	case 4:
		wbuf_put_bytes(w, "abc", 3);
		break;
	case 5:
		wbuf_put_zero(w, 5);
		break;
	case 6:
		wbuf_put_opaque(w, "abcde", 5);
		break;
	case 7:
		wbuf_put_opaque_fixed(w, "abcde", 5);
		break;
	}
}

static void
write_that_does_not_fit_changes_nothing(void **state)
{
	static const size_t need[] = { 1, 2, 4, 8, 3, 5, 12, 8 };

	(void)state;
	for (int kind = 0; kind < 8; kind++)
		for (size_t size = 0; size <= need[kind]; size++) {
			uint8_t data[16] = { 0 };
			static const uint8_t zero[16];
			struct wbuf w;

			wbuf_init(&w, data, size);
			put_kind(&w, kind);
			assert_int_equal(wbuf_ok(&w), size == need[kind]);
			assert_int_equal(w.len, size == need[kind] ? size : 0);
			if (!wbuf_ok(&w))
				assert_memory_equal(data, zero, sizeof(zero));
		}
}

static void
overflow_is_sticky(void **state)
{
	uint8_t data[4] = { 0 };
	struct wbuf w;

	(void)state;
	wbuf_init(&w, data, sizeof(data));
	wbuf_put_u8(&w, 1);
	wbuf_put_be32(&w, 2);
	wbuf_put_u8(&w, 3);
	assert_false(wbuf_ok(&w));
	assert_int_equal(w.len, 1);
	assert_int_equal(data[1], 0);
}

static void
huge_lengths_do_not_wrap(void **state)
{
	uint8_t data[16];
	struct wbuf w;

	(void)state;
	wbuf_init(&w, data, sizeof(data));
	wbuf_put_u8(&w, 1);
	wbuf_put_bytes(&w, data, SIZE_MAX);
	assert_false(wbuf_ok(&w));
	wbuf_rewind(&w, 1);
	wbuf_put_opaque(&w, data, SIZE_MAX - 2);
	assert_false(wbuf_ok(&w));
	wbuf_rewind(&w, 1);
	wbuf_put_opaque_fixed(&w, data, SIZE_MAX);
	assert_false(wbuf_ok(&w));
	wbuf_rewind(&w, 1);
	wbuf_put_zero(&w, SIZE_MAX);
	assert_false(wbuf_ok(&w));
	assert_int_equal(w.len, 1);
}

static void
length_words_nest(void **state)
{
	static const uint8_t golden[] = { 0, 0, 0, 10, 0xaa, 0, 0, 0, 3, 1, 2, 3, 0xbb,
		0xcc };
	uint8_t data[32];
	struct wbuf w;
	size_t outer, inner;

	(void)state;
	wbuf_init(&w, data, sizeof(data));
	outer = wbuf_begin_len(&w);
	wbuf_put_u8(&w, 0xaa);
	inner = wbuf_begin_len(&w);
	wbuf_put_bytes(&w, "\1\2\3", 3);
	wbuf_end_len(&w, inner);
	wbuf_put_u8(&w, 0xbb);
	wbuf_put_u8(&w, 0xcc);
	wbuf_end_len(&w, outer);
	assert_int_equal(w.len, sizeof(golden));
	assert_memory_equal(data, golden, sizeof(golden));
}

static void
length_word_that_did_not_fit_is_not_patched(void **state)
{
	uint8_t data[8] = { 0, 0, 0, 0, 0, 0x55, 0x55, 0x55 };
	struct wbuf w;
	size_t at;

	(void)state;
	wbuf_init(&w, data, 5);
	wbuf_put_be32(&w, 0);
	at = wbuf_begin_len(&w);
	assert_false(wbuf_ok(&w));
	wbuf_end_len(&w, at);
	wbuf_patch_be32(&w, 1, 0xffffffff);
	wbuf_patch_be32(&w, SIZE_MAX, 0xffffffff);
	assert_int_equal(data[4], 0);
	assert_int_equal(data[5], 0x55);
	wbuf_patch_be32(&w, 0, 0x01020304);
	assert_memory_equal(data, "\1\2\3\4", 4);
}

static void
record_that_did_not_fit_is_taken_back(void **state)
{
	uint8_t data[8];
	struct wbuf w;
	size_t mark;

	(void)state;
	wbuf_init(&w, data, sizeof(data));
	wbuf_put_be32(&w, 1);
	mark = w.len;
	wbuf_put_be16(&w, 2);
	wbuf_put_be32(&w, 3);
	assert_false(wbuf_ok(&w));
	wbuf_rewind(&w, mark);
	assert_true(wbuf_ok(&w));
	assert_int_equal(w.len, 4);
	wbuf_rewind(&w, 100);
	assert_int_equal(w.len, 4);
	wbuf_put_be32(&w, 4);
	assert_true(wbuf_ok(&w));
}

static void
buffer_of_no_size_takes_nothing(void **state)
{
	struct wbuf w;

	(void)state;
	wbuf_init(&w, NULL, 0);
	wbuf_put_bytes(&w, NULL, 0);
	wbuf_put_zero(&w, 0);
	assert_true(wbuf_ok(&w));
	wbuf_put_u8(&w, 1);
	assert_false(wbuf_ok(&w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(opaque_has_length_and_zero_padding),
		cmocka_unit_test(write_that_does_not_fit_changes_nothing),
		cmocka_unit_test(overflow_is_sticky),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(length_words_nest),
		cmocka_unit_test(length_word_that_did_not_fit_is_not_patched),
		cmocka_unit_test(record_that_did_not_fit_is_taken_back),
		cmocka_unit_test(buffer_of_no_size_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
