/*
 * test_policy_read.c - which files of a directory that others write to are read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aclserver/policy_read.h"

static const char content[] = "[iptables]\n";

struct fixture {
	char dir[64];
	char file[96];  /* what is read */
	char other[96]; /* another name */
	struct policy_text text;
	struct err err;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	FILE *out;

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/tapgate-policy-read-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/a.rules", f->dir);
	snprintf(f->other, sizeof(f->other), "%s/other", f->dir);
	out = fopen(f->file, "w");
	assert_non_null(out);
	fputs(content, out);
	assert_int_equal(fclose(out), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->file);
	(void)unlink(f->other);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->text.text);
	free(f);
	return 0;
}

static void
file_is_read_with_its_owner(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(policy_read(f->file, &f->text, &f->err), 0);
	assert_string_equal(f->text.text, content);
	assert_int_equal(f->text.len, strlen(content));
	assert_int_equal(f->text.owner, geteuid());
}

static void
file_that_is_not_there_is_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(policy_read(f->other, &f->text, &f->err), -ENOENT);
	assert_null(f->text.text);
}

static void
secret_with_a_second_name_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(link(f->file, f->other), 0);
	assert_int_equal(chmod(f->file, 0640), 0);
	assert_int_equal(policy_read(f->file, &f->text, &f->err), -EMLINK);
	assert_non_null(strstr(f->err.text, "hard links"));
	assert_null(f->text.text);
	/* It is the second name that makes it suspect. */
	assert_int_equal(unlink(f->other), 0);
	assert_int_equal(policy_read(f->file, &f->text, &f->err), 0);
}

static void
readable_file_may_have_a_second_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(link(f->file, f->other), 0);
	assert_int_equal(chmod(f->file, 0644), 0);
	assert_int_equal(policy_read(f->file, &f->text, &f->err), 0);
	assert_string_equal(f->text.text, content);
}

static void
fifo_is_refused_and_does_not_hang(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->other, 0644), 0);
	assert_int_equal(policy_read(f->other, &f->text, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "not a regular file"));
}

static void
link_of_root_is_followed_and_of_others_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink(f->file, f->other), 0);
	if (geteuid() == 0) {
		assert_int_equal(policy_read(f->other, &f->text, &f->err), 0);
		assert_string_equal(f->text.text, content);
		free(f->text.text);
		f->text.text = NULL;
		assert_int_equal(lchown(f->other, 1, 1), 0);
	}
	assert_int_equal(policy_read(f->other, &f->text, &f->err), -ELOOP);
	assert_non_null(strstr(f->err.text, "root did not make"));
}

static void
link_of_root_to_a_link_of_others_is_refused(void **state)
{
	struct fixture *f = *state;
	char third[sizeof(f->file) + 8];

	if (geteuid() != 0)
		skip();
	snprintf(third, sizeof(third), "%s/third", f->dir);
	assert_int_equal(symlink("third", f->other), 0);
	assert_int_equal(symlink("a.rules", third), 0);
	assert_int_equal(policy_read(f->other, &f->text, &f->err), 0);
	assert_string_equal(f->text.text, content);
	free(f->text.text);
	f->text.text = NULL;
	assert_int_equal(lchown(third, 1, 1), 0);
	assert_int_equal(policy_read(f->other, &f->text, &f->err), -ELOOP);
	assert_non_null(strstr(f->err.text, "root did not make"));
	assert_int_equal(unlink(third), 0);
	assert_int_equal(policy_read(f->other, &f->text, &f->err), -ENOLINK);
}

static void
links_in_a_circle_end(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(symlink("other", f->other), 0);
	assert_int_equal(policy_read(f->other, &f->text, &f->err), -ELOOP);
	assert_non_null(strstr(f->err.text, "in a row"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_is_read_with_its_owner),
		TEST(file_that_is_not_there_is_missing),
		TEST(secret_with_a_second_name_is_refused),
		TEST(readable_file_may_have_a_second_name),
		TEST(fifo_is_refused_and_does_not_hang),
		TEST(link_of_root_is_followed_and_of_others_refused),
		TEST(link_of_root_to_a_link_of_others_is_refused),
		TEST(links_in_a_circle_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
