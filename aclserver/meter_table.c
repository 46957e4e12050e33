/*
 * meter_table.c - see meter_table.h.
 */
#include "aclserver/meter_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/placement.h"

void
meter_table_init(struct meter_table *table)
{
	*table = (struct meter_table){ 0 };
}

static void
meter_free(struct meter *meter)
{
	free(meter->name);
	free(meter);
}

void
meter_table_done(struct meter_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		meter_free(table->items[i]);
	free(table->items);
	free(table->dirty);
	meter_table_init(table);
}

/* ---- the sorted array ---- */

static int
compare(const struct meter *meter, uint8_t family, const char *name)
{
	if (meter->family != family)
		return meter->family < family ? -1 : 1;
	return strcmp(meter->name, name);
}

/* Index of the set, or of where it would be. */
static size_t
search(const struct meter_table *table, uint8_t family, const char *name)
{
	size_t lo = 0, hi = table->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(table->items[mid], family, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for one more pointer. */
static int
reserve(struct meter ***items, size_t n, size_t *size)
{
	size_t larger = *size ? 2 * *size : 8;
	struct meter **grown;

	if (n < *size)
		return 0;
	grown = reallocarray(*items, larger, sizeof(struct meter *));
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*size = larger;
	return 0;
}

static int
make_dirty(struct meter_table *table, struct meter *meter)
{
	if (meter->is_dirty)
		return 0;
	if (reserve(&table->dirty, table->n_dirty, &table->size_dirty) < 0)
		return -ENOMEM;
	meter->is_dirty = true;
	meter->n_wanted = meter->n_files;
	table->dirty[table->n_dirty++] = meter;
	return 0;
}

static struct meter *
find_or_add(struct meter_table *table, uint8_t family, const char *name)
{
	size_t at = search(table, family, name);
	struct meter *meter;

	if (at < table->n && compare(table->items[at], family, name) == 0)
		return table->items[at];
	meter = calloc(1, sizeof(*meter));
	if (!meter)
		return NULL;
	meter->family = family;
	meter->name = strdup(name);
	/* Nobody uses it yet: the next transaction has to look at it. */
	if (!meter->name || reserve(&table->items, table->n, &table->size) < 0 ||
		make_dirty(table, meter) < 0) {
		meter_free(meter);
		return NULL;
	}
	memmove(table->items + at + 1, table->items + at,
		(table->n - at) * sizeof(struct meter *));
	table->items[at] = meter;
	table->n++;
	return meter;
}

static void
forget(struct meter_table *table, struct meter *meter)
{
	size_t at = search(table, meter->family, meter->name);

	table->n--;
	memmove(table->items + at, table->items + at + 1,
		(table->n - at) * sizeof(struct meter *));
	meter_free(meter);
}

int
meter_table_adopt(struct meter_table *table, uint8_t family, const char *name)
{
	struct meter *meter = find_or_add(table, family, name);

	if (!meter)
		return -ENOMEM;
	meter->in_kernel = true;
	return 0;
}

/* ---- lists ---- */

void
meter_list_done(struct meter_list *list)
{
	free(list->items);
	*list = (struct meter_list){ 0 };
}

static int
list_add(struct meter_list *list, struct meter *meter, const struct ruleset_meter *spec)
{
	struct meter_use *grown;

	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].meter == meter)
			return 0;
	grown = reallocarray(list->items, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->items = grown;
	grown[list->n++] = (struct meter_use){ meter, spec };
	return 0;
}

static int
list_rule(struct meter_table *table, const struct ruleset_rule *rule,
	struct meter_list *list)
{
	for (size_t i = 0; i < rule->n_terms; i++) {
		const struct ruleset_meter *spec = &rule->terms[i].meter;
		struct meter *meter;

		if (rule->terms[i].kind != TERM_METER)
			continue;
		meter = find_or_add(table, base_info(place_base(rule->place))->family,
			spec->set->name);
		if (!meter || list_add(list, meter, spec) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
meter_table_list(struct meter_table *table, const struct ruleset_file *file,
	struct meter_list *ret)
{
	int r = 0;

	for (size_t i = 0; i < file->n_rules && r == 0; i++)
		r = list_rule(table, &file->rules[i], ret);
	if (r < 0)
		meter_list_done(ret);
	return r;
}

/* ---- transactions ---- */

void
meter_table_stage(struct meter_table *table)
{
	for (size_t i = 0; i < table->n_dirty; i++)
		table->dirty[i]->n_wanted = table->dirty[i]->n_files;
}

int
meter_table_replace(struct meter_table *table, const struct meter_list *before,
	const struct meter_list *after, size_t change)
{
	for (size_t i = 0; i < before->n; i++)
		if (make_dirty(table, before->items[i].meter) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < after->n; i++)
		if (make_dirty(table, after->items[i].meter) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < before->n; i++)
		before->items[i].meter->n_wanted--;
	for (size_t i = 0; i < after->n; i++) {
		struct meter *meter = after->items[i].meter;

		meter->n_wanted++;
		meter->spec = after->items[i].spec;
		meter->change = change;
	}
	return 0;
}

void
meter_table_settle(struct meter_table *table, bool keep)
{
	for (size_t i = 0; i < table->n_dirty; i++) {
		struct meter *meter = table->dirty[i];

		meter->is_wanted = meter->n_wanted > 0 || (keep && meter->in_kernel);
	}
}

void
meter_table_recount(struct meter_list *before, struct meter_list *after)
{
	for (size_t i = 0; i < before->n; i++)
		before->items[i].meter->n_files--;
	for (size_t i = 0; i < after->n; i++) {
		after->items[i].meter->n_files++;
		after->items[i].spec = NULL;
	}
	meter_list_done(before);
	*before = *after;
	*after = (struct meter_list){ 0 };
}

void
meter_table_accept(struct meter_table *table)
{
	for (size_t i = 0; i < table->n_dirty; i++)
		table->dirty[i]->in_kernel = table->dirty[i]->is_wanted;
}

/* Those that nobody uses stay dirty as long as the kernel has them. */
void
meter_table_release(struct meter_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->n_dirty; i++) {
		struct meter *meter = table->dirty[i];

		meter->spec = NULL;
		if (meter->n_files == 0 && meter->in_kernel) {
			table->dirty[kept++] = meter;
			continue;
		}
		meter->is_dirty = false;
		if (meter->n_files == 0)
			forget(table, meter);
	}
	table->n_dirty = kept;
}
