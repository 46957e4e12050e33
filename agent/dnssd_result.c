/*
 * dnssd_result.c - see dnssd_result.h.
 */
#include "agent/dnssd_result.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/dnssd_select.h"

static bool
addr_equal(const struct parse_addr *a, const struct parse_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* True if @result has a collector with this address and port already. */
static bool
has_collector(const struct dnssd_result *result, const struct dnssd_target *target)
{
	for (unsigned i = 0; i < result->n_collectors; i++)
		if (result->collectors[i].port == target->srv.port &&
			addr_equal(&result->collectors[i].addr, &target->addr))
			return true;
	return false;
}

static void
add_collector(struct dnssd_result *result, const struct dnssd_target *target)
{
	struct dnssd_collector *c = &result->collectors[result->n_collectors++];

	memset(c, 0, sizeof(*c));
	memcpy(c->host, target->srv.target, sizeof(c->host));
	c->addr = target->addr;
	c->port = target->srv.port;
	c->priority = target->srv.priority;
	c->weight = target->srv.weight;
}

void
dnssd_result_fill(struct dnssd_result *result, const struct dnssd_target *targets,
	unsigned n, uint64_t seed)
{
	struct dnssd_candidate all[DNSSD_COLLECTORS_MAX] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		all[i].priority = targets[i].srv.priority;
		all[i].weight = targets[i].srv.weight;
		all[i].usable = targets[i].addr.family != 0;
	}
	dnssd_select(all, n, seed);
	result->n_collectors = result->n_standby = result->n_unresolved = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!all[i].usable)
			result->n_unresolved++;
		else if (!all[i].chosen)
			result->n_standby++;
		else if (!has_collector(result, &targets[i]))
			add_collector(result, &targets[i]);
	}
}

static bool
collector_equal(const struct dnssd_collector *a, const struct dnssd_collector *b)
{
	return a->port == b->port && a->priority == b->priority &&
	       a->weight == b->weight && addr_equal(&a->addr, &b->addr) &&
	       strcasecmp(a->host, b->host) == 0;
}

bool
dnssd_result_equal(const struct dnssd_result *a, const struct dnssd_result *b)
{
	if (a->n_collectors != b->n_collectors || a->n_standby != b->n_standby ||
		a->n_unresolved != b->n_unresolved || a->has_txt != b->has_txt)
		return false;
	for (unsigned i = 0; i < a->n_collectors; i++)
		if (!collector_equal(&a->collectors[i], &b->collectors[i]))
			return false;
	return strcasecmp(a->domain, b->domain) == 0 &&
	       settings_equal(&a->settings, &b->settings);
}

static int
compare_srv(const void *a, const void *b)
{
	const struct dnssd_srv *x = a, *y = b;
	int order = strcasecmp(x->target, y->target);

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (order == 0 && x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return order ? order : (int)x->weight - (int)y->weight;
}

void
dnssd_sort_srv(struct dnssd_srv *srv, unsigned n)
{
	qsort(srv, n, sizeof(*srv), compare_srv);
}
