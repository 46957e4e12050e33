/*
 * test_api.c - the REST interface without HTTP: every method on every resource, on a
 * real directory, with a committer that the test plays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/api.h"

/* A path with a name of 64 characters. */
#define TEN     "aaaaaaaaaa"
#define LONGEST "/acl/" TEN TEN TEN TEN TEN TEN "aaaa"

struct fixture {
	char dir[64];
	struct acl_store *store;
	struct tracker *tracker;
	struct api api;
	struct api_response response; /* the last one */
	struct store_io io;           /* the kernel's, or with errors */
	bool answers;                 /* the committer answers at once, with: */
	int returncode;
	const char *bad_file;       /* NULL = none */
	_Atomic uint64_t announced; /* newest generation of the store */
};

static void commit(
	struct fixture *f, uint64_t generation, int returncode, const char *file);

static void
on_changed(uint64_t generation, void *user_data)
{
	struct fixture *f = user_data;

	f->announced = generation;
	if (f->answers)
		commit(f, generation, f->returncode, f->bad_file);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct acl_store_options options = { .max_acls = 3 };
	struct err err;

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/tapgate-api-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->io = store_io_system;
	options.dir = f->dir;
	options.io = &f->io;
	options.changed = on_changed;
	options.user_data = f;
	assert_int_equal(acl_store_open(&options, &f->store, &err), 0);
	f->tracker = tracker_new(8);
	f->api = (struct api){ f->store, f->tracker, 1000, 5 };
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	struct acl_store_result result;
	struct err err;

	api_response_done(&f->response);
	(void)acl_store_delete_all(f->store, &result, &err);
	acl_store_free(f->store);
	tracker_free(f->tracker);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* ---- asking ---- */

static const struct api_response *
ask_with(struct fixture *f, struct api_request request, const char *body)
{
	api_response_done(&f->response);
	if (body)
		request.content_length = (int64_t)strlen(body);
	if (api_begin(&f->api, &request, &f->response))
		api_put(&f->api, &request, body, (size_t)request.content_length,
			&f->response);
	return &f->response;
}

static const struct api_response *
ask(struct fixture *f, const char *method, const char *path)
{
	const struct api_request request = {
		.method = method, .path = path, .content_length = -1
	};

	return ask_with(f, request, NULL);
}

static const struct api_response *
put_with(struct fixture *f, const char *path, const char *body, const char *prefer)
{
	const struct api_request request = { .method = "PUT",
		.path = path,
		.content_type = "application/json",
		.prefer = prefer };

	return ask_with(f, request, body);
}

static const struct api_response *
put(struct fixture *f, const char *path, const char *body)
{
	return put_with(f, path, body, NULL);
}

static const struct api_response *
delete_with(struct fixture *f, const char *path, const char *prefer)
{
	const struct api_request request = {
		.method = "DELETE", .path = path, .prefer = prefer, .content_length = -1
	};

	return ask_with(f, request, NULL);
}

/* The committer ends a commit; an error in @file unless NULL. */
static void
commit(struct fixture *f, uint64_t generation, int returncode, const char *file)
{
	struct report report = { .returncode = returncode };

	diags_init(&report.diags);
	if (file)
		diags_add(&report.diags, DIAG_ERROR, file, 2, "-A FORWARD --dprt 80",
			"unknown option \"--dprt\"");
	assert_int_equal(tracker_done(f->tracker, generation, &report), 0);
}

static void
assert_body(
	const struct api_response *r, int status, const char *type, const char *body)
{
	assert_int_equal(r->status, status);
	assert_string_equal(r->content_type, type);
	assert_string_equal(r->body, body);
	assert_int_equal(r->body_len, strlen(body));
}

static void
assert_problem(const struct api_response *r, int status, const char *detail)
{
	assert_int_equal(r->status, status);
	assert_string_equal(r->content_type, "application/problem+json");
	assert_non_null(strstr(r->body, "\"status\":"));
	if (!strstr(r->body, detail))
		fail_msg("\"%s\" does not say \"%s\"", r->body, detail);
}

static void
assert_empty(const struct api_response *r, int status)
{
	assert_int_equal(r->status, status);
	assert_null(r->body);
	assert_null(r->content_type);
}

/* No file and no temporary. */
static void
assert_nothing_written(const struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		assert_true(strcmp(entry->d_name, ".") == 0 ||
			    strcmp(entry->d_name, "..") == 0);
	closedir(dir);
}

/* ---- tests ---- */

static void
put_get_list_and_delete_work_together(void **state)
{
	struct fixture *f = *state;

	assert_body(ask(f, "GET", "/acl/"), 200, "application/json", "[]");
	assert_empty(
		put(f, "/acl/ddos1", "[\"[iptables]\", \"-A FORWARD -j DROP\"]"), 202);
	assert_empty(put(f, "/acl/a", "[]"), 202);
	assert_body(ask(f, "GET", "/acl/ddos1"), 200, "application/json",
		"[\"[iptables]\",\"-A FORWARD -j DROP\"]");
	assert_body(ask(f, "GET", "/acl/a"), 200, "application/json", "[]");
	assert_body(
		ask(f, "GET", "/acl/"), 200, "application/json", "[\"a\",\"ddos1\"]");
	assert_empty(ask(f, "DELETE", "/acl/ddos1"), 204);
	assert_empty(ask(f, "DELETE", "/acl/ddos1"), 204);
	assert_problem(ask(f, "GET", "/acl/ddos1"), 404, "no ACL of this name");
	assert_empty(put(f, "/acl/b", "[]"), 202);
	assert_empty(ask(f, "DELETE", "/acl/"), 204);
	assert_body(ask(f, "HEAD", "/acl/"), 200, "application/json", "[]");
	assert_nothing_written(f);
}

static void
only_valid_names_exist(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = { "/acl/UPPER", "/acl/a-b", "/acl/a.b",
		"/acl/..", "/acl/a/", "/acl/a/b", "/acl//", "/acl/%61", "/acl/%00",
		"/acl/a%2fb", "/acl/\xc3\xa4", "/", "", "/aclx", "/acl2/a", "//acl/a",
		"/etc/passwd", LONGEST "a" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ask(f, "GET", bad[i])->status, 404);
		assert_int_equal(put(f, bad[i], "[]")->status, 404);
		assert_int_equal(ask(f, "DELETE", bad[i])->status, 404);
	}
	assert_nothing_written(f);
	assert_empty(put(f, LONGEST, "[]"), 202);
	assert_empty(put(f, "/acl/_0", "[]"), 202);
}

static void
the_path_without_slash_leads_to_the_list(void **state)
{
	struct fixture *f = *state;

	assert_empty(ask(f, "GET", "/acl"), 308);
	assert_string_equal(f->response.location, "/acl/");
}

static void
other_methods_are_told_what_there_is(void **state)
{
	struct fixture *f = *state;

	assert_problem(ask(f, "POST", "/acl/a"), 405, "no such method");
	assert_string_equal(f->response.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
	assert_problem(ask(f, "PUT", "/acl/"), 405, "no such method");
	assert_string_equal(f->response.allow, "GET, HEAD, DELETE, OPTIONS");
	assert_problem(ask(f, "PATCH", "/acl/lasterror"), 405, "no such method");
	assert_string_equal(f->response.allow, "GET, HEAD, OPTIONS");
	assert_problem(ask(f, "get", "/acl/a"), 405, "no such method");
	assert_empty(ask(f, "OPTIONS", "/acl/a"), 204);
	assert_string_equal(f->response.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
	assert_empty(ask(f, "OPTIONS", "/acl/"), 204);
	assert_empty(ask(f, "OPTIONS", "/acl/lasterror"), 204);
}

static void
bodies_that_are_no_acl_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_problem(put(f, "/acl/a", ""), 400, "not a JSON array");
	assert_problem(put(f, "/acl/a", "{}"), 400, "not a JSON array");
	assert_problem(put(f, "/acl/a", "[\"a\",1]"), 400, "element 2 is not a string");
	assert_problem(put(f, "/acl/a", "[\"a\\nb\"]"), 400, "line break");
	assert_problem(put(f, "/acl/a", "[\"a\\u0000b\"]"), 400, "NUL");
	assert_problem(put(f, "/acl/a", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]"), 413,
		"more than 5 lines");
	assert_nothing_written(f);
}

static int
status_of_put(struct fixture *f, const char *type, int64_t length, const char *query)
{
	struct api_request request = { .method = "PUT",
		.path = "/acl/a",
		.content_type = type,
		.query = query,
		.content_length = length };

	api_response_done(&f->response);
	if (api_begin(&f->api, &request, &f->response))
		return 0;
	return f->response.status;
}

static void
a_put_is_checked_before_its_body_is_read(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(status_of_put(f, NULL, 10, NULL), 0);
	assert_int_equal(status_of_put(f, "application/json", 1000, NULL), 0);
	assert_int_equal(
		status_of_put(f, "Application/JSON ; charset=utf-8", 1, NULL), 0);
	assert_int_equal(status_of_put(f, NULL, 1001, NULL), 413);
	assert_int_equal(status_of_put(f, NULL, INT64_MAX, NULL), 413);
	assert_int_equal(status_of_put(f, NULL, -1, NULL), 411);
	assert_int_equal(status_of_put(f, "application/jsonx", 1, NULL), 415);
	assert_int_equal(status_of_put(f, "", 1, NULL), 415);
	assert_int_equal(
		status_of_put(f, "application/x-www-form-urlencoded", 1, NULL), 415);
	assert_problem(&f->response, 415, "-H 'Content-Type: application/json'");
	assert_string_equal(f->response.accept, "application/json");
	assert_int_equal(status_of_put(f, NULL, 1, "dry_run"), 400);
}

static void
too_many_acls_are_a_conflict(void **state)
{
	struct fixture *f = *state;

	put(f, "/acl/a", "[]");
	put(f, "/acl/b", "[]");
	put(f, "/acl/c", "[]");
	assert_problem(put(f, "/acl/d", "[]"), 409, "3 ACLs");
	assert_empty(put(f, "/acl/a", "[\"x\"]"), 202);
}

static int
no_space(void *user_data, int fd, const void *buf, size_t len)
{
	(void)user_data;
	(void)fd;
	(void)buf;
	(void)len;
	return -ENOSPC;
}

static int
input_output_error(void *user_data, int fd)
{
	(void)user_data;
	(void)fd;
	return -EIO;
}

static void
disk_errors_are_told_exactly(void **state)
{
	struct fixture *f = *state;

	f->io.write = no_space;
	assert_problem(put(f, "/acl/a", "[\"x\"]"), 507, "No space left on device");
	f->io = store_io_system;
	f->io.sync_file = input_output_error;
	assert_problem(put(f, "/acl/a", "[\"x\"]"), 500, "Input/output error");
	f->io = store_io_system;
	assert_nothing_written(f);
}

static void
a_file_that_rest_did_not_make_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/50rest-link.rules", f->dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_problem(put(f, "/acl/link", "[]"), 409, "symbolic link");
	assert_problem(ask(f, "DELETE", "/acl/link"), 409, "symbolic link");
	assert_problem(ask(f, "GET", "/acl/link"), 404, "symbolic link");
	assert_body(ask(f, "GET", "/acl/"), 200, "application/json", "[]");
	assert_int_equal(unlink(path), 0);
}

static void
lasterror_shows_the_failed_commit_and_cannot_be_changed(void **state)
{
	struct fixture *f = *state;

	assert_empty(ask(f, "GET", "/acl/lasterror"), 204);
	commit(f, 0, 0, NULL);
	assert_empty(ask(f, "GET", "/acl/lasterror"), 204);
	commit(f, 0, 1, "/p/00x.rules");
	assert_body(ask(f, "GET", "/acl/lasterror"), 200, "application/json",
		"{\"returncode\":1,\"lines\":[\"/p/00x.rules:2: unknown option "
		"\\\"--dprt\\\": -A FORWARD --dprt 80\"]}");
	assert_problem(put(f, "/acl/lasterror", "[]"), 403, "lasterror");
	assert_problem(ask(f, "DELETE", "/acl/lasterror"), 403, "lasterror");
	commit(f, 0, 0, NULL);
	assert_empty(ask(f, "GET", "/acl/lasterror"), 204);
	assert_nothing_written(f);
}

static void
every_answer_warns_while_the_last_commit_failed(void **state)
{
	struct fixture *f = *state;

	assert_false(put(f, "/acl/a", "[]")->warning);
	commit(f, 1, 3, NULL);
	assert_true(put(f, "/acl/a", "[]")->warning);
	assert_true(ask(f, "GET", "/acl/")->warning);
	assert_true(ask(f, "GET", "/acl/none")->warning);
	assert_true(ask(f, "DELETE", "/acl/a")->warning);
	assert_true(ask(f, "OPTIONS", "/acl/a")->warning);
	commit(f, 2, 0, NULL);
	assert_false(ask(f, "GET", "/acl/")->warning);
}

static void
a_wait_of_nothing_answers_what_is_known(void **state)
{
	struct fixture *f = *state;

	assert_empty(put_with(f, "/acl/a", "[\"x\"]", "wait=0"), 202);
	assert_int_equal(f->response.waited_s, 0);
	assert_empty(put_with(f, "/acl/a", "[\"x\"]", NULL), 202);
	assert_int_equal(f->response.waited_s, -1);
	assert_empty(delete_with(f, "/acl/a", "wait=0"), 202);
	f->answers = true;
	assert_empty(delete_with(f, "/acl/a", "wait=9"), 204);
	assert_int_equal(f->response.waited_s, 9);
	assert_empty(delete_with(f, "/acl/", "wait=100"), 204);
	assert_int_equal(f->response.waited_s, 60);
}

static void
a_malformed_wait_is_no_wait(void **state)
{
	struct fixture *f = *state;

	f->answers = true;
	assert_empty(put_with(f, "/acl/a", "[]", "wait=soon"), 202);
	assert_int_equal(f->response.waited_s, -1);
	assert_empty(delete_with(f, "/acl/a", "wait="), 204);
	assert_int_equal(f->response.waited_s, -1);
}

static void
an_unchanged_acl_is_committed_again_only_for_a_wait(void **state)
{
	struct fixture *f = *state;

	f->answers = true;
	assert_empty(put_with(f, "/acl/a", "[\"x\"]", "wait=9"), 200);
	assert_int_equal(f->announced, 1);
	assert_empty(put(f, "/acl/a", "[\"x\"]"), 202);
	assert_empty(ask(f, "DELETE", "/acl/none"), 204);
	assert_int_equal(f->announced, 1);
	/* The answer is that of the new commit, whatever the last one said. */
	f->returncode = 1;
	f->bad_file = "/p/00control.rules";
	assert_problem(put_with(f, "/acl/a", "[\"x\"]", "wait=9"), 422, "00control");
	assert_int_equal(f->announced, 2);
	assert_problem(delete_with(f, "/acl/none", "wait=9"), 422, "00control");
	f->returncode = 0;
	f->bad_file = NULL;
	assert_empty(put_with(f, "/acl/a", "[\"x\"]", "wait=9"), 200);
	assert_empty(delete_with(f, "/acl/none", "wait=9"), 204);
	assert_int_equal(f->announced, 5);
	assert_empty(ask(f, "DELETE", "/acl/"), 204);
	assert_empty(delete_with(f, "/acl/", "wait=9"), 204);
	assert_int_equal(f->announced, 7);
}

static void
a_directory_that_is_gone_is_no_missing_acl(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(f->dir), 0);
	assert_problem(
		put(f, "/acl/a", "[\"x\"]"), 500, "the policy directory is gone");
	assert_problem(ask(f, "GET", "/acl/a"), 404, "no ACL of this name");
	assert_int_equal(mkdir(f->dir, 0755), 0); /* for teardown() */
}

static void *
commit_own_error(void *user_data)
{
	struct fixture *f = user_data;
	struct acl_names names;
	struct err err;
	size_t n = 0;

	while (n == 0) { /* until the file is there */
		assert_int_equal(acl_store_list(f->store, &names, &err), 0);
		n = names.n;
		acl_names_done(&names);
	}
	commit(f, 1, 1, "/p/50rest-a.rules");
	return NULL;
}

static void
a_wait_ends_with_the_commit_and_names_line_and_rule(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, commit_own_error, f), 0);
	put_with(f, "/acl/a", "[\"x\"]", "wait=30");
	pthread_join(thread, NULL);
	assert_problem(&f->response, 422, "the ACL is stored but not installed");
	assert_non_null(strstr(f->response.body,
		"\"errors\":[{\"file\":\"/p/50rest-a.rules\",\"line\":2,"
		"\"reason\":\"unknown option \\\"--dprt\\\"\","
		"\"rule\":\"-A FORWARD --dprt 80\"}]"));
	assert_int_equal(f->response.waited_s, 30);
	assert_true(f->response.warning);
	/* Its removal is not to blame for it. */
	f->answers = true;
	assert_empty(delete_with(f, "/acl/a", "wait=1"), 204);
}

static void
a_bad_acl_of_somebody_else_is_no_error(void **state)
{
	struct fixture *f = *state;

	f->answers = true;
	f->returncode = 1;
	f->bad_file = "/p/50rest-b.rules";
	assert_empty(put_with(f, "/acl/a", "[\"x\"]", "wait=1"), 200);
	assert_true(f->response.warning);
}

static void
a_bad_file_of_the_operator_is_named(void **state)
{
	struct fixture *f = *state;

	f->answers = true;
	f->returncode = 1;
	f->bad_file = "/p/00control.rules";
	assert_problem(put_with(f, "/acl/a", "[\"x\"]", "wait=1"), 422,
		"failed in another file: /p/00control.rules:2: ");
	assert_non_null(strstr(f->response.body, "\"errors\":[{\"file\":\"/p/00"));
	assert_problem(delete_with(f, "/acl/a", "wait=1"), 422, "00control");
	assert_problem(delete_with(f, "/acl/", "wait=1"), 422, "00control");
}

static void
a_failure_without_a_file_gives_its_return_code(void **state)
{
	struct fixture *f = *state;

	f->answers = true;
	f->returncode = 3;
	assert_problem(
		put_with(f, "/acl/a", "[\"x\"]", "wait=1"), 422, "return code 3");
}

static void
without_a_committer_nothing_is_taken(void **state)
{
	struct fixture *f = *state;

	tracker_close(f->tracker);
	assert_problem(put(f, "/acl/a", "[]"), 503, "nothing was changed");
	assert_problem(ask(f, "DELETE", "/acl/a"), 503, "nothing was changed");
	assert_body(ask(f, "GET", "/acl/"), 200, "application/json", "[]");
	assert_nothing_written(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(put_get_list_and_delete_work_together),
		TEST(only_valid_names_exist),
		TEST(the_path_without_slash_leads_to_the_list),
		TEST(other_methods_are_told_what_there_is),
		TEST(bodies_that_are_no_acl_are_refused),
		TEST(a_put_is_checked_before_its_body_is_read),
		TEST(too_many_acls_are_a_conflict),
		TEST(disk_errors_are_told_exactly),
		TEST(a_file_that_rest_did_not_make_is_left_alone),
		TEST(lasterror_shows_the_failed_commit_and_cannot_be_changed),
		TEST(every_answer_warns_while_the_last_commit_failed),
		TEST(a_wait_of_nothing_answers_what_is_known),
		TEST(a_malformed_wait_is_no_wait),
		TEST(an_unchanged_acl_is_committed_again_only_for_a_wait),
		TEST(a_directory_that_is_gone_is_no_missing_acl),
		TEST(a_wait_ends_with_the_commit_and_names_line_and_rule),
		TEST(a_bad_acl_of_somebody_else_is_no_error),
		TEST(a_bad_file_of_the_operator_is_named),
		TEST(a_failure_without_a_file_gives_its_return_code),
		TEST(without_a_committer_nothing_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
