/*
 * policy_read.h - reads one rule file, on behalf of a privileged process, from a
 * directory that an unprivileged one may write to.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

/**
 * Read the rule file @path, at most POLICY_FILE_MAX bytes.
 *
 * A symbolic link is followed only when root made it: otherwise the HTTP process could
 * have this process read, and quote in its error messages, files that it may not read
 * itself.
 * @ret_buf  owned by the caller, NUL behind the last byte
 * Returns   0; -ENOENT when there is no such file; another negative errno. @err names
 * the reason, not the path.
 */
int policy_read(const char *path, char **ret_buf, size_t *ret_len, struct err *err);
