/*
 * attach.h - committer and HTTP process as two services: how one finds the other.
 *
 * Where the committer is not root it cannot start a process with another user. Then
 * somebody else (systemd) starts both, each with a user of its own, and the HTTP
 * process comes to a socket of the committer: RUN_DIR/http.sock. The committer hears
 * only the user of the HTTP process, of which the kernel assures it (SO_PEERCRED), and
 * first of all hands over the configuration as it has checked it. From there on
 * everything is as on the socketpair to a child; see channel.h.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/loop.h"

#define ATTACH_SOCKET       "http.sock"
/** Where an HTTP process looks that was told nothing else. */
#define ATTACH_DEFAULT_PATH "/run/tapgate/" ATTACH_SOCKET

struct attach; /* owned by who opened it */

struct attach_spec {
	const char *run_dir; /* borrowed for the call; made if it is missing */
	uid_t uid;           /* who may come */
	/** An HTTP process came; @fd is taken, non-blocking. */
	void (*connected)(int fd, void *user_data);
	void *user_data;
};

/** Listen for the HTTP process; a socket that a predecessor left is replaced. NULL with
 * @err. */
struct attach *attach_open(
	struct loop *loop, const struct attach_spec *spec, struct err *err);

/** Listen no more, remove the socket. Accepts NULL. */
void attach_close(struct attach *attach);

/** Send a message with the descriptor @passed_fd, borrowed; never blocks. 0 or negative
 * errno. */
int attach_send_fd(int fd, const void *buf, size_t len, int passed_fd);

/** The committer's greeting on a connection: the descriptor @conf_fd, borrowed. 0 or
 * negative errno. */
int attach_greet(int fd, int conf_fd);

/**
 * Connect to the committer at @path and wait for its greeting, at most a minute: it may
 * be busy with a commit.
 *
 * @ret_fd       the channel, blocking
 * @ret_conf_fd  the configuration, readable from its start through /proc/self/fd
 * Returns       0 or negative errno with @err; both descriptors are the caller's
 */
int attach_connect(const char *path, int *ret_fd, int *ret_conf_fd, struct err *err);
