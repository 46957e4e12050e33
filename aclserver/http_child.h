/*
 * http_child.h - the HTTP process: everything it does from fork to exit.
 *
 * It holds no capability. It parses requests, writes policy files, and tells the parent
 * over the channel "everything up to generation N is on disk". The parent may die at
 * any time: the kernel then ends this process too.
 */
#pragma once

#include <sys/types.h>

#include "aclserver/server_conf.h"
#include "aclserver/trust.h"

/** How the HTTP process ends, as exit status; the parent's supervision reads it. */
enum http_child_exit {
	HTTP_CHILD_OK = 0,          /* SIGTERM, or the parent closed the channel */
	HTTP_CHILD_FAILED = 1,      /* could not start; logged. Restarting may help */
	HTTP_CHILD_BAD_CHANNEL = 2, /* the parent said something that is no message */
	HTTP_CHILD_ADDRESS = 3, /* cannot listen on address and port; logged. It does
				   not go away by restarting at once */
};

/**
 * Run the HTTP process; call it in the child right after fork(), with one thread.
 *
 * Ignores SIGPIPE, blocks SIGTERM and SIGINT and reads them itself; opens the policy
 * directory, becomes @uid/@gid without capabilities, installs the seccomp filter, says
 * HELLO once it listens, and serves until SIGTERM or the end of the channel. Requests
 * that are running are finished first. The parent answers HELLO with a DONE for
 * generation 0 that carries the outcome of its last commit; until then "Prefer: wait"
 * waits, and nothing is known of a last error.
 *
 * To be followed by _exit() at once: request threads may still run.
 *
 * @conf        borrowed for the whole run
 * @trust       what came with it; borrowed for the whole run
 * @channel_fd  SOCK_SEQPACKET, blocking or not; taken
 * @uid, @gid   resolved by the parent (priv_find_user), so that no NSS runs in here
 * Returns      enum http_child_exit, for _exit() by main.c
 */
int http_child_run(const struct server_conf *conf, const struct trust *trust,
	int channel_fd, uid_t uid, gid_t gid);
