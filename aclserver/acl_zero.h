/*
 * acl_zero.h - zeroing counters: every rule concerned is replaced by itself, with
 * counters at zero.
 *
 * Linux 6.1 has no request that resets the counters of rules, so the policy is compiled
 * again and matched with what is installed by content; elements of sets are simply
 * replaced. Acting module (reads policy
 * files).
 */
#pragma once

#include "aclserver/kernel_rules.h"
#include "common/nft.h"

/**
 * Append to @batch a replacement of each of @rules whose section is in @kinds (bits 1
 * << section).
 * @policy_conf  the policy that is installed
 * Returns 0; -ESTALE when a rule is not one that the policy makes now (the batch is
 * then not to be sent); another negative errno. @err says which.
 */
int acl_zero_build(struct nft_batch *batch, const char *policy_conf,
	const struct kernel_rules *rules, unsigned kinds, struct err *err);
