/*
 * test_nft_udata.c - user data: round trips, limits, malformed input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/nft_udata.h"

static void
values_come_back_by_type(void **state)
{
	struct nft_udata u;
	size_t len = 0;
	const uint8_t *value;

	(void)state;
	nft_udata_init(&u);
	assert_int_equal(nft_udata_put(&u, 0x41, "abc", 3), 0);
	assert_int_equal(nft_udata_put(&u, 0x40, NULL, 0), 0);
	assert_int_equal(nft_udata_put(&u, 0x41, "second", 6), 0);
	assert_int_equal(u.len, 2 + 3 + 2 + 2 + 6);
	value = nft_udata_find(u.bytes, u.len, 0x41, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "abc", 3);
	assert_non_null(nft_udata_find(u.bytes, u.len, 0x40, &len));
	assert_int_equal(len, 0);
	assert_null(nft_udata_find(u.bytes, u.len, 0x42, &len));
}

static void
what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
	uint8_t bytes[256] = { 0 };
	struct nft_udata u;

	(void)state;
	nft_udata_init(&u);
	assert_int_equal(nft_udata_put(&u, 0x40, bytes, 256), -ENOSPC);
	assert_int_equal(nft_udata_put(&u, 0x40, bytes, 255), -ENOSPC);
	assert_int_equal(u.len, 0);
	assert_int_equal(nft_udata_put(&u, 0x40, bytes, 254), 0);
	assert_int_equal(u.len, NFT_UDATA_MAX);
	assert_int_equal(nft_udata_put(&u, 0x41, NULL, 0), -ENOSPC);
	assert_false(nft_udata_put_comment(&u, "x"));
	assert_int_equal(u.len, NFT_UDATA_MAX);
}

static void
comment_is_cut_to_what_the_tool_reads(void **state)
{
	char text[NFT_UDATA_COMMENT_MAX + 2];
	struct nft_udata u;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	nft_udata_init(&u);
	assert_false(nft_udata_put_comment(&u, text));
	assert_int_equal(
		strlen(nft_udata_comment(u.bytes, u.len)), NFT_UDATA_COMMENT_MAX);
	nft_udata_init(&u);
	assert_true(nft_udata_put_comment(&u, text + 1));
	assert_string_equal(nft_udata_comment(u.bytes, u.len), text + 1);
}

static void
comment_has_no_quote_and_no_control_character(void **state)
{
	struct nft_udata u;

	(void)state;
	nft_udata_init(&u);
	assert_false(nft_udata_put_comment(&u, "say \"a\"\n\x7f \xc3\xa4"));
	assert_string_equal(nft_udata_comment(u.bytes, u.len), "say 'a'?? \xc3\xa4");
}

static void
malformed_data_is_read_up_to_the_fault(void **state)
{
	static const uint8_t bytes[] = { 0x40, 1, 7, 0x41, 9, 1, 2 };
	size_t len = 0;

	(void)state;
	assert_non_null(nft_udata_find(bytes, sizeof(bytes), 0x40, &len));
	assert_null(nft_udata_find(bytes, sizeof(bytes), 0x41, &len));
	assert_null(nft_udata_find(bytes, 1, 0x40, &len));
	assert_null(nft_udata_find(NULL, 0, 0x40, &len));
}

static void
comment_without_nul_is_none(void **state)
{
	(void)state;
	assert_null(nft_udata_comment("\x00\x02zz", 4));
	assert_null(nft_udata_comment("\x00\x00", 2));
	assert_string_equal(nft_udata_comment("\x00\x02z\0", 4), "z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_by_type),
		cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
		cmocka_unit_test(comment_is_cut_to_what_the_tool_reads),
		cmocka_unit_test(comment_has_no_quote_and_no_control_character),
		cmocka_unit_test(malformed_data_is_read_up_to_the_fault),
		cmocka_unit_test(comment_without_nul_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
