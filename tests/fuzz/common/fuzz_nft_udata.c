/*
 * fuzz_nft_udata.c - user data that somebody else put there: whatever is found lies
 * inside it, and what is built from it is found again.
 */
#include <stdlib.h>
#include <string.h>

#include "common/nft_udata.h"
#include "tests/fuzz/fuzz.h"

static void
put_again(uint8_t type, const uint8_t *value, size_t len)
{
	struct nft_udata u;
	const uint8_t *found;
	size_t found_len = 0;

	nft_udata_init(&u);
	if (nft_udata_put(&u, type, value, len) < 0) {
		require(len > NFT_UDATA_MAX - 2 && u.len == 0);
		return;
	}
	found = nft_udata_find(u.bytes, u.len, type, &found_len);
	require(found && found_len == len && memcmp(found, value, len) == 0);
}

static void
comment_again(const char *text)
{
	struct nft_udata u;
	const char *found;

	nft_udata_init(&u);
	if (!nft_udata_put_comment(&u, text))
		return;
	found = nft_udata_comment(u.bytes, u.len);
	require(found && strcmp(found, text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	const uint8_t *value;
	const char *comment;
	size_t len = 0;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	for (unsigned type = 0; type <= UINT8_MAX; type++) {
		value = nft_udata_find(copy, size, (uint8_t)type, &len);
		if (!value)
			continue;
		require(value >= copy && len <= size - (size_t)(value - copy));
		put_again((uint8_t)type, value, len);
	}
	comment = nft_udata_comment(copy, size);
	if (comment)
		comment_again(comment);
	free(copy);
	return 0;
}
