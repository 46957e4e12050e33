/*
 * http_fixture.h - the HTTP process as it runs: in a process of its own, confined, on a
 * real socket. The test plays the parent and the clients.
 */
#pragma once

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
	struct trust trust;
	pid_t pid;
	int channel;  /* the parent's end */
	int log_pipe; /* what the child logs */
	uint16_t port;
	char answer[ANSWER_SIZE]; /* the last one, head and body */
};

/* ---- the process ---- */

static inline void
log_to_pipe(enum log_level level, const char *topic, const char *line, void *user_data)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s\n", line);

	(void)level;
	(void)topic;
	(void)!write(*(int *)user_data, text, (size_t)n);
}

static inline void
set_deadline(int fd)
{
	const struct timeval limit = { .tv_sec = DEADLINE_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* One log line that holds @text; the rest of the line behind it goes to @ret. */
static inline void
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

static inline uid_t
child_uid(void)
{
	return getuid() == 0 ? NOBODY : getuid();
}

static inline gid_t
child_gid(void)
{
	return getuid() == 0 ? NOBODY : getgid();
}

static inline void
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
		_exit(http_child_run(
			&f->conf, &f->trust, channel[1], child_uid(), child_gid()));
	}
	close(channel[1]);
	close(log_pipe[1]);
	f->channel = channel[0];
	f->log_pipe = log_pipe[0];
	set_deadline(f->channel);
}

static inline void
await_ready(struct fixture *f)
{
	char rest[64];
	uint32_t port;

	wait_for_log(f, "listening on http://127.0.0.1:", rest, sizeof(rest));
	rest[strcspn(rest, "/")] = '\0';
	assert_int_equal(parse_u32(rest, 1, 65535, &port), 0);
	f->port = (uint16_t)port;
}

static inline struct channel_msg
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
static inline void
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

static inline int
wait_for_exit(struct fixture *f)
{
	pid_t pid = f->pid;
	int status;

	f->pid = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int
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

static inline int
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

static inline int
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

static inline int
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

static inline void
send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline size_t
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
static inline int
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

static inline int
read_answer(struct fixture *f, int fd)
{
	return read_answer_of(f, fd, false);
}

static inline int
ask(struct fixture *f, int fd, const char *request)
{
	send_text(fd, request);
	return read_answer(f, fd);
}

/* On a connection of its own, which must be closed by the server afterwards. */
static inline int
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

static inline void
assert_says(const struct fixture *f, const char *text)
{
	if (!strstr(f->answer, text))
		fail_msg("\"%s\" does not have \"%s\"", f->answer, text);
}

#define PUT(name, length, body)                                                        \
	"PUT /acl/" name " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"  \
	"Content-Length: " length "\r\n\r\n" body
#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
