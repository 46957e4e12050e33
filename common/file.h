/*
 * file.h - whole small files: bounded reads, atomic and durable writes.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "common/err.h"

/**
 * Read a whole regular file below the directory @dirfd (AT_FDCWD for a path).
 *
 * @max      larger files give -EFBIG
 * @ret_buf  owned by the caller, NUL behind the last byte; @ret_len excludes it
 * Returns   0 or negative errno; -EINVAL when it is not a regular file. Symbolic links
 *           are followed. Files of /proc and /sys work, too
 */
int file_read(int dirfd, const char *path, size_t max, char **ret_buf, size_t *ret_len);

/** As file_read(), of an open file from its present position on; @fd stays open. */
int file_read_fd(int fd, size_t max, char **ret_buf, size_t *ret_len);

/**
 * Replace @path by @len bytes: temporary file beside it, fsync, rename, fsync of the
 * directory. Blocks for as long as the disk needs.
 *
 * @mode    permission bits, whatever the umask is
 * Returns  0 or negative errno. On failure the old file is untouched and no temporary
 *          is left; only when the sync of the directory fails the new content is in
 *          place already and may not survive a power loss
 * Names    a power loss can leave a temporary ".tapgate-….tmp", which readers of the
 *          directory must not look at
 */
int file_write_atomic(int dirfd, const char *path, const void *buf, size_t len,
	mode_t mode, struct err *err);
