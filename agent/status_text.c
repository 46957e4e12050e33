/*
 * status_text.c - the status as tables for people.
 */
#include <inttypes.h>
#include <string.h>

#include "agent/settings.h"
#include "agent/status.h"

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

/* Names come from DNS and from interfaces: they must not talk to the terminal. */
static void
clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void
clean_fields(const struct status_field *fields, char *base)
{
	for (const struct status_field *f = fields; f->name; f++)
		if (f->type == STATUS_TEXT)
			clean(base + f->offset);
}

static const char *
or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static size_t
count_sampled(const struct status *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_ports; i++)
		n += s->ports[i].rate > 0 && s->ports[i].source[0];
	return n;
}

static void
print_verdict(const struct status *s, FILE *out)
{
	if (s->n_warnings > 0) {
		fprintf(out, "NOT OK: %s\n", s->warnings[0].text);
		for (size_t i = 1; i < s->n_warnings; i++)
			fprintf(out, "also:   %s\n", s->warnings[i].text);
		return;
	}
	fprintf(out, "OK: %zu of %zu ports sampled, %zu collector%s\n",
		count_sampled(s), s->n_ports, s->n_collectors,
		s->n_collectors == 1 ? "" : "s");
}

static void
print_uptime(uint64_t s, FILE *out)
{
	if (s >= DAY_S)
		fprintf(out, "%" PRIu64 " d ", s / DAY_S);
	fprintf(out, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s % DAY_S / HOUR_S,
		s % HOUR_S / MINUTE_S, s % MINUTE_S);
}

static void
print_agent(const struct status_agent *a, FILE *out)
{
	fprintf(out, "tapgate-agent %s  process %" PRIu64 ", up ", a->version, a->pid);
	print_uptime(a->uptime_s, out);
	fprintf(out, "\nconfiguration  %s\n", or_dash(a->configuration));
	fprintf(out, "agent address  %s", or_dash(a->address));
	if (a->interface[0])
		fprintf(out, " (%s)", a->interface);
	fprintf(out,
		"\nsettings       polling %" PRIu64 " s, header %" PRIu64 " bytes\n",
		a->polling_s, a->header_bytes);
}

static void
print_dnssd(const struct status_dnssd *d, FILE *out)
{
	fprintf(out, "DNS-SD         %s", or_dash(d->state));
	if (d->domain[0])
		fprintf(out,
			" in %s: %" PRIu64 " in use, %" PRIu64 " stand-by, %" PRIu64
			" without address, %s",
			d->domain, d->collectors, d->standby, d->unresolved,
			d->settings ? "settings from TXT" : "no settings");
	fputc('\n', out);
}

static void
print_totals(const struct status *s, FILE *out)
{
	const struct status_samples *p = &s->samples;
	const struct status_polling *c = &s->polling;
	const struct status_datagrams *d = &s->datagrams;

	fprintf(out,
		"packet samples %" PRIu64 " received, %" PRIu64 " sent, %" PRIu64
		" lost, %" PRIu64 " refused, %" PRIu64 " with unknown output\n",
		p->received, p->sent, p->lost, p->refused, p->unknown_output);
	fprintf(out, "routes         %" PRIu64 " prefixes of at most %" PRIu64 "%s\n",
		p->routes, p->max_routes,
		p->routes > 0 ? "" : "; no next hops in samples");
	fprintf(out,
		"polling        %" PRIu64 " port%s; %" PRIu64
		" samples of ports, %" PRIu64 " of the host, %" PRIu64 " failed\n",
		c->ports, c->ports == 1 ? "" : "s", c->port_samples, c->host_samples,
		c->failed);
	fprintf(out,
		"datagrams      %" PRIu64 " with %" PRIu64 " flow, %" PRIu64
		" counters, %" PRIu64 " discard samples; %" PRIu64 " refused, %" PRIu64
		" without agent address\n",
		d->datagrams, d->flow_samples, d->counters_samples, d->discard_samples,
		d->refused, d->unaddressed);
}

static void
print_collectors(const struct status *s, FILE *out)
{
	if (s->n_collectors > 0)
		fprintf(out, "\n%-30s %-28s %12s %8s  %s\n", "COLLECTOR", "ADDRESS",
			"DATAGRAMS", "LOST", "STATE");
	for (size_t i = 0; i < s->n_collectors; i++) {
		const struct status_collector *c = &s->collectors[i];

		fprintf(out, "%-30s %-28s %12" PRIu64 " %8" PRIu64 "  %s\n", c->name,
			c->address, c->datagrams, c->blocked + c->failed, c->state);
	}
}

static void
print_sources(const struct status *s, FILE *out)
{
	if (s->n_sources > 0)
		fprintf(out, "\n%-10s %6s %8s %14s %10s %9s %10s %10s %10s\n", "SOURCE",
			"PORTS", "REFUSED", "SAMPLES", "LOST", "OVERRUNS", "MALFORMED",
			"SKIPPED", "SUPPRESSED");
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct status_source *r = &s->sources[i];

		fprintf(out,
			"%-10s %6" PRIu64 " %8" PRIu64 " %14" PRIu64 " %10" PRIu64
			" %9" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
			r->name, r->ports, r->refused_ports, r->packets, r->lost,
			r->overruns, r->malformed, r->skipped, r->suppressed);
	}
}

static void
print_port(const struct status_port *p, FILE *out)
{
	char speed[SETTINGS_SPEED_TEXT_SIZE] = "-", rate[STATUS_WORD_SIZE] = "-",
	     polling[STATUS_WORD_SIZE] = "-", source[2 * STATUS_WORD_SIZE] = "-";

	if (p->source[0])
		snprintf(source, sizeof(source), "%s%s", p->source,
			strcmp(p->place, "hardware") == 0 ? "/hw" : "");
	if (p->speed_bps > 0)
		settings_format_speed(p->speed_bps, speed);
	if (p->rate > 0)
		snprintf(rate, sizeof(rate), "1 in %" PRIu64, p->rate);
	if (p->polling_s > 0)
		snprintf(polling, sizeof(polling), "%" PRIu64 " s", p->polling_s);
	fprintf(out,
		"%-15s %7" PRIu64 " %-4s %6s %13s %-8s %12" PRIu64 " %11" PRIu64
		" %8" PRIu64 " %6s %9" PRIu64 " %s\n",
		p->name, p->ifindex, p->up ? "up" : "down", speed, rate, source,
		p->samples, p->pool, p->drops, polling, p->counters_sample,
		or_dash(p->module));
}

static void
print_ports(const struct status *s, FILE *out)
{
	if (s->n_ports > 0)
		fprintf(out,
			"\n%-15s %7s %-4s %6s %13s %-10s %12s %11s %8s %6s %9s %s\n",
			"PORT", "IFINDEX", "LINK", "SPEED", "RATE", "SOURCE", "SAMPLES",
			"POOL", "DROPS", "POLL", "COUNTERS", "MODULE");
	for (size_t i = 0; i < s->n_ports; i++)
		print_port(&s->ports[i], out);
}

/* @s has its texts cleaned in place. */
static void
clean_all(struct status *s)
{
	for (const struct status_part *p = status_parts; p->name; p++)
		clean_fields(p->fields, (char *)s + p->offset);
	for (const struct status_list *l = status_lists; l->name; l++) {
		char *items;
		size_t n;

		memcpy(&items, (char *)s + l->items_offset, sizeof(items));
		memcpy(&n, (char *)s + l->n_offset, sizeof(n));
		for (size_t i = 0; i < n; i++)
			clean_fields(l->fields, items + i * l->item_size);
	}
}

void
status_print(struct status *s, FILE *out)
{
	clean_all(s);
	print_verdict(s, out);
	fputc('\n', out);
	print_agent(&s->agent, out);
	print_dnssd(&s->dnssd, out);
	print_totals(s, out);
	print_collectors(s, out);
	print_sources(s, out);
	print_ports(s, out);
}
