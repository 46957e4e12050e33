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
 * Become @uid/@gid without supplementary groups and with exactly the capabilities
 * @keep.
 *
 * @keep    CAP_* numbers, @n_keep of them: effective and permitted; none is inheritable
 *          or ambient. The bounding set keeps no others
 * Sets     no_new_privs
 * Returns  0 or negative errno; after a failure the process must end, it may be half
 *          changed
 *
 * Works also for a process that is @uid/@gid already and has no privilege: what it
 * cannot drop then (supplementary groups, bounding set) gives it nothing. Call before
 * threads start: capabilities belong to a thread.
 */
int priv_drop(uid_t uid, gid_t gid, const int *keep, int n_keep, struct err *err);

/**
 * Install a seccomp filter that allows only the system calls in @names (ends with NULL)
 * and answers all others with EPERM; calls that would be a sign of an attack (execve,
 * ptrace, …) kill the process unless they are in @names. Names unknown on this
 * architecture are skipped. Holds for all threads; sets no_new_privs. Returns 0 or
 * negative errno: -EINVAL if the kernel has no seccomp.
 */
int priv_seccomp_allow(const char *const *names, struct err *err);

/**
 * Work with files as their owner would: if this process is root and @path belongs to
 * somebody else, this thread makes and opens files as that user from now on, without
 * root's rights, until priv_files_as_self(). So root can use a daemon's directory
 * without leaving files there that the daemon cannot change, and cannot be led astray
 * by links. Does nothing if @path does not exist. Returns 0 or -EPERM.
 */
int priv_files_as_owner(const char *path);

/** Undo it. Fine without. */
void priv_files_as_self(void);

/** True if this process holds @cap effectively. */
bool priv_has(int cap);
