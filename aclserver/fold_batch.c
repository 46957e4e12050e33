/*
 * fold_batch.c - the folded rules of a plan: what is wanted, and the messages for sets
 * and elements; see commit_build.h.
 *
 * An element that comes into the kernel brings counters along when the same rule
 * counted before: as an element of another run, or as a rule in a chain of its file. A
 * rule that goes the other way, from a set into a chain, begins at zero: finding one
 * element's counters would take a dump of the whole set.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit_build.h"
#include "aclserver/commit_cookie.h"
#include "aclserver/fold_table.h"
#include "aclserver/nft_emit.h"
#include "common/cleanup.h"

/* ---- what is wanted ---- */

static int
stage_removals(const struct commit_plan *plan, const struct commit_change *change)
{
	int r = 0;

	for (int i = 0; i < PLACE_COUNT && r == 0 && change->file->owners; i++)
		if (!change->folds[i])
			r = fold_table_set_rules(
				plan->fold, change->file, (enum place)i, NULL, 0, 0);
	return r;
}

static int
stage_chains(const struct commit_plan *plan, const struct commit_change *change)
{
	int r = 0;

	for (int i = 0; i < PLACE_COUNT && r == 0; i++) {
		enum place place = (enum place)i;

		if (commit_wants_chain(change, place))
			r = fold_table_add_chain(plan->fold, place, change->file,
				change->divides[place]);
		else if (acl_file_chain(change->file, place))
			r = fold_table_remove_chain(plan->fold, place, change->file);
	}
	return r;
}

static int
stage_rules(const struct commit_plan *plan, size_t c)
{
	const struct commit_change *change = &plan->changes[c];
	const struct ruleset_file *compiled = &change->compiled;
	int r = 0;

	for (int i = 0; i < PLACE_COUNT && r == 0; i++) {
		size_t first = compiled->first[i];

		if (change->folds[i])
			r = fold_table_set_rules(plan->fold, change->file,
				(enum place)i, &compiled->rules[first],
				compiled->count[i], cookie_make(c, COOKIE_RULE, first));
	}
	return r;
}

/* What goes before what comes, and chains before rules, so that nothing moves twice. */
int
fold_batch_stage(const struct commit_plan *plan, struct err *err)
{
	int r = 0;

	for (size_t c = 0; c < plan->n && r == 0; c++)
		if (!plan->changes[c].excluded)
			r = stage_removals(plan, &plan->changes[c]);
	for (size_t c = 0; c < plan->n && r == 0; c++)
		if (!plan->changes[c].excluded)
			r = stage_chains(plan, &plan->changes[c]);
	if (r == 0)
		r = fold_table_rescue(plan->fold);
	for (size_t c = 0; c < plan->n && r == 0; c++)
		if (!plan->changes[c].excluded)
			r = stage_rules(plan, c);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

/* ---- counters ---- */

/* Where the counters of one element stand now. */
struct source {
	const struct fold_elem *elem; /* that comes into the kernel */
	const struct fold_elem *from; /* element with its counters, or: */
	const struct acl_file *chain; /* file in whose chain its rule is; else NULL */
	uint64_t packets, bytes;      /* found there */
};

struct sources {
	struct source *items; /* owned */
	size_t n;
};

static struct source
source_of(const struct fold_elem *elem)
{
	const struct fold_owner *owner = elem->owners;
	struct source source = { .elem = elem };

	if (owner->installed_in && owner->installed_in != elem)
		source.from = owner->installed_in;
	else if (!owner->installed_in &&
		 acl_file_chain(owner->file, elem->set->run->place))
		source.chain = owner->file;
	return source;
}

static bool
is_to_come(const struct fold_elem *elem)
{
	return elem->owners && !fold_elem_is_current(elem);
}

static int
compare_pointers(const void *a, const void *b)
{
	return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

/* Those that are read at once stand together. */
static int
compare_source(const void *pa, const void *pb)
{
	const struct source *a = pa, *b = pb;
	int order = compare_pointers(
		a->from ? a->from->set : NULL, b->from ? b->from->set : NULL);

	if (order == 0)
		order = compare_pointers(a->chain, b->chain);
	if (order == 0 && a->elem->set->run->place != b->elem->set->run->place)
		order = a->elem->set->run->place < b->elem->set->run->place ? -1 : 1;
	return order;
}

static bool
is_read_with(const struct source *a, const struct source *b)
{
	return compare_source(a, b) == 0;
}

/* An element and its place in the dump of a set, by key. */
struct keyed {
	const uint8_t *key;
	size_t len;
	const struct kernel_elem *elem;
};

static int
compare_keyed(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;

	return memcmp(a->key, b->key, a->len);
}

static int
find_in_dump(const struct kernel_set *dump, struct source *sources, size_t n)
{
	AUTO_FREE struct keyed *keyed = calloc(dump->n_elems + 1, sizeof(*keyed));

	if (!keyed)
		return -ENOMEM;
	for (size_t i = 0; i < dump->n_elems; i++)
		keyed[i] = (struct keyed){ dump->elems[i]->data, dump->key_len,
			dump->elems[i] };
	qsort(keyed, dump->n_elems, sizeof(*keyed), compare_keyed);
	for (size_t i = 0; i < n; i++) {
		const struct keyed key = { sources[i].from->key, dump->key_len, NULL };
		const struct keyed *found = bsearch(
			&key, keyed, dump->n_elems, sizeof(*keyed), compare_keyed);

		if (!found)
			continue; /* it was not counted, then */
		sources[i].packets = found->elem->packets;
		sources[i].bytes = found->elem->bytes;
	}
	return 0;
}

static int
read_set(const struct commit_plan *plan, struct source *sources, size_t n,
	struct err *err)
{
	const struct fold_set *set = sources->from->set;
	struct kernel_set dump = { .key_len = set->key_len };
	int r;

	memcpy(dump.text, set->name, sizeof(dump.text));
	r = kernel_set_read(
		plan->nft, kernel_table_of(place_base(set->run->place)), &dump, err);
	if (r == 0 && find_in_dump(&dump, sources, n) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	kernel_set_done(&dump);
	return r;
}

static int
compare_rule(const void *pa, const void *pb)
{
	const struct kernel_rule *a = pa, *b = pb;

	return memcmp(&a->hash, &b->hash, sizeof(a->hash));
}

static int
read_chain(const struct commit_plan *plan, struct source *sources, size_t n,
	struct err *err)
{
	enum place place = sources->elem->set->run->place;
	AUTO_FREE struct kernel_rule *rules = NULL;
	char name[ACL_CHAIN_NAME_SIZE];
	size_t n_rules = 0;
	int r;

	acl_chain_name(name, place, sources->chain->id);
	r = kernel_read_chain(plan->nft, place, name, &rules, &n_rules, err);
	if (r < 0 || n_rules == 0)
		return r;
	qsort(rules, n_rules, sizeof(*rules), compare_rule);
	for (size_t i = 0; i < n; i++) {
		const struct kernel_rule key = { sources[i].elem->owners->hash };
		const struct kernel_rule *found =
			bsearch(&key, rules, n_rules, sizeof(*rules), compare_rule);

		if (!found)
			continue; /* it is new in its file */
		sources[i].packets = found->packets;
		sources[i].bytes = found->bytes;
	}
	return 0;
}

/* One source for each element to come, with its counters. */
static int
find_sources(const struct commit_plan *plan, struct sources *sources, struct err *err)
{
	const struct fold_table *fold = plan->fold;
	size_t end;
	int r = 0;

	sources->items = calloc(fold->n_dirty + 1, sizeof(*sources->items));
	if (!sources->items)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < fold->n_dirty; i++)
		if (is_to_come(fold->dirty[i]))
			sources->items[sources->n++] = source_of(fold->dirty[i]);
	qsort(sources->items, sources->n, sizeof(*sources->items), compare_source);
	for (size_t i = 0; i < sources->n && r == 0; i = end) {
		struct source *first = &sources->items[i];

		end = i + 1;
		while (end < sources->n && is_read_with(first, &sources->items[end]))
			end++;
		if (first->from)
			r = read_set(plan, first, end - i, err);
		else if (first->chain)
			r = read_chain(plan, first, end - i, err);
	}
	return r;
}

/* ---- messages ---- */

static struct nft_set_ref
set_ref(const struct fold_set *set)
{
	return (struct nft_set_ref){ .name = set->name, .key_len = set->key_len };
}

static const struct nft_table *
table_of(const struct fold_set *set)
{
	return kernel_table_of(place_base(set->run->place));
}

static void
put_sets(const struct fold_table *fold, struct nft_batch *batch)
{
	for (size_t i = 0; i < fold->n_dirty_sets; i++) {
		const struct fold_set *set = fold->dirty_sets[i];
		const struct nft_emit emit = {
			.batch = batch,
			.table = *table_of(set),
		};

		if (!set->in_kernel && set->n_live > 0)
			nft_emit_fold_set(&emit, set->name, &set->shape, set->cookie);
	}
}

/* Elements of a set that goes need no removal of their own. */
static void
put_removed_elems(const struct fold_table *fold, struct nft_batch *batch)
{
	for (size_t i = 0; i < fold->n_dirty; i++) {
		const struct fold_elem *elem = fold->dirty[i];
		struct nft_set_ref ref = set_ref(elem->set);
		const struct nft_elem one = { .key = elem->key };

		if (elem->in_kernel && elem->set->n_live > 0 &&
			!fold_elem_is_current(elem))
			nft_batch_delete_elems(
				batch, table_of(elem->set), &ref, &one, 1, 0);
	}
}

static void
put_new_elems(const struct sources *sources, struct nft_batch *batch)
{
	for (size_t i = 0; i < sources->n; i++) {
		const struct source *source = &sources->items[i];
		const struct fold_owner *owner = source->elem->owners;
		struct nft_set_ref ref = set_ref(source->elem->set);
		const struct nft_elem one = {
			.key = source->elem->key,
			.has_counter = true,
			.packets = source->packets,
			.bytes = source->bytes,
			.udata = { owner->tag, owner->tag_len },
		};

		nft_batch_add_elems(batch, table_of(source->elem->set), &ref, &one, 1,
			owner->cookie);
	}
}

int
fold_batch_elems(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err)
{
	struct sources sources = { 0 };
	int r = find_sources(plan, &sources, err);

	if (r == 0) {
		put_sets(plan->fold, batch);
		put_removed_elems(plan->fold, batch);
		put_new_elems(&sources, batch);
	}
	free(sources.items);
	return r;
}

void
fold_batch_removals(const struct commit_plan *plan, struct nft_batch *batch)
{
	const struct fold_table *fold = plan->fold;

	for (size_t i = 0; i < fold->n_dirty_sets; i++) {
		const struct fold_set *set = fold->dirty_sets[i];
		const struct nft_rule_ref lookup = {
			base_info(place_base(set->run->place))->name, set->rule
		};

		if (!set->in_kernel || set->n_live > 0)
			continue;
		if (set->rule != 0)
			nft_batch_delete_rule(batch, table_of(set), &lookup, 0);
		nft_batch_delete_set(batch, table_of(set), set->name, 0);
	}
}
