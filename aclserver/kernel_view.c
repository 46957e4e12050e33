/*
 * kernel_view.c - reads our tables back: chains and sets, the rules that lead to them,
 * and what is in them; see kernel_view.h.
 */
#include "aclserver/kernel_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/hash.h"
#include "aclserver/nft_emit.h"
#include "aclserver/policy_table.h"
#include "aclserver/port_marks.h"
#include "aclserver/span_ports.h"
#include "common/cleanup.h"
#include "common/nft_dump.h"

const struct nft_table kernel_tables[KERNEL_TABLES] = {
	{ .family = NFPROTO_INET, .name = KERNEL_TABLE },
	{ .family = NFPROTO_BRIDGE, .name = KERNEL_TABLE },
	{ .family = NFPROTO_NETDEV, .name = KERNEL_TABLE },
};

/* A dump of one table under way. */
struct reading {
	struct kernel_view *view;
	size_t table;       /* index in kernel_tables */
	size_t first_chain; /* of this table in view->chains */
	size_t first_stray; /* of this table in view->strays */
	size_t size_chains, size_strays;
	size_t n_calls;            /* calls and lookups seen, for their order */
	struct kernel_chain *open; /* chain whose rules arrive */
	struct hash hash;          /* over the rules of open */
};

const struct nft_table *
kernel_table_of(enum base base)
{
	for (size_t i = 0; i < KERNEL_TABLES; i++)
		if (kernel_tables[i].family == base_info(base)->family)
			return &kernel_tables[i];
	return NULL;
}

static int
compare_chain(const void *pa, const void *pb)
{
	const struct kernel_chain *a = pa, *b = pb;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* ---- chains ---- */

static void
forget_chains(void *user_data)
{
	struct reading *reading = user_data;
	struct kernel_view *view = reading->view;

	while (view->n_chains > reading->first_chain)
		free(view->chains[--view->n_chains].name);
	while (view->n_unknown[reading->table] > 0)
		free(view->unknown[reading->table][--view->n_unknown[reading->table]]);
	for (int base = 0; base < BASE_COUNT; base++)
		if (base_info((enum base)base)->family ==
			kernel_tables[reading->table].family)
			view->has_base[base] = false;
}

static int
add_unknown(struct reading *reading, const char *name)
{
	struct kernel_view *view = reading->view;
	size_t n = view->n_unknown[reading->table];
	char **grown = realloc(view->unknown[reading->table], (n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	view->unknown[reading->table] = grown;
	grown[n] = strdup(name);
	if (!grown[n])
		return -ENOMEM;
	view->n_unknown[reading->table]++;
	return 0;
}

static int
add_chain(struct reading *reading, enum place place, const char *name)
{
	struct kernel_view *view = reading->view;
	struct kernel_chain *chain;

	if (view->n_chains == reading->size_chains) {
		size_t size = reading->size_chains ? 2 * reading->size_chains : 256;
		struct kernel_chain *grown =
			realloc(view->chains, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		view->chains = grown;
		reading->size_chains = size;
	}
	chain = &view->chains[view->n_chains];
	*chain = (struct kernel_chain){ .place = place, .name = strdup(name) };
	if (!chain->name)
		return -ENOMEM;
	chain->id = strchr(chain->name, '/') + 1;
	view->n_chains++;
	return 0;
}

static enum base
base_of_chain(const struct nft_chain_info *info, uint8_t family)
{
	for (int base = 0; base < BASE_COUNT; base++) {
		const struct base_info *known = base_info((enum base)base);

		if (known->family == family && known->hook == info->hook &&
			known->priority == info->priority &&
			strcmp(known->name, info->name) == 0 &&
			strcmp(known->type, info->type) == 0)
			return (enum base)base;
	}
	return BASE_COUNT;
}

static int
on_regular_chain(struct reading *reading, const char *name)
{
	const char *id;
	enum place place =
		acl_chain_parse(kernel_tables[reading->table].family, name, &id);

	if (place == (enum place)PLACE_COUNT)
		return add_unknown(reading, name);
	return add_chain(reading, place, name);
}

/* In netdev the bases have no hook, and their devices' chains do. */
static int
on_chain(const struct nft_chain_info *info, void *user_data)
{
	struct reading *reading = user_data;
	uint8_t family = kernel_tables[reading->table].family;
	bool netdev = family == NFPROTO_NETDEV;
	enum base base = BASE_COUNT;

	if (netdev && span_ports_is_hook(info->name))
		return 0;
	if (info->is_base != netdev)
		base = base_of_chain(info, family);
	if (base != BASE_COUNT)
		reading->view->has_base[base] = true;
	else if (info->is_base)
		return add_unknown(reading, info->name);
	else
		return on_regular_chain(reading, info->name);
	return 0;
}

/* ---- rules ---- */

static struct kernel_chain *
find_by_name(const struct reading *reading, const char *name)
{
	const char *id;
	enum place place =
		acl_chain_parse(kernel_tables[reading->table].family, name, &id);

	if (place == (enum place)PLACE_COUNT)
		return NULL;
	return kernel_view_find(reading->view, place, id);
}

static void
close_chain(struct reading *reading)
{
	if (reading->open)
		reading->open->hash = hash_value(&reading->hash);
	reading->open = NULL;
}

static void
forget_rules(void *user_data)
{
	struct reading *reading = user_data;
	struct kernel_view *view = reading->view;
	uint8_t family = kernel_tables[reading->table].family;

	reading->open = NULL;
	reading->n_calls = 0;
	view->n_strays = reading->first_stray;
	for (size_t i = 0; i < view->n_chains; i++) {
		if (base_info(place_base(view->chains[i].place))->family != family)
			continue;
		view->chains[i].jump = 0;
		view->chains[i].n_rules = 0;
		view->chains[i].hash = (struct ruleset_hash){ 0 };
	}
	for (int base = 0; base < BASE_COUNT; base++)
		if (base_info((enum base)base)->family == family)
			view->guards[base] = 0;
	for (size_t i = 0; i < view->sets[reading->table].n; i++)
		view->sets[reading->table].items[i].rule = 0;
}

static int
add_stray(struct reading *reading, enum base base, uint64_t handle)
{
	struct kernel_view *view = reading->view;

	if (view->n_strays == reading->size_strays) {
		size_t size = reading->size_strays ? 2 * reading->size_strays : 16;
		struct kernel_stray *grown =
			realloc(view->strays, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		view->strays = grown;
		reading->size_strays = size;
	}
	view->strays[view->n_strays++] =
		(struct kernel_stray){ .base = base, .handle = handle };
	return 0;
}

/* The set that a rule looks up, unless it stands in the wrong base. */
static struct kernel_set *
find_looked_up(
	struct reading *reading, enum base base, const struct nft_rule_info *info)
{
	char name[FOLD_SET_NAME_SIZE];
	struct kernel_set *set;

	if (!nft_emit_read_lookup(info->udata, name))
		return NULL;
	set = kernel_sets_find(&reading->view->sets[reading->table], name);
	return set && place_base(set->name.place) == base ? set : NULL;
}

static int
on_base_rule(struct reading *reading, enum base base, const struct nft_rule_info *info)
{
	struct kernel_chain *called =
		info->target ? find_by_name(reading, info->target) : NULL;
	struct kernel_set *set = find_looked_up(reading, base, info);

	if (port_marks_is_guard(info->udata) && reading->view->guards[base] == 0) {
		reading->view->guards[base] = info->handle;
		return 0;
	}
	if (called && called->jump == 0 && place_base(called->place) == base) {
		called->jump = info->handle;
		called->divides = nft_emit_call_divides(info->udata);
		called->order = reading->n_calls++;
	} else if (set && set->rule == 0) {
		set->rule = info->handle;
		set->order = reading->n_calls++;
	} else {
		return add_stray(reading, base, info->handle);
	}
	return 0;
}

static enum base
base_by_name(const struct reading *reading, const char *name)
{
	for (int base = 0; base < BASE_COUNT; base++)
		if (reading->view->has_base[base] &&
			base_info((enum base)base)->family ==
				kernel_tables[reading->table].family &&
			strcmp(base_info((enum base)base)->name, name) == 0)
			return (enum base)base;
	return BASE_COUNT;
}

static int
on_rule(const struct nft_rule_info *info, void *user_data)
{
	struct reading *reading = user_data;
	struct nft_emit_tag tag = { 0 };
	struct kernel_chain *chain = reading->open;
	enum base base;

	if (!chain || strcmp(chain->name, info->chain) != 0) {
		close_chain(reading);
		base = base_by_name(reading, info->chain);
		if (base != BASE_COUNT)
			return on_base_rule(reading, base, info);
		chain = find_by_name(reading, info->chain);
		if (!chain)
			return 0; /* of an unknown chain, which goes as a whole */
		reading->open = chain;
		hash_init(&reading->hash);
	}
	(void)nft_emit_read_tag(info->udata, &tag); /* zero: equal to no rule wanted */
	hash_add(&reading->hash, &tag.hash, sizeof(tag.hash));
	chain->n_rules++;
	return 0;
}

static int
read_table(struct nft *nft, size_t table, struct kernel_view *view, struct err *err)
{
	struct reading reading = {
		.view = view,
		.table = table,
		.first_chain = view->n_chains,
		.size_chains = view->n_chains,
		.first_stray = view->n_strays,
		.size_strays = view->n_strays,
	};
	struct nft_reader reader = {
		.begin = forget_chains,
		.chain = on_chain,
		.user_data = &reading,
	};
	int r = nft_table_exists(nft, &kernel_tables[table], err);

	if (r <= 0)
		return r;
	view->has_table[table] = true;
	r = nft_list_chains(nft, &kernel_tables[table], &reader, err);
	if (r < 0)
		return err_prefix(err, "reading installed chains");
	/* Rules are matched to chains by name. */
	if (view->n_chains > 0)
		qsort(view->chains, view->n_chains, sizeof(*view->chains),
			compare_chain);
	r = kernel_sets_read(nft, &kernel_tables[table], &view->sets[table], err);
	if (r < 0)
		return r;
	reader.begin = forget_rules;
	reader.rule = on_rule;
	r = nft_list_rules(nft, &kernel_tables[table], NULL, &reader, err);
	if (r < 0)
		return err_prefix(err, "reading installed rules");
	close_chain(&reading);
	return 0;
}

int
kernel_view_read(struct nft *nft, struct kernel_view *ret, struct err *err)
{
	int r = 0;

	*ret = (struct kernel_view){ 0 };
	for (size_t i = 0; i < KERNEL_TABLES && r == 0; i++)
		r = read_table(nft, i, ret, err);
	return r;
}

void
kernel_view_done(struct kernel_view *view)
{
	for (size_t i = 0; i < view->n_chains; i++)
		free(view->chains[i].name);
	free(view->chains);
	free(view->strays);
	for (size_t t = 0; t < KERNEL_TABLES; t++) {
		kernel_sets_done(&view->sets[t]);
		for (size_t i = 0; i < view->n_unknown[t]; i++)
			free(view->unknown[t][i]);
		free(view->unknown[t]);
	}
	*view = (struct kernel_view){ 0 };
}

struct kernel_chain *
kernel_view_find(const struct kernel_view *view, enum place place, const char *id)
{
	const struct kernel_chain key = { .place = place, .id = id };

	if (view->n_chains == 0)
		return NULL;
	return bsearch(&key, view->chains, view->n_chains, sizeof(key), compare_chain);
}

/* ---- one chain ---- */

struct chain_reading {
	struct kernel_rule *rules; /* owned */
	size_t n, size;
};

static void
forget_chain_rules(void *user_data)
{
	struct chain_reading *reading = user_data;

	reading->n = 0;
}

static int
on_chain_rule(const struct nft_rule_info *info, void *user_data)
{
	struct chain_reading *reading = user_data;
	struct nft_emit_tag tag = { 0 };

	if (reading->n == reading->size) {
		size_t size = reading->size ? 2 * reading->size : 16;
		struct kernel_rule *grown =
			realloc(reading->rules, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		reading->rules = grown;
		reading->size = size;
	}
	(void)nft_emit_read_tag(info->udata, &tag);
	reading->rules[reading->n++] = (struct kernel_rule){
		.hash = tag.hash,
		.handle = info->handle,
		.packets = info->packets,
		.bytes = info->bytes,
	};
	return 0;
}

int
kernel_read_chain(struct nft *nft, enum place place, const char *name,
	struct kernel_rule **ret, size_t *ret_n, struct err *err)
{
	struct chain_reading reading = { 0 };
	const struct nft_reader reader = {
		.begin = forget_chain_rules,
		.rule = on_chain_rule,
		.user_data = &reading,
	};
	int r = nft_list_rules(
		nft, kernel_table_of(place_base(place)), name, &reader, err);

	if (r < 0) {
		free(reading.rules);
		return r;
	}
	*ret = reading.rules;
	*ret_n = reading.n;
	return 0;
}
