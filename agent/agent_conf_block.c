/*
 * agent_conf_block.c - what happens when a block of hsflowd.conf begins and ends.
 */
#include <string.h>

#include "agent/agent_conf_table.h"

/* Room for one more element behind @n in an array of the arena; NULL after reporting.
 * The array doubles when @n is a power of two. */
static void *
grow(struct conf_parser *parser, void *array, unsigned n, size_t size)
{
	void *bigger;

	if (n & (n - 1))
		return array;
	bigger = arena_alloc(parser->arena, (n ? 2 * n : 1) * size);
	if (bigger && n)
		memcpy(bigger, array, n * size);
	if (!bigger)
		conf_report(parser, CONF_ERROR, 0, "out of memory");
	return bigger;
}

/* Open a block that may be repeated; false after reporting that there are too many. */
static bool
may_add(struct conf_parser *parser, const char *what, unsigned n, unsigned max,
	int line)
{
	if (n < max)
		return true;
	conf_report(parser, CONF_ERROR, line, "more than %u %s blocks", max, what);
	return false;
}

void *
agent_conf_open_collector(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;
	struct agent_conf_collector *all;

	(void)name;
	if (!may_add(parser, "collector", conf->n_collectors, AGENT_CONF_COLLECTORS_MAX,
		    line))
		return NULL;
	all = grow(parser, conf->collectors, conf->n_collectors, sizeof(*all));
	if (!all)
		return NULL;
	conf->collectors = all;
	all[conf->n_collectors] =
		(struct agent_conf_collector){ .port = AGENT_CONF_SFLOW_PORT,
			.line = line };
	return &all[conf->n_collectors++];
}

void
agent_conf_close_collector(struct conf_parser *parser, void *object, int line)
{
	struct agent_conf_collector *c = object;

	if (!c->host)
		conf_report(parser, CONF_ERROR, line, "collector without ip");
	else if (!c->is_name && c->has_source && c->source.family != c->addr.family)
		conf_report(parser, CONF_ERROR, line,
			"collector %s: source is of the other address family", c->host);
}

void *
agent_conf_open_pcap(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;
	struct agent_conf_pcap *all;

	(void)name;
	if (!may_add(parser, "pcap", conf->n_pcaps, AGENT_CONF_PCAPS_MAX, line))
		return NULL;
	all = grow(parser, conf->pcaps, conf->n_pcaps, sizeof(*all));
	if (!all)
		return NULL;
	conf->pcaps = all;
	all[conf->n_pcaps] = (struct agent_conf_pcap){ .line = line };
	return &all[conf->n_pcaps++];
}

void
agent_conf_close_pcap(struct conf_parser *parser, void *object, int line)
{
	const struct agent_conf_pcap *pcap = object;

	if (!pcap->device && !pcap->pattern && !pcap->has_speed)
		conf_report(parser, CONF_ERROR, line,
			"pcap needs dev, dev.pattern or speed to choose interfaces");
}

void *
agent_conf_open_port(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;
	bool is_pattern = name[strcspn(name, "*?[")] != '\0';
	struct agent_conf_port *all;
	char *copy;

	if (!is_pattern && !parse_is_ifname(name)) {
		conf_report(parser, CONF_ERROR, line,
			"port \"%s\": not an interface name", name);
		return NULL;
	}
	for (unsigned i = 0; i < conf->n_ports; i++)
		if (strcmp(conf->ports[i].name, name) == 0) {
			conf_report(parser, CONF_ERROR, line,
				"port %s has a section already, at line %d", name,
				conf->ports[i].line);
			return NULL;
		}
	if (!may_add(parser, "port", conf->n_ports, AGENT_CONF_PORTS_MAX, line))
		return NULL;
	all = grow(parser, conf->ports, conf->n_ports, sizeof(*all));
	copy = arena_strdup(parser->arena, name);
	if (!all || !copy)
		return NULL;
	conf->ports = all;
	all[conf->n_ports] = (struct agent_conf_port){
		.name = copy, .is_pattern = is_pattern, .line = line
	};
	return &all[conf->n_ports++];
}

void *
agent_conf_open_dns_sd(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;

	(void)name;
	(void)line;
	conf->dnssd = true;
	conf->has_dnssd = true;
	return conf;
}

void *
agent_conf_open_psample(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;

	(void)name;
	(void)line;
	conf->psample.enabled = true;
	return conf;
}

/* dent programs sampling on the ports, in hardware unless sw=on. */
void *
agent_conf_open_dent(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = agent_conf_open_psample(parser, name, line);

	conf->psample.has_install = true;
	conf->psample.install = true;
	conf->psample.hardware_only = true;
	return conf;
}

void *
agent_conf_open_platform(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;

	(void)name;
	(void)line;
	conf->has_platform = true;
	return conf;
}

/* SONiC's sflowmgr has the chip sample, which hsflowd listens to there as well. */
void *
agent_conf_open_sonic(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = agent_conf_open_psample(parser, name, line);

	conf->psample.egress = true;
	conf_report(parser, CONF_NOTE, line,
		"sonic: samples are those that SONiC's sflowmgr has set up; collectors "
		"and rates are not read from its database");
	return conf;
}

void *
agent_conf_open_nflog(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;

	(void)name;
	(void)line;
	conf->nflog.enabled = true;
	return conf;
}

void *
agent_conf_open_dropmon(struct conf_parser *parser, const char *name, int line)
{
	struct agent_conf *conf = parser->conf;

	(void)name;
	(void)line;
	conf->dropmon.enabled = true;
	return conf;
}

int
agent_conf_put_settings(
	void *object, const char *key, const char *value, struct err *err)
{
	struct agent_conf *conf = object;

	return settings_put(&conf->settings, key, value, err);
}
