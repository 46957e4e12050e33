/*
 * loop.h - the epoll loop: descriptors, timers, signals. One thread owns a loop.
 *
 * Only loop.c includes <sys/epoll.h> and <sys/signalfd.h>. Sources may be added and
 * removed from inside any callback, their own included; a removed source is never
 * called again. In one turn ready descriptors and signals come first, then due timers,
 * the earliest first. Descriptors are level-triggered: what a callback leaves is
 * offered again in the next turn. Timers are exact to a millisecond, never early, and
 * cost O(log n).
 */
#pragma once

#include <stdint.h>

#include "common/mono.h"

struct loop;
struct loop_source; /* a watched descriptor, timer or signal set; owned by the loop */

/** What a descriptor is watched for, and what its callback is told. */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

typedef void (*loop_fd_fn)(struct loop *loop, int fd, unsigned events, void *user_data);
typedef void (*loop_timer_fn)(struct loop *loop, void *user_data);
typedef void (*loop_signal_fn)(struct loop *loop, int signo, void *user_data);

/** A new loop, or NULL when out of memory or descriptors (errno says which). */
struct loop *loop_new(void);

/** Removes every source, then frees the loop; accepts NULL. Descriptors stay open. A
 * forked child shares the epoll instance: it may neither use nor free the loop of its
 * parent. */
void loop_free(struct loop *loop);

/**
 * Watch @fd for @events.
 *
 * @fd      borrowed; remove the source before closing it
 * @events  LOOP_READ | LOOP_WRITE. LOOP_HANGUP (error or hang-up) is always reported,
 *          and then together with what is watched, so that the read or write that
 *          follows fetches the error
 * Returns  NULL with errno on failure: EEXIST if @fd is watched already, EPERM if it
 *          cannot be waited for (regular files)
 */
struct loop_source *loop_add_fd(
	struct loop *loop, int fd, unsigned events, loop_fd_fn fn, void *user_data);

/** Change the watched events of a descriptor source; 0 or negative errno. */
int loop_set_events(struct loop_source *source, unsigned events);

/** A timer, disarmed; it may be armed again and again. Returns NULL with errno on
 * failure. */
struct loop_source *loop_add_timer(
	struct loop *loop, loop_timer_fn fn, void *user_data);

/** Arm @timer once, for @when; a moment in the past fires at the next turn. Replaces an
 * earlier arming. */
void loop_timer_at(struct loop_source *timer, struct mono when);

/** Arm @timer once, @ms from now. */
void loop_timer_in(struct loop_source *timer, int64_t ms);

/** Disarm @timer; one that is due already in this turn does not fire. */
void loop_timer_stop(struct loop_source *timer);

/** Block signal @signo for the calling thread and the threads that it starts later, and
 * deliver it here instead. Returns NULL with errno on failure: EEXIST if this loop has
 * @signo already. */
struct loop_source *loop_add_signal(
	struct loop *loop, int signo, loop_signal_fn fn, void *user_data);

/** Remove and free; accepts NULL. A signal stays blocked. Works in any callback. */
void loop_remove(struct loop_source *source);

/** Run until loop_stop(). Returns the value given there, or a negative errno if waiting
 * fails. */
int loop_run(struct loop *loop);

/** Wait at most @timeout_ms (-1 = for ever, 0 = do not wait) and dispatch what is
 * ready; number of callbacks run, or negative errno. */
int loop_turn(struct loop *loop, int timeout_ms);

/** Make loop_run() return @result after the present callback; before loop_run() it
 * returns at once. What is ready and was not called yet waits for the next run. */
void loop_stop(struct loop *loop, int result);
