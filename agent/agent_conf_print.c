/*
 * agent_conf_print.c - a configuration as text that parses to the same (-n -v).
 *
 * What was written is printed, defaults are comments: whether sampling.bps_ratio was
 * written, say, changes the rate even if the number is the default one.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/agent_conf.h"

static const char *
on_off(bool on)
{
	return on ? "on" : "off";
}

static void
print_addr(FILE *out, const struct parse_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(addr->family, addr->bytes, text, sizeof(text)))
		fputs(text, out);
}

/* "name = value", as a comment if it was not set. */
static void
print_setting(FILE *out, const struct settings *s, unsigned bit, const char *name,
	uint32_t value)
{
	fprintf(out, "  %s%s = %" PRIu32 "\n", s->set & bit ? "" : "# ", name, value);
}

static void
print_settings(FILE *out, const struct settings *s)
{
	char speed[SETTINGS_SPEED_TEXT_SIZE];

	print_setting(out, s, SETTINGS_POLLING, "polling", s->polling_s);
	print_setting(out, s, SETTINGS_SAMPLING, "sampling", s->sampling);
	if (s->set & SETTINGS_FLAT)
		print_setting(out, s, SETTINGS_FLAT, "sampling.flat", s->flat);
	if (s->set & SETTINGS_BPS_RATIO)
		print_setting(
			out, s, SETTINGS_BPS_RATIO, "sampling.bps_ratio", s->bps_ratio);
	for (unsigned i = 0; i < s->n_speeds; i++) {
		settings_format_speed(s->speeds[i].speed_bps, speed);
		fprintf(out, "  sampling.%s = %" PRIu32 "\n", speed, s->speeds[i].rate);
	}
	print_setting(out, s, SETTINGS_HEADER, "headerBytes", s->header_bytes);
	if (s->set & SETTINGS_AGENT_IP) {
		fputs("  agentIP = ", out);
		print_addr(out, &s->agent_ip);
		fputc('\n', out);
	}
	if (s->set & SETTINGS_AGENT_DEVICE)
		fprintf(out, "  agent = \"%s\"\n", s->agent_device);
	for (unsigned i = 0; i < s->n_cidrs; i++) {
		fprintf(out, "  agent.cidr = %s", s->cidrs[i].avoid ? "!" : "");
		print_addr(out, &s->cidrs[i].prefix);
		fprintf(out, "/%u\n", s->cidrs[i].prefix.prefix_len);
	}
}

static void
print_general(FILE *out, const struct agent_conf *conf)
{
	fprintf(out, "  subAgentId = %" PRIu32 "\n", conf->sub_agent_id);
	fprintf(out, "  datagramBytes = %" PRIu32 "\n", conf->datagram_bytes);
	fprintf(out, "  maxRoutes = %" PRIu32 "\n", conf->max_routes);
	if (conf->has_uuid) {
		fputs("  uuid = ", out);
		for (size_t i = 0; i < sizeof(conf->uuid); i++)
			fprintf(out, "%s%02x",
				i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				conf->uuid[i]);
		fputc('\n', out);
	}
	if (!conf->optics)
		fputs("  optics = off\n", out);
	if (conf->pfc)
		fputs("  pfc = on\n", out);
	fprintf(out, "  %sDNSSD = %s\n", conf->has_dnssd ? "" : "# ",
		on_off(conf->dnssd));
	if (conf->dnssd_domain)
		fprintf(out, "  DNSSD_domain = %s\n", conf->dnssd_domain);
}

static void
print_collector(FILE *out, const struct agent_conf_collector *c)
{
	fprintf(out, "  collector { ip = %s udpport = %" PRIu32, c->host, c->port);
	if (c->device)
		fprintf(out, " dev = \"%s\"", c->device);
	if (c->net_namespace)
		fprintf(out, " namespace = \"%s\"", c->net_namespace);
	if (c->has_source) {
		fputs(" source = ", out);
		print_addr(out, &c->source);
	}
	if (c->dscp)
		fprintf(out, " dscp = %" PRIu32, c->dscp);
	fputs(" }\n", out);
}

static void
print_port(FILE *out, const struct agent_conf_port *p)
{
	fprintf(out, "  port \"%s\" {", p->name);
	if (p->has_sampling)
		fprintf(out, " sampling = %" PRIu32, p->sampling);
	if (p->has_polling)
		fprintf(out, " polling = %" PRIu32, p->polling_s);
	if (p->has_enable)
		fprintf(out, " enable = %s", on_off(p->enable));
	fputs(" }\n", out);
}

static void
print_speed_range(FILE *out, const struct agent_conf_pcap *p)
{
	char min[SETTINGS_SPEED_TEXT_SIZE], max[SETTINGS_SPEED_TEXT_SIZE];

	settings_format_speed(p->speed_min_bps, min);
	settings_format_speed(p->speed_max_bps, max);
	fprintf(out, " speed = %s", min);
	if (p->speed_max_bps == UINT64_MAX)
		fputc('-', out);
	else if (p->speed_max_bps != p->speed_min_bps)
		fprintf(out, "-%s", max);
}

static void
print_pcap(FILE *out, const struct agent_conf_pcap *p)
{
	fputs("  pcap {", out);
	if (p->device)
		fprintf(out, " dev = \"%s\"", p->device);
	if (p->pattern)
		fprintf(out, " dev.pattern = \"%s\"", p->pattern);
	if (p->has_speed)
		print_speed_range(out, p);
	fprintf(out, " promisc = %s", on_off(p->promisc));
	if (p->has_sampling)
		fprintf(out, " sampling = %" PRIu32, p->sampling);
	fputs(" }\n", out);
}

/* 0.0025 from 2500000 parts in 10^9. */
static void
print_probability(FILE *out, uint32_t ppb)
{
	char digits[16];
	int len = 9;

	snprintf(digits, sizeof(digits), "%09" PRIu32, ppb % 1000000000);
	while (len > 0 && digits[len - 1] == '0')
		len--;
	fprintf(out, " probability = %" PRIu32 "%s%.*s", ppb / 1000000000,
		len ? "." : "", len, digits);
}

static void
print_dropmon(FILE *out, const struct agent_conf_dropmon *d)
{
	fprintf(out, "  dropmon {\n    start = %s force = %s", on_off(d->start),
		on_off(d->force));
	fprintf(out, " sw = %s hw = %s", on_off(d->sw), on_off(d->hw));
	fprintf(out, " sw_passive = %s hw_passive = %s\n", on_off(d->sw_passive),
		on_off(d->hw_passive));
	fprintf(out, "    rn = %s hw_unknown = %s", on_off(d->reasons),
		on_off(d->hw_unknown));
	if (d->hide)
		fprintf(out, " hide = \"%s\"", d->hide);
	fprintf(out, "\n    limit = %" PRIu32, d->limit);
	if (d->reason_limit)
		fprintf(out, " reason_limit = %" PRIu32, d->reason_limit);
	fprintf(out, " max = %" PRIu32 " max_trip = %" PRIu32 "\n  }\n", d->max,
		d->max_trip);
}

/* dent first: psample { install= } overrides what it implies. */
static void
print_sources(FILE *out, const struct agent_conf *conf)
{
	const struct agent_conf_psample *ps = &conf->psample;

	if (ps->hardware_only)
		fputs("  dent { sw = off }\n", out);
	if (ps->enabled)
		fprintf(out,
			"  psample { group = %" PRIu32
			" ingress = %s egress = %s install = %s }\n",
			ps->group, on_off(ps->ingress), on_off(ps->egress),
			on_off(ps->install));
	if (conf->nflog.enabled) {
		fputs("  nflog {", out);
		fprintf(out, " group = %" PRIu32, conf->nflog.group);
		if (conf->nflog.probability_ppb)
			print_probability(out, conf->nflog.probability_ppb);
		fprintf(out, " install = %s }\n", on_off(conf->nflog.install));
	}
	for (unsigned i = 0; i < conf->n_pcaps; i++)
		print_pcap(out, &conf->pcaps[i]);
	if (conf->dropmon.enabled)
		print_dropmon(out, &conf->dropmon);
	if (conf->replay_file)
		fprintf(out, "  replay { file = \"%s\" }\n", conf->replay_file);
	if (conf->switchport)
		fprintf(out, "  cumulus { switchport = \"%s\" }\n", conf->switchport);
}

char *
agent_conf_print(const struct agent_conf *conf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fputs("sflow {\n", out);
	print_settings(out, &conf->settings);
	print_general(out, conf);
	for (unsigned i = 0; i < conf->n_collectors; i++)
		print_collector(out, &conf->collectors[i]);
	for (unsigned i = 0; i < conf->n_ports; i++)
		print_port(out, &conf->ports[i]);
	print_sources(out, conf);
	fputs("}\n", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
