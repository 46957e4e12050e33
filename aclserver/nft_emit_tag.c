/*
 * nft_emit_tag.c - the user data of an emitted rule: which rule of which file it is.
 *
 * The text stands in a comment, so that the nft tool shows it, and beside it what a
 * comment cannot hold: type 0x40 = hash (16 bytes big endian), line (4), section (1),
 * flags (1); type 0x41 = the text behind the first 128 bytes. Elements also have the id
 * of their file as type 0x43 (0x42, 0x44 and 0x45 are a set's, a lookup's and a
 * call's). Pure.
 */
#include "aclserver/nft_emit.h"

#include <limits.h>
#include <string.h>

#include "common/rbuf.h"
#include "common/wbuf.h"

enum {
	TAG_TYPE = NFT_UDATA_OWN,
	TAG_REST_TYPE = NFT_UDATA_OWN + 1,
	TAG_ID_TYPE = NFT_UDATA_OWN + 3,
	TAG_SIZE = 22,
	TLV_HEADER = 2, /* type, length */
	TAG_REST_MAX = NFT_EMIT_TEXT_SIZE - 1 - NFT_UDATA_COMMENT_MAX,
	/* The comment's apostrophes stand for quotes, which a comment cannot have. */
	TAG_FLAG_QUOTES = 1,
	TAG_FLAG_PART = 2,
};

_Static_assert(2 + TAG_SIZE + 2 + NFT_UDATA_COMMENT_MAX + 1 + 2 + TAG_REST_MAX <=
		       NFT_UDATA_MAX,
	"a tag with the longest text fits");

/* True if quotes can be written as apostrophes and be told apart afterwards. */
static bool
quotes_can_change(const char *text)
{
	return strchr(text, '"') && !strchr(text, '\'');
}

static void
put_tag(const struct ruleset_rule *rule, struct nft_udata *ret)
{
	uint8_t tag[TAG_SIZE];
	struct wbuf w;

	wbuf_init(&w, tag, sizeof(tag));
	wbuf_put_be64(&w, rule->hash.w[0]);
	wbuf_put_be64(&w, rule->hash.w[1]);
	wbuf_put_be32(&w, (uint32_t)rule->line);
	wbuf_put_u8(&w, (uint8_t)rule->section);
	wbuf_put_u8(
		&w, (uint8_t)((quotes_can_change(rule->text) ? TAG_FLAG_QUOTES : 0) |
			      (rule->is_part ? TAG_FLAG_PART : 0)));

	nft_udata_init(ret);
	(void)nft_udata_put(ret, TAG_TYPE, tag, w.len); /* first: it fits */
}

/* The text, as much of it as fits. */
static void
put_text(const struct ruleset_rule *rule, struct nft_udata *ret)
{
	const char *rest;
	size_t room, len;

	(void)nft_udata_put_comment(ret, rule->text);
	room = sizeof(ret->bytes) - ret->len;
	if (strnlen(rule->text, NFT_UDATA_COMMENT_MAX + 1) <= NFT_UDATA_COMMENT_MAX ||
		room <= TLV_HEADER)
		return;
	rest = rule->text + NFT_UDATA_COMMENT_MAX;
	len = strnlen(rest, TAG_REST_MAX);
	if (len > room - TLV_HEADER)
		len = room - TLV_HEADER;
	(void)nft_udata_put(ret, TAG_REST_TYPE, rest, len);
}

void
nft_emit_write_tag(const struct ruleset_rule *rule, struct nft_udata *ret)
{
	put_tag(rule, ret);
	put_text(rule, ret); /* all that may be kept fits, see the assertion above */
}

void
nft_emit_write_elem_tag(
	const struct ruleset_rule *rule, const char *id, struct nft_udata *ret)
{
	put_tag(rule, ret);
	(void)nft_udata_put(ret, TAG_ID_TYPE, id, strnlen(id, NFT_EMIT_ID_SIZE - 1));
	put_text(rule, ret);
}

bool
nft_emit_read_id(struct nft_blob udata, char ret_id[NFT_EMIT_ID_SIZE])
{
	size_t len = 0;
	const uint8_t *id = nft_udata_find(udata.data, udata.len, TAG_ID_TYPE, &len);

	if (!id || len == 0 || len >= NFT_EMIT_ID_SIZE)
		return false;
	memcpy(ret_id, id, len);
	ret_id[len] = '\0';
	return true;
}

static void
read_text(struct nft_blob udata, bool quotes, char ret[NFT_EMIT_TEXT_SIZE])
{
	const char *comment = nft_udata_comment(udata.data, udata.len);
	size_t len = comment ? strnlen(comment, NFT_UDATA_COMMENT_MAX) : 0;
	size_t rest_len = 0;
	const uint8_t *rest =
		nft_udata_find(udata.data, udata.len, TAG_REST_TYPE, &rest_len);

	for (size_t i = 0; i < len; i++)
		ret[i] = quotes && comment[i] == '\'' ? '"' : comment[i];
	if (rest && rest_len <= TAG_REST_MAX) {
		memcpy(ret + len, rest, rest_len);
		len += rest_len;
	}
	ret[len] = '\0';
}

bool
nft_emit_read_tag(struct nft_blob udata, struct nft_emit_tag *ret)
{
	size_t len = 0;
	const uint8_t *bytes = nft_udata_find(udata.data, udata.len, TAG_TYPE, &len);
	struct nft_emit_tag tag;
	struct rbuf r;
	uint32_t line;
	uint8_t flags;

	if (!bytes || len != TAG_SIZE)
		return false;
	rbuf_init(&r, bytes, len);
	tag.hash.w[0] = rbuf_get_be64(&r);
	tag.hash.w[1] = rbuf_get_be64(&r);
	line = rbuf_get_be32(&r);
	tag.section = (enum policy_section)rbuf_get_u8(&r);
	flags = rbuf_get_u8(&r);
	if (line > INT_MAX || tag.section > POLICY_SECTION_EBTABLES)
		return false;
	tag.line = (int)line;
	tag.is_part = flags & TAG_FLAG_PART;
	read_text(udata, flags & TAG_FLAG_QUOTES, tag.text);
	*ret = tag;
	return true;
}
