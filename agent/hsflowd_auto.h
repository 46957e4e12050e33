/*
 * hsflowd_auto.h - text of hsflowd.auto, which mod_sflow, nginx, jmx and scripts read
 * to learn what the agent uses. Pure; the caller writes it with file_write_atomic().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/agent_addr.h"
#include "agent/settings.h"
#include "common/parse.h"

struct hsflowd_auto_collector {
	struct parse_addr addr;
	uint16_t port;
	const char *device;        /* NULL = none */
	const char *net_namespace; /* NULL = none */
};

struct hsflowd_auto {
	uint32_t revision;    /* raise it whenever the rest changes */
	bool active;          /* false: nothing is sent yet, only the revision shows */
	const char *hostname; /* this and all pointers borrowed */
	const struct settings *settings; /* in use: the file's with the TXT's over it */
	uint32_t datagram_bytes;
	const struct agent_addr *agent;                  /* elected */
	const struct hsflowd_auto_collector *collectors; /* those with an address */
	size_t n_collectors;
};

/**
 * Layout as hsflowd's: a comment, rev_start=, general settings before those by speed,
 * collectors sorted, ds_index=, rev_end=.
 * Returns text owned by the caller (free), NULL when out of memory.
 */
char *hsflowd_auto_build(const struct hsflowd_auto *a);
