/*
 * keeper.c - when the HTTP process is started, and who hears of its end; see keeper.h.
 */
#include "aclserver/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aclserver/attach.h"
#include "aclserver/child.h"
#include "common/cleanup.h"
#include "common/log.h"

enum {
	RESTART_FIRST_MS = 100,
	RESTART_MOST_MS = 5000,
	STOP_LIMIT_MS = 10000, /* for the HTTP process to finish its requests */
};

struct keeper {
	struct loop *loop;
	struct keeper_spec spec; /* without run_dir */
	struct attach *attach;   /* NULL: processes are children of ours */
	struct child *child;     /* NULL while none runs */
	struct loop_source *restart_timer, *stop_timer;
	int64_t restart_ms; /* next delay */
	bool ready;         /* it said HELLO */
	bool was_ready;     /* some process did */
	bool stopping, renewing;
};

static void
on_message(const struct channel_msg *msg, void *user_data)
{
	struct keeper *keeper = user_data;
	const struct keeper_events *events = &keeper->spec.events;

	if (msg->type != CHANNEL_HELLO) {
		events->dirty(msg->generation, events->user_data);
		return;
	}
	keeper->ready = keeper->was_ready = true;
	keeper->restart_ms = RESTART_FIRST_MS;
	events->ready(events->user_data);
}

static void
log_end(const struct keeper *keeper, int status)
{
	if (keeper->stopping || keeper->renewing)
		return;
	if (keeper->attach)
		log_notice("HTTP process is gone");
	else if (WIFSIGNALED(status))
		log_error("HTTP process was killed by signal %d", WTERMSIG(status));
	else
		log_error("HTTP process ended with status %d", WEXITSTATUS(status));
}

static void
plan_restart(struct keeper *keeper)
{
	loop_timer_in(keeper->restart_timer, keeper->restart_ms);
	keeper->restart_ms *= 2;
	if (keeper->restart_ms > RESTART_MOST_MS)
		keeper->restart_ms = RESTART_MOST_MS;
}

static void
on_ended(int status, void *user_data)
{
	struct keeper *keeper = user_data;
	const struct keeper_events *events = &keeper->spec.events;
	bool renewing = keeper->renewing;

	log_end(keeper, status);
	child_free(keeper->child);
	keeper->child = NULL;
	keeper->ready = keeper->renewing = false;
	if (keeper->stopping) {
		events->ended(0, events->user_data);
	} else if (!keeper->attach && !keeper->was_ready) {
		/* It never worked: let the caller see why. */
		events->ended(-EIO, events->user_data);
	} else if (!renewing) {
		events->lost(events->user_data);
		if (!keeper->attach)
			plan_restart(keeper);
	} else if (!keeper->attach) {
		loop_timer_at(keeper->restart_timer, mono_now());
	}
}

/* @fd of a process that came by itself, or -1 to start one. */
static int
use_process(struct keeper *keeper, int fd)
{
	const struct child_spec spec = {
		.conf_text = keeper->spec.conf_text,
		.conf_len = keeper->spec.conf_len,
		.uid = keeper->spec.uid,
		.gid = keeper->spec.gid,
	};
	const struct child_events events = {
		.message = on_message,
		.ended = on_ended,
		.user_data = keeper,
	};
	struct err err;

	keeper->ready = false;
	keeper->spec.events.started(keeper->spec.events.user_data);
	keeper->child = fd < 0 ? child_start(keeper->loop, &spec, &events, &err)
			       : child_adopt(keeper->loop, fd, &spec, &events, &err);
	if (keeper->child)
		return 0;
	log_error("%s", err.text);
	return err.code;
}

static void
on_restart_timer(struct loop *loop, void *user_data)
{
	struct keeper *keeper = user_data;

	(void)loop;
	if (!keeper->stopping && use_process(keeper, -1) < 0)
		plan_restart(keeper);
}

static void
on_connected(int fd, void *user_data)
{
	struct keeper *keeper = user_data;

	/* The end of the one before may not have been seen yet; it comes again. */
	if (keeper->child || keeper->stopping)
		close(fd);
	else
		(void)use_process(keeper, fd); /* logged, and it comes again */
}

static void
on_stop_timer(struct loop *loop, void *user_data)
{
	struct keeper *keeper = user_data;

	(void)loop;
	log_warning("HTTP process does not end; killing it");
	child_free(keeper->child);
	keeper->child = NULL;
	keeper->spec.events.ended(0, keeper->spec.events.user_data);
}

static int
keeper_init(struct keeper *keeper, struct err *err)
{
	const struct attach_spec attach = { .run_dir = keeper->spec.run_dir,
		.uid = keeper->spec.uid,
		.connected = on_connected,
		.user_data = keeper };

	keeper->spec.run_dir = NULL;
	keeper->restart_timer = loop_add_timer(keeper->loop, on_restart_timer, keeper);
	keeper->stop_timer = loop_add_timer(keeper->loop, on_stop_timer, keeper);
	if (!keeper->restart_timer || !keeper->stop_timer)
		return err_sys(err, -errno, "event loop");
	if (!attach.run_dir)
		return 0;
	keeper->attach = attach_open(keeper->loop, &attach, err);
	return keeper->attach ? 0 : err->code;
}

struct keeper *
keeper_new(struct loop *loop, const struct keeper_spec *spec, struct err *err)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper) {
		err_set(err, -ENOMEM, "HTTP process: out of memory");
		return NULL;
	}
	keeper->loop = loop;
	keeper->spec = *spec;
	keeper->restart_ms = RESTART_FIRST_MS;
	if (keeper_init(keeper, err) == 0)
		return keeper;
	keeper_free(keeper);
	return NULL;
}

void
keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	child_free(keeper->child);
	attach_close(keeper->attach);
	loop_remove(keeper->restart_timer);
	loop_remove(keeper->stop_timer);
	free(keeper);
}

int
keeper_start(struct keeper *keeper)
{
	return keeper->attach ? 0 : use_process(keeper, -1);
}

void
keeper_renew(struct keeper *keeper)
{
	if (!keeper->child || keeper->renewing || keeper->stopping)
		return;
	keeper->renewing = true;
	child_stop(keeper->child);
}

void
keeper_use_conf(struct keeper *keeper, const char *conf_text, size_t conf_len)
{
	keeper->spec.conf_text = conf_text;
	keeper->spec.conf_len = conf_len;
	keeper_renew(keeper);
}

void
keeper_use_trust(struct keeper *keeper, const char *conf_text, size_t conf_len)
{
	const struct child_spec spec = { .conf_text = conf_text, .conf_len = conf_len };

	keeper->spec.conf_text = conf_text;
	keeper->spec.conf_len = conf_len;
	/* One that does not take it now is started anew. */
	if (!keeper->child || !keeper->ready ||
		child_send_trust(keeper->child, &spec) < 0)
		keeper_renew(keeper);
}

int
keeper_send(struct keeper *keeper, const struct channel_msg *msg)
{
	return keeper->child && keeper->ready ? child_send(keeper->child, msg)
					      : -ENOTCONN;
}

void
keeper_receive(struct keeper *keeper)
{
	if (keeper->child)
		child_receive(keeper->child);
}

void
keeper_stop(struct keeper *keeper)
{
	keeper->stopping = true;
	if (!keeper->child) {
		keeper->spec.events.ended(0, keeper->spec.events.user_data);
		return;
	}
	child_stop(keeper->child);
	loop_timer_in(keeper->stop_timer, STOP_LIMIT_MS);
}
