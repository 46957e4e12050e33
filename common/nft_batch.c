/*
 * nft_batch.c - the transaction under construction: its buffer, and the messages for
 * tables, chains and rules. Sets are in nft_set.c.
 *
 * Envelopes are plain attributes put by libmnl; libnftnl builds what is inside a rule.
 * Both write without looking at the room, so every message begins with MSG_ROOM bytes
 * free, which is more than any message can take: names, user data, device lists,
 * expressions and elements are all bounded before.
 */
#include <endian.h>
#include <errno.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/nft_expr.h"
#include "common/nft_internal.h"

enum {
	MSG_ROOM = 128 << 10,
	BATCH_FIRST_BYTES = 256 << 10,
	BATCH_KEPT_BYTES = 1 << 20, /* a larger buffer is given back at reset */
	MSGS_FIRST = 64,
	ATTR_BYTES_MAX = UINT16_MAX, /* what an attribute's length can say */
};

struct nft_batch *
nft_batch_new(void)
{
	struct nft_batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		batch->next_id = 1;
	return batch;
}

static void
batch_free_memory(struct nft_batch *batch)
{
	free(batch->data);
	free(batch->msgs);
	batch->data = NULL;
	batch->msgs = NULL;
	batch->size = 0;
	batch->msgs_size = 0;
}

void
nft_batch_free(struct nft_batch *batch)
{
	if (!batch)
		return;
	batch_free_memory(batch);
	free(batch);
}

void
nft_batch_reset(struct nft_batch *batch)
{
	if (batch->size > BATCH_KEPT_BYTES)
		batch_free_memory(batch);
	batch->len = 0;
	batch->n_msgs = 0;
	batch->status = 0;
	batch->failed_cookie = 0;
	batch->next_id = 1;
}

int
nft_batch_status(const struct nft_batch *batch, uint64_t *ret_cookie)
{
	if (ret_cookie)
		*ret_cookie = batch->failed_cookie;
	return batch->status;
}

size_t
nft_batch_count(const struct nft_batch *batch)
{
	return batch->n_msgs;
}

size_t
nft_batch_bytes(const struct nft_batch *batch)
{
	return batch->len;
}

void
nft_batch_rewind(struct nft_batch *batch, size_t count)
{
	if (count < batch->n_msgs) {
		batch->len = batch->msgs[count].offset;
		batch->n_msgs = count;
	}
	batch->status = 0;
	batch->failed_cookie = 0;
}

uint32_t
nft_batch_new_id(struct nft_batch *batch)
{
	return batch->next_id++;
}

void
nft_batch_fail(struct nft_batch *batch, int code, uint64_t cookie)
{
	if (batch->status)
		return;
	batch->status = code;
	batch->failed_cookie = cookie;
}

bool
nft_batch_check_name(struct nft_batch *batch, const char *name, uint64_t cookie)
{
	if (name && name[0] && strlen(name) <= NFT_NAME_MAX)
		return true;
	nft_batch_fail(batch, -EINVAL, cookie);
	return false;
}

bool
nft_batch_check_udata(struct nft_batch *batch, struct nft_blob udata, uint64_t cookie)
{
	if (udata.len <= NFT_UDATA_MAX)
		return true;
	nft_batch_fail(batch, -EINVAL, cookie);
	return false;
}

static int
grow_data(struct nft_batch *batch)
{
	size_t need = batch->len + MSG_ROOM;
	size_t size = batch->size ? batch->size : BATCH_FIRST_BYTES;
	uint8_t *data;

	if (batch->len > NFT_BATCH_BYTES_MAX)
		return -EMSGSIZE;
	while (size < need)
		size *= 2;
	if (size == batch->size)
		return 0;
	data = realloc(batch->data, size);
	if (!data)
		return -ENOMEM;
	batch->data = data;
	batch->size = size;
	return 0;
}

static int
grow_msgs(struct nft_batch *batch)
{
	size_t size = batch->msgs_size ? batch->msgs_size * 2 : MSGS_FIRST;
	struct nft_msg *msgs;

	if (batch->n_msgs < batch->msgs_size)
		return 0;
	msgs = reallocarray(batch->msgs, size, sizeof(*msgs));
	if (!msgs)
		return -ENOMEM;
	batch->msgs = msgs;
	batch->msgs_size = size;
	return 0;
}

struct nlmsghdr *
nft_msg_begin(struct nft_batch *batch, const struct nft_msg_head *head)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;
	int code;

	if (!nft_batch_check_name(batch, head->table->name, head->cookie) ||
		batch->status)
		return NULL;
	code = grow_data(batch);
	if (!code)
		code = grow_msgs(batch);
	if (code) {
		nft_batch_fail(batch, code, head->cookie);
		return NULL;
	}
	batch->msgs[batch->n_msgs] = (struct nft_msg){
		.cookie = head->cookie,
		.offset = batch->len,
	};
	nlh = mnl_nlmsg_put_header(batch->data + batch->len);
	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | head->type);
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | head->flags);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = head->table->family;
	nfg->version = NFNETLINK_V0;
	/* The name of the table is attribute 1 of every object. */
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, head->table->name);
	return nlh;
}

struct nft_msg *
nft_msg_end(struct nft_batch *batch, const struct nlmsghdr *nlh)
{
	batch->len += MNL_ALIGN(nlh->nlmsg_len);
	return &batch->msgs[batch->n_msgs++];
}

void
nft_put_udata(struct nlmsghdr *nlh, uint16_t type, struct nft_blob udata)
{
	if (udata.data && udata.len)
		mnl_attr_put(nlh, type, udata.len, udata.data);
}

/* Tables. */

static void
put_table(struct nft_batch *batch, const struct nft_msg_head *head)
{
	struct nlmsghdr *nlh = nft_msg_begin(batch, head);

	if (nlh)
		nft_msg_end(batch, nlh);
}

void
nft_batch_add_table(
	struct nft_batch *batch, const struct nft_table *table, uint64_t cookie)
{
	put_table(batch, &(struct nft_msg_head){
				 table, NFT_MSG_NEWTABLE, NLM_F_CREATE, cookie });
}

/* NFT_MSG_DESTROYTABLE would be one message, but Linux 6.1 does not have it. */
void
nft_batch_delete_table(
	struct nft_batch *batch, const struct nft_table *table, uint64_t cookie)
{
	nft_batch_add_table(batch, table, cookie);
	put_table(batch, &(struct nft_msg_head){ table, NFT_MSG_DELTABLE, 0, cookie });
}

/* Chains. */

/* A message about one chain, which is not finished yet. */
static struct nlmsghdr *
chain_begin(struct nft_batch *batch, const struct nft_msg_head *head, const char *name)
{
	struct nlmsghdr *nlh;

	if (!nft_batch_check_name(batch, name, head->cookie))
		return NULL;
	nlh = nft_msg_begin(batch, head);
	if (nlh)
		mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	return nlh;
}

static bool
check_base_chain(
	struct nft_batch *batch, const struct nft_base_chain *chain, uint64_t cookie)
{
	if (chain->n_devices > NFT_DEVICES_MAX) {
		nft_batch_fail(batch, -E2BIG, cookie);
		return false;
	}
	for (size_t i = 0; i < chain->n_devices; i++)
		if (!nft_batch_check_name(batch, chain->devices[i], cookie))
			return false;
	return nft_batch_check_name(batch, chain->type, cookie) &&
	       nft_batch_check_udata(batch, chain->udata, cookie);
}

static void
put_hook(struct nlmsghdr *nlh, const struct nft_base_chain *chain)
{
	struct nlattr *hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	struct nlattr *devices;

	mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(chain->hook));
	mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl((uint32_t)chain->priority));
	if (chain->n_devices) {
		devices = mnl_attr_nest_start(nlh, NFTA_HOOK_DEVS);
		for (size_t i = 0; i < chain->n_devices; i++)
			mnl_attr_put_strz(nlh, NFTA_DEVICE_NAME, chain->devices[i]);
		mnl_attr_nest_end(nlh, devices);
	}
	mnl_attr_nest_end(nlh, hook);
}

void
nft_batch_add_base_chain(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_base_chain *chain, uint64_t cookie)
{
	struct nlmsghdr *nlh;

	if (!check_base_chain(batch, chain, cookie))
		return;
	nlh = chain_begin(batch,
		&(struct nft_msg_head){ table, NFT_MSG_NEWCHAIN, NLM_F_CREATE, cookie },
		chain->name);
	if (!nlh)
		return;
	put_hook(nlh, chain);
	mnl_attr_put_u32(nlh, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, chain->type);
	nft_put_udata(nlh, NFTA_CHAIN_USERDATA, chain->udata);
	nft_msg_end(batch, nlh);
}

void
nft_batch_add_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, struct nft_blob udata, uint64_t cookie)
{
	struct nlmsghdr *nlh;

	if (!nft_batch_check_udata(batch, udata, cookie))
		return;
	nlh = chain_begin(batch,
		&(struct nft_msg_head){
			table, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, cookie },
		name);
	if (!nlh)
		return;
	nft_put_udata(nlh, NFTA_CHAIN_USERDATA, udata);
	nft_msg_end(batch, nlh);
}

void
nft_batch_ensure_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie)
{
	struct nlmsghdr *nlh = chain_begin(batch,
		&(struct nft_msg_head){ table, NFT_MSG_NEWCHAIN, NLM_F_CREATE, cookie },
		name);

	if (nlh)
		nft_msg_end(batch, nlh);
}

void
nft_batch_delete_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie)
{
	struct nlmsghdr *nlh = chain_begin(batch,
		&(struct nft_msg_head){ table, NFT_MSG_DELCHAIN, 0, cookie }, name);

	if (nlh)
		nft_msg_end(batch, nlh);
}

/* Rules. */

/* A message about the rules of one chain, which is not finished yet. */
static struct nlmsghdr *
rule_begin(struct nft_batch *batch, const struct nft_msg_head *head, const char *chain)
{
	struct nlmsghdr *nlh;

	if (!nft_batch_check_name(batch, chain, head->cookie))
		return NULL;
	nlh = nft_msg_begin(batch, head);
	if (nlh)
		mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	return nlh;
}

void
nft_batch_flush_chain(struct nft_batch *batch, const struct nft_table *table,
	const char *name, uint64_t cookie)
{
	struct nlmsghdr *nlh = rule_begin(batch,
		&(struct nft_msg_head){ table, NFT_MSG_DELRULE, 0, cookie }, name);

	if (nlh)
		nft_msg_end(batch, nlh);
}

void
nft_batch_delete_rule(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_rule_ref *rule, uint64_t cookie)
{
	struct nlmsghdr *nlh;

	/* Without a handle it would mean: all rules. */
	if (!rule->handle) {
		nft_batch_fail(batch, -EINVAL, cookie);
		return;
	}
	nlh = rule_begin(batch,
		&(struct nft_msg_head){ table, NFT_MSG_DELRULE, 0, cookie },
		rule->chain);
	if (!nlh)
		return;
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(rule->handle));
	nft_msg_end(batch, nlh);
}

/* With NLM_F_APPEND "behind", of the named rule or of all; without it "in front". */
static uint16_t
rule_flags(const struct nft_rule_at *at)
{
	uint16_t echo = at->want_handle ? NLM_F_ECHO : 0;

	switch (at->where) {
	case NFT_WHERE_REPLACE:
		return NLM_F_REPLACE | echo;
	case NFT_WHERE_APPEND:
	case NFT_WHERE_AFTER:
	case NFT_WHERE_AFTER_ID:
		return NLM_F_CREATE | NLM_F_APPEND | echo;
	default:
		return NLM_F_CREATE | echo;
	}
}

static void
put_position(struct nlmsghdr *nlh, const struct nft_rule_at *at)
{
	switch (at->where) {
	case NFT_WHERE_APPEND:
	case NFT_WHERE_PREPEND:
		break;
	case NFT_WHERE_BEFORE:
	case NFT_WHERE_AFTER:
		mnl_attr_put_u64(nlh, NFTA_RULE_POSITION, htobe64(at->ref));
		break;
	case NFT_WHERE_BEFORE_ID:
	case NFT_WHERE_AFTER_ID:
		mnl_attr_put_u32(nlh, NFTA_RULE_POSITION_ID, htonl((uint32_t)at->ref));
		break;
	case NFT_WHERE_REPLACE:
		mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(at->ref));
		break;
	}
	if (at->id)
		mnl_attr_put_u32(nlh, NFTA_RULE_ID, htonl(at->id));
}

static bool
needs_ref(enum nft_where where)
{
	return where != NFT_WHERE_APPEND && where != NFT_WHERE_PREPEND;
}

void
nft_batch_add_rule(struct nft_batch *batch, const struct nft_table *table,
	const struct nft_rule_at *at, const struct nft_rule *rule, uint64_t cookie)
{
	int code = nft_rule_status(rule);
	struct nlmsghdr *nlh;

	if (!code && needs_ref(at->where) != (at->ref != 0))
		code = -EINVAL;
	if (code) {
		nft_batch_fail(batch, code, cookie);
		return;
	}
	nlh = rule_begin(batch,
		&(struct nft_msg_head){
			table, NFT_MSG_NEWRULE, rule_flags(at), cookie },
		at->chain);
	if (!nlh)
		return;
	put_position(nlh, at);
	nftnl_rule_nlmsg_build_payload(nlh, nft_rule_object(rule));
	if (nlh->nlmsg_len > ATTR_BYTES_MAX) {
		nft_batch_fail(batch, -EMSGSIZE, cookie);
		return;
	}
	nft_msg_end(batch, nlh);
}
