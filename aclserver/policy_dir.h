/*
 * policy_dir.h - the directory that the HTTP process writes ACLs to.
 */
#pragma once

#include <sys/types.h>

#include "common/err.h"

/**
 * Make @path (and its parents) if it is missing, and let the group @gid create files in
 * it: owner root, mode 1775. The sticky bit keeps the HTTP process (@uid) from removing
 * or replacing the operator's files. A directory that already lets
 * @uid write is left as it is.
 * ACLs that an earlier REST server left there as root ("50rest-NAME.rules") become
 * @uid's, so that they can be replaced and removed over HTTP. Returns 0 or negative
 * errno with the path in @err.
 */
int policy_dir_prepare(const char *path, uid_t uid, gid_t gid, struct err *err);
