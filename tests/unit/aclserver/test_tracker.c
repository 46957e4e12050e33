/* test_tracker.c - who waits for which commit, and what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "aclserver/outcome.h"
#include "aclserver/tracker.h"

/* A report with one error in @file, or without if NULL. */
static struct report
make_report(int returncode, const char *file)
{
	struct report report = { .returncode = returncode };

	diags_init(&report.diags);
	if (file)
		diags_add(&report.diags, DIAG_ERROR, file, 3, "-A X", "unknown chain");
	return report;
}

static void
commit(struct tracker *t, uint64_t generation, int returncode)
{
	struct report report = make_report(returncode, NULL);

	assert_int_equal(tracker_done(t, generation, &report), 0);
	assert_null(report.diags.items);
}

static void
nothing_is_committed_before_the_first_commit(void **state)
{
	struct tracker *t = tracker_new(4);
	struct tracker_report *report = NULL;

	(void)state;
	assert_int_equal(tracker_wait(t, 0, 0, &report), TRACKER_TIMEOUT);
	assert_null(tracker_last(t));
	assert_false(tracker_failed(t));
	commit(t, 0, 0);
	assert_int_equal(tracker_wait(t, 0, 0, &report), TRACKER_COMMITTED);
	tracker_release(t, report);
	assert_int_equal(tracker_wait(t, 1, 0, &report), TRACKER_TIMEOUT);
	tracker_free(t);
}

static void
the_last_commit_decides_whether_all_is_well(void **state)
{
	struct tracker *t = tracker_new(4);
	struct tracker_report *report;

	(void)state;
	commit(t, 1, 1);
	assert_true(tracker_failed(t));
	report = tracker_last(t);
	assert_int_equal(report->report.returncode, 1);
	commit(t, 2, 0);
	assert_false(tracker_failed(t));
	/* Still usable by who holds it. */
	assert_int_equal(report->report.returncode, 1);
	tracker_release(t, report);
	tracker_free(t);
}

struct waiter {
	struct tracker *t;
	uint64_t generation;
	enum tracker_outcome outcome;
	int returncode;
};

static void *
wait_for(void *user_data)
{
	struct waiter *w = user_data;
	struct tracker_report *report = NULL;

	w->outcome = tracker_wait(w->t, w->generation, 30000, &report);
	if (report)
		w->returncode = report->report.returncode;
	tracker_release(w->t, report);
	return NULL;
}

static void
a_waiter_is_woken_by_the_commit_of_its_generation(void **state)
{
	struct tracker *t = tracker_new(4);
	struct waiter w = { .t = t, .generation = 5 };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wait_for, &w), 0);
	commit(t, 4, 0);
	commit(t, 6, 3);
	pthread_join(thread, NULL);
	assert_int_equal(w.outcome, TRACKER_COMMITTED);
	assert_int_equal(w.returncode, 3);
	tracker_free(t);
}

static void
a_wait_ends_when_its_time_is_over(void **state)
{
	struct tracker *t = tracker_new(4);
	struct tracker_report *report = NULL;

	(void)state;
	commit(t, 1, 0);
	assert_int_equal(tracker_wait(t, 2, 5, &report), TRACKER_TIMEOUT);
	assert_null(report);
	tracker_free(t);
}

static void
no_more_threads_wait_than_allowed(void **state)
{
	struct tracker *t = tracker_new(0);
	struct tracker_report *report = NULL;

	(void)state;
	assert_int_equal(tracker_wait(t, 1, 1000, &report), TRACKER_BUSY);
	commit(t, 1, 0);
	/* What is there already needs no wait. */
	assert_int_equal(tracker_wait(t, 1, 1000, &report), TRACKER_COMMITTED);
	tracker_release(t, report);
	tracker_free(t);
}

static void
closing_ends_every_wait(void **state)
{
	struct tracker *t = tracker_new(4);
	struct waiter w = { .t = t, .generation = 5 };
	struct tracker_report *report = NULL;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wait_for, &w), 0);
	tracker_close(t);
	pthread_join(thread, NULL);
	assert_int_equal(w.outcome, TRACKER_CLOSED);
	assert_true(tracker_closed(t));
	assert_int_equal(tracker_wait(t, 1, 1000, &report), TRACKER_CLOSED);
	tracker_free(t);
}

static void
assert_judged(
	int returncode, const char *file, size_t omitted, enum outcome for_x_and_all)
{
	struct report report = make_report(returncode, file);

	report.diags.omitted += omitted;
	report.diags.errors += omitted;
	assert_int_equal(outcome_judge(&report, "x"), for_x_and_all);
	report_done(&report);
}

static void
an_outcome_is_judged_by_the_file_that_failed(void **state)
{
	(void)state;
	assert_judged(0, NULL, 0, OUTCOME_INSTALLED);
	assert_judged(1, "/p/50rest-x.rules", 0, OUTCOME_OWN_ERROR);
	assert_judged(1, "50rest-x.rules", 0, OUTCOME_OWN_ERROR);
	/* Another ACL is left out, ours is installed. */
	assert_judged(1, "/p/50rest-y.rules", 0, OUTCOME_INSTALLED);
	assert_judged(1, "/p/50rest-xx.rules", 0, OUTCOME_INSTALLED);
	/* A file of the operator fails everything. */
	assert_judged(1, "/p/00control.rules", 0, OUTCOME_COMMIT_FAILED);
	assert_judged(1, "/p/50rest-Y.rules", 0, OUTCOME_COMMIT_FAILED);
	assert_judged(3, NULL, 0, OUTCOME_COMMIT_FAILED);
	/* Ours may be among those left out of the report. */
	assert_judged(1, "/p/50rest-y.rules", 2, OUTCOME_UNKNOWN);
	assert_judged(1, NULL, 2, OUTCOME_UNKNOWN);
}

static void
removing_all_is_judged_by_the_whole_commit(void **state)
{
	struct report report = make_report(1, "/p/50rest-x.rules");

	(void)state;
	assert_int_equal(outcome_judge(&report, NULL), OUTCOME_INSTALLED);
	report_done(&report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_committed_before_the_first_commit),
		cmocka_unit_test(the_last_commit_decides_whether_all_is_well),
		cmocka_unit_test(a_waiter_is_woken_by_the_commit_of_its_generation),
		cmocka_unit_test(a_wait_ends_when_its_time_is_over),
		cmocka_unit_test(no_more_threads_wait_than_allowed),
		cmocka_unit_test(closing_ends_every_wait),
		cmocka_unit_test(an_outcome_is_judged_by_the_file_that_failed),
		cmocka_unit_test(removing_all_is_judged_by_the_whole_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
