/*
 * fold_internal.h - what fold_table.c (the objects) and fold_change.c (the changes)
 * share. Included by nobody else.
 */
#pragma once

#include "aclserver/fold_table.h"

enum fold_step_kind {
	FOLD_STEP_ADD,          /* .owner is new */
	FOLD_STEP_REMOVE,       /* .owner is gone from its element and its file */
	FOLD_STEP_MOVE,         /* .owner was in .elem */
	FOLD_STEP_ADD_CHAIN,    /* .chain at .place; .before was the run there */
	FOLD_STEP_REMOVE_CHAIN, /* likewise; .before and .behind were the runs beside */
};

/** One change, with what it takes to undo it. */
struct fold_step {
	enum fold_step_kind kind;
	enum place place;
	struct fold_owner *owner;
	struct fold_elem *elem;
	struct fold_chain chain;
	struct fold_run *before, *behind;
};

/** A new run of @place, in no position yet. NULL when out of memory. */
struct fold_run *fold_run_new(
	struct fold_table *table, enum place place, uint32_t number);

/** A new set of @run, its last; NULL when out of memory. */
struct fold_set *fold_set_new(
	struct fold_run *run, const struct fold_shape *shape, uint32_t number);

/** The set of shape @hash in @run, or NULL. */
struct fold_set *fold_set_find(const struct fold_run *run, uint64_t hash);

/** The element of @key in @set, added if it is not there: then it is dirty. NULL when
 * out of memory. */
struct fold_elem *fold_elem_get(
	struct fold_table *table, struct fold_set *set, const uint8_t *key);

/** Remember that @elem and its set may differ from the kernel. 0 or -ENOMEM. */
int fold_mark(struct fold_table *table, struct fold_elem *elem);

/** As fold_mark(), for a set. */
int fold_mark_set(struct fold_table *table, struct fold_set *set);

/** What an owner is about; see struct fold_adopted. NULL when out of memory. */
struct fold_owner *fold_owner_new(const struct fold_adopted *about);

/** The owner that @rule of @file is; NULL when out of memory. */
struct fold_owner *fold_owner_of_rule(
	struct acl_file *file, const struct ruleset_rule *rule);

/** The owner of @elem for @rule of @file that was not seen in this generation; or NULL.
 */
struct fold_owner *fold_owner_find(const struct fold_table *table,
	const struct fold_elem *elem, const struct acl_file *file,
	const struct ruleset_rule *rule);

/** Make @owner one of @elem, behind those of files and lines before it. */
void fold_link(struct fold_owner *owner, struct fold_elem *elem);

/** Undo fold_link(); owner->elem stays. */
void fold_unlink(struct fold_owner *owner);

/** Put @owner into the list of its file, and take it out. */
void fold_link_file(struct fold_owner *owner);
void fold_unlink_file(struct fold_owner *owner);

/** Forget what is dirty and the same as in the kernel: elements that are neither wanted
 * nor installed are freed, then sets and runs that are empty. */
void fold_sweep(struct fold_table *table);

/** Make room for a chain at @index of @place, or for as many as there are. 0 or
 * -ENOMEM. */
int fold_place_reserve(struct fold_place *place);

/** Insert @chain at @index; the runs beside it become @before and @behind. */
void fold_place_insert(struct fold_place *place, size_t index,
	const struct fold_chain *chain, struct fold_run *before,
	struct fold_run *behind);

/** Remove the chain at @index; @run is then where it was. */
void fold_place_remove(struct fold_place *place, size_t index, struct fold_run *run);
