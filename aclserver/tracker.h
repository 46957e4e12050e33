/*
 * tracker.h - which changes are committed, and how the last commit ended.
 *
 * The HTTP process counts its groups of changes (generations); the committer
 * says up to which generation it has committed and with what outcome. Here the two
 * meet: request threads wait for the generation of their change. Every function may be
 * called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aclserver/report.h"

struct tracker;

/** The outcome of one commit, shared by all who look at it. */
struct tracker_report {
	unsigned refs;        /* guarded by the tracker */
	struct report report; /* not changed while it is shared */
};

enum tracker_outcome {
	TRACKER_COMMITTED, /* a commit that holds the generation has ended */
	TRACKER_TIMEOUT,   /* not within the time given */
	TRACKER_BUSY,      /* too many wait already */
	TRACKER_CLOSED,    /* the committer is gone or this process ends */
};

/** @max_waiters  more threads than this do not wait at the same time. NULL when out of
 * memory. */
struct tracker *tracker_new(unsigned max_waiters);

/** No thread may use it any more; reports are released first. Accepts NULL. */
void tracker_free(struct tracker *t);

/**
 * A commit that holds everything up to @generation has ended. Wakes who waits for it.
 * @report  decoded outcome; its content is taken over and @report left empty
 * Returns  0 or -ENOMEM (then nothing changed)
 */
int tracker_done(struct tracker *t, uint64_t generation, struct report *report);

/** The committer is gone: every wait ends, and later ones fail at once. */
void tracker_close(struct tracker *t);

/** True once tracker_close() was called. */
bool tracker_closed(struct tracker *t);

/** True while the last commit failed (its return code is not 0). */
bool tracker_failed(struct tracker *t);

/**
 * Wait until a commit that holds @generation has ended.
 *
 * @ret_report  set for TRACKER_COMMITTED only: the outcome of the newest commit, which
 *              may be a later one; release with tracker_release()
 * Blocks       up to @timeout_ms; 0 only looks
 */
enum tracker_outcome tracker_wait(struct tracker *t, uint64_t generation,
	int64_t timeout_ms, struct tracker_report **ret_report);

/** The outcome of the newest commit, NULL before the first; tracker_release() it. */
struct tracker_report *tracker_last(struct tracker *t);

/** Give back what tracker_wait() or tracker_last() gave; accepts NULL. */
void tracker_release(struct tracker *t, struct tracker_report *report);
