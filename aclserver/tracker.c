/*
 * tracker.c - one mutex, one condition: commits are rare next to requests, and at most
 * one thread per connection waits.
 */
#include "aclserver/tracker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct tracker {
	pthread_mutex_t lock;        /* guards all below */
	pthread_cond_t ended;        /* a commit ended, or closed */
	uint64_t committed;          /* newest generation that a commit held */
	bool closed;                 /* the committer is gone */
	unsigned n_waiters;          /* threads inside tracker_wait() */
	unsigned max_waiters;        /* limit of n_waiters */
	struct tracker_report *last; /* owned reference; NULL before the first commit */
};

struct tracker *
tracker_new(unsigned max_waiters)
{
	struct tracker *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->ended, NULL);
	t->max_waiters = max_waiters;
	return t;
}

/* With the lock held. */
static void
release(struct tracker_report *report)
{
	if (!report || --report->refs > 0)
		return;
	report_done(&report->report);
	free(report);
}

void
tracker_free(struct tracker *t)
{
	if (!t)
		return;
	release(t->last);
	pthread_cond_destroy(&t->ended);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

int
tracker_done(struct tracker *t, uint64_t generation, struct report *report)
{
	struct tracker_report *fresh = calloc(1, sizeof(*fresh));

	if (!fresh)
		return -ENOMEM;
	fresh->refs = 1;
	fresh->report = *report;
	*report = (struct report){ 0 };
	pthread_mutex_lock(&t->lock);
	release(t->last);
	t->last = fresh;
	if (generation > t->committed)
		t->committed = generation;
	pthread_cond_broadcast(&t->ended);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

void
tracker_close(struct tracker *t)
{
	pthread_mutex_lock(&t->lock);
	t->closed = true;
	pthread_cond_broadcast(&t->ended);
	pthread_mutex_unlock(&t->lock);
}

bool
tracker_closed(struct tracker *t)
{
	bool closed;

	pthread_mutex_lock(&t->lock);
	closed = t->closed;
	pthread_mutex_unlock(&t->lock);
	return closed;
}

bool
tracker_failed(struct tracker *t)
{
	bool failed;

	pthread_mutex_lock(&t->lock);
	failed = t->last && t->last->report.returncode != 0;
	pthread_mutex_unlock(&t->lock);
	return failed;
}

static struct timespec
deadline_in(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

/* With the lock held. */
static bool
is_committed(const struct tracker *t, uint64_t generation)
{
	return t->last && t->committed >= generation;
}

/* With the lock held, which waiting gives up meanwhile. */
static enum tracker_outcome
wait_locked(struct tracker *t, uint64_t generation, int64_t timeout_ms)
{
	const struct timespec deadline = deadline_in(timeout_ms);
	int result = 0;

	while (!is_committed(t, generation)) {
		if (t->closed)
			return TRACKER_CLOSED;
		if (result == ETIMEDOUT || timeout_ms <= 0)
			return TRACKER_TIMEOUT;
		result = pthread_cond_clockwait(
			&t->ended, &t->lock, CLOCK_MONOTONIC, &deadline);
	}
	return TRACKER_COMMITTED;
}

enum tracker_outcome
tracker_wait(struct tracker *t, uint64_t generation, int64_t timeout_ms,
	struct tracker_report **ret_report)
{
	enum tracker_outcome outcome = TRACKER_BUSY;

	pthread_mutex_lock(&t->lock);
	if (t->n_waiters < t->max_waiters || is_committed(t, generation)) {
		t->n_waiters++;
		outcome = wait_locked(t, generation, timeout_ms);
		t->n_waiters--;
	}
	if (outcome == TRACKER_COMMITTED) {
		t->last->refs++;
		*ret_report = t->last;
	}
	pthread_mutex_unlock(&t->lock);
	return outcome;
}

struct tracker_report *
tracker_last(struct tracker *t)
{
	struct tracker_report *report;

	pthread_mutex_lock(&t->lock);
	report = t->last;
	if (report)
		report->refs++;
	pthread_mutex_unlock(&t->lock);
	return report;
}

void
tracker_release(struct tracker *t, struct tracker_report *report)
{
	pthread_mutex_lock(&t->lock);
	release(report);
	pthread_mutex_unlock(&t->lock);
}
