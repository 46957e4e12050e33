/*
 * fold_table.c - runs, sets, elements and owners, and how they are found and linked;
 * see fold_table.h. What changes them is in fold_change.c.
 */
#include "aclserver/fold_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/fold_internal.h"
#include "aclserver/nft_emit.h"

enum { BUCKETS_FIRST = 256 };

void
fold_table_init(struct fold_table *table)
{
	*table = (struct fold_table){ 0 };
}

/* ---- positions ---- */

size_t
fold_table_chain_index(
	const struct fold_table *table, enum place place, const struct acl_file *file)
{
	const struct fold_place *p = &table->places[place];
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (policy_key_cmp(&p->chains[mid].file->key, &file->key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
fold_table_run_index(
	const struct fold_table *table, enum place place, const struct acl_file *file)
{
	const struct fold_place *p = &table->places[place];
	size_t index = fold_table_chain_index(table, place, file);

	while (index > 0 && !p->chains[index - 1].divides)
		index--;
	return index;
}

int
fold_place_reserve(struct fold_place *place)
{
	size_t size = place->size ? 2 * place->size : 8;
	struct fold_chain *chains;
	struct fold_run **runs;

	if (place->n < place->size)
		return 0;
	chains = reallocarray(place->chains, size, sizeof(*chains));
	if (!chains)
		return -ENOMEM;
	place->chains = chains;
	runs = reallocarray(place->runs, size + 1, sizeof(struct fold_run *));
	if (!runs)
		return -ENOMEM;
	if (!place->runs)
		runs[0] = NULL;
	place->runs = runs;
	place->size = size;
	return 0;
}

void
fold_place_insert(struct fold_place *place, size_t index,
	const struct fold_chain *chain, struct fold_run *before,
	struct fold_run *behind)
{
	memmove(&place->chains[index + 1], &place->chains[index],
		(place->n - index) * sizeof(*place->chains));
	memmove(&place->runs[index + 1], &place->runs[index],
		(place->n + 1 - index) * sizeof(struct fold_run *));
	place->n++;
	place->chains[index] = *chain;
	place->runs[index] = before;
	place->runs[index + 1] = behind;
}

void
fold_place_remove(struct fold_place *place, size_t index, struct fold_run *run)
{
	place->n--;
	memmove(&place->chains[index], &place->chains[index + 1],
		(place->n - index) * sizeof(*place->chains));
	memmove(&place->runs[index], &place->runs[index + 1],
		(place->n + 1 - index) * sizeof(struct fold_run *));
	place->runs[index] = run;
}

/* ---- runs and sets ---- */

struct fold_run *
fold_run_new(struct fold_table *table, enum place place, uint32_t number)
{
	struct fold_run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->place = place;
	run->number = number;
	run->next = table->runs;
	if (run->next)
		run->next->prev = run;
	table->runs = run;
	if (number > table->places[place].last_number)
		table->places[place].last_number = number;
	return run;
}

static void
run_free(struct fold_table *table, struct fold_run *run)
{
	struct fold_place *place = &table->places[run->place];

	for (size_t i = 0; place->runs && i <= place->n; i++)
		if (place->runs[i] == run)
			place->runs[i] = NULL;
	if (run->prev)
		run->prev->next = run->next;
	else
		table->runs = run->next;
	if (run->next)
		run->next->prev = run->prev;
	free(run);
}

struct fold_set *
fold_set_find(const struct fold_run *run, uint64_t hash)
{
	struct fold_set *set = run->sets;

	while (set && set->hash != hash)
		set = set->next;
	return set;
}

struct fold_set *
fold_set_new(struct fold_run *run, const struct fold_shape *shape, uint32_t number)
{
	struct fold_set *set = calloc(1, sizeof(*set));
	struct fold_name name = { .place = run->place, .run = number };
	struct fold_set **link = &run->sets;

	if (!set)
		return NULL;
	set->shape = *shape;
	set->hash = name.shape = fold_shape_hash(shape);
	set->key_len = (uint32_t)fold_key_len(shape);
	fold_set_name(set->name, &name);
	set->run = run;
	while (*link)
		link = &(*link)->next;
	*link = set;
	return set;
}

static void
set_free(struct fold_table *table, struct fold_set *set)
{
	struct fold_run *run = set->run;
	struct fold_set **link = &run->sets;

	while (*link != set)
		link = &(*link)->next;
	*link = set->next;
	free(set);
	if (!run->sets)
		run_free(table, run);
}

/* ---- elements ---- */

/* FNV-1a over the key, begun from the set. */
static size_t
bucket_of(
	const struct fold_table *table, const struct fold_set *set, const uint8_t *key)
{
	uint64_t value = 0xcbf29ce484222325u ^ (uintptr_t)set;

	for (size_t i = 0; i < set->key_len; i++)
		value = (value ^ key[i]) * 0x100000001b3u;
	return (value ^ value >> 32) & (table->n_buckets - 1);
}

/* To twice as many buckets. That there is no memory for more only makes it slower. */
static int
grow_buckets(struct fold_table *table)
{
	size_t n = table->n_buckets ? 2 * table->n_buckets : BUCKETS_FIRST;
	struct fold_elem **old = table->buckets;
	size_t n_old = table->n_buckets;

	if (table->n_elems < n_old)
		return 0;
	table->buckets = calloc(n, sizeof(struct fold_elem *));
	if (!table->buckets) {
		table->buckets = old;
		return old ? 0 : -ENOMEM;
	}
	table->n_buckets = n;
	for (size_t i = 0; i < n_old; i++) {
		struct fold_elem *elem, *next;

		for (elem = old[i]; elem; elem = next) {
			size_t b = bucket_of(table, elem->set, elem->key);

			next = elem->bucket;
			elem->bucket = table->buckets[b];
			table->buckets[b] = elem;
		}
	}
	free(old);
	return 0;
}

static struct fold_elem *
elem_find(
	const struct fold_table *table, const struct fold_set *set, const uint8_t *key)
{
	struct fold_elem *elem;

	if (table->n_buckets == 0)
		return NULL;
	elem = table->buckets[bucket_of(table, set, key)];
	while (elem && (elem->set != set || memcmp(elem->key, key, set->key_len) != 0))
		elem = elem->bucket;
	return elem;
}

struct fold_elem *
fold_elem_get(struct fold_table *table, struct fold_set *set, const uint8_t *key)
{
	struct fold_elem *elem = elem_find(table, set, key);
	size_t b;

	if (elem)
		return elem;
	if (grow_buckets(table) < 0)
		return NULL;
	elem = calloc(1, sizeof(*elem) + set->key_len);
	if (!elem)
		return NULL;
	elem->set = set;
	memcpy(elem->key, key, set->key_len);
	if (fold_mark(table, elem) < 0) {
		free(elem);
		return NULL;
	}
	b = bucket_of(table, set, key);
	elem->bucket = table->buckets[b];
	table->buckets[b] = elem;
	elem->next = set->elems;
	if (elem->next)
		elem->next->prev = elem;
	set->elems = elem;
	table->n_elems++;
	return elem;
}

static void
elem_free(struct fold_table *table, struct fold_elem *elem)
{
	struct fold_elem **link =
		&table->buckets[bucket_of(table, elem->set, elem->key)];

	while (*link != elem)
		link = &(*link)->bucket;
	*link = elem->bucket;
	if (elem->prev)
		elem->prev->next = elem->next;
	else
		elem->set->elems = elem->next;
	if (elem->next)
		elem->next->prev = elem->prev;
	table->n_elems--;
	free(elem);
}

bool
fold_elem_is_current(const struct fold_elem *elem)
{
	const struct fold_owner *have = elem->installed, *want = elem->owners;

	if (!want)
		return !elem->in_kernel;
	return elem->in_kernel && have && have->file == want->file &&
	       have->hash.w[0] == want->hash.w[0] && have->hash.w[1] == want->hash.w[1];
}

struct fold_elem *
fold_table_find(const struct fold_table *table, enum place place, size_t index,
	uint64_t hash, const struct fold_key *key)
{
	const struct fold_place *p = &table->places[place];
	const struct fold_run *run = p->runs ? p->runs[index] : NULL;
	const struct fold_set *set = run ? fold_set_find(run, hash) : NULL;

	return set ? elem_find(table, set, key->bytes) : NULL;
}

/* ---- what is dirty ---- */

int
fold_mark_set(struct fold_table *table, struct fold_set *set)
{
	if (set->dirty)
		return 0;
	if (table->n_dirty_sets == table->size_dirty_sets) {
		size_t size = table->size_dirty_sets ? 2 * table->size_dirty_sets : 16;
		struct fold_set **grown = reallocarray(
			table->dirty_sets, size, sizeof(struct fold_set *));

		if (!grown)
			return -ENOMEM;
		table->dirty_sets = grown;
		table->size_dirty_sets = size;
	}
	table->dirty_sets[table->n_dirty_sets++] = set;
	set->dirty = true;
	return 0;
}

int
fold_mark(struct fold_table *table, struct fold_elem *elem)
{
	if (elem->dirty)
		return 0;
	if (fold_mark_set(table, elem->set) < 0)
		return -ENOMEM;
	if (table->n_dirty == table->size_dirty) {
		size_t size = table->size_dirty ? 2 * table->size_dirty : 64;
		struct fold_elem **grown =
			reallocarray(table->dirty, size, sizeof(struct fold_elem *));

		if (!grown)
			return -ENOMEM;
		table->dirty = grown;
		table->size_dirty = size;
	}
	table->dirty[table->n_dirty++] = elem;
	elem->dirty = true;
	return 0;
}

void
fold_sweep(struct fold_table *table)
{
	size_t n = table->n_dirty, n_sets = table->n_dirty_sets;

	table->n_dirty = table->n_dirty_sets = 0;
	for (size_t i = 0; i < n; i++) {
		struct fold_elem *elem = table->dirty[i];

		elem->dirty = !fold_elem_is_current(elem);
		if (elem->dirty)
			table->dirty[table->n_dirty++] = elem;
		else if (!elem->owners)
			elem_free(table, elem);
	}
	for (size_t i = 0; i < n_sets; i++) {
		struct fold_set *set = table->dirty_sets[i];

		set->dirty = set->in_kernel != (set->n_live > 0);
		if (set->dirty)
			table->dirty_sets[table->n_dirty_sets++] = set;
		else if (!set->in_kernel && !set->elems)
			set_free(table, set);
	}
}

/* ---- owners ---- */

struct fold_owner *
fold_owner_new(const struct fold_adopted *about)
{
	struct fold_owner *owner = calloc(1, sizeof(*owner) + about->tag.len);

	if (!owner)
		return NULL;
	owner->file = about->file;
	owner->hash = about->hash;
	owner->line = about->line;
	owner->tag_len = about->tag.len;
	if (about->tag.len > 0)
		memcpy(owner->tag, about->tag.data, about->tag.len);
	return owner;
}

struct fold_owner *
fold_owner_of_rule(struct acl_file *file, const struct ruleset_rule *rule)
{
	struct nft_udata tag;

	nft_emit_write_elem_tag(rule, file->id, &tag);
	return fold_owner_new(&(struct fold_adopted){
		.file = file,
		.hash = rule->hash,
		.line = rule->line,
		.tag = nft_udata_blob(&tag),
	});
}

struct fold_owner *
fold_owner_find(const struct fold_table *table, const struct fold_elem *elem,
	const struct acl_file *file, const struct ruleset_rule *rule)
{
	struct fold_owner *o = elem->owners;

	while (o && (o->file != file || o->seen == table->generation ||
			    o->hash.w[0] != rule->hash.w[0] ||
			    o->hash.w[1] != rule->hash.w[1]))
		o = o->next;
	return o;
}

/* Does @a come before @b, or are they on one line? */
static bool
is_not_behind(const struct fold_owner *a, const struct fold_owner *b)
{
	int order = policy_key_cmp(&a->file->key, &b->file->key);

	return order != 0 ? order < 0 : a->line <= b->line;
}

void
fold_link(struct fold_owner *owner, struct fold_elem *elem)
{
	struct fold_owner **link = &elem->owners;

	if (!elem->owners)
		elem->set->n_live++;
	while (*link && is_not_behind(*link, owner))
		link = &(*link)->next;
	owner->next = *link;
	*link = owner;
	owner->elem = elem;
	elem->set->run->n_owners++;
}

void
fold_unlink(struct fold_owner *owner)
{
	struct fold_elem *elem = owner->elem;
	struct fold_owner **link = &elem->owners;

	while (*link != owner)
		link = &(*link)->next;
	*link = owner->next;
	owner->next = NULL;
	if (!elem->owners)
		elem->set->n_live--;
	elem->set->run->n_owners--;
}

void
fold_link_file(struct fold_owner *owner)
{
	owner->file_prev = NULL;
	owner->file_next = owner->file->owners;
	if (owner->file_next)
		owner->file_next->file_prev = owner;
	owner->file->owners = owner;
}

void
fold_unlink_file(struct fold_owner *owner)
{
	if (owner->file_prev)
		owner->file_prev->file_next = owner->file_next;
	else
		owner->file->owners = owner->file_next;
	if (owner->file_next)
		owner->file_next->file_prev = owner->file_prev;
}

bool
fold_table_differs(const struct acl_file *file, enum place place,
	const struct ruleset_file *compiled)
{
	/* Sums do not depend on the order, which an element does not know. */
	uint64_t have[2] = { 0, 0 }, want[2] = { 0, 0 };
	size_t n_have = 0, n_want = compiled ? compiled->count[place] : 0;

	for (const struct fold_owner *o = file->owners; o; o = o->file_next) {
		if (o->elem->set->run->place != place)
			continue;
		n_have++;
		have[0] += o->hash.w[0];
		have[1] += o->hash.w[1];
	}
	for (size_t i = 0; i < n_want; i++) {
		const struct ruleset_hash *hash =
			&compiled->rules[compiled->first[place] + i].hash;

		want[0] += hash->w[0];
		want[1] += hash->w[1];
	}
	return n_have != n_want || have[0] != want[0] || have[1] != want[1];
}

bool
fold_table_is_installed(const struct fold_table *table, enum place place)
{
	for (size_t i = 0; table->places[place].runs && i <= table->places[place].n;
		i++)
		if (table->places[place].runs[i])
			return true;
	return table->places[place].n > 0;
}

/* ---- the end ---- */

static void
free_elem_owners(struct fold_elem *elem)
{
	struct fold_owner *next;

	for (struct fold_owner *o = elem->owners; o; o = next) {
		next = o->next;
		free(o);
	}
}

static void
free_sets(struct fold_run *run)
{
	struct fold_set *next_set;
	struct fold_elem *next;

	for (struct fold_set *set = run->sets; set; set = next_set) {
		next_set = set->next;
		for (struct fold_elem *elem = set->elems; elem; elem = next) {
			next = elem->next;
			free_elem_owners(elem);
			free(elem);
		}
		free(set);
	}
}

void
fold_table_done(struct fold_table *table)
{
	struct fold_run *next;

	for (size_t i = 0; i < table->n_steps; i++)
		if (table->steps[i].kind == FOLD_STEP_REMOVE)
			free(table->steps[i].owner);
	for (struct fold_run *run = table->runs; run; run = next) {
		next = run->next;
		free_sets(run);
		free(run);
	}
	for (int place = 0; place < PLACE_COUNT; place++) {
		free(table->places[place].chains);
		free(table->places[place].runs);
	}
	free(table->buckets);
	free(table->steps);
	free(table->dirty);
	free(table->dirty_sets);
	fold_table_init(table);
}
