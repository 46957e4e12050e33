/*
 * policy_read.h - reads one rule file, on behalf of a privileged process, from a
 * directory that an unprivileged one may write to.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/** A rule file as it was read. */
struct policy_text {
	char *text; /* owned; NUL behind the last byte; NULL = not read */
	size_t len; /* bytes, without that NUL */
	uid_t owner;
};

/**
 * Read the rule file @path, at most POLICY_FILE_MAX bytes.
 *
 * A symbolic link is followed only when root made it, and so for the one that it leads
 * to: otherwise the HTTP process could
 * have this process read, and quote in its error messages, files that it may not read
 * itself. One that points to nothing is an error, not a missing file. For the same
 * reason a file that has several names (hard links) has to be readable by everybody.
 * @ret      set on success only; free its text
 * Returns   0; -ENOENT when there is no such file; another negative errno. @err names
 * the reason, not the path.
 */
int policy_read(const char *path, struct policy_text *ret, struct err *err);
