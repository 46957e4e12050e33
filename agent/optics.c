/*
 * optics.c - see optics.h.
 */
#include "agent/optics.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/optics_helper.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { BUCKETS = 256, REAP_MS = 100, RESTART_MS = 60000 };

/* A port, and the module in it. */
struct module {
	uint32_t ifindex;
	int error;                    /* of the last read */
	bool is_read;                 /* at least once */
	bool is_queued;               /* waits to be read */
	unsigned polls;               /* that wanted it read, since it last was */
	struct mono again;            /* not read before */
	struct module_eeprom *eeprom; /* NULL = no module; owned */
	struct module *next;          /* in the bucket */
	struct module *next_queued;
};

struct optics_reader {
	struct loop *loop; /* borrowed, as the next three */
	const struct iface_table *ifaces;
	optics_idle_fn on_idle;
	void *user_data;
	bool enabled;
	struct module *buckets[BUCKETS]; /* owned */
	size_t n;
	struct module *first, *last; /* of the queue */
	pid_t pid;                   /* the helper; 0 = none */
	int fd;                      /* to it; -1 = none, or it is being killed */
	struct loop_source *on_fd;
	struct loop_source *timer; /* time limit, reaping, restart */
	uint32_t reading;          /* ifIndex; 0 = nothing */
	struct mono since;         /* of reading */
	struct mono restart;       /* no helper before that */
	struct optics_message message;
	struct optics filled[COUNTER_PORTS_MAX]; /* lent to samples */
};

static void send_next(struct optics_reader *o);

/* ---- the table ---- */

static struct module *
find(const struct optics_reader *o, uint32_t ifindex)
{
	struct module *m = o->buckets[ifindex % BUCKETS];

	while (m && m->ifindex != ifindex)
		m = m->next;
	return m;
}

static struct module *
find_or_add(struct optics_reader *o, uint32_t ifindex)
{
	struct module *m = find(o, ifindex);

	if (m || o->n >= OPTICS_MODULES_MAX)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->ifindex = ifindex;
	m->next = o->buckets[ifindex % BUCKETS];
	o->buckets[ifindex % BUCKETS] = m;
	o->n++;
	return m;
}

static void
leave_queue(struct optics_reader *o, struct module *m)
{
	struct module **link = &o->first, *before = NULL;

	if (!m->is_queued)
		return;
	while (*link != m) {
		before = *link;
		link = &before->next_queued;
	}
	*link = m->next_queued;
	if (o->last == m)
		o->last = before;
	m->is_queued = false;
	m->next_queued = NULL;
}

static void
enter_queue(struct optics_reader *o, struct module *m)
{
	if (m->is_queued || m->ifindex == o->reading)
		return;
	m->is_queued = true;
	if (o->last)
		o->last->next_queued = m;
	else
		o->first = m;
	o->last = m;
}

void
optics_remove(struct optics_reader *o, uint32_t ifindex)
{
	struct module **link = &o->buckets[ifindex % BUCKETS], *m;

	while ((m = *link) && m->ifindex != ifindex)
		link = &m->next;
	if (!m)
		return;
	leave_queue(o, m);
	*link = m->next;
	free(m->eeprom);
	free(m);
	o->n--;
}

/* ---- the helper ---- */

/* No more words with it; it may still be inside the kernel. */
static void
kill_helper(struct optics_reader *o)
{
	loop_remove(take_ptr(o->on_fd));
	if (o->fd >= 0)
		close(take_fd(&o->fd));
	if (o->pid > 0) {
		(void)kill(o->pid, SIGKILL);
		loop_timer_in(o->timer, 0);
	}
}

/* What a read of @m took decides when the next one may be. */
static void
note_time(struct optics_reader *o, struct module *m)
{
	struct mono now = mono_now();

	m->again = mono_add_ms(now, mono_diff_ms(o->since, now) * OPTICS_SHARE);
}

static const char *
name_of(const struct optics_reader *o, uint32_t ifindex)
{
	const struct iface *i = iface_find(o->ifaces, ifindex);

	return i ? i->name : "a port that is gone";
}

static void
on_time_limit(struct optics_reader *o)
{
	struct module *m = find(o, o->reading);
	const char *name = name_of(o, o->reading);

	if (!m || m->error != -ETIMEDOUT)
		log_about(LOG_LEVEL_WARNING, LOG_PORT, name,
			"%s: its module cannot be read within %d s; until the kernel "
			"gives up, no counters can be read",
			name, OPTICS_READ_MAX_MS / 1000);
	if (m) {
		m->error = -ETIMEDOUT;
		m->is_read = true;
		free(take_ptr(m->eeprom));
		note_time(o, m);
	}
	kill_helper(o);
}

/* The helper is gone for good: others may go on. */
static void
on_reaped(struct optics_reader *o)
{
	o->pid = 0;
	o->reading = 0;
	o->on_idle(o->user_data);
	send_next(o);
}

static void
on_timer(struct loop *loop, void *user_data)
{
	struct optics_reader *o = user_data;

	(void)loop;
	if (o->pid > 0 && o->fd < 0) {
		if (waitpid(o->pid, NULL, WNOHANG) == 0)
			loop_timer_in(o->timer, REAP_MS);
		else
			on_reaped(o);
	} else if (o->reading) {
		on_time_limit(o);
	} else {
		send_next(o);
	}
}

/* Say that a module came or went. What was there at the start is not told. */
static void
log_change(const struct optics_reader *o, const struct module *m, bool was_there)
{
	const char *name = name_of(o, m->ifindex);
	bool is_there = o->message.error == 0;

	if (m->is_read && is_there != was_there)
		log_about(LOG_LEVEL_INFO, LOG_PORT, name, "%s: %s", name,
			is_there ? "a module was plugged in" : "no module any more");
}

static void
take_answer(struct optics_reader *o, struct module *m)
{
	log_change(o, m, m->eeprom);
	m->is_read = true;
	m->error = o->message.error;
	note_time(o, m);
	if (m->error != 0) {
		free(take_ptr(m->eeprom));
		return;
	}
	if (!m->eeprom)
		m->eeprom = malloc(sizeof(*m->eeprom));
	if (!m->eeprom) {
		m->error = -ENOMEM;
		return;
	}
	*m->eeprom = o->message.eeprom;
	m->polls = 0;
}

static void
on_answer(struct loop *loop, int fd, unsigned events, void *user_data)
{
	struct optics_reader *o = user_data;
	ssize_t len = recv(fd, &o->message, sizeof(o->message), 0);
	struct module *m;

	(void)loop, (void)events;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len != (ssize_t)sizeof(o->message) || o->message.ifindex != o->reading) {
		log_warning("reading of modules: the helper process ended; a new one "
			    "is started in %d s",
			RESTART_MS / 1000);
		o->restart = mono_add_ms(mono_now(), RESTART_MS);
		kill_helper(o);
		return;
	}
	m = find(o, o->reading);
	if (m)
		take_answer(o, m);
	o->reading = 0;
	loop_timer_stop(o->timer);
	o->on_idle(o->user_data);
	send_next(o);
}

static int
start_helper(struct optics_reader *o)
{
	struct err err;
	int rc;

	if (mono_before(mono_now(), o->restart)) {
		loop_timer_at(o->timer, o->restart);
		return -EAGAIN;
	}
	rc = optics_helper_start(&o->pid, &o->fd, &err);
	if (rc == 0) {
		o->on_fd = loop_add_fd(o->loop, o->fd, LOOP_READ, on_answer, o);
		if (o->on_fd)
			return 0;
		rc = err_sys(&err, -errno, "reading of modules");
		kill_helper(o);
	}
	log_warning("%s; tried again in %d s", err.text, RESTART_MS / 1000);
	o->restart = mono_add_ms(mono_now(), RESTART_MS);
	return rc;
}

/* Have the next module of the queue read, if nothing is in the way. */
static void
send_next(struct optics_reader *o)
{
	struct module *m = o->first;

	if (!m || o->reading || (o->pid > 0 && o->fd < 0))
		return;
	if (o->pid == 0 && start_helper(o) < 0)
		return;
	leave_queue(o, m);
	o->message.ifindex = m->ifindex;
	o->message.error = 0;
	memset(&o->message.eeprom, 0, sizeof(o->message.eeprom));
	if (m->eeprom)
		o->message.eeprom = *m->eeprom;
	o->reading = m->ifindex;
	o->since = mono_now();
	loop_timer_in(o->timer, OPTICS_READ_MAX_MS);
	/* One question at a time always finds room. If the helper is gone its end of
	 * the socket will tell. */
	(void)send(o->fd, &o->message, sizeof(o->message), MSG_NOSIGNAL);
}

/* ---- what others want ---- */

/* Ports of one module are named swp1s0, swp1s1, …: the length of what they share, 0 if
 * the name is not of that kind. */
static size_t
split_name(const char *name)
{
	size_t end = strlen(name);

	while (end > 0 && isdigit((unsigned char)name[end - 1]))
		end--;
	if (name[end] == '\0' || end < 2 || name[end - 1] != 's' ||
		!isdigit((unsigned char)name[end - 2]))
		return 0;
	return end;
}

/* True if no port with a lower number shares the module of @iface. */
static bool
is_first_of_module(const struct optics_reader *o, const struct iface *iface)
{
	size_t len = split_name(iface->name);

	for (const struct iface *i = o->ifaces->first; len && i; i = i->next_all) {
		if (i->index < iface->index && i->is_switch_port &&
			split_name(i->name) == len &&
			memcmp(i->name, iface->name, len) == 0)
			return false;
	}
	return true;
}

/* Software devices have no modules. */
static bool
may_have_module(const struct iface *i)
{
	return i->kind == LINK_KIND_NONE || i->kind == LINK_KIND_DSA ||
	       i->kind == LINK_KIND_OTHER;
}

static void
fill(struct optics_reader *o, struct counter_port *port, struct optics *ret)
{
	struct module *m;

	if (!may_have_module(port->iface) || !is_first_of_module(o, port->iface))
		return;
	m = find_or_add(o, port->iface->index);
	if (!m)
		return;
	if (m->eeprom && m->polls < OPTICS_POLLS_MAX &&
		module_decode(m->eeprom, m->ifindex, ret) == 0) {
		port->sample->optics = ret;
		port->sample->has |= IF_HAS_OPTICS;
	}
	if (mono_before(mono_now(), m->again))
		return;
	m->polls++;
	enter_queue(o, m);
}

void
optics_fill(struct optics_reader *o, struct counter_port *ports, size_t n)
{
	if (!o->enabled)
		return;
	for (size_t i = 0; i < n; i++)
		fill(o, &ports[i], &o->filled[i]);
}

void
optics_read_queued(struct optics_reader *o)
{
	send_next(o);
}

void
optics_refresh(struct optics_reader *o, const struct iface *iface)
{
	struct module *m;

	if (!o->enabled || !may_have_module(iface) || !is_first_of_module(o, iface))
		return;
	m = find_or_add(o, iface->index);
	if (m && !mono_before(mono_now(), m->again)) {
		enter_queue(o, m);
		send_next(o);
	}
}

static void
describe_lanes(const struct module *m, char ret[OPTICS_STATE_SIZE])
{
	const char *name = module_name(m->eeprom->bytes[MODULE_LOWER][0]);
	struct optics optics;
	int rc = module_decode(m->eeprom, m->ifindex, &optics);

	if (rc == 0)
		snprintf(ret, OPTICS_STATE_SIZE, "%s, %" PRIu32 " lane%s", name,
			optics.module_lanes, optics.module_lanes == 1 ? "" : "s");
	else
		snprintf(ret, OPTICS_STATE_SIZE, "%s%s", name,
			rc == -ENODATA   ? ", no monitors"
			: rc == -EBADMSG ? ", wrong checksum"
					 : "");
}

void
optics_describe(
	const struct optics_reader *o, uint32_t ifindex, char ret[OPTICS_STATE_SIZE])
{
	const struct module *m = find(o, ifindex);

	ret[0] = '\0';
	if (!m || !m->is_read)
		return;
	if (m->error == -ETIMEDOUT)
		snprintf(ret, OPTICS_STATE_SIZE, "does not answer");
	else if (m->error == -EPERM)
		snprintf(ret, OPTICS_STATE_SIZE, "needs CAP_NET_ADMIN");
	else if (m->eeprom)
		describe_lanes(m, ret);
	else
		snprintf(ret, OPTICS_STATE_SIZE, "none");
}

bool
optics_is_reading(const struct optics_reader *o)
{
	return o->reading != 0;
}

/* ---- life ---- */

static void
forget_all(struct optics_reader *o)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (o->buckets[i])
			optics_remove(o, o->buckets[i]->ifindex);
	}
}

void
optics_enable(struct optics_reader *o, bool enabled)
{
	if (o->enabled && !enabled) {
		forget_all(o);
		kill_helper(o);
	}
	o->enabled = enabled;
}

struct optics_reader *
optics_new(struct loop *loop, const struct iface_table *ifaces, optics_idle_fn on_idle,
	void *user_data)
{
	struct optics_reader *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->loop = loop;
	o->ifaces = ifaces;
	o->on_idle = on_idle;
	o->user_data = user_data;
	o->fd = -1;
	o->timer = loop_add_timer(loop, on_timer, o);
	if (!o->timer) {
		free(o);
		return NULL;
	}
	return o;
}

/* A helper inside a slow read is not waited for; it ends by its signal. */
void
optics_free(struct optics_reader *o)
{
	if (!o)
		return;
	forget_all(o);
	kill_helper(o);
	if (o->pid > 0)
		(void)waitpid(o->pid, NULL, WNOHANG);
	loop_remove(o->timer);
	free(o);
}
