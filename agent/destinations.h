/*
 * destinations.h - who the datagrams go to: the collectors that DNS announces, or else
 * those of the configuration file. Acting module; owns the collector_set.
 *
 * Collectors that the file gives by name are looked up again by TTL; one whose address
 * is not known yet is left out and named in the status.
 */
#pragma once

#include <stdbool.h>
#include <sys/uio.h>

#include "agent/agent_conf.h"
#include "agent/collector.h"
#include "agent/dns.h"
#include "agent/dnssd_result.h"

struct destinations; /* owned by who made it */

/** The collectors in use changed. Also from inside destinations_configure(). */
typedef void (*destinations_fn)(void *user_data);

/** Nobody to send to at first. @dns is borrowed. NULL: out of memory. */
struct destinations *destinations_new(
	struct dns *dns, destinations_fn fn, void *user_data);

/** Accepts NULL. */
void destinations_free(struct destinations *d);

/**
 * Use what the file and DNS say now. Collectors that stay keep socket and statistics.
 *
 * @conf       borrowed until the next call or destinations_free()
 * @result     of DNS-SD, copied; NULL = it is off
 * Privilege   see collector_set_configure()
 */
void destinations_configure(struct destinations *d, const struct agent_conf *conf,
	const struct dnssd_result *result);

/** Send to all. */
void destinations_send(struct destinations *d, const struct iovec *msgs, size_t n);

/** The collectors in use, for status and hsflowd.auto. */
const struct collector_set *destinations_collectors(const struct destinations *d);

typedef void (*destinations_name_fn)(const char *name, void *user_data);
/** Call @fn for each collector that is left out because its name has no address. */
void destinations_each_unresolved(
	const struct destinations *d, destinations_name_fn fn, void *user_data);
