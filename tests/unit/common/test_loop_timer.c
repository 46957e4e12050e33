/*
 * test_loop_timer.c - timers on a clock that the test moves: order, arming again,
 * stopping and removal at every awkward moment.
 */
#include "loop_fixture.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LOOP(timer_fires_once_and_not_early),
		WITH_LOOP(timers_fire_by_time_then_by_order_of_arming),
		WITH_LOOP(timer_without_arming_or_stopped_is_silent),
		WITH_LOOP(timer_armed_again_in_its_callback_waits_for_the_next_turn),
		WITH_LOOP(due_timer_can_be_stopped_armed_or_removed_by_another),
		WITH_LOOP(descriptor_callback_can_remove_a_due_timer),
		WITH_LOOP(thousands_of_timers_keep_their_order),
		WITH_LOOP(run_waits_for_the_nearest_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
