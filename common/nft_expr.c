/*
 * nft_expr.c - building a rule's expressions with libnftnl.
 *
 * libnftnl writes messages without looking at the room there is, so everything of
 * variable length is bounded here: NFT_EXPRS_MAX expressions of a few hundred bytes.
 */
#include "common/nft_expr.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h> /* libnftnl/expr.h needs it before */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <stdlib.h>
#include <string.h>

#include "common/nft_internal.h"

struct nft_rule {
	struct nftnl_rule *object; /* owned */
	uint32_t reg;              /* current register */
	unsigned n_exprs;
	int status; /* first failure */
};

struct nft_rule *
nft_rule_new(void)
{
	struct nft_rule *rule = calloc(1, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->reg = NFT_REG_1;
	rule->object = nftnl_rule_alloc();
	if (!rule->object) {
		free(rule);
		return NULL;
	}
	return rule;
}

void
nft_rule_free(struct nft_rule *rule)
{
	if (!rule)
		return;
	nftnl_rule_free(rule->object);
	free(rule);
}

int
nft_rule_status(const struct nft_rule *rule)
{
	return rule->status;
}

struct nftnl_rule *
nft_rule_object(const struct nft_rule *rule)
{
	return rule->object;
}

static void
rule_fail(struct nft_rule *rule, int code)
{
	if (!rule->status)
		rule->status = code;
}

void
nft_rule_set_udata(struct nft_rule *rule, struct nft_blob udata)
{
	if (udata.len > NFT_UDATA_MAX)
		rule_fail(rule, -EINVAL);
	else if (udata.data && nftnl_rule_set_data(rule->object, NFTNL_RULE_USERDATA,
				       udata.data, (uint32_t)udata.len) < 0)
		rule_fail(rule, -ENOMEM);
}

void
nft_rule_use_reg(struct nft_rule *rule, uint32_t reg)
{
	rule->reg = reg;
}

/* A new expression at the end of the rule, owned by it; NULL when the rule has failed.
 */
static struct nftnl_expr *
expr_add(struct nft_rule *rule, const char *name)
{
	struct nftnl_expr *expr;

	if (rule->status)
		return NULL;
	if (rule->n_exprs >= NFT_EXPRS_MAX) {
		rule_fail(rule, -E2BIG);
		return NULL;
	}
	expr = nftnl_expr_alloc(name);
	if (!expr) {
		rule_fail(rule, -ENOMEM);
		return NULL;
	}
	nftnl_rule_add_expr(rule->object, expr);
	rule->n_exprs++;
	return expr;
}

/* As expr_add(), for expressions that take @len bytes of value. */
static struct nftnl_expr *
expr_add_sized(struct nft_rule *rule, const char *name, uint32_t len)
{
	if (len == 0 || len > NFT_REG_BYTES) {
		rule_fail(rule, -EINVAL);
		return NULL;
	}
	return expr_add(rule, name);
}

static void
expr_set_data(struct nft_rule *rule, struct nftnl_expr *expr, uint16_t attr,
	const void *data, uint32_t len)
{
	if (nftnl_expr_set(expr, attr, data, len) < 0)
		rule_fail(rule, -ENOMEM);
}

static void
expr_set_str(
	struct nft_rule *rule, struct nftnl_expr *expr, uint16_t attr, const char *text)
{
	if (nftnl_expr_set_str(expr, attr, text) < 0)
		rule_fail(rule, -ENOMEM);
}

static bool
is_name(const char *name)
{
	return name && name[0] && strlen(name) <= NFT_NAME_MAX;
}

void
nft_rule_load_meta(struct nft_rule *rule, uint32_t key)
{
	struct nftnl_expr *expr = expr_add(rule, "meta");

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, rule->reg);
}

void
nft_rule_load_payload(
	struct nft_rule *rule, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "payload", len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, len);
}

void
nft_rule_need_transport(struct nft_rule *rule)
{
	nft_rule_load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 3);
}

void
nft_rule_load_ct(struct nft_rule *rule, uint32_t key)
{
	struct nftnl_expr *expr = expr_add(rule, "ct");

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, rule->reg);
}

void
nft_rule_load_exthdr(struct nft_rule *rule, const struct nft_exthdr *what)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "exthdr", what->len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_DREG, rule->reg);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_EXTHDR_TYPE, what->type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OFFSET, what->offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_LEN, what->len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OP, what->op);
	if (what->exists)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
}

void
nft_rule_load_fib(struct nft_rule *rule, uint32_t result, uint32_t flags)
{
	struct nftnl_expr *expr = expr_add(rule, "fib");

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, result);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, flags);
}

void
nft_rule_load_numgen(struct nft_rule *rule, uint32_t type, uint32_t modulus)
{
	struct nftnl_expr *expr = expr_add(rule, "numgen");

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_DREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_TYPE, type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_MODULUS, modulus);
}

void
nft_rule_load_data(struct nft_rule *rule, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "immediate", len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, rule->reg);
	expr_set_data(rule, expr, NFTNL_EXPR_IMM_DATA, data, len);
}

void
nft_rule_bitwise(
	struct nft_rule *rule, const void *mask, const void * xor, uint32_t len)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "bitwise", len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, len);
	expr_set_data(rule, expr, NFTNL_EXPR_BITWISE_MASK, mask, len);
	expr_set_data(rule, expr, NFTNL_EXPR_BITWISE_XOR, xor, len);
}

void
nft_rule_hton(struct nft_rule *rule, uint32_t len)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "byteorder", len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_DREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SIZE, len);
}

void
nft_rule_cmp(struct nft_rule *rule, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "cmp", len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	expr_set_data(rule, expr, NFTNL_EXPR_CMP_DATA, data, len);
}

void
nft_rule_range(struct nft_rule *rule, uint32_t op, const void *lo, const void *hi,
	uint32_t len)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "range", len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RANGE_SREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RANGE_OP, op);
	expr_set_data(rule, expr, NFTNL_EXPR_RANGE_FROM_DATA, lo, len);
	expr_set_data(rule, expr, NFTNL_EXPR_RANGE_TO_DATA, hi, len);
}

static struct nftnl_expr *
lookup_add(struct nft_rule *rule, const struct nft_set_ref *set)
{
	struct nftnl_expr *expr;

	if (!is_name(set->name)) {
		rule_fail(rule, -EINVAL);
		return NULL;
	}
	expr = expr_add(rule, "lookup");
	if (!expr)
		return NULL;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, rule->reg);
	expr_set_str(rule, expr, NFTNL_EXPR_LOOKUP_SET, set->name);
	if (set->id)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SET_ID, set->id);
	return expr;
}

void
nft_rule_lookup(struct nft_rule *rule, const struct nft_set_ref *set, bool negate)
{
	struct nftnl_expr *expr = lookup_add(rule, set);

	if (expr && negate)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void
nft_rule_map(struct nft_rule *rule, const struct nft_set_ref *set)
{
	struct nftnl_expr *expr = lookup_add(rule, set);

	if (expr)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, rule->reg);
}

void
nft_rule_vmap(struct nft_rule *rule, const struct nft_set_ref *set)
{
	struct nftnl_expr *expr = lookup_add(rule, set);

	if (expr)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void
nft_rule_set_meta(struct nft_rule *rule, uint32_t key)
{
	struct nftnl_expr *expr = expr_add(rule, "meta");

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, rule->reg);
}

void
nft_rule_set_payload(struct nft_rule *rule, const struct nft_payload_write *to)
{
	struct nftnl_expr *expr = expr_add_sized(rule, "payload", to->len);

	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_SREG, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, to->base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, to->offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, to->len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, to->csum_type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, to->csum_offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_FLAGS, to->csum_flags);
}

void
nft_rule_counter(struct nft_rule *rule, uint64_t packets, uint64_t bytes)
{
	struct nftnl_expr *expr = expr_add(rule, "counter");

	if (!expr)
		return;
	nftnl_expr_set_u64(expr, NFTNL_EXPR_CTR_PACKETS, packets);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_CTR_BYTES, bytes);
}

static void
limit_set(struct nftnl_expr *expr, const struct nft_limit *limit)
{
	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_RATE, limit->rate);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_UNIT, limit->unit_s);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_BURST, limit->burst);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_TYPE, limit->type);
	nftnl_expr_set_u32(
		expr, NFTNL_EXPR_LIMIT_FLAGS, limit->over ? NFT_LIMIT_F_INV : 0);
}

void
nft_rule_limit(struct nft_rule *rule, const struct nft_limit *limit)
{
	struct nftnl_expr *expr = expr_add(rule, "limit");

	if (expr)
		limit_set(expr, limit);
}

void
nft_rule_dynset(struct nft_rule *rule, const struct nft_set_ref *set,
	const struct nft_dynset *how)
{
	struct nftnl_expr *expr, *limit;

	if (!is_name(set->name)) {
		rule_fail(rule, -EINVAL);
		return;
	}
	expr = expr_add(rule, "dynset");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, rule->reg);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, how->op);
	expr_set_str(rule, expr, NFTNL_EXPR_DYNSET_SET_NAME, set->name);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SET_ID, set->id);
	if (!how->limit)
		return;
	limit = nftnl_expr_alloc("limit");
	if (!limit) {
		rule_fail(rule, -ENOMEM);
		return;
	}
	limit_set(limit, how->limit);
	nftnl_expr_add_expr(expr, NFTNL_EXPR_DYNSET_EXPR, limit);
}

/* The kernel refuses a level together with a group. */
static void
log_set_target(struct nftnl_expr *expr, const struct nft_log *log)
{
	if (!log->to_group) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_LEVEL, log->level);
		if (log->flags)
			nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_FLAGS, log->flags);
		return;
	}
	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_GROUP, log->group);
	if (log->snaplen)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_SNAPLEN, log->snaplen);
	if (log->qthreshold)
		nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_QTHRESHOLD, log->qthreshold);
}

void
nft_rule_log(struct nft_rule *rule, const struct nft_log *log)
{
	struct nftnl_expr *expr;

	if (log->prefix && strlen(log->prefix) > NFT_LOG_PREFIX_MAX) {
		rule_fail(rule, -EINVAL);
		return;
	}
	expr = expr_add(rule, "log");
	if (!expr)
		return;
	if (log->prefix)
		expr_set_str(rule, expr, NFTNL_EXPR_LOG_PREFIX, log->prefix);
	log_set_target(expr, log);
}

void
nft_rule_dup(struct nft_rule *rule)
{
	struct nftnl_expr *expr = expr_add(rule, "dup");

	if (expr)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_DUP_SREG_DEV, rule->reg);
}

/* A constant into a register of its own. */
static void
load_into(struct nft_rule *rule, uint32_t reg, const void *data, uint32_t len)
{
	uint32_t before = rule->reg;

	rule->reg = reg;
	nft_rule_load_data(rule, data, len);
	rule->reg = before;
}

void
nft_rule_nat(struct nft_rule *rule, const struct nft_nat *nat)
{
	uint32_t len = nat->family == NFPROTO_IPV6 ? 16 : 4;
	uint16_t port_lo = htobe16(nat->port_lo), port_hi = htobe16(nat->port_hi);
	struct nftnl_expr *expr;

	if (nat->lo) {
		load_into(rule, NFT_REG_1, nat->lo, len);
		load_into(rule, NFT_REG_2, nat->hi, len);
	}
	if (nat->has_port) {
		load_into(rule, NFT_REG_3, &port_lo, sizeof(port_lo));
		load_into(rule, NFT_REG_4, &port_hi, sizeof(port_hi));
	}
	expr = expr_add(rule, "nat");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, nat->type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, nat->family);
	if (nat->lo) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_2);
	}
	if (nat->has_port) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_3);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MAX, NFT_REG_4);
	}
	if (nat->flags)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FLAGS, nat->flags);
}

void
nft_rule_verdict(struct nft_rule *rule, int verdict, const char *chain)
{
	bool jumps = verdict == NFT_JUMP || verdict == NFT_GOTO;
	struct nftnl_expr *expr;

	if (jumps != is_name(chain)) {
		rule_fail(rule, -EINVAL);
		return;
	}
	expr = expr_add(rule, "immediate");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (jumps)
		expr_set_str(rule, expr, NFTNL_EXPR_IMM_CHAIN, chain);
}
