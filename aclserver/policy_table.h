/*
 * policy_table.h - the policy files in the order of their keys, and what the kernel
 * holds of each.
 *
 * State module: no I/O. The committer fills it from the kernel (adoption) and keeps it
 * in step with every transaction, so that the cost of a change does not depend on how
 * many files there are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/diag.h"
#include "aclserver/meter_table.h"
#include "aclserver/policy_load.h"
#include "aclserver/port_table.h"
#include "aclserver/ruleset.h"

struct fold_owner;

/** A regular chain of ours in the kernel: the rules of one file for one place. */
struct acl_chain {
	enum place place;
	uint64_t jump; /* handle of the rule in the base that calls it; 0 = none */
	bool divides;  /* what that rule says of it: see fold_table.h */
	struct ruleset_hash hash; /* over the hashes of its rules, in order */
};

/** One policy file. */
struct acl_file {
	struct policy_key key; /* its name is owned */
	char *id;              /* what its chains are called behind "BASE/"; owned */
	bool is_rest;          /* made by the REST server: may be left out when bad */
	struct acl_chain *chains; /* installed; by ascending place; owned */
	size_t n_chains;
	struct fold_owner
		*owners;        /* its rules that are elements of sets; fold_table.h */
	struct port_list ports; /* that its installed rules name */
	struct meter_list meters; /* that they use */
	struct diags problems;    /* of the last attempt to install it; empty = fine */
};

struct policy_table {
	struct acl_file **files; /* sorted by key; owned */
	size_t n, size;
	size_t n_bad; /* files with errors among their problems */
};

/** An empty table. */
void policy_table_init(struct policy_table *table);

/** Free all; @table is as after policy_table_init(). */
void policy_table_done(struct policy_table *table);

/** The file of @key, or NULL. */
struct acl_file *policy_table_find(
	const struct policy_table *table, const struct policy_key *key);

/**
 * The file of @key, added if it is not there. @path, as in messages, makes the id of an
 * added file unique. NULL when out of memory.
 */
struct acl_file *policy_table_add(
	struct policy_table *table, const struct policy_key *key, const char *path);

/** Forget @file and free it. */
void policy_table_remove(struct policy_table *table, struct acl_file *file);

/** The installed chain of @file at @place, or NULL. */
const struct acl_chain *acl_file_chain(const struct acl_file *file, enum place place);

/** Take over what the kernel now holds of @file at @place; a NULL @chain means nothing.
 * 0 or -ENOMEM. */
int acl_file_set_chain(
	struct acl_file *file, enum place place, const struct acl_chain *chain);

/** Replace the problems of @file by those of @problems, which is emptied. */
void policy_table_set_problems(
	struct policy_table *table, struct acl_file *file, struct diags *problems);

/** True for "50rest-NAME.rules" with NAME as the REST server accepts it. */
bool policy_is_rest_name(const char *name);

enum { ACL_CHAIN_NAME_SIZE = 128 };

/** Name of the chain of a file at @place: "filter_forward/ID", "eb_filter_forward/ID".
 */
void acl_chain_name(char buf[ACL_CHAIN_NAME_SIZE], enum place place, const char *id);

/** The place and, behind the '/', the id that a chain name of @family stands for;
 * PLACE_COUNT when it is none of ours. */
enum place acl_chain_parse(uint8_t family, const char *name, const char **ret_id);
