/*
 * loop.h - the epoll loop: descriptors, timers, signals. One thread owns a loop.
 *
 * Only loop.c includes <sys/epoll.h>, <sys/timerfd.h> and <sys/signalfd.h>. Sources may
 * be removed from inside any callback, their own included; a removed source is never
 * called again.
 */
#pragma once

#include <stdint.h>

#include "common/mono.h"

struct loop;
struct loop_source; /* a watched descriptor, timer or signal set; owned by the loop */

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

typedef void (*loop_fd_fn)(struct loop *loop, int fd, unsigned events, void *user_data);
typedef void (*loop_timer_fn)(struct loop *loop, void *user_data);
typedef void (*loop_signal_fn)(struct loop *loop, int signo, void *user_data);

/** A new loop, or NULL when out of memory or descriptors (errno says which). */
struct loop *loop_new(void);

/** Removes every source, then frees the loop; accepts NULL. Descriptors stay open. */
void loop_free(struct loop *loop);

/** Watch @fd (borrowed until loop_remove) for @events; HANGUP is always reported.
 * Returns NULL with errno on failure. */
struct loop_source *loop_add_fd(
	struct loop *loop, int fd, unsigned events, loop_fd_fn fn, void *user_data);

/** Change the watched events of a descriptor source; 0 or negative errno. */
int loop_set_events(struct loop_source *source, unsigned events);

/** A timer, disarmed. Returns NULL with errno on failure. */
struct loop_source *loop_add_timer(
	struct loop *loop, loop_timer_fn fn, void *user_data);

/** Arm @timer once, for @when; a moment in the past fires at the next turn. Replaces an
 * earlier arming. */
void loop_timer_at(struct loop_source *timer, struct mono when);

/** Arm @timer once, @ms from now. */
void loop_timer_in(struct loop_source *timer, int64_t ms);

/** Disarm @timer. */
void loop_timer_stop(struct loop_source *timer);

/** Block signal @signo for the process and deliver it here instead. Returns NULL with
 * errno on failure. */
struct loop_source *loop_add_signal(
	struct loop *loop, int signo, loop_signal_fn fn, void *user_data);

/** Remove and free; accepts NULL. A signal stays blocked. */
void loop_remove(struct loop_source *source);

/** Run until loop_stop(). Returns the value given there, or a negative errno if waiting
 * fails. */
int loop_run(struct loop *loop);

/** Wait at most @timeout_ms (-1 = for ever, 0 = do not wait) and dispatch what is
 * ready; number of callbacks run, or negative errno. */
int loop_turn(struct loop *loop, int timeout_ms);

/** Make loop_run() return @result after the present callback. */
void loop_stop(struct loop *loop, int result);
