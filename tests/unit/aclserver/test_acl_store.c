/*
 * test_acl_store.c - what the store does, one request at a time, and what it says
 * when the disk refuses.
 */
#include "tests/unit/aclserver/store_fixture.h"

static void
a_put_makes_a_file_that_get_and_list_show(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct acl_names names;
	struct err err;

	assert_int_equal(put(f, "b", "two\n", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 1);
	assert_int_equal(f->told, 1);
	put_ok(f, "a_1", "one\n");
	assert_content(f, "b", "two\n");
	assert_content(f, "a_1", "one\n");
	assert_content(f, "c", NULL);
	assert_int_equal(acl_store_list(f->store, &names, &err), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.items[0], "a_1");
	assert_string_equal(names.items[1], "b");
	acl_names_done(&names);
	assert_int_equal(count_files(f), 2);
}

static void
the_file_can_be_read_by_others(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;

	put_ok(f, "a", "x\n");
	snprintf(path, sizeof(path), "%s/50rest-a.rules", f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void
the_same_content_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;
	int n_all;

	put_ok(f, "a", "x\n");
	n_all = f->disk->n_all;
	assert_int_equal(put(f, "a", "x\n", &result, &err), 0);
	assert_false(result.changed);
	assert_int_equal(result.generation, 1);
	assert_int_equal(f->disk->n_all, n_all);
	assert_int_equal(put(f, "a", "y\n", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 2);
	assert_content(f, "a", "y\n");
}

static void
an_empty_acl_is_a_file_of_no_bytes(void **state)
{
	struct fixture *f = *state;

	put_ok(f, "a", "");
	assert_content(f, "a", "");
}

static void
delete_removes_and_is_no_error_twice(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	put_ok(f, "a", "x\n");
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 2);
	assert_content(f, "a", NULL);
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	assert_false(result.changed);
	assert_int_equal(result.generation, 2);
}

static void
delete_all_touches_only_what_rest_made(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;
	char from[128];

	put_ok(f, "a", "x\n");
	put_ok(f, "b", "x\n");
	write_file(f, "00control.rules", "op\n");
	write_file(f, "50rest-.rules", "op\n");
	write_file(f, "50rest-Upper.rules", "op\n");
	write_file(f, "50rest-x.rules.bak", "op\n");
	snprintf(from, sizeof(from), "%s/50rest-link.rules", f->dir);
	assert_int_equal(symlink("00control.rules", from), 0);
	assert_int_equal(acl_store_delete_all(f->store, &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(result.generation, 3);
	assert_int_equal(count_files(f), 5);
	assert_content(f, "a", NULL);
	assert_int_equal(acl_store_delete_all(f->store, &result, &err), 0);
	assert_false(result.changed);
}

static void
a_link_is_never_followed_or_replaced(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	char from[128];
	struct err err;
	char *text;
	size_t len;

	write_file(f, "00control.rules", "op\n");
	snprintf(from, sizeof(from), "%s/50rest-link.rules", f->dir);
	assert_int_equal(symlink("00control.rules", from), 0);
	assert_int_equal(put(f, "link", "x\n", &result, &err), -EEXIST);
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(acl_store_delete(f->store, "link", &result, &err), -EEXIST);
	assert_int_equal(acl_store_get(f->store, "link", &text, &len, &err), -EEXIST);
	assert_int_equal(count_files(f), 2);
}

static void
what_is_no_file_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/50rest-d.rules", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(put(f, "d", "x\n", &result, &err), -EEXIST);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(put(f, "d", "x\n", &result, &err), -EEXIST);
}

static void
no_more_acls_than_allowed(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;
	char path[128];

	acl_store_free(f->store);
	put_ok((open_store(f, 2), f), "a", "x\n");
	put_ok(f, "b", "x\n");
	assert_int_equal(put(f, "c", "x\n", &result, &err), -EMLINK);
	assert_non_null(strstr(err.text, "2 ACLs"));
	put_ok(f, "a", "y\n");
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	put_ok(f, "c", "x\n");
	/* Somebody else removes one: the list notices. */
	snprintf(path, sizeof(path), "%s/50rest-b.rules", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(put(f, "d", "x\n", &result, &err), -EMLINK);
	struct acl_names names;
	assert_int_equal(acl_store_list(f->store, &names, &err), 0);
	acl_names_done(&names);
	put_ok(f, "d", "x\n");
}

static void
leftovers_of_a_killed_process_are_removed_at_start(void **state)
{
	struct fixture *f = *state;

	put_ok(f, "a", "x\n");
	acl_store_free(f->store);
	write_file(f, ".50rest-a.rules.123-4.tmp", "half");
	write_file(f, ".50rest-zz.tmp", "half");
	write_file(f, ".other.tmp", "not ours");
	assert_int_equal(open_store(f, 50), 0);
	assert_int_equal(count_files(f), 2);
	assert_content(f, "a", "x\n");
	assert_int_equal(f->disk->n_calls[OP_SYNC_ALL], 2); /* one per start */
}

static void
a_missing_directory_is_an_error(void **state)
{
	struct fixture *f = *state;
	const struct acl_store_options options = { .dir = "/nonexistent/x" };
	struct acl_store *store = NULL;
	struct err err;

	(void)f;
	assert_int_equal(acl_store_open(&options, &store, &err), -ENOENT);
	assert_null(store);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
}

/* @op fails with @code: the PUT says so, and the old content is there. */
static void
assert_put_fails(struct fixture *f, enum op op, int code)
{
	struct acl_store_result result;
	struct err err;
	uint64_t told = f->told;

	f->disk->fail_with[op] = code;
	assert_int_equal(put(f, "a", "new\n", &result, &err), code);
	assert_string_not_equal(err.text, "");
	f->disk->fail_with[op] = 0;
	assert_content(f, "a", "old\n");
	assert_int_equal(count_files(f), 1);
	assert_int_equal(f->told, told);
}

static void
a_disk_error_keeps_the_old_content_and_no_temporary(void **state)
{
	struct fixture *f = *state;

	put_ok(f, "a", "old\n");
	assert_put_fails(f, OP_CREATE, -EROFS);
	assert_put_fails(f, OP_CREATE, -ENOSPC);
	assert_put_fails(f, OP_WRITE, -ENOSPC);
	assert_put_fails(f, OP_WRITE, -EDQUOT);
	assert_put_fails(f, OP_SYNC_FILE, -EIO);
	assert_put_fails(f, OP_RENAME, -EPERM);
	put_ok(f, "a", "new\n");
	assert_content(f, "a", "new\n");
}

static void
an_unsynced_directory_is_told_and_never_taken_for_durable(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	put_ok(f, "a", "old\n");
	f->disk->fail_with[OP_SYNC_DIR] = -EIO;
	assert_int_equal(put(f, "a", "new\n", &result, &err), -EIO);
	assert_non_null(strstr(err.text, "sync the directory"));
	assert_int_equal(f->told, 2); /* the files did change */
	f->disk->fail_with[OP_SYNC_DIR] = 0;
	/* The same content is there, but it must be written again. */
	assert_int_equal(put(f, "a", "new\n", &result, &err), 0);
	assert_true(result.changed);
	assert_int_equal(put(f, "a", "new\n", &result, &err), 0);
	assert_false(result.changed);
}

static void
a_failed_delete_says_so(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	put_ok(f, "a", "old\n");
	f->disk->fail_with[OP_UNLINK] = -EPERM;
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), -EPERM);
	assert_non_null(strstr(err.text, "another user"));
	assert_int_equal(acl_store_delete_all(f->store, &result, &err), -EPERM);
	f->disk->fail_with[OP_UNLINK] = 0;
	assert_content(f, "a", "old\n");
	assert_int_equal(acl_store_delete(f->store, "a", &result, &err), 0);
	assert_true(result.changed);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_put_makes_a_file_that_get_and_list_show),
		TEST(the_file_can_be_read_by_others),
		TEST(the_same_content_again_changes_nothing),
		TEST(an_empty_acl_is_a_file_of_no_bytes),
		TEST(delete_removes_and_is_no_error_twice),
		TEST(delete_all_touches_only_what_rest_made),
		TEST(a_link_is_never_followed_or_replaced),
		TEST(what_is_no_file_is_left_alone),
		TEST(no_more_acls_than_allowed),
		TEST(leftovers_of_a_killed_process_are_removed_at_start),
		TEST(a_missing_directory_is_an_error),
		TEST(a_disk_error_keeps_the_old_content_and_no_temporary),
		TEST(an_unsynced_directory_is_told_and_never_taken_for_durable),
		TEST(a_failed_delete_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
