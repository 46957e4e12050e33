/*
 * kernel_rules.c - dumps the rules of our tables; see kernel_rules.h.
 */
#include "aclserver/kernel_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy_table.h"
#include "common/nft_dump.h"

/* The kernel lists chains in the order in which they were made; packets meet them in
 * the order of the calls. */
struct call {
	char *chain; /* owned */
	size_t order;
};

struct reading {
	struct kernel_rules *rules;
	size_t first; /* of the table that is read */
	uint8_t family;
	struct call *calls; /* owned */
	size_t n_calls, size_calls;
};

static void
forget(void *user_data)
{
	struct reading *reading = user_data;

	while (reading->rules->n > reading->first)
		free(reading->rules->items[--reading->rules->n].chain);
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
	*call = (struct call){ .chain = strdup(chain), .order = reading->n_calls };
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
order_rules(struct reading *reading)
{
	if (reading->n_calls == 0)
		return;
	qsort(reading->calls, reading->n_calls, sizeof(*reading->calls), compare_call);
	for (size_t i = reading->first; i < reading->rules->n; i++) {
		struct kernel_rule_info *rule = &reading->rules->items[i];
		const struct call key = { .chain = rule->chain };
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

static int
on_rule(const struct nft_rule_info *info, void *user_data)
{
	struct reading *reading = user_data;
	struct kernel_rule_info *rule;
	const char *id;
	enum place place = acl_chain_parse(reading->family, info->chain, &id);

	if (place == (enum place)PLACE_COUNT)
		return info->target ? add_call(reading, info->target) : 0;
	rule = add(reading->rules);
	if (!rule)
		return -ENOMEM;
	if (!nft_emit_read_tag(info->udata, &rule->tag))
		return 0;
	rule->chain = strdup(info->chain);
	if (!rule->chain)
		return -ENOMEM;
	rule->place = place;
	rule->id = rule->chain + (id - info->chain);
	rule->handle = info->handle;
	rule->packets = info->packets;
	rule->bytes = info->bytes;
	reading->rules->n++;
	return 0;
}

int
kernel_rules_read(struct nft *nft, struct kernel_rules *ret, struct err *err)
{
	int r = 0;

	*ret = (struct kernel_rules){ 0 };
	for (size_t i = 0; i < KERNEL_TABLES && r == 0; i++) {
		struct reading reading = {
			.rules = ret,
			.first = ret->n,
			.family = kernel_tables[i].family,
		};
		const struct nft_reader reader = {
			.begin = forget,
			.rule = on_rule,
			.user_data = &reading,
		};

		r = nft_list_rules(nft, &kernel_tables[i], NULL, &reader, err);
		order_rules(&reading);
		while (reading.n_calls > 0)
			free(reading.calls[--reading.n_calls].chain);
		free(reading.calls);
	}
	return r;
}

void
kernel_rules_done(struct kernel_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->items[i].chain);
	free(rules->items);
	*rules = (struct kernel_rules){ 0 };
}
