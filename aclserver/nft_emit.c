/*
 * nft_emit.c - ruleset terms to nftables expressions.
 *
 * nft_field.c says where the kernel finds each field; the rest follows from it:
 * load into the register, mask, compare with one value, a range, or an anonymous set.
 * The forms are those that the nft tool builds itself, so that its listing reads like a
 * hand-written rule.
 */
#include "aclserver/nft_emit.h"

#include <endian.h>
#include <errno.h>
#include <net/if_arp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_ether.h>

#include "aclserver/mark_bits.h"
#include "aclserver/nft_emit_action.h"
#include "aclserver/nft_field.h"
#include "aclserver/port_marks.h"
#include "common/cleanup.h"
#include "common/nft_expr.h"

enum { NAME_SIZE = 16 }; /* IFNAMSIZ: bytes of a name in the register */

/** One rule under construction. */
struct emission {
	const struct nft_emit *emit;
	struct nft_rule *out;
	uint64_t cookie;
	bool is_ether;      /* the packet was tested to come from an Ethernet device */
	bool has_transport; /* … and to have a readable transport header */
	bool counted;       /* the rule's first counter was emitted */
	struct err *err;
};

static const struct nft_cell zero_cell;

static uint8_t
family_of(const struct emission *em)
{
	return em->emit->table.family;
}

/* Names. */

static uint32_t
name_key(enum field field)
{
	switch (field) {
	case FIELD_IIFNAME:
		return NFT_META_IIFNAME;
	case FIELD_OIFNAME:
		return NFT_META_OIFNAME;
	case FIELD_BRIDGE_IN:
		return NFT_META_BRI_IIFNAME;
	case FIELD_IN_KIND:
		return NFT_META_IIFKIND;
	case FIELD_OUT_KIND:
		return NFT_META_OIFKIND;
	default:
		return NFT_META_BRI_OIFNAME;
	}
}

void
nft_emit_load_name(struct nft_rule *rule, enum field field, bool or_none)
{
	const uint32_t mask = field == FIELD_PORT ? MARK_PORT : MARK_ROUTE, none = 0;
	const struct nft_set_ref ports = { PORT_MARKS_MAP, 0, sizeof(mask) };

	if (field != FIELD_PORT && field != FIELD_ROUTE) {
		nft_rule_load_meta(rule, name_key(field));
		return;
	}
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &mask, &none, sizeof(mask));
	/* Most packets have none, and a comparison costs less than the map. */
	if (!or_none)
		nft_rule_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	nft_rule_map(rule, &ports);
}

static int
emit_name_test(struct emission *em, const struct ruleset_test *test)
{
	uint32_t op = test->negate ? NFT_CMP_NEQ : NFT_CMP_EQ;
	size_t len = test->ifname ? strnlen(test->ifname, NAME_SIZE) : 0;
	char name[NAME_SIZE] = "";

	if (len >= NAME_SIZE || (len == 0 && (!test->prefix || test->negate)))
		return err_set(em->err, -EINVAL, "%s: not an interface name",
			field_info(test->field)->name);
	if (len == 0)
		return 0; /* "+" is every interface */
	memcpy(name, test->ifname, len);
	nft_emit_load_name(em->out, test->field, test->negate);
	nft_rule_cmp(em->out, op, name, test->prefix ? (uint32_t)len : NAME_SIZE);
	return 0;
}

/* Network protocol in inet, which has IPv4 and IPv6 only. */
static int
emit_nfproto_test(struct emission *em, const struct ruleset_test *test)
{
	const struct ruleset_range *range = test->ranges;
	uint16_t ethertype;
	uint8_t nfproto;

	memcpy(&ethertype, range->lo, sizeof(ethertype));
	ethertype = be16toh(ethertype);
	if (test->n_ranges != 1 || test->has_mask ||
		memcmp(range->lo, range->hi, 2) != 0 ||
		(ethertype != ETH_P_IP && ethertype != ETH_P_IPV6))
		return err_set(em->err, -EINVAL,
			"l3proto: family inet can tell IPv4 from IPv6 only");
	nfproto = ethertype == ETH_P_IP ? NFPROTO_IPV4 : NFPROTO_IPV6;
	nft_rule_load_meta(em->out, NFT_META_NFPROTO);
	nft_rule_cmp(em->out, test->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, &nfproto, 1);
	return 0;
}

/* Loads. */

/* Outside the bridge family not every device is an Ethernet one, and another one's
 * header must not be read as if it were. Once per rule. */
static void
emit_ether_guard(struct emission *em)
{
	uint16_t ether = ARPHRD_ETHER;

	if (em->is_ether || family_of(em) == NFPROTO_BRIDGE)
		return;
	nft_rule_load_meta(em->out, NFT_META_IIFTYPE);
	nft_rule_cmp(em->out, NFT_CMP_EQ, &ether, sizeof(ether));
	em->is_ether = true;
}

/* TCP options and IPv6 extension headers: what the kernel has to search for. */
static void
emit_load_option(struct emission *em, const struct nft_field *at)
{
	bool tcp = at->source == NFT_SOURCE_TCP_OPTION ||
		   at->source == NFT_SOURCE_TCP_OPTION_EXISTS;

	nft_rule_load_exthdr(
		em->out, &(struct nft_exthdr){
				 .op = tcp ? NFT_EXTHDR_OP_TCPOPT : NFT_EXTHDR_OP_IPV6,
				 .type = tcp ? TCPOPT_MAXSEG : IPPROTO_FRAGMENT,
				 .offset = at->key,
				 .len = at->len,
				 .exists = at->source == NFT_SOURCE_TCP_OPTION_EXISTS ||
					   at->source == NFT_SOURCE_FRAG_EXISTS,
			 });
}

static int
emit_load(struct emission *em, enum field field, const struct nft_field *at)
{
	switch (at->source) {
	case NFT_SOURCE_META:
		nft_rule_load_meta(em->out, at->key);
		return 0;
	case NFT_SOURCE_LINK:
		emit_ether_guard(em);
		nft_rule_load_payload(em->out, NFT_PAYLOAD_LL_HEADER, at->key, at->len);
		return 0;
	case NFT_SOURCE_NETWORK:
		nft_rule_load_payload(
			em->out, NFT_PAYLOAD_NETWORK_HEADER, at->key, at->len);
		return 0;
	case NFT_SOURCE_TRANSPORT:
		if (!em->has_transport)
			nft_rule_need_transport(em->out);
		em->has_transport = true;
		nft_rule_load_payload(
			em->out, NFT_PAYLOAD_TRANSPORT_HEADER, at->key, at->len);
		return 0;
	case NFT_SOURCE_CT:
		nft_rule_load_ct(em->out, at->key);
		return 0;
	case NFT_SOURCE_FIB:
		if (family_of(em) == NFPROTO_BRIDGE)
			return err_set(em->err, -EOPNOTSUPP,
				"%s: not known in family bridge",
				field_info(field)->name);
		nft_rule_load_fib(em->out, NFT_FIB_RESULT_ADDRTYPE, at->key);
		return 0;
	case NFT_SOURCE_TCP_OPTION:
	case NFT_SOURCE_TCP_OPTION_EXISTS:
	case NFT_SOURCE_FRAG:
	case NFT_SOURCE_FRAG_EXISTS:
		emit_load_option(em, at);
		return 0;
	case NFT_SOURCE_NONE:
		break;
	}
	return err_set(em->err, -EINVAL, "%s: no plain field", field_info(field)->name);
}

static void
emit_single_range(struct emission *em, const struct nft_encoding *enc,
	const struct ruleset_test *test)
{
	struct nft_cell lo = nft_field_cell(enc, test->ranges->lo);
	struct nft_cell hi = nft_field_cell(enc, test->ranges->hi);
	uint32_t op = test->negate ? NFT_CMP_NEQ : NFT_CMP_EQ;
	uint8_t len = enc->at->len;
	struct nft_cell mask;

	if (memcmp(&lo, &hi, sizeof(lo)) == 0) {
		nft_rule_cmp(em->out, op, lo.bytes, len);
		return;
	}
	if (enc->at->form == NFT_FORM_ADDRESS &&
		nft_field_prefix(&lo, &hi, len, &mask)) {
		nft_rule_bitwise(em->out, mask.bytes, zero_cell.bytes, len);
		nft_rule_cmp(em->out, op, lo.bytes, len);
		return;
	}
	nft_rule_range(em->out, test->negate ? NFT_RANGE_NEQ : NFT_RANGE_EQ, lo.bytes,
		hi.bytes, len);
}

/* Lists: an anonymous set in front of the rule. */

/** What one anonymous set is made of, until it is in the batch. */
struct set_parts {
	struct nft_cell *cells; /* owned; lo and hi of each range */
	struct nft_range *ranges;
	struct nft_elem *elems;
};

static void
set_parts_done(struct set_parts *parts)
{
	free(parts->cells);
	free(parts->ranges);
	free(parts->elems);
}

static int
set_parts_init(struct set_parts *ret, const struct nft_encoding *enc,
	const struct ruleset_test *test)
{
	size_t n = test->n_ranges;

	ret->cells = calloc(2 * n, sizeof(*ret->cells));
	ret->ranges = calloc(n, sizeof(*ret->ranges));
	ret->elems = calloc(n, sizeof(*ret->elems));
	if (!ret->cells || !ret->ranges || !ret->elems)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		ret->cells[2 * i] = nft_field_cell(enc, test->ranges[i].lo);
		ret->cells[2 * i + 1] = nft_field_cell(enc, test->ranges[i].hi);
		ret->ranges[i].lo = ret->cells[2 * i].bytes;
		ret->ranges[i].hi = ret->cells[2 * i + 1].bytes;
		ret->elems[i].key = ret->cells[2 * i].bytes;
	}
	return 0;
}

/* For the nft tool, which otherwise lists keys in host order turned round. */
static void
put_key_order(struct nft_udata *ret, const struct nft_field *at)
{
	uint32_t order =
		at->form == NFT_FORM_HOST ? NFT_KEY_ORDER_HOST : NFT_KEY_ORDER_BIG;

	nft_udata_init(ret);
	/* Empty before, so it fits. */
	(void)nft_udata_put(ret, NFT_UDATA_KEY_ORDER, &order, sizeof(order));
}

static int
emit_set(struct emission *em, const struct nft_encoding *enc,
	const struct ruleset_test *test, struct nft_set_ref *ret_set)
{
	const struct nft_emit *emit = em->emit;
	bool interval = nft_field_has_interval(test);
	struct nft_set_spec spec = {
		.name = "__set%d",
		.id = nft_batch_new_id(emit->batch),
		.flags = NFT_SET_ANONYMOUS | NFT_SET_CONSTANT |
			 (interval ? NFT_SET_INTERVAL : 0),
		.key_type = enc->at->type,
		.key_len = enc->at->len,
		/* An interval is two elements. */
		.size = (uint32_t)(interval ? 2 * test->n_ranges : test->n_ranges),
	};
	CLEANUP(set_parts_done) struct set_parts parts = { 0 };
	struct nft_udata udata;

	put_key_order(&udata, enc->at);
	spec.udata = nft_udata_blob(&udata);
	*ret_set = (struct nft_set_ref){ spec.name, spec.id, spec.key_len };
	if (set_parts_init(&parts, enc, test) < 0)
		return err_set(em->err, -ENOMEM, "out of memory");
	nft_batch_add_set(emit->batch, &emit->table, &spec, em->cookie);
	if (interval)
		nft_batch_add_ranges(emit->batch, &emit->table, ret_set, parts.ranges,
			test->n_ranges, em->cookie);
	else
		nft_batch_add_elems(emit->batch, &emit->table, ret_set, parts.elems,
			test->n_ranges, em->cookie);
	return 0;
}

/* Tests. */

static void
emit_mask(struct emission *em, const struct nft_encoding *enc,
	const struct ruleset_test *test)
{
	static const uint8_t all[FIELD_SIZE_MAX] = { [0 ... FIELD_SIZE_MAX - 1] =
							     0xff };
	struct nft_cell mask;

	if (!test->has_mask && enc->at->bits == 0)
		return;
	mask = nft_field_cell(enc, test->has_mask ? test->mask : all);
	nft_rule_bitwise(em->out, mask.bytes, zero_cell.bytes, enc->at->len);
}

static int
emit_field_test(struct emission *em, const struct ruleset_test *test)
{
	const struct nft_field *at = nft_field(test->field);
	uint8_t size = field_info(test->field)->size;
	bool by_order = nft_field_has_interval(test);
	struct nft_encoding enc = { at, size, at->form == NFT_FORM_HOST && !by_order };
	struct nft_set_ref set;
	int code = emit_load(em, test->field, at);

	if (code)
		return code;
	if (by_order && test->has_mask)
		return err_set(em->err, -EINVAL, "%s: a range under a mask",
			field_info(test->field)->name);
	/* The kernel compares by size byte by byte, which needs big endian. */
	if (at->form == NFT_FORM_HOST && by_order)
		nft_rule_hton(em->out, at->len);
	emit_mask(em, &enc, test);
	if (test->n_ranges == 1) {
		emit_single_range(em, &enc, test);
		return 0;
	}
	code = emit_set(em, &enc, test, &set);
	if (!code)
		nft_rule_lookup(em->out, &set, test->negate);
	return code;
}

static int
emit_test(struct emission *em, const struct ruleset_test *test)
{
	if (nft_field(test->field)->source == NFT_SOURCE_NONE)
		return emit_name_test(em, test);
	if (test->n_ranges == 0)
		return err_set(em->err, -EINVAL, "%s: a test without values",
			field_info(test->field)->name);
	if (test->field == FIELD_L3PROTO && family_of(em) == NFPROTO_INET)
		return emit_nfproto_test(em, test);
	return emit_field_test(em, test);
}

/* Statements. */

static int
emit_term(struct emission *em, const struct ruleset_rule *rule,
	const struct ruleset_term *term)
{
	switch (term->kind) {
	case TERM_TEST:
		return emit_test(em, &term->test);
	case TERM_METER:
		return nft_emit_meter(em->out, &term->meter) < 0
			       ? err_set(em->err, -EINVAL, "meter: no such key")
			       : 0;
	case TERM_COUNTER:
		/* The second one counts what a policer drops. */
		nft_rule_counter(em->out, em->counted ? 0 : em->emit->packets,
			em->counted ? 0 : em->emit->bytes);
		em->counted = true;
		return 0;
	case TERM_VERDICT:
		/* The judgement in the bridge is not wanted any more. */
		if (place_base(rule->place) == BASE_INET_FORWARD_STATE &&
			term->verdict == RULESET_VERDICT_ACCEPT)
			port_marks_forget_route(em->out);
		return nft_emit_action(em->out, family_of(em), term, em->err);
	default:
		return nft_emit_action(em->out, family_of(em), term, em->err);
	}
}

static int
emit_terms(struct emission *em, const struct ruleset_rule *rule)
{
	struct nft_udata tag;
	int code;

	for (size_t i = 0; i < rule->n_terms; i++) {
		code = emit_term(em, rule, &rule->terms[i]);
		if (code)
			return code;
	}
	nft_emit_write_tag(rule, &tag);
	nft_rule_set_udata(em->out, nft_udata_blob(&tag));
	code = nft_rule_status(em->out);
	if (code)
		return err_sys(em->err, code, "cannot build the kernel's rule");
	nft_batch_add_rule(
		em->emit->batch, &em->emit->table, &em->emit->at, em->out, em->cookie);
	return 0;
}

int
nft_emit_rule(const struct nft_emit *emit, const struct ruleset_rule *rule,
	uint64_t cookie, struct err *err)
{
	size_t before = nft_batch_count(emit->batch);
	struct emission em = { .emit = emit, .cookie = cookie, .err = err };
	int code = nft_batch_status(emit->batch, NULL);

	if (code)
		return err_sys(err, code, "cannot build the transaction");
	em.out = nft_rule_new();
	if (!em.out)
		return err_sys(err, -ENOMEM, "cannot build the kernel's rule");
	code = emit_terms(&em, rule);
	nft_rule_free(em.out);
	if (code) {
		nft_batch_rewind(emit->batch, before);
		return code;
	}
	code = nft_batch_status(emit->batch, NULL);
	return code ? err_sys(err, code, "cannot build the transaction") : 0;
}
