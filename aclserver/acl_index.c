/*
 * acl_index.c - see acl_index.h. A balanced tree, not a hash: clients choose the names,
 * and its worst case is its usual one.
 */
#include "aclserver/acl_index.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static int
compare(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
set_name(struct acl_entry *entry, const char *name)
{
	size_t len = strlen(name);

	assert(len <= ACL_NAME_MAX);
	memcpy(entry->name, name, len + 1);
}

void
acl_index_done(struct acl_index *index)
{
	tdestroy(index->tree, free);
	*index = (struct acl_index){ 0 };
}

struct acl_entry *
acl_index_find(const struct acl_index *index, const char *name)
{
	struct acl_entry key;
	void *node;

	set_name(&key, name);
	node = tfind(&key, &index->tree, compare);
	return node ? *(struct acl_entry **)node : NULL;
}

struct acl_entry *
acl_index_add(struct acl_index *index, const char *name)
{
	struct acl_entry *entry = acl_index_find(index, name);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	set_name(entry, name);
	if (!tsearch(entry, &index->tree, compare)) {
		free(entry);
		return NULL;
	}
	index->n++;
	return entry;
}

static void
drop_if_unused(struct acl_index *index, struct acl_entry *entry)
{
	if (entry->exists || entry->pending > 0)
		return;
	tdelete(entry, &index->tree, compare);
	index->n--;
	free(entry);
}

void
acl_index_begin(struct acl_index *index, struct acl_entry *entry)
{
	entry->pending++;
	entry->changed = ++index->stamp;
}

void
acl_index_end(struct acl_index *index, const char *name, bool known, bool exists)
{
	struct acl_entry *entry = acl_index_find(index, name);

	assert(entry && entry->pending > 0);
	entry->pending--;
	if (known)
		entry->exists = exists;
	drop_if_unused(index, entry);
}

struct unchanged {
	struct acl_entry **items; /* room for all entries */
	size_t n;
	uint64_t stamp; /* entries changed later do not count */
};

static void
collect(const void *node, VISIT which, void *closure)
{
	struct acl_entry *entry = *(struct acl_entry *const *)node;
	struct unchanged *found = closure;

	if (which != postorder && which != leaf)
		return;
	if (entry->pending == 0 && entry->changed <= found->stamp)
		found->items[found->n++] = entry;
}

int
acl_index_merge(struct acl_index *index, char *const *names, size_t n, uint64_t stamp)
{
	AUTO_FREE struct acl_entry **items = calloc(index->n + 1, sizeof(*items));
	struct unchanged found = { items, 0, stamp };

	if (!items)
		return -ENOMEM;
	twalk_r(index->tree, collect, &found);
	for (size_t i = 0; i < found.n; i++)
		found.items[i]->exists = false;
	for (size_t i = 0; i < n; i++) {
		struct acl_entry *entry = acl_index_find(index, names[i]);

		if (entry && (entry->pending > 0 || entry->changed > stamp))
			continue;
		entry = acl_index_add(index, names[i]);
		if (!entry)
			return -ENOMEM;
		entry->exists = true;
	}
	for (size_t i = 0; i < found.n; i++)
		drop_if_unused(index, found.items[i]);
	return 0;
}
