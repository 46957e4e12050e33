/*
 * child.h - the parent's view of the HTTP process: start it, hear from it, start it
 * again.
 *
 * The process is forked and executed anew, so that it shares no address-space layout
 * with the one that holds CAP_NET_ADMIN. It gets the configuration as text, exactly as
 * the parent checked it. Acting module.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "aclserver/channel.h"
#include "common/err.h"
#include "common/loop.h"

/** Option of the program that makes it the HTTP process; its value is
 * CHANNEL_FD:CONF_FD:UID:GID. */
#define CHILD_OPTION "--http-process"

struct child_spec {
	const char *conf_text; /* borrowed for the call */
	size_t conf_len;
	uid_t uid;
	gid_t gid;
};

struct child_events {
	/** A message arrived: HELLO or DIRTY. */
	void (*message)(const struct channel_msg *msg, void *user_data);
	/** The process ended; @status as from waitpid(2). child_free() follows, not
	 * before. */
	void (*ended)(int status, void *user_data);
	void *user_data;
};

struct child;

/** Start the process. NULL with @err. @events is copied. */
struct child *child_start(struct loop *loop, const struct child_spec *spec,
	const struct child_events *events, struct err *err);

/** Take over a process that came by itself over @fd (taken), non-blocking; it gets the
 * configuration and is no child of ours: its end is the end of the connection, and
 * "ended" says status 0. NULL with @err. */
struct child *child_adopt(struct loop *loop, int fd, const struct child_spec *spec,
	const struct child_events *events, struct err *err);

/** Send a message; never blocks. 0, or negative errno (-EAGAIN: the process does not
 * read). */
int child_send(struct child *child, const struct channel_msg *msg);

/** Hand over files that changed, while the configuration in @spec that names them did
 * not; it goes on serving. Never blocks; 0 or negative errno. */
int child_send_trust(struct child *child, const struct child_spec *spec);

/** Ask it to finish its requests and end (SIGTERM, or the end of what we say); "ended"
 * follows. */
void child_stop(struct child *child);

/** Take all messages that have arrived. Called by the loop; also to be called before a
 * commit, so that one commit answers as many as possible. */
void child_receive(struct child *child);

/** Kill the process if it still runs and is our child, reap it, free; accepts NULL. No
 * event is called. */
void child_free(struct child *child);
