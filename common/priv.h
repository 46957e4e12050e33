/*
 * priv.h - capabilities, user change, no_new_privs, seccomp. The only file with such
 * calls.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

/** Resolve a user given as name or number into ids; -ENOENT with text if there is no
 * such user. For a number the group is the user's primary one if it exists, else the
 * same number. */
int priv_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct err *err);

/**
 * Become @uid/@gid without supplementary groups, keeping exactly the capabilities in
 * @keep (CAP_* numbers, @n_keep of them, effective and permitted; none inheritable or
 * ambient), empty the bounding set otherwise, and set no_new_privs. Works also when
 * already unprivileged if nothing else is asked for. Must run before threads start. On
 * failure the process must end: it may be half changed.
 */
int priv_drop(uid_t uid, gid_t gid, const int *keep, int n_keep, struct err *err);

/**
 * Install a seccomp filter that allows only the system calls in @names (ends with NULL)
 * and answers all others with EPERM; calls that would be a sign of an attack (execve,
 * ptrace, …) kill the process. Names unknown on this architecture are skipped.
 */
int priv_seccomp_allow(const char *const *names, struct err *err);

/** True if this process holds @cap effectively. */
bool priv_has(int cap);
