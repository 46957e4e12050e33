/*
 * acl_index.h - which ACLs there are, and which of them are being changed.
 *
 * Serves the limit on their number without a look at the directory, and tells acl_store
 * whether what the directory shows of an ACL is on the disk for certain. The caller
 * holds the lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/acl_name.h"

struct acl_entry {
	char name[ACL_NAME_SIZE];
	bool exists;      /* a file of this name is there */
	unsigned pending; /* changes on their way */
	uint64_t changed; /* stamp of the newest change, finished or not; 0 = none */
};

struct acl_index {
	void *tree;     /* of struct acl_entry, by name; see tsearch(3) */
	size_t n;       /* entries */
	uint64_t stamp; /* of the newest change of any entry */
};

/** Free all entries; a zeroed struct is an empty index. */
void acl_index_done(struct acl_index *index);

/** NULL if there is none. */
struct acl_entry *acl_index_find(const struct acl_index *index, const char *name);

/** The entry of @name, made if needed; NULL when out of memory. */
struct acl_entry *acl_index_add(struct acl_index *index, const char *name);

/** A change of @entry begins. */
void acl_index_begin(struct acl_index *index, struct acl_entry *entry);

/** A change of @name that began has ended; @exists is what it left, if @known. Drops
 * the entry if nothing is left to know. */
void acl_index_end(struct acl_index *index, const char *name, bool known, bool exists);

/**
 * Take over what a look at the directory showed.
 * @names, @n  files that are there
 * @stamp      index->stamp before the look: entries changed since are left as they are
 * Returns     0 or -ENOMEM
 */
int acl_index_merge(
	struct acl_index *index, char *const *names, size_t n, uint64_t stamp);
