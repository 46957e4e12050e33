/*
 * status.c - the table of all that the status says, and its lists.
 */
#include "agent/status.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define TEXT(type, member) { #member, STATUS_TEXT, offsetof(struct type, member), \
			     sizeof(((struct type *)0)->member) }
#define NUMBER(type, member) { #member, STATUS_NUMBER, offsetof(struct type, member), 0 }
#define FLAG(type, member) { #member, STATUS_FLAG, offsetof(struct type, member), 0 }
/* clang-format on */

static const struct status_field agent_fields[] = {
	TEXT(status_agent, version),
	NUMBER(status_agent, pid),
	NUMBER(status_agent, uptime_s),
	TEXT(status_agent, configuration),
	TEXT(status_agent, address),
	TEXT(status_agent, interface),
	NUMBER(status_agent, polling_s),
	NUMBER(status_agent, header_bytes),
	{ 0 },
};

static const struct status_field dnssd_fields[] = {
	TEXT(status_dnssd, state),
	TEXT(status_dnssd, domain),
	NUMBER(status_dnssd, collectors),
	NUMBER(status_dnssd, standby),
	NUMBER(status_dnssd, unresolved),
	FLAG(status_dnssd, settings),
	{ 0 },
};

static const struct status_field samples_fields[] = {
	NUMBER(status_samples, received),
	NUMBER(status_samples, sent),
	NUMBER(status_samples, lost),
	NUMBER(status_samples, refused),
	NUMBER(status_samples, unknown_output),
	NUMBER(status_samples, routes),
	NUMBER(status_samples, max_routes),
	{ 0 },
};

static const struct status_field polling_fields[] = {
	NUMBER(status_polling, ports),
	NUMBER(status_polling, port_samples),
	NUMBER(status_polling, host_samples),
	NUMBER(status_polling, failed),
	NUMBER(status_polling, resets),
	{ 0 },
};

static const struct status_field datagrams_fields[] = {
	NUMBER(status_datagrams, datagrams),
	NUMBER(status_datagrams, flow_samples),
	NUMBER(status_datagrams, counters_samples),
	NUMBER(status_datagrams, discard_samples),
	NUMBER(status_datagrams, unaddressed),
	NUMBER(status_datagrams, refused),
	{ 0 },
};

static const struct status_field collector_fields[] = {
	TEXT(status_collector, name),
	TEXT(status_collector, address),
	NUMBER(status_collector, port),
	TEXT(status_collector, state),
	NUMBER(status_collector, datagrams),
	NUMBER(status_collector, bytes),
	NUMBER(status_collector, blocked),
	NUMBER(status_collector, failed),
	NUMBER(status_collector, errors),
	{ 0 },
};

static const struct status_field source_fields[] = {
	TEXT(status_source, name),
	FLAG(status_source, listens),
	NUMBER(status_source, ports),
	NUMBER(status_source, refused_ports),
	NUMBER(status_source, packets),
	NUMBER(status_source, lost),
	NUMBER(status_source, overruns),
	NUMBER(status_source, malformed),
	NUMBER(status_source, skipped),
	NUMBER(status_source, suppressed),
	FLAG(status_source, discards),
	TEXT(status_source, trouble),
	{ 0 },
};

static const struct status_field port_fields[] = {
	TEXT(status_port, name),
	NUMBER(status_port, ifindex),
	FLAG(status_port, up),
	NUMBER(status_port, speed_bps),
	NUMBER(status_port, rate),
	TEXT(status_port, source),
	TEXT(status_port, place),
	NUMBER(status_port, samples),
	NUMBER(status_port, pool),
	NUMBER(status_port, drops),
	NUMBER(status_port, polling_s),
	NUMBER(status_port, counters_sample),
	TEXT(status_port, module),
	{ 0 },
};

static const struct status_field warning_fields[] = {
	TEXT(status_warning, text),
	{ 0 },
};

const struct status_part status_parts[] = {
	{ "agent", agent_fields, offsetof(struct status, agent) },
	{ "dnssd", dnssd_fields, offsetof(struct status, dnssd) },
	{ "samples", samples_fields, offsetof(struct status, samples) },
	{ "polling", polling_fields, offsetof(struct status, polling) },
	{ "datagrams", datagrams_fields, offsetof(struct status, datagrams) },
	{ 0 },
};

enum { LIST_WARNINGS, LIST_COLLECTORS, LIST_SOURCES, LIST_PORTS };

#define LIST(member)                                                                   \
	.name = #member, .items_offset = offsetof(struct status, member),              \
	.n_offset = offsetof(struct status, n_##member),                               \
	.item_size = sizeof(*((struct status *)0)->member)

const struct status_list status_lists[] = {
	[LIST_WARNINGS] = { LIST(warnings), .fields = warning_fields, .plain = true },
	[LIST_COLLECTORS] = { LIST(collectors), .fields = collector_fields },
	[LIST_SOURCES] = { LIST(sources), .fields = source_fields },
	[LIST_PORTS] = { LIST(ports), .fields = port_fields },
	{ 0 },
};

void
status_done(struct status *s)
{
	free(s->collectors);
	free(s->sources);
	free(s->ports);
	free(s->warnings);
	memset(s, 0, sizeof(*s));
}

void *
status_add(struct status *s, const struct status_list *list)
{
	char *at = (char *)s + list->items_offset;
	size_t *n = (size_t *)((char *)s + list->n_offset);
	char *items, *item;

	memcpy(&items, at, sizeof(items));
	/* It holds 0, or the next power of two. */
	if (*n < STATUS_LIST_MAX && (*n & (*n - 1)) == 0) {
		items = realloc(items, (*n ? 2 * *n : 1) * list->item_size);
		if (items)
			memcpy(at, &items, sizeof(items));
	}
	if (!items || *n >= STATUS_LIST_MAX) {
		s->incomplete = true;
		return NULL;
	}
	item = items + *n * list->item_size;
	memset(item, 0, list->item_size);
	*n += 1;
	return item;
}

struct status_collector *
status_add_collector(struct status *s)
{
	return status_add(s, &status_lists[LIST_COLLECTORS]);
}

struct status_source *
status_add_source(struct status *s)
{
	return status_add(s, &status_lists[LIST_SOURCES]);
}

struct status_port *
status_add_port(struct status *s)
{
	return status_add(s, &status_lists[LIST_PORTS]);
}

void
status_warn(struct status *s, const char *fmt, ...)
{
	struct status_warning *w = status_add(s, &status_lists[LIST_WARNINGS]);
	va_list args;

	if (!w)
		return;
	va_start(args, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, args);
	va_end(args);
}
