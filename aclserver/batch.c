/*
 * batch.c - see batch.h. Each member has a semaphore of its own, so that a wake-up
 * reaches exactly one thread, and that thread need not take the lock again.
 */
#include "aclserver/batch.h"

#include <stddef.h>

void
batch_init(struct batch *b, batch_run_fn run, void *user_data)
{
	*b = (struct batch){ .run = run, .user_data = user_data };
	b->tail = &b->head;
	pthread_mutex_init(&b->lock, NULL);
}

void
batch_done(struct batch *b)
{
	pthread_mutex_destroy(&b->lock);
}

/* True if @member has to lead, because nobody does. */
static bool
enqueue(struct batch *b, struct batch_member *member)
{
	bool lead;

	pthread_mutex_lock(&b->lock);
	*b->tail = member;
	b->tail = &member->next;
	lead = !b->busy;
	b->busy = true;
	pthread_mutex_unlock(&b->lock);
	return lead;
}

static struct batch_member *
take_all(struct batch *b)
{
	struct batch_member *first;

	pthread_mutex_lock(&b->lock);
	first = b->head;
	b->head = NULL;
	b->tail = &b->head;
	pthread_mutex_unlock(&b->lock);
	return first;
}

/* Give the lead to the first that waits, if any. */
static void
hand_over(struct batch *b)
{
	struct batch_member *next;

	pthread_mutex_lock(&b->lock);
	next = b->head;
	b->busy = next != NULL;
	pthread_mutex_unlock(&b->lock);
	if (!next)
		return;
	next->leads = true;
	sem_post(&next->wake);
}

/* @leader is the first of those that wait. */
static void
lead(struct batch *b, struct batch_member *leader)
{
	struct batch_member *member = take_all(b);

	b->run(member, b->user_data);
	hand_over(b); /* before the many wake-ups: the next batch need not wait for them
		       */
	while (member) {
		struct batch_member *next = member->next; /* gone once it is woken */

		if (member != leader)
			sem_post(&member->wake);
		member = next;
	}
}

void
batch_submit(struct batch *b, struct batch_member *member)
{
	member->next = NULL;
	member->leads = false;
	sem_init(&member->wake, 0, 0);
	if (enqueue(b, member)) {
		lead(b, member);
	} else {
		while (sem_wait(&member->wake) < 0)
			; /* interrupted by a signal */
		if (member->leads)
			lead(b, member);
	}
	sem_destroy(&member->wake);
}
