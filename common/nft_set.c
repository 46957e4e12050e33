/*
 * nft_set.c - the batch's messages for sets, maps and their elements.
 */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/nft_internal.h"

enum {
	/* An element message is closed when it has this size; one more element takes
	 * far less than what is left of an attribute's 64 KiB. */
	ELEMS_MSG_BYTES = 32 << 10,
	RANGES_AT_ONCE = 128,
};

static bool
check_set(struct nft_batch *batch, const struct nft_set_spec *set, uint64_t cookie)
{
	if (set->key_len == 0 || set->key_len > NFT_KEY_MAX ||
		set->data_len > NFT_KEY_MAX) {
		nft_batch_fail(batch, -EINVAL, cookie);
		return false;
	}
	return nft_batch_check_name(batch, set->name, cookie) &&
	       nft_batch_check_udata(batch, set->udata, cookie);
}

static void
put_counter(struct nlmsghdr *nlh, uint16_t type, uint64_t packets, uint64_t bytes)
{
	struct nlattr *expr = mnl_attr_nest_start(nlh, type);
	struct nlattr *data;

	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u64(nlh, NFTA_COUNTER_BYTES, htobe64(bytes));
	mnl_attr_put_u64(nlh, NFTA_COUNTER_PACKETS, htobe64(packets));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, expr);
}

static void
put_set_size(struct nlmsghdr *nlh, uint32_t size)
{
	struct nlattr *desc = mnl_attr_nest_start(nlh, NFTA_SET_DESC);

	mnl_attr_put_u32(nlh, NFTA_SET_DESC_SIZE, htonl(size));
	mnl_attr_nest_end(nlh, desc);
}

static void
put_set(struct nlmsghdr *nlh, const struct nft_set_spec *set)
{
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, set->name);
	/* The kernel wants an id even where nothing in the batch refers to it. */
	mnl_attr_put_u32(nlh, NFTA_SET_ID, htonl(set->id));
	mnl_attr_put_u32(nlh, NFTA_SET_FLAGS, htonl(set->flags));
	mnl_attr_put_u32(nlh, NFTA_SET_KEY_TYPE, htonl(set->key_type));
	mnl_attr_put_u32(nlh, NFTA_SET_KEY_LEN, htonl(set->key_len));
	if (set->flags & NFT_SET_MAP) {
		mnl_attr_put_u32(nlh, NFTA_SET_DATA_TYPE, htonl(set->data_type));
		mnl_attr_put_u32(nlh, NFTA_SET_DATA_LEN, htonl(set->data_len));
	}
	if (set->size)
		put_set_size(nlh, set->size);
	if (set->timeout_ms)
		mnl_attr_put_u64(nlh, NFTA_SET_TIMEOUT, htobe64(set->timeout_ms));
	if (set->gc_ms)
		mnl_attr_put_u32(nlh, NFTA_SET_GC_INTERVAL, htonl(set->gc_ms));
	nft_put_udata(nlh, NFTA_SET_USERDATA, set->udata);
	if (set->counters)
		put_counter(nlh, NFTA_SET_EXPR, 0, 0);
}

void
nft_batch_add_set(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_spec *set, uint64_t cookie)
{
	struct nlmsghdr *nlh;

	if (!check_set(batch, set, cookie))
		return;
	nlh = nft_msg_begin(batch,
		&(struct nft_msg_head){ table, NFT_MSG_NEWSET, NLM_F_CREATE, cookie });
	if (!nlh)
		return;
	put_set(nlh, set);
	nft_msg_end(batch, nlh);
}

void
nft_batch_delete_set(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie)
{
	struct nlmsghdr *nlh;

	if (!nft_batch_check_name(batch, name, cookie))
		return;
	nlh = nft_msg_begin(
		batch, &(struct nft_msg_head){ table, NFT_MSG_DELSET, 0, cookie });
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, name);
	nft_msg_end(batch, nlh);
}

/* Elements. */

/** What is common to the element messages of one call. */
struct elems_call {
	struct nft_batch *batch;
	struct nft_msg_head head;
	const struct nft_set_ref *set;
	bool counts_ranges;
};

static bool
check_elem(const struct elems_call *call, const struct nft_elem *elem)
{
	bool jumps = elem->verdict == NFT_JUMP || elem->verdict == NFT_GOTO;

	if (!elem->key || elem->data_len > NFT_KEY_MAX ||
		(elem->has_verdict && jumps != (elem->chain != NULL))) {
		nft_batch_fail(call->batch, -EINVAL, call->head.cookie);
		return false;
	}
	if (elem->chain &&
		!nft_batch_check_name(call->batch, elem->chain, call->head.cookie))
		return false;
	return nft_batch_check_udata(call->batch, elem->udata, call->head.cookie);
}

static void
put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_verdict(struct nlmsghdr *nlh, const struct nft_elem *elem)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)elem->verdict));
	if (elem->chain)
		mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, elem->chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

static void
put_elem(struct nlmsghdr *nlh, const struct nft_elem *elem, uint32_t key_len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);

	if (elem->interval_end)
		mnl_attr_put_u32(
			nlh, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_value(nlh, NFTA_SET_ELEM_KEY, elem->key, key_len);
	if (elem->has_verdict)
		put_verdict(nlh, elem);
	else if (elem->data)
		put_value(nlh, NFTA_SET_ELEM_DATA, elem->data, elem->data_len);
	nft_put_udata(nlh, NFTA_SET_ELEM_USERDATA, elem->udata);
	if (elem->has_counter)
		put_counter(nlh, NFTA_SET_ELEM_EXPR, elem->packets, elem->bytes);
	mnl_attr_nest_end(nlh, nest);
}

/* One message with as many elements from @elems as go in; returns how many, 0 after a
 * failure. */
static size_t
put_elems(const struct elems_call *call, const struct nft_elem *elems, size_t n,
	size_t first)
{
	struct nlmsghdr *nlh = nft_msg_begin(call->batch, &call->head);
	struct nlattr *list;
	struct nft_msg *msg;
	size_t i;

	if (!nlh)
		return 0;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, call->set->name);
	if (call->set->id)
		mnl_attr_put_u32(nlh, NFTA_SET_ELEM_LIST_SET_ID, htonl(call->set->id));
	list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (i = 0; i < n && nlh->nlmsg_len < ELEMS_MSG_BYTES; i++) {
		if (!check_elem(call, &elems[i]))
			return 0;
		put_elem(nlh, &elems[i], call->set->key_len);
	}
	mnl_attr_nest_end(nlh, list);
	msg = nft_msg_end(call->batch, nlh);
	msg->first_elem = first;
	msg->counts_ranges = call->counts_ranges;
	return i;
}

static bool
check_set_ref(const struct elems_call *call)
{
	if (call->set->key_len == 0 || call->set->key_len > NFT_KEY_MAX) {
		nft_batch_fail(call->batch, -EINVAL, call->head.cookie);
		return false;
	}
	return nft_batch_check_name(call->batch, call->set->name, call->head.cookie);
}

static void
put_all_elems(const struct elems_call *call, const struct nft_elem *elems, size_t n)
{
	size_t done = 0;
	size_t put;

	if (!check_set_ref(call))
		return;
	while (done < n) {
		put = put_elems(call, elems + done, n - done, done);
		if (put == 0)
			return;
		done += put;
	}
}

void
nft_batch_add_elems(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_ref *set, const struct nft_elem *elems, size_t n,
	uint64_t cookie)
{
	put_all_elems(
		&(struct elems_call){
			.batch = batch,
			.head = { table, NFT_MSG_NEWSETELEM, NLM_F_CREATE, cookie },
			.set = set,
		},
		elems, n);
}

void
nft_batch_delete_elems(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_ref *set, const struct nft_elem *elems, size_t n,
	uint64_t cookie)
{
	put_all_elems(
		&(struct elems_call){
			.batch = batch,
			.head = { table, NFT_MSG_DELSETELEM, 0, cookie },
			.set = set,
		},
		elems, n);
}

/* @key + 1 as a big-endian number into @ret; false when it was the highest. */
static bool
next_key(const uint8_t *key, size_t len, uint8_t *ret)
{
	memcpy(ret, key, len);
	while (len-- > 0)
		if (++ret[len] != 0)
			return true;
	return false;
}

void
nft_batch_add_ranges(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_set_ref *set, const struct nft_range *ranges, size_t n,
	uint64_t cookie)
{
	struct elems_call call = {
		.batch = batch,
		.head = { table, NFT_MSG_NEWSETELEM, NLM_F_CREATE, cookie },
		.set = set,
		.counts_ranges = true,
	};
	uint8_t ends[RANGES_AT_ONCE][NFT_KEY_MAX];
	struct nft_elem elems[2 * RANGES_AT_ONCE];
	size_t done = 0;

	if (!check_set_ref(&call))
		return;
	while (done < n && !batch->status) {
		size_t n_elems = 0;
		size_t i;

		for (i = 0; i < RANGES_AT_ONCE && done + i < n; i++) {
			const struct nft_range *range = &ranges[done + i];

			elems[n_elems++] = (struct nft_elem){ .key = range->lo };
			if (next_key(range->hi, set->key_len, ends[i]))
				elems[n_elems++] = (struct nft_elem){ .key = ends[i],
					.interval_end = true };
		}
		/* So few go into one message, at 80 bytes or less each. */
		put_elems(&call, elems, n_elems, done);
		done += i;
	}
}
