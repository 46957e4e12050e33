/*
 * acl_store.h - the ACLs that were made over REST: one policy file each, durable before
 * anybody is told so.
 *
 * A PUT writes a temporary file, then joins a batch; one thread makes the whole batch
 * durable (one sync for all data, the renames, one sync of the directory) and only then
 * all its members return. Changes of one ACL take effect in the order in which they
 * joined. A crash at any instant leaves every file under a read name whole, and loses
 * nothing that was acknowledged. Every function may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aclserver/acl_dir.h"
#include "aclserver/store_io.h"
#include "common/err.h"

struct acl_store;

/** Called for each batch that changes something or holds an acl_store_announce(), as
 * soon as its files can be read under their names: content durable, the directory about
 * to be. In order, never twice at the same time, before anybody in the batch returns;
 * must not block or call the store. */
typedef void (*acl_store_changed_fn)(uint64_t generation, void *user_data);

struct acl_store_options {
	const char *dir;              /* policy directory; borrowed for the call */
	uint32_t max_acls;            /* no more are made than this */
	const struct store_io *io;    /* NULL = store_io_system; borrowed for ever */
	acl_store_changed_fn changed; /* may be NULL */
	void *user_data;              /* for changed */
};

/** What a change came to. */
struct acl_store_result {
	bool changed;        /* false: everything was so already */
	uint64_t generation; /* number of the batch that made it so, or of the newest
				one; from 1, 0 = none in this process */
};

/**
 * Open the directory, remove temporaries of an earlier process, and make durable what
 * that one may have left unsynced.
 * Returns 0 or negative errno
 */
int acl_store_open(const struct acl_store_options *options, struct acl_store **ret,
	struct err *err);

/** No thread may use it any more. Accepts NULL. */
void acl_store_free(struct acl_store *store);

/**
 * Make the file of ACL @name hold exactly @text. Blocks until it is durable.
 *
 * @name    acl_name_is_valid()
 * Returns  0; -EMLINK: max_acls are there; -EEXIST: something that REST did not make
 *          has the name; -EPERM, -EACCES: the file belongs to another user; -ENOENT:
 *          the directory was removed; -ENOSPC, -EDQUOT, -EROFS, -EIO, …: the disk
 * refused. After an error the previous content is there, except when the last step
 * failed, the sync of the directory
 *          (@err says so): then the new one is in place, but may not survive a crash
 */
int acl_store_put(struct acl_store *store, const char *name, const char *text,
	size_t len, struct acl_store_result *ret, struct err *err);

/** Remove the file of ACL @name; no error if there is none. As acl_store_put(). */
int acl_store_delete(struct acl_store *store, const char *name,
	struct acl_store_result *ret, struct err *err);

/** Remove all ACLs that are there, in one batch. The first error is returned, but all
 * that can be removed are. */
int acl_store_delete_all(
	struct acl_store *store, struct acl_store_result *ret, struct err *err);

/**
 * Announce a new generation although nothing changes, so that whoever installs the
 * files looks at them again. Returns that generation; waits for the batch that runs.
 */
uint64_t acl_store_announce(struct acl_store *store);

/** The content of ACL @name as it is on disk, owned by the caller. 0, -ENOENT, or as
 * acl_dir_read(). */
int acl_store_get(struct acl_store *store, const char *name, char **ret_text,
	size_t *ret_len, struct err *err);

/** All ACLs, sorted; looks at the directory, so that files that others added or removed
 * are counted right. Release with acl_names_done(). */
int acl_store_list(struct acl_store *store, struct acl_names *ret, struct err *err);
