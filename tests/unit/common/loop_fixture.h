/*
 * loop_fixture.h - what the tests of the loop share: a loop, a clock that the test
 * moves, and callbacks that leave a letter each, so that a test compares the order of
 * calls.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/loop.h"

static int64_t clock_ns; /* what mono_now() gives */

struct fixture {
	struct loop *loop;
	char trace[256]; /* one letter per callback, in order */
	size_t len;
};

/* What one callback does besides leaving its letter. */
struct actor {
	struct fixture *fixture;
	char letter;
	struct loop_source *self;
	struct loop_source *remove; /* removed in the callback, if set */
	struct loop_source *arm;    /* timer to be armed in the callback, if set */
	int64_t arm_ms;             /* from now */
	int stop_result;            /* for loop_stop(), if not 0 */
	unsigned events;            /* that the callback was told */
};

static inline int64_t
test_clock(void *user_data)
{
	(void)user_data;
	return clock_ns;
}

static inline int
setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.loop = loop_new();
	clock_ns = INT64_C(1000000000000);
	mono_set_source(test_clock, NULL);
	*state = &fixture;
	return fixture.loop ? 0 : -1;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	mono_set_source(NULL, NULL);
	return 0;
}

static inline void
act(struct actor *a)
{
	struct fixture *f = a->fixture;

	assert_true(f->len + 1 < sizeof(f->trace));
	f->trace[f->len++] = a->letter;
	if (a->remove)
		loop_remove(a->remove);
	a->remove = NULL;
	if (a->arm)
		loop_timer_in(a->arm, a->arm_ms);
	if (a->stop_result)
		loop_stop(f->loop, a->stop_result);
}

static inline void
on_timer(struct loop *loop, void *user_data)
{
	(void)loop;
	act(user_data);
}

static inline void
on_fd(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct actor *a = user_data;

	(void)loop;
	(void)fd;
	a->events = events;
	act(a);
}

static inline void
on_signal(struct loop *loop, int signo, void *user_data)
{
	(void)loop;
	assert_true(signo == SIGUSR1 || signo == SIGUSR2);
	act(user_data);
}

static inline void
add_timer(struct fixture *f, struct actor *a, char letter, int64_t ms)
{
	*a = (struct actor){ .fixture = f, .letter = letter };
	a->self = loop_add_timer(f->loop, on_timer, a);
	assert_non_null(a->self);
	if (ms >= 0)
		loop_timer_in(a->self, ms);
}

static inline void
add_fd(struct fixture *f, struct actor *a, char letter, int fd)
{
	*a = (struct actor){ .fixture = f, .letter = letter };
	a->self = loop_add_fd(f->loop, fd, LOOP_READ, on_fd, a);
	assert_non_null(a->self);
}

/* A descriptor that is readable for ever: a pipe with a byte in it. */
static inline void
make_readable(int ret_fds[2])
{
	assert_int_equal(pipe2(ret_fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(ret_fds[1], "x", 1), 1);
}

static inline void
close_both(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static inline void
advance_ms(int64_t ms)
{
	clock_ns += ms * 1000000;
}

static inline void
assert_turn(struct fixture *f, const char *trace)
{
	int n;

	f->len = 0;
	memset(f->trace, 0, sizeof(f->trace));
	n = loop_turn(f->loop, 0);
	assert_string_equal(f->trace, trace);
	assert_int_equal(n, strlen(trace));
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
