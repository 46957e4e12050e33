/*
 * portsamp.c - runs Cumulus' portsamp for each port whose rate changes.
 */
#include "agent/portsamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/command.h"
#include "common/log.h"
#include "common/mono.h"

enum { NUMBER_SIZE = 12 };

/* One port; those that are not wanted any more stay until that is done. */
struct entry {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	uint32_t wanted; /* 1 in N; 0 = do not sample */
	uint32_t rate;   /* that the program was run with last, and did not fail */
	bool failed;     /* for .wanted, the last time */
	bool due;        /* to be run */
};

struct portsamp {
	struct loop *loop;     /* borrowed */
	uint32_t group;        /* of psample */
	struct entry *entries; /* sorted by ifindex; owned */
	size_t n;
	struct loop_source *turn; /* timer: the next one may run; owned by the loop */
	struct command *command;  /* that runs; owned by itself */
	uint32_t running;         /* ifindex it runs for */
	uint32_t running_rate;
	unsigned retry_in;
	size_t n_failed;
	bool was_said; /* that it fails */
};

bool
portsamp_is_there(void)
{
	return access(PORTSAMP_PROGRAM, X_OK) == 0;
}

/* What one run is to do. */
struct run {
	struct loop *loop;
	uint32_t group;   /* of psample */
	const char *name; /* of the port, or a pattern that the program knows */
	uint32_t rate;    /* 0 = off */
};

static struct command *
start(const struct run *r, command_done_fn done, void *user_data, struct err *err)
{
	char rate[NUMBER_SIZE], group[NUMBER_SIZE];
	const char *const argv[] = { PORTSAMP_PROGRAM, r->name, rate, "0", group,
		NULL };
	const struct command_spec spec = {
		.argv = argv,
		.timeout_ms = PORTSAMP_TIME_MS,
	};

	snprintf(rate, sizeof(rate), "%" PRIu32, r->rate);
	snprintf(group, sizeof(group), "%" PRIu32, r->rate ? r->group : 0);
	return command_start(r->loop, &spec, done, user_data, err);
}

/* The first line of what the program said, for people. */
static int
first_line(const struct command_result *result)
{
	return (int)strcspn(result->output, "\n");
}

static struct entry *
find(const struct portsamp *p, uint32_t ifindex)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->entries[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->n && p->entries[low].ifindex == ifindex ? &p->entries[low]
								: NULL;
}

/* One port after the other. */

static void
note_failure(struct portsamp *p, struct entry *e, int code, const char *why, int len)
{
	e->failed = true;
	p->n_failed++;
	p->retry_in = PORTSAMP_RETRY_TICKS;
	if (!p->was_said)
		log_warning("%s: %s: exit status %d%s%.*s; is the agent root? Tried "
			    "again every %d s, and other ports likewise",
			e->name, PORTSAMP_PROGRAM, code, len > 0 ? ": " : "", len, why,
			PORTSAMP_RETRY_TICKS);
	p->was_said = true;
}

static void
on_done(const struct command_result *result, void *user_data)
{
	struct portsamp *p = user_data;
	struct entry *e = find(p, p->running);

	p->command = NULL;
	if (e) {
		p->n_failed -= e->failed;
		e->failed = false;
		if (result->returncode == 0)
			e->rate = p->running_rate;
		else
			note_failure(p, e, result->returncode, result->output,
				first_line(result));
	}
	loop_timer_in(p->turn, 0);
}

static void
run_next(struct portsamp *p)
{
	struct err err;

	for (size_t i = 0; i < p->n && !p->command; i++) {
		struct entry *e = &p->entries[i];
		const struct run r = { p->loop, p->group, e->name, e->wanted };

		if (!e->due)
			continue;
		e->due = false;
		p->running = e->ifindex;
		p->running_rate = e->wanted;
		p->command = start(&r, on_done, p, &err);
		if (p->command)
			return;
		p->n_failed -= e->failed;
		note_failure(p, e, -err.code, err.text, (int)strlen(err.text));
	}
	if (!p->command && p->n_failed == 0)
		p->was_said = false;
}

static void
keep_to_stop(const struct entry *e, struct entry *ret)
{
	*ret = *e;
	ret->wanted = 0;
}

static void
on_turn(struct loop *loop, void *user_data)
{
	struct portsamp *p = user_data;

	(void)loop;
	if (!p->command)
		run_next(p);
}

/* What is wanted, as a fresh list; states are taken over from the old one. */
static size_t
merge(const struct portsamp *p, const struct source_port *ports, size_t n,
	struct entry *ret)
{
	size_t count = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		struct entry *e;

		/* No port of ours any more. */
		for (; at < p->n && p->entries[at].ifindex < ports[i].ifindex; at++) {
			if (p->entries[at].rate > 0)
				keep_to_stop(&p->entries[at], &ret[count++]);
		}
		e = &ret[count++];
		*e = (struct entry){ .ifindex = ports[i].ifindex };
		if (at < p->n && p->entries[at].ifindex == e->ifindex)
			*e = p->entries[at++];
		memcpy(e->name, ports[i].name, sizeof(e->name));
		e->wanted = ports[i].rate;
	}
	for (; at < p->n; at++) {
		if (p->entries[at].rate > 0)
			keep_to_stop(&p->entries[at], &ret[count++]);
	}
	return count;
}

/* Is the program at work on what @e wants? */
static bool
is_running(const struct portsamp *p, const struct entry *e)
{
	return p->command && p->running == e->ifindex && p->running_rate == e->wanted;
}

void
portsamp_set(struct portsamp *p, const struct source_port *ports, size_t n)
{
	struct entry *entries = calloc(p->n + n + 1, sizeof(*entries));

	if (!entries) {
		log_error("psample: port list: %s", strerror(ENOMEM));
		return;
	}
	p->n = merge(p, ports, n, entries);
	free(p->entries);
	p->entries = entries;
	p->n_failed = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct entry *e = &entries[i];

		e->due = e->wanted != e->rate && !e->failed && !is_running(p, e);
		p->n_failed += e->failed;
	}
	if (!p->command)
		run_next(p);
}

void
portsamp_tick(struct portsamp *p)
{
	if (p->n_failed == 0 || p->retry_in == 0 || --p->retry_in > 0)
		return;
	for (size_t i = 0; i < p->n; i++)
		p->entries[i].due |= p->entries[i].failed;
	if (!p->command)
		run_next(p);
}

size_t
portsamp_failed(const struct portsamp *p)
{
	return p->n_failed;
}

bool
portsamp_samples(const struct portsamp *p, uint32_t ifindex)
{
	const struct entry *e = find(p, ifindex);

	return e && e->wanted > 0 && !e->failed;
}

/* Opening and closing. */

struct portsamp *
portsamp_open(struct loop *loop, uint32_t group, struct err *err)
{
	struct portsamp *p = calloc(1, sizeof(*p));

	if (!p) {
		(void)err_sys(err, -ENOMEM, "portsamp");
		return NULL;
	}
	p->loop = loop;
	p->group = group;
	p->turn = loop_add_timer(loop, on_turn, p);
	if (p->turn)
		return p;
	(void)err_sys(err, -ENOMEM, "portsamp");
	free(p);
	return NULL;
}

/* A run that is waited for. */
struct wait {
	bool over;
	int code;
};

static void
on_waited(const struct command_result *result, void *user_data)
{
	struct wait *w = user_data;

	w->over = true;
	w->code = result->returncode;
	if (w->code != 0)
		log_warning("%s: exit status %d: %.*s", PORTSAMP_PROGRAM, w->code,
			first_line(result), result->output);
}

/* Run to the end, in a loop of its own. */
static int
run_and_wait(const char *name, struct err *err)
{
	struct loop *loop = loop_new();
	const struct run r = { loop, 0, name, 0 };
	struct wait w = { 0 };

	if (!loop)
		return err_sys(err, -errno, "%s", PORTSAMP_PROGRAM);
	if (!start(&r, on_waited, &w, err)) {
		loop_free(loop);
		return err->code;
	}
	while (!w.over && loop_turn(loop, -1) >= 0)
		continue;
	loop_free(loop);
	if (w.code != 0)
		return err_set(
			err, -EIO, "%s: exit status %d", PORTSAMP_PROGRAM, w.code);
	return 0;
}

void
portsamp_close(struct portsamp *p)
{
	const struct mono end = mono_add_ms(mono_now(), PORTSAMP_STOP_MS);
	struct err err;

	if (!p)
		return;
	if (p->command) {
		/* It may have done its work, or half of it. */
		struct entry *e = find(p, p->running);

		command_cancel(p->command);
		if (e && p->running_rate > 0)
			e->rate = p->running_rate;
	}
	for (size_t i = 0; i < p->n && mono_before(mono_now(), end); i++) {
		if (p->entries[i].rate > 0)
			(void)run_and_wait(p->entries[i].name, &err);
	}
	loop_remove(p->turn);
	free(p->entries);
	free(p);
}

int
portsamp_remove(struct err *err)
{
	if (!portsamp_is_there())
		return 0;
	/* The program takes a pattern of names, which no shell expands here. */
	return run_and_wait("swp*", err);
}
