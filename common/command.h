/*
 * command.h - one run of an external program, such as the vendor's tools that program a
 * switch chip. Acting module; never blocks.
 *
 * The program gets no terminal and no input; what it prints on stdout and stderr is
 * kept (bounded). It runs in a process group of its own, which is killed as a whole
 * when the time is up.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/loop.h"

enum { COMMAND_OUTPUT_MAX = 64 << 10 };

/** Exit status reported for a program that did not end by itself, as timeout(1) does.
 */
enum { COMMAND_TIMED_OUT = 124 };

struct command_result {
	int returncode; /* exit status; 128 + N when killed by signal N;
			   COMMAND_TIMED_OUT */
	const char
		*output; /* NUL-terminated, borrowed for the call; NULs became blanks */
	size_t output_len;
};

/** Called once, when the program ended or was killed. The run is over and freed
 * afterwards. */
typedef void (*command_done_fn)(const struct command_result *result, void *user_data);

struct command;

struct command_spec {
	const char *const *argv; /* ends with NULL; argv[0] is an absolute path */
	int64_t timeout_ms;      /* then the process group gets SIGKILL */
};

/**
 * Start a program; @spec is borrowed for the call.
 * Returns the run, owned by itself until @done; or NULL with @err (fork, pipe; a
 * program that cannot be executed ends with 127 instead, and says so in its output).
 */
struct command *command_start(struct loop *loop, const struct command_spec *spec,
	command_done_fn done, void *user_data, struct err *err);

/** Kill the process group, forget the run; @done is not called. Accepts NULL. */
void command_cancel(struct command *command);
