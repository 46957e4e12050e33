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

#include "aclserver/nft_field.h"
#include "common/nft_dump.h"
#include "common/nft_expr.h"
#include "common/nft_udata.h"

enum {
	PRIORITY_FIRST = -400, /* ahead of our rules and of everybody's translation */
	PRIORITY_LAST = 400,
	TYPE_IFNAME = 41, /* the nft tool's numbers, for its listing */
	HASH_TYPE = NFT_UDATA_OWN + 6,
	CHAIN_NAME_SIZE = 16,
};

#define IDS_SET     "ids"
#define FIRST_CHAIN "prerouting"
#define LAST_CHAIN  "postrouting"

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
	(void)nft_udata_put(&udata, HASH_TYPE, &hash, sizeof(hash)); /* it fits */
	nft_rule_set_udata(rule, nft_udata_blob(&udata));
}

static void
add_clearing_rule(struct building *b, const char *chain)
{
	const uint32_t ours = MARK_RESERVED, user = MARK_USER, none = 0;
	struct nft_rule *rule = begin_rule(b);

	if (!rule)
		return;
	nft_rule_load_meta(rule, NFT_META_MARK);
	nft_rule_bitwise(rule, &ours, &none, sizeof(ours));
	nft_rule_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
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

/* ---- ports ---- */

static bool
is_prefix(const struct port_name *name)
{
	return name->text[strlen(name->text) - 1] == '+';
}

static void
port_chain_name(char buf[CHAIN_NAME_SIZE], size_t id)
{
	snprintf(buf, CHAIN_NAME_SIZE, "port/%zu", id);
}

static void
add_port_chain(struct building *b, size_t id)
{
	char name[CHAIN_NAME_SIZE];

	port_chain_name(name, id);
	nft_batch_add_chain(b->batch, b->table, name, (struct nft_blob){ 0 }, 0);
	add_mark_rule(b, name, ~MARK_PORT, (uint32_t)id << MARK_PORT_SHIFT);
}

static void
add_id(struct building *b, const struct nft_set_ref *set, size_t id)
{
	char chain[CHAIN_NAME_SIZE];
	const struct nft_elem elem = {
		.key = port_table_at(b->ports, id)->text,
		.has_verdict = true,
		.verdict = NFT_GOTO,
		.chain = chain,
	};

	port_chain_name(chain, id);
	nft_batch_add_elems(b->batch, b->table, set, &elem, 1, 0);
}

static void
add_ids(struct building *b)
{
	struct nft_set_spec spec = {
		.name = IDS_SET,
		.id = nft_batch_new_id(b->batch),
		.flags = NFT_SET_MAP,
		.key_type = TYPE_IFNAME,
		.key_len = PORT_NAME_SIZE,
		.data_type = NFT_DATA_VERDICT,
		.size = MARK_PORT_MAX,
	};
	const struct nft_set_ref set = { spec.name, spec.id, spec.key_len };
	struct nft_rule *rule = begin_rule(b);

	if (!rule)
		return;
	nft_batch_add_set(b->batch, b->table, &spec, 0);
	for (size_t id = 1; id <= b->ports->n; id++) {
		const struct port_name *name = port_table_at(b->ports, id);

		if (!name->is_wanted)
			continue;
		add_port_chain(b, id);
		if (!is_prefix(name))
			add_id(b, &set, id);
	}
	nft_rule_load_meta(rule, NFT_META_IIFNAME);
	nft_rule_vmap(rule, &set);
	put_hash(b, rule);
	add_rule(b, FIRST_CHAIN, rule);
}

/* All beginnings of @len bytes. */
static void
add_prefixes(struct building *b, size_t len)
{
	for (size_t id = 1; id <= b->ports->n; id++) {
		const struct port_name *name = port_table_at(b->ports, id);
		char chain[CHAIN_NAME_SIZE];
		struct nft_rule *rule;

		if (!name->is_wanted || !is_prefix(name) ||
			strlen(name->text) != len + 1)
			continue;
		port_chain_name(chain, id);
		rule = begin_rule(b);
		if (!rule)
			return;
		nft_rule_load_meta(rule, NFT_META_IIFNAME);
		nft_rule_cmp(rule, NFT_CMP_EQ, name->text, (uint32_t)len);
		nft_rule_verdict(rule, NFT_GOTO, chain);
		add_rule(b, FIRST_CHAIN, rule);
	}
}

/* ---- tables ---- */

static void
build_bridge(struct building *b)
{
	add_base(b, FIRST_CHAIN, NF_BR_PRE_ROUTING, PRIORITY_FIRST);
	add_base(b, LAST_CHAIN, NF_BR_POST_ROUTING, PRIORITY_LAST);
	add_ids(b);
	for (size_t len = PORT_NAME_SIZE; len-- > 0;)
		add_prefixes(b, len);
	add_clearing_rule(b, LAST_CHAIN);
}

static void
build_inet(struct building *b)
{
	add_base(b, "input", NF_INET_LOCAL_IN, PRIORITY_LAST);
	add_base(b, LAST_CHAIN, NF_INET_POST_ROUTING, PRIORITY_LAST);
	add_clearing_rule(b, "input");
	add_clearing_rule(b, LAST_CHAIN);
}

static struct nft_elem
name_elem(const struct port_name *name, const uint32_t *key)
{
	return (struct nft_elem){
		.key = key, .data = name->text, .data_len = PORT_NAME_SIZE
	};
}

static void
build_map(struct building *b)
{
	static const struct port_name nobody;
	struct nft_set_spec spec = {
		.name = PORT_MARKS_MAP,
		.id = nft_batch_new_id(b->batch),
		.flags = NFT_SET_MAP,
		.key_type = NFT_TYPE_MARK,
		.key_len = sizeof(uint32_t),
		.data_type = TYPE_IFNAME,
		.data_len = PORT_NAME_SIZE,
		.size = MARK_PORT_MAX + 1,
	};
	struct nft_set_ref set = { spec.name, 0, spec.key_len };
	uint32_t key = 0;
	struct nft_elem elem = name_elem(&nobody, &key);
	uint32_t order = NFT_KEY_ORDER_HOST;
	struct nft_udata udata;

	if (!b->ports->has_map) {
		nft_udata_init(&udata);
		/* Empty before, so it fits. */
		(void)nft_udata_put(&udata, NFT_UDATA_KEY_ORDER, &order, sizeof(order));
		spec.udata = nft_udata_blob(&udata);
		set.id = spec.id;
		nft_batch_add_table(b->batch, b->table, 0);
		nft_batch_add_set(b->batch, b->table, &spec, 0);
		nft_batch_add_elems(b->batch, b->table, &set, &elem, 1, 0);
	}
	for (size_t id = 1; id <= b->ports->n; id++) {
		const struct port_name *name = port_table_at(b->ports, id);

		key = (uint32_t)id << MARK_PORT_SHIFT;
		elem = name_elem(name, &key);
		if (name->is_wanted && !name->in_kernel)
			nft_batch_add_elems(b->batch, b->table, &set, &elem, 1, 0);
		else if (!name->is_wanted && name->in_kernel)
			nft_batch_delete_elems(b->batch, b->table, &set, &elem, 1, 0);
	}
}

int
port_marks_build(const struct port_table *table, const struct nft_table *rules,
	struct nft_batch *batch)
{
	struct building b = { .ports = table, .batch = batch };

	if (table->wanted == table->installed)
		return 0;
	for (size_t i = 0; i < PORT_MARKS_TABLES; i++)
		nft_batch_delete_table(batch, &port_marks_tables[i], 0);
	if (table->wanted != 0 || table->has_map) {
		b.table = rules;
		build_map(&b);
	}
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

/* ---- reading ---- */

static void
forget_names(void *user_data)
{
	port_table_done(user_data);
}

static int
on_name(const struct nft_elem_info *info, void *user_data)
{
	struct port_table *table = user_data;
	char name[PORT_NAME_SIZE + 1] = "";
	uint32_t key;
	int r;

	if (info->key_len != sizeof(key) || info->data_len != PORT_NAME_SIZE)
		return -EBADMSG;
	memcpy(&key, info->key, sizeof(key));
	memcpy(name, info->data, PORT_NAME_SIZE);
	if (key == 0)
		return 0;
	r = port_table_adopt(table, key >> MARK_PORT_SHIFT, name);
	return r == -EINVAL ? -EBADMSG : r;
}

struct hash_reading {
	uint64_t hash;
};

static void
forget_hash(void *user_data)
{
	*(struct hash_reading *)user_data = (struct hash_reading){ 0 };
}

static int
on_rule(const struct nft_rule_info *info, void *user_data)
{
	struct hash_reading *reading = user_data;
	size_t len = 0;
	const uint8_t *hash =
		nft_udata_find(info->udata.data, info->udata.len, HASH_TYPE, &len);

	if (hash && len == sizeof(reading->hash))
		memcpy(&reading->hash, hash, sizeof(reading->hash));
	return 0;
}

int
port_marks_read(struct nft *nft, const struct nft_table *rules,
	struct port_table *table, struct err *err)
{
	struct hash_reading reading[PORT_MARKS_TABLES] = { 0 };
	struct nft_reader reader = {
		.begin = forget_names,
		.elem = on_name,
		.user_data = table,
	};
	int r = nft_list_elems(nft, rules, PORT_MARKS_MAP, &reader, err);

	if (r < 0 && r != -ENOENT)
		return err_prefix(err, "reading the ports");
	table->has_map = r == 0;
	reader.begin = forget_hash;
	reader.rule = on_rule;
	for (size_t i = 0; i < PORT_MARKS_TABLES; i++) {
		reader.user_data = &reading[i];
		r = nft_list_rules(nft, &port_marks_tables[i],
			i == 0 ? FIRST_CHAIN : LAST_CHAIN, &reader, err);
		if (r < 0)
			return err_prefix(err, "reading the marks of ports");
	}
	/* Different ones, or of an older version: equal to nothing that is wanted. */
	table->installed = reading[0].hash;
	if (reading[0].hash != reading[1].hash)
		table->installed =
			reading[0].hash ? reading[0].hash ^ 2 : reading[1].hash ^ 2;
	return 0;
}

bool
port_marks_is_intact(struct nft *nft, const struct port_table *table)
{
	struct err err;

	return table->installed == 0 ||
	       nft_table_exists(nft, &port_marks_tables[0], &err) != 0;
}
