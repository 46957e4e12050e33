/*
 * test_loop.c - descriptors, signals, run and stop, and removal in callbacks. Timers
 * are in test_loop_timer.c.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include "loop_fixture.h"

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
lack_of_descriptors_is_reported(void **state)
{
	struct fixture *f = *state;
	struct loop_source *source;
	struct rlimit old;
	struct loop *loop;
	int loop_errno, source_errno;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, old.rlim_max }), 0);
	loop = loop_new();
	loop_errno = errno;
	source = loop_add_signal(f->loop, SIGUSR1, on_signal, NULL);
	source_errno = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(loop);
	assert_int_equal(loop_errno, EMFILE);
	assert_null(source);
	assert_int_equal(source_errno, EMFILE);
	/* The failure left nothing behind. */
	assert_non_null(loop_add_signal(f->loop, SIGUSR1, on_signal, NULL));
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
		WITH_LOOP(signals_are_delivered_in_the_loop),
		WITH_LOOP(signal_callback_may_remove_both_signals),
		WITH_LOOP(signal_is_refused_twice_or_out_of_range),
		WITH_LOOP(lack_of_descriptors_is_reported),
		WITH_LOOP(run_ends_with_the_result_of_stop),
		WITH_LOOP(turn_inside_a_callback_works),
		WITH_LOOP(free_removes_all_and_accepts_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
