/*
 * kernel_rules.h - every rule that we installed, with its counters, as the kernel has
 * it now.
 *
 * For tapgate-acl: listing, flushing by kind, zeroing. Acting module (netlink dumps).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "aclserver/kernel_view.h"
#include "aclserver/nft_emit.h"

/** One installed rule. */
struct kernel_rule_info {
	enum place place;
	char *chain;    /* name of its chain; owned */
	const char *id; /* of its file; inside chain */
	uint64_t handle;
	struct nft_emit_tag tag; /* hash, section, line and text */
	uint64_t packets, bytes;
	size_t call; /* position of its chain among the chains that are called */
};

struct kernel_rules {
	struct kernel_rule_info
		*items; /* chain by chain, in the order of the kernel's list; owned */
	size_t n, size;
};

/** Read the rules of all our tables; rules without our tag are left out. 0 or negative
 * errno with @err; release @ret with kernel_rules_done() in both cases. */
int kernel_rules_read(struct nft *nft, struct kernel_rules *ret, struct err *err);

/** Free all; fine on a zeroed struct. */
void kernel_rules_done(struct kernel_rules *rules);
