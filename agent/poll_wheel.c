/*
 * poll_wheel.c - which data source is due when.
 */
#include "agent/poll_wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MS_PER_S = 1000 };

/* 2^32 divided by the golden ratio. */
#define GOLDEN UINT32_C(2654435769)

_Static_assert(POLL_INTERVAL_MAX_S *MS_PER_S / POLL_TICK_MS < POLL_SLOTS,
	"the wheel is longer than any interval");

void
poll_wheel_init(struct poll_wheel *w, struct mono now)
{
	memset(w, 0, sizeof(*w));
	w->start = now;
}

void
poll_wheel_done(struct poll_wheel *w)
{
	for (size_t i = 0; i < POLL_BUCKETS; i++) {
		while (w->buckets[i]) {
			struct poll_entry *e = w->buckets[i];

			w->buckets[i] = e->next;
			free(e);
		}
	}
	poll_wheel_init(w, w->start);
}

static uint64_t
tick_at(const struct poll_wheel *w, struct mono now)
{
	return (uint64_t)(mono_diff_ms(w->start, now) / POLL_TICK_MS);
}

struct poll_entry *
poll_wheel_find(const struct poll_wheel *w, uint32_t key)
{
	struct poll_entry *e = w->buckets[key % POLL_BUCKETS];

	while (e && e->key != key)
		e = e->next;
	return e;
}

static void
enter_slot(struct poll_wheel *w, struct poll_entry *e, uint64_t due)
{
	struct poll_entry **head = &w->slots[due % POLL_SLOTS];

	e->due = due;
	e->prev_in_slot = NULL;
	e->next_in_slot = *head;
	if (*head)
		(*head)->prev_in_slot = e;
	*head = e;
}

static void
leave_slot(struct poll_wheel *w, struct poll_entry *e)
{
	if (e->prev_in_slot)
		e->prev_in_slot->next_in_slot = e->next_in_slot;
	else
		w->slots[e->due % POLL_SLOTS] = e->next_in_slot;
	if (e->next_in_slot)
		e->next_in_slot->prev_in_slot = e->prev_in_slot;
}

/* The first tick of the entry's phase behind @tick. */
static uint64_t
next_due(const struct poll_entry *e, uint64_t tick)
{
	uint64_t interval = (uint64_t)e->interval_s * MS_PER_S / POLL_TICK_MS;
	uint64_t phase = (uint32_t)(e->order * GOLDEN) * interval >> 32;
	uint64_t due = tick - tick % interval + phase;

	return due > tick ? due : due + interval;
}

static int
add(struct poll_wheel *w, uint32_t key, uint32_t interval_s, uint64_t tick)
{
	struct poll_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->key = key;
	e->interval_s = interval_s;
	e->order = w->n_orders++;
	e->next = w->buckets[key % POLL_BUCKETS];
	w->buckets[key % POLL_BUCKETS] = e;
	w->n++;
	enter_slot(w, e, tick + 1);
	return 0;
}

static void
forget(struct poll_wheel *w, struct poll_entry *e)
{
	struct poll_entry **link = &w->buckets[e->key % POLL_BUCKETS];

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	leave_slot(w, e);
	free(e);
	w->n--;
}

int
poll_wheel_set(struct poll_wheel *w, uint32_t key, uint32_t interval_s, struct mono now)
{
	struct poll_entry *e = poll_wheel_find(w, key);

	if (interval_s > POLL_INTERVAL_MAX_S)
		interval_s = POLL_INTERVAL_MAX_S;
	if (!e)
		return interval_s ? add(w, key, interval_s, tick_at(w, now)) : 0;
	if (interval_s == e->interval_s)
		return 0;
	if (interval_s == 0) {
		forget(w, e);
		return 0;
	}
	leave_slot(w, e);
	e->interval_s = interval_s;
	enter_slot(w, e, next_due(e, tick_at(w, now)));
	return 0;
}

/* An entry of the slot of @tick that is due by @now_tick. */
static struct poll_entry *
find_due(const struct poll_wheel *w, uint64_t tick, uint64_t now_tick)
{
	struct poll_entry *e = w->slots[tick % POLL_SLOTS];

	while (e && e->due > now_tick)
		e = e->next_in_slot;
	return e;
}

bool
poll_wheel_next(const struct poll_wheel *w, struct mono *ret_when)
{
	uint64_t tick = w->tick;

	if (w->n == 0)
		return false;
	/* All are due within one turn of the wheel, or late already. */
	while (!find_due(w, tick, tick) && tick < w->tick + POLL_SLOTS)
		tick++;
	*ret_when = mono_add_ms(w->start, (int64_t)(tick * POLL_TICK_MS));
	return true;
}

struct poll_entry *
poll_wheel_take(struct poll_wheel *w, struct mono now)
{
	uint64_t now_tick = tick_at(w, now);
	struct poll_entry *e;

	/* After a long sleep one turn shows every entry. */
	if (now_tick > w->tick + POLL_SLOTS)
		w->tick = now_tick - POLL_SLOTS;
	while (!(e = find_due(w, w->tick, now_tick))) {
		if (w->tick >= now_tick)
			return NULL;
		w->tick++;
	}
	leave_slot(w, e);
	enter_slot(w, e, next_due(e, now_tick));
	return e;
}
