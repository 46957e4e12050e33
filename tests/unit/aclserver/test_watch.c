/*
 * test_watch.c - unit tests of watch: real directories, real file events.
 */
#include <fcntl.h>
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

#include "aclserver/watch.h"
#include "common/err.h"

enum { PATH_SIZE = 256 };

static char dir[PATH_SIZE];
static char seen[1024]; /* "name " for each event, "* " for a directory, "! " for lost
			   events */

static void
on_event(const char *where, const char *name, void *user_data)
{
	size_t len = strlen(seen);

	(void)user_data;
	snprintf(seen + len, sizeof(seen) - len, "%s ",
		name    ? name
		: where ? "*"
			: "!");
}

static const char *
read_events(struct watch *watch)
{
	seen[0] = '\0';
	watch_read(watch, on_event, NULL);
	return seen;
}

static const char *
path_of(const char *name)
{
	static char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%.64s/%.64s", dir, name);
	return path;
}

static void
touch(const char *name)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static struct watch *
watch_of(const char *path, int expected)
{
	struct err err;
	struct watch *watch = watch_new(&err);

	assert_non_null(watch);
	assert_int_equal(watch_set_dirs(watch, &path, 1, &err), expected);
	return watch;
}

static void
written_renamed_and_removed_files_are_named(void **state)
{
	struct watch *watch = watch_of(dir, 1);
	char to[PATH_SIZE];

	(void)state;
	touch("a.rules");
	assert_string_equal(read_events(watch), "a.rules ");
	snprintf(to, sizeof(to), "%s", path_of("b.rules"));
	assert_int_equal(rename(path_of("a.rules"), to), 0);
	assert_string_equal(read_events(watch), "a.rules b.rules ");
	unlink(to);
	assert_string_equal(read_events(watch), "b.rules ");
	assert_string_equal(read_events(watch), "");
	watch_free(watch);
}

static void
temporary_files_are_not_named(void **state)
{
	struct watch *watch = watch_of(dir, 1);

	(void)state;
	touch(".50rest-a.rules.tmp");
	unlink(path_of(".50rest-a.rules.tmp"));
	assert_string_equal(read_events(watch), "");
	watch_free(watch);
}

static void
a_directory_that_goes_is_reported_and_can_come_back(void **state)
{
	char sub[PATH_SIZE];
	const char *dirs[] = { sub };
	struct watch *watch;
	struct err err;

	(void)state;
	snprintf(sub, sizeof(sub), "%s", path_of("sub"));
	watch = watch_of(sub, 0); /* not there yet: no error */
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(watch_set_dirs(watch, dirs, 1, &err), 1);
	assert_int_equal(rmdir(sub), 0);
	assert_string_equal(read_events(watch), "* ");
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(watch_set_dirs(watch, dirs, 1, &err), 1);
	touch("sub/x");
	assert_string_equal(read_events(watch), "x ");
	unlink(path_of("sub/x"));
	rmdir(sub);
	watch_free(watch);
}

static void
directories_no_longer_named_are_forgotten(void **state)
{
	struct watch *watch = watch_of(dir, 1);
	struct err err;

	(void)state;
	assert_int_equal(watch_set_dirs(watch, NULL, 0, &err), 0);
	touch("a");
	unlink(path_of("a"));
	assert_string_equal(read_events(watch), "");
	watch_free(watch);
}

static void
naming_a_directory_again_loses_no_event(void **state)
{
	struct watch *watch = watch_of(dir, 1);
	const char *dirs[] = { dir };
	struct err err;

	(void)state;
	touch("a");
	assert_int_equal(watch_set_dirs(watch, dirs, 1, &err), 0);
	assert_string_equal(read_events(watch), "a ");
	unlink(path_of("a"));
	watch_free(watch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_renamed_and_removed_files_are_named),
		cmocka_unit_test(temporary_files_are_not_named),
		cmocka_unit_test(a_directory_that_goes_is_reported_and_can_come_back),
		cmocka_unit_test(directories_no_longer_named_are_forgotten),
		cmocka_unit_test(naming_a_directory_again_loses_no_event),
	};
	int failed;

	snprintf(dir, sizeof(dir), "/tmp/test_watch.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
