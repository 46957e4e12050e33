/*
 * status_client.h - the command "tapgate-agent status".
 */
#pragma once

#include <stdbool.h>

/** Exit statuses of the command, as those of an init script. */
enum status_client_exit {
	STATUS_CLIENT_OK = 0,
	STATUS_CLIENT_WARNINGS = 1,    /* it runs, but something is wrong */
	STATUS_CLIENT_NOT_RUNNING = 3, /* or does not answer, or we may not ask */
};

/** Ask the agent whose socket is in @run_dir, print its answer to stdout; reasons for
 * having none to stderr. @json: as it came. Blocks for some seconds at most. */
enum status_client_exit status_client_run(const char *run_dir, bool json);
