/*
 * nft_emit_meter.c - meters as nftables expressions and sets: what packets write down
 * about themselves.
 */
#include <errno.h>
#include <string.h>

#include "aclserver/nft_emit.h"
#include "aclserver/nft_field.h"
#include "common/nft_expr.h"

/* The key, as that of folded rules: the same registers and padding. */
static int
shape_of(const struct ruleset_meter *meter, struct fold_shape *ret)
{
	*ret = (struct fold_shape){ .n_parts = meter->n_parts };
	if (meter->n_parts == 0 || meter->n_parts > METER_PARTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < meter->n_parts; i++) {
		ret->parts[i].field = meter->parts[i].field;
		memcpy(ret->parts[i].mask, meter->parts[i].mask,
			sizeof(ret->parts[i].mask));
	}
	return 0;
}

void
nft_emit_meter_set(
	const struct nft_emit *emit, const struct ruleset_meter *meter, uint64_t cookie)
{
	struct fold_shape shape;
	struct nft_set_spec spec = {
		.name = meter->set->name,
		.id = nft_batch_new_id(emit->batch),
		.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
		.size = meter->set->size,
		.timeout_ms = meter->set->timeout_ms,
		.gc_ms = meter->set->gc_ms,
	};

	(void)shape_of(meter, &shape); /* a key of no length is refused below */
	spec.key_type = fold_key_type(&shape);
	spec.key_len = (uint32_t)fold_key_len(&shape);
	nft_batch_add_set(emit->batch, &emit->table, &spec, cookie);
}

static bool
reads_transport(const struct ruleset_meter *meter)
{
	for (size_t i = 0; i < meter->n_parts; i++)
		if (nft_field(meter->parts[i].field)->source == NFT_SOURCE_TRANSPORT)
			return true;
	return false;
}

static void
put_change(struct nft_rule *out, const struct ruleset_meter *meter,
	const struct nft_set_ref *set)
{
	static const uint32_t ops[] = {
		[METER_UPDATE] = NFT_DYNSET_OP_UPDATE,
		[METER_ADD] = NFT_DYNSET_OP_ADD,
		[METER_DELETE] = NFT_DYNSET_OP_DELETE,
	};
	struct nft_dynset how = { .op = ops[meter->op] };
	struct nft_limit limit = { 0 };

	if (meter->limit) {
		limit.rate = meter->limit->rate;
		limit.unit_s = meter->limit->unit_s;
		limit.burst = meter->limit->burst;
		limit.over = meter->limit->over;
		limit.type = meter->limit->bytes ? NFT_LIMIT_PKT_BYTES : NFT_LIMIT_PKTS;
		how.limit = &limit;
	}
	nft_rule_dynset(out, set, &how);
}

int
nft_emit_meter(struct nft_rule *out, const struct ruleset_meter *meter)
{
	struct nft_set_ref set = { .name = meter->set->name };
	struct fold_shape shape;

	if (shape_of(meter, &shape) < 0)
		return -EINVAL;
	set.key_len = (uint32_t)fold_key_len(&shape);
	if (reads_transport(meter))
		nft_rule_need_transport(out);
	nft_emit_fold_key(out, &shape);
	if (meter->op == METER_FIND || meter->op == METER_MISS)
		nft_rule_lookup(out, &set, meter->op == METER_MISS);
	else
		put_change(out, meter, &set);
	nft_rule_use_reg(out, NFT_REG_1);
	return 0;
}
