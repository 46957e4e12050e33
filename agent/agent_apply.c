/*
 * agent_apply.c - what file, DNS and kernel say becomes settings in use: swapped whole,
 * told to everybody, logged when it changed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_objects.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { SAMPLING_RETRY_MS = 10000 };

const struct dnssd_result *
agent_dnssd_result(const struct agent *agent)
{
	return agent->dnssd ? dnssd_current(agent->dnssd) : NULL;
}

/* ---- the agent address and hsflowd.auto ---- */

static bool
same_addr(const struct agent_addr *a, const struct agent_addr *b)
{
	return a->addr.family == b->addr.family &&
	       memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes)) == 0;
}

static void
configure_datagram(struct agent *agent)
{
	struct datagram_conf conf;
	int r;

	datagram_conf_init(&conf);
	conf.agent = agent->addr.addr;
	conf.sub_agent = agent->conf->sub_agent_id;
	conf.size_max = agent->conf->datagram_bytes;
	conf.options.header_max = agent->settings.header_bytes;
	r = datagram_configure(&agent->datagram, &conf);
	if (r < 0)
		log_error("datagrams: cannot change their form: %s", strerror(-r));
}

static void
log_address(const struct agent_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (addr->addr.family == 0) {
		log_warning("agent address: none, nothing can be sent");
		return;
	}
	inet_ntop(addr->addr.family, addr->addr.bytes, text, sizeof(text));
	log_notice("agent address: %s%s%s%s", text, addr->ifname[0] ? " (" : "",
		addr->ifname, addr->ifname[0] ? ")" : "");
}

/* @current: see agent_addr_elect(). */
static void
elect(struct agent *agent, const struct agent_addr *current)
{
	struct agent_addr addr;
	bool changed;

	if (identity_elect(&agent->settings, &agent->ifaces, current, &addr) < 0) {
		log_error("agent address: out of memory");
		return;
	}
	changed = !same_addr(&addr, &agent->addr);
	agent->addr = addr;
	if (!changed)
		return;
	log_address(&addr);
	configure_datagram(agent);
	agent_apply_auto_file(agent);
}

void
agent_apply_address(struct agent *agent)
{
	elect(agent, &agent->addr);
}

void
agent_apply_auto_file(struct agent *agent)
{
	const struct collector_set *set = destinations_collectors(agent->destinations);
	struct hsflowd_auto_collector *collectors AUTO_FREE =
		calloc(set->n + 1, sizeof(*collectors));
	struct hsflowd_auto content = {
		.active = agent->addr.addr.family != 0 && set->n > 0,
		.hostname = agent->hostname,
		.settings = &agent->settings,
		.datagram_bytes = agent->conf->datagram_bytes,
		.agent = &agent->addr,
		.collectors = collectors,
		.n_collectors = set->n,
	};

	if (!collectors) {
		log_error("hsflowd.auto: out of memory");
		return;
	}
	for (size_t i = 0; i < set->n; i++) {
		const struct collector_conf *c = &set->items[i].conf;

		collectors[i] = (struct hsflowd_auto_collector){
			.addr = c->addr,
			.port = c->port,
			.device = c->dev[0] ? c->dev : NULL,
			.net_namespace = c->netns[0] ? c->netns : NULL,
		};
	}
	auto_file_update(agent->auto_file, &content);
}

/* ---- rates, intervals ---- */

static void
describe_rates(const struct settings *s, char *text, size_t size)
{
	if (s->set & SETTINGS_FLAT)
		snprintf(text, size, "1 in %u", s->flat);
	else if ((s->set & SETTINGS_BPS_RATIO) && s->bps_ratio > 0)
		snprintf(text, size, "1 in speed/%u", s->bps_ratio);
	else if (s->set & SETTINGS_BPS_RATIO)
		snprintf(text, size, "1 in %u", s->sampling);
	else
		snprintf(text, size, "1 in speed/10^6, %u where it is not known",
			s->sampling);
}

static void
log_settings(const struct settings *s)
{
	char rates[128];

	describe_rates(s, rates, sizeof(rates));
	log_notice("settings: sampling %s%s, polling %u s, header %u bytes", rates,
		s->n_speeds ? " but for the speeds given" : "", s->polling_s,
		s->header_bytes);
}

/* True if both prefer the same agent addresses. */
static bool
same_preference(const struct settings *a, const struct settings *b)
{
	const unsigned bits = SETTINGS_AGENT_IP | SETTINGS_AGENT_DEVICE;
	struct settings mixed = *a;

	mixed.set = (a->set & ~bits) | (b->set & bits);
	mixed.agent_ip = b->agent_ip;
	memcpy(mixed.agent_device, b->agent_device, sizeof(mixed.agent_device));
	mixed.n_cidrs = b->n_cidrs;
	memcpy(mixed.cidrs, b->cidrs, sizeof(mixed.cidrs));
	return settings_equal(&mixed, a);
}

void
agent_apply_settings(struct agent *agent)
{
	const struct dnssd_result *result = agent_dnssd_result(agent);
	struct settings settings = agent->conf->settings;
	bool same;

	if (result && result->has_txt)
		settings_overlay(&settings, &result->settings);
	if (!settings_equal(&settings, &agent->settings))
		log_settings(&settings);
	same = same_preference(&settings, &agent->settings);
	agent->settings = settings;
	/* Other preferences: the address in use has no head start. */
	elect(agent, same ? &agent->addr : NULL);
	configure_datagram(agent);
	poller_configure(agent->poller, agent->conf, &agent->settings);
	if (agent->sampling)
		sampling_configure(agent->sampling, agent->conf, &agent->settings);
	agent_apply_auto_file(agent);
}

int
agent_open_sampling(struct agent *agent)
{
	const struct sampling_env env = {
		.loop = agent->loop,
		.ifaces = &agent->ifaces,
		.samplers = &agent->samplers,
		.datagram = &agent->datagram,
		.record = agent->record,
		.kept = &agent->kept,
	};
	struct err err;

	err_clear(&err);
	agent->sampling = sampling_open(&env, agent->conf, &err);
	if (!agent->sampling) {
		if (strcmp(err.text, agent->sampling_error.text) != 0)
			log_error("no packet sampling: %s", err.text);
		agent->sampling_error = err;
		loop_timer_in(agent->sampling_timer, SAMPLING_RETRY_MS);
		return err.code;
	}
	if (agent->sampling_error.code != 0)
		log_notice("packet sampling: works now");
	err_clear(&agent->sampling_error);
	loop_timer_stop(agent->sampling_timer);
	return 0;
}

/* ---- DNS-SD ---- */

static void
on_dnssd(const struct dnssd_result *result, void *user_data)
{
	struct agent *agent = user_data;

	destinations_configure(agent->destinations, agent->conf, result);
	agent_apply_settings(agent);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void
start_dnssd(struct agent *agent)
{
	const char *domain = agent->conf->dnssd_domain;
	struct dnssd_options options = {
		.identity = agent->hostname,
		.limits = dnssd_default_limits,
	};

	/* A copy: it goes on through a reload that does not change the domain. */
	agent->dnssd_domain = domain ? strdup(domain) : NULL;
	options.domain = agent->dnssd_domain;
	if (!domain || agent->dnssd_domain)
		agent->dnssd = dnssd_new(agent->dns, &options, on_dnssd, agent);
	if (!agent->dnssd)
		log_error("DNS-SD: cannot start: %s", strerror(errno));
}

void
agent_apply_dnssd(struct agent *agent)
{
	bool wanted = agent->conf->dnssd;

	if (wanted && agent->dnssd &&
		same_text(agent->conf->dnssd_domain, agent->dnssd_domain))
		return;
	dnssd_free(take_ptr(agent->dnssd));
	free(take_ptr(agent->dnssd_domain));
	if (wanted)
		start_dnssd(agent);
}

/* ---- reload ---- */

static bool
on_classify(const struct iface *iface, void *user_data)
{
	const struct agent *agent = user_data;

	return agent_conf_is_port(agent->conf, iface->name, iface->by_kernel);
}

void
agent_classify(struct agent *agent)
{
	iface_classify(&agent->ifaces, on_classify, agent);
}

/* Open what @fresh asks for instead of what runs; if that fails go back. */
static int
change_sources(struct agent *agent, struct agent_conf *fresh, struct err *err)
{
	struct agent_conf *old = agent->conf;

	/* While nothing can be opened a reload is no worse than before. */
	if (!agent->sampling || sampling_same_sources(old, fresh))
		return 0;
	sampling_close(take_ptr(agent->sampling));
	agent->conf = fresh;
	if (agent_open_sampling(agent) == 0) {
		agent->conf = old;
		return 0;
	}
	*err = agent->sampling_error;
	agent->conf = old;
	if (agent_open_sampling(agent) == 0)
		sampling_configure(agent->sampling, old, &agent->settings);
	return err->code;
}

static void
use_conf(struct agent *agent, struct agent_conf *fresh)
{
	struct agent_conf *old = agent->conf;

	agent->conf = fresh;
	agent_classify(agent);
	if (!agent->sampling)
		(void)agent_open_sampling(agent);
	agent_apply_dnssd(agent);
	destinations_configure(agent->destinations, fresh, agent_dnssd_result(agent));
	agent_apply_settings(agent);
	agent_conf_free(old);
}

void
agent_reload(struct agent *agent)
{
	struct agent_conf *fresh = NULL;
	struct err err;
	int r = agent_load(&agent->options->load, false, &fresh, &err);

	if (r >= 0 && change_sources(agent, fresh, &err) < 0) {
		agent_conf_free(fresh);
		r = err.code;
	}
	if (r < 0) {
		agent->reload_error = err;
		log_error(
			"reload failed, the configuration in use stays: %s", err.text);
		return;
	}
	err_clear(&agent->reload_error);
	agent->origin = (enum agent_load_origin)r;
	use_conf(agent, fresh);
	log_notice("%s: reloaded",
		r == AGENT_LOAD_FILE ? agent->options->load.path : "defaults");
}
