/*
 * nft_emit_fold.c - a shape as the kernel has it: the set of its keys, and the rule
 * that looks up the key of a packet and drops what is found. Also what the call of a
 * chain says about it.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

#include <linux/if_ether.h>

#include "aclserver/nft_emit.h"
#include "aclserver/nft_field.h"
#include "common/nft_expr.h"

enum {
	LOOKUP_TYPE = NFT_UDATA_OWN + 4, /* of a lookup: name of the set */
	CALL_TYPE = NFT_UDATA_OWN + 5,   /* of a call: 1 = divides, 0 = does not */
};

void
nft_emit_fold_set(const struct nft_emit *emit, const char *name,
	const struct fold_shape *shape, uint64_t cookie)
{
	struct nft_set_spec spec = {
		.name = name,
		.id = nft_batch_new_id(emit->batch),
		.key_type = fold_key_type(shape),
		.key_len = (uint32_t)fold_key_len(shape),
		.counters = true,
	};
	struct nft_udata udata;

	fold_shape_encode(shape, &udata);
	spec.udata = nft_udata_blob(&udata);
	nft_batch_add_set(emit->batch, &emit->table, &spec, cookie);
}

/* What all rules of the shape test first. */
static void
put_constants(struct nft_rule *rule, const struct nft_emit *emit,
	const struct fold_shape *shape)
{
	uint8_t nfproto = shape->l3proto == ETH_P_IP ? NFPROTO_IPV4 : NFPROTO_IPV6;
	uint8_t l3proto[] = { (uint8_t)(shape->l3proto >> 8), (uint8_t)shape->l3proto };
	uint8_t l4proto = (uint8_t)shape->l4proto;

	if (shape->l3proto != 0 && emit->table.family == NFPROTO_BRIDGE) {
		nft_rule_load_meta(rule, NFT_META_PROTOCOL);
		nft_rule_cmp(rule, NFT_CMP_EQ, l3proto, sizeof(l3proto));
	} else if (shape->l3proto != 0) {
		nft_rule_load_meta(rule, NFT_META_NFPROTO);
		nft_rule_cmp(rule, NFT_CMP_EQ, &nfproto, sizeof(nfproto));
	}
	if (shape->l4proto != FOLD_L4PROTO_NONE) {
		nft_rule_load_meta(rule, NFT_META_L4PROTO);
		nft_rule_cmp(rule, NFT_CMP_EQ, &l4proto, sizeof(l4proto));
	}
}

static void
put_prefix(struct nft_rule *rule, enum field field, const char *prefix)
{
	if (prefix[0] == '\0')
		return;
	nft_emit_load_name(rule, field, false);
	nft_rule_cmp(rule, NFT_CMP_EQ, prefix, (uint32_t)strlen(prefix));
}

/* "swp1", or "swp+" for what begins with "swp". */
static void
put_name(struct nft_rule *rule, enum field field, const char name[FOLD_NAME_SIZE])
{
	uint32_t len = (uint32_t)strlen(name);

	if (len == 0)
		return;
	nft_emit_load_name(rule, field, false);
	nft_rule_cmp(rule, NFT_CMP_EQ, name,
		name[len - 1] == '+' ? len - 1 : (uint32_t)FOLD_NAME_SIZE);
}

static bool
reads(const struct fold_shape *shape, enum nft_source source)
{
	for (size_t i = 0; i < shape->n_parts; i++)
		if (nft_field(shape->parts[i].field)->source == source)
			return true;
	return false;
}

/* What has to be there before the key is read. Outside the bridge family not every
 * device is an Ethernet one; a later fragment has no ports. */
static void
put_guards(struct nft_rule *rule, const struct nft_emit *emit,
	const struct fold_shape *shape)
{
	uint16_t ether = ARPHRD_ETHER;

	if (reads(shape, NFT_SOURCE_LINK) && emit->table.family != NFPROTO_BRIDGE) {
		nft_rule_load_meta(rule, NFT_META_IIFTYPE);
		nft_rule_cmp(rule, NFT_CMP_EQ, &ether, sizeof(ether));
	}
	if (reads(shape, NFT_SOURCE_TRANSPORT))
		nft_rule_need_transport(rule);
}

static void
put_load(struct nft_rule *rule, enum field field)
{
	const struct nft_field *at = nft_field(field);

	switch (at->source) {
	case NFT_SOURCE_LINK:
		nft_rule_load_payload(rule, NFT_PAYLOAD_LL_HEADER, at->key, at->len);
		return;
	case NFT_SOURCE_NETWORK:
		nft_rule_load_payload(
			rule, NFT_PAYLOAD_NETWORK_HEADER, at->key, at->len);
		return;
	case NFT_SOURCE_TRANSPORT:
		nft_rule_load_payload(
			rule, NFT_PAYLOAD_TRANSPORT_HEADER, at->key, at->len);
		return;
	default: /* a key has no other fields than those and names */
		nft_emit_load_name(rule, field, false);
	}
}

/* Parts stand in registers of 4 bytes, one behind the other, as they do in the key. */
void
nft_emit_fold_key(struct nft_rule *rule, const struct fold_shape *shape)
{
	static const uint8_t zero[NFT_REG_BYTES];
	uint32_t reg = NFT_REG32_00;

	for (size_t i = 0; i < shape->n_parts; i++) {
		const struct fold_part *part = &shape->parts[i];
		uint8_t len = fold_part_len(part->field);

		nft_rule_use_reg(rule, reg);
		put_load(rule, part->field);
		if (!fold_part_is_whole(part))
			nft_rule_bitwise(rule, part->mask, zero, len);
		reg += (len + 3u) / 4u;
	}
	nft_rule_use_reg(rule, NFT_REG32_00);
}

int
nft_emit_fold_lookup(const struct nft_emit *emit, const char *name,
	const struct fold_shape *shape, uint64_t cookie)
{
	const struct nft_set_ref set = { name, 0, (uint32_t)fold_key_len(shape) };
	struct nft_rule *rule = nft_rule_new();
	struct nft_udata udata;

	if (!rule)
		return -ENOMEM;
	put_constants(rule, emit, shape);
	put_prefix(rule, FIELD_IIFNAME, shape->in_prefix);
	put_prefix(rule, FIELD_OIFNAME, shape->out_prefix);
	put_name(rule, FIELD_PORT, shape->port_name);
	put_name(rule, FIELD_ROUTE, shape->route_name);
	put_guards(rule, emit, shape);
	nft_emit_fold_key(rule, shape);
	nft_rule_lookup(rule, &set, false);
	nft_rule_verdict(rule, NF_DROP, NULL);
	nft_udata_init(&udata);
	/* A name of ours fits. */
	(void)nft_udata_put(&udata, LOOKUP_TYPE, name, strlen(name));
	nft_rule_set_udata(rule, nft_udata_blob(&udata));
	nft_batch_add_rule(emit->batch, &emit->table, &emit->at, rule, cookie);
	nft_rule_free(rule);
	return 0;
}

bool
nft_emit_read_lookup(struct nft_blob udata, char ret_name[FOLD_SET_NAME_SIZE])
{
	size_t len = 0;
	const uint8_t *name = nft_udata_find(udata.data, udata.len, LOOKUP_TYPE, &len);

	if (!name || len == 0 || len >= FOLD_SET_NAME_SIZE)
		return false;
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
	return true;
}

void
nft_emit_write_call(bool divides, struct nft_udata *ret)
{
	uint8_t value = divides;

	nft_udata_init(ret);
	(void)nft_udata_put(ret, CALL_TYPE, &value, sizeof(value)); /* it fits */
}

bool
nft_emit_call_divides(struct nft_blob udata)
{
	size_t len = 0;
	const uint8_t *value = nft_udata_find(udata.data, udata.len, CALL_TYPE, &len);

	return !value || len != 1 || *value != 0;
}
