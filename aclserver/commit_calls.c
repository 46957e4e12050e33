/*
 * commit_calls.c - the rules of the bases: calls of chains and lookups of sets, and
 * where new ones go; see commit_build.h.
 *
 * What stands in a base is always in order, so a new rule goes ahead of the next one
 * that the kernel already holds. Several in the same gap are added in their order.
 */
#include <errno.h>
#include <stdlib.h>

#include "aclserver/commit_build.h"
#include "aclserver/commit_cookie.h"
#include "aclserver/fold_table.h"
#include "aclserver/nft_emit.h"
#include "common/cleanup.h"
#include "common/nft_expr.h"

/* A rule to be added. Positions at one place: run 0, chain 0, run 1, chain 1, … */
struct stop {
	enum place place;
	size_t position;
	struct commit_change *change; /* whose chain is called; NULL = a lookup */
	size_t index;    /* of the change, or of the set among dirty ones */
	uint64_t before; /* handle to stand before; 0 = last */
};

struct stops {
	struct stop *items; /* owned */
	size_t n, size;
};

static int
add_stop(struct stops *stops, const struct stop *stop)
{
	if (stops->n == stops->size) {
		size_t size = stops->size ? 2 * stops->size : 8;
		struct stop *grown = reallocarray(stops->items, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		stops->items = grown;
		stops->size = size;
	}
	stops->items[stops->n++] = *stop;
	return 0;
}

/* ---- which ones ---- */

static int
collect_calls(const struct commit_plan *plan, struct stops *stops)
{
	int r = 0;

	for (size_t c = 0; c < plan->n; c++) {
		struct commit_change *change = &plan->changes[c];

		for (int i = 0; i < PLACE_COUNT && r == 0 && !change->excluded; i++) {
			struct stop stop = {
				.place = (enum place)i, .change = change, .index = c
			};

			if (!commit_needs_call(change, stop.place))
				continue;
			stop.position = 2 * fold_table_chain_index(plan->fold,
						    stop.place, change->file) +
					1;
			r = add_stop(stops, &stop);
		}
	}
	return r;
}

static const struct acl_file *
any_file(const struct fold_set *set)
{
	const struct fold_elem *elem = set->elems;

	while (!elem->owners)
		elem = elem->next;
	return elem->owners->file;
}

static int
collect_lookups(const struct commit_plan *plan, struct stops *stops)
{
	const struct fold_table *fold = plan->fold;
	int r = 0;

	for (size_t i = 0; i < fold->n_dirty_sets && r == 0; i++) {
		const struct fold_set *set = fold->dirty_sets[i];
		struct stop stop = { .place = set->run->place, .index = i };

		if (set->in_kernel || set->n_live == 0)
			continue;
		stop.position =
			2 * fold_table_run_index(fold, stop.place, any_file(set));
		r = add_stop(stops, &stop);
	}
	return r;
}

/* ---- where ---- */

static int
compare_stop(const void *pa, const void *pb)
{
	const struct stop *a = pa, *b = pb;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->position != b->position)
		return a->position < b->position ? -1 : 1;
	/* Sets of one run in the order in which it has them. */
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Handle of what the kernel has at one position of a place; 0 = nothing. */
static uint64_t
handle_at(const struct fold_place *p, enum place place, size_t position)
{
	const struct fold_chain *wanted;
	const struct acl_chain *chain;
	const struct fold_run *run;

	if (position % 2 == 1) {
		wanted = &p->chains[position / 2];
		chain = acl_file_chain(wanted->file, place);
		/* A call that says otherwise is going to be removed. */
		return chain && chain->divides == wanted->divides ? chain->jump : 0;
	}
	run = p->runs ? p->runs[position / 2] : NULL;
	for (const struct fold_set *set = run ? run->sets : NULL; set; set = set->next)
		if (set->in_kernel && set->n_live > 0)
			return set->rule;
	return 0;
}

static uint64_t
first_handle(const struct fold_table *fold, enum place place, size_t from, size_t to)
{
	uint64_t handle = 0;

	for (; from < to && handle == 0; from++)
		handle = handle_at(&fold->places[place], place, from);
	return handle;
}

/* The first handle of the groups behind, in the same base. */
static uint64_t
handle_behind(const struct fold_table *fold, enum place place)
{
	uint64_t handle = 0;

	for (int group = place_group(place) + 1;
		group < PLACE_GROUP_COUNT && handle == 0; group++) {
		enum place next =
			place_make(place_base(place), (enum place_group)group);

		handle = first_handle(fold, next, 0, 2 * fold->places[next].n + 1);
	}
	return handle;
}

/* From the last one to the first, so that no position is looked at twice. A lookup goes
 * behind those that its run has already. */
static void
find_positions(const struct fold_table *fold, struct stops *stops)
{
	int place = PLACE_COUNT;
	uint64_t handle = 0, found;
	size_t to = 0;

	for (size_t i = stops->n; i-- > 0;) {
		struct stop *stop = &stops->items[i];

		if ((int)stop->place != place) {
			place = (int)stop->place;
			to = 2 * fold->places[place].n + 1;
			handle = handle_behind(fold, stop->place);
		}
		found = first_handle(fold, stop->place, stop->position + 1, to);
		if (found != 0)
			handle = found;
		to = stop->position + 1;
		stop->before = handle;
	}
}

/* ---- messages ---- */

static int
put_call(const struct stop *stop, const struct nft_emit *emit)
{
	struct nft_rule *rule = nft_rule_new();
	char name[ACL_CHAIN_NAME_SIZE];
	struct nft_udata udata;

	if (!rule)
		return -ENOMEM;
	acl_chain_name(name, stop->place, stop->change->file->id);
	nft_rule_verdict(rule, NFT_JUMP, name);
	nft_emit_write_call(stop->change->divides[stop->place], &udata);
	nft_rule_set_udata(rule, nft_udata_blob(&udata));
	nft_batch_add_rule(emit->batch, &emit->table, &emit->at, rule,
		cookie_make(stop->index, COOKIE_JUMP, stop->place));
	nft_rule_free(rule);
	return 0;
}

static int
put_stop(
	const struct stop *stop, const struct fold_table *fold, struct nft_batch *batch)
{
	enum base base = place_base(stop->place);
	const struct nft_emit emit = {
		.batch = batch,
		.table = *kernel_table_of(base),
		.at = {
			.chain = base_info(base)->name,
			.where = stop->before ? NFT_WHERE_BEFORE : NFT_WHERE_APPEND,
			.ref = stop->before,
			.want_handle = true,
		},
	};
	const struct fold_set *set;

	if (stop->change)
		return put_call(stop, &emit);
	set = fold->dirty_sets[stop->index];
	return nft_emit_fold_lookup(&emit, set->name, &set->shape,
		cookie_make(cookie_change(set->cookie), COOKIE_LOOKUP, stop->index));
}

int
commit_calls_build(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err)
{
	struct stops stops = { 0 };
	int r = collect_calls(plan, &stops);

	if (r == 0)
		r = collect_lookups(plan, &stops);
	if (stops.n > 0)
		qsort(stops.items, stops.n, sizeof(*stops.items), compare_stop);
	if (r == 0)
		find_positions(plan->fold, &stops);
	for (size_t i = 0; i < stops.n && r == 0; i++)
		r = put_stop(&stops.items[i], plan->fold, batch);
	free(stops.items);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}
