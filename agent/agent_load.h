/*
 * agent_load.h - the configuration file: read, parsed, checked. Acting module.
 */
#pragma once

#include <stdbool.h>

#include "agent/agent_conf.h"
#include "common/err.h"

#define AGENT_LOAD_PATH "/etc/hsflowd.conf"

/** What the command line says of the configuration. */
struct agent_load_options {
	const char *path;
	bool required; /* the file was named, so it has to exist */
	bool has_uuid; /* instead of the file's */
	uint8_t uuid[16];
};

/** Where a configuration came from, for log and status. */
enum agent_load_origin {
	AGENT_LOAD_FILE,
	AGENT_LOAD_DEFAULTS, /* there is no file */
};

/**
 * Read and check the configuration. Findings go to the log as file:line: reason, or,
 * with @plain, to stderr as they are.
 *
 * @ret_conf  owned by the caller; written on success only
 * @err       the first error, as file:line: reason
 * Returns    enum agent_load_origin, or negative errno
 */
int agent_load(const struct agent_load_options *options, bool plain,
	struct agent_conf **ret_conf, struct err *err);

/** Parse the UUID of a command line: 32 hexadecimal digits with or without '-'. 0 or
 * -EINVAL with the reason. */
int agent_load_parse_uuid(const char *text, uint8_t ret[16], struct err *err);
