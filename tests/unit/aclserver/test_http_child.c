/*
 * The HTTP process as it runs: in a process of its own, confined, on a real socket. The
 * test plays the parent and the clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aclserver/channel.h"
#include "aclserver/http_child.h"
#include "aclserver/report.h"
#include "common/log.h"
#include "common/parse.h"

enum { DEADLINE_S = 20, ANSWER_SIZE = 65536, NOBODY = 65534 };

struct fixture {
	char dir[64];
	struct server_conf conf;
	pid_t pid;
	int channel;  /* the parent's end */
	int log_pipe; /* what the child logs */
	uint16_t port;
	char answer[ANSWER_SIZE]; /* the last one, head and body */
};

/* ---- the process ---- */

static void
log_to_pipe(enum log_level level, const char *topic, const char *line, void *user_data)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s\n", line);

	(void)level;
	(void)topic;
	(void)!write(*(int *)user_data, text, (size_t)n);
}

static void
set_deadline(int fd)
{
	const struct timeval limit = { .tv_sec = DEADLINE_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* One log line that holds @text; the rest of the line behind it goes to @ret. */
static void
wait_for_log(struct fixture *f, const char *text, char *ret, size_t size)
{
	char line[512];
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = f->log_pipe, .events = POLLIN };
		char *found;

		assert_int_equal(poll(&p, 1, DEADLINE_S * 1000), 1);
		assert_int_equal(read(f->log_pipe, &line[len], 1), 1);
		if (line[len] != '\n') {
			len += len + 1 < sizeof(line);
			continue;
		}
		line[len] = '\0';
		len = 0;
		found = strstr(line, text);
		if (found) {
			snprintf(ret, size, "%s", found + strlen(text));
			return;
		}
	}
}

static uid_t
child_uid(void)
{
	return getuid() == 0 ? NOBODY : getuid();
}

static gid_t
child_gid(void)
{
	return getuid() == 0 ? NOBODY : getgid();
}

static void
start_child(struct fixture *f)
{
	int channel[2], log_pipe[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	assert_int_equal(pipe(log_pipe), 0);
	fflush(NULL);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		close(channel[0]);
		close(log_pipe[0]);
		log_set_sink(log_to_pipe, &log_pipe[1]);
		_exit(http_child_run(&f->conf, channel[1], child_uid(), child_gid()));
	}
	close(channel[1]);
	close(log_pipe[1]);
	f->channel = channel[0];
	f->log_pipe = log_pipe[0];
	set_deadline(f->channel);
}

static void
await_ready(struct fixture *f)
{
	char rest[64];
	uint32_t port;

	wait_for_log(f, "listening on http://127.0.0.1:", rest, sizeof(rest));
	rest[strcspn(rest, "/")] = '\0';
	assert_int_equal(parse_u32(rest, 1, 65535, &port), 0);
	f->port = (uint16_t)port;
}

static struct channel_msg
receive(struct fixture *f)
{
	static char buf[CHANNEL_HEADER_SIZE + 1];
	struct channel_msg msg = { .type = 0 };
	struct err err;
	ssize_t len = recv(f->channel, buf, sizeof(buf), 0);

	assert_int_equal(len, CHANNEL_HEADER_SIZE);
	assert_int_equal(channel_decode(buf, (size_t)len, true, &msg, &err), 0);
	return msg;
}

/* A commit ends; with an error in @file unless NULL. */
static void
send_done(struct fixture *f, uint64_t generation, int returncode, const char *file)
{
	char packet[CHANNEL_HEADER_SIZE + 4096];
	struct channel_msg msg = {
		.type = CHANNEL_DONE, .generation = generation, .returncode = returncode
	};
	struct diags diags;
	size_t len;
	char *report;

	diags_init(&diags);
	if (file)
		diags_add(&diags, DIAG_ERROR, file, 2, "-A X", "unknown chain");
	report = report_encode(returncode, &diags, 4096, &len);
	assert_non_null(report);
	msg.report = report;
	msg.report_len = len;
	channel_encode(&msg, (uint8_t *)packet);
	memcpy(packet + CHANNEL_HEADER_SIZE, report, len);
	assert_int_equal(send(f->channel, packet, CHANNEL_HEADER_SIZE + len, 0),
		CHANNEL_HEADER_SIZE + len);
	free(report);
	diags_done(&diags);
}

static int
wait_for_exit(struct fixture *f)
{
	pid_t pid = f->pid;
	int status;

	f->pid = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
setup_files(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->channel = f->log_pipe = -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/tapgate-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	if (getuid() == 0)
		assert_int_equal(chown(f->dir, 0, NOBODY), 0);
	assert_int_equal(chmod(f->dir, 01775), 0);
	assert_int_equal(server_conf_init(&f->conf), 0);
	free(f->conf.policy_dir);
	f->conf.policy_dir = strdup(f->dir);
	f->conf.port = 0;
	f->conf.threads = 6;
	f->conf.max_body_bytes = 100000;
	*state = f;
	return 0;
}

static int
setup(void **state)
{
	struct fixture *f;

	setup_files(state);
	f = *state;
	start_child(f);
	await_ready(f);
	assert_int_equal(receive(f).type, CHANNEL_HELLO);
	send_done(f, 0, 0, NULL);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct dirent *entry;
	DIR *dir;

	if (f->pid > 0) {
		close(f->channel);
		f->channel = -1;
		assert_int_equal(wait_for_exit(f), HTTP_CHILD_OK);
	}
	dir = opendir(f->dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
		(void)unlink(path); /* fails for . and .. */
	}
	closedir(dir);
	assert_int_equal(rmdir(f->dir), 0);
	if (f->channel >= 0)
		close(f->channel);
	close(f->log_pipe);
	server_conf_done(&f->conf);
	free(f);
	return 0;
}

/* ---- a client ---- */

static int
connect_to(struct fixture *f)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons(f->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	set_deadline(fd);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void
send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static size_t
body_length(const char *head, bool without_body)
{
	const char *line = strstr(head, "\r\nContent-Length: ");
	size_t len = 0;

	if (!line || without_body)
		return 0;
	for (const char *p = line + 18; *p >= '0' && *p <= '9'; p++)
		len = len * 10 + (size_t)(*p - '0');
	return len;
}

/* One answer into f->answer; its status. 0 when the connection ended instead. */
static int
read_answer_of(struct fixture *f, int fd, bool without_body)
{
	size_t len = 0, whole = 0;

	do {
		ssize_t n = recv(fd, f->answer + len, 1, 0);

		if (n == 0 && len == 0)
			return 0;
		assert_int_equal(n, 1);
		f->answer[++len] = '\0';
		if (whole == 0 && len >= 4 &&
			strcmp(f->answer + len - 4, "\r\n\r\n") == 0)
			whole = len + body_length(f->answer, without_body);
	} while ((whole == 0 || len < whole) && len < ANSWER_SIZE - 1);
	assert_int_equal(strncmp(f->answer, "HTTP/1.1 ", 9), 0);
	return (f->answer[9] - '0') * 100 + (f->answer[10] - '0') * 10 + f->answer[11] -
	       '0';
}

static int
read_answer(struct fixture *f, int fd)
{
	return read_answer_of(f, fd, false);
}

static int
ask(struct fixture *f, int fd, const char *request)
{
	send_text(fd, request);
	return read_answer(f, fd);
}

/* On a connection of its own, which must be closed by the server afterwards. */
static int
ask_and_see_it_closed(struct fixture *f, const char *request)
{
	int fd = connect_to(f);
	int status = ask(f, fd, request);
	char more;

	assert_non_null(strstr(f->answer, "\r\nConnection: close\r\n"));
	assert_true(recv(fd, &more, 1, 0) <= 0);
	close(fd);
	return status;
}

static void
assert_says(const struct fixture *f, const char *text)
{
	if (!strstr(f->answer, text))
		fail_msg("\"%s\" does not have \"%s\"", f->answer, text);
}

#define PUT(name, length, body)                                                        \
	"PUT /acl/" name " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"  \
	"Content-Length: " length "\r\n\r\n" body
#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- tests ---- */

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
	char request[4096] = "GET /acl/ HTTP/1.1\r\nHost: x\r\n";

	for (int i = 0; i < 70; i++)
		strcat(request, "X-Line: 1\r\n");
	strcat(request, "\r\n");
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
	assert_int_equal(ask(f, fd, GET("/acl/?x=1")), 400);
	assert_int_equal(ask(f, fd, GET("/acl")), 308);
	assert_says(f, "\r\nLocation: /acl/\r\n");
	close(fd);
}

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
	wait_for_log(f, "cannot listen on 127.0.0.1 port", rest, sizeof(rest));
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
		TEST(one_connection_serves_many_requests),
		TEST(pipelined_requests_are_answered_in_order),
		TEST(a_request_may_come_byte_by_byte),
		TEST(a_client_may_ask_before_it_sends_the_body),
		TEST(a_body_over_the_limit_is_refused_readably),
		TEST(a_large_acl_survives_the_round_trip),
		TEST(requests_with_two_readings_end_the_connection),
		TEST(what_is_no_http_gets_a_problem_too),
		TEST(more_header_lines_than_are_seen_are_refused),
		TEST(http_1_0_closes_unless_asked),
		TEST(paths_are_taken_as_they_are_written),
		TEST(a_request_waits_for_its_commit),
		TEST(an_unchanged_put_tells_the_committer_nothing),
		TEST(a_full_channel_loses_no_generation),
		TEST(the_process_holds_no_privilege),
		TEST(sigterm_ends_waits_and_then_the_process),
		TEST(the_end_of_the_channel_ends_the_process),
		TEST(nonsense_on_the_channel_ends_the_process),
		TEST(a_child_message_from_the_parent_ends_the_process),
		START(a_slow_body_does_not_hold_its_thread),
		START(an_address_in_use_is_told_by_the_exit_status),
		START(a_missing_directory_ends_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
