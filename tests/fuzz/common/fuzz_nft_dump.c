/*
 * fuzz_nft_dump.c - datagrams as the kernel sends them: every decoder on every message,
 * and every byte that a result points at is read.
 */
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/nft_internal.h"
#include "common/nft_udata.h"
#include "tests/fuzz/fuzz.h"

/* Keeps the reads below from being left out. */
static volatile unsigned sum;

static void
touch(const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		sum += p[i];
}

static void
touch_text(const char *text)
{
	if (text)
		touch(text, strlen(text));
}

static void
touch_udata(struct nft_blob udata)
{
	size_t len = 0;
	const uint8_t *value;

	touch(udata.data, udata.len);
	touch_text(nft_udata_comment(udata.data, udata.len));
	value = nft_udata_find(udata.data, udata.len, NFT_UDATA_OWN, &len);
	if (value)
		touch(value, len);
}

static int
on_elem(const struct nft_elem_info *elem, void *user_data)
{
	(void)user_data;
	touch(elem->key, elem->key_len);
	touch(elem->data, elem->data_len);
	touch_text(elem->target);
	touch_udata(elem->udata);
	return 0;
}

static void
decode_objects(const struct nlmsghdr *nlh)
{
	struct nft_chain_info chain;
	struct nft_rule_info rule;
	struct nft_set_info set;

	if (nft_decode_chain(nlh, &chain) == 0) {
		touch_text(chain.table);
		touch_text(chain.name);
		touch_text(chain.type);
		touch_udata(chain.udata);
	}
	if (nft_decode_rule(nlh, &rule) == 0) {
		touch_text(rule.table);
		touch_text(rule.chain);
		touch_text(rule.target);
		touch_udata(rule.udata);
	}
	if (nft_decode_set(nlh, &set) == 0) {
		touch_text(set.table);
		touch_text(set.name);
		touch_udata(set.udata);
	}
	(void)nft_decode_elems(nlh, on_elem, NULL);
}

static void
decode_answer(const struct nlmsghdr *nlh)
{
	struct nft_ack ack;

	if (nft_decode_ack(nlh, &ack) < 0)
		return;
	touch_text(ack.text);
	if (nft_decode_elem_at(nlh, ack.offset, ack.has_offset) < -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as large as the input, so that a byte too far is noticed. */
	uint8_t *copy = malloc(size ? size : 1);
	const struct nlmsghdr *nlh;
	size_t pos = 0;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	while ((nlh = nft_next_message(copy, size, &pos))) {
		decode_objects(nlh);
		decode_answer(nlh);
	}
	free(copy);
	return 0;
}
