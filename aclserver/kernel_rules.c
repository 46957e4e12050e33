/*
 * kernel_rules.c - dumps the rules and the elements of our tables; see kernel_rules.h.
 */
#include "aclserver/kernel_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy_table.h"
#include "common/nft_dump.h"

/* The kernel lists chains in the order in which they were made; packets meet them in
 * the order of the calls. A run of folded files stands between two calls: calls have
 * odd numbers, runs even ones. */
struct call {
	char *chain; /* owned */
	size_t order;
};

struct reading {
	struct kernel_rules *rules;
	size_t first;       /* of the table that is read */
	size_t table;       /* in kernel_tables */
	struct call *calls; /* owned */
	size_t n_calls, size_calls;
};

static void
forget(void *user_data)
{
	struct reading *reading = user_data;

	while (reading->rules->n > reading->first)
		free(reading->rules->items[--reading->rules->n].names);
	while (reading->n_calls > 0)
		free(reading->calls[--reading->n_calls].chain);
}

static int
add_call(struct reading *reading, const char *chain)
{
	struct call *call;

	if (reading->n_calls == reading->size_calls) {
		size_t size = reading->size_calls ? 2 * reading->size_calls : 256;
		struct call *grown = realloc(reading->calls, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		reading->calls = grown;
		reading->size_calls = size;
	}
	call = &reading->calls[reading->n_calls];
	*call = (struct call){ .chain = strdup(chain),
		.order = 2 * reading->n_calls + 1 };
	if (!call->chain)
		return -ENOMEM;
	reading->n_calls++;
	return 0;
}

static int
compare_call(const void *a, const void *b)
{
	return strcmp(((const struct call *)a)->chain, ((const struct call *)b)->chain);
}

static void
find_calls(struct reading *reading)
{
	if (reading->n_calls == 0)
		return;
	qsort(reading->calls, reading->n_calls, sizeof(*reading->calls), compare_call);
	for (size_t i = reading->first; i < reading->rules->n; i++) {
		struct kernel_rule_info *rule = &reading->rules->items[i];
		struct call key = { .chain = (char *)rule->chain };
		const struct call *found = bsearch(&key, reading->calls,
			reading->n_calls, sizeof(key), compare_call);

		rule->call = found ? found->order : SIZE_MAX;
	}
}

static struct kernel_rule_info *
add(struct kernel_rules *rules)
{
	if (rules->n == rules->size) {
		size_t size = rules->size ? 2 * rules->size : 256;
		struct kernel_rule_info *grown =
			realloc(rules->items, size * sizeof(*grown));

		if (!grown)
			return NULL;
		rules->items = grown;
		rules->size = size;
	}
	return &rules->items[rules->n];
}

/* A rule of a base: it tells where a chain or a set stands. */
static int
on_base_rule(struct reading *reading, const struct nft_rule_info *info)
{
	char name[FOLD_SET_NAME_SIZE];
	struct kernel_set *set = NULL;

	if (info->target)
		return add_call(reading, info->target);
	if (nft_emit_read_lookup(info->udata, name))
		set = kernel_sets_find(&reading->rules->sets[reading->table], name);
	if (set) {
		set->rule = info->handle;
		set->order = 2 * reading->n_calls;
	}
	return 0;
}

static int
on_rule(const struct nft_rule_info *info, void *user_data)
{
	struct reading *reading = user_data;
	struct kernel_rule_info *rule;
	const char *id;
	enum place place =
		acl_chain_parse(kernel_tables[reading->table].family, info->chain, &id);

	if (place == (enum place)PLACE_COUNT)
		return on_base_rule(reading, info);
	rule = add(reading->rules);
	if (!rule)
		return -ENOMEM;
	*rule = (struct kernel_rule_info){
		.place = place,
		.handle = info->handle,
		.packets = info->packets,
		.bytes = info->bytes,
		.polices = info->has_second,
		.dropped_packets = info->second_packets,
		.dropped_bytes = info->second_bytes,
		.call = SIZE_MAX,
		.order = reading->rules->n,
	};
	if (!nft_emit_read_tag(info->udata, &rule->tag))
		return 0;
	rule->names = strdup(info->chain);
	if (!rule->names)
		return -ENOMEM;
	rule->chain = rule->names;
	rule->id = rule->names + (id - info->chain);
	reading->rules->n++;
	return 0;
}

/* ---- elements ---- */

static int
add_elem(struct kernel_rules *rules, const struct kernel_set *set,
	const struct kernel_elem *elem)
{
	struct nft_blob udata = kernel_elem_udata(set, elem);
	struct kernel_rule_info *rule = add(rules);
	char id[NFT_EMIT_ID_SIZE];

	if (!rule)
		return -ENOMEM;
	*rule = (struct kernel_rule_info){
		.place = set->name.place,
		.set = set,
		.elem = elem,
		.packets = elem->packets,
		.bytes = elem->bytes,
		.call = set->rule != 0 ? set->order : SIZE_MAX,
	};
	if (!nft_emit_read_tag(udata, &rule->tag) || !nft_emit_read_id(udata, id))
		return 0;
	rule->names = strdup(id);
	if (!rule->names)
		return -ENOMEM;
	rule->id = rule->names;
	rules->n++;
	return 0;
}

static int
add_elems(struct kernel_rules *rules, const struct kernel_sets *sets)
{
	int r = 0;

	for (size_t i = 0; i < sets->n; i++)
		for (size_t k = 0; k < sets->items[i].n_elems && r == 0; k++)
			r = add_elem(rules, &sets->items[i], sets->items[i].elems[k]);
	return r;
}

static int
compare_size(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_rule(const void *pa, const void *pb)
{
	const struct kernel_rule_info *a = pa, *b = pb;
	int order = compare_size(a->place, b->place);

	if (order == 0)
		order = compare_size(a->call, b->call);
	if (order == 0)
		order = compare_size(a->order, b->order);
	if (order == 0)
		order = strcmp(a->id, b->id);
	return order ? order : a->tag.line - b->tag.line;
}

/* ---- all ---- */

static int
read_table(struct nft *nft, size_t table, struct kernel_rules *rules, struct err *err)
{
	struct reading reading = {
		.rules = rules,
		.first = rules->n,
		.table = table,
	};
	const struct nft_reader reader = {
		.begin = forget,
		.rule = on_rule,
		.user_data = &reading,
	};
	int r = kernel_sets_read(nft, &kernel_tables[table], &rules->sets[table], err);

	if (r == 0)
		r = nft_list_rules(nft, &kernel_tables[table], NULL, &reader, err);
	find_calls(&reading);
	if (r == 0 && add_elems(rules, &rules->sets[table]) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	while (reading.n_calls > 0)
		free(reading.calls[--reading.n_calls].chain);
	free(reading.calls);
	return r;
}

int
kernel_rules_read(struct nft *nft, struct kernel_rules *ret, struct err *err)
{
	int r = 0;

	*ret = (struct kernel_rules){ 0 };
	for (size_t i = 0; i < KERNEL_TABLES && r == 0; i++)
		r = read_table(nft, i, ret, err);
	if (ret->n > 0)
		qsort(ret->items, ret->n, sizeof(*ret->items), compare_rule);
	return r;
}

void
kernel_rules_done(struct kernel_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->items[i].names);
	free(rules->items);
	for (size_t i = 0; i < KERNEL_TABLES; i++)
		kernel_sets_done(&rules->sets[i]);
	*rules = (struct kernel_rules){ 0 };
}
