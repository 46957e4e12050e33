/*
 * test_command.c - unit tests of command: real programs (/bin/sh) run beside a real
 * loop.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/command.h"

struct outcome {
	struct loop *loop;
	bool done;
	int returncode;
	size_t len;
	char output[COMMAND_OUTPUT_MAX + 1];
};

static void
on_done(const struct command_result *result, void *user_data)
{
	struct outcome *outcome = user_data;

	outcome->done = true;
	outcome->returncode = result->returncode;
	outcome->len = result->output_len;
	memcpy(outcome->output, result->output, result->output_len + 1);
	loop_stop(outcome->loop, 0);
}

static void
on_deadline(struct loop *loop, void *user_data)
{
	(void)user_data;
	loop_stop(loop, -1);
}

/* Run a shell script and wait for its end, 20 s at most. */
static struct outcome *
run_script(const char *script, int64_t timeout_ms)
{
	static struct outcome outcome;
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	const struct command_spec spec = { argv, timeout_ms };
	struct loop_source *deadline;
	struct err err;

	memset(&outcome, 0, sizeof(outcome));
	outcome.loop = loop_new();
	assert_non_null(outcome.loop);
	deadline = loop_add_timer(outcome.loop, on_deadline, NULL);
	loop_timer_in(deadline, 20000);
	assert_non_null(command_start(outcome.loop, &spec, on_done, &outcome, &err));
	assert_int_equal(loop_run(outcome.loop), 0);
	loop_free(outcome.loop);
	assert_true(outcome.done);
	return &outcome;
}

static void
status_and_both_outputs_are_reported(void **state)
{
	const struct outcome *outcome =
		run_script("echo out; echo err >&2; exit 7", 10000);

	(void)state;
	assert_int_equal(outcome->returncode, 7);
	assert_string_equal(outcome->output, "out\nerr\n");
}

static void
success_is_zero(void **state)
{
	(void)state;
	assert_int_equal(run_script("true", 10000)->returncode, 0);
}

static void
a_signal_is_128_and_its_number(void **state)
{
	(void)state;
	assert_int_equal(run_script("kill -SEGV $$", 10000)->returncode, 128 + SIGSEGV);
}

static void
a_hanging_program_is_killed_with_its_children(void **state)
{
	const struct outcome *outcome =
		run_script("echo begun; sleep 1000 & sleep 1000", 200);

	(void)state;
	assert_int_equal(outcome->returncode, COMMAND_TIMED_OUT);
	assert_string_equal(outcome->output, "begun\n");
}

static void
a_grandchild_that_keeps_the_pipe_does_not_delay_the_end(void **state)
{
	const struct outcome *outcome = run_script("sleep 1000 & echo over", 10000);

	(void)state;
	assert_int_equal(outcome->returncode, 0);
	assert_string_equal(outcome->output, "over\n");
}

static void
much_output_is_cut_and_does_not_block_the_program(void **state)
{
	const struct outcome *outcome = run_script(
		"i=0; while [ $i -lt 3000 ]; do echo "
		"0123456789012345678901234567890123456789; i=$((i+1)); done; exit 3",
		10000);

	(void)state;
	assert_int_equal(outcome->returncode, 3);
	assert_int_equal(outcome->len, COMMAND_OUTPUT_MAX);
}

static void
nuls_in_the_output_become_blanks(void **state)
{
	(void)state;
	assert_string_equal(run_script("printf 'a\\000b'", 10000)->output, "a b");
}

static void
a_program_that_is_not_there_says_so(void **state)
{
	static struct outcome outcome;
	const char *const argv[] = { "/nonexistent/cl-acltool", NULL };
	const struct command_spec spec = { argv, 10000 };
	struct err err;

	(void)state;
	outcome.loop = loop_new();
	assert_non_null(command_start(outcome.loop, &spec, on_done, &outcome, &err));
	assert_int_equal(loop_run(outcome.loop), 0);
	loop_free(outcome.loop);
	assert_int_equal(outcome.returncode, 127);
	assert_string_equal(
		outcome.output, "/nonexistent/cl-acltool: cannot be executed\n");
}

static void
a_cancelled_run_calls_nobody(void **state)
{
	static struct outcome outcome;
	const char *const argv[] = { "/bin/sh", "-c", "sleep 1000", NULL };
	const struct command_spec spec = { argv, 10000 };
	struct command *command;
	struct err err;

	(void)state;
	outcome.loop = loop_new();
	command = command_start(outcome.loop, &spec, on_done, &outcome, &err);
	assert_non_null(command);
	command_cancel(command);
	assert_int_equal(loop_turn(outcome.loop, 0), 0);
	loop_free(outcome.loop);
	assert_false(outcome.done);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_both_outputs_are_reported),
		cmocka_unit_test(success_is_zero),
		cmocka_unit_test(a_signal_is_128_and_its_number),
		cmocka_unit_test(a_hanging_program_is_killed_with_its_children),
		cmocka_unit_test(
			a_grandchild_that_keeps_the_pipe_does_not_delay_the_end),
		cmocka_unit_test(much_output_is_cut_and_does_not_block_the_program),
		cmocka_unit_test(nuls_in_the_output_become_blanks),
		cmocka_unit_test(a_program_that_is_not_there_says_so),
		cmocka_unit_test(a_cancelled_run_calls_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
