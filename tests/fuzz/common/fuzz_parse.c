/*
 * fuzz_parse.c - every function of parse.h on one text; what is accepted must be within
 * the promised limits, and what is refused must not have written the output.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
#include "tests/fuzz/fuzz.h"

static void
check_numbers(const char *text)
{
	uint64_t n64 = 77;
	uint32_t n32 = 77;
	int64_t ms = 77;
	bool on;

	if (parse_u64(text, 5, 1000000, &n64) == 0)
		require(n64 >= 5 && n64 <= 1000000);
	else
		require(n64 == 77);
	if (parse_u32(text, 0, UINT32_MAX, &n32) < 0)
		require(n32 == 77);
	n64 = 77;
	if (parse_u64_scaled(text, 0, UINT64_MAX, &n64) < 0)
		require(n64 == 77);
	if (parse_duration_ms(text, &ms) == 0)
		require(ms >= 0);
	else
		require(ms == 77);
	if (parse_bool(text, &on) == 0)
		require(strlen(text) <= 5);
}

static void
check_addresses(const char *text)
{
	static const uint8_t untouched[6] = { 9, 9, 9, 9, 9, 9 };
	uint8_t mac[6] = { 9, 9, 9, 9, 9, 9 };
	struct parse_addr addr, prefix;

	if (parse_mac(text, mac) < 0)
		require(memcmp(mac, untouched, sizeof(mac)) == 0);
	if (parse_prefix(text, &prefix) == 0)
		require(prefix.prefix_len <= (prefix.family == AF_INET ? 32 : 128));
	if (parse_addr(text, &addr) == 0)
		require(parse_prefix(text, &prefix) == 0 &&
			memcmp(&addr, &prefix, sizeof(addr)) == 0);
	if (parse_is_ifname(text))
		require(strlen(text) <= 15 && !strchr(text, '/'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	check_numbers(text);
	check_addresses(text);
	free(text);
	return 0;
}
