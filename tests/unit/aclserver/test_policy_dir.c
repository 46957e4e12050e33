/*
 * test_policy_dir.c - unit tests of policy_dir: what is made, what changes hands, what
 * is left alone. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aclserver/policy_dir.h"

enum { TEST_ID = 64123, PATH_SIZE = 128, SKIP = 77 };

static char top[] = "/tmp/test_policy_dir.XXXXXX";
static char dir[PATH_SIZE];

static const char *
path_of(const char *name)
{
	static char path[PATH_SIZE * 2];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct stat
stat_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(path_of(name), &st), 0);
	return st;
}

static void
touch(const char *name)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void
prepare(void)
{
	struct err err;

	assert_int_equal(policy_dir_prepare(dir, TEST_ID, TEST_ID, &err), 0);
}

static void
a_missing_directory_is_made_sticky_and_writable_for_the_group(void **state)
{
	struct stat st;

	(void)state;
	prepare();
	st = stat_of(".");
	assert_int_equal(st.st_mode & 07777, 01775);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, TEST_ID);
}

static void
a_directory_that_is_writable_already_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(chmod(dir, 0770), 0);
	prepare();
	assert_int_equal(stat_of(".").st_mode & 07777, 0770);
}

static void
acls_of_an_earlier_server_change_hands_and_nothing_else_does(void **state)
{
	char other[PATH_SIZE];

	(void)state;
	touch("50rest-old.rules");
	touch("20operator.rules");
	touch("50rest-linked.rules");
	snprintf(other, sizeof(other), "%s/other", top);
	assert_int_equal(link(path_of("50rest-linked.rules"), other), 0);
	assert_int_equal(symlink("20operator.rules", path_of("50rest-sym.rules")), 0);
	prepare();
	assert_int_equal(stat_of("50rest-old.rules").st_uid, TEST_ID);
	assert_int_equal(stat_of("20operator.rules").st_uid, 0);
	assert_int_equal(stat_of("50rest-linked.rules").st_uid, 0);
	assert_int_equal(stat_of("50rest-sym.rules").st_uid, 0);
}

static void
a_path_that_is_a_file_is_refused_by_name(void **state)
{
	struct err err;

	(void)state;
	touch("file");
	assert_true(policy_dir_prepare(path_of("file"), TEST_ID, TEST_ID, &err) < 0);
	assert_non_null(err.text[0] == '/' ? err.text : NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_missing_directory_is_made_sticky_and_writable_for_the_group),
		cmocka_unit_test(a_directory_that_is_writable_already_is_left_alone),
		cmocka_unit_test(
			acls_of_an_earlier_server_change_hands_and_nothing_else_does),
		cmocka_unit_test(a_path_that_is_a_file_is_refused_by_name),
	};
	char command[PATH_SIZE];
	int failed;

	if (geteuid() != 0) {
		printf("skipped: changing owners needs root\n");
		return SKIP;
	}
	if (!mkdtemp(top))
		return 1;
	snprintf(dir, sizeof(dir), "%s/a/policy.d", top);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command) != 0 || failed;
}
