/*
 * backend.h - who installs the policy: this program through nftables, or an external
 * command.
 *
 * The server asks for a commit and is called back with its result; for nftables that is
 * before backend_commit() returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/committer.h"
#include "aclserver/server_conf.h"
#include "common/loop.h"

struct backend;

/** Called once per commit; @result is borrowed for the call. */
typedef void (*backend_done_fn)(const struct commit_result *result, void *user_data);

/** The back end that @conf asks for; "auto" takes the command if it can be executed.
 * NULL with @err. */
struct backend *backend_new(
	const struct server_conf *conf, struct loop *loop, struct err *err);

/** A commit that runs is given up. Accepts NULL. */
void backend_free(struct backend *backend);

/** "nftables", or "command /usr/cumulus/bin/cl-acltool". */
const char *backend_name(const struct backend *backend);

/** True while a commit runs. */
bool backend_busy(const struct backend *backend);

/** Start a commit; not while one runs. */
void backend_commit(struct backend *backend, enum commit_what what,
	backend_done_fn done, void *user_data);

/** Find out what a commit of everything would report, and change nothing. For the
 * nftables back end only. */
void backend_check(struct backend *backend, backend_done_fn done, void *user_data);

/** As committer_changed(). */
void backend_changed(struct backend *backend, const char *dir, const char *name);

/** As committer_is_intact(); always true for the command. */
bool backend_is_intact(struct backend *backend);

/** As committer_is_outdated(); never true for the command. */
bool backend_is_outdated(struct backend *backend);

/** As committer_was_overtaken(); never true for the command. */
bool backend_was_overtaken(struct backend *backend);

/** The directories to watch, borrowed until the next call; none for the command, which
 * reads all by itself. */
const char *const *backend_watched_dirs(struct backend *backend, size_t *ret_n);
