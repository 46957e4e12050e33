/*
 * sampling.c - opens the sources, tells them their ports, and takes each sample on to
 * its datagram.
 */
#include "agent/sampling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/discard.h"
#include "common/log.h"

enum {
	SOURCES_MAX = 8,
	TICK_MS = 1000,
	RETRY_TICKS = 10,  /* between attempts to open what could not be opened */
	PASSED_TICKS = 60, /* between attempts to give ports to their first source */
};

struct open_source {
	const struct source_ops *ops;
	void *ctx; /* owned, of the source */
	bool chooses;
	struct source_port
		*ports; /* SOURCE_PORTS_MAX of them; owned; NULL if !chooses */
	size_t n_ports;
	size_t n_passed; /* ports that it refused and the next source took */
	size_t n_failed; /* all that it refused, when it was last told its ports */
	size_t n_logged, n_hardware; /* ports, and how many in hardware, when logged */
};

/* A source that the configuration asks for and that cannot be opened. */
struct closed_source {
	const struct source_ops *ops;
	struct err why;
	bool is_spare; /* nobody asked for it by name, and another one is open */
};

struct sampling {
	struct sampling_env env;
	struct source_sink sink;
	const struct agent_conf *conf; /* borrowed; NULL before sampling_configure() */
	struct settings settings;
	struct resolve *resolve; /* owned */
	struct loop_source *tick, *plan;
	struct open_source sources[SOURCES_MAX];
	size_t n_sources;
	struct closed_source closed[SOURCES_MAX];
	size_t n_closed;
	unsigned retry_in; /* ticks; with n_closed */
	unsigned
		passed_in; /* ticks; while some ports are not with their first source */
	size_t n_refused;  /* ports beyond SOURCE_PORTS_MAX, at present */
	struct mono now;   /* of the batch that is read */
	struct sampling_stats stats;
};

/* The way of a sample. */

static void
on_begin(void *user_data)
{
	struct sampling *s = user_data;

	s->now = mono_now();
}

static void
resolve_ports(struct sampling *s, struct packet *p)
{
	if (p->input.kind == PACKET_PORT_IFINDEX && p->input.value == p->source.index)
		resolve_output(s->resolve, p, p->input.value, s->now);
	else if (p->output.kind == PACKET_PORT_IFINDEX)
		resolve_input(s->resolve, p, p->output.value, s->now);
	s->stats.unknown_output += p->output.kind == PACKET_PORT_UNKNOWN;
}

static void
on_packet(struct packet *p, void *user_data)
{
	struct sampling *s = user_data;
	struct sampler *sampler = sampler_get(s->env.samplers, p->source);

	s->stats.packets++;
	if (!sampler) {
		s->stats.refused++;
		return;
	}
	resolve_ports(s, p);
	if (sampler_take_packet(sampler, p, s->env.datagram, s->now) < 0)
		s->stats.refused++;
	else
		s->stats.sent++;
}

static void
on_lost(uint32_t ifindex, uint32_t n, uint32_t rate, void *user_data)
{
	struct sampling *s = user_data;
	struct sampler *sampler =
		sampler_get(s->env.samplers, data_source_port(ifindex));

	if (sampler)
		sampler_lost(sampler, n, rate);
}

static void
on_discard(struct packet *p, void *user_data)
{
	struct sampling *s = user_data;
	const struct discard_path path = { s->env.ifaces, s->env.samplers, s->resolve,
		s->env.datagram };

	discard_take(&path, p, s->now);
}

static void
on_discards_lost(uint32_t ifindex, uint32_t n, void *user_data)
{
	struct sampling *s = user_data;
	const struct discard_path path = { s->env.ifaces, s->env.samplers, s->resolve,
		s->env.datagram };

	discard_lost(&path, ifindex, n);
}

/* Ports. */

/* What stands above or beside real ports is sampled only if the file names it. */
static bool
is_tap(const struct iface *iface, const struct agent_conf_pcap *pcap)
{
	if (pcap->device)
		return true;
	switch (iface->kind) {
	case LINK_KIND_NONE:
	case LINK_KIND_VETH:
	case LINK_KIND_DSA:
	case LINK_KIND_BRIDGE:
		return !(iface->flags & IFF_LOOPBACK);
	default:
		return false;
	}
}

/* What the configuration says of @iface; false if it is not to be sampled. */
static bool
want_port(const struct sampling *s, const struct iface *iface, bool *ret_tapped,
	struct source_port *ret)
{
	const struct agent_conf_pcap *pcap =
		agent_conf_find_pcap(s->conf, iface->name, iface->last_bps);

	if (pcap && !is_tap(iface, pcap))
		pcap = NULL;
	if (!pcap && !iface->is_switch_port)
		return false;
	*ret_tapped = pcap != NULL;
	*ret = (struct source_port){
		.ifindex = iface->index,
		.header_bytes = s->settings.header_bytes,
		.promisc = pcap && pcap->promisc,
		.rate = agent_conf_sampling(
			s->conf, &s->settings, iface->name, iface->last_bps),
	};
	memcpy(ret->name, iface->name, sizeof(ret->name));
	if (pcap && pcap->has_sampling)
		ret->rate = pcap->sampling;
	return ret->rate > 0;
}

/* The source for a port, from number @i on: a tapped one is for afpacket, any other for
 * what is not. */
static struct open_source *
source_for(struct sampling *s, size_t i, bool tapped)
{
	for (; i < s->n_sources; i++) {
		struct open_source *o = &s->sources[i];

		if (o->chooses && o->ops->taps == tapped)
			return o;
	}
	return NULL;
}

static int
by_ifindex(const void *a, const void *b)
{
	const struct source_port *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

static void
give_port(struct sampling *s, struct open_source *o, const struct source_port *port)
{
	if (o->n_ports == SOURCE_PORTS_MAX)
		s->n_refused++;
	else
		o->ports[o->n_ports++] = *port;
}

static void
collect_ports(struct sampling *s)
{
	s->n_refused = 0;
	for (size_t i = 0; i < s->n_sources; i++)
		s->sources[i].n_ports = 0;
	for (const struct iface *f = s->env.ifaces->first; f; f = f->next_all) {
		struct source_port port;
		struct open_source *o;
		bool tapped;

		if (!want_port(s, f, &tapped, &port))
			continue;
		o = source_for(s, 0, tapped);
		if (o)
			give_port(s, o, &port);
	}
}

/* What source @i refused goes to the next one that would take it. */
static void
pass_on(struct sampling *s, size_t i)
{
	struct open_source *o = &s->sources[i];
	struct open_source *next = source_for(s, i + 1, o->ops->taps);
	size_t n = 0;

	o->n_passed = 0;
	if (!o->ops->place || !next)
		return;
	for (size_t j = 0; j < o->n_ports; j++) {
		const struct source_port *port = &o->ports[j];

		if (o->ops->place(o->ctx, port->ifindex))
			o->ports[n++] = *port;
		else
			give_port(s, next, port);
	}
	o->n_passed = o->n_ports - n;
	o->n_ports = n;
	if (o->n_passed > 0)
		log_debug("sampling", "%zu ports go from %s to %s", o->n_passed,
			o->ops->name, next->ops->name);
}

/* Say who samples how many ports, when that changed. */
static void
log_ports(struct open_source *o)
{
	size_t hardware = 0;

	for (size_t i = 0; o->ops->place && i < o->n_ports; i++) {
		const char *place = o->ops->place(o->ctx, o->ports[i].ifindex);

		hardware += place && strcmp(place, "hardware") == 0;
	}
	if (o->n_ports == o->n_logged && hardware == o->n_hardware)
		return;
	o->n_logged = o->n_ports;
	o->n_hardware = hardware;
	if (o->ops->place)
		log_info("sampling: %zu ports by %s, %zu of them in hardware",
			o->n_ports, o->ops->name, hardware);
	else
		log_info("sampling: %zu ports by %s", o->n_ports, o->ops->name);
}

static void
on_plan(struct loop *loop, void *user_data)
{
	struct sampling *s = user_data;
	size_t refused = s->n_refused;

	(void)loop;
	collect_ports(s);
	for (size_t i = 0; i < s->n_sources; i++) {
		struct open_source *o = &s->sources[i];

		if (!o->chooses)
			continue;
		if (o->n_ports > 0)
			qsort(o->ports, o->n_ports, sizeof(*o->ports), by_ifindex);
		o->n_failed = o->ops->configure(o->ctx, o->ports, o->n_ports);
		pass_on(s, i);
		log_ports(o);
	}
	s->passed_in = PASSED_TICKS;
	if (s->n_refused > 0 && refused == 0)
		log_warning("sampling: more than %d ports; %zu are not sampled",
			SOURCE_PORTS_MAX, s->n_refused);
}

/* Many ports that change together make one plan. */
static void
on_iface(const struct iface_event *event, void *user_data)
{
	const unsigned relevant = IFACE_FIELD_NAME | IFACE_FIELD_SPEED |
				  IFACE_FIELD_PORT | IFACE_FIELD_KIND;
	struct sampling *s = user_data;

	if (!s->conf)
		return;
	if (event->kind != IFACE_CHANGED || event->fields & relevant)
		loop_timer_in(s->plan, 0);
}

/* Opening and closing. */

static int
open_source(struct sampling *s, const struct source_ops *ops,
	const struct agent_conf *conf, struct err *err)
{
	const struct source_env env = {
		.loop = s->env.loop,
		.sink = &s->sink,
		.record = s->env.record,
		.receive_bytes = s->env.receive_bytes,
		.kept = s->env.kept,
	};
	struct open_source *o = &s->sources[s->n_sources];
	int rc;

	*o = (struct open_source){ .ops = ops,
		.chooses = ops->chooses && ops->chooses(conf) };
	if (o->chooses) {
		o->ports = calloc(SOURCE_PORTS_MAX, sizeof(*o->ports));
		if (!o->ports)
			return err_sys(err, -ENOMEM, "%s", ops->name);
	}
	rc = ops->open(conf, &env, &o->ctx, err);
	if (rc < 0) {
		free(o->ports);
		return rc;
	}
	s->n_sources++;
	log_info("sampling: source %s%s", ops->name,
		o->chooses || ops->discards ? "" : ", set up by others");
	return 0;
}

/* Where the agent chooses, a kernel without sampling in tc is nothing to complain of,
 * nor to be asked again; nor is any other source missed while one works. */
static void
settle_closed(struct sampling *s, bool is_auto)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_closed; i++) {
		struct closed_source *c = &s->closed[i];

		c->is_spare = is_auto && !c->ops->discards;
		if (c->is_spare)
			log_info("sampling: not by %s", c->why.text);
		else
			log_warning(
				"sampling: goes on without a source: %s", c->why.text);
		if (!is_auto || !c->ops->place)
			s->closed[n++] = *c;
	}
	s->n_closed = n;
}

/* One that this kernel lacks does not stop the others: a file written for a switch asks
 * for its chip and for the software that takes its place. */
static int
open_sources(struct sampling *s, const struct agent_conf *conf, struct err *err)
{
	const bool is_auto = agent_conf_source_is_auto(conf);

	for (size_t i = 0; sources[i] && s->n_sources < SOURCES_MAX; i++) {
		struct closed_source *c = &s->closed[s->n_closed];

		c->ops = sources[i];
		if (sources[i]->wanted(conf) &&
			open_source(s, sources[i], conf, &c->why) < 0 &&
			s->n_closed < SOURCES_MAX - 1)
			s->n_closed++;
	}
	if (s->n_sources == 0 && s->n_closed > 0) {
		/* The one that was asked for first, or the last resort. */
		const struct err *why = &s->closed[is_auto ? s->n_closed - 1 : 0].why;

		return err_set(err, why->code, "%s", why->text);
	}
	settle_closed(s, is_auto);
	s->retry_in = RETRY_TICKS;
	return 0;
}

/* A module was loaded, another program has ended. */
static void
retry_closed(struct sampling *s)
{
	struct closed_source still[SOURCES_MAX];
	size_t n = 0;

	s->retry_in = RETRY_TICKS;
	for (size_t i = 0; i < s->n_closed; i++) {
		struct closed_source *c = &s->closed[i];

		if (open_source(s, c->ops, s->conf, &c->why) < 0)
			still[n++] = *c;
		else
			loop_timer_in(s->plan, 0);
	}
	memcpy(s->closed, still, n * sizeof(still[0]));
	s->n_closed = n;
}

/* True if a source that could pass ports on refuses more or fewer than it did. */
static bool
refuses_others(const struct open_source *o)
{
	struct source_stats stats;

	if (!o->chooses || !o->ops->place)
		return false;
	o->ops->stats(o->ctx, &stats);
	return stats.failed != o->n_failed;
}

static void
on_tick(struct loop *loop, void *user_data)
{
	struct sampling *s = user_data;
	bool passed = false, replan = false;

	(void)loop;
	for (size_t i = 0; i < s->n_sources; i++) {
		struct open_source *o = &s->sources[i];

		if (o->ops->tick)
			o->ops->tick(o->ctx);
		passed |= o->n_passed > 0;
		replan |= refuses_others(o);
	}
	if (s->conf && (replan || (passed && --s->passed_in == 0)))
		loop_timer_in(s->plan, 0);
	if (s->conf && s->n_closed > 0 && --s->retry_in == 0)
		retry_closed(s);
	loop_timer_in(s->tick, TICK_MS);
}

static int
sampling_start(struct sampling *s, const struct agent_conf *conf, struct err *err)
{
	int rc;

	s->resolve = resolve_open(s->env.loop, s->env.ifaces, err);
	if (!s->resolve)
		return err->code;
	s->tick = loop_add_timer(s->env.loop, on_tick, s);
	s->plan = loop_add_timer(s->env.loop, on_plan, s);
	if (!s->tick || !s->plan)
		return err_sys(err, -ENOMEM, "sampling: timers");
	rc = iface_observe(s->env.ifaces, on_iface, s);
	if (rc < 0)
		return err_sys(err, rc, "sampling: observing interfaces");
	rc = open_sources(s, conf, err);
	if (rc < 0)
		return rc;
	loop_timer_in(s->tick, TICK_MS);
	return 0;
}

struct sampling *
sampling_open(
	const struct sampling_env *env, const struct agent_conf *conf, struct err *err)
{
	struct sampling *s = calloc(1, sizeof(*s));
	struct err why = { 0 };

	if (!s) {
		(void)err_sys(err, -ENOMEM, "sampling");
		return NULL;
	}
	s->env = *env;
	s->now = mono_now();
	s->sink = (struct source_sink){ on_begin, on_packet, on_lost, on_discard,
		on_discards_lost, s };
	if (sampling_start(s, conf, &why) == 0)
		return s;
	(void)err_set(err, why.code, "%s", why.text);
	sampling_close(s);
	return NULL;
}

void
sampling_close(struct sampling *s)
{
	if (!s)
		return;
	iface_unobserve(s->env.ifaces, on_iface, s);
	for (size_t i = 0; i < s->n_sources; i++) {
		s->sources[i].ops->close(s->sources[i].ctx);
		free(s->sources[i].ports);
	}
	loop_remove(s->tick);
	loop_remove(s->plan);
	resolve_close(s->resolve);
	free(s);
}

bool
sampling_wants_raw(const struct sampling *s)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		if (s->sources[i].ops->wants_raw)
			return true;
	}
	return false;
}

void
sampling_configure(struct sampling *s, const struct agent_conf *conf,
	const struct settings *settings)
{
	s->conf = conf;
	s->settings = *settings;
	resolve_set_max_routes(s->resolve, conf->max_routes);
	loop_timer_in(s->plan, 0);
}

/* For status. */

void
sampling_each_source(const struct sampling *s, sampling_source_fn fn, void *user_data)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		struct sampling_source_info info = {
			.name = s->sources[i].ops->name,
			.listens =
				!s->sources[i].chooses && !s->sources[i].ops->discards,
			.discards = s->sources[i].ops->discards,
		};

		s->sources[i].ops->stats(s->sources[i].ctx, &info.stats);
		info.stats.failed -= s->sources[i].n_passed < info.stats.failed
					     ? s->sources[i].n_passed
					     : info.stats.failed;
		fn(&info, user_data);
	}
}

void
sampling_each_closed(const struct sampling *s, sampling_closed_fn fn, void *user_data)
{
	for (size_t i = 0; i < s->n_closed; i++) {
		if (!s->closed[i].is_spare)
			fn(s->closed[i].why.text, user_data);
	}
}

static void
show_port(const struct open_source *o, const struct source_port *port,
	sampling_port_fn fn, void *user_data)
{
	const struct sampling_port_info info = {
		.ifindex = port->ifindex,
		.name = port->name,
		.source = o->ops->name,
		.place = o->ops->place ? o->ops->place(o->ctx, port->ifindex)
				       : "software",
		.rate = port->rate,
	};

	if (info.place)
		fn(&info, user_data);
}

void
sampling_each_port(const struct sampling *s, sampling_port_fn fn, void *user_data)
{
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct open_source *o = &s->sources[i];

		for (size_t j = 0; j < o->n_ports; j++)
			show_port(o, &o->ports[j], fn, user_data);
	}
}

void
sampling_stats(const struct sampling *s, struct sampling_stats *ret)
{
	*ret = s->stats;
	resolve_stats(s->resolve, &ret->resolve);
}
