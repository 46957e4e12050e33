/*
 * backend.c - one commit by the committer, or by one run of an external command; see
 * backend.h.
 */
#include "aclserver/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/command.h"
#include "common/priv.h"

struct backend {
	char *name;
	struct loop *loop;
	/* nftables: */
	struct committer *committer;
	char *policy_conf; /* owned; the committer's path */
	char *run_dir, *state_dir, *rest_dir;
	uid_t http_uid;
	const char **dirs; /* owned array of borrowed paths */
	/* command: */
	char *command;
	int64_t timeout_ms;
	struct command *run; /* NULL while idle */
	struct mono start;
	/* of the commit that runs: */
	backend_done_fn done;
	void *user_data;
};

/* ---- command ---- */

/* What the command printed, as it printed it. */
static void
add_output(struct commit_result *result, const char *line)
{
	while (*line) {
		size_t len = strcspn(line, "\n");

		if (len > 0)
			diags_add(&result->problems, DIAG_ERROR, "", 0, NULL, "%.*s",
				(int)len, line);
		line += len + (line[len] == '\n');
	}
}

static void
add_failure(struct commit_result *result, const struct backend *backend,
	const struct command_result *from)
{
	add_output(result, from->output);
	if (from->returncode == COMMAND_TIMED_OUT)
		diags_add(&result->problems, DIAG_ERROR, backend->command, 0, NULL,
			"killed: it did not end within %lld ms",
			(long long)backend->timeout_ms);
	else if (result->problems.n == 0)
		diags_add(&result->problems, DIAG_ERROR, backend->command, 0, NULL,
			"ended with status %d and said nothing", from->returncode);
}

static void
on_command_done(const struct command_result *from, void *user_data)
{
	struct backend *backend = user_data;
	struct commit_result result = {
		.code = (enum commit_code)from->returncode,
		.us = mono_diff_us(backend->start, mono_now()),
	};

	diags_init(&result.problems);
	if (from->returncode != 0)
		add_failure(&result, backend, from);
	backend->run = NULL;
	backend->done(&result, backend->user_data);
	commit_result_done(&result);
}

static void
commit_by_command(struct backend *backend)
{
	const char *const argv[] = { backend->command, "-i", NULL };
	const struct command_spec spec = { argv, backend->timeout_ms };
	struct commit_result result = { .code = COMMIT_KERNEL_ERROR };
	struct err err;

	backend->start = mono_now();
	backend->run =
		command_start(backend->loop, &spec, on_command_done, backend, &err);
	if (backend->run)
		return;
	diags_init(&result.problems);
	diags_add(&result.problems, DIAG_ERROR, backend->command, 0, NULL, "%s",
		err.text);
	backend->done(&result, backend->user_data);
	commit_result_done(&result);
}

static int
command_init(struct backend *backend, const struct server_conf *conf, struct err *err)
{
	backend->command = strdup(conf->command);
	backend->timeout_ms = conf->command_timeout_ms;
	if (!backend->command ||
		asprintf(&backend->name, "command %s", conf->command) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* ---- nftables ---- */

static struct committer *
new_committer(const struct backend *backend, struct err *err)
{
	const struct committer_conf conf = {
		.source = COMMITTER_SOURCE_CONF,
		.paths = (const char *const *)&backend->policy_conf,
		.n_paths = 1,
		.run_dir = backend->run_dir,
		.state_dir = backend->state_dir,
		.rest_dir = backend->rest_dir,
		.http_uid = backend->http_uid,
	};

	return committer_new(&conf, err);
}

static int
nftables_init(struct backend *backend, const struct server_conf *conf, struct err *err)
{
	gid_t gid;
	int r = priv_find_user(conf->user, &backend->http_uid, &gid, err);

	if (r < 0)
		return r;
	backend->name = strdup("nftables");
	backend->policy_conf = strdup(conf->policy_conf);
	backend->run_dir = strdup(conf->run_dir);
	backend->state_dir = strdup(conf->state_dir);
	backend->rest_dir = strdup(conf->policy_dir);
	if (!backend->name || !backend->policy_conf || !backend->run_dir ||
		!backend->state_dir || !backend->rest_dir)
		return err_set(err, -ENOMEM, "out of memory");
	backend->committer = new_committer(backend, err);
	return backend->committer ? 0 : err->code;
}

static void
commit_by_nftables(
	struct backend *backend, enum commit_what what, enum commit_mode mode)
{
	struct commit_result result;

	committer_commit(backend->committer, what, mode, &result);
	backend->done(&result, backend->user_data);
	commit_result_done(&result);
}

/* ---- either ---- */

struct backend *
backend_new(const struct server_conf *conf, struct loop *loop, struct err *err)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	bool by_command = conf->backend == SERVER_BACKEND_COMMAND ||
			  (conf->backend == SERVER_BACKEND_AUTO &&
				  access(conf->command, X_OK) == 0);
	int r;

	if (!backend) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	backend->loop = loop;
	r = by_command ? command_init(backend, conf, err)
		       : nftables_init(backend, conf, err);
	if (r == 0)
		return backend;
	backend_free(backend);
	return NULL;
}

void
backend_free(struct backend *backend)
{
	if (!backend)
		return;
	command_cancel(backend->run);
	committer_free(backend->committer);
	free(backend->name);
	free(backend->policy_conf);
	free(backend->run_dir);
	free(backend->state_dir);
	free(backend->rest_dir);
	free(backend->dirs);
	free(backend->command);
	free(backend);
}

const char *
backend_name(const struct backend *backend)
{
	return backend->name;
}

bool
backend_busy(const struct backend *backend)
{
	return backend->run != NULL;
}

void
backend_commit(struct backend *backend, enum commit_what what, backend_done_fn done,
	void *user_data)
{
	backend->done = done;
	backend->user_data = user_data;
	if (backend->command)
		commit_by_command(backend);
	else
		commit_by_nftables(backend, what, COMMIT_INSTALL);
}

void
backend_check(struct backend *backend, backend_done_fn done, void *user_data)
{
	backend->done = done;
	backend->user_data = user_data;
	commit_by_nftables(backend, COMMIT_ALL, COMMIT_CHECK);
}

void
backend_changed(struct backend *backend, const char *dir, const char *name)
{
	if (backend->committer)
		committer_changed(backend->committer, dir, name);
}

bool
backend_is_outdated(struct backend *backend)
{
	return backend->committer && committer_is_outdated(backend->committer);
}

bool
backend_is_intact(struct backend *backend)
{
	return !backend->committer || committer_is_intact(backend->committer);
}

bool
backend_was_overtaken(struct backend *backend)
{
	return backend->committer && committer_was_overtaken(backend->committer);
}

const char *const *
backend_watched_dirs(struct backend *backend, size_t *ret_n)
{
	const struct policy_load_watch *watches = NULL;
	const char **dirs;
	size_t n = 0;

	if (backend->committer)
		watches = committer_watches(backend->committer, &n);
	dirs = realloc(backend->dirs, (n + 1) * sizeof(*dirs));
	*ret_n = 0;
	if (!dirs)
		return backend->dirs;
	backend->dirs = dirs;
	/* Those that do not exist as well: when one can be watched, it has appeared
	 * since. */
	for (size_t i = 0; i < n; i++)
		dirs[(*ret_n)++] = watches[i].path;
	return dirs;
}
