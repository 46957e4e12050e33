/*
 * adopt.c - chains of the kernel find their policy files; see adopt.h.
 */
#include "aclserver/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* One call in a base: where it stands, and where it should. */
struct call {
	struct kernel_chain *chain;
	size_t file; /* index in the table */
};

/* By base, then in the order that the kernel has. */
static int
compare_call(const void *pa, const void *pb)
{
	const struct call *a = pa, *b = pb;
	enum base x = place_base(a->chain->place), y = place_base(b->chain->place);

	if (x != y)
		return x < y ? -1 : 1;
	if (a->chain->order != b->chain->order)
		return a->chain->order < b->chain->order ? -1 : 1;
	return 0;
}

/* True if @a is to be called before @b; both in the same base. */
static bool
comes_before(const struct call *a, const struct call *b)
{
	enum place_group x = place_group(a->chain->place),
			 y = place_group(b->chain->place);

	return x != y ? x < y : a->file < b->file;
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

/* Calls of one base must rise; one that does not is taken out and will be added again.
 */
static int
check_order(struct kernel_view *view, struct call *calls, size_t n)
{
	const struct call *last = NULL;

	qsort(calls, n, sizeof(*calls), compare_call);
	for (size_t i = 0; i < n; i++) {
		struct kernel_chain *chain = calls[i].chain;

		if (last && place_base(last->chain->place) != place_base(chain->place))
			last = NULL;
		if (!last || comes_before(last, &calls[i])) {
			last = &calls[i];
			continue;
		}
		if (add_stray(view, chain) < 0)
			return -ENOMEM;
		chain->jump = 0;
	}
	return 0;
}

static int
hand_over(struct policy_table *table, const struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct kernel_chain *from = calls[i].chain;
		const struct acl_chain chain = {
			.place = from->place,
			.jump = from->jump,
			.hash = from->hash,
		};

		if (policy_table_set_chain(table, table->files[calls[i].file],
			    from->place, &chain) < 0)
			return -ENOMEM;
	}
	return 0;
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

int
adopt(struct kernel_view *view, struct policy_table *table)
{
	AUTO_FREE struct by_id *ids = index_files(table);
	AUTO_FREE struct call *calls = calloc(view->n_chains + 1, sizeof(*calls));
	size_t n = 0;

	if (!ids || !calls)
		return -ENOMEM;
	for (size_t i = 0; i < view->n_chains; i++) {
		const struct by_id key = { .id = view->chains[i].id };
		const struct by_id *found =
			bsearch(&key, ids, table->n, sizeof(*ids), compare_id);

		if (!found)
			continue;
		view->chains[i].adopted = true;
		calls[n++] = (struct call){ &view->chains[i], found->index };
	}
	if (check_order(view, calls, n) < 0)
		return -ENOMEM;
	return hand_over(table, calls, n);
}
