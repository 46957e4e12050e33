/*
 * test_commit_lock.c - unit tests of commit_lock: one holder at a time, and who changed
 * what is seen.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "aclserver/commit_lock.h"

static char dir[] = "/tmp/test_commit_lock.XXXXXX";

static struct commit_lock
open_lock(void)
{
	struct commit_lock lock;
	struct err err;

	assert_int_equal(commit_lock_open(&lock, dir, &err), 0);
	return lock;
}

static void
only_one_holds_the_lock(void **state)
{
	struct commit_lock a = open_lock(), b = open_lock();
	bool changed;
	struct err err;

	(void)state;
	assert_int_equal(commit_lock_take(&a, 0, &changed, &err), 0);
	assert_int_equal(commit_lock_take(&b, 20, &changed, &err), -ETIMEDOUT);
	assert_non_null(err.text[0] ? err.text : NULL);
	commit_lock_release(&a);
	assert_int_equal(commit_lock_take(&b, 0, &changed, &err), 0);
	commit_lock_close(&b); /* as the end of its process would */
	assert_int_equal(commit_lock_take(&a, 0, &changed, &err), 0);
	commit_lock_close(&a);
}

static void
a_change_by_others_is_seen_once(void **state)
{
	struct commit_lock server = open_lock(), tool = open_lock();
	bool changed;
	struct err err;

	(void)state;
	assert_int_equal(commit_lock_take(&server, 0, &changed, &err), 0);
	commit_lock_release(&server);
	assert_int_equal(commit_lock_take(&tool, 0, &changed, &err), 0);
	assert_int_equal(commit_lock_bump(&tool, &err), 0);
	commit_lock_release(&tool);
	assert_int_equal(commit_lock_take(&server, 0, &changed, &err), 0);
	assert_true(changed);
	commit_lock_release(&server);
	assert_int_equal(commit_lock_take(&server, 0, &changed, &err), 0);
	assert_false(changed);
	commit_lock_close(&server);
	assert_int_equal(commit_lock_take(&tool, 0, &changed, &err), 0);
	assert_false(changed); /* its own change */
	commit_lock_close(&tool);
}

static void
a_directory_that_cannot_be_made_is_named(void **state)
{
	struct commit_lock lock;
	struct err err;

	(void)state;
	assert_int_equal(commit_lock_open(&lock, "/proc/nonexistent/x", &err), -ENOENT);
	assert_non_null(err.text[0] == '/' ? err.text : NULL);
	commit_lock_close(&lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_one_holds_the_lock),
		cmocka_unit_test(a_change_by_others_is_seen_once),
		cmocka_unit_test(a_directory_that_cannot_be_made_is_named),
	};
	char path[64];
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(path, sizeof(path), "%s/acl.lock", dir);
	unlink(path);
	rmdir(dir);
	return failed;
}
