/*
 * commit_build.h - the parts of commit_plan_build(). Private to commit_plan.c,
 * commit_batch.c, commit_calls.c and fold_batch.c.
 */
#pragma once

#include "aclserver/commit_plan.h"

/** True when @change is to have a chain of its own at @place. */
bool commit_wants_chain(const struct commit_change *change, enum place place);

/** True when @base, if it is there, is to have its guard. */
bool commit_wants_guard(const struct commit_plan *plan, enum base base);

/** True when the chain of @change at @place is to be called anew: it is not called, or
 * the call does not say what the chain is now. */
bool commit_needs_call(const struct commit_change *change, enum place place);

/** Bring the folded rules into the state that the plan wants. 0 or -ENOMEM with @err:
 * then fold_table_revert(). */
int fold_batch_stage(const struct commit_plan *plan, struct err *err);

/** Append new sets, and all elements that are not as in the kernel; those that move
 * take their counters along. 0 or negative errno with @err. */
int fold_batch_elems(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err);

/** Append the removal of sets that are not wanted any more. */
void fold_batch_removals(const struct commit_plan *plan, struct nft_batch *batch);

/** Append the calls of new chains and the lookups of new sets, each where it belongs in
 * its base. 0 or -ENOMEM with @err. */
int commit_calls_build(
	const struct commit_plan *plan, struct nft_batch *batch, struct err *err);
