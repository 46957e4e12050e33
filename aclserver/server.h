/*
 * server.h - the privileged half of tapgate-aclserver: owns committer, file events and
 * HTTP process.
 *
 * One thread, one loop. "Generation N is on disk" from the HTTP process starts a commit
 * at once when idle; whatever arrives meanwhile forms the next one. Ends on SIGTERM and
 * SIGINT; SIGHUP reads the configuration and all policy files again. The kernel keeps
 * filtering when the server ends; the next start compares and adopts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/server_conf.h"
#include "common/err.h"

struct server;

struct server_spec {
	const char *conf_path; /* where SIGHUP reads again; borrowed for the server's
				  life */
	char *conf_text;       /* what was read from there; taken */
	size_t conf_len;
	struct server_conf conf; /* parsed from it; taken */
	bool separate; /* the HTTP process is a service of its own; see attach.h */
};

/** A server that is ready to run: directories made, lock and file events open. NULL
 * with @err;
 * @spec's contents are then freed as well. */
struct server *server_new(struct server_spec *spec, struct err *err);

/** Install what is on disk, start the HTTP process, run until asked to end.
 * Returns 0, or negative errno when the server cannot do its task (logged). */
int server_run(struct server *server);

/** Accepts NULL. */
void server_free(struct server *server);

/** For server_conf_parse(): a problem of the configuration goes to the log. @user_data
 * is not used. */
void server_log_conf_problem(
	const char *file, int line, const char *reason, void *user_data);
