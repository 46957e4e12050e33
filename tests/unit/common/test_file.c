/*
 * test_file.c - bounded reads, and writes that replace a file whole or not at all.
 */
#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir_path[] = "test_file.XXXXXX";
static int dir = -1;

static int
make_dir(void **state)
{
	(void)state;
	memcpy(dir_path + sizeof(dir_path) - 7, "XXXXXX", 6); /* used more than once */
	if (!mkdtemp(dir_path))
		return -1;
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

/* Call @fn for each entry of the directory. */
static int
for_each_entry(void (*fn)(const char *name))
{
	DIR *d = opendir(dir_path);
	struct dirent *entry;
	int count = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0) {
			count++;
			if (fn)
				fn(entry->d_name);
		}
	closedir(d);
	return count;
}

static void
remove_entry(const char *name)
{
	if (unlinkat(dir, name, 0) < 0)
		unlinkat(dir, name, AT_REMOVEDIR);
}

static int
remove_dir(void **state)
{
	(void)state;
	for_each_entry(remove_entry);
	close(dir);
	return rmdir(dir_path);
}

static void
assert_content(const char *name, const char *content)
{
	char *buf;
	size_t len;

	assert_int_equal(file_read(dir, name, 1000, &buf, &len), 0);
	assert_int_equal(len, strlen(content));
	assert_string_equal(buf, content);
	free(buf);
}

static void
put(const char *name, const char *content)
{
	struct err err;

	assert_int_equal(
		file_write_atomic(dir, name, content, strlen(content), 0644, &err), 0);
}

static void
what_was_written_is_read(void **state)
{
	(void)state;
	put("a", "one\n");
	assert_content("a", "one\n");
	put("a", "two, and longer\n");
	assert_content("a", "two, and longer\n");
	put("a", "");
	assert_content("a", "");
	assert_int_equal(for_each_entry(NULL), 1);
}

static void
nul_bytes_and_large_files_are_kept(void **state)
{
	enum { SIZE = 300001 };
	char *data = malloc(SIZE), *buf;
	size_t len;

	(void)state;
	for (int i = 0; i < SIZE; i++)
		data[i] = (char)(i % 251);
	assert_int_equal(file_write_atomic(dir, "big", data, SIZE, 0600, NULL), 0);
	assert_int_equal(file_read(dir, "big", SIZE, &buf, &len), 0);
	assert_int_equal(len, SIZE);
	assert_memory_equal(buf, data, SIZE);
	assert_int_equal(buf[SIZE], 0);
	free(buf);
	free(data);
}

static void
file_above_the_limit_is_refused(void **state)
{
	char *buf = NULL;
	size_t len;

	(void)state;
	put("a", "12345");
	assert_int_equal(file_read(dir, "a", 4, &buf, &len), -EFBIG);
	assert_null(buf);
	assert_int_equal(file_read(dir, "a", 5, &buf, &len), 0);
	free(buf);
	/* Its size is said to be 0, so the limit must hold while reading. */
	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/status", 10, &buf, &len), -EFBIG);
}

static void
proc_files_of_no_size_are_read(void **state)
{
	char *buf;
	size_t len;

	(void)state;
	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/status", 65536, &buf, &len), 0);
	assert_non_null(strstr(buf, "Name:"));
	assert_int_equal(len, strlen(buf));
	free(buf);
	/* Larger than the buffer at the start. */
	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/smaps", 16 << 20, &buf, &len), 0);
	assert_true(len > 8192);
	assert_int_equal(len, strlen(buf));
	free(buf);
}

static void
only_regular_files_are_read(void **state)
{
	char *buf = NULL;
	size_t len;

	(void)state;
	assert_int_equal(file_read(dir, ".", 100, &buf, &len), -EINVAL);
	assert_int_equal(file_read(AT_FDCWD, "/dev/zero", 100, &buf, &len), -EINVAL);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(file_read(dir, "fifo", 100, &buf, &len), -EINVAL);
	assert_int_equal(file_read(dir, "absent", 100, &buf, &len), -ENOENT);
	assert_null(buf);
}

static void
mode_does_not_depend_on_umask(void **state)
{
	mode_t old = umask(0777);
	struct stat st;

	(void)state;
	assert_int_equal(file_write_atomic(dir, "a", "x", 1, 0640, NULL), 0);
	umask(old);
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void
path_with_directories_works(void **state)
{
	char path[64];
	struct stat st;

	(void)state;
	assert_int_equal(mkdirat(dir, "sub", 0700), 0);
	assert_int_equal(file_write_atomic(dir, "sub/a", "x", 1, 0600, NULL), 0);
	assert_int_equal(fstatat(dir, "sub/a", &st, 0), 0);
	assert_int_equal(unlinkat(dir, "sub/a", 0), 0);
	snprintf(path, sizeof(path), "%s/b", dir_path);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, "y", 1, 0600, NULL), 0);
	assert_content("b", "y");
}

static void
absent_directory_is_named_in_the_error(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(
		file_write_atomic(dir, "no/such", "x", 1, 0600, &err), -ENOENT);
	assert_string_equal(err.text,
		"cannot open the directory of no/such: No such file or directory");
	/* A directory in which nobody can create a file. */
	assert_true(file_write_atomic(AT_FDCWD, "/proc/x", "x", 1, 0600, &err) < 0);
	assert_memory_equal(err.text, "cannot write /proc/x: ", 22);
}

static void
write_that_fails_leaves_the_old_file_only(void **state)
{
	static const struct rlimit small = { 4, RLIM_INFINITY };
	struct rlimit old;
	struct err err;

	(void)state;
	put("a", "old");
	/* The disk is "full" after 4 bytes, in the middle of the new content. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	err_clear(&err);
	file_write_atomic(dir, "a", "new and longer", 14, 0600, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(err.code, -EFBIG);
	assert_string_equal(err.text, "cannot write a: File too large");
	assert_content("a", "old");
	assert_int_equal(for_each_entry(NULL), 1);
}

static void
rename_that_fails_leaves_no_temporary(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(mkdirat(dir, "taken", 0700), 0);
	assert_true(file_write_atomic(dir, "taken", "x", 1, 0600, &err) < 0);
	assert_true(file_write_atomic(dir, "taken/", "x", 1, 0600, &err) < 0);
	assert_int_equal(for_each_entry(NULL), 1);
	assert_int_equal(unlinkat(dir, "taken", AT_REMOVEDIR), 0);
}

static void
symbolic_link_is_replaced_and_not_followed(void **state)
{
	struct stat st;

	(void)state;
	put("target", "precious");
	assert_int_equal(symlinkat("target", dir, "link"), 0);
	put("link", "new");
	assert_content("target", "precious");
	assert_int_equal(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(what_was_written_is_read),
		WITH_DIR(nul_bytes_and_large_files_are_kept),
		WITH_DIR(file_above_the_limit_is_refused),
		WITH_DIR(proc_files_of_no_size_are_read),
		WITH_DIR(only_regular_files_are_read),
		WITH_DIR(mode_does_not_depend_on_umask),
		WITH_DIR(path_with_directories_works),
		WITH_DIR(absent_directory_is_named_in_the_error),
		WITH_DIR(write_that_fails_leaves_the_old_file_only),
		WITH_DIR(rename_that_fails_leaves_no_temporary),
		WITH_DIR(symbolic_link_is_replaced_and_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
