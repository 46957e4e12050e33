/*
 * test_rbuf.c - reading what wbuf wrote, truncation at every byte, hostile lengths.
 */
#include "common/rbuf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/wbuf.h"

static size_t
write_example(uint8_t *data, size_t size)
{
	struct wbuf w;

	wbuf_init(&w, data, size);
	wbuf_put_u8(&w, 0x81);
	wbuf_put_be16(&w, 0x8283);
	wbuf_put_be32(&w, 0x84858687);
	wbuf_put_be64(&w, UINT64_C(0x88898a8b8c8d8e8f));
	wbuf_put_bytes(&w, "end", 3);
	assert_true(wbuf_ok(&w));
	return w.len;
}

/* Reads the example; true if all of it was there. */
static bool
read_example(const uint8_t *data, size_t len)
{
	const uint8_t *bytes;
	struct rbuf r;
	bool same;

	rbuf_init(&r, data, len);
	same = rbuf_get_u8(&r) == 0x81;
	same = rbuf_get_be16(&r) == 0x8283 && same;
	same = rbuf_get_be32(&r) == 0x84858687 && same;
	same = rbuf_get_be64(&r) == UINT64_C(0x88898a8b8c8d8e8f) && same;
	bytes = rbuf_get_bytes(&r, 3);
	assert_int_equal(rbuf_left(&r), 0);
	assert_int_equal(rbuf_ok(&r), bytes != NULL);
	if (!rbuf_ok(&r))
		return false;
	assert_true(same);
	assert_memory_equal(bytes, "end", 3);
	return true;
}

static void
what_was_written_is_read(void **state)
{
	uint8_t data[64];

	(void)state;
	assert_true(read_example(data, write_example(data, sizeof(data))));
}

static void
truncation_anywhere_fails(void **state)
{
	uint8_t data[64];
	size_t len = write_example(data, sizeof(data));

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_false(read_example(data, n));
}

static void
failure_is_sticky_and_reads_zero(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5 };
	struct rbuf r;

	(void)state;
	rbuf_init(&r, data, sizeof(data));
	assert_int_equal(rbuf_get_be64(&r), 0);
	assert_false(rbuf_ok(&r));
	assert_int_equal(rbuf_left(&r), 0);
	assert_int_equal(rbuf_get_u8(&r), 0);
	assert_int_equal(rbuf_get_be16(&r), 0);
	assert_int_equal(rbuf_get_be32(&r), 0);
	assert_null(rbuf_get_bytes(&r, 0));
}

static void
sub_reader_stays_inside(void **state)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6 };
	struct rbuf r, sub;

	(void)state;
	rbuf_init(&r, data, sizeof(data));
	sub = rbuf_sub(&r, 4);
	assert_int_equal(rbuf_left(&sub), 4);
	assert_int_equal(rbuf_get_be32(&sub), 0x01020304);
	assert_int_equal(rbuf_get_u8(&sub), 0);
	assert_false(rbuf_ok(&sub));
	assert_true(rbuf_ok(&r));
	assert_int_equal(rbuf_get_be16(&r), 0x0506);
}

static void
sub_reader_larger_than_the_rest_fails_both(void **state)
{
	static const uint8_t data[] = { 1, 2 };
	struct rbuf r, sub;

	(void)state;
	rbuf_init(&r, data, sizeof(data));
	sub = rbuf_sub(&r, 3);
	assert_false(rbuf_ok(&sub));
	assert_false(rbuf_ok(&r));
	assert_int_equal(rbuf_left(&sub), 0);
}

static void
no_data_at_all_is_readable_as_nothing(void **state)
{
	struct rbuf r;

	(void)state;
	rbuf_init(&r, NULL, 0);
	assert_non_null(rbuf_get_bytes(&r, 0));
	assert_true(rbuf_ok(&r));
	assert_int_equal(rbuf_get_u8(&r), 0);
	assert_false(rbuf_ok(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(truncation_anywhere_fails),
		cmocka_unit_test(failure_is_sticky_and_reads_zero),
		cmocka_unit_test(sub_reader_stays_inside),
		cmocka_unit_test(sub_reader_larger_than_the_rest_fails_both),
		cmocka_unit_test(no_data_at_all_is_readable_as_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
