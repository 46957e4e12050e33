/*
 * commit_lock.h - one writer of our kernel tables at a time, and "did somebody else
 * write".
 *
 * tapgate-aclserver and tapgate-acl take the lock around every commit. The file
 * RUN_DIR/acl.lock also holds a number that tapgate-acl raises when it changed the
 * kernel, so that the server knows that what it remembers is stale. flock(2) goes with
 * its holder, however it dies. Acting module.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct commit_lock {
	int fd;         /* of the lock file; -1 = not open */
	uint64_t stamp; /* as last read or written by this process */
};

/** Open or create the file; the directory @run_dir is made (0755) if it is missing. 0
 * or negative errno. */
int commit_lock_open(struct commit_lock *lock, const char *run_dir, struct err *err);

/** If root made the lock of @run_dir before the directory was given to a daemon, give
 * that the lock, too; needs root. Fine if there is none. 0 or negative errno. */
int commit_lock_hand_over(const char *run_dir, struct err *err);

/** Close the file; the lock, if held, goes. Accepts fd -1. */
void commit_lock_close(struct commit_lock *lock);

/**
 * Wait for the lock (at most @timeout_ms; -1 = for ever) and read the stamp.
 * @ret_changed  true if the stamp differs from the one this process knew
 * Returns 0, -ETIMEDOUT, or another negative errno.
 */
int commit_lock_take(
	struct commit_lock *lock, int timeout_ms, bool *ret_changed, struct err *err);

/** Tell the others that the kernel was changed; only while the lock is held. 0 or
 * negative errno. */
int commit_lock_bump(struct commit_lock *lock, struct err *err);

/** Release; harmless when it is not held. */
void commit_lock_release(struct commit_lock *lock);
