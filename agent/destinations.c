/*
 * destinations.c - see destinations.h.
 */
#include "agent/destinations.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/name_watch.h"
#include "common/cleanup.h"
#include "common/log.h"

/* A collector of the file by name. */
struct named {
	const struct agent_conf_collector *conf; /* borrowed from d->conf */
	char host[DNSSD_NAME_SIZE]; /* what is watched; outlives @conf at a reload */
	struct name_watch *watch;   /* owned */
	bool resolved;              /* it is among the collectors in use */
};

struct destinations {
	struct dns *dns; /* borrowed */
	destinations_fn fn;
	void *user_data;
	const struct agent_conf *conf; /* NULL: none yet */
	struct dnssd_result result;    /* no collectors: DNS-SD is off or found none */
	struct named *named;           /* owned */
	size_t n_named;
	struct collector_set set;
};

static void apply(struct destinations *d);

static void
on_name(void *user_data)
{
	apply(user_data);
}

/* ---- names ---- */

static struct name_watch *
take_watch(struct destinations *d, const char *host)
{
	for (size_t i = 0; i < d->n_named; i++)
		if (d->named[i].watch && strcmp(d->named[i].host, host) == 0)
			return take_ptr(d->named[i].watch);
	return name_watch_new(
		d->dns, host, NAME_WATCH_HOST, &dnssd_default_limits, on_name, d);
}

static void
free_names(struct destinations *d)
{
	for (size_t i = 0; i < d->n_named; i++)
		name_watch_free(d->named[i].watch);
	free(take_ptr(d->named));
	d->n_named = 0;
}

/* Watch the names in d->conf; those watched already keep what is known. */
static void
watch_names(struct destinations *d)
{
	const struct agent_conf *conf = d->conf;
	struct named *named = calloc(conf->n_collectors + 1, sizeof(*named));
	size_t n = 0;

	if (!named)
		log_error("collectors: out of memory");
	for (unsigned i = 0; named && i < conf->n_collectors; i++) {
		const struct agent_conf_collector *c = &conf->collectors[i];

		if (!c->is_name)
			continue;
		named[n].conf = c;
		snprintf(named[n].host, sizeof(named[n].host), "%s", c->host);
		named[n].watch = take_watch(d, named[n].host);
		if (!named[n].watch)
			log_about(LOG_LEVEL_ERROR, LOG_COLLECTOR, c->host,
				"%s: cannot look up: %s", c->host, strerror(errno));
		n++;
	}
	free_names(d);
	d->named = named;
	d->n_named = n;
}

/* The address of a collector of the file, by name or not. */
static bool
find_addr(struct destinations *d, const struct agent_conf_collector *c,
	struct parse_addr *ret)
{
	if (!c->is_name) {
		*ret = c->addr;
		return true;
	}
	for (size_t i = 0; i < d->n_named; i++) {
		struct named *n = &d->named[i];

		if (n->conf != c)
			continue;
		n->resolved = n->watch && name_watch_pick(n->watch, ret);
		return n->resolved;
	}
	return false;
}

/* ---- the list of collectors ---- */

struct list {
	struct collector_conf items[COLLECTOR_MAX];
	size_t n;
};

/* Two that are the same get one stream: a collector would count everything twice. */
static void
add(struct list *list, const struct collector_conf *conf)
{
	for (size_t i = 0; i < list->n; i++)
		if (collector_conf_equal(&list->items[i], conf))
			return;
	if (list->n < COLLECTOR_MAX)
		list->items[list->n++] = *conf;
	else
		log_about(LOG_LEVEL_WARNING, LOG_COLLECTOR, conf->name,
			"collector %s: left out, there are %d already", conf->name,
			(int)COLLECTOR_MAX);
}

static void
name_it(struct collector_conf *conf, const char *host, unsigned port)
{
	bool v6_literal = strchr(host, ':') != NULL;

	snprintf(conf->name, sizeof(conf->name), v6_literal ? "[%.*s]:%u" : "%.*s:%u",
		DNSSD_NAME_SIZE, host, port);
}

static void
add_from_file(struct destinations *d, struct list *list)
{
	for (unsigned i = 0; i < d->conf->n_collectors; i++) {
		const struct agent_conf_collector *c = &d->conf->collectors[i];
		struct collector_conf conf = {
			.port = (uint16_t)c->port,
			.dscp = (uint8_t)c->dscp,
		};
		struct err err;

		if (!find_addr(d, c, &conf.addr))
			continue;
		name_it(&conf, c->host, c->port);
		if (c->has_source)
			conf.source = c->source;
		if (c->device)
			snprintf(conf.dev, sizeof(conf.dev), "%s", c->device);
		if (c->net_namespace)
			snprintf(
				conf.netns, sizeof(conf.netns), "%s", c->net_namespace);
		/* A name may have led to another family than that of the source. */
		if (collector_conf_check(&conf, &err) < 0)
			log_about(LOG_LEVEL_WARNING, LOG_COLLECTOR, conf.name, "%s",
				err.text);
		else
			add(list, &conf);
	}
}

static void
add_from_dns(const struct dnssd_result *result, struct list *list)
{
	for (unsigned i = 0; i < result->n_collectors; i++) {
		const struct dnssd_collector *c = &result->collectors[i];
		struct collector_conf conf = { .addr = c->addr, .port = c->port };

		name_it(&conf, c->host, c->port);
		add(list, &conf);
	}
}

static bool
is_same(const struct collector_set *set, const struct list *list)
{
	if (set->n != list->n)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (!collector_conf_equal(&set->items[i].conf, &list->items[i]) ||
			strcmp(set->items[i].conf.name, list->items[i].name) != 0)
			return false;
	return true;
}

static void
log_list(const struct destinations *d)
{
	char text[2048] = "";
	size_t len = 0;

	for (size_t i = 0; i < d->set.n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
			i ? ", " : " ", d->set.items[i].conf.name);
	log_notice("collectors:%s%s", d->set.n ? text : " none",
		d->result.n_collectors ? " (from DNS)" : "");
}

static void
apply(struct destinations *d)
{
	struct list *list AUTO_FREE = calloc(1, sizeof(*list));
	struct err err;

	if (!list) {
		log_error("collectors: out of memory");
		return;
	}
	if (d->result.n_collectors > 0)
		add_from_dns(&d->result, list);
	else
		add_from_file(d, list);
	if (is_same(&d->set, list))
		return;
	if (collector_set_configure(&d->set, list->items, list->n, &err) < 0) {
		log_error("%s", err.text);
		return;
	}
	log_list(d);
	d->fn(d->user_data);
}

struct destinations *
destinations_new(struct dns *dns, destinations_fn fn, void *user_data)
{
	struct destinations *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->dns = dns;
	d->fn = fn;
	d->user_data = user_data;
	collector_set_init(&d->set);
	return d;
}

void
destinations_free(struct destinations *d)
{
	if (!d)
		return;
	free_names(d);
	collector_set_done(&d->set);
	free(d);
}

void
destinations_configure(struct destinations *d, const struct agent_conf *conf,
	const struct dnssd_result *result)
{
	bool is_new = conf != d->conf;

	d->conf = conf;
	if (result)
		d->result = *result;
	else
		memset(&d->result, 0, sizeof(d->result));
	if (is_new)
		watch_names(d);
	apply(d);
}

void
destinations_send(struct destinations *d, const struct iovec *msgs, size_t n)
{
	collector_set_send(&d->set, msgs, n);
}

const struct collector_set *
destinations_collectors(const struct destinations *d)
{
	return &d->set;
}

void
destinations_each_unresolved(
	const struct destinations *d, destinations_name_fn fn, void *user_data)
{
	if (d->result.n_collectors > 0)
		return; /* the file's are not wanted */
	for (size_t i = 0; i < d->n_named; i++)
		if (!d->named[i].resolved)
			fn(d->named[i].conf->host, user_data);
}
