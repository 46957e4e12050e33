/*
 * nft_decode.c - messages of the kernel to values. Pure: bytes in, values out.
 *
 * Attributes are read with libmnl alone: libnftnl refuses a whole rule for one
 * expression that it does not know, and we only want a few facts of each. Every length
 * is checked; an attribute of the wrong size makes the message malformed.
 */
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "common/nft_internal.h"

enum { ATTRS_MAX = 32 }; /* no object here has more attribute types */

/** The attributes of one level by type; NULL where absent. */
struct attrs {
	const struct nlattr *at[ATTRS_MAX];
	bool malformed;
};

const struct nlmsghdr *
nft_next_message(const void *data, size_t len, size_t *pos)
{
	const struct nlmsghdr *nlh = (const void *)((const uint8_t *)data + *pos);
	size_t left = *pos < len ? len - *pos : 0;

	/* Compared first as it is: aligned, the largest length is 0 in 32 bits. */
	if (left < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) ||
		nlh->nlmsg_len > left || MNL_ALIGN((size_t)nlh->nlmsg_len) > left)
		return NULL;
	*pos += MNL_ALIGN((size_t)nlh->nlmsg_len);
	return nlh;
}

static int
collect_attr(const struct nlattr *attr, void *data)
{
	struct attrs *attrs = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRS_MAX)
		attrs->at[type] = attr;
	return MNL_CB_OK;
}

static int
parse_message(const struct nlmsghdr *nlh, struct attrs *ret)
{
	*ret = (struct attrs){ 0 };
	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg))
		return -EBADMSG;
	(void)mnl_attr_parse(nlh, sizeof(struct nfgenmsg), collect_attr, ret);
	return 0;
}

static struct attrs
parse_nested(const struct nlattr *nest)
{
	struct attrs attrs = { 0 };

	if (nest)
		(void)mnl_attr_parse_nested(nest, collect_attr, &attrs);
	return attrs;
}

/* Readers of one attribute: the default when absent; @a->malformed when of another
 * shape. */

static const char *
get_str(struct attrs *a, int type)
{
	if (!a->at[type])
		return NULL;
	if (mnl_attr_validate(a->at[type], MNL_TYPE_NUL_STRING) < 0) {
		a->malformed = true;
		return NULL;
	}
	return mnl_attr_get_str(a->at[type]);
}

static uint32_t
get_be32(struct attrs *a, int type)
{
	uint32_t value = 0;

	if (!a->at[type])
		return 0;
	if (mnl_attr_get_payload_len(a->at[type]) != sizeof(value)) {
		a->malformed = true;
		return 0;
	}
	memcpy(&value, mnl_attr_get_payload(a->at[type]), sizeof(value));
	return be32toh(value);
}

static uint64_t
get_be64(struct attrs *a, int type)
{
	uint64_t value = 0;

	if (!a->at[type])
		return 0;
	if (mnl_attr_get_payload_len(a->at[type]) != sizeof(value)) {
		a->malformed = true;
		return 0;
	}
	memcpy(&value, mnl_attr_get_payload(a->at[type]), sizeof(value));
	return be64toh(value);
}

static struct nft_blob
get_blob(const struct nlattr *attr)
{
	if (!attr)
		return (struct nft_blob){ 0 };
	return (struct nft_blob){ mnl_attr_get_payload(attr),
		mnl_attr_get_payload_len(attr) };
}

static int
decode_hook(const struct nlattr *nest, struct nft_chain_info *ret)
{
	struct attrs a = parse_nested(nest);

	if (!a.at[NFTA_HOOK_HOOKNUM] || !a.at[NFTA_HOOK_PRIORITY])
		return -EBADMSG;
	ret->is_base = true;
	ret->hook = get_be32(&a, NFTA_HOOK_HOOKNUM);
	ret->priority = (int32_t)get_be32(&a, NFTA_HOOK_PRIORITY);
	return a.malformed ? -EBADMSG : 0;
}

int
nft_decode_chain(const struct nlmsghdr *nlh, struct nft_chain_info *ret)
{
	struct attrs a;
	const char *type;

	*ret = (struct nft_chain_info){ 0 };
	if (parse_message(nlh, &a) < 0)
		return -EBADMSG;
	ret->table = get_str(&a, NFTA_CHAIN_TABLE);
	ret->name = get_str(&a, NFTA_CHAIN_NAME);
	ret->handle = get_be64(&a, NFTA_CHAIN_HANDLE);
	ret->udata = get_blob(a.at[NFTA_CHAIN_USERDATA]);
	type = get_str(&a, NFTA_CHAIN_TYPE);
	ret->type = type ? type : "";
	if (a.malformed || !ret->table || !ret->name)
		return -EBADMSG;
	return a.at[NFTA_CHAIN_HOOK] ? decode_hook(a.at[NFTA_CHAIN_HOOK], ret) : 0;
}

/* What of an expression is of interest, for rules and elements alike. */
struct expr_facts {
	bool has_counter;
	uint64_t packets;
	uint64_t bytes;
	bool has_second;
	uint64_t second_packets;
	uint64_t second_bytes;
	const char *target;
	struct nft_blob constant;
	bool malformed;
};

static void
decode_counter(const struct nlattr *nest, struct expr_facts *facts)
{
	struct attrs a = parse_nested(nest);

	if (!facts->has_counter) {
		facts->has_counter = true;
		facts->packets = get_be64(&a, NFTA_COUNTER_PACKETS);
		facts->bytes = get_be64(&a, NFTA_COUNTER_BYTES);
	} else if (!facts->has_second) {
		facts->has_second = true;
		facts->second_packets = get_be64(&a, NFTA_COUNTER_PACKETS);
		facts->second_bytes = get_be64(&a, NFTA_COUNTER_BYTES);
	}
	facts->malformed |= a.malformed;
}

/* A verdict's code and target out of an NFTA_DATA_* nest; false when it is no verdict.
 */
static bool
decode_verdict(const struct nlattr *data, int *ret_code, const char **ret_target,
	bool *malformed)
{
	struct attrs outer = parse_nested(data);
	struct attrs a;

	if (!outer.at[NFTA_DATA_VERDICT])
		return false;
	a = parse_nested(outer.at[NFTA_DATA_VERDICT]);
	*ret_code = (int)get_be32(&a, NFTA_VERDICT_CODE);
	*ret_target = get_str(&a, NFTA_VERDICT_CHAIN);
	*malformed |= a.malformed;
	return true;
}

static void
decode_immediate(const struct nlattr *nest, struct expr_facts *facts)
{
	struct attrs a = parse_nested(nest);
	const char *target = NULL;
	struct attrs data;
	int code;

	if (decode_verdict(
		    a.at[NFTA_IMMEDIATE_DATA], &code, &target, &facts->malformed) &&
		target)
		facts->target = target;
	data = parse_nested(a.at[NFTA_IMMEDIATE_DATA]);
	if (data.at[NFTA_DATA_VALUE])
		facts->constant = get_blob(data.at[NFTA_DATA_VALUE]);
}

static void
decode_expr(const struct nlattr *expr, struct expr_facts *facts)
{
	struct attrs a = parse_nested(expr);
	const char *name = get_str(&a, NFTA_EXPR_NAME);

	facts->malformed |= a.malformed;
	if (!name)
		return;
	if (strcmp(name, "counter") == 0)
		decode_counter(a.at[NFTA_EXPR_DATA], facts);
	else if (strcmp(name, "immediate") == 0)
		decode_immediate(a.at[NFTA_EXPR_DATA], facts);
}

static void
decode_exprs(const struct nlattr *list, struct expr_facts *facts)
{
	const struct nlattr *expr;

	if (!list)
		return;
	mnl_attr_for_each_nested(expr, list) decode_expr(expr, facts);
}

int
nft_decode_rule(const struct nlmsghdr *nlh, struct nft_rule_info *ret)
{
	struct expr_facts facts = { 0 };
	struct attrs a;

	*ret = (struct nft_rule_info){ 0 };
	if (parse_message(nlh, &a) < 0)
		return -EBADMSG;
	ret->table = get_str(&a, NFTA_RULE_TABLE);
	ret->chain = get_str(&a, NFTA_RULE_CHAIN);
	ret->handle = get_be64(&a, NFTA_RULE_HANDLE);
	ret->udata = get_blob(a.at[NFTA_RULE_USERDATA]);
	decode_exprs(a.at[NFTA_RULE_EXPRESSIONS], &facts);
	ret->has_counter = facts.has_counter;
	ret->packets = facts.packets;
	ret->bytes = facts.bytes;
	ret->has_second = facts.has_second;
	ret->second_packets = facts.second_packets;
	ret->second_bytes = facts.second_bytes;
	ret->target = facts.target;
	ret->constant = facts.constant;
	if (a.malformed || facts.malformed || !ret->table || !ret->chain)
		return -EBADMSG;
	return 0;
}

int
nft_decode_set(const struct nlmsghdr *nlh, struct nft_set_info *ret)
{
	struct attrs a;
	struct attrs desc;

	*ret = (struct nft_set_info){ 0 };
	if (parse_message(nlh, &a) < 0)
		return -EBADMSG;
	desc = parse_nested(a.at[NFTA_SET_DESC]);
	ret->table = get_str(&a, NFTA_SET_TABLE);
	ret->name = get_str(&a, NFTA_SET_NAME);
	ret->handle = get_be64(&a, NFTA_SET_HANDLE);
	ret->flags = get_be32(&a, NFTA_SET_FLAGS);
	ret->key_type = get_be32(&a, NFTA_SET_KEY_TYPE);
	ret->key_len = get_be32(&a, NFTA_SET_KEY_LEN);
	ret->data_type = get_be32(&a, NFTA_SET_DATA_TYPE);
	ret->data_len = get_be32(&a, NFTA_SET_DATA_LEN);
	ret->size = get_be32(&desc, NFTA_SET_DESC_SIZE);
	ret->udata = get_blob(a.at[NFTA_SET_USERDATA]);
	if (a.malformed || desc.malformed || !ret->table || !ret->name)
		return -EBADMSG;
	return 0;
}

static int
decode_elem(const struct nlattr *elem, struct nft_elem_info *ret)
{
	struct attrs a = parse_nested(elem);
	struct attrs key = parse_nested(a.at[NFTA_SET_ELEM_KEY]);
	struct attrs data = parse_nested(a.at[NFTA_SET_ELEM_DATA]);
	struct expr_facts facts = { 0 };
	struct nft_blob blob = get_blob(key.at[NFTA_DATA_VALUE]);

	*ret = (struct nft_elem_info){ .key = blob.data, .key_len = blob.len };
	ret->interval_end =
		get_be32(&a, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END;
	ret->has_verdict = decode_verdict(a.at[NFTA_SET_ELEM_DATA], &ret->verdict,
		&ret->target, &facts.malformed);
	blob = get_blob(data.at[NFTA_DATA_VALUE]);
	ret->data = blob.data;
	ret->data_len = blob.len;
	/* One expression, or a list when the set has several. */
	if (a.at[NFTA_SET_ELEM_EXPR])
		decode_expr(a.at[NFTA_SET_ELEM_EXPR], &facts);
	decode_exprs(a.at[NFTA_SET_ELEM_EXPRESSIONS], &facts);
	ret->has_counter = facts.has_counter;
	ret->packets = facts.packets;
	ret->bytes = facts.bytes;
	ret->udata = get_blob(a.at[NFTA_SET_ELEM_USERDATA]);
	return a.malformed || facts.malformed ? -EBADMSG : 0;
}

int
nft_decode_elems(const struct nlmsghdr *nlh, nft_elem_fn fn, void *user_data)
{
	struct nft_elem_info info;
	const struct nlattr *elem;
	struct attrs a;
	int result = 0;

	if (parse_message(nlh, &a) < 0)
		return -EBADMSG;
	if (!a.at[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	mnl_attr_for_each_nested(elem, a.at[NFTA_SET_ELEM_LIST_ELEMENTS])
	{
		result = decode_elem(elem, &info);
		if (result == 0)
			result = fn(&info, user_data);
		if (result != 0)
			break;
	}
	return result;
}

int64_t
nft_decode_elem_at(const struct nlmsghdr *nlh, uint32_t offset, bool counts_ranges)
{
	const uint8_t *at = (const uint8_t *)nlh + offset;
	const struct nlattr *elem;
	int64_t index = -1;
	struct attrs a;

	if (parse_message(nlh, &a) < 0 || !a.at[NFTA_SET_ELEM_LIST_ELEMENTS])
		return -1;
	mnl_attr_for_each_nested(elem, a.at[NFTA_SET_ELEM_LIST_ELEMENTS])
	{
		struct attrs e = parse_nested(elem);
		bool is_end =
			get_be32(&e, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END;

		if (!counts_ranges || !is_end)
			index++;
		if (at >= (const uint8_t *)elem &&
			at < (const uint8_t *)elem + elem->nla_len)
			return index;
	}
	return -1;
}

/* Where the attributes of an extended answer begin: behind the header of the message it
 * is about, and, unless the kernel left it out, that message's body. */
static size_t
ack_attrs_offset(const struct nlmsghdr *nlh, const struct nlmsgerr *error)
{
	size_t offset = sizeof(*error);

	if (nlh->nlmsg_flags & NLM_F_CAPPED || error->error == 0 ||
		error->msg.nlmsg_len <= MNL_NLMSG_HDRLEN)
		return offset;
	if (error->msg.nlmsg_len > nlh->nlmsg_len)
		return SIZE_MAX; /* before a sum could overflow */
	return offset + MNL_ALIGN((size_t)error->msg.nlmsg_len - MNL_NLMSG_HDRLEN);
}

int
nft_decode_ack(const struct nlmsghdr *nlh, struct nft_ack *ret)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	struct attrs a = { 0 };
	size_t offset;

	*ret = (struct nft_ack){ 0 };
	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*error))
		return -EBADMSG;
	ret->code = error->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	offset = ack_attrs_offset(nlh, error);
	if (offset > mnl_nlmsg_get_payload_len(nlh))
		return -EBADMSG;
	(void)mnl_attr_parse(nlh, (unsigned)offset, collect_attr, &a);
	ret->text = get_str(&a, NLMSGERR_ATTR_MSG);
	if (a.at[NLMSGERR_ATTR_OFFS] &&
		mnl_attr_get_payload_len(a.at[NLMSGERR_ATTR_OFFS]) == 4) {
		ret->has_offset = true;
		ret->offset = mnl_attr_get_u32(a.at[NLMSGERR_ATTR_OFFS]);
	}
	return a.malformed ? -EBADMSG : 0;
}
