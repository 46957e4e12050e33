/*
 * adopt.h - matches what the kernel holds with the policy files there are. State
 * module.
 *
 * After adoption every file of the table knows its installed chains and folded rules;
 * what nobody accounts for stays marked in the view, for the next transaction to
 * remove. Nothing is flushed: rules that are still wanted keep their counters.
 */
#pragma once

#include "aclserver/fold_table.h"
#include "aclserver/kernel_view.h"
#include "aclserver/policy_table.h"

/**
 * Give each chain and element of @view to the file of @table that it belongs to;
 * @fold is empty before. A chain whose call stands at the wrong place in its base keeps
 * its rules, but its call is forgotten (jump 0) and added to the strays of @view. A set
 * whose lookup stands at the wrong place, or that serves files of several runs, becomes
 * one of a lost run. Returns 0 or -ENOMEM.
 */
int adopt(
	struct kernel_view *view, struct policy_table *table, struct fold_table *fold);
