/*
 * status_server.h - the unix socket on which the status is to be had, and the lock that
 * keeps a second agent away. Acting module.
 *
 * Who connects gets one snapshot as JSON and is hung up on; nothing is read from them.
 */
#pragma once

#include <sys/types.h>

#include "common/err.h"
#include "common/loop.h"

/* Not the ACL server's directory: the two run as different users. */
#define STATUS_SERVER_RUN_DIR "/run/tapgate-agent"

enum {
	STATUS_SERVER_CLIENTS_MAX = 8,  /* at a time; more are hung up on */
	STATUS_SERVER_CLIENT_MS = 5000, /* to take the snapshot, or be hung up on */
};

/** The snapshot as text to be freed, or NULL when out of memory. */
typedef char *(*status_server_fn)(void *user_data);

struct status_server; /* owned by who opened it */

/**
 * Lock @run_dir (made if it is missing) and listen on its agent.sock, mode 0660, owner
 * @uid, group @gid.
 *
 * Returns  NULL with the reason: -EBUSY if another agent has the lock
 */
struct status_server *status_server_open(
	const char *run_dir, uid_t uid, gid_t gid, struct err *err);

/** Only take the lock of @run_dir (made if it is missing), as status_server_open()
 * does, for who must not work beside an agent. It is held as long as *@ret_fd is open.
 * 0; -EBUSY if an agent has it; another negative errno. */
int status_server_lock(const char *run_dir, int *ret_fd, struct err *err);

/** Answer from the callbacks of @loop. 0 or negative errno. */
int status_server_start(struct status_server *server, struct loop *loop,
	status_server_fn fn, void *user_data);

/** Accepts NULL. */
void status_server_close(struct status_server *server);

/** The path of the socket in @run_dir, for clients. 0 or -ENAMETOOLONG. */
int status_server_path(const char *run_dir, char *ret, size_t size, struct err *err);
