/*
 * arguments.h - the command line of tapgate-agent.
 *
 * Options that hsflowd has, too, mean the same.
 */
#pragma once

#include <stdbool.h>

#include "agent/agent.h"

/** All texts point into argv or are constants. */
struct arguments {
	struct agent_options agent;
	bool check;      /* -n */
	unsigned debug;  /* how often -d */
	bool ask, json;  /* status [--json] */
	bool cleanup;    /* cleanup */
	int exit_status; /* to end with at once; -1 = go on */
};

/** Parse the command line. What is wrong with it, and what it asks to print (usage,
 * version), is printed. */
struct arguments arguments_parse(int argc, char **argv);
