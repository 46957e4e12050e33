/*
 * keeper.h - keeps one HTTP process at work: starts it, starts it again when it ended,
 * and ends it. Or, where the two are services of their own, waits for it to come; then
 * whoever started it (systemd) starts it again. Acting module between server.c and
 * child.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "aclserver/channel.h"
#include "common/err.h"
#include "common/loop.h"

struct keeper_events {
	/** A process is about to run; it counts its generations from 1. */
	void (*started)(void *user_data);
	/** It said HELLO: it serves. */
	void (*ready)(void *user_data);
	/** It reported @generation. */
	void (*dirty)(uint64_t generation, void *user_data);
	/** It ended unasked and may not have told all that it wrote; another follows.
	 */
	void (*lost)(void *user_data);
	/** No process runs any more and none follows: 0 after keeper_stop(), -EIO when
	 * the very first one could not start serving. */
	void (*ended)(int result, void *user_data);
	void *user_data;
};

struct keeper_spec {
	const char *conf_text; /* borrowed until keeper_use_conf() */
	size_t conf_len;
	uid_t uid; /* of the HTTP process */
	gid_t gid;
	const char *run_dir; /* set: the HTTP process is a service of its own and comes
				to a socket there; borrowed for the call */
	struct keeper_events events;
};

struct keeper; /* owned by who made it */

/** Ready to start a process; or, with a run_dir, listening for it. NULL with @err. */
struct keeper *keeper_new(
	struct loop *loop, const struct keeper_spec *spec, struct err *err);

/** Kills the process if it runs and is ours. Accepts NULL. */
void keeper_free(struct keeper *keeper);

/** Start the first process; nothing to do for one that comes by itself. 0 or negative
 * errno (logged). */
int keeper_start(struct keeper *keeper);

/** Let the process end in an orderly way and start it again: its surroundings changed.
 */
void keeper_renew(struct keeper *keeper);

/** As keeper_renew(), with another configuration, which is borrowed from now on. */
void keeper_use_conf(struct keeper *keeper, const char *conf_text, size_t conf_len);

/** As keeper_use_conf(), where only the files that it names have changed: the process
 * goes on serving. */
void keeper_use_trust(struct keeper *keeper, const char *conf_text, size_t conf_len);

/** Tell the process something; never blocks. 0, -ENOTCONN while none serves, -EAGAIN if
 * it does not read, or another negative errno. */
int keeper_send(struct keeper *keeper, const struct channel_msg *msg);

/** Take what it has sent so far, before the loop does. */
void keeper_receive(struct keeper *keeper);

/** End the process: it has some seconds to finish its requests; "ended" follows, at
 * once if none runs. */
void keeper_stop(struct keeper *keeper);
