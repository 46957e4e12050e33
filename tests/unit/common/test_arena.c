/*
 * test_arena.c - zeroed, aligned, bounded memory that lives until arena_free().
 */
#include "common/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
memory_is_zeroed_and_aligned(void **state)
{
	struct arena *arena = arena_new(0);

	(void)state;
	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *p = arena_alloc(arena, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	arena_free(arena);
}

static void
blocks_do_not_overlap(void **state)
{
	enum { N = 2000 };
	struct arena *arena = arena_new(0);
	size_t *p[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		size_t words = i % 97 == 0 ? 5000 : 1 + i % 11;

		p[i] = arena_alloc(arena, words * sizeof(size_t));
		assert_non_null(p[i]);
		p[i][0] = i;
		p[i][words - 1] = i;
	}
	for (size_t i = 0; i < N; i++)
		assert_int_equal(p[i][0], i);
	arena_free(arena);
}

static void
limit_is_kept_and_smaller_requests_still_fit(void **state)
{
	struct arena *arena = arena_new(1024);
	size_t used;

	(void)state;
	assert_non_null(arena_alloc(arena, 1000));
	used = arena_used(arena);
	assert_true(used >= 1000 && used <= 1024);
	assert_null(arena_alloc(arena, 100));
	assert_int_equal(arena_used(arena), used);
	/* Padding depends on the machine. */
	assert_non_null(arena_alloc(arena, 1024 - used));
	assert_int_equal(arena_used(arena), 1024);
	assert_null(arena_alloc(arena, 1));
	arena_free(arena);
}

static void
absurd_sizes_are_refused(void **state)
{
	struct arena *arena = arena_new(0);

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX - alignof(max_align_t)));
	assert_null(arena_strndup(arena, "x", SIZE_MAX));
	assert_int_equal(arena_used(arena), 0);
	arena_free(arena);
}

static void
strings_are_copied(void **state)
{
	struct arena *arena = arena_new(0);
	char source[] = "swp1,swp2";
	char *whole = arena_strdup(arena, source);
	char *part = arena_strndup(arena, source, 4);
	char *embedded = arena_strndup(arena, "a\0b", 3);
	char *formatted = arena_printf(arena, "%s-%03d", "rule", 7);

	(void)state;
	memset(source, 'x', sizeof(source) - 1);
	assert_string_equal(whole, "swp1,swp2");
	assert_string_equal(part, "swp1");
	assert_memory_equal(embedded, "a\0b\0", 4);
	assert_string_equal(formatted, "rule-007");
	arena_free(arena);
}

static void
formatted_text_may_be_longer_than_a_block(void **state)
{
	struct arena *arena = arena_new(0);
	char *text = arena_printf(arena, "%0200000d", 0);

	(void)state;
	assert_int_equal(strlen(text), 200000);
	arena_free(arena);
}

static void
formatted_text_over_the_limit_is_refused(void **state)
{
	struct arena *arena = arena_new(64);

	(void)state;
	assert_null(arena_printf(arena, "%0100d", 0));
	assert_string_equal(arena_printf(arena, "%d", 5), "5");
	arena_free(arena);
}

static void
free_accepts_null_and_an_empty_arena(void **state)
{
	(void)state;
	arena_free(NULL);
	arena_free(arena_new(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(limit_is_kept_and_smaller_requests_still_fit),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(formatted_text_may_be_longer_than_a_block),
		cmocka_unit_test(formatted_text_over_the_limit_is_refused),
		cmocka_unit_test(free_accepts_null_and_an_empty_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
