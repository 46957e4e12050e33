/*
 * test_http.c - HTTP/1.1 as clients speak it, well and badly.
 */
#include "tests/unit/aclserver/http_fixture.h"

static void
one_connection_serves_many_requests(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	assert_int_equal(ask(f, fd, PUT("a", "5", "[\"x\"]")), 202);
	assert_says(f, "\r\nConnection: keep-alive\r\n");
	assert_says(f, "\r\nContent-Length: 0\r\n");
	assert_says(f, "\r\nServer: tapgate\r\n");
	assert_says(f, "\r\nDate: ");
	assert_int_equal(receive(f).generation, 1);
	assert_int_equal(ask(f, fd, GET("/acl/a")), 200);
	assert_says(f, "\r\n\r\n[\"x\"]");
	assert_int_equal(ask(f, fd, GET("/acl/none")), 404);
	assert_says(f, "\r\nContent-Type: application/problem+json\r\n");
	assert_int_equal(ask(f, fd, "DELETE /acl/a HTTP/1.1\r\nHost: x\r\n\r\n"), 204);
	assert_int_equal(receive(f).generation, 2);
	send_text(fd, "HEAD /acl/ HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(read_answer_of(f, fd, true), 200);
	assert_says(f, "\r\nContent-Length: 2\r\n");
	assert_int_equal(ask(f, fd, GET("/acl/")), 200);
	close(fd);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	send_text(fd, PUT("a", "5", "[\"1\"]") GET("/acl/a") GET("/acl/none")
			      PUT("a", "5", "[\"2\"]") GET("/acl/a"));
	assert_int_equal(read_answer(f, fd), 202);
	assert_int_equal(read_answer(f, fd), 200);
	assert_says(f, "[\"1\"]");
	assert_int_equal(read_answer(f, fd), 404);
	assert_int_equal(read_answer(f, fd), 202);
	assert_int_equal(read_answer(f, fd), 200);
	assert_says(f, "[\"2\"]");
	close(fd);
}

static void
a_request_may_come_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	const char *request = PUT("a", "5", "[\"x\"]");
	int fd = connect_to(f);

	for (; *request; request++)
		assert_int_equal(send(fd, request, 1, MSG_NOSIGNAL), 1);
	assert_int_equal(read_answer(f, fd), 202);
	close(fd);
}

static void
a_client_may_ask_before_it_sends_the_body(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	assert_int_equal(ask(f, fd,
				 "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
				 "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
		100);
	assert_int_equal(ask(f, fd, "[\"x\"]"), 202);
	close(fd);
	/* A refusal comes instead, and no body is waited for. */
	assert_int_equal(ask_and_see_it_closed(f, "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
						  "Content-Length: 500000\r\n"
						  "Expect: 100-continue\r\n\r\n"),
		413);
	assert_int_equal(ask_and_see_it_closed(f,
				 "PUT /acl/a HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n"
				 "Content-Length: 2\r\n\r\n[]"),
		417);
}

static void
a_body_over_the_limit_is_refused_readably(void **state)
{
	struct fixture *f = *state;
	size_t size = 3 << 20;
	char *request = malloc(size + 1);
	int fd = connect_to(f);

	assert_non_null(request);
	memset(request, ' ', size);
	request[size] = '\0';
	memcpy(request, PUT("a", "3000000", ""), strlen(PUT("a", "3000000", "")));
	/* All of it, although the answer is clear at its start. */
	assert_int_equal(ask(f, fd, request), 413);
	assert_says(f, "longer than 100000 bytes");
	close(fd);
	free(request);
}

static void
a_large_acl_survives_the_round_trip(void **state)
{
	enum { LINES = 2000 };
	struct fixture *f = *state;
	char *request = malloc(100000);
	int fd = connect_to(f);
	int n;

	assert_non_null(request);
	n = snprintf(request, 100000, PUT("big", "%d", "["), LINES * 13 + 1);
	for (int i = 0; i < LINES; i++)
		n += snprintf(request + n, (size_t)(100000 - n), "\"line %05d\"%s", i,
			i + 1 < LINES ? "," : "]");
	/* 12 bytes each, a comma between them, two brackets */
	assert_int_equal(ask(f, fd, request), 202);
	assert_int_equal(ask(f, fd, GET("/acl/big")), 200);
	assert_string_equal(
		strstr(f->answer, "\r\n\r\n") + 4, strstr(request, "\r\n\r\n") + 4);
	close(fd);
	free(request);
}

static void
requests_with_two_readings_end_the_connection(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_and_see_it_closed(f, "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
						  "Transfer-Encoding: chunked\r\n\r\n"
						  "5\r\n[\"x\"]\r\n0\r\n\r\n"),
		411);
	assert_int_equal(ask_and_see_it_closed(f,
				 "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
				 "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"
				 "\r\n0\r\n\r\nGET /acl/ HTTP/1.1\r\n\r\n"),
		400);
	assert_int_equal(ask_and_see_it_closed(f,
				 "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
				 "Content-Length: 2\r\nContent-Length: 9\r\n\r\n[]"),
		400);
	assert_int_equal(ask_and_see_it_closed(f, "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
						  "Content-Length: 2x\r\n\r\n[]"),
		400);
	assert_int_equal(ask_and_see_it_closed(f, "GET /acl/ HTTP/1.1\r\n\r\n"), 400);
}

#define SMUGGLED "DELETE /acl/a HTTP/1.1\r\nHost: x\r\n\r\n"

/* Lines that civetweb would hide or read in its own way: what follows as a body must
 * never be taken for a request. */
static void
hidden_lines_end_the_connection(void **state)
{
	static const char *const lines[] = {
		" folded: 1\r\nContent-Length: 39\r\n",
		"X: 1\r\n folded\r\nContent-Length: 39\r\n",
		": 1\r\nContent-Length: 39\r\n",
		"\xc3\xa4: 1\r\nContent-Length: 39\r\n",
		"Content-Length : 39\r\n",
		"Content-Length   : 39\r\n",
		"X Y: 1\r\nContent-Length: 39\r\n",
		"X: 1\nContent-Length: 39\r\n",
		"X: 1\n\r\nContent-Length: 39\r\n",
		"X: 1\r\n\nContent-Length: 39\r\n",
		"X: 1\rContent-Length: 39\r\n",
		"Content-Length: 39\n",
		"Content-Length: 39, 39\r\n",
		"Content-Length: 0x27\r\n",
	};
	static const char *const starts[] = {
		"GET /acl/ HTTP/1.1\r\nHost: x\r\n",
		"PUT /acl/b HTTP/1.1\r\nHost: x\r\n",
		"DELETE /acl/b HTTP/1.1\r\nHost: x\r\n",
		"OPTIONS /acl/b HTTP/1.1\r\nHost: x\r\n",
	};
	struct fixture *f = *state;
	char request[512];
	int fd = connect_to(f);

	assert_int_equal(ask(f, fd, PUT("a", "2", "[]")), 202);
	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
			snprintf(request, sizeof(request), "%s%s\r\n" SMUGGLED,
				starts[s], lines[i]);
			assert_int_equal(ask_and_see_it_closed(f, request), 400);
		}
	}
	assert_int_equal(ask(f, fd, GET("/acl/a")), 200);
	close(fd);
}

static void
refusals_that_leave_the_length_in_doubt_end_the_connection(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_and_see_it_closed(
				 f, "PUT /acl/a HTTP/1.1\r\nHost: x\r\n\r\n" SMUGGLED),
		411);
	assert_int_equal(ask_and_see_it_closed(f, PUT("a", "2", "{}")), 400);
	assert_int_equal(ask_and_see_it_closed(f, GET("/acl/?x=1")), 400);
	assert_int_equal(ask_and_see_it_closed(f, PUT("a", "200000", "")), 413);
	/* A body that is not read, of a request that is refused or needs none. */
	assert_int_equal(ask_and_see_it_closed(f, PUT("lasterror", "2", "[]")), 403);
	assert_int_equal(ask_and_see_it_closed(f, PUT("UPPER", "2", "[]")), 404);
	assert_int_equal(ask_and_see_it_closed(f, "GET /acl/ HTTP/1.1\r\nHost: x\r\n"
						  "Content-Length: 5\r\n\r\nGET /"),
		200);
}

static void
requests_of_other_web_pages_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_and_see_it_closed(f, "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
						  "Origin: http://x\r\n"
						  "Content-Length: 2\r\n\r\n[]"),
		403);
	assert_says(f, "web page");
	assert_int_equal(
		ask_and_see_it_closed(f, "DELETE /acl/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
					 "Origin: http://evil.example\r\n\r\n"),
		403);
}

static void
what_is_no_http_gets_a_problem_too(void **state)
{
	struct fixture *f = *state;
	char *request;

	assert_int_equal(ask_and_see_it_closed(f, "hello\r\n\r\n"), 400);
	assert_says(f, "application/problem+json");
	assert_int_equal(
		ask_and_see_it_closed(f, "GET /acl/ HTTP/2.5\r\nHost: x\r\n\r\n"), 505);
	assert_int_equal(
		ask_and_see_it_closed(f, "FROB /acl/a HTTP/1.1\r\nHost: x\r\n\r\n"),
		405);
	assert_says(f, "\r\nAllow: GET, HEAD, PUT, DELETE, OPTIONS\r\n");
	assert_int_equal(ask_and_see_it_closed(f, "PUT /acl/a HTTP/1.1\r\nHost: x\r\n"
						  "Content-Length: -1\r\n\r\n"),
		400);
	request = malloc(20000);
	assert_non_null(request);
	memset(request, 'a', 20000);
	memcpy(request, "GET /acl/ HTTP/1.1\r\nX: ", 23);
	request[19000] = '\0'; /* above the 16 KiB of headers, without an end */
	assert_int_equal(ask_and_see_it_closed(f, request), 400);
	free(request);
}

static void
more_header_lines_than_are_seen_are_refused(void **state)
{
	struct fixture *f = *state;
	char request[4096];
	size_t len = (size_t)snprintf(
		request, sizeof(request), "GET /acl/ HTTP/1.1\r\nHost: x\r\n");

	for (int i = 0; i < 70; i++)
		len += (size_t)snprintf(
			request + len, sizeof(request) - len, "X-Line: 1\r\n");
	snprintf(request + len, sizeof(request) - len, "\r\n");
	assert_int_equal(ask_and_see_it_closed(f, request), 431);
}

static void
http_1_0_closes_unless_asked(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(ask_and_see_it_closed(f, "GET /acl/ HTTP/1.0\r\n\r\n"), 200);
	assert_int_equal(ask_and_see_it_closed(f, "GET /acl/ HTTP/1.1\r\nHost: x\r\n"
						  "Connection: close\r\n\r\n"),
		200);
	fd = connect_to(f);
	assert_int_equal(
		ask(f, fd, "GET /acl/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
		200);
	assert_int_equal(ask(f, fd, GET("/acl/")), 200);
	close(fd);
}

static void
paths_are_taken_as_they_are_written(void **state)
{
	static const char *const paths[] = { "/acl/%61", "/acl/%00", "/acl/..%2f",
		"/acl/../acl/a", "/acl/./a", "//acl/a", "/acl/a%2f", "/etc/passwd" };
	struct fixture *f = *state;
	int fd = connect_to(f);
	char request[128];

	assert_int_equal(ask(f, fd, PUT("a", "2", "[]")), 202);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
			paths[i]);
		assert_int_equal(ask(f, fd, request), 404);
	}
	assert_int_equal(ask(f, fd, GET("/acl")), 308);
	assert_says(f, "\r\nLocation: /acl/\r\n");
	assert_int_equal(ask(f, fd, GET("/acl/?x=1")), 400);
	close(fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_connection_serves_many_requests),
		TEST(pipelined_requests_are_answered_in_order),
		TEST(a_request_may_come_byte_by_byte),
		TEST(a_client_may_ask_before_it_sends_the_body),
		TEST(a_body_over_the_limit_is_refused_readably),
		TEST(a_large_acl_survives_the_round_trip),
		TEST(requests_with_two_readings_end_the_connection),
		TEST(hidden_lines_end_the_connection),
		TEST(refusals_that_leave_the_length_in_doubt_end_the_connection),
		TEST(requests_of_other_web_pages_are_refused),
		TEST(what_is_no_http_gets_a_problem_too),
		TEST(more_header_lines_than_are_seen_are_refused),
		TEST(http_1_0_closes_unless_asked),
		TEST(paths_are_taken_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
