/* test_http_head.c - header lines: what is taken from them, and requests that two
 * readers could see differently. Prefer: RFC 7240. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "aclserver/http_head.h"
#include "aclserver/prefer.h"

/* @lines: name and value alternating, ends with NULL. */
static struct http_head
read_lines(const char *version, const char *const *lines)
{
	struct http_head head;

	http_head_init(&head, version);
	for (; lines[0]; lines += 2)
		http_head_add(&head, lines[0], lines[1]);
	http_head_finish(&head, version);
	return head;
}

#define HEAD(...)                                                                      \
	read_lines("1.1", (const char *const[]){ "Host", "h", __VA_ARGS__, NULL })

static void
known_lines_are_taken(void **state)
{
	struct http_head head =
		HEAD("content-LENGTH", "12", "Content-Type", "a/b", "Prefer", "x",
			"Prefer", "wait=3", "Expect", "100-Continue", "X-Other", "y");

	(void)state;
	assert_int_equal(head.refusal, 0);
	assert_int_equal(head.content_length, 12);
	assert_string_equal(head.content_type, "a/b");
	assert_string_equal(head.prefer, "x, wait=3");
	assert_true(head.expects_continue);
	assert_true(head.keep_alive);
}

static void
two_readings_of_one_request_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		HEAD("Content-Length", "1", "Content-Length", "2").refusal, 400);
	assert_int_equal(
		HEAD("Content-Length", "1", "Content-Length", "1").refusal, 400);
	assert_int_equal(
		HEAD("Content-Length", "1", "Transfer-Encoding", "chunked").refusal,
		400);
	assert_int_equal(
		HEAD("Transfer-Encoding", "chunked", "Content-Length", "1").refusal,
		400);
	assert_int_equal(HEAD("Host", "other").refusal, 400);
	assert_int_equal(HEAD("Content-Type", "a", "Content-Type", "b").refusal, 400);
}

static void
a_length_is_digits_only(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", "0x10", "1,1", "1 ", " 1",
		"1a", "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(HEAD("Content-Length", bad[i]).refusal, 400);
	assert_int_equal(HEAD("Content-Length", "0").content_length, 0);
	assert_int_equal(HEAD("X", "y").content_length, -1);
}

static void
chunked_bodies_need_a_length(void **state)
{
	(void)state;
	assert_int_equal(HEAD("Transfer-Encoding", "chunked").refusal, 411);
	assert_int_equal(HEAD("Transfer-Encoding", "identity").refusal, 411);
}

static void
an_unknown_expectation_is_refused(void **state)
{
	(void)state;
	assert_int_equal(HEAD("Expect", "200-ok").refusal, 417);
}

static void
http_1_1_needs_a_host(void **state)
{
	const char *const none[] = { NULL };

	(void)state;
	assert_int_equal(read_lines("1.1", none).refusal, 400);
	assert_int_equal(read_lines("1.0", none).refusal, 0);
}

static void
the_connection_stays_as_the_client_wants(void **state)
{
	const char *const none[] = { NULL };
	const char *const keep[] = { "Connection", "Keep-Alive", NULL };

	(void)state;
	assert_true(HEAD("X", "y").keep_alive);
	assert_false(HEAD("Connection", "close").keep_alive);
	assert_true(HEAD("Connection", "TE, keep-alive").keep_alive);
	assert_false(HEAD("Connection", "keep-alive, close").keep_alive);
	assert_false(HEAD("Connection", "upgrade", "Upgrade", "h2c").keep_alive);
	assert_false(HEAD("Upgrade", "websocket").keep_alive);
	assert_false(read_lines("1.0", none).keep_alive);
	assert_true(read_lines("1.0", keep).keep_alive);
}

static void
a_long_prefer_is_refused(void **state)
{
	char value[HTTP_PREFER_SIZE];

	(void)state;
	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(HEAD("Prefer", value).refusal, 431);
	value[sizeof(value) / 2] = '\0';
	assert_int_equal(HEAD("Prefer", value).refusal, 0);
	assert_int_equal(HEAD("Prefer", value, "Prefer", value).refusal, 431);
}

#define PAGE(host, origin)                                                             \
	read_lines("1.1", (const char *const[]){ "Origin", origin, "Host", host, NULL })

static void
only_pages_of_this_server_may_ask(void **state)
{
	static const char *const own[][2] = {
		{ "127.0.0.1:8080", "http://127.0.0.1:8080" },
		{ "192.0.2.1", "https://192.0.2.1" },
		{ "localhost:8080", "http://localhost:8080" },
		{ "LocalHost", "http://localhost" },
		{ "[::1]:8080", "http://[::1]:8080" },
		{ "[2001:db8::1]", "http://[2001:DB8::1]" },
	};
	static const char *const others[][2] = {
		{ "127.0.0.1:8080", "http://127.0.0.1" },
		{ "127.0.0.1:8080", "http://127.0.0.1:80800" },
		{ "127.0.0.1", "http://evil.example" },
		{ "127.0.0.1", "null" },
		{ "127.0.0.1", "" },
		{ "127.0.0.1", "127.0.0.1" },
		{ "evil.example", "http://evil.example" },
		{ "localhost.evil.example", "http://localhost.evil.example" },
		{ "127.0.0.1.evil.example", "http://127.0.0.1.evil.example" },
		{ "[localhost]", "http://[localhost]" },
		{ "[127.0.0.1]", "http://[127.0.0.1]" },
		{ "", "http://" },
		{ ":8080", "http://:8080" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_int_equal(PAGE(own[i][0], own[i][1]).refusal, 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(PAGE(others[i][0], others[i][1]).refusal, 403);
	assert_int_equal(HEAD("Origin", "http://h", "Origin", "http://h").refusal, 400);
	assert_int_equal(read_lines("1.0", (const char *const[]){ "Origin",
						   "http://127.0.0.1", NULL })
				 .refusal,
		403);
}

/* A line as civetweb leaves it: its name at the start of @bytes, its value at @value.
 */
static int
check_line(const char *bytes, size_t value, const char *next)
{
	struct http_head head;

	http_head_init(&head, "1.1");
	http_head_check(&head, bytes, bytes + value, next);
	return head.refusal;
}

static void
lines_that_were_not_read_as_written_are_refused(void **state)
{
	static const char line[] = "N\0 v\0\0M\0 w\0\0\r";

	(void)state;
	assert_int_equal(check_line(line, 3, line + 6), 0);
	assert_int_equal(check_line(line + 6, 3, NULL), 0);
	assert_int_equal(check_line("N\0v\0\0\r", 2, NULL), 0);
	assert_int_equal(check_line("N\0\0\0\r", 2, NULL), 0);
	/* A line between this one and the next, or behind the last. */
	assert_int_equal(check_line(line, 3, line + 7), 400);
	assert_int_equal(check_line("N\0v\0\0 folded\r\n\r", 2, NULL), 400);
	assert_int_equal(check_line("N\0v\0\0: x\r\n\r", 2, NULL), 400);
	/* LF without CR. */
	assert_int_equal(check_line("N\0v\0\r\n\r", 2, NULL), 400);
	assert_int_equal(check_line("N\0v\0\0", 2, NULL), 400);
	/* Blanks before the colon. */
	assert_int_equal(check_line("N\0\0v\0\0\r", 3, NULL), 400);
	assert_int_equal(check_line("N\0\0\0 v\0\0\r", 5, NULL), 400);
}

static void
assert_wait(const char *header, int expected)
{
	assert_int_equal(prefer_wait_s(header), expected);
}

static void
wait_is_found_among_other_preferences(void **state)
{
	(void)state;
	assert_wait(NULL, -1);
	assert_wait("", -1);
	assert_wait("respond-async", -1);
	assert_wait("wait=10", 10);
	assert_wait("Wait = \"7\"", 7);
	assert_wait("respond-async, wait=10", 10);
	assert_wait("return=representation;foo=\"a,wait=9\" , , wait=3;x=1", 3);
	assert_wait("handling=lenient; wait=9, wait=4", 4);
	assert_wait("wait=1, wait=2", 1);
	assert_wait("wait=0", 0);
	assert_wait("waiting=5", -1);
}

static void
long_waits_are_cut(void **state)
{
	(void)state;
	assert_wait("wait=60", 60);
	assert_wait("wait=61", PREFER_WAIT_MAX_S);
	assert_wait("wait=999999999999999999999999999", PREFER_WAIT_MAX_S);
}

static void
malformed_preferences_are_passed_over(void **state)
{
	static const char *const bad[] = { "wait", "wait=", "wait=-1", "wait=1.5",
		"wait=abc", "wait=\"\"", "wait=\"5", "=5", "a b", "wait=5;\"",
		"wait=5 s", ",", " , ", "\"",
		"wait=00000000000000000000000000000000001" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_wait(bad[i], -1);
	/* The first wait counts, also when it says nothing. */
	assert_wait("wait=soon, wait=5", -1);
	assert_wait("=, a b, ;, wait=5", 5);
	assert_wait("wait=5, =", 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_lines_are_taken),
		cmocka_unit_test(two_readings_of_one_request_are_refused),
		cmocka_unit_test(a_length_is_digits_only),
		cmocka_unit_test(chunked_bodies_need_a_length),
		cmocka_unit_test(an_unknown_expectation_is_refused),
		cmocka_unit_test(http_1_1_needs_a_host),
		cmocka_unit_test(the_connection_stays_as_the_client_wants),
		cmocka_unit_test(a_long_prefer_is_refused),
		cmocka_unit_test(only_pages_of_this_server_may_ask),
		cmocka_unit_test(lines_that_were_not_read_as_written_are_refused),
		cmocka_unit_test(wait_is_found_among_other_preferences),
		cmocka_unit_test(long_waits_are_cut),
		cmocka_unit_test(malformed_preferences_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
