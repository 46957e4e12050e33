/*
 * port_table.c - names of ports and their numbers; see port_table.h.
 *
 * There are about as many names as the switch has ports, so they are searched one by
 * one.
 */
#include "aclserver/port_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/hash.h"

/* Part of the hash: what port_marks.c makes of the names has changed when it does. */
enum { LAYOUT_VERSION = 2 };

void
port_table_init(struct port_table *table)
{
	*table = (struct port_table){ 0 };
}

void
port_table_done(struct port_table *table)
{
	free(table->names);
	bridge_links_done(&table->links);
	port_table_init(table);
}

void
port_list_done(struct port_list *list)
{
	free(list->slots);
	*list = (struct port_list){ 0 };
}

/* ---- numbers ---- */

static const struct {
	uint32_t shift, max;
} kinds[] = {
	[PORT_KIND_IN] = { MARK_PORT_SHIFT, MARK_PORT_MAX },
	[PORT_KIND_OUT] = { MARK_ROUTE_SHIFT, MARK_ROUTE_MAX },
};

/* The slot of that name, table->n when there is none. */
static size_t
find_slot(const struct port_table *table, enum port_kind kind, const char *text)
{
	size_t i = 0;

	while (i < table->n && (table->names[i].kind != kind ||
				       strcmp(table->names[i].text, text) != 0))
		i++;
	return i;
}

static bool
is_taken(const struct port_table *table, uint32_t mark)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->names[i].text[0] != '\0' && table->names[i].mark == mark)
			return true;
	return false;
}

static int
add_name(struct port_table *table, const struct port_name *name, size_t *ret_slot)
{
	size_t slot = find_slot(table, PORT_KIND_IN, ""); /* as a free one is */

	if (slot == table->n) {
		struct port_name *grown =
			reallocarray(table->names, table->n + 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		table->names = grown;
		table->n++;
	}
	table->names[slot] = *name;
	*ret_slot = slot;
	return 0;
}

/* The slot of @text; a new one with the lowest free number. */
static int
slot_of(struct port_table *table, enum port_kind kind, const char *text,
	size_t *ret_slot)
{
	struct port_name name = { .kind = kind };
	uint32_t id = 1;

	*ret_slot = find_slot(table, kind, text);
	if (*ret_slot < table->n)
		return 0;
	while (id <= kinds[kind].max && is_taken(table, id << kinds[kind].shift))
		id++;
	if (id > kinds[kind].max)
		return -ENOSPC;
	name.mark = id << kinds[kind].shift;
	snprintf(name.text, sizeof(name.text), "%s", text);
	return add_name(table, &name, ret_slot);
}

int
port_table_adopt(struct port_table *table, uint32_t mark, const char *text)
{
	struct port_name name = { .mark = mark, .in_kernel = true };
	size_t ignored;

	if (mark & MARK_ROUTE)
		name.kind = PORT_KIND_OUT;
	if (mark == 0 || (mark & ~MARK_PORT && mark & ~MARK_ROUTE) || text[0] == '\0' ||
		strnlen(text, PORT_NAME_SIZE) >= PORT_NAME_SIZE)
		return -EINVAL;
	snprintf(name.text, sizeof(name.text), "%s", text);
	return add_name(table, &name, &ignored);
}

/* ---- lists ---- */

static int
list_add(struct port_list *list, size_t slot)
{
	uint16_t *grown;
	size_t at = list->n;

	while (at > 0 && list->slots[at - 1] >= slot) {
		if (list->slots[at - 1] == slot)
			return 0;
		at--;
	}
	grown = reallocarray(list->slots, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->slots = grown;
	memmove(grown + at + 1, grown + at, (list->n - at) * sizeof(*grown));
	grown[at] = (uint16_t)slot;
	list->n++;
	return 0;
}

static int
list_name(struct port_table *table, const struct ruleset_test *test,
	struct port_list *list)
{
	enum port_kind kind = test->field == FIELD_PORT ? PORT_KIND_IN : PORT_KIND_OUT;
	char text[PORT_NAME_SIZE];
	size_t slot;
	int r;

	snprintf(text, sizeof(text), "%s%s", test->ifname, test->prefix ? "+" : "");
	r = slot_of(table, kind, text, &slot);
	if (r == -ENOSPC && kind == PORT_KIND_OUT) {
		list->is_cut = true;
		return 0;
	}
	return r < 0 ? r : list_add(list, slot);
}

static bool
is_forward(enum place place)
{
	return place_base(place) == BASE_INET_FORWARD_FILTER ||
	       place_base(place) == BASE_INET_FORWARD_MANGLE;
}

static int
list_rule(struct port_table *table, const struct ruleset_rule *rule,
	struct port_list *list)
{
	int r = 0;

	for (size_t i = 0; i < rule->n_terms && r == 0; i++) {
		const struct ruleset_test *test = &rule->terms[i].test;

		if (rule->terms[i].kind != TERM_TEST)
			continue;
		if (test->field == FIELD_OIFNAME && is_forward(rule->place))
			list->names_out = true;
		if (test->field == FIELD_PORT || test->field == FIELD_ROUTE)
			r = list_name(table, test, list);
	}
	return r;
}

int
port_table_list(struct port_table *table, const struct ruleset_file *file,
	struct port_list *ret)
{
	int r = 0;

	for (size_t i = 0; i < file->n_rules && r == 0; i++)
		r = list_rule(table, &file->rules[i], ret);
	if (r < 0)
		port_list_done(ret);
	return r;
}

/* ---- transactions ---- */

void
port_table_stage(struct port_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		table->names[i].n_wanted = table->names[i].n_files;
}

void
port_table_replace(struct port_table *table, const struct port_list *before,
	const struct port_list *after)
{
	for (size_t i = 0; i < before->n; i++)
		table->names[before->slots[i]].n_wanted--;
	for (size_t i = 0; i < after->n; i++)
		table->names[after->slots[i]].n_wanted++;
}

static uint64_t
hash_name(const struct port_name *name)
{
	struct hash h;

	hash_init(&h);
	hash_add_u64(&h, name->mark);
	hash_add_text(&h, name->text);
	return hash_value(&h).w[0];
}

/* Slots are in the order in which names came, or in which the kernel listed them: it
 * must not matter, so the hashes of names are added up. */
static uint64_t
hash_wanted(const struct port_table *table)
{
	bool any = table->routed || table->is_judged_once;
	uint64_t names = 0;
	struct hash h;

	for (size_t i = 0; i < table->n; i++) {
		if (!table->names[i].is_wanted)
			continue;
		names += hash_name(&table->names[i]);
		any = true;
	}
	hash_init(&h);
	hash_add_u64(&h, LAYOUT_VERSION);
	hash_add_u64(
		&h, (uint64_t)table->routed | (uint64_t)table->is_judged_once << 1);
	for (size_t i = 0; table->routed && i < table->links.n; i++)
		hash_add_u64(&h, table->links.vlans[i]);
	hash_add_u64(&h, names);
	return any ? hash_value(&h).w[0] | 1 : 0;
}

void
port_table_settle(struct port_table *table, bool keep, bool forwards)
{
	for (size_t i = 0; i < table->n; i++) {
		struct port_name *name = &table->names[i];

		name->is_wanted = name->n_wanted > 0 || (keep && name->in_kernel);
	}
	table->is_judged_once = table->bridge_calls_ip && forwards;
	table->wanted = hash_wanted(table);
}

void
port_table_accept(struct port_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		struct port_name *name = &table->names[i];

		name->in_kernel = name->is_wanted;
		if (!name->in_kernel && name->n_files == 0)
			*name = (struct port_name){ 0 };
	}
	table->has_map[0] |= table->wanted != 0;
	table->has_map[1] |= table->routed;
	table->installed = table->wanted;
}

void
port_table_recount(struct port_table *table, const struct port_list *before,
	const struct port_list *after)
{
	for (size_t i = 0; i < before->n; i++)
		table->names[before->slots[i]].n_files--;
	for (size_t i = 0; i < after->n; i++)
		table->names[after->slots[i]].n_files++;
}
