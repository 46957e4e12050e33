/*
 * status_client.c - connects, reads all there is, prints it.
 */
#include "agent/status_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "agent/status.h"
#include "agent/status_server.h"
#include "common/cleanup.h"

enum {
	ANSWER_MAX_BYTES = 64 << 20,
	ANSWER_STEP_BYTES = 64 << 10,
	WAIT_S = 5, /* for the agent to go on with its answer */
};

static int
connect_to(const char *run_dir, struct err *err)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = status_server_path(
		run_dir, address.sun_path, sizeof(address.sun_path), err);

	if (r < 0)
		return r;
	if (fd < 0)
		return err_sys(err, -errno, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return err_sys(err, -errno, "socket time-out");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(err, -errno,
				"not running (nobody answers at %s)", address.sun_path);
		return err_sys(err, -errno, "%s: cannot connect", address.sun_path);
	}
	return take_fd(&fd);
}

/* Everything up to the end, with a NUL behind it. */
static int
read_all(int fd, char **ret_text, size_t *ret_len, struct err *err)
{
	char *text AUTO_FREE = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= size) {
			char *larger = realloc(text, size + ANSWER_STEP_BYTES);

			if (!larger || size > ANSWER_MAX_BYTES)
				return err_set(err, -EFBIG, "the answer is too large");
			text = larger;
			size += ANSWER_STEP_BYTES;
		}
		n = recv(fd, text + len, size - len - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, -errno, "no answer");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	*ret_text = take_ptr(text);
	*ret_len = len;
	return 0;
}

static int
ask(const char *run_dir, char **ret_text, size_t *ret_len, struct err *err)
{
	int fd AUTO_CLOSE = connect_to(run_dir, err);

	return fd < 0 ? fd : read_all(fd, ret_text, ret_len, err);
}

enum status_client_exit
status_client_run(const char *run_dir, bool json)
{
	char *text AUTO_FREE = NULL;
	struct status status;
	struct err err;
	size_t len = 0, n_warnings;

	if (ask(run_dir, &text, &len, &err) < 0 ||
		status_json_decode(text, len, &status, &err) < 0) {
		fprintf(stderr, "tapgate-agent: %s\n", err.text);
		return STATUS_CLIENT_NOT_RUNNING;
	}
	n_warnings = status.n_warnings;
	if (json)
		puts(text);
	else
		status_print(&status, stdout);
	status_done(&status);
	return n_warnings == 0 ? STATUS_CLIENT_OK : STATUS_CLIENT_WARNINGS;
}
