/*
 * store_io.h - the disk operations that acl_store needs, as a table, so that tests can
 * make each of them fail, or end the process at any of them.
 */
#pragma once

#include <stddef.h>

/** Each returns 0 (create: a descriptor) or a negative errno. @dirfd is the policy
 * directory, names are relative to it. */
struct store_io {
	int (*create)(void *user_data, int dirfd, const char *name); /* new, for writing
								      */
	int (*write)(void *user_data, int fd, const void *buf, size_t len); /* all of it
									     */
	int (*sync_file)(void *user_data, int fd);
	int (*sync_all)(void *user_data, int dirfd); /* the whole file system */
	int (*rename)(void *user_data, int dirfd, const char *from, const char *to);
	int (*unlink)(void *user_data, int dirfd, const char *name);
	int (*sync_dir)(void *user_data, int dirfd);
	void *user_data; /* handed to each */
};

/** The kernel's own. */
extern const struct store_io store_io_system;
