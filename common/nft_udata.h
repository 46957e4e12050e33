/*
 * nft_udata.h - user data of rules, chains and elements: type, length, value, one byte
 * each for the first two. Pure.
 *
 * The kernel keeps it and looks not inside. Type 0 is the comment that the nft tool
 * shows; types from NFT_UDATA_OWN on are ours (the tool skips what it does not know).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/nft.h"

enum {
	NFT_UDATA_COMMENT = 0,   /* text with its NUL, of rules, chains and tables */
	NFT_UDATA_KEY_ORDER = 0, /* of sets: byte order of the keys, 4 bytes host order,
				    one of: */
	NFT_UDATA_DATA_ORDER = 1, /* the same of the values of maps */
	NFT_KEY_ORDER_HOST = 1,
	NFT_KEY_ORDER_BIG = 2,
	NFT_UDATA_OWN = 0x40,        /* first type of our own */
	NFT_UDATA_COMMENT_MAX = 128, /* bytes of text that the nft tool reads back */
};

struct nft_udata {
	uint8_t bytes[NFT_UDATA_MAX];
	size_t len;
};

/** Start empty. */
void nft_udata_init(struct nft_udata *u);

/** Append one value. 0, or -ENOSPC (then @u is as before) when it does not fit into
 * NFT_UDATA_MAX or is longer than 255 bytes. */
int nft_udata_put(struct nft_udata *u, uint8_t type, const void *value, size_t len);

/** Append the comment @text, cut at NFT_UDATA_COMMENT_MAX bytes and at what fits;
 * quotes and control characters, which the nft tool would print raw, become '\'' and
 * '?'. Returns true if the text was kept as it is. */
bool nft_udata_put_comment(struct nft_udata *u, const char *text);

/** The value of the first @type in @len bytes at @data; NULL when there is none or the
 * data is malformed before it. Borrowed from @data. */
const uint8_t *nft_udata_find(
	const void *data, size_t len, uint8_t type, size_t *ret_len);

/** The comment as text: NULL when there is none or it does not end in NUL. */
const char *nft_udata_comment(const void *data, size_t len);

/** For struct literals: what was built so far. */
static inline struct nft_blob
nft_udata_blob(const struct nft_udata *u)
{
	return (struct nft_blob){ u->bytes, u->len };
}
