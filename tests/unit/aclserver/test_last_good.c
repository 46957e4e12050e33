/*
 * test_last_good.c - copies are written when they have to be.
 */
#include "aclserver/last_good.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"

enum { LONG = 10000 }; /* several reads */

static const char *const dirs[] = { "", "/last-good", "/last-good/0000" };
static const struct policy_key key = { .include = 0, .name = "50rest-a.rules" };

struct fixture {
	char dir[64];
	char *path; /* of the copy; owned */
};

static void
setup(struct fixture *f)
{
	char path[128];

	snprintf(f->dir, sizeof(f->dir), "/tmp/tapgate-last-good-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 1; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", f->dir, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	f->path = last_good_path(f->dir, &key);
	assert_non_null(f->path);
}

static void
teardown(struct fixture *f)
{
	char path[128];

	last_good_remove(f->dir, &key);
	assert_int_equal(access(f->path, F_OK), -1);
	for (size_t i = 3; i-- > 0;) {
		snprintf(path, sizeof(path), "%s%s", f->dir, dirs[i]);
		assert_int_equal(rmdir(path), 0);
	}
	free(f->path);
}

/* Put @text. Returns whether a new file was made, and checks that it holds the text. */
static bool
put(const struct fixture *f, const char *text, size_t len)
{
	AUTO_FREE char *found = calloc(1, len + 2);
	struct stat before, after;
	struct err err;
	FILE *file;

	if (stat(f->path, &before) < 0)
		before.st_ino = 0;
	assert_int_equal(last_good_put(f->dir, &key, text, len, &err), 0);
	assert_int_equal(stat(f->path, &after), 0);
	file = fopen(f->path, "r");
	assert_non_null(file);
	assert_int_equal(fread(found, 1, len + 1, file), len);
	assert_int_equal(fclose(file), 0);
	assert_memory_equal(found, text, len);
	return before.st_ino != after.st_ino;
}

static void
a_copy_that_is_right_is_left_alone(void **state)
{
	struct fixture f;
	char text[LONG];

	(void)state;
	setup(&f);
	memset(text, 'x', sizeof(text));
	assert_true(put(&f, text, LONG));
	assert_false(put(&f, text, LONG));
	assert_true(put(&f, text, LONG - 1));
	assert_true(put(&f, text, LONG));
	text[LONG - 1] = 'y';
	assert_true(put(&f, text, LONG));
	assert_true(put(&f, text, 0));
	assert_false(put(&f, text, 0));
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_that_is_right_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
