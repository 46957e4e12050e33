/*
 * cleanup_run.c - asks each source to remove its own; see cleanup_run.h.
 */
#include "agent/cleanup_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/source.h"
#include "agent/status_server.h"
#include "common/cleanup.h"

int
cleanup_run(const char *run_dir)
{
	AUTO_CLOSE int lock_fd = -1;
	int status = EXIT_SUCCESS;
	struct err err;

	/* Held to the end: an agent that starts meanwhile would lose its rules. */
	if (status_server_lock(run_dir, &lock_fd, &err) < 0) {
		fprintf(stderr, "tapgate-agent: cleanup: %s\n", err.text);
		return EXIT_FAILURE;
	}
	for (const struct source_ops *const *s = sources; *s; s++) {
		if (!(*s)->cleanup || (*s)->cleanup(&err) == 0)
			continue;
		fprintf(stderr, "tapgate-agent: cleanup: %s\n", err.text);
		status = EXIT_FAILURE;
	}
	return status;
}
