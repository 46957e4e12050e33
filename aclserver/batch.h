/*
 * batch.h - group commit: threads hand in work, one of them does it for all that has
 * come together, and each goes on when its own work is done.
 *
 * A thread that finds nobody at work leads: it takes everything that waits, in order of
 * arrival, and runs it as one batch. What arrives meanwhile forms the next batch, whose
 * first member leads as soon as the present one is done. No thread waits longer than
 * for the batch that runs and its own; nothing is delayed to let a batch grow.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

/** Embedded in the caller's piece of work; lives at least until batch_submit() returns.
 */
struct batch_member {
	struct batch_member *next; /* in order of arrival */
	sem_t wake;                /* posted once: to lead, or when done */
	bool leads;                /* why it was posted; written before that */
};

/** Does the work of @first and all that follow it. Never runs twice at the same time,
 * and one batch sees all that the one before it did. */
typedef void (*batch_run_fn)(struct batch_member *first, void *user_data);

struct batch {
	pthread_mutex_t lock;      /* guards all below; held for a few instructions */
	struct batch_member *head; /* of those that wait for the next batch */
	struct batch_member **tail;
	bool busy; /* some thread leads */
	batch_run_fn run;
	void *user_data; /* for run */
};

/** Empty; @run gets @user_data. */
void batch_init(struct batch *b, batch_run_fn run, void *user_data);

/** No thread may be inside batch_submit(). */
void batch_done(struct batch *b);

/** Hand in @member and return when the batch that holds it has run; that may happen in
 * this thread. Blocks. */
void batch_submit(struct batch *b, struct batch_member *member);
