/*
 * fold_table.h - the folded rules: runs of files, their sets, who owns which element.
 *
 * At one place the chains that divide (an operator's, and those that do more than drop)
 * part the other files into runs; chains that do not divide stand behind the run that
 * they belong to. A run has one set per shape, and an element per key, which may have
 * several owners: the rule that comes first owns it in the kernel, the next one takes
 * over when it goes. A packet that several ACLs of one run drop is counted by one of
 * them.
 *
 * The table holds two states: what the kernel has (installed) and what is wanted.
 * Changes make a difference between the two, which fold_batch.c turns into messages;
 * fold_table_accept() makes the wanted state the installed one, fold_table_revert()
 * takes all changes back. State module: no I/O. The cost of a change does not depend on
 * how much is installed, unless a chain that divides comes into the middle of a run or
 * the last one between two runs goes: then the elements of the smaller side move.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/fold.h"
#include "aclserver/policy_table.h"

/** A rule of a file that an element stands for. */
struct fold_owner {
	struct acl_file *file;                    /* borrowed */
	struct fold_elem *elem;                   /* that it belongs to */
	struct fold_owner *next;                  /* of elem, in file order */
	struct fold_owner *file_prev, *file_next; /* of file */
	struct fold_elem
		*installed_in;    /* whose installed owner it is; NULL = of none */
	struct ruleset_hash hash; /* of the rule */
	int line;
	uint32_t seen;   /* generation of the last change that wants it */
	uint64_t cookie; /* of its messages, while it is new; else 0 */
	size_t tag_len;
	uint8_t tag[]; /* user data of the element while it is the first owner */
};

/** One key of a set. */
struct fold_elem {
	struct fold_set *set;
	struct fold_elem *bucket;      /* next with the same hash value */
	struct fold_elem *prev, *next; /* of set */
	struct fold_owner *owners;    /* wanted; the first one is to be in the kernel */
	struct fold_owner *installed; /* the kernel's; may have lost its file since;
					 NULL = nobody's */
	bool in_kernel;
	bool dirty;
	uint8_t key[]; /* set->key.len bytes */
};

/** The elements of one shape in one run. */
struct fold_set {
	struct fold_run *run;
	struct fold_set *next; /* of run */
	struct fold_elem *elems;
	size_t n_live;           /* elements that have an owner: none = set goes */
	struct fold_shape shape; /* also its place */
	uint64_t hash;           /* fold_shape_hash() */
	uint32_t key_len;
	char name[FOLD_SET_NAME_SIZE];
	bool in_kernel;
	bool dirty;
	uint64_t rule;     /* handle of the rule that looks it up */
	uint64_t new_rule; /* the same, reported by a transaction under way */
	uint64_t cookie;   /* of its messages, while it is new */
};

/** The files between two chains that divide. */
struct fold_run {
	struct fold_run *prev, *next; /* of all runs */
	struct fold_set *sets;        /* in the order of their lookups */
	size_t n_owners;
	enum place place;
	uint32_t number; /* in the names of its sets */
	bool is_lost;    /* stands at the wrong position: all its owners are to move */
};

/** A file with a chain. */
struct fold_chain {
	struct acl_file *file; /* borrowed */
	bool divides;          /* it matters what comes before and behind it */
};

/** Chains and runs of one place, in order: runs[0], chains[0], runs[1], … A run stands
 * only at 0 and behind chains that divide. */
struct fold_place {
	struct fold_chain *chains; /* n; owned array */
	struct fold_run **runs;    /* n + 1; NULL = none there; owned array */
	size_t n, size;
	uint32_t last_number;
	bool is_mixed; /* what was found does not number its sets by run: new sets take
			  numbers of their own */
};

struct fold_step;

struct fold_table {
	struct fold_place places[PLACE_COUNT];
	struct fold_run *runs;      /* all; owned */
	struct fold_elem **buckets; /* all elements by set and key; owned */
	size_t n_buckets, n_elems;
	struct fold_step *steps; /* changes since the last accept; owned */
	size_t n_steps, size_steps;
	struct fold_elem **dirty; /* elements that may differ from the kernel */
	size_t n_dirty, size_dirty;
	struct fold_set **dirty_sets;
	size_t n_dirty_sets, size_dirty_sets;
	uint32_t generation;
};

/** An empty table. */
void fold_table_init(struct fold_table *table);

/** Free all; @table is as after fold_table_init(). Files are not looked at. */
void fold_table_done(struct fold_table *table);

/* What is wanted. 0 or -ENOMEM: then fold_table_revert(). */

/** From now on @file has a chain at @place; fine if it has one. When it had one that
 * @divides otherwise, that one goes: the call has to be added again. */
int fold_table_add_chain(struct fold_table *table, enum place place,
	struct acl_file *file, bool divides);

/** From now on @file has none there; fine if it had none. */
int fold_table_remove_chain(
	struct fold_table *table, enum place place, struct acl_file *file);

/**
 * The folded rules of @file at @place are from now on the @n rules at @rules, all of
 * which fold_rule() takes; 0 for none. Rules of the same content stay as they are.
 * @cookie  of the first rule; the next ones count up
 */
int fold_table_set_rules(struct fold_table *table, struct acl_file *file,
	enum place place, const struct ruleset_rule *rules, size_t n, uint64_t cookie);

/** Move the elements of lost runs to where their files are now. */
int fold_table_rescue(struct fold_table *table);

/** The kernel has what is wanted. */
void fold_table_accept(struct fold_table *table);

/** Take all changes back. Nothing happens when there are none. */
void fold_table_revert(struct fold_table *table);

/* What the kernel holds, when it is read anew. 0, NULL or -ENOMEM when out of memory.
 */

/** @file has a chain at @place; files of one place in ascending order. */
int fold_table_adopt_chain(struct fold_table *table, enum place place,
	struct acl_file *file, bool divides);

/**
 * A set of the kernel. @index is that of its run in fold_place.runs, SIZE_MAX for a
 * lost one; so is a second set of one shape in one run.
 */
struct fold_set *fold_table_adopt_set(struct fold_table *table,
	const struct fold_name *name, const struct fold_shape *shape, uint64_t rule,
	size_t index);

/** An element of the kernel: whose it is, for fold_table_adopt_elem(). */
struct fold_adopted {
	const uint8_t *key;
	struct acl_file *file; /* NULL = of no file that there is */
	struct ruleset_hash hash;
	int line;
	struct nft_blob tag;
};

/** An element of @set. */
int fold_table_adopt_elem(struct fold_table *table, struct fold_set *set,
	const struct fold_adopted *adopted);

/** No new set gets this name. */
void fold_table_avoid(struct fold_table *table, const struct fold_name *name);

/**
 * Rules of @file whose elements the kernel keeps for earlier owners become owners too:
 * that they are not seen in the kernel is as it should be. @rules are the @n folded
 * ones at @place. In the order of the files.
 */
int fold_table_adopt_duplicates(struct fold_table *table, struct acl_file *file,
	enum place place, const struct ruleset_rule *rules, size_t n);

/* Questions. */

/** True if the folded rules of @file at @place are not those of @compiled there (of
 * none, for a NULL @compiled). */
bool fold_table_differs(const struct acl_file *file, enum place place,
	const struct ruleset_file *compiled);

/** True if the kernel has a chain or a set at @place. */
bool fold_table_is_installed(const struct fold_table *table, enum place place);

/** Index in fold_place.chains of the chain of @file, or of where it would be. */
size_t fold_table_chain_index(
	const struct fold_table *table, enum place place, const struct acl_file *file);

/** Index in fold_place.runs of the run that @file belongs to. */
size_t fold_table_run_index(
	const struct fold_table *table, enum place place, const struct acl_file *file);

/** True when the kernel has of @elem what is wanted. */
bool fold_elem_is_current(const struct fold_elem *elem);

/** The element of @key in the set of shape @hash in run @index, or NULL. */
struct fold_elem *fold_table_find(const struct fold_table *table, enum place place,
	size_t index, uint64_t hash, const struct fold_key *key);
