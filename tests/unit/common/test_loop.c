/*
 * test_loop.c - descriptors, timers on a clock that the test moves, signals, and
 * removal at every awkward moment.
 */
#include "common/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

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

static int64_t
test_clock(void *user_data)
{
	(void)user_data;
	return clock_ns;
}

static int
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

static int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	mono_set_source(NULL, NULL);
	return 0;
}

static void
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

static void
on_timer(struct loop *loop, void *user_data)
{
	(void)loop;
	act(user_data);
}

static void
on_fd(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct actor *a = user_data;

	(void)loop;
	(void)fd;
	a->events = events;
	act(a);
}

static void
on_signal(struct loop *loop, int signo, void *user_data)
{
	(void)loop;
	assert_true(signo == SIGUSR1 || signo == SIGUSR2);
	act(user_data);
}

static void
add_timer(struct fixture *f, struct actor *a, char letter, int64_t ms)
{
	*a = (struct actor){ .fixture = f, .letter = letter };
	a->self = loop_add_timer(f->loop, on_timer, a);
	assert_non_null(a->self);
	if (ms >= 0)
		loop_timer_in(a->self, ms);
}

static void
add_fd(struct fixture *f, struct actor *a, char letter, int fd)
{
	*a = (struct actor){ .fixture = f, .letter = letter };
	a->self = loop_add_fd(f->loop, fd, LOOP_READ, on_fd, a);
	assert_non_null(a->self);
}

/* A descriptor that is readable for ever: a pipe with a byte in it. */
static void
make_readable(int ret_fds[2])
{
	assert_int_equal(pipe2(ret_fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(write(ret_fds[1], "x", 1), 1);
}

static void
close_both(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static void
advance_ms(int64_t ms)
{
	clock_ns += ms * 1000000;
}

static void
assert_turn(struct fixture *f, const char *trace)
{
	int n;

	f->len = 0;
	memset(f->trace, 0, sizeof(f->trace));
	n = loop_turn(f->loop, 0);
	assert_string_equal(f->trace, trace);
	assert_int_equal(n, strlen(trace));
}

static void
readable_descriptor_is_called_until_drained(void **state)
{
	struct fixture *f = *state;
	struct actor a;
	int fds[2];
	char c;

	make_readable(fds);
	add_fd(f, &a, 'a', fds[0]);
	assert_turn(f, "a");
	assert_int_equal(a.events, LOOP_READ);
	assert_turn(f, "a");
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_turn(f, "");
	loop_remove(a.self);
	close_both(fds);
}

static void
watched_events_can_change(void **state)
{
	struct fixture *f = *state;
	struct actor a;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	add_fd(f, &a, 'a', fds[0]);
	assert_turn(f, "");
	assert_int_equal(loop_set_events(a.self, LOOP_READ | LOOP_WRITE), 0);
	assert_turn(f, "a");
	assert_int_equal(a.events, LOOP_WRITE);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_turn(f, "a");
	assert_int_equal(a.events, LOOP_READ | LOOP_WRITE);
	assert_int_equal(loop_set_events(a.self, 0), 0);
	assert_turn(f, "");
	loop_remove(a.self);
	close_both(fds);
}

static void
hangup_is_reported_with_what_is_watched(void **state)
{
	struct fixture *f = *state;
	struct actor a;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	add_fd(f, &a, 'a', fds[0]);
	close(fds[1]);
	assert_turn(f, "a");
	assert_int_equal(a.events, LOOP_HANGUP | LOOP_READ);
	assert_int_equal(loop_set_events(a.self, 0), 0);
	assert_turn(f, "a");
	assert_int_equal(a.events, LOOP_HANGUP);
	loop_remove(a.self);
	close(fds[0]);
}

static void
descriptor_that_cannot_be_watched_is_refused(void **state)
{
	struct fixture *f = *state;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), fds[2];
	struct actor a;

	assert_null(loop_add_fd(f->loop, file, LOOP_READ, on_fd, NULL));
	assert_int_equal(errno, EPERM);
	assert_null(loop_add_fd(f->loop, -1, LOOP_READ, on_fd, NULL));
	assert_int_equal(errno, EBADF);
	close(file);
	make_readable(fds);
	add_fd(f, &a, 'a', fds[0]);
	assert_null(loop_add_fd(f->loop, fds[0], LOOP_READ, on_fd, NULL));
	assert_int_equal(errno, EEXIST);
	assert_turn(f, "a");
	loop_remove(a.self);
	close_both(fds);
}

static void
callback_may_remove_its_own_descriptor(void **state)
{
	struct fixture *f = *state;
	struct actor a;
	int fds[2];

	make_readable(fds);
	add_fd(f, &a, 'a', fds[0]);
	a.remove = a.self;
	assert_turn(f, "a");
	assert_turn(f, "");
	close_both(fds);
}

static void
source_removed_while_ready_is_not_called(void **state)
{
	struct fixture *f = *state;
	int fds1[2], fds2[2];
	struct actor a, b;

	make_readable(fds1);
	make_readable(fds2);
	add_fd(f, &a, 'x', fds1[0]);
	add_fd(f, &b, 'x', fds2[0]);
	/* Whichever is called first removes the other, ready one. */
	a.remove = b.self;
	b.remove = a.self;
	assert_turn(f, "x");
	a.remove = b.remove = NULL;
	assert_turn(f, "x");
	close_both(fds1);
	close_both(fds2);
}

/* Removes its source and puts a new one on the same descriptor at once. */
static void
on_fd_replace(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct actor *a = user_data;

	(void)events;
	loop_remove(a->self);
	a->self = loop_add_fd(loop, fd, LOOP_READ, on_fd, a);
	assert_non_null(a->self);
	act(a);
}

static void
descriptor_can_be_watched_again_in_the_callback(void **state)
{
	struct fixture *f = *state;
	struct actor a = { .fixture = f, .letter = 'r' };
	int fds[2];

	make_readable(fds);
	a.self = loop_add_fd(f->loop, fds[0], LOOP_READ, on_fd_replace, &a);
	assert_turn(f, "r");
	a.letter = 'n';
	assert_turn(f, "n");
	close_both(fds);
}

static void
timer_fires_once_and_not_early(void **state)
{
	struct fixture *f = *state;
	struct actor a;

	add_timer(f, &a, 'a', 10);
	assert_turn(f, "");
	advance_ms(9);
	clock_ns += 999999;
	assert_turn(f, "");
	clock_ns += 1;
	assert_turn(f, "a");
	advance_ms(100);
	assert_turn(f, "");
}

static void
timers_fire_by_time_then_by_order_of_arming(void **state)
{
	struct fixture *f = *state;
	struct actor a, b, c, d;

	add_timer(f, &a, 'a', 30);
	add_timer(f, &b, 'b', 10);
	add_timer(f, &c, 'c', 10);
	add_timer(f, &d, 'd', 20);
	loop_timer_in(b.self, 10); /* armed again, so behind c */
	advance_ms(1000);
	assert_turn(f, "cbda");
}

static void
timer_without_arming_or_stopped_is_silent(void **state)
{
	struct fixture *f = *state;
	struct actor a, b;

	add_timer(f, &a, 'a', -1);
	add_timer(f, &b, 'b', 5);
	loop_timer_stop(a.self);
	loop_timer_stop(b.self);
	loop_timer_stop(b.self);
	advance_ms(10);
	assert_turn(f, "");
	loop_timer_in(b.self, 0);
	assert_turn(f, "b");
}

static void
timer_armed_again_in_its_callback_waits_for_the_next_turn(void **state)
{
	struct fixture *f = *state;
	struct actor a, b;

	add_timer(f, &a, 'a', 1);
	add_timer(f, &b, 'b', 2);
	a.arm = a.self;
	a.arm_ms = -1000;
	advance_ms(5);
	assert_turn(f, "ab");
	assert_turn(f, "a");
	assert_turn(f, "a");
}

static void
due_timer_can_be_stopped_armed_or_removed_by_another(void **state)
{
	struct fixture *f = *state;
	struct actor a, b, c;

	add_timer(f, &a, 'a', 1);
	add_timer(f, &b, 'b', 2);
	a.remove = b.self;
	advance_ms(5);
	assert_turn(f, "a");
	add_timer(f, &c, 'c', 2);
	loop_timer_in(a.self, 1);
	a.arm = c.self;
	a.arm_ms = 10;
	advance_ms(5);
	assert_turn(f, "a");
	advance_ms(10);
	assert_turn(f, "c");
	loop_timer_in(a.self, 0);
	a.arm = NULL;
	a.remove = a.self;
	assert_turn(f, "a");
	assert_turn(f, "");
}

static void
descriptor_callback_can_remove_a_due_timer(void **state)
{
	struct fixture *f = *state;
	struct actor a, t;
	int fds[2];

	make_readable(fds);
	add_fd(f, &a, 'a', fds[0]);
	add_timer(f, &t, 't', 0);
	assert_turn(f, "at");
	loop_timer_in(t.self, 0);
	a.remove = t.self;
	assert_turn(f, "a");
	loop_remove(a.self);
	close_both(fds);
}

/* Many timers. */
struct crowd {
	struct loop_source *timers[3000];
	int64_t due_ms[3000]; /* -1 = must not fire */
	int64_t now_ms, last_ms;
	int fired;
};

struct member {
	struct crowd *crowd;
	int index;
};

static void
on_crowd(struct loop *loop, void *user_data)
{
	struct member *m = user_data;
	struct crowd *c = m->crowd;

	(void)loop;
	assert_int_equal(c->due_ms[m->index] >= 0, true);
	assert_true(c->due_ms[m->index] <= c->now_ms);
	assert_true(c->due_ms[m->index] >= c->last_ms);
	c->last_ms = c->due_ms[m->index];
	c->due_ms[m->index] = -1;
	c->fired++;
}

static void
thousands_of_timers_keep_their_order(void **state)
{
	enum { N = 3000 };
	static struct member members[N];
	struct crowd *c = calloc(1, sizeof(*c));
	struct fixture *f = *state;
	uint32_t random = 12345;
	int expected = 0;

	for (int i = 0; i < N; i++) {
		members[i] = (struct member){ c, i };
		c->timers[i] = loop_add_timer(f->loop, on_crowd, &members[i]);
		assert_non_null(c->timers[i]);
	}
	/* Arm, arm again, stop and remove in a mixed order. */
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < N; i++) {
			random = random * 1664525 + 1013904223;
			if (!c->timers[i])
				continue;
			c->due_ms[i] = random >> 22;
			loop_timer_in(c->timers[i], c->due_ms[i]);
			if (random % 7 == 0) {
				loop_timer_stop(c->timers[i]);
				c->due_ms[i] = -1;
			} else if (random % 11 == 0) {
				loop_remove(c->timers[i]);
				c->timers[i] = NULL;
				c->due_ms[i] = -1;
			}
		}
	for (int i = 0; i < N; i++)
		expected += c->due_ms[i] >= 0;
	for (; c->now_ms <= 1100; c->now_ms += 25) {
		loop_turn(f->loop, 0);
		advance_ms(25);
	}
	assert_true(expected > N / 2);
	assert_int_equal(c->fired, expected);
	free(c);
}

static void
signals_are_delivered_in_the_loop(void **state)
{
	struct fixture *f = *state;
	struct actor a = { .fixture = f, .letter = '1' };
	struct actor b = { .fixture = f, .letter = '2' };

	a.self = loop_add_signal(f->loop, SIGUSR1, on_signal, &a);
	b.self = loop_add_signal(f->loop, SIGUSR2, on_signal, &b);
	assert_non_null(a.self);
	assert_non_null(b.self);
	assert_turn(f, "");
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	assert_turn(f, "12");
	assert_turn(f, "");
	/* Removed: stays blocked and pending, but is not delivered. */
	loop_remove(a.self);
	raise(SIGUSR1);
	assert_turn(f, "");
	a.self = loop_add_signal(f->loop, SIGUSR1, on_signal, &a);
	assert_non_null(a.self);
	assert_turn(f, "1");
}

static void
signal_callback_may_remove_both_signals(void **state)
{
	struct fixture *f = *state;
	struct actor a = { .fixture = f, .letter = '1' };
	struct actor b = { .fixture = f, .letter = '2' };

	a.self = loop_add_signal(f->loop, SIGUSR1, on_signal, &a);
	b.self = loop_add_signal(f->loop, SIGUSR2, on_signal, &b);
	a.remove = b.self;
	raise(SIGUSR1);
	raise(SIGUSR2);
	assert_turn(f, "1");
	a.remove = a.self;
	raise(SIGUSR1);
	assert_turn(f, "1");
	raise(SIGUSR1);
	assert_turn(f, "");
}

static void
signal_is_refused_twice_or_out_of_range(void **state)
{
	struct fixture *f = *state;

	assert_non_null(loop_add_signal(f->loop, SIGUSR1, on_signal, NULL));
	assert_null(loop_add_signal(f->loop, SIGUSR1, on_signal, NULL));
	assert_int_equal(errno, EEXIST);
	assert_null(loop_add_signal(f->loop, 0, on_signal, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(loop_add_signal(f->loop, 65, on_signal, NULL));
	assert_int_equal(errno, EINVAL);
}

static void
run_ends_with_the_result_of_stop(void **state)
{
	struct fixture *f = *state;
	struct actor a, b;

	add_timer(f, &a, 'a', 0);
	add_timer(f, &b, 'b', 0);
	a.stop_result = 42;
	assert_int_equal(loop_run(f->loop), 42);
	assert_string_equal(f->trace, "a");
	/* What was due and not called yet is kept. */
	b.stop_result = 7;
	assert_int_equal(loop_run(f->loop), 7);
	assert_string_equal(f->trace, "ab");
	loop_stop(f->loop, 3);
	assert_int_equal(loop_run(f->loop), 3);
}

/* The only test that waits: for the kernel's clock to pass one millisecond. */
static void
run_waits_for_the_nearest_timer(void **state)
{
	struct fixture *f = *state;
	struct actor a, b;
	struct mono start;

	mono_set_source(NULL, NULL);
	start = mono_now();
	add_timer(f, &a, 'a', 1);
	add_timer(f, &b, 'b', 3600000);
	a.stop_result = 1;
	assert_int_equal(loop_run(f->loop), 1);
	assert_string_equal(f->trace, "a");
	assert_false(mono_before(mono_now(), mono_add_ms(start, 1)));
}

/* A callback that turns the loop itself, while a source is removed inside. */
static void
on_timer_nested(struct loop *loop, void *user_data)
{
	struct actor *a = user_data;

	act(a);
	assert_int_equal(loop_turn(loop, 0), 1);
	a->letter = 'N';
	act(a);
}

static void
turn_inside_a_callback_works(void **state)
{
	struct fixture *f = *state;
	struct actor outer = { .fixture = f, .letter = 'n' }, inner;

	outer.self = loop_add_timer(f->loop, on_timer_nested, &outer);
	loop_timer_in(outer.self, 0);
	add_timer(f, &inner, 'i', 0);
	inner.remove = outer.self;
	f->len = 0;
	assert_int_equal(loop_turn(f->loop, 0), 1);
	assert_string_equal(f->trace, "niN");
}

static void
free_removes_all_and_accepts_null(void **state)
{
	struct loop *loop = loop_new();
	int fds[2];

	(void)state;
	make_readable(fds);
	assert_non_null(loop_add_fd(loop, fds[0], LOOP_READ, on_fd, NULL));
	assert_non_null(loop_add_timer(loop, on_timer, NULL));
	loop_timer_in(loop_add_timer(loop, on_timer, NULL), 5);
	assert_non_null(loop_add_signal(loop, SIGUSR1, on_signal, NULL));
	loop_free(loop);
	/* Descriptors stay open. */
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	close_both(fds);
	loop_free(NULL);
	loop_remove(NULL);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(readable_descriptor_is_called_until_drained),
		WITH_LOOP(watched_events_can_change),
		WITH_LOOP(hangup_is_reported_with_what_is_watched),
		WITH_LOOP(descriptor_that_cannot_be_watched_is_refused),
		WITH_LOOP(callback_may_remove_its_own_descriptor),
		WITH_LOOP(source_removed_while_ready_is_not_called),
		WITH_LOOP(descriptor_can_be_watched_again_in_the_callback),
		WITH_LOOP(timer_fires_once_and_not_early),
		WITH_LOOP(timers_fire_by_time_then_by_order_of_arming),
		WITH_LOOP(timer_without_arming_or_stopped_is_silent),
		WITH_LOOP(timer_armed_again_in_its_callback_waits_for_the_next_turn),
		WITH_LOOP(due_timer_can_be_stopped_armed_or_removed_by_another),
		WITH_LOOP(descriptor_callback_can_remove_a_due_timer),
		WITH_LOOP(thousands_of_timers_keep_their_order),
		WITH_LOOP(signals_are_delivered_in_the_loop),
		WITH_LOOP(signal_callback_may_remove_both_signals),
		WITH_LOOP(signal_is_refused_twice_or_out_of_range),
		WITH_LOOP(run_ends_with_the_result_of_stop),
		WITH_LOOP(run_waits_for_the_nearest_timer),
		WITH_LOOP(turn_inside_a_callback_works),
		WITH_LOOP(free_removes_all_and_accepts_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
