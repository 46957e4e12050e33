/*
 * agent_status.c - fills a struct status from the agent's objects, and finds out what
 * is wrong: "running but silent" must show in its first line.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_objects.h"
#include "agent/dnssd_log.h"
#include "agent/optics.h"
#include "agent/status.h"

enum { LOSS_PERCENT = 1 }; /* of the samples: more is worth a warning */

static const char *
dnssd_word(const struct agent *agent)
{
	static const char *const words[] = {
		[DNSSD_STATE_ASKING] = "asking",
		[DNSSD_STATE_FOUND] = "found",
		[DNSSD_STATE_FAILING] = "failing",
		[DNSSD_STATE_MISSING] = "missing",
		[DNSSD_STATE_ABSENT] = "absent",
	};

	return agent->dnssd ? words[dnssd_state(agent->dnssd)] : "off";
}

static void
format_addr(const struct parse_addr *addr, char *ret, size_t size)
{
	if (addr->family == 0 ||
		!inet_ntop(addr->family, addr->bytes, ret, (socklen_t)size))
		ret[0] = '\0';
}

static void
fill_agent(const struct agent *agent, struct status_agent *ret)
{
	bool from_file = agent->origin == AGENT_LOAD_FILE;

	snprintf(ret->version, sizeof(ret->version), "%s", TAPGATE_VERSION);
	ret->pid = (uint64_t)getpid();
	ret->uptime_s = (uint64_t)mono_diff_ms(agent->started, mono_now()) / 1000;
	snprintf(ret->configuration, sizeof(ret->configuration), "%s%s%s",
		from_file ? "" : "defaults (no ", agent->options->load.path,
		from_file ? "" : ")");
	format_addr(&agent->addr.addr, ret->address, sizeof(ret->address));
	snprintf(ret->interface, sizeof(ret->interface), "%s", agent->addr.ifname);
	ret->polling_s = agent->settings.polling_s;
	ret->header_bytes = agent->settings.header_bytes;
}

static void
fill_dnssd(const struct agent *agent, struct status_dnssd *ret)
{
	const struct dnssd_result *result = agent_dnssd_result(agent);

	snprintf(ret->state, sizeof(ret->state), "%s", dnssd_word(agent));
	if (!result)
		return;
	snprintf(ret->domain, sizeof(ret->domain), "%s", result->domain);
	ret->collectors = result->n_collectors;
	ret->standby = result->n_standby;
	ret->unresolved = result->n_unresolved;
	ret->settings = result->has_txt;
}

static void
fill_polling(const struct agent *agent, struct status_polling *ret)
{
	const struct poller_stats *s = poller_stats(agent->poller);

	ret->ports = poller_ports(agent->poller);
	ret->port_samples = s->port_samples;
	ret->host_samples = s->host_samples;
	ret->failed = s->failed;
	ret->resets = s->resets;
}

static void
fill_datagrams(const struct agent *agent, struct status_datagrams *ret)
{
	const struct datagram_stats *s = &agent->datagram.stats;

	ret->datagrams = s->datagrams;
	ret->flow_samples = s->flow_samples;
	ret->counters_samples = s->counters_samples;
	ret->discard_samples = s->discard_samples;
	ret->unaddressed = s->unaddressed;
	ret->refused = s->refused;
}

static void
add_collector(const struct collector *c, struct status *status)
{
	struct status_collector *ret = status_add_collector(status);

	if (!ret)
		return;
	snprintf(ret->name, sizeof(ret->name), "%s", c->conf.name);
	format_addr(&c->conf.addr, ret->address, sizeof(ret->address));
	ret->port = c->conf.port;
	snprintf(ret->state, sizeof(ret->state), "%s",
		c->error ? strerror(c->error) : "ok");
	ret->datagrams = c->stats.datagrams;
	ret->bytes = c->stats.bytes;
	ret->blocked = c->stats.blocked;
	ret->failed = c->stats.failed;
	ret->errors = c->stats.errors;
}

static void
add_source(const struct sampling_source_info *info, void *user_data)
{
	struct status *status = user_data;
	struct status_source *ret = status_add_source(status);

	if (!ret)
		return;
	snprintf(ret->name, sizeof(ret->name), "%s", info->name);
	ret->listens = info->listens;
	ret->ports = info->stats.ports;
	ret->refused_ports = info->stats.failed;
	ret->packets = info->stats.packets;
	ret->lost = info->stats.lost;
	ret->overruns = info->stats.overruns;
	ret->malformed = info->stats.malformed;
	ret->skipped = info->stats.skipped;
	ret->suppressed = info->stats.suppressed;
	ret->discards = info->discards;
	if (info->stats.trouble)
		snprintf(ret->trouble, sizeof(ret->trouble), "%s", info->stats.trouble);
	if (!info->discards)
		status->samples.lost += info->stats.lost;
}

static void
fill_samples(const struct agent *agent, struct status *status)
{
	struct sampling_stats stats;

	if (!agent->sampling)
		return;
	sampling_stats(agent->sampling, &stats);
	status->samples.received = stats.packets;
	status->samples.sent = stats.sent;
	status->samples.refused = stats.refused;
	status->samples.unknown_output = stats.unknown_output;
	status->samples.routes = stats.resolve.fib.on ? stats.resolve.fib.routes : 0;
	status->samples.max_routes = stats.resolve.fib.limit;
	if (stats.resolve.fib.limit > 0 && !stats.resolve.fib.on)
		status_warn(status,
			"no next hops in samples: the routing tables have more than "
			"%" PRIu64 " prefixes (maxRoutes), or cannot be read",
			stats.resolve.fib.limit);
	sampling_each_source(agent->sampling, add_source, status);
}

/* ---- ports ---- */

static void
add_port(const struct agent *agent, const struct iface *iface, struct status *status)
{
	const struct sampler *sampler =
		sampler_find(&agent->samplers, data_source_port(iface->index));
	struct status_port *ret = status_add_port(status);

	if (!ret)
		return;
	snprintf(ret->name, sizeof(ret->name), "%s", iface->name);
	ret->ifindex = iface->index;
	ret->up = iface->oper_up;
	ret->speed_bps = iface->speed.bps;
	ret->polling_s =
		agent_conf_polling_s(agent->conf, &agent->settings, iface->name);
	optics_describe(poller_optics(agent->poller), iface->index, ret->module);
	if (!sampler)
		return;
	ret->samples = sampler->samples;
	ret->pool = sampler->pool;
	ret->drops = sampler->drops;
	ret->counters_sample = sampler->counters_seq;
}

static int
compare_ports(const void *a, const void *b)
{
	const struct status_port *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

/* What add_sampled() works on. */
struct port_list {
	const struct agent *agent;
	struct status *status;
	size_t n_sorted; /* of status->ports, by number */
};

static void
add_sampled(const struct sampling_port_info *info, void *user_data)
{
	struct port_list *list = user_data;
	struct status *status = list->status;
	const struct status_port key = { .ifindex = info->ifindex };
	const struct iface *iface = iface_find(&list->agent->ifaces, info->ifindex);
	struct status_port *port = NULL;

	if (list->n_sorted > 0)
		port = bsearch(&key, status->ports, list->n_sorted, sizeof(key),
			compare_ports);
	if (!port && iface) { /* of a pcap block, no switch port */
		size_t n = status->n_ports;

		add_port(list->agent, iface, status);
		port = status->n_ports > n ? &status->ports[n] : NULL;
	}
	if (!port)
		return;
	port->rate = info->rate;
	snprintf(port->source, sizeof(port->source), "%s", info->source);
	snprintf(port->place, sizeof(port->place), "%s", info->place);
}

/* Ports that others sample for us: known by their samples. */
static void
add_listened(const struct agent *agent, struct status *status)
{
	const struct status_source *source = NULL;

	for (size_t i = 0; i < status->n_sources && !source; i++)
		if (status->sources[i].listens)
			source = &status->sources[i];
	for (size_t i = 0; source && i < status->n_ports; i++) {
		struct status_port *port = &status->ports[i];
		const struct sampler *sampler = sampler_find(
			&agent->samplers, data_source_port((uint32_t)port->ifindex));

		if (port->source[0] || !sampler || sampler->samples == 0)
			continue;
		port->rate = sampler->rate;
		memcpy(port->source, source->name, sizeof(port->source));
	}
}

static void
sort_ports(struct status *status)
{
	if (status->n_ports > 0)
		qsort(status->ports, status->n_ports, sizeof(status->ports[0]),
			compare_ports);
}

static void
fill_ports(const struct agent *agent, struct status *status)
{
	struct port_list list = { .agent = agent, .status = status };

	for (const struct iface *i = agent->ifaces.first; i; i = i->next_all)
		if (i->is_switch_port)
			add_port(agent, i, status);
	sort_ports(status);
	list.n_sorted = status->n_ports;
	if (agent->sampling)
		sampling_each_port(agent->sampling, add_sampled, &list);
	add_listened(agent, status);
	sort_ports(status);
}

/* ---- what is wrong ---- */

static void
warn_unresolved(const char *name, void *user_data)
{
	status_warn(user_data, "collector %s: its name has no address", name);
}

static void
warn_no_collector(const struct agent *agent, struct status *status)
{
	const struct status_dnssd *d = &status->dnssd;

	if (!agent->dnssd)
		status_warn(status, "no collector in use: nothing is sent");
	else if (d->unresolved > 0)
		status_warn(status,
			"no collector: DNS announces %" PRIu64 " without address",
			d->unresolved);
	else
		switch (dnssd_state(agent->dnssd)) {
		case DNSSD_STATE_ASKING:
			status_warn(status, "no collector yet: DNS is being asked");
			break;
		case DNSSD_STATE_FAILING:
			status_warn(status, "no collector: DNS-SD: %s",
				dnssd_failure(agent->dnssd));
			break;
		default:
			status_warn(status, "no collector: DNS has no %s SRV record",
				dnssd_service);
		}
}

static void
warn_collectors(const struct agent *agent, struct status *status)
{
	if (status->n_collectors == 0)
		warn_no_collector(agent, status);
	destinations_each_unresolved(agent->destinations, warn_unresolved, status);
	for (size_t i = 0; i < status->n_collectors; i++) {
		const struct status_collector *c = &status->collectors[i];

		if (strcmp(c->state, "ok") != 0)
			status_warn(status, "collector %s: %s", c->name, c->state);
	}
}

static void
warn_closed(const char *reason, void *user_data)
{
	status_warn(user_data, "a source of samples is not available: %s", reason);
}

/* True if the agent itself has set up sampling somewhere. */
static bool
has_own_sampling(const struct status *status)
{
	for (size_t i = 0; i < status->n_sources; i++)
		if (!status->sources[i].listens && status->sources[i].ports > 0)
			return true;
	return false;
}

static void
warn_sources(const struct agent *agent, struct status *status)
{
	if (agent->sampling)
		sampling_each_closed(agent->sampling, warn_closed, status);
	else
		status_warn(
			status, "no packet sampling: %s", agent->sampling_error.text);
	for (size_t i = 0; i < status->n_sources; i++) {
		const struct status_source *s = &status->sources[i];

		if (s->listens && s->packets == 0 && !has_own_sampling(status))
			status_warn(status,
				"%s: no sample has come yet; others have to set up "
				"sampling for it",
				s->name);
		if (s->trouble[0])
			status_warn(status, "%s: %s", s->name, s->trouble);
		if (s->refused_ports > 0)
			status_warn(status,
				"%s: the kernel refuses to sample %" PRIu64
				" port%s; the log says why",
				s->name, s->refused_ports,
				s->refused_ports == 1 ? "" : "s");
	}
}

/* Ports are there and meant to be sampled by us, and none is. */
static bool
none_is_sampled(const struct agent *agent, const struct status *status)
{
	bool is_meant = false;

	for (size_t i = 0; i < status->n_sources; i++)
		if (status->sources[i].listens)
			return false; /* others decide what is sampled */
	for (size_t i = 0; i < status->n_ports; i++) {
		const struct status_port *port = &status->ports[i];

		if (port->source[0])
			return false;
		is_meant |= agent_conf_sampling(agent->conf, &agent->settings,
				    port->name, port->speed_bps) > 0;
	}
	return is_meant;
}

static void
warn_ports(const struct agent *agent, struct status *status)
{
	const struct agent_conf *conf = agent->conf;

	if (agent->sampling && none_is_sampled(agent, status))
		status_warn(status, "no port is sampled");

	if (status->n_ports == 0)
		status_warn(status, "no interface is a switch port (%s%s)",
			conf->switchport ? "switchport = " : "names like ",
			conf->switchport ? conf->switchport : "swp1");
}

static void
warn_losses(struct status *status)
{
	const struct status_samples *s = &status->samples;

	if (s->lost * 100 > (s->received + s->lost) * LOSS_PERCENT)
		status_warn(status,
			"%" PRIu64 " of %" PRIu64 " packet samples were lost", s->lost,
			s->received + s->lost);
	if (s->refused * 100 > s->received * LOSS_PERCENT)
		status_warn(status,
			"%" PRIu64 " of %" PRIu64 " packet samples were not sent",
			s->refused, s->received);
}

/* The gravest first: it is what the first line shows. */
static void
fill_warnings(const struct agent *agent, struct status *status)
{
	if (agent->addr.addr.family == 0)
		status_warn(status, "no agent address: nothing is sent");
	warn_collectors(agent, status);
	warn_sources(agent, status);
	warn_ports(agent, status);
	if (agent->reload_error.code != 0)
		status_warn(status, "last reload failed, older settings are in use: %s",
			agent->reload_error.text);
	warn_losses(status);
	if (status->incomplete)
		status_warn(status, "this status is incomplete: out of memory");
}

char *
agent_status_text(void *user_data)
{
	const struct agent *agent = user_data;
	const struct collector_set *set = destinations_collectors(agent->destinations);
	struct status status = { 0 };
	char *text;

	fill_agent(agent, &status.agent);
	fill_dnssd(agent, &status.dnssd);
	fill_polling(agent, &status.polling);
	fill_datagrams(agent, &status.datagrams);
	fill_samples(agent, &status);
	for (size_t i = 0; i < set->n; i++)
		add_collector(&set->items[i], &status);
	fill_ports(agent, &status);
	fill_warnings(agent, &status);
	text = status_json_encode(&status);
	status_done(&status);
	return text;
}
