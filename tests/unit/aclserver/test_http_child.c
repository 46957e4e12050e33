/*
 * test_http_child.c - the HTTP process between its parent and the clients: waits,
 * confinement, and every way to end.
 */
#include "tests/unit/aclserver/http_fixture.h"

static void
a_request_waits_for_its_commit(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	send_text(fd, "PUT /acl/a HTTP/1.1\r\nHost: x\r\nPrefer: wait=20\r\n"
		      "Content-Length: 5\r\n\r\n[\"x\"]");
	assert_int_equal(receive(f).generation, 1);
	send_done(f, 1, 1, "/p/50rest-a.rules");
	assert_int_equal(read_answer(f, fd), 422);
	assert_says(f, "\r\nPreference-Applied: wait=20\r\n");
	assert_says(f, "\r\nWarning: 199 - \"check lasterror\"\r\n");
	assert_says(f, "/p/50rest-a.rules:2: unknown chain: -A X");
	assert_int_equal(ask(f, fd, GET("/acl/lasterror")), 200);
	assert_says(f, "{\"returncode\":1,\"lines\":[\"/p/50rest-a.rules:2: ");
	send_text(fd, "DELETE /acl/a HTTP/1.1\r\nHost: x\r\nPrefer: wait=20\r\n\r\n");
	assert_int_equal(receive(f).generation, 2);
	send_done(f, 2, 0, NULL);
	assert_int_equal(read_answer(f, fd), 204);
	close(fd);
}

static void
an_unchanged_put_tells_the_committer_nothing(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	assert_int_equal(ask(f, fd, PUT("a", "5", "[\"x\"]")), 202);
	assert_int_equal(ask(f, fd, PUT("a", "5", "[\"x\"]")), 202);
	assert_int_equal(ask(f, fd, PUT("b", "5", "[\"x\"]")), 202);
	assert_int_equal(receive(f).generation, 1);
	assert_int_equal(receive(f).generation, 2);
	close(fd);
}

static void
a_full_channel_loses_no_generation(void **state)
{
	enum { CHANGES = 700 };
	struct fixture *f = *state;
	int fd = connect_to(f);
	uint64_t seen = 0;
	char request[256];
	int messages = 0;

	for (int i = 0; i < CHANGES; i++) {
		snprintf(request, sizeof(request), PUT("a", "8", "[\"%04d\"]"), i);
		assert_int_equal(ask(f, fd, request), 202);
	}
	while (seen < CHANGES) {
		uint64_t generation = receive(f).generation;

		assert_true(generation > seen);
		seen = generation;
		messages++;
	}
	assert_int_equal(seen, CHANGES);
	assert_true(messages < CHANGES); /* it was full: some were left out */
	close(fd);
}

/* The value of @key in /proc/PID/status. */
static void
read_status(const struct fixture *f, const char *key, char *ret, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)f->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	ret[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, strlen(key)) == 0)
			snprintf(ret, size, "%s", line + strlen(key) + 1);
	}
	fclose(file);
}

static void
the_process_holds_no_privilege(void **state)
{
	static const char *const sets[] = {
		"CapPrm:", "CapEff:", "CapInh:", "CapAmb:"
	};
	struct fixture *f = *state;
	char value[128], expected[128];

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		read_status(f, sets[i], value, sizeof(value));
		assert_string_equal(value, "0000000000000000");
	}
	read_status(f, "NoNewPrivs:", value, sizeof(value));
	assert_string_equal(value, "1");
	read_status(f, "Seccomp:", value, sizeof(value));
	assert_string_equal(value, "2");
	read_status(f, "Uid:", value, sizeof(value));
	snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", child_uid(), child_uid(),
		child_uid(), child_uid());
	assert_string_equal(value, expected);
}

static void
sigterm_ends_waits_and_then_the_process(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	send_text(fd, "PUT /acl/a HTTP/1.1\r\nHost: x\r\nPrefer: wait=60\r\n"
		      "Content-Length: 5\r\n\r\n[\"x\"]");
	assert_int_equal(receive(f).generation, 1); /* now it waits */
	assert_int_equal(kill(f->pid, SIGTERM), 0);
	assert_int_equal(read_answer(f, fd), 202);
	assert_int_equal(wait_for_exit(f), HTTP_CHILD_OK);
	close(fd);
}

static void
the_end_of_the_channel_ends_the_process(void **state)
{
	struct fixture *f = *state;

	close(f->channel);
	f->channel = -1;
	assert_int_equal(wait_for_exit(f), HTTP_CHILD_OK);
}

static void
nonsense_on_the_channel_ends_the_process(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->channel, "nonsense", 8, 0), 8);
	assert_int_equal(wait_for_exit(f), HTTP_CHILD_BAD_CHANNEL);
}

static void
a_child_message_from_the_parent_ends_the_process(void **state)
{
	const struct channel_msg msg = { .type = CHANNEL_DIRTY, .generation = 1 };
	struct fixture *f = *state;
	uint8_t buf[CHANNEL_HEADER_SIZE];

	channel_encode(&msg, buf);
	assert_int_equal(send(f->channel, buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(wait_for_exit(f), HTTP_CHILD_BAD_CHANNEL);
}

static void
an_unreadable_report_counts_as_a_failed_commit(void **state)
{
	static const char text[] = "{\"returncode\":0}";
	const struct channel_msg msg = {
		.type = CHANNEL_DONE, .report = text, .report_len = sizeof(text) - 1
	};
	struct fixture *f = *state;
	char packet[CHANNEL_HEADER_SIZE + sizeof(text) - 1], rest[64];
	int fd;

	channel_encode(&msg, (uint8_t *)packet);
	memcpy(packet + CHANNEL_HEADER_SIZE, text, sizeof(text) - 1);
	assert_int_equal(send(f->channel, packet, sizeof(packet), 0), sizeof(packet));
	wait_for_log(f, "commit 0 is malformed", rest, sizeof(rest));
	fd = connect_to(f);
	do
		assert_int_equal(ask(f, fd, GET("/acl/")), 200);
	while (!strstr(f->answer, "\r\nWarning: 199"));
	assert_int_equal(ask(f, fd, GET("/acl/lasterror")), 200);
	assert_says(f, "{\"returncode\":1,\"lines\":[]}");
	close(fd);
}

static void
a_slow_body_does_not_hold_its_thread(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->conf.request_timeout_ms = 300;
	start_child(f);
	await_ready(f);
	fd = connect_to(f);
	send_text(fd, PUT("a", "50", "[\"x\""));
	assert_int_equal(read_answer(f, fd), 408);
	close(fd);
	/* An idle connection is closed without a word. */
	fd = connect_to(f);
	assert_int_equal(read_answer(f, fd), 0);
	close(fd);
}

/* One byte now and then is within the limit between two bytes, but not for ever. */
static void
a_dripping_body_does_not_hold_its_thread(void **state)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	struct fixture *f = *state;
	int fd, n = 0;

	f->conf.request_timeout_ms = 500;
	start_child(f);
	await_ready(f);
	fd = connect_to(f);
	send_text(fd, PUT("a", "90000", "["));
	while (n < 300 && send(fd, " ", 1, MSG_NOSIGNAL) == 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (ppoll(&p, 1, &pause, NULL) > 0)
			break;
		n++;
	}
	assert_true(n >= 5 && n < 300);
	close(fd);
}

/* A client that asks for much and takes nothing. */
static void
an_answer_that_is_not_taken_does_not_hold_its_thread(void **state)
{
	enum { REQUESTS = 1000, SIZE = 90000 };
	const int small = 4096;
	struct fixture *f = *state;
	char *request = malloc(SIZE + 200);
	int fd, result = 0;

	assert_non_null(request);
	f->conf.request_timeout_ms = 500;
	f->conf.threads = 1;
	start_child(f);
	await_ready(f);
	fd = connect_to(f);
	result = snprintf(request, 200, PUT("a", "%d", "[\""), SIZE);
	memset(request + result, 'x', SIZE - 4);
	memcpy(request + result + SIZE - 4, "\"]", 3);
	assert_int_equal(ask(f, fd, request), 202);
	close(fd);
	fd = connect_to(f);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < REQUESTS; i++)
		if (send(fd, GET("/acl/a"), strlen(GET("/acl/a")), MSG_NOSIGNAL) < 0)
			break;
	/* The only thread becomes free for the next client. */
	result = connect_to(f);
	assert_int_equal(ask(f, result, GET("/acl/")), 200);
	close(result);
	close(fd);
	free(request);
}

static void
an_address_in_use_is_told_by_the_exit_status(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	struct fixture *f = *state;
	char rest[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	f->conf.port = ntohs(addr.sin_port);
	start_child(f);
	wait_for_log(f, "cannot listen on http://127.0.0.1:", rest, sizeof(rest));
	assert_non_null(strstr(rest, "Address already in use"));
	assert_int_equal(wait_for_exit(f), HTTP_CHILD_ADDRESS);
	close(fd);
}

static void
a_missing_directory_ends_the_start(void **state)
{
	struct fixture *f = *state;
	char rest[256];

	free(f->conf.policy_dir);
	f->conf.policy_dir = strdup("/nonexistent/policy.d");
	start_child(f);
	wait_for_log(f, "cannot open /nonexistent/policy.d", rest, sizeof(rest));
	assert_int_equal(wait_for_exit(f), HTTP_CHILD_FAILED);
}

int
main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define START(name) cmocka_unit_test_setup_teardown(name, setup_files, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_request_waits_for_its_commit),
		TEST(an_unchanged_put_tells_the_committer_nothing),
		TEST(a_full_channel_loses_no_generation),
		TEST(the_process_holds_no_privilege),
		TEST(sigterm_ends_waits_and_then_the_process),
		TEST(the_end_of_the_channel_ends_the_process),
		TEST(nonsense_on_the_channel_ends_the_process),
		TEST(a_child_message_from_the_parent_ends_the_process),
		TEST(an_unreadable_report_counts_as_a_failed_commit),
		START(a_slow_body_does_not_hold_its_thread),
		START(a_dripping_body_does_not_hold_its_thread),
		START(an_answer_that_is_not_taken_does_not_hold_its_thread),
		START(an_address_in_use_is_told_by_the_exit_status),
		START(a_missing_directory_ends_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
