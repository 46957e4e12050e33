/*
 * port_marks.c - the chains that mark packets with their port, and the map of names;
 * see port_marks.h.
 *
 * The tables are made anew whenever a name comes or goes, in the transaction of the
 * rules that need it. A number is set by a chain of its own, as the kernels of Debian
 * 12 cannot put a value from a map into a part of the mark.
 *
 *   bridge tapgate_ports
 *     prerouting, first:  iifname vmap @ids, goto port/N; then "swp*", the longest
 *                         beginning first, for ports that no rule names in full
 *     port/N:             mark = mark & ~MARK_PORT | N
 *     postrouting, last:  our bits cleared
 *   inet tapgate_ports
 *     input, postrouting, last: our bits cleared
 */
#include "aclserver/port_marks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include "aclserver/kernel_view.h"
#include "aclserver/nft_field.h"
#include "common/nft_expr.h"
#include "common/nft_udata.h"

enum {
	PRIORITY_FIRST = -400, /* ahead of our rules and of everybody's translation */
	PRIORITY_LAST = 400,
	TYPE_IFNAME = 41, /* the nft tool's numbers, for its listing */
	TYPE_IFINDEX = 20,
	GUARD_TYPE = NFT_UDATA_OWN + 7,
	LAYOUT_GUARD = 1, /* value of GUARD_TYPE */
	CHAIN_NAME_SIZE = 16,
};

#define IDS_SET          "ids"
#define PORT_MARKS_FIRST "prerouting"
#define PORT_MARKS_LAST  "postrouting"

const struct nft_table port_marks_tables[PORT_MARKS_TABLES] = {
	{ .family = NFPROTO_BRIDGE, .name = "tapgate_ports" },
	{ .family = NFPROTO_INET, .name = "tapgate_ports" },
};

struct building {
	const struct port_table *ports;
	const struct nft_table *table;
	struct nft_batch *batch;
	bool failed; /* out of memory */
};

/* ---- rules ---- */

static struct nft_rule *
begin_rule(struct building *b)
{
	struct nft_rule *rule = nft_rule_new();

	b->failed = b->failed || !rule;
	return rule;
}

static void
add_rule(struct building *b, const char *chain, struct nft_rule *rule)
{
	const struct nft_rule_at at = { .chain = chain, .where = NFT_WHERE_APPEND };

	nft_batch_add_rule(b->batch, b->table, &at, rule, 0);
	nft_rule_free(rule);
}

/* mark = mark & @keep | @value. */
static void
add_mark_rule(struct building *b, const char *chain, uint32_t keep, uint32_t value)
{
	struct nft_rule *rule = begin_rule(b);

	if (!rule)
		return;
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &keep, &value, sizeof(keep));
	nft_rule_set_meta(rule, NFT_META_MARK);
	add_rule(b, chain, rule);
}

/* The first rule of each table tells what it was made of. */
static void
put_hash(struct building *b, struct nft_rule *rule)
{
	uint64_t hash = b->ports->wanted;
	struct nft_udata udata;

	nft_udata_init(&udata);
	(void)nft_udata_put(&udata, PORT_MARKS_HASH, &hash, sizeof(hash)); /* it fits */
	nft_rule_set_udata(rule, nft_udata_blob(&udata));
}

static void
add_clearing_rule(struct building *b, const char *chain)
{
	const uint32_t ours = MARK_RESERVED, user = MARK_USER, none = 0;
	const uint32_t routed = MARK_ROUTED;
	struct nft_rule *rule = begin_rule(b);

	if (!rule)
		return;
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &ours, &none, sizeof(ours));
	nft_rule_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	/* The bridge, which comes behind, needs them. */
	if (b->table->family == NFPROTO_INET) {
		nft_rule_load_meta(rule, NFT_META_MARK);
		nft_rule_bitwise(rule, &routed, &none, sizeof(routed));
		nft_rule_cmp(rule, NFT_CMP_EQ, &none, sizeof(none));
	}
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &user, &none, sizeof(user));
	nft_rule_set_meta(rule, NFT_META_MARK);
	put_hash(b, rule);
	add_rule(b, chain, rule);
}

static void
add_base(struct building *b, const char *name, uint32_t hook, int32_t priority)
{
	const struct nft_base_chain chain = {
		.name = name,
		.type = "filter",
		.hook = hook,
		.priority = priority,
	};

	nft_batch_add_base_chain(b->batch, b->table, &chain, 0);
}

/* ---- names ---- */

static bool
is_prefix(const struct port_name *name)
{
	return name->text[strlen(name->text) - 1] == '+';
}

/* "in/NUMBER", "out/NUMBER". */
static void
name_chain(char buf[CHAIN_NAME_SIZE], const struct port_name *name)
{
	bool in = name->kind == PORT_KIND_IN;

	snprintf(buf, CHAIN_NAME_SIZE, "%s/%u", in ? "in" : "out",
		name->mark >> (in ? MARK_PORT_SHIFT : MARK_ROUTE_SHIFT));
}

static void
add_name_chain(struct building *b, const struct port_name *name)
{
	uint32_t mask = name->kind == PORT_KIND_IN ? MARK_PORT : MARK_ROUTE;
	char chain[CHAIN_NAME_SIZE];

	name_chain(chain, name);
	nft_batch_add_chain(b->batch, b->table, chain, (struct nft_blob){ 0 }, 0);
	add_mark_rule(b, chain, ~mask, name->mark);
}

/* Begin a rule that sees packets without a number of this kind. */
static struct nft_rule *
begin_name_rule(struct building *b, enum port_kind kind)
{
	uint32_t mask = kind == PORT_KIND_IN ? MARK_PORT : MARK_ROUTE, none = 0;
	struct nft_rule *rule = begin_rule(b);

	if (!rule)
		return NULL;
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &mask, &none, sizeof(mask));
	nft_rule_cmp(rule, NFT_CMP_EQ, &none, sizeof(none));
	nft_rule_load_meta(
		rule, kind == PORT_KIND_IN ? NFT_META_IIFNAME : NFT_META_OIFNAME);
	return rule;
}

static void
add_names(struct building *b, const char *chain, enum port_kind kind)
{
	struct nft_set_spec spec = {
		.name = kind == PORT_KIND_IN ? "in" : "out",
		.id = nft_batch_new_id(b->batch),
		.flags = NFT_SET_MAP,
		.key_type = TYPE_IFNAME,
		.key_len = PORT_NAME_SIZE,
		.data_type = NFT_DATA_VERDICT,
		.size = MARK_PORT_MAX,
	};
	const struct nft_set_ref set = { spec.name, spec.id, spec.key_len };
	struct nft_rule *rule = begin_name_rule(b, kind);
	uint32_t order = NFT_KEY_ORDER_HOST;
	struct nft_udata udata;

	if (!rule)
		return;
	nft_udata_init(&udata);
	/* Empty before, so it fits. */
	(void)nft_udata_put(&udata, NFT_UDATA_KEY_ORDER, &order, sizeof(order));
	spec.udata = nft_udata_blob(&udata);
	nft_batch_add_set(b->batch, b->table, &spec, 0);
	for (size_t i = 0; i < b->ports->n; i++) {
		const struct port_name *name = &b->ports->names[i];
		char target[CHAIN_NAME_SIZE];
		const struct nft_elem elem = {
			.key = name->text,
			.has_verdict = true,
			.verdict = NFT_JUMP,
			.chain = target,
		};

		if (!name->is_wanted || name->kind != kind)
			continue;
		add_name_chain(b, name);
		name_chain(target, name);
		if (!is_prefix(name))
			nft_batch_add_elems(b->batch, b->table, &set, &elem, 1, 0);
	}
	nft_rule_vmap(rule, &set);
	put_hash(b, rule);
	add_rule(b, chain, rule);
}

/* All beginnings of @len bytes. */
static void
add_prefixes(struct building *b, const char *chain, enum port_kind kind, size_t len)
{
	for (size_t i = 0; i < b->ports->n; i++) {
		const struct port_name *name = &b->ports->names[i];
		char target[CHAIN_NAME_SIZE];
		struct nft_rule *rule;

		if (!name->is_wanted || name->kind != kind || !is_prefix(name) ||
			strlen(name->text) != len + 1)
			continue;
		rule = begin_name_rule(b, kind);
		if (!rule)
			return;
		name_chain(target, name);
		nft_rule_cmp(rule, NFT_CMP_EQ, name->text, (uint32_t)len);
		nft_rule_verdict(rule, NFT_JUMP, target);
		add_rule(b, chain, rule);
	}
}

/* Give packets the number of their interface: by its whole name, else by the longest
 * beginning. */
static void
add_numbering(struct building *b, const char *chain, enum port_kind kind)
{
	add_names(b, chain, kind);
	for (size_t len = PORT_NAME_SIZE; len-- > 0;)
		add_prefixes(b, chain, kind, len);
}

/* ---- tables ---- */

static void
build_bridge(struct building *b)
{
	add_base(b, PORT_MARKS_FIRST, NF_BR_PRE_ROUTING, PRIORITY_FIRST);
	add_base(b, PORT_MARKS_LAST, NF_BR_POST_ROUTING, PRIORITY_LAST);
	add_numbering(b, PORT_MARKS_FIRST, PORT_KIND_IN);
	if (b->ports->is_judged_once) {
		add_base(b, "forward", NF_BR_FORWARD, PRIORITY_FIRST);
		add_mark_rule(b, "forward", ~MARK_ROUTED, MARK_ROUTED);
	}
	add_clearing_rule(b, PORT_MARKS_LAST);
}

/* A VLAN device does not tell by itself what it stands on. */
static void
add_vlans(struct building *b, const char *chain)
{
	const struct bridge_links *links = &b->ports->links;
	struct nft_set_spec spec = {
		.name = "vlans_of_bridges",
		.id = nft_batch_new_id(b->batch),
		.key_type = TYPE_IFINDEX,
		.key_len = sizeof(uint32_t),
		.size = (uint32_t)links->n,
	};
	const struct nft_set_ref set = { spec.name, spec.id, spec.key_len };
	struct nft_rule *rule;

	if (links->n == 0)
		return;
	rule = begin_rule(b);
	if (!rule)
		return;
	nft_batch_add_set(b->batch, b->table, &spec, 0);
	for (size_t i = 0; i < links->n; i++) {
		const struct nft_elem elem = { .key = &links->vlans[i] };

		nft_batch_add_elems(b->batch, b->table, &set, &elem, 1, 0);
	}
	nft_rule_load_meta(rule, NFT_META_OIF);
	nft_rule_lookup(rule, &set, false);
	nft_rule_verdict(rule, NFT_GOTO, chain);
	add_rule(b, "forward", rule);
}

/* What is routed to a bridge is judged there, and says by which interfaces it was
 * routed. */
static void
build_routed(struct building *b)
{
	static const char bridge[PORT_NAME_SIZE] = "bridge", chain[] = "to_bridge";
	struct nft_rule *rule = begin_rule(b);

	if (!rule)
		return;
	add_base(b, "forward", NF_INET_FORWARD, PRIORITY_FIRST);
	nft_batch_add_chain(b->batch, b->table, chain, (struct nft_blob){ 0 }, 0);
	nft_rule_load_meta(rule, NFT_META_OIFKIND);
	nft_rule_cmp(rule, NFT_CMP_EQ, bridge, sizeof(bridge));
	nft_rule_verdict(rule, NFT_GOTO, chain);
	add_rule(b, "forward", rule);
	add_vlans(b, chain);
	add_mark_rule(b, chain, ~MARK_ROUTED, MARK_ROUTED);
	add_numbering(b, chain, PORT_KIND_IN);
	add_numbering(b, chain, PORT_KIND_OUT);
}

static void
build_inet(struct building *b)
{
	add_base(b, "input", NF_INET_LOCAL_IN, PRIORITY_LAST);
	add_base(b, PORT_MARKS_LAST, NF_INET_POST_ROUTING, PRIORITY_LAST);
	if (b->ports->routed)
		build_routed(b);
	add_clearing_rule(b, "input");
	add_clearing_rule(b, PORT_MARKS_LAST);
}

/* ---- the map ---- */

static struct nft_elem
name_elem(const struct port_name *name)
{
	return (struct nft_elem){
		.key = &name->mark, .data = name->text, .data_len = PORT_NAME_SIZE
	};
}

static void
add_map(struct building *b, struct nft_set_ref *set)
{
	static const struct port_name nobody;
	const struct nft_elem elem = name_elem(&nobody);
	uint32_t order = NFT_KEY_ORDER_HOST;
	struct nft_udata udata;
	struct nft_set_spec spec = {
		.name = PORT_MARKS_MAP,
		.id = nft_batch_new_id(b->batch),
		.flags = NFT_SET_MAP,
		.key_type = NFT_TYPE_MARK,
		.key_len = sizeof(uint32_t),
		.data_type = TYPE_IFNAME,
		.data_len = PORT_NAME_SIZE,
		.size = MARK_PORT_MAX + MARK_ROUTE_MAX + 1,
	};

	nft_udata_init(&udata);
	/* Empty before, so both fit. */
	(void)nft_udata_put(&udata, NFT_UDATA_KEY_ORDER, &order, sizeof(order));
	(void)nft_udata_put(&udata, NFT_UDATA_DATA_ORDER, &order, sizeof(order));
	spec.udata = nft_udata_blob(&udata);
	set->id = spec.id;
	nft_batch_add_table(b->batch, b->table, 0);
	nft_batch_add_set(b->batch, b->table, &spec, 0);
	nft_batch_add_elems(b->batch, b->table, set, &elem, 1, 0);
}

static void
build_map(struct building *b, bool is_there)
{
	struct nft_set_ref set = { PORT_MARKS_MAP, 0, sizeof(uint32_t) };

	if (!is_there)
		add_map(b, &set);
	for (size_t i = 0; i < b->ports->n; i++) {
		const struct port_name *name = &b->ports->names[i];
		const struct nft_elem elem = name_elem(name);
		bool has = is_there && name->in_kernel;

		if (name->is_wanted && !has)
			nft_batch_add_elems(b->batch, b->table, &set, &elem, 1, 0);
		else if (!name->is_wanted && has)
			nft_batch_delete_elems(b->batch, b->table, &set, &elem, 1, 0);
	}
}

static void
build_maps(struct building *b)
{
	const struct port_table *ports = b->ports;

	for (size_t i = 0; i < PORT_MAPS; i++) {
		b->table = &kernel_tables[i];
		if (ports->has_map[i] || (i == 0 ? ports->wanted != 0 : ports->routed))
			build_map(b, ports->has_map[i]);
	}
}

/* They may have gone with the rules. */
static bool
has_maps(const struct port_table *ports)
{
	return ports->wanted == 0 ||
	       (ports->has_map[0] && (ports->has_map[1] || !ports->routed));
}

int
port_marks_build(const struct port_table *table, struct nft_batch *batch)
{
	struct building b = { .ports = table, .batch = batch };

	if (table->wanted == table->installed && has_maps(table))
		return 0;
	for (size_t i = 0; i < PORT_MARKS_TABLES; i++)
		nft_batch_delete_table(batch, &port_marks_tables[i], 0);
	build_maps(&b);
	for (size_t i = 0; i < PORT_MARKS_TABLES && table->wanted != 0; i++) {
		b.table = &port_marks_tables[i];
		nft_batch_add_table(batch, b.table, 0);
		if (b.table->family == NFPROTO_BRIDGE)
			build_bridge(&b);
		else
			build_inet(&b);
	}
	return b.failed ? -ENOMEM : 0;
}

void
port_marks_forget_route(struct nft_rule *rule)
{
	const uint32_t keep = ~MARK_ROUTED, none = 0;

	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &keep, &none, sizeof(keep));
	nft_rule_set_meta(rule, NFT_META_MARK);
}

int
port_marks_add_guard(struct nft_batch *batch, const struct nft_table *table,
	const struct base_info *base)
{
	const struct nft_rule_at at = { .chain = base->name,
		.where = NFT_WHERE_PREPEND };
	const uint32_t routed = MARK_ROUTED, none = 0;
	bool skips = base->guard == BASE_GUARD_SKIPS_ROUTED;
	struct nft_rule *rule = nft_rule_new();
	uint8_t version = LAYOUT_GUARD;
	struct nft_udata udata;

	if (!rule)
		return -ENOMEM;
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &routed, &none, sizeof(routed));
	nft_rule_cmp(rule, skips ? NFT_CMP_NEQ : NFT_CMP_EQ, &none, sizeof(none));
	nft_rule_verdict(rule, NF_ACCEPT, NULL);
	nft_udata_init(&udata);
	(void)nft_udata_put(&udata, GUARD_TYPE, &version, sizeof(version)); /* fits */
	nft_rule_set_udata(rule, nft_udata_blob(&udata));
	nft_batch_add_rule(batch, table, &at, rule, 0);
	nft_rule_free(rule);
	return 0;
}

bool
port_marks_is_guard(struct nft_blob udata)
{
	size_t len = 0;
	const uint8_t *version =
		nft_udata_find(udata.data, udata.len, GUARD_TYPE, &len);

	return version && len == 1 && *version == LAYOUT_GUARD;
}
