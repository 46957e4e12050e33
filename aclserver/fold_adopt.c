/*
 * fold_adopt.c - fills the table of folded rules from what the kernel holds; see
 * fold_table.h. Who owns what is found out by adopt.c.
 */
#include <errno.h>

#include "aclserver/fold_internal.h"

int
fold_table_adopt_chain(
	struct fold_table *table, enum place place, struct acl_file *file, bool divides)
{
	struct fold_place *p = &table->places[place];
	const struct fold_chain chain = { .file = file, .divides = divides };

	if (fold_place_reserve(p) < 0)
		return -ENOMEM;
	fold_place_insert(p, p->n, &chain, NULL, NULL);
	return 0;
}

static bool
is_number_used(const struct fold_table *table, const struct fold_name *name)
{
	for (const struct fold_run *run = table->runs; run; run = run->next)
		if (run->place == name->place && run->number == name->run)
			return true;
	return false;
}

/* The run at @index, or a lost one. */
static struct fold_run *
run_at(struct fold_table *table, const struct fold_name *name, size_t index)
{
	struct fold_place *p = &table->places[name->place];
	struct fold_run *run;

	if (index != SIZE_MAX && fold_place_reserve(p) < 0)
		return NULL;
	run = index == SIZE_MAX ? NULL : p->runs[index];
	if (run && !fold_set_find(run, name->shape)) {
		p->is_mixed = p->is_mixed || run->number != name->run;
		return run;
	}
	p->is_mixed =
		p->is_mixed || index == SIZE_MAX || run || is_number_used(table, name);
	if (run)
		index = SIZE_MAX;
	run = fold_run_new(table, name->place, name->run);
	if (run && index == SIZE_MAX)
		run->is_lost = true;
	else if (run)
		p->runs[index] = run;
	return run;
}

struct fold_set *
fold_table_adopt_set(struct fold_table *table, const struct fold_name *name,
	const struct fold_shape *shape, uint64_t rule, size_t index)
{
	struct fold_run *run = run_at(table, name, index);
	struct fold_set *set = run ? fold_set_new(run, shape, name->run) : NULL;

	if (!set || fold_mark_set(table, set) < 0)
		return NULL;
	if (name->run > table->places[name->place].last_number)
		table->places[name->place].last_number = name->run;
	set->in_kernel = true;
	set->rule = rule;
	return set;
}

int
fold_table_adopt_elem(struct fold_table *table, struct fold_set *set,
	const struct fold_adopted *adopted)
{
	struct fold_elem *elem = fold_elem_get(table, set, adopted->key);
	struct fold_owner *owner;

	if (!elem)
		return -ENOMEM;
	elem->in_kernel = true;
	if (!adopted->file)
		return 0;
	owner = fold_owner_new(adopted);
	if (!owner)
		return -ENOMEM;
	fold_link(owner, elem);
	fold_link_file(owner);
	elem->installed = owner;
	owner->installed_in = elem;
	return 0;
}

void
fold_table_avoid(struct fold_table *table, const struct fold_name *name)
{
	struct fold_place *place = &table->places[name->place];

	if (name->run > place->last_number)
		place->last_number = name->run;
	place->is_mixed = true;
}

static int
adopt_duplicate(struct fold_table *table, struct acl_file *file, size_t index,
	const struct ruleset_rule *rule)
{
	struct fold_owner *owner;
	struct fold_shape shape;
	struct fold_elem *elem;
	struct fold_key key;

	if (!fold_rule(rule, &shape, &key))
		return -EINVAL;
	elem = fold_table_find(
		table, rule->place, index, fold_shape_hash(&shape), &key);
	if (!elem || !elem->owners ||
		policy_key_cmp(&elem->owners->file->key, &file->key) > 0)
		return 0;
	owner = fold_owner_find(table, elem, file, rule);
	if (!owner) {
		owner = fold_owner_of_rule(file, rule);
		if (!owner)
			return -ENOMEM;
		fold_link(owner, elem);
		fold_link_file(owner);
	}
	owner->seen = table->generation;
	return 0;
}

int
fold_table_adopt_duplicates(struct fold_table *table, struct acl_file *file,
	enum place place, const struct ruleset_rule *rules, size_t n)
{
	size_t index = fold_table_run_index(table, place, file);
	int r = 0;

	table->generation++;
	for (size_t i = 0; i < n && r == 0; i++)
		r = adopt_duplicate(table, file, index, &rules[i]);
	return r;
}
