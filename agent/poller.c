/*
 * poller.c - when the counters of each port and of the host are read.
 */
#include "agent/poller.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/counter.h"
#include "agent/optics.h"
#include "agent/poll_wheel.h"
#include "common/log.h"

enum { SOURCES_MAX = 16 };

/* A port of the batch that is being read. */
struct poll {
	struct poll_entry *entry;  /* borrowed */
	const struct iface *iface; /* borrowed */
	struct if_sample sample;
};

struct poller {
	struct poller_env env;           /* borrowed members */
	const struct agent_conf *conf;   /* borrowed; NULL before configuring */
	const struct settings *settings; /* borrowed */
	struct loop_source *timer;
	struct poll_wheel wheel;
	void *contexts[SOURCES_MAX]; /* of counter_sources; NULL = left out */
	struct poll polls[COUNTER_PORTS_MAX];
	size_t n_polls;
	struct host_sample host;
	struct host_net last_net;   /* to see when the sums began anew; first zero */
	struct host_disk last_disk; /* likewise */
	struct optics_reader *optics;
	bool is_postponed; /* until no module is being read */
	struct poller_stats stats;
};

/* ---- what is polled ---- */

static bool
is_lag_of_ports(const struct poller *p, const struct iface *i)
{
	return (i->kind == LINK_KIND_BOND || i->kind == LINK_KIND_TEAM) &&
	       iface_has_port_members(p->env.ifaces, i->index);
}

static uint32_t
interval_of(const struct poller *p, const struct iface *i)
{
	if (!i->is_switch_port && !is_lag_of_ports(p, i) &&
		!agent_conf_find_pcap(p->conf, i->name, i->last_bps))
		return 0;
	return agent_conf_polling_s(p->conf, p->settings, i->name);
}

/* Arm the timer for what is due next. */
static void
schedule(struct poller *p)
{
	struct mono when;

	if (poll_wheel_next(&p->wheel, &when))
		loop_timer_at(p->timer, when);
	else
		loop_timer_stop(p->timer);
}

static void
set_interval(struct poller *p, uint32_t key, uint32_t interval_s, const char *name)
{
	if (poll_wheel_set(&p->wheel, key, interval_s, mono_now()) < 0)
		log_about(LOG_LEVEL_WARNING, LOG_PORT, name,
			"%s: is not polled: out of memory", name);
}

static void
review(struct poller *p, const struct iface *i)
{
	set_interval(p, i->index, interval_of(p, i), i->name);
}

/* A LAG is polled while a switch port is in it. */
static void
review_master(struct poller *p, uint32_t master)
{
	const struct iface *i = master ? iface_find(p->env.ifaces, master) : NULL;

	if (i && (i->kind == LINK_KIND_BOND || i->kind == LINK_KIND_TEAM))
		review(p, i);
}

/* A module is plugged in or out with the cable, or goes with its port. */
static void
follow_module(struct poller *p, const struct iface_event *event)
{
	if (event->kind == IFACE_REMOVED)
		optics_remove(p->optics, event->iface->index);
	else if (event->iface->is_switch_port &&
		 (event->kind == IFACE_ADDED || event->fields & IFACE_FIELD_OPER))
		optics_refresh(p->optics, event->iface);
}

static void
on_iface(const struct iface_event *event, void *user_data)
{
	const unsigned fields = IFACE_FIELD_NAME | IFACE_FIELD_PORT |
				IFACE_FIELD_MASTER | IFACE_FIELD_KIND |
				IFACE_FIELD_SPEED;
	const struct iface *i = event->iface;
	struct poller *p = user_data;

	follow_module(p, event);
	if (!p->conf || (event->kind == IFACE_CHANGED && !(event->fields & fields)))
		return;
	if (event->kind == IFACE_REMOVED)
		set_interval(p, i->index, 0, i->name);
	else
		review(p, i);
	if (event->kind != IFACE_REMOVED)
		review_master(p, i->master);
	if (event->kind == IFACE_REMOVED || event->fields & IFACE_FIELD_MASTER)
		review_master(p, event->old_master);
	schedule(p);
}

void
poller_configure(struct poller *p, const struct agent_conf *conf,
	const struct settings *settings)
{
	p->conf = conf;
	p->settings = settings;
	optics_enable(p->optics, conf->optics);
	set_interval(p, POLL_HOST, settings->polling_s, "host");
	for (const struct iface *i = p->env.ifaces->first; i; i = i->next_all) {
		review(p, i);
		if (i->is_switch_port)
			optics_refresh(p->optics, i);
	}
	schedule(p);
}

/* ---- reading ---- */

static struct sampler *
find_sampler(struct poller *p, struct data_source source)
{
	struct sampler *s = sampler_get(p->env.samplers, source);

	if (!s)
		p->stats.failed++;
	return s;
}

static void
send_port(struct poller *p, struct poll *poll, struct mono now)
{
	struct sampler *s = find_sampler(p, data_source_port(poll->iface->index));

	if (!s)
		return;
	if (if_history_update(&poll->entry->history, &poll->sample.generic)) {
		sampler_counters_reset(s);
		p->stats.resets++;
	}
	if (sampler_take_if(s, &poll->sample, p->env.datagram, now) < 0)
		p->stats.failed++;
	else
		p->stats.port_samples++;
}

/* Read the ports of the batch with all sources, and send what could be read. */
static void
read_batch(struct poller *p, struct mono now)
{
	struct counter_port ports[COUNTER_PORTS_MAX];

	for (size_t i = 0; i < p->n_polls; i++) {
		struct poll *poll = &p->polls[i];

		if_sample_init(&poll->sample, poll->iface->index);
		ports[i] = (struct counter_port){ poll->iface, &poll->sample, false };
	}
	for (size_t i = 0; p->n_polls > 0 && counter_sources[i]; i++) {
		const struct counter_source *s = counter_sources[i];

		if (p->contexts[i] && s->read_ports &&
			(!s->is_wanted || s->is_wanted(p->conf)))
			s->read_ports(p->contexts[i], ports, p->n_polls);
	}
	optics_fill(p->optics, ports, p->n_polls);
	for (size_t i = 0; i < p->n_polls; i++) {
		if (ports[i].ok)
			send_port(p, &p->polls[i], now);
		else
			p->stats.failed++;
	}
	p->n_polls = 0;
}

/* True if a sum over ports or disks is less than before: one of them is gone. */
static bool
is_host_new(struct poller *p)
{
	const struct host_disk *disk = &p->host.disk;
	const struct host_net *net = &p->host.net;
	bool is_new = false;

	if (p->host.has & HOST_HAS_NET) {
		is_new = net->in.octets < p->last_net.in.octets ||
			 net->out.octets < p->last_net.out.octets;
		p->last_net = *net;
	}
	if (p->host.has & HOST_HAS_DISK && disk->reads != COUNTER_UNKNOWN) {
		is_new = is_new || disk->reads < p->last_disk.reads ||
			 disk->writes < p->last_disk.writes;
		p->last_disk = *disk;
	}
	return is_new;
}

static void
read_host(struct poller *p, struct mono now)
{
	struct sampler *s = find_sampler(p, data_source_host());

	host_sample_init(&p->host);
	for (size_t i = 0; counter_sources[i]; i++) {
		if (p->contexts[i] && counter_sources[i]->read_host)
			counter_sources[i]->read_host(
				p->contexts[i], p->env.ifaces, &p->host);
	}
	if (p->conf->has_uuid)
		memcpy(p->host.descr.uuid, p->conf->uuid, sizeof(p->host.descr.uuid));
	if (!s)
		return;
	if (is_host_new(p)) {
		sampler_counters_reset(s);
		p->stats.resets++;
	}
	if (sampler_take_host(s, &p->host, p->env.datagram, now) < 0)
		p->stats.failed++;
	else
		p->stats.host_samples++;
}

static void
on_timer(struct loop *loop, void *user_data)
{
	struct poller *p = user_data;
	struct mono now = mono_now();
	struct poll_entry *e;

	(void)loop;
	/* The kernel would not answer, and packet samples would wait with us. */
	p->is_postponed = optics_is_reading(p->optics);
	if (p->is_postponed)
		return;
	p->stats.ticks++;
	while ((e = poll_wheel_take(&p->wheel, now))) {
		struct poll *poll = &p->polls[p->n_polls];

		if (e->key == POLL_HOST) {
			read_host(p, now);
			continue;
		}
		poll->entry = e;
		poll->iface = iface_find(p->env.ifaces, e->key);
		if (poll->iface && ++p->n_polls == COUNTER_PORTS_MAX)
			read_batch(p, now);
	}
	read_batch(p, now);
	schedule(p);
	optics_read_queued(p->optics);
}

static void
on_optics_idle(void *user_data)
{
	struct poller *p = user_data;

	if (p->is_postponed)
		on_timer(p->env.loop, p);
}

/* ---- life ---- */

static int
open_sources(struct poller *p, struct err *err)
{
	struct err reason;

	for (size_t i = 0; counter_sources[i]; i++) {
		const struct counter_source *s = counter_sources[i];

		assert(i < SOURCES_MAX);
		if (s->open(&p->contexts[i], &reason) == 0)
			continue;
		p->contexts[i] = NULL;
		if (s->is_required)
			return err_set(
				err, reason.code, "%s: %s", s->name, reason.text);
		log_warning("%s: its values are not known: %s", s->name, reason.text);
	}
	return 0;
}

struct poller *
poller_new(const struct poller_env *env, struct err *err)
{
	struct poller *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		(void)err_sys(err, -ENOMEM, "polling of counters");
		return NULL;
	}
	p->env = *env;
	poll_wheel_init(&p->wheel, mono_now());
	p->timer = loop_add_timer(env->loop, on_timer, p);
	p->optics = optics_new(env->loop, env->ifaces, on_optics_idle, p);
	rc = p->timer && p->optics ? open_sources(p, err)
				   : err_sys(err, -errno, "polling of counters");
	if (rc == 0) {
		rc = iface_observe(env->ifaces, on_iface, p);
		if (rc == 0)
			return p;
		(void)err_sys(err, rc, "polling of counters");
	}
	poller_free(p);
	return NULL;
}

void
poller_free(struct poller *p)
{
	if (!p)
		return;
	iface_unobserve(p->env.ifaces, on_iface, p);
	loop_remove(p->timer);
	optics_free(p->optics);
	for (size_t i = 0; counter_sources[i]; i++) {
		if (p->contexts[i])
			counter_sources[i]->close(p->contexts[i]);
	}
	poll_wheel_done(&p->wheel);
	free(p);
}

size_t
poller_ports(const struct poller *p)
{
	return p->wheel.n - (poll_wheel_find(&p->wheel, POLL_HOST) != NULL);
}

const struct optics_reader *
poller_optics(const struct poller *p)
{
	return p->optics;
}

const struct poller_stats *
poller_stats(const struct poller *p)
{
	return &p->stats;
}
