/*
 * server.c - the parent's loop: when a commit starts, what it answers, and who is
 * restarted; see server.h.
 */
#include "aclserver/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclserver/acl_name.h"
#include "aclserver/backend.h"
#include "aclserver/instance.h"
#include "aclserver/keeper.h"
#include "aclserver/link_watch.h"
#include "aclserver/policy_dir.h"
#include "aclserver/report.h"
#include "aclserver/trust.h"
#include "aclserver/watch.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/sdnotify.h"

enum {
	CONF_FILE_MAX = 1 << 20, /* bytes of the configuration file */
	CHECK_MS = 1000,    /* how often it is looked whether our tables are there */
	LINKS_MS = 20,      /* and how soon after a change of the links */
	SEND_RETRY_MS = 20, /* when the HTTP process does not take its message */
};

struct server {
	struct server_spec spec;
	int instance_fd; /* shows that this network namespace has its server */
	uid_t uid;       /* of the HTTP process */
	gid_t gid;
	struct loop *loop;
	struct watch *watch;
	struct link_watch *links;
	struct backend *backend;
	struct keeper *keeper; /* of the HTTP process */
	struct loop_source *commit_timer, *send_timer, *watchdog_timer, *check_timer;
	uint64_t wanted;       /* newest generation that the HTTP process reported */
	uint64_t committing;   /* generation of the commit that runs */
	uint64_t answered;     /* generation of the newest result */
	enum commit_what next; /* what the next commit has to read */
	bool pending;          /* a commit is asked for */
	bool check_soon;       /* check_timer runs because of the links */
	bool stopping;
	int returncode; /* of the newest result */
	char *report;   /* JSON of the newest result; owned */
	size_t report_len;
};

static void start_commit(struct server *server);

/* ---- what the HTTP process is told ---- */

static void
send_result(struct server *server)
{
	const struct channel_msg msg = {
		.type = CHANNEL_DONE,
		.generation = server->answered,
		.returncode = server->returncode,
		.report = server->report,
		.report_len = server->report_len,
	};
	int r;

	r = keeper_send(server->keeper, &msg);
	if (r == -EAGAIN) /* it is busy: the newest result is sent a little later */
		loop_timer_in(server->send_timer, SEND_RETRY_MS);
	else if (r < 0 && r != -ENOTCONN && r != -EPIPE && r != -ECONNRESET)
		log_warning("HTTP process: cannot tell the result: %s", strerror(-r));
}

static void
on_send_timer(struct loop *loop, void *user_data)
{
	(void)loop;
	send_result(user_data);
}

/* ---- commits ---- */

/* An ACL that was made over HTTP can be found in the journal by its name. */
static void
log_problem(const struct diag *d, const char *line)
{
	const char *slash = strrchr(d->file, '/');
	char name[ACL_NAME_SIZE];
	bool is_acl = acl_name_from_file(slash ? slash + 1 : d->file, name);

	log_about(LOG_LEVEL_WARNING, LOG_ACL, is_acl ? name : NULL, "%s", line);
}

static void
log_problems(const struct commit_result *result)
{
	for (size_t i = 0; i < result->problems.n; i++) {
		const struct diag *d = &result->problems.items[i];
		AUTO_FREE char *line = diag_format(d);

		if (line)
			log_problem(d, line);
	}
	if (result->problems.omitted > 0)
		log_warning("and %zu more problems", result->problems.omitted);
}

/* States are not logged, changes are: a file that stays bad is named once. */
static void
keep_report(struct server *server, const struct commit_result *result)
{
	size_t len = 0;
	char *report = report_encode(
		(int)result->code, &result->problems, CHANNEL_REPORT_MAX, &len);
	bool same;

	if (!report)
		log_error("commit: out of memory for its report");
	same = report && server->report && len == server->report_len &&
	       memcmp(report, server->report, len) == 0;
	if (!same)
		log_problems(result);
	if (server->returncode != 0 && result->code == COMMIT_OK)
		log_notice("commit: all policy files are installed again");
	free(server->report);
	server->report = report;
	server->report_len = report ? len : 0;
	server->returncode = (int)result->code;
}

static void
on_committed(const struct commit_result *result, void *user_data)
{
	struct server *server = user_data;

	log_debug("commit",
		"generation %llu: %zu of %zu files changed, %lld us, code %d",
		(unsigned long long)server->committing, result->n_changed,
		result->n_files, (long long)result->us, (int)result->code);
	keep_report(server, result);
	server->answered = server->committing;
	send_result(server);
	if (server->pending)
		loop_timer_at(server->commit_timer, mono_now());
}

static void
on_file_event(const char *dir, const char *name, void *user_data)
{
	struct server *server = user_data;

	backend_changed(server->backend, dir, name);
	/* The HTTP process holds the directory open: it has to look for it anew. */
	if (dir && !name && !server->stopping) {
		log_warning("%s was removed or renamed; starting the HTTP process anew",
			dir);
		keeper_renew(server->keeper);
	}
}

static void
rewatch(struct server *server)
{
	struct err err;
	size_t n = 0;
	const char *const *dirs = backend_watched_dirs(server->backend, &n);
	int added = watch_set_dirs(server->watch, dirs, n, &err);

	if (added < 0)
		log_error("%s", err.text);
	if (added != 0) /* what happened in a new one so far is unknown */
		backend_changed(server->backend, NULL, NULL);
}

static void
start_commit(struct server *server)
{
	enum commit_what what = server->next;

	if (backend_busy(server->backend) || server->stopping)
		return;
	keeper_receive(server->keeper);
	/* The rename happened before its generation was reported, so its event waits
	 * here. */
	watch_read(server->watch, on_file_event, server);
	server->pending = false;
	server->next = COMMIT_CHANGED;
	server->committing = server->wanted;
	backend_commit(server->backend, what, on_committed, server);
	rewatch(server);
}

static void
on_commit_timer(struct loop *loop, void *user_data)
{
	struct server *server = user_data;

	(void)loop;
	if (server->pending)
		start_commit(server);
}

static void
request_commit(struct server *server, enum commit_what what)
{
	if (what == COMMIT_ALL)
		server->next = COMMIT_ALL;
	if (server->pending)
		return;
	server->pending = true;
	loop_timer_at(server->commit_timer, mono_now());
}

static void
on_watch(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct server *server = user_data;

	/* Changes by the operator are noted; they are installed by the next commit or
	 * by tapgate-acl -i. */
	(void)loop, (void)fd, (void)events;
	watch_read(server->watch, on_file_event, server);
}

/* ---- the HTTP process ---- */

static void
on_http_started(void *user_data)
{
	struct server *server = user_data;

	/* A new process counts from 1 again; what it did not report is found by its
	 * files. */
	server->wanted = server->answered = server->committing = 0;
}

static void
on_http_ready(void *user_data)
{
	struct server *server = user_data;

	send_result(server);
	if (!server->spec.separate)
		sdnotify_send("READY=1\nSTATUS=serving");
}

static void
on_http_dirty(uint64_t generation, void *user_data)
{
	struct server *server = user_data;

	if (generation <= server->wanted)
		return;
	server->wanted = generation;
	request_commit(server, COMMIT_CHANGED);
}

static void
on_http_lost(void *user_data)
{
	/* It may have made files durable and died before it said so. */
	request_commit(user_data, COMMIT_CHANGED);
}

static void
on_http_ended(int result, void *user_data)
{
	const struct server *server = user_data;

	loop_stop(server->loop, result);
}

/* ---- signals ---- */

static void
on_stop_signal(struct loop *loop, int signo, void *user_data)
{
	struct server *server = user_data;

	(void)loop;
	if (server->stopping)
		return;
	log_notice("stopping (%s); installed ACLs stay",
		signo == SIGINT ? "SIGINT" : "SIGTERM");
	sdnotify_send("STOPPING=1");
	server->stopping = true;
	keeper_stop(server->keeper);
}

void
server_log_conf_problem(const char *file, int line, const char *reason, void *user_data)
{
	(void)user_data;
	if (line > 0)
		log_error("%s:%d: %s", file, line, reason);
	else
		log_error("%s: %s", file, reason);
}

/* Take over a changed configuration; the HTTP process is started again with it. */
static void
use_conf(struct server *server, struct server_spec *fresh)
{
	const char *key = server_conf_needs_restart(&server->spec.conf, &fresh->conf);
	bool same =
		fresh->conf_len == server->spec.conf_len &&
		memcmp(fresh->conf_text, server->spec.conf_text, fresh->conf_len) == 0;
	bool trust_only;

	trust_only = trust_has_same_conf(server->spec.conf_text, server->spec.conf_len,
		fresh->conf_text, fresh->conf_len);
	if (same || key) {
		if (key)
			log_error("%s: \"%s\" changed, which needs a restart of the "
				  "server; "
				  "running configuration kept",
				server->spec.conf_path, key);
		server_conf_done(&fresh->conf);
		free(fresh->conf_text);
		return;
	}
	server_conf_done(&server->spec.conf);
	free(server->spec.conf_text);
	server->spec.conf = fresh->conf;
	server->spec.conf_text = fresh->conf_text;
	server->spec.conf_len = fresh->conf_len;
	log_set_level(server_conf_log_level(&server->spec.conf));
	log_set_topics(server->spec.conf.debug);
	log_notice("%s: new configuration in use", server->spec.conf_path);
	if (trust_only)
		keeper_use_trust(
			server->keeper, server->spec.conf_text, server->spec.conf_len);
	else
		keeper_use_conf(
			server->keeper, server->spec.conf_text, server->spec.conf_len);
}

static void
reload_conf(struct server *server)
{
	struct server_spec fresh = { .conf_path = server->spec.conf_path };
	int r;

	r = file_read(AT_FDCWD, fresh.conf_path, CONF_FILE_MAX, &fresh.conf_text,
		&fresh.conf_len);
	if (r == -ENOENT && server->spec.conf_len == 0)
		return; /* started without one, and there still is none */
	if (r < 0) {
		log_error("%s: cannot read: %s; running configuration kept",
			fresh.conf_path, strerror(-r));
		return;
	}
	r = server_conf_parse(fresh.conf_path, fresh.conf_text, fresh.conf_len,
		&fresh.conf, server_log_conf_problem, NULL);
	if (r == 0)
		r = trust_load(&fresh.conf, &fresh.conf_text, &fresh.conf_len,
			server_log_conf_problem, NULL);
	if (r < 0) {
		log_error("%s: running configuration kept", fresh.conf_path);
		server_conf_done(&fresh.conf);
		free(fresh.conf_text);
		return;
	}
	use_conf(server, &fresh);
}

static void
on_reload_signal(struct loop *loop, int signo, void *user_data)
{
	struct server *server = user_data;

	(void)loop, (void)signo;
	log_notice("reloading");
	sdnotify_reloading();
	reload_conf(server);
	request_commit(server, COMMIT_ALL);
	sdnotify_send("READY=1");
}

/* tapgate-acl installed something: what the last commit reported may be repaired. */
static void
report_anew(struct server *server)
{
	if (server->returncode == 0)
		return;
	server->committing = server->answered;
	backend_check(server->backend, on_committed, server);
}

/* A reload of nftables.service flushes everybody's tables: what was acknowledged is
 * installed again. */
static void
on_check_timer(struct loop *loop, void *user_data)
{
	struct server *server = user_data;

	(void)loop;
	server->check_soon = false;
	loop_timer_in(server->check_timer, CHECK_MS);
	if (backend_busy(server->backend))
		return;
	if (!backend_is_intact(server->backend)) {
		log_warning("somebody removed our nftables tables; installing again");
		request_commit(server, COMMIT_ALL);
	} else if (backend_is_outdated(server->backend)) {
		log_notice("bridged packets visit other hooks now; installing again");
		request_commit(server, COMMIT_ALL);
	}
	if (backend_was_overtaken(server->backend))
		report_anew(server);
}

/* Interfaces come and go: rules that are bound to them follow, once for all changes of
 * a moment. */
static void
on_links(void *user_data)
{
	struct server *server = user_data;

	if (!server->check_soon)
		loop_timer_in(server->check_timer, LINKS_MS);
	server->check_soon = true;
}

static void
on_watchdog_timer(struct loop *loop, void *user_data)
{
	struct server *server = user_data;

	(void)loop;
	sdnotify_send("WATCHDOG=1");
	loop_timer_in(server->watchdog_timer, sdnotify_watchdog_ms());
}

/* ---- life ---- */

static int
add_sources(struct server *server)
{
	struct loop *loop = server->loop;

	server->commit_timer = loop_add_timer(loop, on_commit_timer, server);
	server->send_timer = loop_add_timer(loop, on_send_timer, server);
	server->watchdog_timer = loop_add_timer(loop, on_watchdog_timer, server);
	server->check_timer = loop_add_timer(loop, on_check_timer, server);
	if (!server->check_timer || !server->commit_timer || !server->send_timer ||
		!server->watchdog_timer)
		return -errno;
	if (!loop_add_fd(loop, watch_fd(server->watch), LOOP_READ, on_watch, server) ||
		!loop_add_signal(loop, SIGTERM, on_stop_signal, server) ||
		!loop_add_signal(loop, SIGINT, on_stop_signal, server) ||
		!loop_add_signal(loop, SIGHUP, on_reload_signal, server))
		return -errno;
	return 0;
}

static int
add_keeper(struct server *server, struct err *err)
{
	const struct keeper_spec spec = {
		.conf_text = server->spec.conf_text,
		.conf_len = server->spec.conf_len,
		.uid = server->uid,
		.gid = server->gid,
		.run_dir = server->spec.separate ? server->spec.conf.run_dir : NULL,
		.events = { .started = on_http_started,
			.ready = on_http_ready,
			.dirty = on_http_dirty,
			.lost = on_http_lost,
			.ended = on_http_ended,
			.user_data = server },
	};

	server->keeper = keeper_new(server->loop, &spec, err);
	return server->keeper ? 0 : err->code;
}

static int
server_init(struct server *server, struct err *err)
{
	const struct server_conf *conf = &server->spec.conf;
	int r;

	r = instance_take("tapgate-aclserver", &server->instance_fd, err);
	if (r < 0)
		return r;
	r = priv_find_user(conf->user, &server->uid, &server->gid, err);
	if (r < 0)
		return r;
	if (server->spec.separate && geteuid() == server->uid)
		return err_set(err, -EINVAL,
			"the committer must not run as the user of the HTTP process, "
			"%s",
			conf->user);
	r = policy_dir_prepare(conf->policy_dir, server->uid, server->gid, err);
	if (r < 0)
		return r;
	server->loop = loop_new();
	if (!server->loop)
		return err_sys(err, -errno, "event loop");
	server->watch = watch_new(err);
	if (!server->watch)
		return err->code;
	r = add_sources(server);
	if (r < 0)
		return err_sys(err, r, "event loop");
	r = add_keeper(server, err);
	if (r < 0)
		return r;
	server->links = link_watch_start(server->loop, on_links, server, err);
	if (!server->links)
		return err->code;
	server->backend = backend_new(conf, server->loop, err);
	return server->backend ? 0 : err->code;
}

struct server *
server_new(struct server_spec *spec, struct err *err)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server) {
		server_conf_done(&spec->conf);
		free(spec->conf_text);
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	server->spec = *spec;
	server->instance_fd = -1;
	if (server_init(server, err) == 0)
		return server;
	server_free(server);
	return NULL;
}

int
server_run(struct server *server)
{
	int r;

	log_notice("back end %s", backend_name(server->backend));
	/* Watched before it is read: a change in between is seen twice rather than not
	 * at all. */
	rewatch(server);
	server->next = COMMIT_ALL;
	server->pending = true;
	start_commit(server);
	r = keeper_start(server->keeper);
	if (r < 0)
		return r;
	/* ACLs are installed; whoever serves HTTP says for itself that it does. */
	if (server->spec.separate)
		sdnotify_send("READY=1\nSTATUS=installed; the HTTP process is a "
			      "service of its own");
	loop_timer_in(server->check_timer, CHECK_MS);
	if (sdnotify_watchdog_ms() > 0)
		on_watchdog_timer(server->loop, server);
	return loop_run(server->loop);
}

void
server_free(struct server *server)
{
	if (!server)
		return;
	keeper_free(server->keeper);
	backend_free(server->backend);
	link_watch_stop(server->links);
	loop_free(server->loop);
	watch_free(server->watch);
	server_conf_done(&server->spec.conf);
	free(server->spec.conf_text);
	free(server->report);
	if (server->instance_fd >= 0)
		close(server->instance_fd);
	free(server);
}
