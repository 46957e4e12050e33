/*
 * kernel_sets.h - the sets of folded rules and their elements, read back from the
 * kernel. Acting module (netlink dumps).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/fold.h"
#include "common/err.h"
#include "common/nft.h"

/** One element. */
struct kernel_elem {
	uint64_t packets, bytes;
	bool adopted; /* for the caller: belongs to a policy file */
	size_t udata_len;
	uint8_t data[]; /* the key, then the user data */
};

/** One set of ours. */
struct kernel_set {
	char text[FOLD_SET_NAME_SIZE]; /* the whole name */
	struct fold_name name;         /* what it says */
	struct fold_shape shape;
	size_t key_len;
	uint64_t rule;              /* handle of the rule that looks it up; 0 = none */
	size_t order;               /* position of that rule in its base */
	struct kernel_elem **elems; /* owned */
	size_t n_elems, size_elems;
};

/** Those of one table. */
struct kernel_sets {
	struct kernel_set *items; /* sorted by text; owned */
	size_t n, size;
	char **unknown; /* names of sets that are not ours, without those that belong to
			   one rule; owned */
	size_t n_unknown;
	char **meters; /* names of those that packets write into; owned */
	size_t n_meters;
};

/** Read the sets of @table and what is in them. 0, or negative errno with @err; release
 * @ret with kernel_sets_done() in both cases. */
int kernel_sets_read(struct nft *nft, const struct nft_table *table,
	struct kernel_sets *ret, struct err *err);

/** Free all; fine on a zeroed struct. */
void kernel_sets_done(struct kernel_sets *sets);

/** The set of that name, or NULL. */
struct kernel_set *kernel_sets_find(const struct kernel_sets *sets, const char *name);

/** Read the elements of @set anew: only its text and key_len have to be filled. 0, or
 * negative errno with @err; release with kernel_set_done(). */
int kernel_set_read(struct nft *nft, const struct nft_table *table,
	struct kernel_set *set, struct err *err);

/** Free the elements. */
void kernel_set_done(struct kernel_set *set);

/** User data of @elem of @set. */
static inline struct nft_blob
kernel_elem_udata(const struct kernel_set *set, const struct kernel_elem *elem)
{
	return (struct nft_blob){ elem->data + set->key_len, elem->udata_len };
}
