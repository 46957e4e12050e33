/*
 * commit_plan.h - what one commit is going to change, and the transaction that does it.
 *
 * A plan is a list of files whose rules in the kernel are not what they should be.
 * commit_plan_build() turns it into one batch of messages; commit_plan_blame() maps
 * what the kernel refused back to files and rules; commit_plan_apply() takes over the
 * new state when the kernel accepted. Acting module (reads chains that change).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/fold_table.h"
#include "aclserver/kernel_view.h"
#include "aclserver/policy_read.h"
#include "aclserver/policy_table.h"
#include "aclserver/ruleset.h"
#include "common/arena.h"
#include "common/nft.h"

/** One file to be changed. */
struct commit_change {
	struct acl_file *file;        /* borrowed from the table */
	char *path;                   /* for messages; owned */
	struct policy_text source;    /* what was compiled; owned; none when removed */
	struct arena *arena;          /* holds compiled; owned; NULL when removed */
	struct ruleset_file compiled; /* all empty when removed */
	bool removed;                 /* the file is gone */
	bool excluded;                /* left out of this transaction: it was refused */
	bool folds[PLACE_COUNT];      /* its rules there are elements, not a chain */
	bool divides[PLACE_COUNT]; /* its chain there divides runs, see fold_table.h */
	struct port_list ports;    /* that its rules name */
	struct meter_list meters;  /* that they use */
	struct diags problems;     /* warnings of the compiler, errors of the kernel */
	uint64_t jumps[PLACE_COUNT]; /* handles of the calls that were added */
};

struct commit_plan {
	struct policy_table *table;    /* borrowed */
	struct fold_table *fold;       /* borrowed */
	struct port_table *ports;      /* borrowed */
	struct meter_table *meters;    /* borrowed */
	struct nft *nft;               /* borrowed */
	struct commit_change *changes; /* by ascending key; owned */
	size_t n, size;
	struct kernel_view
		*view;   /* what to clean up after an adoption; NULL = nothing */
	bool *has_base;  /* BASE_COUNT entries; borrowed */
	bool *has_guard; /* likewise: see base_guard */
};

/** Free all changes; the view and the table stay. */
void commit_plan_done(struct commit_plan *plan);

/** Free what a change owns; for one that did not get into a plan. */
void commit_change_done(struct commit_change *change);

/** Append a change; its fields are taken from @change, which is emptied. 0 or -ENOMEM.
 */
int commit_plan_add(struct commit_plan *plan, struct commit_change *change);

/** Bring the changes into key order; once, after the last commit_plan_add(). */
void commit_plan_sort(struct commit_plan *plan);

/** Decide at which places the rules of @change are folded: those of REST files where
 * all of them can be. Operators' files stay readable as chains, and always divide, so
 * that their counters are exact. Once it is compiled. */
void commit_change_fold(struct commit_change *change);

/** True if what the kernel holds of the change's file at @place is not what it says
 * now, or is not called. */
bool commit_change_differs_at(const struct commit_change *change, enum place place);

/** The same for all places. */
bool commit_change_differs(const struct commit_change *change);

/**
 * Fill @batch (emptied first) with everything that is not excluded. A rule that the
 * emitter cannot express excludes its file and adds an error to its problems. The
 * folded rules are then in the state that the batch leads to; if it is not sent, or
 * refused, fold_table_revert(). Returns 0 or negative errno with @err.
 */
int commit_plan_build(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err);

/**
 * Turn the errors of @result into problems of the changes they belong to, and exclude
 * those changes.
 * @general  receives what belongs to no file
 * Returns   the number of changes excluded
 */
size_t commit_plan_blame(struct commit_plan *plan, const struct nft_result *result,
	struct diags *general);

/** For nft_commit_how.on_handle: @user_data is the plan. */
void commit_plan_on_handle(uint64_t cookie, uint64_t handle, void *user_data);

/** The kernel accepted: take over what it now holds. Removed files leave the table. 0
 * or -ENOMEM. */
int commit_plan_apply(struct commit_plan *plan);
