/*
 * fuzz_json_acl.c - json_acl_decode() on arbitrary bodies: what it takes is lines
 * without control characters, and comes back the same through json_acl_encode(); what
 * it refuses has a reason.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/json_acl.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_LINES = 100 };

static void
check_lines(const char *text, size_t len)
{
	size_t lines = 0;

	require(text[len] == '\0');
	require(len == 0 || text[len - 1] == '\n');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		lines += c == '\n';
		require(c >= 0x20 || c == '\t' || c == '\n');
	}
	require(lines <= MAX_LINES);
}

static void
check_round_trip(const char *text, size_t len)
{
	size_t json_len, back_len;
	char *json = json_acl_encode(text, len, &json_len);
	struct err err;
	char *back;

	require(json != NULL);
	require(json_acl_decode(json, json_len, MAX_LINES, &back, &back_len, &err) ==
		0);
	require(back_len == len && memcmp(back, text, len) == 0);
	free(back);
	free(json);
}

/* Any file can be shown, whatever is in it. */
static void
check_encode(const char *text, size_t len)
{
	size_t json_len;
	char *json = json_acl_encode(text, len, &json_len);

	require(json && strlen(json) == json_len);
	free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	char *text;
	size_t len;
	int result =
		json_acl_decode((const char *)data, size, MAX_LINES, &text, &len, &err);

	require(result == 0 || result == -EINVAL || result == -E2BIG);
	require((result == 0) == (err.text[0] == '\0'));
	if (result == 0) {
		check_lines(text, len);
		check_round_trip(text, len);
		free(text);
	}
	check_encode((const char *)data, size);
	return 0;
}
