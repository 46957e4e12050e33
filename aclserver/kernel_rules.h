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

/** One installed rule: a rule of a chain, or an element of a set of folded ones. A rule
 * that several files have is one element, of the first of them. */
struct kernel_rule_info {
	enum place place;
	char *names;                    /* owned; holds the next two */
	const char *chain;              /* name of its chain; NULL = an element */
	const char *id;                 /* of its file */
	uint64_t handle;                /* of a rule; 0 for elements */
	const struct kernel_set *set;   /* of an element; in sets below */
	const struct kernel_elem *elem; /* likewise */
	struct nft_emit_tag tag;        /* hash, section, line and text */
	uint64_t packets, bytes;
	bool polices; /* it may drop what exceeds a rate: */
	uint64_t dropped_packets, dropped_bytes;
	size_t call;  /* position of its chain or run among those of all bases */
	size_t order; /* in its chain; 0 for elements, which have none */
};

struct kernel_rules {
	struct kernel_rule_info *items; /* by place, then as packets meet them; elements
					   by id and line; owned */
	size_t n, size;
	struct kernel_sets sets[KERNEL_TABLES]; /* where the elements are from */
};

/** Read the rules of all our tables; rules without our tag are left out. 0 or negative
 * errno with @err; release @ret with kernel_rules_done() in both cases. */
int kernel_rules_read(struct nft *nft, struct kernel_rules *ret, struct err *err);

/** Free all; fine on a zeroed struct. */
void kernel_rules_done(struct kernel_rules *rules);
