/*
 * test_fib_table.c - the longest prefix that matches, while routes come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/fib_table.h"

enum { MAIN = 254, VRF = 1001 };

static struct fib_prefix
prefix4(uint32_t table, const char *bytes, uint8_t len)
{
	struct fib_prefix p = { .table = table, .family = AF_INET, .len = len };

	memcpy(p.dst, bytes, 4);
	return p;
}

static struct fib_prefix
prefix6(uint32_t table, uint8_t first, uint8_t last, uint8_t len)
{
	struct fib_prefix p = { .table = table, .family = AF_INET6, .len = len };

	p.dst[0] = first;
	p.dst[15] = last;
	return p;
}

static void
add(struct fib_table *t, struct fib_prefix p)
{
	assert_int_equal(fib_table_add(t, &p, false), 0);
}

static bool
take_away(struct fib_table *t, struct fib_prefix p)
{
	return fib_table_remove(t, &p);
}

static int
match4(const struct fib_table *t, uint32_t table, const char *addr)
{
	return fib_table_match(t, table, AF_INET, (const uint8_t *)addr);
}

static void
the_longest_prefix_matches(void **state)
{
	struct fib_table t;

	(void)state;
	fib_table_init(&t, 100);
	assert_int_equal(match4(&t, MAIN, "\x0a\x01\x02\x03"), -1);
	add(&t, prefix4(MAIN, "\x0a\x00\x00\x00", 8));
	add(&t, prefix4(MAIN, "\x0a\x01\x02\x00", 23));
	add(&t, prefix4(MAIN, "\x0a\x01\x03\x07", 32));
	assert_int_equal(match4(&t, MAIN, "\x0a\x01\x03\x07"), 32);
	assert_int_equal(match4(&t, MAIN, "\x0a\x01\x03\x08"), 23);
	assert_int_equal(match4(&t, MAIN, "\x0a\x01\x04\x00"), 8);
	assert_int_equal(match4(&t, MAIN, "\x0b\x00\x00\x00"), -1);
	add(&t, prefix4(MAIN, "\0\0\0\0", 0));
	assert_int_equal(match4(&t, MAIN, "\x0b\x00\x00\x00"), 0);
	fib_table_done(&t);
}

static void
tables_and_families_are_apart(void **state)
{
	const uint8_t addr[16] = { [0] = 0x20, [15] = 7 };
	struct fib_table t;

	(void)state;
	fib_table_init(&t, 100);
	add(&t, prefix4(VRF, "\x20\x00\x00\x00", 8));
	add(&t, prefix6(MAIN, 0x20, 0, 64));
	add(&t, prefix6(MAIN, 0x20, 7, 128));
	assert_int_equal(match4(&t, MAIN, "\x20\x00\x00\x01"), -1);
	assert_int_equal(match4(&t, VRF, "\x20\x00\x00\x01"), 8);
	assert_int_equal(fib_table_match(&t, MAIN, AF_INET6, addr), 128);
	assert_true(take_away(&t, prefix6(MAIN, 0x20, 7, 128)));
	assert_int_equal(fib_table_match(&t, MAIN, AF_INET6, addr), 64);
	assert_int_equal(fib_table_match(&t, VRF, AF_INET6, addr), -1);
	fib_table_done(&t);
}

static void
of_several_routes_to_a_prefix_one_may_be_left(void **state)
{
	const struct fib_prefix p = prefix4(MAIN, "\x0a\x00\x00\x00", 8);
	struct fib_prefix several = p;
	struct fib_table t;

	(void)state;
	fib_table_init(&t, 100);
	add(&t, p);
	assert_int_equal(fib_table_add(&t, &p, true), 0);
	assert_int_equal(t.n, 1);
	assert_true(take_away(&t, p));
	assert_true(take_away(&t, p));
	assert_int_equal(t.n, 0);
	add(&t, p);
	add(&t, p);
	assert_false(take_away(&t, p));
	assert_int_equal(match4(&t, MAIN, "\x0a\x00\x00\x00"), 8);
	assert_int_equal(fib_table_add(&t, &p, true), 0);
	assert_true(take_away(&t, p));
	several.several = true;
	add(&t, several);
	assert_false(take_away(&t, p));
	fib_table_done(&t);
}

static void
more_than_the_limit_is_refused(void **state)
{
	const struct fib_prefix third = prefix4(MAIN, "\x0c\x00\x00\x00", 8);
	struct fib_table t;

	(void)state;
	fib_table_init(&t, 2);
	add(&t, prefix4(MAIN, "\x0a\x00\x00\x00", 8));
	add(&t, prefix4(MAIN, "\x0b\x00\x00\x00", 8));
	assert_int_equal(fib_table_add(&t, &third, false), -ENOSPC);
	assert_int_equal(match4(&t, MAIN, "\x0c\x00\x00\x00"), -1);
	add(&t, prefix4(MAIN, "\x0b\x00\x00\x00", 8));
	assert_true(take_away(&t, prefix4(MAIN, "\x0a\x00\x00\x00", 8)));
	assert_int_equal(fib_table_add(&t, &third, false), 0);
	fib_table_done(&t);
}

/* One of many prefixes of a length between 8 and 31. */
static struct fib_prefix
numbered(uint32_t i)
{
	const uint8_t len = (uint8_t)(8 + i % 24);
	const uint32_t address = i * 2654435761u & UINT32_MAX << (32 - len);
	const uint8_t bytes[4] = { (uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address };

	return prefix4(MAIN, (const char *)bytes, len);
}

/* What a search through all of the first @n finds, of which every other is gone. */
static int
search(uint32_t n, bool halved, const uint8_t addr[4])
{
	int best = -1;

	for (uint32_t i = 0; i < n; i++) {
		const struct fib_prefix p = numbered(i);
		const uint32_t a = (uint32_t)addr[0] << 24 | addr[1] << 16 |
				   addr[2] << 8 | addr[3];
		const uint32_t b = (uint32_t)p.dst[0] << 24 | p.dst[1] << 16 |
				   p.dst[2] << 8 | p.dst[3];

		if ((!halved || i % 2) && p.len > best &&
			((a ^ b) & UINT32_MAX << (32 - p.len)) == 0)
			best = p.len;
	}
	return best;
}

static void
thousands_of_prefixes_come_and_go_and_all_matches_are_right(void **state)
{
	enum { N = 3000, PROBES = 500 };
	struct fib_table t;

	(void)state;
	fib_table_init(&t, N);
	for (uint32_t i = 0; i < N; i++) {
		const struct fib_prefix p = numbered(i);

		/* Replaced where two are the same, so that one removal is enough. */
		assert_int_equal(fib_table_add(&t, &p, true), 0);
	}
	for (int halved = 0; halved <= 1; halved++) {
		for (uint32_t i = 0; i < PROBES; i++) {
			const struct fib_prefix p = numbered(i * 5 + 1);
			const uint8_t addr[4] = { p.dst[0], p.dst[1], p.dst[2],
				(uint8_t)(p.dst[3] ^ (i & 1)) };

			assert_int_equal(fib_table_match(&t, MAIN, AF_INET, addr),
				search(N, halved, addr));
		}
		for (uint32_t i = 0; i < N && !halved; i += 2)
			assert_true(take_away(&t, numbered(i)));
		for (uint32_t i = 1; i < N && !halved; i += 2) {
			const struct fib_prefix p = numbered(i);

			assert_int_equal(fib_table_add(&t, &p, true), 0);
		}
	}
	fib_table_done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_matches),
		cmocka_unit_test(tables_and_families_are_apart),
		cmocka_unit_test(of_several_routes_to_a_prefix_one_may_be_left),
		cmocka_unit_test(more_than_the_limit_is_refused),
		cmocka_unit_test(
			thousands_of_prefixes_come_and_go_and_all_matches_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
