/*
 * kernel_view.h - what the kernel holds in our tables, read back.
 *
 * The base of adoption: after a start, or when somebody else may have changed our
 * tables, the committer compares this with the policy files instead of flushing. Acting
 * module (netlink dumps).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/kernel_sets.h"
#include "aclserver/placement.h"
#include "aclserver/ruleset.h"
#include "common/err.h"
#include "common/nft.h"

/** Name of all our tables. */
#define KERNEL_TABLE "tapgate"

/** A regular chain of ours. */
struct kernel_chain {
	enum place place;
	char *name;               /* whole name; owned */
	const char *id;           /* the part behind '/'; inside name */
	uint64_t jump;            /* handle of the rule that calls it; 0 = none */
	size_t order;             /* position of that rule in its base */
	bool divides;             /* what that rule says of the chain */
	struct ruleset_hash hash; /* over its rules' hashes, in order */
	size_t n_rules;
	bool adopted; /* for the caller: belongs to a policy file */
};

/** Something in our tables that no policy file can account for. */
struct kernel_stray {
	enum base base;  /* a rule of this base that is no call or lookup of ours … */
	uint64_t handle; /* … or is the second one of its chain or set */
};

enum { KERNEL_TABLES = 3 };

struct kernel_view {
	struct kernel_chain *chains; /* sorted by place, then id; owned */
	size_t n_chains;
	struct kernel_stray *strays; /* owned */
	size_t n_strays;
	char **unknown[KERNEL_TABLES]; /* names of chains that are not ours; owned */
	size_t n_unknown[KERNEL_TABLES];
	struct kernel_sets sets[KERNEL_TABLES];
	bool has_table[KERNEL_TABLES]; /* inet, bridge, netdev */
	bool has_base[BASE_COUNT];
	uint64_t guards[BASE_COUNT]; /* handle of the rule, see base_guard; 0 = none */
};

/** Our tables, in the order of the arrays above. */
extern const struct nft_table kernel_tables[KERNEL_TABLES];

/** The table that @base lives in. */
const struct nft_table *kernel_table_of(enum base base);

/** Read everything. 0, or negative errno with @err; @ret is to be released with
 * kernel_view_done() in both cases. */
int kernel_view_read(struct nft *nft, struct kernel_view *ret, struct err *err);

/** Free all; fine on a zeroed struct. */
void kernel_view_done(struct kernel_view *view);

/** The chain of @id at @place, or NULL. */
struct kernel_chain *kernel_view_find(
	const struct kernel_view *view, enum place place, const char *id);

/** One rule of a chain of ours, as read back. */
struct kernel_rule {
	struct ruleset_hash hash; /* all zero when it is not one of ours */
	uint64_t handle;
	uint64_t packets, bytes;
};

/** The rules of one chain; *@ret is to be freed. 0 or negative errno with @err. */
int kernel_read_chain(struct nft *nft, enum place place, const char *name,
	struct kernel_rule **ret, size_t *ret_n, struct err *err);
