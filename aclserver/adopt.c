/*
 * adopt.c - chains and elements of the kernel find their policy files; see adopt.h.
 */
#include "aclserver/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/nft_emit.h"
#include "common/cleanup.h"

struct by_id {
	const char *id;
	size_t index; /* of the file in the table */
};

static int
compare_id(const void *a, const void *b)
{
	return strcmp(((const struct by_id *)a)->id, ((const struct by_id *)b)->id);
}

/* A rule of a base: the call of a chain or the lookup of a set. */
struct entry {
	enum place place;
	size_t order;               /* in the kernel's base */
	size_t position;            /* in the order of the place: see fold_place */
	struct kernel_chain *chain; /* NULL = a lookup */
	struct kernel_set *set;
	struct acl_file *file; /* of the chain */
};

/* One adoption under way. */
struct matching {
	struct kernel_view *view;
	struct policy_table *table;
	struct fold_table *fold;
	struct by_id *ids;     /* of all files, sorted; owned */
	struct entry *entries; /* calls, then lookups; owned */
	size_t n_calls, n_entries;
};

static struct acl_file *
find_file(const struct matching *m, const char *id)
{
	const struct by_id key = { .id = id };
	const struct by_id *found =
		bsearch(&key, m->ids, m->table->n, sizeof(*m->ids), compare_id);

	return found ? m->table->files[found->index] : NULL;
}

static struct by_id *
index_files(const struct policy_table *table)
{
	struct by_id *ids = calloc(table->n + 1, sizeof(*ids));

	if (!ids)
		return NULL;
	for (size_t i = 0; i < table->n; i++)
		ids[i] = (struct by_id){ .id = table->files[i]->id, .index = i };
	qsort(ids, table->n, sizeof(*ids), compare_id);
	return ids;
}

/* ---- chains ---- */

/* By place, then in the order of the files. */
static int
compare_file(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return policy_key_cmp(&a->file->key, &b->file->key);
}

static int
match_chains(struct matching *m)
{
	struct kernel_view *view = m->view;

	for (size_t i = 0; i < view->n_chains; i++) {
		struct kernel_chain *chain = &view->chains[i];
		struct acl_file *file = find_file(m, chain->id);

		if (!file)
			continue;
		chain->adopted = true;
		m->entries[m->n_calls++] = (struct entry){
			.place = chain->place,
			.order = chain->order,
			.chain = chain,
			.file = file,
		};
	}
	qsort(m->entries, m->n_calls, sizeof(*m->entries), compare_file);
	for (size_t i = 0; i < m->n_calls; i++) {
		struct entry *entry = &m->entries[i];

		if (fold_table_adopt_chain(m->fold, entry->place, entry->file,
			    entry->chain->divides) < 0)
			return -ENOMEM;
		entry->position = 2 * (m->fold->places[entry->place].n - 1) + 1;
	}
	m->n_entries = m->n_calls;
	return 0;
}

static int
add_stray(struct kernel_view *view, const struct kernel_chain *chain)
{
	struct kernel_stray *grown =
		realloc(view->strays, (view->n_strays + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	view->strays = grown;
	grown[view->n_strays++] = (struct kernel_stray){
		.base = place_base(chain->place),
		.handle = chain->jump,
	};
	return 0;
}

/* ---- sets ---- */

static struct acl_file *
owner_of(const struct matching *m, const struct kernel_set *set,
	const struct kernel_elem *elem)
{
	char id[NFT_EMIT_ID_SIZE];

	if (!nft_emit_read_id(kernel_elem_udata(set, elem), id))
		return NULL;
	return find_file(m, id);
}

/* The run that all files with an element in @set belong to; SIZE_MAX when there is no
 * such run. */
static size_t
run_of_set(struct matching *m, struct kernel_set *set)
{
	size_t run = SIZE_MAX;

	if (set->rule == 0)
		return SIZE_MAX;
	for (size_t i = 0; i < set->n_elems; i++) {
		const struct acl_file *file = owner_of(m, set, set->elems[i]);
		size_t at;

		if (!file)
			continue;
		at = fold_table_run_index(m->fold, set->name.place, file);
		if (run != SIZE_MAX && run != at)
			return SIZE_MAX;
		run = at;
	}
	return run;
}

static void
match_sets(struct matching *m)
{
	for (size_t t = 0; t < KERNEL_TABLES; t++) {
		struct kernel_sets *sets = &m->view->sets[t];

		for (size_t i = 0; i < sets->n; i++) {
			size_t run = run_of_set(m, &sets->items[i]);

			m->entries[m->n_entries++] = (struct entry){
				.place = sets->items[i].name.place,
				.order = sets->items[i].order,
				.position = run == SIZE_MAX ? SIZE_MAX : 2 * run,
				.set = &sets->items[i],
			};
		}
	}
}

static int
adopt_elem(struct matching *m, struct fold_set *to, const struct kernel_set *set,
	struct kernel_elem *elem)
{
	struct nft_blob udata = kernel_elem_udata(set, elem);
	struct nft_emit_tag tag;
	struct fold_adopted adopted = { .key = elem->data, .tag = udata };

	if (nft_emit_read_tag(udata, &tag)) {
		adopted.file = owner_of(m, set, elem);
		adopted.hash = tag.hash;
		adopted.line = tag.line;
	}
	elem->adopted = adopted.file != NULL;
	return fold_table_adopt_elem(m->fold, to, &adopted);
}

static int
adopt_set(struct matching *m, const struct entry *entry)
{
	const struct kernel_set *set = entry->set;
	size_t run = entry->position == SIZE_MAX ? SIZE_MAX : entry->position / 2;
	struct fold_set *to =
		fold_table_adopt_set(m->fold, &set->name, &set->shape, set->rule, run);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_elems; i++)
		if (adopt_elem(m, to, set, set->elems[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* What is removed still has its name while new sets are added. */
static void
avoid_names(struct matching *m)
{
	for (size_t t = 0; t < KERNEL_TABLES; t++)
		for (size_t i = 0; i < m->view->sets[t].n_unknown; i++) {
			struct fold_name name;

			if (fold_set_parse(kernel_tables[t].family,
				    m->view->sets[t].unknown[i], &name))
				fold_table_avoid(m->fold, &name);
		}
}

/* ---- order ---- */

/* By base, then in the order that the kernel has. */
static int
compare_order(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	enum base x = place_base(a->place), y = place_base(b->place);

	if (x != y)
		return x < y ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return 0;
}

/* True if @b may stand behind @a in their base. */
static bool
may_follow(const struct entry *a, const struct entry *b)
{
	if (a->place != b->place)
		return a->place < b->place;
	/* The sets of one run stand in any order. */
	return a->position < b->position || (a->position == b->position && b->set);
}

static bool
is_in_base(const struct entry *entry)
{
	return entry->chain ? entry->chain->jump != 0 : entry->position != SIZE_MAX;
}

/* Rules of one base must rise; one that does not is taken out and will be added again.
 */
static int
check_order(struct matching *m)
{
	const struct entry *last = NULL;

	qsort(m->entries, m->n_entries, sizeof(*m->entries), compare_order);
	for (size_t i = 0; i < m->n_entries; i++) {
		struct entry *entry = &m->entries[i];

		if (!is_in_base(entry))
			continue;
		if (last && place_base(last->place) != place_base(entry->place))
			last = NULL;
		if (!last || may_follow(last, entry)) {
			last = entry;
		} else if (entry->set) {
			entry->position = SIZE_MAX;
		} else {
			if (add_stray(m->view, entry->chain) < 0)
				return -ENOMEM;
			entry->chain->jump = 0;
		}
	}
	return 0;
}

static int
hand_over(struct matching *m)
{
	int r = 0;

	for (size_t i = 0; i < m->n_entries && r == 0; i++) {
		const struct entry *entry = &m->entries[i];

		if (entry->chain)
			r = acl_file_set_chain(entry->file, entry->place,
				&(struct acl_chain){
					.place = entry->place,
					.jump = entry->chain->jump,
					.divides = entry->chain->divides,
					.hash = entry->chain->hash,
				});
		else
			r = adopt_set(m, entry);
	}
	return r;
}

int
adopt(struct kernel_view *view, struct policy_table *table, struct fold_table *fold)
{
	size_t n = view->n_chains + view->sets[0].n + view->sets[1].n;
	AUTO_FREE struct by_id *ids = index_files(table);
	AUTO_FREE struct entry *entries = calloc(n + 1, sizeof(*entries));
	struct matching m = {
		.view = view,
		.table = table,
		.fold = fold,
		.ids = ids,
		.entries = entries,
	};

	if (!ids || !entries || match_chains(&m) < 0)
		return -ENOMEM;
	match_sets(&m);
	avoid_names(&m);
	if (check_order(&m) < 0 || hand_over(&m) < 0)
		return -ENOMEM;
	fold_table_revert(fold); /* what the kernel has is no change */
	return 0;
}
