/*
 * commit_displaced.c - names the files whose rules a commit took away because it was
 * asked for others only; see commit.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/commit.h"
#include "aclserver/nft_emit.h"

/* Ids of files, in any order and more than once each. */
struct ids {
	char **items; /* owned */
	size_t n, size;
};

static void
ids_done(struct ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		free(ids->items[i]);
	free(ids->items);
}

static int
add_id(struct ids *ids, const char *id)
{
	/* Elements of one file often stand together. */
	if (ids->n > 0 && strcmp(ids->items[ids->n - 1], id) == 0)
		return 0;
	if (ids->n == ids->size) {
		size_t size = ids->size ? 2 * ids->size : 16;
		char **grown = reallocarray(ids->items, size, sizeof(char *));

		if (!grown)
			return -ENOMEM;
		ids->items = grown;
		ids->size = size;
	}
	ids->items[ids->n] = strdup(id);
	if (!ids->items[ids->n])
		return -ENOMEM;
	ids->n++;
	return 0;
}

static int
collect_set(const struct kernel_set *set, struct ids *ids)
{
	char id[NFT_EMIT_ID_SIZE];
	int r = 0;

	for (size_t i = 0; i < set->n_elems && r == 0; i++)
		if (!set->elems[i]->adopted &&
			nft_emit_read_id(kernel_elem_udata(set, set->elems[i]), id))
			r = add_id(ids, id);
	return r;
}

static int
collect(const struct kernel_view *view, struct ids *ids)
{
	int r = 0;

	for (size_t i = 0; i < view->n_chains && r == 0; i++)
		if (!view->chains[i].adopted)
			r = add_id(ids, view->chains[i].id);
	for (size_t t = 0; t < KERNEL_TABLES; t++)
		for (size_t i = 0; i < view->sets[t].n && r == 0; i++)
			r = collect_set(&view->sets[t].items[i], ids);
	return r;
}

static int
compare_id(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
commit_warn_displaced(struct commit *commit)
{
	struct ids ids = { 0 };
	char names[256] = "";
	size_t len = 0, more = 0;

	if (commit->committer->conf.source == COMMITTER_SOURCE_CONF || commit->failed)
		return;
	(void)collect(&commit->view, &ids); /* out of memory: names fewer of them */
	if (ids.n > 0)
		qsort(ids.items, ids.n, sizeof(char *), compare_id);
	for (size_t i = 0; i < ids.n; i++) {
		if (i > 0 && strcmp(ids.items[i], ids.items[i - 1]) == 0)
			continue;
		if (strlen(ids.items[i]) + 3 > sizeof(names) - len)
			more++;
		else
			len += (size_t)snprintf(names + len, sizeof(names) - len,
				"%s%s", len > 0 ? ", " : "", ids.items[i]);
	}
	if (len > 0)
		diags_add(&commit->general, DIAG_WARNING,
			commit->committer->conf.paths[0], 0, NULL,
			"only what is named here is installed; gone until the next "
			"plain -i: %s%s",
			names, more > 0 ? ", …" : "");
	ids_done(&ids);
}
