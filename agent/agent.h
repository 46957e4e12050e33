/*
 * agent.h - tapgate-agent as a whole: owns every object, starts them in order and stops
 * them in reverse.
 *
 *     agent.c         order of start and stop, loop, signals
 *     agent_apply.c   configuration, DNS and addresses become settings in use
 *     agent_status.c  what there is to say about it
 */
#pragma once

#include "agent/agent_load.h"
#include "common/err.h"

/** What the command line says; all borrowed for the agent's life. */
struct agent_options {
	struct agent_load_options load;
	const char *auto_path;   /* of hsflowd.auto; "" = none */
	const char *run_dir;     /* of status socket and lock */
	const char *resolv_conf; /* NULL = /etc/resolv.conf */
	const char *record_path; /* where to record samples; NULL = nowhere */
	const char *user;        /* to run as: name or number; NULL = as started */
};

struct agent;

/** Everything open, privileges dropped, ready to run. NULL with the reason in @err, or
 * logged. */
struct agent *agent_new(const struct agent_options *options, struct err *err);

/** Sample and send until SIGTERM or SIGINT. 0, or negative errno (logged). */
int agent_run(struct agent *agent);

/** Undo everything, in the kernel too. Accepts NULL. */
void agent_free(struct agent *agent);
