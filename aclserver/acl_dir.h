/*
 * acl_dir.h - reads the policy directory: only regular files with a name that REST
 * gives; a symbolic link is never followed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/** Names of ACLs, sorted in byte order. */
struct acl_names {
	char **items; /* owned, and each of them */
	size_t n;
};

/** Free the names; @names is empty afterwards. */
void acl_names_done(struct acl_names *names);

/**
 * Open the file of the ACL @name for reading.
 * Returns a descriptor; -ENOENT; -EEXIST when something else than a regular file has
 * its name; else what open(2) says
 */
int acl_dir_open_file(int dirfd, const char *name, struct err *err);

/** True if the file @fd holds exactly @text; false also when it cannot be read. */
bool acl_dir_same_content(int fd, const char *text, size_t len);

/** The content of the ACL @name, owned by the caller. 0, or as acl_dir_open_file(), or
 * -EFBIG above @max bytes. */
int acl_dir_read(int dirfd, const char *name, size_t max, char **ret_text,
	size_t *ret_len, struct err *err);

/** All ACLs. 0 or negative errno. */
int acl_dir_list(int dirfd, struct acl_names *ret, struct err *err);

/** "." + file of @name + a number that was not used before by this process + ".tmp": no
 * glob of a policy.conf matches it. */
void acl_dir_temporary(const char *name, unsigned long number, char *ret, size_t size);

/** Remove the temporaries that a process left behind when it was killed. 0 or negative
 * errno when the directory cannot be read. */
int acl_dir_remove_temporaries(int dirfd, struct err *err);
