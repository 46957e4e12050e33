/*
 * nft_udata.c - user data of nftables objects as type, length, value. Pure.
 */
#include "common/nft_udata.h"

#include <errno.h>
#include <string.h>

enum { TLV_HEADER = 2 }; /* type, length */

void
nft_udata_init(struct nft_udata *u)
{
	u->len = 0;
}

int
nft_udata_put(struct nft_udata *u, uint8_t type, const void *value, size_t len)
{
	if (len > UINT8_MAX || TLV_HEADER + len > sizeof(u->bytes) - u->len)
		return -ENOSPC;
	u->bytes[u->len] = type;
	u->bytes[u->len + 1] = (uint8_t)len;
	if (len)
		memcpy(u->bytes + u->len + TLV_HEADER, value, len);
	u->len += TLV_HEADER + len;
	return 0;
}

static char
printable(char c)
{
	if (c == '"')
		return '\'';
	return (unsigned char)c < ' ' || c == 0x7f ? '?' : c;
}

bool
nft_udata_put_comment(struct nft_udata *u, const char *text)
{
	char comment[NFT_UDATA_COMMENT_MAX + 1];
	size_t room = sizeof(u->bytes) - u->len;
	size_t max = NFT_UDATA_COMMENT_MAX;
	size_t n;

	if (room <= TLV_HEADER + 1)
		return false;
	if (max > room - TLV_HEADER - 1)
		max = room - TLV_HEADER - 1;
	for (n = 0; n < max && text[n]; n++)
		comment[n] = printable(text[n]);
	comment[n] = '\0';
	/* It fits: max was taken from the room. */
	(void)nft_udata_put(u, NFT_UDATA_COMMENT, comment, n + 1);
	return strcmp(comment, text) == 0;
}

const uint8_t *
nft_udata_find(const void *data, size_t len, uint8_t type, size_t *ret_len)
{
	const uint8_t *p = data;

	while (len >= TLV_HEADER && len - TLV_HEADER >= p[1]) {
		if (p[0] == type) {
			*ret_len = p[1];
			return p + TLV_HEADER;
		}
		len -= TLV_HEADER + (size_t)p[1];
		p += TLV_HEADER + p[1];
	}
	return NULL;
}

const char *
nft_udata_comment(const void *data, size_t len)
{
	size_t n = 0;
	const uint8_t *text = nft_udata_find(data, len, NFT_UDATA_COMMENT, &n);

	if (!text || n == 0 || text[n - 1] != '\0')
		return NULL;
	return (const char *)text;
}
