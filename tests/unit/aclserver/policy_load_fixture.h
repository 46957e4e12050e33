/*
 * policy_load_fixture.h - a directory of its own for every test that loads policies.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aclserver/policy_load.h"
#include "common/cleanup.h"
#include "policy_dump.h"

/* Every test has an empty directory, which is the working directory. */
struct fixture {
	char path[64]; /* canonical */
	struct diags diags;
	struct policy_load *load;
	struct policy_files files;
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strncpy(f->path, "/tmp/tapgate-policy-XXXXXX", sizeof(f->path) - 1);
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(chdir(f->path), 0);
	diags_init(&f->diags);
	*state = f;
	return 0;
}

static inline int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	policy_files_done(&f->files);
	policy_load_free(f->load);
	diags_done(&f->diags);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(nftw(f->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(f);
	return 0;
}

static inline void
put(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The listed paths, one per line. */
static inline void
assert_files(struct fixture *f, const char *expected)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < f->files.n; i++) {
		AUTO_FREE char *path = policy_load_path(f->load, &f->files.items[i]);

		fprintf(out, "%s\n", path);
	}
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static inline void
assert_diags(struct fixture *f, const char *expected)
{
	AUTO_FREE char *text = dump_diags(&f->diags);

	assert_string_equal(text, expected);
}

static inline void
load_conf(struct fixture *f, const char *path)
{
	assert_int_equal(policy_load_conf(path, &f->load, &f->diags), 0);
}

static inline void
list(struct fixture *f)
{
	assert_int_equal(policy_load_list(f->load, &f->files, &f->diags), 0);
}

/* Index of the watch of @path below the test's directory. */
static inline size_t
watch_of(const struct fixture *f, const char *path)
{
	AUTO_FREE char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s%s", f->path, *path ? "/" : "", path) > 0);
	for (size_t i = 0; i < f->load->n_watches; i++) {
		if (strcmp(f->load->watches[i].path, whole) == 0)
			return i;
	}
	fail_msg("%s is not watched", whole);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
