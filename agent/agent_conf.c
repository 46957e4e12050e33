/*
 * agent_conf.c - life of a configuration: defaults, parsing by the tables, checks that
 * concern more than one keyword, and the questions that the agent asks of it.
 */
#include "agent/agent_conf.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_conf_table.h"

enum {
	DEFAULT_SUB_AGENT_ID = 100000,
	DEFAULT_DATAGRAM_BYTES = 1400,
	DEFAULT_PSAMPLE_GROUP = 1,
	DEFAULT_NFLOG_GROUP = 1,
	DEFAULT_DROP_LIMIT = 100,
	DEFAULT_DROP_MAX = 100000,
	DEFAULT_DROP_MAX_TRIP = 2,
	/* Text of the largest file, tables that doubled on the way included. */
	ARENA_MAX_BYTES = 8 << 20,
};

static void
free_regex(regex_t *regex)
{
	if (!regex)
		return;
	regfree(regex);
	free(regex);
}

void
agent_conf_free(struct agent_conf *conf)
{
	if (!conf)
		return;
	for (unsigned i = 0; i < conf->n_pcaps; i++)
		free_regex(conf->pcaps[i].regex);
	free_regex(conf->switchport_regex);
	arena_free(conf->arena);
	free(conf);
}

/* Everything that holds before the first line is read. */
static struct agent_conf *
new_conf(void)
{
	struct agent_conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return NULL;
	conf->arena = arena_new(ARENA_MAX_BYTES);
	if (!conf->arena) {
		free(conf);
		return NULL;
	}
	settings_init(&conf->settings);
	conf->sub_agent_id = DEFAULT_SUB_AGENT_ID;
	conf->datagram_bytes = DEFAULT_DATAGRAM_BYTES;
	conf->max_routes = AGENT_CONF_ROUTES_DEFAULT;
	conf->psample.group = DEFAULT_PSAMPLE_GROUP;
	conf->psample.ingress = true;
	conf->optics = true;
	conf->nflog.group = DEFAULT_NFLOG_GROUP;
	conf->dropmon = (struct agent_conf_dropmon){
		.start = true,
		.sw = true,
		.hw = true,
		.reasons = true,
		.limit = DEFAULT_DROP_LIMIT,
		.max = DEFAULT_DROP_MAX,
		.max_trip = DEFAULT_DROP_MAX_TRIP,
	};
	return conf;
}

/* Compile an expression that was checked when it was read; NULL = out of memory. */
static regex_t *
compile(const char *pattern)
{
	regex_t *regex = calloc(1, sizeof(*regex));

	if (regex && regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		free(regex);
		return NULL;
	}
	return regex;
}

/*
 * What follows from the whole file. Sampling is installed on the ports unless the file
 * speaks hsflowd's way of somebody else's: psample { } without dent or cumulus listens
 * to what the driver or tc was told, nflog { group= } to the user's own rules. Beside a
 * psample that is to be installed, as in the files of Cumulus, the group was fed by the
 * system itself, which is us now.
 */
static int
finish(struct agent_conf *conf, bool has_platform)
{
	if (!conf->has_dnssd)
		conf->dnssd = conf->n_collectors == 0;
	if (!conf->psample.has_install)
		conf->psample.install = !conf->psample.enabled || has_platform;
	if (!conf->nflog.has_install)
		conf->nflog.install =
			!conf->nflog.probability_ppb &&
			(!conf->nflog.has_group ||
				(conf->psample.enabled && conf->psample.install));
	conf->switchport_regex = compile(
		conf->switchport ? conf->switchport : AGENT_CONF_SWITCHPORT_DEFAULT);
	if (!conf->switchport_regex)
		return -ENOMEM;
	for (unsigned i = 0; i < conf->n_pcaps; i++) {
		struct agent_conf_pcap *pcap = &conf->pcaps[i];

		if (!pcap->pattern)
			continue;
		pcap->regex = compile(pcap->pattern);
		if (!pcap->regex)
			return -ENOMEM;
	}
	return 0;
}

struct agent_conf *
agent_conf_default(void)
{
	struct agent_conf *conf = new_conf();

	if (conf && finish(conf, false) < 0) {
		agent_conf_free(conf);
		return NULL;
	}
	return conf;
}

static void
check_rates(struct conf_parser *parser, const struct agent_conf *conf)
{
	const struct settings *s = &conf->settings;

	if ((s->set & SETTINGS_FLAT) && (s->set & SETTINGS_BPS_RATIO))
		conf_report(parser, CONF_ERROR, 0,
			"sampling.flat and sampling.bps_ratio exclude each other");
	else if ((s->set & SETTINGS_SAMPLING) &&
		 !(s->set & (SETTINGS_FLAT | SETTINGS_BPS_RATIO)))
		conf_report(parser, CONF_NOTE, 0,
			"sampling = %u holds for ports of unknown speed only; for all "
			"ports write sampling.flat = %u",
			s->sampling, s->sampling);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void
check_collectors(struct conf_parser *parser, const struct agent_conf *conf)
{
	const struct agent_conf_collector *c = conf->collectors;

	if (conf->n_collectors == 0 && conf->has_dnssd && !conf->dnssd)
		conf_report(parser, CONF_ERROR, 0,
			"no collector, and DNSSD is off: nothing could be sent");
	for (unsigned i = 0; i < conf->n_collectors; i++)
		for (unsigned j = 0; j < i; j++)
			if (same_text(c[i].host, c[j].host) && c[i].port == c[j].port &&
				same_text(c[i].device, c[j].device) &&
				same_text(c[i].net_namespace, c[j].net_namespace))
				conf_report(parser, CONF_WARNING, c[i].line,
					"collector %s is there already, at line %d",
					c[i].host, c[j].line);
}

static void
check_dnssd(struct conf_parser *parser, const struct agent_conf *conf)
{
	if (conf->dnssd_domain && conf->has_dnssd && !conf->dnssd)
		conf_report(parser, CONF_WARNING, 0,
			"a DNS-SD domain is given, but DNSSD is off");
	if (conf->dnssd && conf->n_collectors)
		conf_report(parser, CONF_NOTE, 0,
			"collectors that DNS announces replace those of the file");
}

int
agent_conf_parse(const char *file, const char *text, size_t len,
	const struct agent_conf_reporter *reporter, struct agent_conf **ret_conf)
{
	struct agent_conf *conf = new_conf();
	struct conf_parser parser = { .file = file, .conf = conf };
	int rc;

	if (!conf)
		return -ENOMEM;
	parser.arena = conf->arena;
	parser.report = reporter->report;
	parser.user_data = reporter->user_data;
	if (len > AGENT_CONF_FILE_MAX_BYTES)
		conf_report(&parser, CONF_ERROR, 0, "larger than %d bytes",
			AGENT_CONF_FILE_MAX_BYTES);
	else
		conf_parse_top(&parser, &agent_conf_table, text, len);
	if (parser.errors == 0) {
		check_rates(&parser, conf);
		check_collectors(&parser, conf);
		check_dnssd(&parser, conf);
	}
	rc = parser.errors ? -EINVAL : finish(conf, conf->has_platform);
	if (rc < 0) {
		agent_conf_free(conf);
		return rc;
	}
	*ret_conf = conf;
	return 0;
}

bool
agent_conf_source_is_auto(const struct agent_conf *conf)
{
	return !conf->psample.enabled && !conf->nflog.enabled && !conf->n_pcaps &&
	       !conf->replay_file;
}

static bool
matches(const regex_t *regex, const char *name)
{
	return regexec(regex, name, 0, NULL, 0) == 0;
}

/*
 * What the port sections say of @name, member by member: the section of exactly this
 * name before patterns, a later pattern before an earlier one.
 */
static struct agent_conf_port
port_section(const struct agent_conf *conf, const char *name)
{
	struct agent_conf_port sum = { .name = name };

	for (int exact = 0; exact <= 1; exact++)
		for (unsigned i = 0; i < conf->n_ports; i++) {
			const struct agent_conf_port *p = &conf->ports[i];

			if (p->is_pattern == exact ||
				fnmatch(p->name, name, FNM_NOESCAPE) != 0)
				continue;
			if (p->has_enable)
				sum.enable = p->enable;
			if (p->has_sampling)
				sum.sampling = p->sampling;
			if (p->has_polling)
				sum.polling_s = p->polling_s;
			sum.has_enable |= p->has_enable;
			sum.has_sampling |= p->has_sampling;
			sum.has_polling |= p->has_polling;
		}
	return sum;
}

bool
agent_conf_is_port(const struct agent_conf *conf, const char *name, bool by_kernel)
{
	struct agent_conf_port section = port_section(conf, name);

	if (section.has_enable)
		return section.enable;
	if (!conf->switchport && by_kernel)
		return true;
	return matches(conf->switchport_regex, name);
}

uint32_t
agent_conf_sampling(const struct agent_conf *conf, const struct settings *settings,
	const char *name, uint64_t speed_bps)
{
	struct agent_conf_port section = port_section(conf, name);

	if (section.has_enable && !section.enable)
		return 0;
	if (section.has_sampling)
		return section.sampling;
	return settings_rate(settings, speed_bps);
}

uint32_t
agent_conf_polling_s(const struct agent_conf *conf, const struct settings *settings,
	const char *name)
{
	struct agent_conf_port section = port_section(conf, name);

	if (section.has_enable && !section.enable)
		return 0;
	return section.has_polling ? section.polling_s : settings->polling_s;
}

const struct agent_conf_pcap *
agent_conf_find_pcap(const struct agent_conf *conf, const char *name, uint64_t speed)
{
	for (unsigned i = 0; i < conf->n_pcaps; i++) {
		const struct agent_conf_pcap *p = &conf->pcaps[i];

		if (p->device && strcmp(p->device, name) != 0)
			continue;
		if (p->regex && !matches(p->regex, name))
			continue;
		if (p->has_speed &&
			(speed < p->speed_min_bps || speed > p->speed_max_bps))
			continue;
		return p;
	}
	return NULL;
}
